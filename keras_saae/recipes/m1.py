"""Recipes of M1, the variational autoencoder under any classifier."""

import dataclasses

from keras_saae.models import M1
from keras_saae.recipes.recipe import adam
from keras_saae.recipes.variational import NORMAL_0001, VariationalRecipe


@dataclasses.dataclass(frozen=True)
class M1Recipe(VariationalRecipe):
    """Settings of an `M1` and its training.

    Attributes: those of `VariationalRecipe`, and
        likelihood: see `M1`.
    """

    likelihood: str = "bernoulli"
    optimizers: dict = dataclasses.field(default_factory=lambda: {"bound": adam(3e-4)})

    def dataset(self, x, y=None, num_classes=None, seed=0):
        """The `UnlabelledDataset` of images `x`; labels are not looked at."""
        del y, num_classes
        return self.unlabelled_dataset(x, seed)

    def build(self, image_shape, num_classes=None, seed=0, **parts):
        del num_classes  # not known to whoever has no labels
        own = {
            "encoder": self.encoder(image_shape, 10_000 * seed + 1_000),
            "decoder": self.decoder(image_shape, self.z_dim, 10_000 * seed + 2_000),
            "head_initializer": self.kernel_initializer,
            "seed": 10_000 * seed,
        }
        return M1(**self._arguments(M1, own, parts))


PAPER = M1Recipe(
    name="paper_m1",
    source=(
        "Kingma et al., arXiv:1406.5298, section 4: 600-600 softplus, 50 latents, "
        "weights N(0, 0.001^2), rate 3e-4; length and batch size are ours."
    ),
    hidden=(600, 600),
    kernel_initializer=dict(NORMAL_0001),
    updates=300_000,
)

M1_OURS = dataclasses.replace(
    PAPER,
    name="m1",
    source="Ours: the paper's networks with Glorot's weights, a falling rate.",
    kernel_initializer="glorot_uniform",
    optimizers={"bound": adam(1e-3)},
    decay_from=0.5,
    updates=20_000,
)

M1_AUGMENTED = dataclasses.replace(
    M1_OURS,
    name="m1_augmented",
    source=(
        "Ours: m1 of images that are turned, scaled and shifted a little. ReLU and "
        "batch normalization make it use 24 dimensions of the code instead of 13."
    ),
    activation="relu",
    kernel_initializer="he_normal",
    batch_normalization=True,
    augmentation={"rotation": 10.0, "scale": 0.1, "shift": 0.07},
)

M1_NORMALIZED = dataclasses.replace(
    M1_AUGMENTED,
    name="m1_normalized",
    source=(
        "Ours: m1_augmented of images as they are. It uses 22 dimensions where m1 uses "
        "11, which helps M2 if there are labels enough to learn their meaning."
    ),
    augmentation=None,
)

M1_SMALL = dataclasses.replace(
    M1_OURS,
    name="m1_small",
    source="Ours, for a few thousand small images such as the digits.",
    hidden=(300, 300),
    z_dim=10,
    updates=3_000,
)

RECIPES = (PAPER, M1_OURS, M1_AUGMENTED, M1_NORMALIZED, M1_SMALL)
