"""A code of one part, and the game that fits it to its prior."""

import keras

from keras_saae import checks, losses
from keras_saae.adversary import Adversary
from keras_saae.networks import StochasticEncoder
from keras_saae.phases import Phase


class PlaysOneGame:
    """Encoder, decoder and one game, with their settings, phases and configuration.

    Uses the model's losses of the phases, and `reconstructed`, the entry of the batch
    whose images are reconstructed.
    """

    reconstructed = "x"

    def set_game(
        self,
        *,
        encoder,
        decoder,
        discriminator,
        prior,
        head_initializer,
        reconstruction_loss,
        discriminator_loss,
        input_noise,
        augmentation,
        seed,
        posterior="deterministic",
        gradient_penalty_weight=10.0,
        beside_code=0,
        beside_score=0,
    ):
        """Takes parts and settings, or says what is wrong; for the constructor.

        Args: those of `AAE`, and
            beside_code: width of what the decoder gets beside z.
            beside_score: width of what the discriminator gets beside z.
        """
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
        code, score = self.z_dim + beside_code, self.z_dim + beside_score
        because = f"the draws of `prior` have width {self.z_dim}"
        checks.check_network("decoder", decoder, (code,), self.image_shape, because)
        checks.check_network("discriminator", discriminator, (score,), (1,), because)
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

    def game_config(self):
        """Parts and settings, for `get_config`."""
        serialize = keras.saving.serialize_keras_object
        return {
            "encoder": serialize(self.encoder.trunk),
            "decoder": serialize(self.decoder),
            "discriminator": serialize(self.discriminator),
            "prior": serialize(self.prior),
            "head_initializer": serialize(self.encoder.kernel_initializer),
            "reconstruction_loss": self.reconstruction_loss_name,
            "discriminator_loss": self.discriminator_loss_name,
            "input_noise": self.input_noise,
            "augmentation": serialize(self.augmentation),
            "seed": self.seed,
            "name": self.name,
            "dtype": self.dtype_policy.name,
        }

    def phases(self):
        codes = self.encoder.trainable_variables
        images = self.decoder.trainable_variables
        scores = self.discriminator.trainable_variables
        return (
            Phase(
                "reconstruction",
                self.reconstruction_loss,
                (*codes, *images),
                batch_key=self.reconstructed,
            ),
            Phase("discriminator", self.discriminator_loss, scores),
            Phase("generator", self.generator_loss, codes),
        )

    @property
    def extra_metrics(self):
        return [self.discriminator_accuracy]

    def distance(self, x, code, training):
        """Of images and what the decoder makes of codes, by the loss that is named."""
        loss_fn = losses.RECONSTRUCTION_LOSSES[self.reconstruction_loss_name]
        return loss_fn(x, self.decoder(code, training=training))
