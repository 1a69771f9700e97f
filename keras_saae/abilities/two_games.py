"""A code of two parts, class and style, and a game that fits each to its prior."""

import keras
from keras import ops

from keras_saae import checks, losses
from keras_saae.adversary import Adversary
from keras_saae.networks import EncoderWithHeads, averaged_copy
from keras_saae.passes import forward
from keras_saae.phases import Phase


class PlaysTwoGames:
    """Encoder with two heads, decoder and two games, with settings, phases and losses.

    Uses the model's `code_width`, that of the decoder's input.
    """

    style_given_class = False  # whether discriminator_z sees y beside z

    def set_games(
        self,
        *,
        encoder,
        decoder,
        discriminator_z,
        discriminator_y,
        prior_z,
        prior_y,
        head_initializer,
        head_batch_normalization,
        reconstruction_loss,
        reconstruction_trains_y,
        generator_y_weight,
        generator_z_weight,
        input_noise,
        averaging,
        seed,
        classifier=None,
        **game,
    ):
        """Takes parts and settings, or says what is wrong; for the constructor.

        Args: those of `SemiSupervisedAAE`, and
            **game: arguments of both games' `Adversary`.
        """
        checks.check_choice(
            "reconstruction_loss", reconstruction_loss, losses.RECONSTRUCTION_LOSSES
        )
        self.reconstruction_loss_name = reconstruction_loss
        self.reconstruction_trains_y = bool(reconstruction_trains_y)
        self.generator_y_weight = checks.check_number(
            generator_y_weight, "generator_y_weight"
        )
        self.generator_z_weight = checks.check_number(
            generator_z_weight, "generator_z_weight"
        )
        self.input_noise = checks.check_number(input_noise, "input_noise")
        self.averaging, self.seed = checks.check_averaging(averaging), seed

        self.prior_z, self.prior_y = prior_z, prior_y
        self.z_dim = checks.check_prior("prior_z", prior_z)
        self.num_classes = checks.check_count(
            checks.check_prior("prior_y", prior_y), "width of prior_y", minimum=2
        )
        checks.check_network("encoder", encoder)
        self.image_shape = tuple(encoder.input_shape[1:])
        z_width = self.z_dim + (self.num_classes if self.style_given_class else 0)
        because = (
            f"the draws of `prior_y` and `prior_z` have widths {self.num_classes} and "
            f"{self.z_dim}"
        )
        for name, network, width, output in (
            ("decoder", decoder, self.code_width, self.image_shape),
            ("discriminator_z", discriminator_z, z_width, (1,)),
            ("discriminator_y", discriminator_y, self.num_classes, (1,)),
        ):
            checks.check_network(name, network, (width,), output, because)
        if classifier is not None:
            checks.check_classifier(
                "classifier", classifier, self.image_shape, self.num_classes
            )
        self.encoder = EncoderWithHeads(
            encoder,
            self.num_classes,
            self.z_dim,
            kernel_initializer=head_initializer,
            batch_normalization=head_batch_normalization,
            seed=seed,
            classifier=classifier,
            name="encoder_with_heads",
        )
        self.decoder = decoder
        self.discriminator_z, self.discriminator_y = discriminator_z, discriminator_y
        self.averaged_encoder = (
            None if averaging is None else averaged_copy(self.encoder)
        )
        self.seeds = keras.random.SeedGenerator(seed)  # tracked, so JAX carries it
        self.discriminator_accuracy = keras.metrics.Mean(name="discriminator_accuracy")
        self.game_z, self.game_y = (
            Adversary(prior, discriminator, self.discriminator_accuracy, **game)
            for prior, discriminator in (
                (prior_z, discriminator_z),
                (prior_y, discriminator_y),
            )
        )
        self.built = True  # the parts are built already

    def games_config(self):
        """Parts and settings, for `get_config`."""
        serialize = keras.saving.serialize_keras_object
        return {
            "encoder": serialize(self.encoder.trunk),
            "decoder": serialize(self.decoder),
            "discriminator_z": serialize(self.discriminator_z),
            "discriminator_y": serialize(self.discriminator_y),
            "prior_z": serialize(self.prior_z),
            "prior_y": serialize(self.prior_y),
            "head_initializer": serialize(self.encoder.kernel_initializer),
            "head_batch_normalization": self.encoder.batch_normalization,
            "reconstruction_loss": self.reconstruction_loss_name,
            "reconstruction_trains_y": self.reconstruction_trains_y,
            "generator_y_weight": self.generator_y_weight,
            "generator_z_weight": self.generator_z_weight,
            "input_noise": self.input_noise,
            "averaging": self.averaging,
            "seed": self.seed,
            "name": self.name,
            "dtype": self.dtype_policy.name,
        }

    @property
    def classifier_variables(self):
        """What q(y|x) is made of."""
        return self.encoder.y_variables

    def reconstruction_phase(self, *more):
        """That of encoder, `more` variables and decoder; perhaps without y's head."""
        encoder, codes = self.encoder, self.encoder.trainable_variables
        if not self.reconstruction_trains_y:
            codes = (
                *encoder.trunk.trainable_variables,
                *encoder.z_head.trainable_variables,
            )
        return Phase(
            "reconstruction",
            self.reconstruction_loss,
            (*codes, *more, *self.decoder.trainable_variables),
        )

    def game_phases(self):
        """The phases of both games: discriminators, then the encoder against them."""
        discriminators = (
            *self.discriminator_z.trainable_variables,
            *self.discriminator_y.trainable_variables,
        )
        codes = self.encoder.trainable_variables
        return (
            Phase("discriminator", self.discriminator_loss, discriminators),
            Phase("generator", self.generator_loss, codes),
        )

    def distance(self, x, y, z, training):
        """Of images and what the decoder makes of codes, by the loss that is named.

        Its gradient stops at y unless the reconstruction trains y.
        """
        if not self.reconstruction_trains_y:
            y = ops.stop_gradient(y)
        loss_fn = losses.RECONSTRUCTION_LOSSES[self.reconstruction_loss_name]
        return loss_fn(x, self.decoder(self.join(y, z), training=training))

    def codes(self, batch, phase, training):
        """Class and style codes of the images; all phases see the same."""
        y_logits, z = forward(
            self._encoder(training), batch["x_noisy"], batch, training
        )
        return ops.softmax(y_logits), z

    def discriminator_loss(self, batch, training):
        """Both discriminators tell priors from codes; guessing is 4 log 2 = 2.773."""
        y, z = self.codes(batch, "discriminator", training)
        beside = y if self.style_given_class else None
        on_z = self.game_z.discriminator_loss(z, self.seeds, training, beside=beside)
        return on_z + self.game_y.discriminator_loss(y, self.seeds, training)

    def generator_loss(self, batch, training):
        """The encoder's codes pass for prior draws; 2 log 2 = 1.386 when they do."""
        y, z = self.codes(batch, "generator", training)
        beside = y if self.style_given_class else None
        on_y = self.game_y.generator_loss(y, training)
        on_z = self.game_z.generator_loss(z, training, beside=beside)
        return self.generator_y_weight * on_y + self.generator_z_weight * on_z
