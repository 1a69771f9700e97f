"""The generative semi-supervised model M2 (Kingma et al. 2014)."""

import keras

from keras_saae import checks, losses
from keras_saae.abilities import ClassBounds, EncodesClassAndStyle, PerturbsImages
from keras_saae.networks import EncoderGivenClass, averaged_copy
from keras_saae.phases import Phase, PhasedModel
from keras_saae.priors import Gaussian


@keras.saving.register_keras_serializable("keras_saae")
class M2(ClassBounds, EncodesClassAndStyle, PerturbsImages, PhasedModel):
    """Variational autoencoder of class and style: p(x|y, z) Cat(y; pi) N(z; 0, I).

    One phase, `bound`, minimizes

        mean_unlabelled U(x) + w_l mean_labelled L(x, y) - w_c mean_labelled log q(y|x)

    with L and U as of `losses.labelled_bound` and `losses.unlabelled_bound`: a labelled
    image has its class, an unlabelled one has every class in turn, as likely as q(y|x)
    says. Divided by the number N of all images, labelled or not, the paper's sum over
    the data set has w_l = N_l / N, for N_l labelled images, and w_c = alpha, of which
    it takes 0.1. (The paper adds alpha N times the mean cross-entropy; where N is read
    as the number of labelled images, w_c = alpha N_l / N.)

    Args:
        encoder: Keras model from images `(n, height, width[, channels])` in [0, 1] to
            features, which y joins: see `networks.EncoderGivenClass`.
        classifier: q(y|x), any Keras model from images to class logits
            `(n, num_classes)`, such as a backbone of keras.applications with a head.
        decoder: Keras model from codes `(n, num_classes + z_dim)`, y beside z, to
            images in [0, 1]. Paper: z_dim 50.
        prior_y: `priors.Categorical`, pi; sets `num_classes`. Uniform over the classes
            of the classifier if not given, as in the paper.
        likelihood: a name in `losses.LIKELIHOODS`. Paper: "bernoulli".
        head_hidden: units of the hidden layers after y has joined. Paper: (500,).
        head_activation: of these. Paper: softplus.
        head_initializer: initializer of the weights there.
        unlabelled: "enumerated", every class in turn, or "sampled": one class drawn
            from q(y|x), whose gradient is passed straight through. It is there to be
            compared: it collapses easily.
        labelled_weight: w_l. By default an image that has a label counts as much as one
            that has none; the paper's sum over all images is N_l / N, which recipes
            look up, and keeps M2 from learning a hundred images by heart.
        classification_weight: w_c; 0 leaves q(y|x) to the unlabelled images alone.
        consistency_weight: weight of KL( q(y|x) || q(y|x') ), in nats, x and x' two
            augmented copies of an unlabelled image and q(y|x) held constant; it needs
            an `augmentation`. Paper: none.
        groups: main class of each class, from `data.class_groups`, where some labels
            tell no more than that, num_classes + g: their images are bounded over the
            classes of that main class.
        input_noise: standard deviation of the Gaussian noise on the images that the
            encoder and the classifier see, in training, in pixel units. Paper: none.
        augmentation: what changes images in training and leaves their class alone: a
            serializable `augmentation(x, seed)`, such as `networks.RandomAffine()`.
        averaging: weight of the past in the moving average of encoder and classifier,
            such as 0.999, or `None`. `evaluate`, `predict` and `encode` use it.
        seed: seeds the noise and the head.

    Raises:
        TypeError, ValueError: if the parts do not fit together, a name is unknown or a
            number out of range.

    Source: Kingma et al., arXiv:1406.5298, sections 2.2, 3.1 and 4.1. Its unlabelled
    images leave out the labelled ones, which are among ours.
    """

    batch_keys = ("x", "x_labelled", "y_labelled")

    def __init__(
        self,
        encoder,
        classifier,
        decoder,
        prior_y=None,
        likelihood="bernoulli",
        head_hidden=(500,),
        head_activation="softplus",
        head_initializer="glorot_uniform",
        unlabelled="enumerated",
        labelled_weight=1.0,
        classification_weight=0.1,
        consistency_weight=0.0,
        groups=None,
        input_noise=0.0,
        augmentation=None,
        averaging=None,
        seed=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        checks.check_choice("likelihood", likelihood, losses.LIKELIHOODS)
        self.likelihood, self.seed = likelihood, seed
        self.input_noise = checks.check_number(input_noise, "input_noise")
        self.augmentation = checks.check_augmentation(augmentation)
        self.averaging = checks.check_averaging(averaging)
        self.set_bounds(
            classifier=classifier,
            prior_y=prior_y,
            unlabelled=unlabelled,
            labelled_weight=labelled_weight,
            classification_weight=classification_weight,
            consistency_weight=consistency_weight,
            groups=groups,
        )
        checks.check_network("encoder", encoder)
        self.image_shape = tuple(encoder.input_shape[1:])
        checks.check_classifier(
            "classifier", classifier, self.image_shape, self.num_classes
        )
        self.z_dim = checks.check_decoder_width(decoder, self.num_classes)
        code_width = self.num_classes + self.z_dim
        checks.check_network("decoder", decoder, (code_width,), self.image_shape)
        self.prior_z = Gaussian(self.z_dim)
        self.encoder = EncoderGivenClass(
            encoder,
            classifier,
            self.z_dim,
            hidden=head_hidden,
            activation=head_activation,
            kernel_initializer=head_initializer,
            seed=seed,
            name="encoder_given_class",
        )
        self.decoder = decoder
        self.averaged_encoder = (
            None if averaging is None else averaged_copy(self.encoder)
        )
        self.seeds = keras.random.SeedGenerator(seed)  # tracked, so JAX carries it
        self.built = True  # the parts are built already

    def phases(self):
        codes = self.encoder.trainable_variables
        images = self.decoder.trainable_variables
        return (Phase("bound", self.bound_loss, (*codes, *images)),)

    @property
    def extra_metrics(self):
        return self.bound_metrics

    def prepare(self, batch, training):
        """Images of both kinds, and the draws e that make z of q(z|x, y)."""
        prepared = {
            **self.views(batch, training),
            **self.noise(batch, training),
            "y_labelled": batch["y_labelled"],
        }
        if training and self.consistency_weight:
            prepared["x_again"] = self.another_view(batch["x"])
        return prepared

    def bound_loss(self, batch, training):
        """The bounds of both kinds of images and the cross-entropy, in nats."""
        return self.objective(self._encoder(training), batch, training)

    def decoder_nll(self, x, code, training):
        """-log p(x|y, z) of each image, `(n,)`."""
        x_reconstructed = self.decoder(code, training=training)
        return losses.LIKELIHOODS[self.likelihood](x, x_reconstructed)

    def get_config(self):
        serialize = keras.saving.serialize_keras_object
        return {
            "encoder": serialize(self.encoder.trunk),
            "classifier": serialize(self.encoder.classifier),
            "decoder": serialize(self.decoder),
            "likelihood": self.likelihood,
            "head_hidden": list(self.encoder.hidden),
            "head_activation": self.encoder.activation,
            "head_initializer": serialize(self.encoder.kernel_initializer),
            **self.bounds_config(),
            "input_noise": self.input_noise,
            "augmentation": serialize(self.augmentation),
            "averaging": self.averaging,
            "seed": self.seed,
            "name": self.name,
            "dtype": self.dtype_policy.name,
        }
