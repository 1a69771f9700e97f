"""Recipes of the clustering AAE."""

import dataclasses

from keras_saae import checks
from keras_saae.models import ClusteringAAE
from keras_saae.priors import Categorical, Gaussian
from keras_saae.recipes.adversarial import (
    AdversarialRecipe,
    TwoGamesRecipe,
    adam_optimizers,
    paper_optimizers,
)
from keras_saae.recipes.recipe import adam


@dataclasses.dataclass(frozen=True)
class ClusteringAAERecipe(TwoGamesRecipe, AdversarialRecipe):
    """Settings of a `ClusteringAAE` and its training; the defaults are the paper's.

    Attributes: those of `TwoGamesRecipe` and `AdversarialRecipe`, and
        num_clusters: number of heads, K.
    """

    num_clusters: int = 16
    z_dim: int = 5
    optimizers: dict = dataclasses.field(default_factory=paper_optimizers)

    def dataset(self, x, y=None, num_classes=None, seed=0):
        """The `UnlabelledDataset` of images `x`; labels are not looked at."""
        del y, num_classes
        return self.unlabelled_dataset(x, seed)

    def build(self, image_shape, num_classes=None, seed=0, **parts):
        del num_classes  # not known to whoever has no labels
        heads = checks.check_count(self.num_clusters, "num_clusters", minimum=2)
        own = {
            **self.networks(
                image_shape,
                heads + self.z_dim,
                {"discriminator_z": self.z_dim, "discriminator_y": heads},
                seed,
            ),
            "prior_z": Gaussian(self.z_dim),
            "prior_y": Categorical(heads),
        }
        return ClusteringAAE(**self._arguments(ClusteringAAE, own, parts))


PAPER = ClusteringAAERecipe(
    name="paper_clustering",
    source=(
        "Makhzani et al., arXiv:1511.05644, section 6 and appendix A.3; that the 20 % "
        "dropout is on the pixels is reported."
    ),
    hidden=(3000, 3000),
    discriminator_hidden=(3000, 3000),
    encoder_batch_normalization=True,
    head_batch_normalization=True,
    input_dropout=0.2,
    drop_epochs=(50,),
    updates=900_000,
)

# The smoothness leads and the game follows: it decides how many clusters there are and
# that they are sure of themselves, not where they lie.
OPTIMIZERS = {
    **adam_optimizers(adversarial=1e-3, autoencoder=5e-4),
    "generator": adam(1e-4, beta_1=0.1),
    "smoothness": adam(2e-3),
}

CLUSTERING = dataclasses.replace(
    PAPER,
    name="clustering",
    source=(
        "Ours: Adam, a demand on the clusters' shares, invariance to small changes and "
        "along a direction found from afar, 10 heads. Chosen on validation images of "
        "MNIST; docs/experiments.md."
    ),
    num_clusters=10,
    hidden=(500, 500),
    discriminator_hidden=(200, 200),
    kernel_initializer="he_normal",
    augmentation={"rotation": 10.0, "scale": 0.1, "shift": 0.07, "shear": 0.3},
    head_batch_normalization=False,
    reconstruction_trains_y=False,
    decoder_batch_normalization=True,
    input_dropout=0.0,
    input_noise=0.2,
    discriminator_noise=0.3,
    reconstruction_loss="squared_error_sum",
    vat_weight=1.0,
    vat_radius=1.5,
    vat_probe=10.0,
    warm_up=500,
    shares_weight=0.4,
    averaging=0.999,
    optimizers=OPTIMIZERS,
    drop_epochs=None,
    decay_from=0.5,
    batch_size=250,
    updates=4_000,
)

# Heads to spare: a class that has several need not give one up to another class, so the
# game may be faster, and equal shares are asked for less.
CLUSTERING_MANY = dataclasses.replace(
    CLUSTERING,
    name="clustering_many",
    source=(
        "Ours: clustering with more heads than classes, 30. Chosen on validation "
        "images of MNIST; docs/experiments.md."
    ),
    num_clusters=30,
    shares_weight=0.1,
    optimizers={**OPTIMIZERS, "generator": adam(2e-4, beta_1=0.1)},
)

CLUSTERING_SMALL = dataclasses.replace(
    CLUSTERING,
    name="clustering_small",
    source="Ours, for a few thousand small images such as the digits.",
    hidden=(300, 300),
    discriminator_hidden=(100, 100),
    augmentation=None,
    reconstruction_trains_y=True,
    generator_y_weight=10.0,
    vat_weight=4.0,
    vat_radius=1.5,
    vat_probe=None,
    shares_weight=0.0,
    optimizers=adam_optimizers("smoothness", adversarial=1e-3, autoencoder=5e-4),
    averaging=0.99,
    batch_size=100,
    updates=1_500,
)

CLUSTERING_MANY_SMALL = dataclasses.replace(
    CLUSTERING_SMALL,
    name="clustering_many_small",
    source=CLUSTERING_SMALL.source.replace("Ours,", "Ours, 30 heads,"),
    num_clusters=CLUSTERING_MANY.num_clusters,
)

RECIPES = (
    PAPER,
    CLUSTERING,
    CLUSTERING_MANY,
    CLUSTERING_SMALL,
    CLUSTERING_MANY_SMALL,
)
