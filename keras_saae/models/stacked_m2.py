"""M1 + M2 stacked (Kingma et al. 2014): M2 on the codes of a trained M1."""

import keras
import numpy as np
from keras import ops

from keras_saae import checks, losses
from keras_saae.abilities import ClassBounds, EncodesClassAndStyle, PerturbsImages
from keras_saae.networks import EncoderGivenClass, moved
from keras_saae.phases import Phase, PhasedModel
from keras_saae.priors import Gaussian


@keras.saving.register_keras_serializable("keras_saae")
class StackedM2(ClassBounds, EncodesClassAndStyle, PerturbsImages, PhasedModel):
    """M2 whose observations are codes z1 of images, from a trained `M1`.

        p(x|z1) p(z1|y, z) Cat(y; pi) N(z; 0, I)

    M1 stays as it is. Each step draws z1 ~ q(z1|x) afresh; where images are evaluated,
    z1 is the mean. The phase `bound` is that of `M2`, with N(z1; m(y, z), s(y, z)^2) in
    the place of p(x|y, z). Images are predicted, encoded and drawn through both.

    Args:
        code_encoder: `M1.encoder`, a trained `networks.StochasticEncoder` of posterior
            "gaussian".
        code_decoder: `M1.decoder`, the trained decoder of z1.
        encoder: Keras model from codes `(n, len(kept))` to features, which y joins.
        classifier: q(y|z1), Keras model from codes to class logits `(n, num_classes)`.
        decoder: Keras model from `(n, num_classes + z_dim)`, y beside z, to mean and
            log-variance of z1 `(n, 2 * len(kept))`. Paper: z_dim 50.
        kept: numbers of the dimensions of z1 that are used, from
            `M1.used_dimensions`; the others hold noise alone. All if not given.
        prior_y, head_hidden, head_activation, head_initializer, unlabelled,
        labelled_weight, classification_weight, consistency_weight, groups,
        input_noise, augmentation: as of `M2`; images are perturbed before they are
            encoded to z1.
        seed: seeds the draws, the noise and the head.

    Raises:
        TypeError, ValueError: if the parts do not fit together, a name is unknown or a
            number out of range.

    Example:
        >>> kept = m1.used_dimensions(x)
        >>> recipe = recipes.get("m1_m2")
        >>> model = recipe.model(
        ...     dataset, code_encoder=m1.encoder, code_decoder=m1.decoder, kept=kept
        ... )

    Source: Kingma et al., arXiv:1406.5298, section 2.3.
    """

    batch_keys = ("x", "x_labelled", "y_labelled")
    averaged_encoder = None

    def __init__(
        self,
        code_encoder,
        code_decoder,
        encoder,
        classifier,
        decoder,
        prior_y=None,
        kept=None,
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
        seed=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.seed = seed
        self.input_noise = checks.check_number(input_noise, "input_noise")
        self.augmentation = checks.check_augmentation(augmentation)
        self.set_bounds(
            classifier=classifier,
            prior_y=prior_y,
            unlabelled=unlabelled,
            labelled_weight=labelled_weight,
            classification_weight=classification_weight,
            consistency_weight=consistency_weight,
            groups=groups,
        )
        checks.check_gaussian_encoder("code_encoder", code_encoder)
        self.image_shape = tuple(code_encoder.trunk.input_shape[1:])
        width = code_encoder.z_dim
        checks.check_network("code_decoder", code_decoder, (width,), self.image_shape)
        self.kept = _check_kept(range(width) if kept is None else kept, width)
        checks.check_network("encoder", encoder, (len(self.kept),))
        checks.check_classifier(
            "classifier", classifier, (len(self.kept),), self.num_classes
        )
        self.z_dim = checks.check_decoder_width(decoder, self.num_classes)
        checks.check_network("decoder", decoder, None, (2 * len(self.kept),))
        self.code_encoder, self.code_decoder = code_encoder, code_decoder
        self.prior_z = Gaussian(self.z_dim)
        self.given_class = EncoderGivenClass(
            encoder,
            classifier,
            self.z_dim,
            hidden=head_hidden,
            activation=head_activation,
            kernel_initializer=head_initializer,
            seed=seed,
            name="encoder_given_class",
        )
        self.code_given_class = decoder
        self.encoder, self.decoder = self._through_both()
        self.seeds = keras.random.SeedGenerator(seed)  # tracked, so JAX carries it
        self.built = True  # the parts are built already

    def phases(self):
        codes = self.given_class.trainable_variables
        means = self.code_given_class.trainable_variables
        return (Phase("bound", self.bound_loss, (*codes, *means)),)

    @property
    def extra_metrics(self):
        return self.bound_metrics

    def prepare(self, batch, training):
        """Codes z1 of both kinds of images, and the draws e of q(z|z1, y)."""
        views = self.views(batch, training)
        codes = {
            key: self._codes(views[f"{key}_noisy"], training)
            for key in ("x", "x_labelled")
        }
        prepared = {
            **codes,
            **{f"{key}_noisy": code for key, code in codes.items()},
            **self.noise(codes, training),
            "y_labelled": batch["y_labelled"],
        }
        if training and self.consistency_weight:
            again = self.another_view(batch["x"])
            prepared["x_again"] = self._codes(again, training)
        return prepared

    def bound_loss(self, batch, training):
        """The bounds of both kinds of codes and the cross-entropy, in nats."""
        return self.objective(self.given_class, batch, training)

    def decoder_nll(self, x, code, training):
        """-log p(z1|y, z) of each code, `(n,)`."""
        moments = self.code_given_class(code, training=training)
        return losses.gaussian_nll(x, *ops.split(moments, 2, axis=-1))

    def _codes(self, x, training):
        mean, log_variance = self.code_encoder.moments(x)
        if training:
            mean = moved(mean, log_variance, self.code_encoder.noise(x, self.seeds))
        return ops.take(mean, np.array(self.kept), axis=-1)

    def _through_both(self):
        """Networks from images to (y logits, z), and from (y, z) to images."""
        x = keras.Input(self.image_shape, name="x")
        code = keras.Input((self.num_classes + self.z_dim,), name="code")
        kept = np.array(self.kept)
        seen = ops.take(self.code_encoder(x), kept, axis=-1)
        mean, _ = ops.split(self.code_given_class(code), 2, axis=-1)
        into = np.eye(self.code_encoder.z_dim, dtype="float32")[kept]
        return (
            keras.Model(x, self.given_class(seen), name="encoder"),
            keras.Model(
                code, self.code_decoder(ops.matmul(mean, into)), name="decoder"
            ),
        )

    def get_config(self):
        serialize = keras.saving.serialize_keras_object
        return {
            "code_encoder": serialize(self.code_encoder),
            "code_decoder": serialize(self.code_decoder),
            "encoder": serialize(self.given_class.trunk),
            "classifier": serialize(self.given_class.classifier),
            "decoder": serialize(self.code_given_class),
            "kept": self.kept,
            "head_hidden": list(self.given_class.hidden),
            "head_activation": self.given_class.activation,
            "head_initializer": serialize(self.given_class.kernel_initializer),
            **self.bounds_config(),
            "input_noise": self.input_noise,
            "augmentation": serialize(self.augmentation),
            "seed": self.seed,
            "name": self.name,
            "dtype": self.dtype_policy.name,
        }


def _check_kept(kept, width):
    kept = [int(k) for k in kept]
    if not kept or len(set(kept)) < len(kept) or not set(kept) <= set(range(width)):
        raise ValueError(
            f"`kept` names dimensions 0 to {width - 1} of M1's codes, each once, at "
            f"least one. Received: {kept}"
        )
    return kept
