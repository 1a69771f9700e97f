"""The adversarial autoencoder with labels in its prior (Makhzani et al. 2015, 2.3)."""

import keras
from keras import ops

from keras_saae import checks
from keras_saae.abilities import OneCode, PerturbsImages, PlaysOneGame
from keras_saae.phases import PhasedModel


@keras.saving.register_keras_serializable("keras_saae")
class LabelInformedAAE(PlaysOneGame, OneCode, PerturbsImages, PhasedModel):
    """Autoencoder that lays each class of images into its own part of the prior.

    The phases are those of `AAE`. Beside each code, the discriminator sees the image's
    class, one-hot, with a last entry for images of unknown class. A labelled image
    competes with draws from its class's part of the prior, an image without a label
    with draws from the whole; our data sets have labelled images among those, too.

    Args:
        encoder: Keras model from images `(n, height, width[, channels])` in [0, 1]
            to features; the model adds a linear head for z.
        decoder: Keras model from codes `(n, z_dim)` to images in [0, 1].
        discriminator: Keras model from code and class `(n, z_dim + num_classes + 1)` to
            one logit `(n, 1)`.
        prior: a prior of which each class owns a part, such as
            `priors.GaussianMixture()` or `priors.SwissRoll()`. Its `sample` heeds
            labels, and its `class_of(z)` tells whose part a code lies in.
        num_classes: number of classes.
        head_initializer: initializer of the head.
        reconstruction_loss: a name in `losses.RECONSTRUCTION_LOSSES`, which says
            the reduction. Paper: "half_squared_error_sum".
        discriminator_loss: a name in `losses.ADVERSARIAL_LOSSES`.
        input_noise: standard deviation of the Gaussian noise on the images, in
            training, in pixel units.
        augmentation: what changes images in training and leaves their class alone: a
            serializable `augmentation(x, seed)`, such as `networks.RandomAffine()`.
        seed: seeds the noise, the prior and the head.

    Raises:
        TypeError, ValueError: if the parts do not fit together or a name is unknown.

    Example:
        >>> model.prior.class_of(model.encode(x_test))  # int (n,)

    Source: Makhzani et al., arXiv:1511.05644, section 2.3.
    """

    batch_keys = ("x", "x_labelled", "y_labelled")

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
        input_noise=0.0,
        augmentation=None,
        seed=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.num_classes = checks.check_count(num_classes, "num_classes", minimum=2)
        checks.check_prior_of_classes("prior", prior, num_classes)
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
            beside_score=num_classes + 1,
        )
        checks.check_draws_of_classes("prior", prior, num_classes)

    # Phases

    def prepare(self, batch, training):
        """Images of both kinds, and the classes of those that have one."""
        return {**self.views(batch, training), "y_labelled": batch["y_labelled"]}

    def reconstruction_loss(self, batch, training):
        """Half the squared distance of x and its reconstruction (or as named)."""
        z = self.encoder(batch["x_noisy"], training=training)
        return self.distance(batch["x"], z, training)

    def discriminator_loss(self, batch, training):
        """It tells draws from codes, given the class; guessing is 2 log 2 = 1.386."""
        z, labels = self._codes(batch, training)
        return self.game.discriminator_loss(z, self.seeds, training, labels)

    def generator_loss(self, batch, training):
        """The codes pass for draws of their class; log 2 = 0.693 when they do."""
        z, labels = self._codes(batch, training)
        return self.game.generator_loss(z, training, labels)

    def _codes(self, batch, training):
        """Codes and labels of the images without a label and of those with one."""
        x = ops.concatenate([batch["x_noisy"], batch["x_labelled_noisy"]])
        labels = ops.cast(batch["y_labelled"], "int32")
        unknown = ops.full((ops.shape(batch["x"])[0],), -1, dtype="int32")
        z = self.encoder(x, training=training)
        return z, ops.concatenate([unknown, labels])

    # Saving

    def get_config(self):
        return {**self.game_config(), "num_classes": self.num_classes}
