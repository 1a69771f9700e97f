"""The adversarial autoencoder (Makhzani et al. 2015, section 2)."""

import keras

from keras_saae import checks, losses
from keras_saae.abilities import OneCode, PerturbsImages
from keras_saae.adversary import EVALUATION_SEED, Adversary
from keras_saae.networks import StochasticEncoder
from keras_saae.passes import forward
from keras_saae.phases import Phase, PhasedModel


@keras.saving.register_keras_serializable("keras_saae")
class AAE(OneCode, PerturbsImages, PhasedModel):
    """Autoencoder whose codes are distributed like a prior of your choice.

    One step runs three phases on a batch of images:

    - reconstruction: encoder and decoder reproduce the image from z.
    - discriminator: it tells codes of images from draws from the prior.
    - generator: the encoder makes its codes pass for such draws.

    Args:
        encoder: Keras model from images `(n, height, width[, channels])` in [0, 1]
            to features; the model adds what makes z of them.
        decoder: Keras model from codes `(n, z_dim)` to images in [0, 1].
        discriminator: Keras model from codes `(n, z_dim)` to one logit `(n, 1)`.
        prior: what the codes should be distributed like; its draws set `z_dim`.
        posterior: "deterministic", "gaussian" or "universal", what q(z|x) is. See
            `networks.StochasticEncoder`. Paper: deterministic, unless it says other.
        head_initializer: initializer of the weights that the model adds.
        reconstruction_loss: a name in `losses.RECONSTRUCTION_LOSSES`, which says
            the reduction. Paper: "half_squared_error_sum".
        discriminator_loss: a name in `losses.ADVERSARIAL_LOSSES`: "cross_entropy", as
            in the paper, "least_squares", "hinge" or "wasserstein".
        gradient_penalty_weight: weight of `losses.gradient_penalty`, which goes with
            "wasserstein" alone.
        input_noise: standard deviation of the Gaussian noise on the images, in
            training, in pixel units. Paper: none.
        augmentation: what changes images in training: a serializable
            `augmentation(x, seed)`, such as `networks.RandomAffine()`.
        seed: seeds the noise, the prior and the head.

    Raises:
        TypeError, ValueError: if the parts do not fit together or a name is unknown.

    Example:
        >>> model = AAE(encoder, decoder, discriminator, priors.Gaussian(8, stddev=5.0))
        >>> model.compile({p.name: keras.optimizers.Adam(1e-3) for p in model.phases()})
        >>> model.fit(x, epochs=20)
        >>> model.encode(x)  # (n, 8)

    Source: Makhzani et al., arXiv:1511.05644, section 2.
    """

    def __init__(
        self,
        encoder,
        decoder,
        discriminator,
        prior,
        posterior="deterministic",
        head_initializer="glorot_uniform",
        reconstruction_loss="half_squared_error_sum",
        discriminator_loss="cross_entropy",
        gradient_penalty_weight=10.0,
        input_noise=0.0,
        augmentation=None,
        seed=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        for name, value, known in (
            ("reconstruction_loss", reconstruction_loss, losses.RECONSTRUCTION_LOSSES),
            ("discriminator_loss", discriminator_loss, losses.ADVERSARIAL_LOSSES),
        ):
            checks.check_choice(name, value, known)
        self.reconstruction_loss_name = reconstruction_loss
        self.discriminator_loss_name = discriminator_loss
        self.gradient_penalty_weight = checks.check_number(
            gradient_penalty_weight, "gradient_penalty_weight"
        )
        self.input_noise = checks.check_number(input_noise, "input_noise")
        self.augmentation = checks.check_augmentation(augmentation)
        self.posterior, self.seed = posterior, seed

        self.prior = prior
        self.z_dim = checks.check_prior("prior", prior)
        checks.check_network("encoder", encoder)
        self.image_shape = tuple(encoder.input_shape[1:])
        checks.check_network("decoder", decoder, (self.z_dim,), self.image_shape)
        checks.check_network("discriminator", discriminator, (self.z_dim,), (1,))
        self.encoder = StochasticEncoder(
            encoder,
            self.z_dim,
            posterior,
            kernel_initializer=head_initializer,
            seed=seed,
            name="stochastic_encoder",
        )
        self.decoder, self.discriminator = decoder, discriminator
        self.seeds = keras.random.SeedGenerator(seed)  # tracked, so JAX carries it
        self.discriminator_accuracy = keras.metrics.Mean(name="discriminator_accuracy")
        self.game = Adversary(
            prior,
            discriminator,
            self.discriminator_accuracy,
            discriminator_loss,
            gradient_penalty_weight=gradient_penalty_weight,
        )
        self.built = True  # the parts are built already

    # Phases

    def phases(self):
        codes = self.encoder.trainable_variables
        images = self.decoder.trainable_variables
        scores = self.discriminator.trainable_variables
        return (
            Phase("reconstruction", self.reconstruction_loss, (*codes, *images)),
            Phase("discriminator", self.discriminator_loss, scores),
            Phase("generator", self.generator_loss, codes),
        )

    @property
    def extra_metrics(self):
        return [self.discriminator_accuracy]

    def prepare(self, batch, training):
        """Images and the encoder's noise, the same for all phases of the step."""
        seed = self.seeds if training else EVALUATION_SEED
        noise = self.encoder.noise(batch["x"], seed)
        return {**self.views(batch, training), "noise": noise}

    def reconstruction_loss(self, batch, training):
        """Half the squared distance of x and its reconstruction (or as named)."""
        x_reconstructed = self.decoder(self._code(batch, training), training=training)
        loss_fn = losses.RECONSTRUCTION_LOSSES[self.reconstruction_loss_name]
        return loss_fn(batch["x"], x_reconstructed)

    def discriminator_loss(self, batch, training):
        """The discriminator tells draws from codes; guessing is 2 log 2 = 1.386."""
        code = self._code(batch, training)
        return self.game.discriminator_loss(code, self.seeds, training)

    def generator_loss(self, batch, training):
        """The codes pass for prior draws; log 2 = 0.693 when they do."""
        return self.game.generator_loss(self._code(batch, training), training)

    def _code(self, batch, training):
        if batch["noise"] is None:
            return forward(self.encoder, batch["x_noisy"], batch, training)
        return self.encoder.draw(batch["x_noisy"], batch["noise"], training=training)

    # Saving

    def get_config(self):
        serialize = keras.saving.serialize_keras_object
        return {
            "encoder": serialize(self.encoder.trunk),
            "decoder": serialize(self.decoder),
            "discriminator": serialize(self.discriminator),
            "prior": serialize(self.prior),
            "posterior": self.posterior,
            "head_initializer": serialize(self.encoder.kernel_initializer),
            "reconstruction_loss": self.reconstruction_loss_name,
            "discriminator_loss": self.discriminator_loss_name,
            "gradient_penalty_weight": self.gradient_penalty_weight,
            "input_noise": self.input_noise,
            "augmentation": serialize(self.augmentation),
            "seed": self.seed,
            "name": self.name,
            "dtype": self.dtype_policy.name,
        }
