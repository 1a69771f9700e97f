"""The adversarial autoencoder (Makhzani et al. 2015, section 2)."""

import keras

from keras_saae.abilities import OneCode, PerturbsImages, PlaysOneGame
from keras_saae.adversary import EVALUATION_NOISE_SEED
from keras_saae.passes import forward
from keras_saae.phases import PhasedModel


@keras.saving.register_keras_serializable("keras_saae")
class AAE(PlaysOneGame, OneCode, PerturbsImages, PhasedModel):
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
        self.set_game(
            encoder=encoder,
            decoder=decoder,
            discriminator=discriminator,
            prior=prior,
            head_initializer=head_initializer,
            reconstruction_loss=reconstruction_loss,
            discriminator_loss=discriminator_loss,
            input_noise=input_noise,
            augmentation=augmentation,
            seed=seed,
            posterior=posterior,
            gradient_penalty_weight=gradient_penalty_weight,
        )

    # Phases

    def prepare(self, batch, training):
        """Images and the encoder's noise, the same for all phases of the step."""
        seed = self.seeds if training else EVALUATION_NOISE_SEED
        noise = self.encoder.noise(batch["x"], seed)
        return {**self.views(batch, training), "noise": noise}

    def reconstruction_loss(self, batch, training):
        """Half the squared distance of x and its reconstruction (or as named)."""
        return self.distance(batch["x"], self._code(batch, training), training)

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
        return {
            **self.game_config(),
            "posterior": self.posterior,
            "gradient_penalty_weight": self.gradient_penalty_weight,
        }
