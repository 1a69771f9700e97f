"""First step of the semi-supervised adversarial VAE (Zemouri 2020): its encoder."""

import keras
from keras import ops

from keras_saae import checks, losses
from keras_saae.abilities import ClassifiesCodes, EncodesOneCode, PerturbsImages
from keras_saae.adversary import EVALUATION_SEED
from keras_saae.networks import StochasticEncoder, moved, with_linear_head
from keras_saae.phases import Phase, PhasedModel


@keras.saving.register_keras_serializable("keras_saae")
class VariationalEncoderClassifier(
    ClassifiesCodes, EncodesOneCode, PerturbsImages, PhasedModel
):
    """Classifier through a code near N(0, I), which a decoder is then trained on.

    One phase, `classification`, minimizes

        - mean_labelled log p(y|z) + w_k mean KL(q(z|x) || N(0, I)) over all images
        + w_c mean_unlabelled KL(p(y|x) || p(y|augmented x)), if it has a weight

    with z ~ q(z|x) = N(m(x), s(x)^2). `predict(x)` is p(y|z) at the mean code.

    Left open by the description that we build from, and chosen here: p(y|z) is a linear
    layer and a softmax; one draw of z per image; labelled images, which are among the
    unlabelled ones of our data sets, pay the divergence once more in their own batch;
    the consistency term is that of `losses.augmentation_consistency_loss`, through mean
    codes.

    Args:
        encoder: Keras model from images `(n, height, width[, channels])` in [0, 1] to
            features; the model adds a linear head for m and log s^2.
        z_dim: width of z. Typical: 2, to look at it, to 100.
        num_classes: number of classes.
        divergence_weight: w_k.
        consistency_weight: w_c; it needs an `augmentation`.
        head_initializer: initializer of the heads' weights.
        input_noise: standard deviation of the Gaussian noise on the images, in
            training, in pixel units.
        augmentation: what changes images in training and leaves their class alone: a
            serializable `augmentation(x, seed)`, such as `networks.RandomAffine()`;
            labelled images always, unlabelled ones in the consistency term.
        seed: seeds the noise and the heads.

    Raises:
        TypeError, ValueError: if the parts do not fit together or a number is out of
            range.

    Source: after Zemouri 2020, Semi-supervised adversarial variational autoencoder,
    doi:10.3390/make2030020, section 3.2 (first step). Of its text we have
    seen the abstract and the headings, not the equations.
    """

    batch_keys = ("x", "x_labelled", "y_labelled")

    def __init__(
        self,
        encoder,
        z_dim,
        num_classes,
        divergence_weight=1.0,
        consistency_weight=0.0,
        head_initializer="glorot_uniform",
        input_noise=0.0,
        augmentation=None,
        seed=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        for name, value in (
            ("divergence_weight", divergence_weight),
            ("input_noise", input_noise),
        ):
            setattr(self, name, checks.check_number(value, name))
        self.augmentation = checks.check_augmentation(augmentation)
        self.consistency_weight = checks.check_consistency(
            consistency_weight, augmentation
        )
        self.seed = seed
        self.z_dim = checks.check_count(z_dim, "z_dim")
        self.num_classes = checks.check_count(num_classes, "num_classes", minimum=2)
        checks.check_network("encoder", encoder)
        self.image_shape = tuple(encoder.input_shape[1:])
        self.encoder = StochasticEncoder(
            encoder,
            self.z_dim,
            "gaussian",
            kernel_initializer=head_initializer,
            seed=seed,
            name="stochastic_encoder",
        )
        code = keras.Input((self.z_dim,), name="z")
        self.y_head = with_linear_head(
            keras.Model(code, code),
            num_classes,
            "y_head",
            head_initializer,
            None if seed is None else seed + 2,
        )
        self.seeds = keras.random.SeedGenerator(seed)  # tracked, so JAX carries it
        self.divergence = keras.metrics.Mean(name="divergence")
        self.error = keras.metrics.Mean(name="error")
        self.built = True  # the parts are built already

    def phases(self):
        variables = (
            *self.encoder.trainable_variables,
            *self.y_head.trainable_variables,
        )
        return (Phase("classification", self.classification_loss, variables),)

    @property
    def extra_metrics(self):
        return [self.divergence, self.error]

    def prepare(self, batch, training):
        """Images of both kinds, labels, and the noise of the labelled codes."""
        views = self.views(batch, training, augmented=("x_labelled",))
        seed = self.seeds if training else EVALUATION_SEED
        noise = self.encoder.noise(batch["x_labelled"], seed)
        return {**views, "y_labelled": batch["y_labelled"], "noise": noise}

    def classification_loss(self, batch, training):
        """Cross-entropy through the code, divergence, and consistency if asked."""
        labels, n = batch["y_labelled"], ops.shape(batch["x_labelled"])[0]
        x = ops.concatenate([batch["x_labelled_noisy"], batch["x_noisy"]])
        mean, log_variance = self.encoder.moments(x, training=training)
        divergence = losses.gaussian_kl(mean, log_variance)
        z = moved(mean[:n], log_variance[:n], batch["noise"])
        loss = losses.classification_loss(labels, self.code_logits(z))
        loss = loss + self.divergence_weight * ops.mean(divergence)
        self.divergence.update_state(divergence)
        at_mean = self.code_logits(mean[:n])
        self.error.update_state(losses.errors(labels, at_mean))
        if training and self.consistency_weight:
            loss = loss + self.consistency_weight * (
                losses.augmentation_consistency_loss(
                    lambda x: self.classify(x, training=True),
                    self.augmentation,
                    batch["x"],
                    self.code_logits(mean[n:]),
                    self.seeds,
                )
            )
        return loss

    def code_logits(self, z):
        """Class logits of codes `(n, z_dim)`."""
        return self.y_head(z)

    def get_config(self):
        serialize = keras.saving.serialize_keras_object
        return {
            "encoder": serialize(self.encoder.trunk),
            "z_dim": self.z_dim,
            "num_classes": self.num_classes,
            "divergence_weight": self.divergence_weight,
            "consistency_weight": self.consistency_weight,
            "head_initializer": serialize(self.encoder.kernel_initializer),
            "input_noise": self.input_noise,
            "augmentation": serialize(self.augmentation),
            "seed": self.seed,
            "name": self.name,
            "dtype": self.dtype_policy.name,
        }
