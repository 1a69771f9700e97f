"""Recipes of the Gaussian-mixture VAE."""

import dataclasses

from keras_saae.models import GaussianMixtureVAE
from keras_saae.priors import ClassGaussians
from keras_saae.recipes.recipe import adam
from keras_saae.recipes.variational import VariationalRecipe


@dataclasses.dataclass(frozen=True)
class GaussianMixtureVAERecipe(VariationalRecipe):
    """Settings of a `GaussianMixtureVAE` and its training.

    Attributes: those of `VariationalRecipe`, where
        z_dim: width of z, at least the number of classes; it if not given; and
        distance: of the Gaussians, see `priors.ClassGaussians`.
        reconstruction_loss, divergence_weight, labelled_divergence_weight, vat_weight,
        vat_radius: see `GaussianMixtureVAE`.
    """

    z_dim: int | None = None
    distance: float = 8.0
    reconstruction_loss: str = "half_squared_error_sum"
    divergence_weight: float = 1.0
    labelled_divergence_weight: float = 1.0
    vat_weight: float = 0.0
    vat_radius: float = 1.0
    optimizers: dict = dataclasses.field(default_factory=lambda: {"bound": adam(1e-3)})

    def build(self, image_shape, num_classes, seed=0, **parts):
        prior = parts.pop("prior", None) or ClassGaussians(
            num_classes, self.z_dim, self.distance
        )
        own = {
            "encoder": self.encoder(image_shape, 10_000 * seed + 1_000),
            "decoder": self.decoder(image_shape, prior.width, 10_000 * seed + 2_000),
            "prior": prior,
            "num_classes": num_classes,
            "head_initializer": self.kernel_initializer,
            "seed": 10_000 * seed,
        }
        return GaussianMixtureVAE(**self._arguments(GaussianMixtureVAE, own, parts))


PAPER = GaussianMixtureVAERecipe(
    name="paper_mixture_vae",
    source=(
        "Ghosh et al., arXiv:1806.00081: four convolutions, two dense layers, 10 "
        "latents on MNIST. We had no more of its settings: the rest is ours, and the "
        "decoder has a dense layer more, to its first feature map."
    ),
    hidden=(256, 128),
    filters=(32, 32, 64, 64),
    strides=(1, 2, 1, 2),
    kernel_size=3,
    activation="relu",
    kernel_initializer="he_normal",
    decay_from=0.5,
    labelled_batch_size=100,
    updates=30_000,
)

MIXTURE = dataclasses.replace(
    PAPER,
    name="mixture_vae",
    source=(
        "Ours: fewer filters that halve the images at once, batch normalization, "
        "noise, images turned, scaled and shifted, virtual adversarial training."
    ),
    filters=(16, 32, 32, 64),
    strides=(2, 1, 2, 1),
    batch_normalization=True,
    augmentation={"rotation": 10.0, "scale": 0.1, "shift": 0.07},
    input_noise=0.2,
    vat_weight=1.0,
    vat_radius=1.5,
    updates=4_000,
)

MIXTURE_SMALL = dataclasses.replace(
    MIXTURE,
    name="mixture_vae_small",
    source=(
        "Ours, for a few thousand small images, chosen on validation images of the "
        "digits, one label draw."
    ),
    hidden=(128, 64),
    filters=(8, 8, 16, 16),
    strides=PAPER.strides,
    augmentation=None,
    vat_radius=1.0,
    updates=500,
)

RECIPES = (PAPER, MIXTURE, MIXTURE_SMALL)
