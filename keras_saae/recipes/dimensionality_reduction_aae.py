"""Recipes of dimensionality reduction."""

import dataclasses

from keras_saae import checks
from keras_saae.models import DimensionalityReductionAAE
from keras_saae.priors import Categorical, Gaussian
from keras_saae.recipes.adversarial import (
    AdversarialRecipe,
    TwoGamesRecipe,
    adam_optimizers,
    paper_optimizers,
)
from keras_saae.recipes.clustering_aae import CLUSTERING_MANY
from keras_saae.recipes.recipe import adam


@dataclasses.dataclass(frozen=True)
class DimensionalityReductionAAERecipe(TwoGamesRecipe, AdversarialRecipe):
    """Settings of a `DimensionalityReductionAAE` and its training.

    Attributes: those of `TwoGamesRecipe` and `AdversarialRecipe`, and
        num_clusters: number of heads, K, without labels.
        labelled, head_distance, head_distance_weight: see the model.
    """

    num_clusters: int = 20
    z_dim: int = 2
    labelled: bool = True
    head_distance: float = 8.0
    head_distance_weight: float = 1.0
    optimizers: dict = dataclasses.field(
        default_factory=lambda: paper_optimizers("classification")
    )

    def dataset(self, x, y=None, num_classes=None, seed=0):
        """The images in batches, with labels `y` (-1 for none) if labelled."""
        if not self.labelled:
            return self.unlabelled_dataset(x, seed)
        return super().dataset(x, y, num_classes, seed)

    def build(self, image_shape, num_classes=None, seed=0, **parts):
        heads = num_classes
        if not self.labelled:
            heads = checks.check_count(self.num_clusters, "num_clusters", minimum=2)
        own = {
            **self.networks(
                image_shape,
                self.z_dim,
                {"discriminator_z": self.z_dim, "discriminator_y": heads},
                seed,
            ),
            "prior_z": Gaussian(self.z_dim),
            "prior_y": Categorical(heads),
        }
        model = DimensionalityReductionAAE
        return model(**self._arguments(model, own, parts))


PAPER = DimensionalityReductionAAERecipe(
    name="paper_dimensionality_reduction",
    source=(
        "Makhzani et al., arXiv:1511.05644, section 7, which tells no settings: those "
        "of section 5; the distance of the heads is ours."
    ),
    input_noise=0.3,
    drop_epochs=(50, 1000),
    updates=3_000_000,
)

PAPER_UNLABELLED = dataclasses.replace(
    PAPER,
    name="paper_dimensionality_reduction_unlabelled",
    source=PAPER.source + " 20 heads, no labels.",
    labelled=False,
    optimizers=paper_optimizers(),
)

DIMENSIONALITY_REDUCTION = dataclasses.replace(
    PAPER,
    name="dimensionality_reduction",
    source=(
        "Ours: the class as of the recipe augmented of the semi-supervised AAE. Chosen "
        "on validation images with label draw 100 of MNIST."
    ),
    hidden=(500, 400, 300, 200),
    discriminator_hidden=(200, 200),
    kernel_initializer="he_normal",
    augmentation={"rotation": 10.0, "scale": 0.1, "shift": 0.07},
    encoder_batch_normalization=True,
    decoder_batch_normalization=True,
    input_noise=0.2,
    discriminator_noise=0.1,
    reconstruction_loss="squared_error_sum",
    vat_weight=1.0,
    vat_radius=1.5,
    style_consistency_weight=2.0,
    warm_up=500,
    averaging=0.999,
    optimizers={
        **adam_optimizers(adversarial=1e-3, autoencoder=5e-4),
        "classification": adam(4e-3),
    },
    drop_epochs=None,
    decay_from=0.5,
    batch_size=250,
    updates=4_000,
)

UNLABELLED = dataclasses.replace(
    DIMENSIONALITY_REDUCTION,
    name="dimensionality_reduction_unlabelled",
    source=(
        "Ours: dimensionality_reduction without labels, with 20 heads whose invariance "
        "and shares are those of the recipe clustering_many."
    ),
    labelled=False,
    hidden=CLUSTERING_MANY.hidden,
    augmentation=CLUSTERING_MANY.augmentation,
    discriminator_noise=0.3,
    reconstruction_trains_y=CLUSTERING_MANY.reconstruction_trains_y,
    vat_radius=CLUSTERING_MANY.vat_radius,
    vat_probe=CLUSTERING_MANY.vat_probe,
    style_consistency_weight=0.0,
    shares_weight=CLUSTERING_MANY.shares_weight,
    updates=CLUSTERING_MANY.updates,
    optimizers=CLUSTERING_MANY.optimizers,
)

SMALL = {
    "hidden": (300, 300),
    "discriminator_hidden": (100, 100),
    "discriminator_noise": 0.3,
    "augmentation": None,
    "style_consistency_weight": 0.0,
    "averaging": 0.99,
    "batch_size": 100,
    "updates": 1_500,
}

DIMENSIONALITY_REDUCTION_SMALL = dataclasses.replace(
    DIMENSIONALITY_REDUCTION,
    name="dimensionality_reduction_small",
    source="Ours, for a few thousand small images such as the digits.",
    optimizers=adam_optimizers("classification", adversarial=1e-3, autoencoder=5e-4),
    **SMALL,
)

UNLABELLED_SMALL = dataclasses.replace(
    UNLABELLED,
    name="dimensionality_reduction_unlabelled_small",
    source="Ours, without labels, for a few thousand small images.",
    reconstruction_trains_y=True,
    generator_y_weight=10.0,
    vat_weight=4.0,
    vat_radius=1.5,
    vat_probe=None,
    shares_weight=0.0,
    optimizers=adam_optimizers("smoothness", adversarial=1e-3, autoencoder=5e-4),
    **SMALL,
)

RECIPES = (
    PAPER,
    PAPER_UNLABELLED,
    DIMENSIONALITY_REDUCTION,
    DIMENSIONALITY_REDUCTION_SMALL,
    UNLABELLED,
    UNLABELLED_SMALL,
)
