"""Clustering by an adversarial autoencoder (Makhzani et al. 2015, section 6)."""

import keras

from keras_saae import checks, losses
from keras_saae.abilities import (
    EncodesClassAndStyle,
    PerturbsImages,
    PlaysTwoGames,
    SmoothClassifier,
)
from keras_saae.phases import Phase, PhasedModel


@keras.saving.register_keras_serializable("keras_saae")
class ClusteringAAE(
    PlaysTwoGames, EncodesClassAndStyle, SmoothClassifier, PerturbsImages, PhasedModel
):
    """Autoencoder whose codes are a cluster y and a style z, learnt without any label.

    - reconstruction: encoder and decoder reproduce the image from (y, z).
    - discriminator: two discriminators tell y and z of images from draws from their
      priors, Cat(K) and N(0, I).
    - generator: the encoder makes its codes pass for such draws. So y becomes one-hot,
      with all clusters in use, and z too small a code to do without y.
    - smoothness, if it has a weight: y stays when an image changes a little.

    `predict(x)` gives the probability of each cluster, a head of the encoder.

    Args:
        encoder: Keras model from images `(n, height, width[, channels])` in [0, 1]
            to features; the model adds a softmax head for y and a linear one for z.
        decoder: Keras model from codes `(n, K + z_dim)`, y beside z, to images in
            [0, 1].
        discriminator_z: Keras model from `(n, z_dim)` to one logit `(n, 1)`.
        discriminator_y: Keras model from `(n, K)` to one logit `(n, 1)`.
        prior_z: prior of the style; its draws set `z_dim`. Paper: N(0, I), 5.
        prior_y: prior of the cluster; its draws set K, at least 2. Paper: 16 and 30.
        head_initializer: initializer of the heads.
        head_batch_normalization: normalize the heads' outputs. Paper: yes.
        reconstruction_loss: a name in `losses.RECONSTRUCTION_LOSSES`, which says
            the reduction. Paper: "half_squared_error_sum".
        reconstruction_trains_y: whether the reconstruction's gradient reaches y. Where
            it does, clusters also part what explains most pixels, such as narrow fours
            and wide ones. Paper: yes.
        discriminator_loss: a name in `losses.ADVERSARIAL_LOSSES`, for both games.
        generator_y_weight: weight of y in the generator phase.
        generator_z_weight: weight of z there. Paper: 1 both.
        input_noise: standard deviation of the Gaussian noise on the images, in
            training, in pixel units.
        augmentation: what changes images and leaves their cluster alone: a serializable
            `augmentation(x, seed)`, such as `networks.RandomAffine()`. The cluster has
            to be that of the changed image too. Paper: none.
        augmentation_weight, vat_weight, vat_radius, vat_probe, warm_up,
        style_consistency_weight, style_consistency_scale: the smoothness of q(y|x), as
            of `SemiSupervisedAAE`. Paper: none.
        shares_weight: weight of the demand that a batch's images share the heads out as
            the prior does, for which no head may be empty. Formula:
            `losses.shares_loss`. Paper: none.
        mean_teacher: whether its targets come from the averaged encoder. Paper: no.
        averaging: weight of the past in the moving average of the encoder's
            weights, such as 0.999, or `None` for no average. `predict` and `encode` use
            the average.
        seed: seeds the noise, the priors and the heads.

    Raises:
        TypeError, ValueError: if the parts do not fit together, a name is unknown or a
            number out of range.

    Source: Makhzani et al., arXiv:1511.05644, section 6 and appendix A.3.
    """

    def __init__(
        self,
        encoder,
        decoder,
        discriminator_z,
        discriminator_y,
        prior_z,
        prior_y,
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

    # Phases

    def phases(self):
        phases = (self.reconstruction_phase(), *self.game_phases())
        if self.is_smoothed:
            phases += (
                Phase("smoothness", self.invariance_loss, self.classifier_variables),
            )
        return phases

    @property
    def extra_metrics(self):
        return [self.discriminator_accuracy]

    def prepare(self, batch, training):
        """Images, perturbed once for all phases of the step."""
        return {
            **self.views(batch, training, augmented=("x_labelled",)),
            "warmth": self.warmth() if training else 1.0,
        }

    def reconstruction_loss(self, batch, training):
        """Half the squared distance of x and its reconstruction (or as named)."""
        y, z = self.codes(batch, "reconstruction", training)
        return self.distance(batch["x"], y, z, training)

    # Saving

    def get_config(self):
        return {
            **self.games_config(),
            "discriminator_loss": self.discriminator_loss_name,
            **self.smoothness_config(),
        }
