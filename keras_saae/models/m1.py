"""The latent-feature model M1 (Kingma et al. 2014): a variational autoencoder."""

import keras
import numpy as np
from keras import ops

from keras_saae import checks, losses
from keras_saae.abilities import OneCode, PerturbsImages
from keras_saae.adversary import EVALUATION_SEED
from keras_saae.networks import StochasticEncoder, moved
from keras_saae.phases import Phase, PhasedModel
from keras_saae.priors import Gaussian


@keras.saving.register_keras_serializable("keras_saae")
class M1(OneCode, PerturbsImages, PhasedModel):
    """Variational autoencoder whose codes serve any classifier, learnt without labels.

    One phase, `bound`, minimizes what -log p(x) of each image is at most:

        -log p(x|z) + KL(q(z|x) || N(0, I)),   z ~ q(z|x) = N(m(x), s(x)^2)

    `transform(x)` gives the means m(x), features for a classifier of scikit-learn.

    Args:
        encoder: Keras model from images `(n, height, width[, channels])` in [0, 1] to
            features; the model adds a linear head for m and log s^2. Paper: 600-600,
            softplus.
        decoder: Keras model from codes `(n, z_dim)`, 50 in the paper, to images in
            [0, 1].
        likelihood: a name in `losses.LIKELIHOODS`. Paper: "bernoulli".
        head_initializer: initializer of the head's weights.
        input_noise: standard deviation of the Gaussian noise on the images, in
            training, in pixel units. Paper: none.
        augmentation: what changes images in training: a serializable
            `augmentation(x, seed)`, such as `networks.RandomAffine()`. Paper: none.
        seed: seeds the noise and the head.

    Raises:
        TypeError, ValueError: if the parts do not fit together or a name is unknown.

    Example:
        >>> model = recipes.get("m1").model(dataset)
        >>> model.fit(dataset, epochs=100)  # or fit(x)
        >>> classifier = sklearn.svm.SVC().fit(model.transform(x_labelled), y_labelled)

    Source: Kingma et al., arXiv:1406.5298, sections 2.1 and 4.1.
    """

    def __init__(
        self,
        encoder,
        decoder,
        likelihood="bernoulli",
        head_initializer="glorot_uniform",
        input_noise=0.0,
        augmentation=None,
        seed=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        checks.check_choice("likelihood", likelihood, losses.LIKELIHOODS)
        self.likelihood, self.seed = likelihood, seed
        self.input_noise = checks.check_number(input_noise, "input_noise")
        self.augmentation = checks.check_augmentation(augmentation)
        checks.check_network("encoder", encoder)
        self.image_shape = tuple(encoder.input_shape[1:])
        self.z_dim = checks.check_decoder_width(decoder)
        checks.check_network("decoder", decoder, (self.z_dim,), self.image_shape)
        self.prior = Gaussian(self.z_dim)
        self.encoder = StochasticEncoder(
            encoder,
            self.z_dim,
            "gaussian",
            kernel_initializer=head_initializer,
            seed=seed,
            name="stochastic_encoder",
        )
        self.decoder = decoder
        self.seeds = keras.random.SeedGenerator(seed)  # tracked, so JAX carries it
        self.divergence = keras.metrics.Mean(name="divergence")
        self.built = True  # the parts are built already

    def phases(self):
        codes = self.encoder.trainable_variables
        images = self.decoder.trainable_variables
        return (Phase("bound", self.bound_loss, (*codes, *images)),)

    @property
    def extra_metrics(self):
        return [self.divergence]

    def prepare(self, batch, training):
        """Images and the encoder's noise e."""
        seed = self.seeds if training else EVALUATION_SEED
        noise = self.encoder.noise(batch["x"], seed)
        return {**self.views(batch, training), "noise": noise}

    def bound_loss(self, batch, training):
        """-log p(x|z) + KL(q(z|x) || N(0, I)), mean over the images, in nats."""
        mean, log_variance = self.encoder.moments(batch["x_noisy"], training=training)
        divergence = losses.gaussian_kl(mean, log_variance)
        self.divergence.update_state(divergence)
        z = moved(mean, log_variance, batch["noise"])
        nll = losses.LIKELIHOODS[self.likelihood]
        x_reconstructed = self.decoder(z, training=training)
        return ops.mean(nll(batch["x"], x_reconstructed) + divergence)

    def transform(self, x):
        """Features of images, the means of q(z|x), an array `(n, z_dim)`."""
        return self.encode(x)

    def used_dimensions(self, x, spread=0.1):
        """The dimensions of z that tell images apart.

        Args:
            x: many images.
            spread: standard deviation of the means below which a dimension is dropped.
                Where z is not used, q(z|x) is the prior and every mean is 0.

        Returns:
            List of integers.

        Raises:
            ValueError: if none is left.
        """
        deviations = self.transform(x).std(axis=0)
        used = np.flatnonzero(deviations >= spread).tolist()
        if not used:
            raise ValueError(
                f"No dimension of the codes has a spread of {spread}: the largest is "
                f"{deviations.max():.3g}. Train for longer, or lower `spread`."
            )
        return used

    def get_config(self):
        serialize = keras.saving.serialize_keras_object
        return {
            "encoder": serialize(self.encoder.trunk),
            "decoder": serialize(self.decoder),
            "likelihood": self.likelihood,
            "head_initializer": serialize(self.encoder.kernel_initializer),
            "input_noise": self.input_noise,
            "augmentation": serialize(self.augmentation),
            "seed": self.seed,
            "name": self.name,
            "dtype": self.dtype_policy.name,
        }
