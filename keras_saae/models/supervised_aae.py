"""The supervised adversarial autoencoder (Makhzani et al. 2015, section 4)."""

import keras
import numpy as np
from keras import ops

from keras_saae import checks
from keras_saae.abilities import DecodesClassAndStyle, PerturbsImages, PlaysOneGame
from keras_saae.networks import pixels
from keras_saae.passes import forward
from keras_saae.phases import PhasedModel
from keras_saae.priors import Categorical


@keras.saving.register_keras_serializable("keras_saae")
class SupervisedAAE(PlaysOneGame, DecodesClassAndStyle, PerturbsImages, PhasedModel):
    """Autoencoder whose decoder is told the class, so that its code keeps the style.

    - reconstruction: encoder and decoder reproduce the labelled image from its true
      class and z.
    - discriminator: it tells styles of images, labelled or not, from prior draws.
    - generator: the encoder makes its codes pass for such draws.

    What z says about the class the decoder knows already; since the prior leaves z
    little room, it is spent on the style.

    Args:
        encoder: Keras model from images `(n, height, width[, channels])` in [0, 1]
            to features; the model adds a linear head for z.
        decoder: Keras model from codes `(n, num_classes + z_dim)`, the one-hot class
            beside z, to images in [0, 1].
        discriminator: Keras model from styles `(n, z_dim)`, or `(n, z_dim +
            num_classes)` with `style_given_class`, to one logit `(n, 1)`.
        prior: prior of the style; its draws set `z_dim`. Paper: 15 dimensions.
        num_classes: number of classes.
        head_initializer: initializer of the head.
        reconstruction_loss: a name in `losses.RECONSTRUCTION_LOSSES`, which says
            the reduction. Paper: "half_squared_error_sum".
        discriminator_loss: a name in `losses.ADVERSARIAL_LOSSES`.
        style_given_class: whether the discriminator sees the class beside the style, so
            that styles follow the prior within every class, not just over all of them.
            Images without a label stay out of the game then. Paper: no.
        input_noise: standard deviation of the Gaussian noise on the images, in
            training, in pixel units.
        augmentation: what changes images in training and leaves their class alone: a
            serializable `augmentation(x, seed)`, such as `networks.RandomAffine()`.
        seed: seeds the noise, the prior and the head.

    Raises:
        TypeError, ValueError: if the parts do not fit together or a name is unknown.

    Source: Makhzani et al., arXiv:1511.05644, section 4.
    """

    batch_keys = ("x", "x_labelled", "y_labelled")
    reconstructed = "x_labelled"

    def __init__(
        self,
        encoder,
        decoder,
        discriminator,
        prior,
        num_classes,
        head_initializer="glorot_uniform",
        reconstruction_loss="half_squared_error_sum",
        discriminator_loss="cross_entropy",
        style_given_class=False,
        input_noise=0.0,
        augmentation=None,
        seed=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.num_classes = checks.check_count(num_classes, "num_classes", minimum=2)
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
            beside_code=num_classes,
            beside_score=num_classes if style_given_class else 0,
        )
        self.style_given_class = style_given_class
        self.prior_z = prior
        self.prior_y = Categorical(num_classes)  # of samples whose class is left open

    # Phases

    def prepare(self, batch, training):
        """Images of both kinds, and the classes of the labelled ones."""
        return {**self.views(batch, training), "y_labelled": batch["y_labelled"]}

    def reconstruction_loss(self, batch, training):
        """Half the squared distance of x and its reconstruction (or as named)."""
        z = self.encoder(batch["x_labelled_noisy"], training=training)
        code = self.join(self._classes(batch), z)
        return self.distance(batch["x_labelled"], code, training)

    def discriminator_loss(self, batch, training):
        """The discriminator tells draws from styles; guessing is 2 log 2 = 1.386."""
        z, beside = self._styles(batch, training)
        return self.game.discriminator_loss(z, self.seeds, training, beside=beside)

    def generator_loss(self, batch, training):
        """The styles pass for prior draws; log 2 = 0.693 when they do."""
        z, beside = self._styles(batch, training)
        return self.game.generator_loss(z, training, beside=beside)

    def _styles(self, batch, training):
        """Styles that play, and what the discriminator sees beside them."""
        if self.style_given_class:
            z = self.encoder(batch["x_labelled_noisy"], training=training)
            return z, self._classes(batch)
        return forward(self.encoder, batch["x_noisy"], batch, training), None

    def _classes(self, batch):
        """The true classes, one-hot."""
        return ops.one_hot(batch["y_labelled"], self.num_classes, dtype="float32")

    # What a trained model does

    def call(self, x, training=False):
        """Styles `(n, z_dim)` of images."""
        return self.encoder(pixels(x), training=training)

    def encode(self, x):
        """Styles of images, an array `(n, z_dim)`; the class is not read from them."""
        return self.predict(x, verbose=0)

    def reconstruct(self, x, y):
        """Images of the styles of images `x` and of their class labels `y`."""
        y = checks.check_labels(y, len(x), self.num_classes, allow_unlabelled=False)
        return self.decode(np.eye(self.num_classes)[y], self.encode(x))

    # Saving

    def get_config(self):
        return {
            **self.game_config(),
            "num_classes": self.num_classes,
            "style_given_class": self.style_given_class,
        }
