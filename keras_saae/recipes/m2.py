"""Recipes of M2, the variational autoencoder of class and style."""

import dataclasses

from keras_saae.models import M2
from keras_saae.networks import with_linear_head
from keras_saae.priors import Categorical
from keras_saae.recipes.m1 import M1_AUGMENTED
from keras_saae.recipes.recipe import adam
from keras_saae.recipes.variational import (
    NORMAL_0001,
    NetworksRecipe,
    VariationalRecipe,
)


@dataclasses.dataclass(frozen=True)
class ClassAndStyleRecipe(NetworksRecipe):
    """What `M2` has in common with M2 on the codes of M1.

    Attributes: those of `NetworksRecipe`, where
        hidden: those of decoder and classifier; and
        z_dim: width of the style code z.
        input_noise: standard deviation on what the networks see, in its unit.
        trunk_hidden: units of the encoder's hidden layers before y joins.
        head_hidden, unlabelled, classification_weight, consistency_weight: see `M2`.
        labelled_weight: see `M2`; the share of labelled images, N_l / N, if not given.
    """

    z_dim: int = 50
    input_noise: float = 0.0
    trunk_hidden: tuple = ()
    head_hidden: tuple = (500,)
    unlabelled: str = "enumerated"
    labelled_weight: float | None = None
    classification_weight: float = 0.1
    consistency_weight: float = 0.0
    optimizers: dict = dataclasses.field(default_factory=lambda: {"bound": adam(3e-4)})

    def model(self, dataset, epochs=None, seed=0, **parts):
        if self.labelled_weight is None:
            share = dataset.num_labelled / dataset.num_images
            parts = {"labelled_weight": share, **parts}
        return super().model(dataset, epochs, seed, **parts)

    def _labelled_weight(self):
        """The recipe's, or 1 where it is the share that `model` looks up."""
        return 1.0 if self.labelled_weight is None else self.labelled_weight


@dataclasses.dataclass(frozen=True)
class M2Recipe(ClassAndStyleRecipe, VariationalRecipe):
    """Settings of an `M2` and its training.

    Attributes: those of `VariationalRecipe` and `ClassAndStyleRecipe`, and
        likelihood, averaging: see `M2`.
    """

    likelihood: str = "bernoulli"
    averaging: float | None = None

    def build(self, image_shape, num_classes, seed=0, **parts):
        seed = 10_000 * seed
        own = {
            "encoder": self.encoder(image_shape, seed + 1_000, self.trunk_hidden),
            "classifier": with_linear_head(
                self.encoder(image_shape, seed + 2_000),
                num_classes,
                "classifier",
                self.kernel_initializer,
                seed + 2_100,
            ),
            "decoder": self.decoder(
                image_shape, num_classes + self.z_dim, seed + 3_000
            ),
            "prior_y": Categorical(num_classes),
            "labelled_weight": self._labelled_weight(),
            "head_activation": self.activation,
            "head_initializer": self.kernel_initializer,
            "seed": seed,
        }
        return M2(**self._arguments(M2, own, parts))


PAPER = M2Recipe(
    name="paper_m2",
    source=(
        "Kingma et al., arXiv:1406.5298, section 4: one layer of 500 softplus units, "
        "50 latents, alpha 0.1, weights N(0, 0.001^2), rate 3e-4; length and batch "
        "sizes are ours."
    ),
    hidden=(500,),
    kernel_initializer=dict(NORMAL_0001),
    updates=300_000,
)

M2_OURS = dataclasses.replace(
    PAPER,
    name="m2",
    source=(
        "Ours, chosen on validation images of MNIST, 100 labels, one label draw: "
        "labels count as much as N in alpha N does, batch normalization, noise, an "
        "average of the weights. A style of 5 dimensions leaves the class to y: with "
        "50, the error is twice that."
    ),
    hidden=(500, 500),
    activation="relu",
    kernel_initializer="he_normal",
    batch_normalization=True,
    z_dim=5,
    input_noise=0.4,
    labelled_weight=1.0,
    classification_weight=100.0,
    averaging=0.999,
    optimizers={"bound": adam(1e-3)},
    decay_from=0.5,
    updates=6_000,
)

M2_LONG = dataclasses.replace(
    M2_OURS,
    name="m2_long",
    source=(
        "Ours, for a thousand labels: m2, twice as long. Chosen on validation images "
        "of MNIST, 1,000 labels, one label draw."
    ),
    updates=12_000,
)

M2_AUGMENTED = dataclasses.replace(
    M2_OURS,
    name="m2_augmented",
    source=(
        "Ours: m2 of images that are turned, scaled and shifted a little, and a class "
        "that stays when an image is. Tried on validation images of MNIST, 1,000 "
        "labels, one label draw."
    ),
    augmentation=dict(M1_AUGMENTED.augmentation),
    consistency_weight=10.0,
)

M2_SMALL = dataclasses.replace(
    M2_OURS,
    name="m2_small",
    source="Ours, for a few thousand small images such as the digits.",
    hidden=(200, 200),
    head_hidden=(200,),
    input_noise=0.1,
    classification_weight=60.0,
    averaging=0.99,
    updates=2_000,
)

RECIPES = (PAPER, M2_OURS, M2_LONG, M2_AUGMENTED, M2_SMALL)
