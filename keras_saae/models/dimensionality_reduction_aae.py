"""Images in the plane, by an adversarial autoencoder (Makhzani et al. 2015, 7)."""

import keras
import numpy as np
from keras import ops

from keras_saae import checks, losses
from keras_saae.abilities import (
    EncodesClassAndStyle,
    PerturbsImages,
    PlaysTwoGames,
    SmoothClassifier,
)
from keras_saae.networks.initializers import seeded
from keras_saae.phases import Phase, PhasedModel


@keras.saving.register_keras_serializable("keras_saae")
class DimensionalityReductionAAE(
    PlaysTwoGames, EncodesClassAndStyle, SmoothClassifier, PerturbsImages, PhasedModel
):
    """Autoencoder whose code is a point near the head of its class: y heads + z.

    y, `(n, K)`, is one-hot where the game succeeds and chooses a row of the matrix
    `heads`, W_C in the paper; z, distributed like the prior, is where the image stands
    around it. Few dimensions are left, two for a picture.

    - reconstruction: encoder, heads and decoder reproduce the image; heads that are
      closer than `head_distance` are driven apart.
    - discriminator: two discriminators tell y and z of images from draws from their
      priors, Cat(K) and N(0, I).
    - generator: the encoder makes its codes pass for such draws.
    - classification, with labels: the encoder's y fits them, and is kept smooth if
      asked.
    - smoothness, without labels, if it has a weight: y is kept smooth.

    Args:
        encoder: Keras model from images `(n, height, width[, channels])` in [0, 1]
            to features; the model adds a softmax head for y and a linear one for z.
        decoder: Keras model from points `(n, z_dim)` to images in [0, 1].
        discriminator_z: Keras model from `(n, z_dim)` to one logit `(n, 1)`.
        discriminator_y: Keras model from `(n, K)` to one logit `(n, 1)`.
        prior_z: prior of the position around a head; its draws set the number of
            dimensions. Paper: N(0, I), 2 and 10.
        prior_y: prior of the class or cluster; its draws set K, at least 2.
        labelled: whether there are labels. If so, K is the number of classes and `fit`
            takes a `SemiSupervisedDataset`; else it takes images alone.
        head_distance: least distance of any two heads, in units of the code, which are
            standard deviations of z where its prior is N(0, I). Typically 8, so that
            the images around two heads hardly meet. Paper: not told.
        head_distance_weight: weight of what is missing to it. Paper: not told.
        head_initializer: initializer of the encoder's heads.
        head_batch_normalization: normalize their outputs.
        reconstruction_loss: a name in `losses.RECONSTRUCTION_LOSSES`, which says
            the reduction. Paper: "half_squared_error_sum".
        reconstruction_trains_y: whether the reconstruction's gradient reaches y, as of
            `ClusteringAAE`. Paper: yes.
        discriminator_loss: a name in `losses.ADVERSARIAL_LOSSES`, for both games.
        generator_y_weight: weight of y in the generator phase.
        generator_z_weight: weight of z there.
        input_noise: standard deviation of the Gaussian noise on the images, in
            training, in pixel units.
        augmentation: what changes images and leaves their class alone: a serializable
            `augmentation(x, seed)`, such as `networks.RandomAffine()`. Labelled images
            are changed, of the others the class has to stay. Paper: none.
        augmentation_weight, vat_weight, vat_radius, vat_probe, warm_up,
        style_consistency_weight, style_consistency_scale: the smoothness of q(y|x), as
            of `SemiSupervisedAAE`. Paper: none.
        shares_weight: weight of the demand that a batch's images share the heads out as
            the prior does, for which no head may be empty. Formula:
            `losses.shares_loss`. Paper: none.
        mean_teacher: whether its targets come from the averaged encoder. Paper: no.
        averaging: weight of the past in the moving average of the encoder's
            weights, such as 0.999, or `None` for no average. `predict`, `encode` and
            `transform` use the average.
        seed: seeds the noise, the priors and the heads.

    Raises:
        TypeError, ValueError: if the parts do not fit together, a name is unknown or a
            number out of range.

    Example:
        >>> plane = model.transform(x_test)  # (n, 2)
        >>> images = model.inverse_transform(plane)

    Source: Makhzani et al., arXiv:1511.05644, section 7.
    """

    def __init__(
        self,
        encoder,
        decoder,
        discriminator_z,
        discriminator_y,
        prior_z,
        prior_y,
        labelled=True,
        head_distance=8.0,
        head_distance_weight=1.0,
        head_initializer="glorot_uniform",
        head_batch_normalization=False,
        reconstruction_loss="half_squared_error_sum",
        reconstruction_trains_y=True,
        discriminator_loss="cross_entropy",
        generator_y_weight=1.0,
        generator_z_weight=1.0,
        input_noise=0.0,
        augmentation=None,
        augmentation_weight=1.0,
        vat_weight=0.0,
        vat_radius=1.0,
        vat_probe=None,
        style_consistency_weight=0.0,
        style_consistency_scale=1.0,
        warm_up=0,
        shares_weight=0.0,
        mean_teacher=False,
        averaging=None,
        seed=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        checks.check_choice(
            "discriminator_loss", discriminator_loss, losses.ADVERSARIAL_LOSSES
        )
        self.set_smoothness(
            vat_weight=vat_weight,
            vat_radius=vat_radius,
            vat_probe=vat_probe,
            style_consistency_weight=style_consistency_weight,
            style_consistency_scale=style_consistency_scale,
            augmentation=augmentation,
            augmentation_weight=augmentation_weight,
            warm_up=warm_up,
            shares_weight=shares_weight,
            mean_teacher=mean_teacher,
            averaging=averaging,
        )
        self.discriminator_loss_name = discriminator_loss
        self.labelled = bool(labelled)
        self.batch_keys = ("x", "x_labelled", "y_labelled") if labelled else ("x",)
        self.head_distance = checks.check_number(head_distance, "head_distance")
        self.head_distance_weight = checks.check_number(
            head_distance_weight, "head_distance_weight"
        )
        self.set_games(
            encoder=encoder,
            decoder=decoder,
            discriminator_z=discriminator_z,
            discriminator_y=discriminator_y,
            prior_z=prior_z,
            prior_y=prior_y,
            head_initializer=head_initializer,
            head_batch_normalization=head_batch_normalization,
            reconstruction_loss=reconstruction_loss,
            reconstruction_trains_y=reconstruction_trains_y,
            generator_y_weight=generator_y_weight,
            generator_z_weight=generator_z_weight,
            input_noise=input_noise,
            averaging=averaging,
            seed=seed,
            loss=discriminator_loss,
        )
        self.heads = self.add_weight(
            shape=(self.num_classes, self.z_dim),
            initializer=seeded(
                keras.initializers.RandomNormal(stddev=max(head_distance, 1.0)), seed
            ),
            name="heads",
        )
        self.error = keras.metrics.Mean(name="error")

    # Phases

    def phases(self):
        phases = (self.reconstruction_phase(self.heads), *self.game_phases())
        classifier = self.classifier_variables
        if self.labelled:
            phases += (
                Phase(
                    "classification",
                    self.classification_loss,
                    classifier,
                    batch_key="x_labelled",
                ),
            )
        elif self.is_smoothed:
            phases += (Phase("smoothness", self.invariance_loss, classifier),)
        return phases

    @property
    def extra_metrics(self):
        error = [self.error] if self.labelled else []
        return [self.discriminator_accuracy, *error]

    def prepare(self, batch, training):
        """Images, perturbed once for all phases of the step, and the labels."""
        labels = {"y_labelled": batch["y_labelled"]} if self.labelled else {}
        return {
            **self.views(batch, training, augmented=("x_labelled",)),
            **labels,
            "warmth": self.warmth() if training else 1.0,
        }

    def reconstruction_loss(self, batch, training):
        """That of x and its reconstruction, and of heads that are too close."""
        y, z = self.codes(batch, "reconstruction", training)
        apart = losses.head_distance_penalty(self.heads, self.head_distance)
        distance = self.distance(batch["x"], y, z, training)
        return distance + self.head_distance_weight * apart

    def classification_loss(self, batch, training):
        """Cross-entropy of the labels, plus what keeps q(y|x) smooth if asked."""
        y_labelled = batch["y_labelled"]
        y_logits, _ = self._encoder(training)(
            batch["x_labelled_noisy"], training=training
        )
        loss = losses.classification_loss(y_labelled, y_logits)
        self.error.update_state(losses.errors(y_labelled, y_logits))
        if self.is_smoothed:
            loss = loss + self.invariance_loss(batch, training)
        return loss

    # What a trained model does

    @property
    def code_width(self):
        """Width of the points that the decoder gets."""
        return self.z_dim

    def join(self, y, z):
        """The points `(n, z_dim)` that the decoder gets: `y heads + z`."""
        y, z = ops.cast(y, "float32"), ops.cast(z, "float32")
        return ops.matmul(y, ops.convert_to_tensor(self.heads)) + z

    def transform(self, x):
        """Points of images, an array `(n, z_dim)`; in the plane if `z_dim` is 2.

        Args:
            x: images, uint8 or float in [0, 1], `(n, *image_shape)`.
        """
        return ops.convert_to_numpy(self.join(*self.encode(x)))

    def inverse_transform(self, points):
        """Images of points `(n, z_dim)`, an array `(n, *image_shape)` in [0, 1].

        Raises:
            ValueError: if the points have another width.
        """
        points = np.asarray(points, "float32")
        if points.ndim != 2 or points.shape[1] != self.z_dim:
            raise ValueError(
                f"`points` must have the shape (n, {self.z_dim}). Received shape "
                f"{points.shape}."
            )
        return self.decode_codes(points)

    # Saving

    def get_config(self):
        return {
            **self.games_config(),
            "discriminator_loss": self.discriminator_loss_name,
            "labelled": self.labelled,
            "head_distance": self.head_distance,
            "head_distance_weight": self.head_distance_weight,
            **self.smoothness_config(),
        }
