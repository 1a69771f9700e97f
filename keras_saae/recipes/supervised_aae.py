"""Recipes of the supervised AAE."""

import dataclasses

from keras_saae.models import SupervisedAAE
from keras_saae.priors import Gaussian
from keras_saae.recipes.adversarial import (
    AdversarialRecipe,
    adam_optimizers,
    paper_optimizers,
)
from keras_saae.recipes.recipe import adam


@dataclasses.dataclass(frozen=True)
class SupervisedAAERecipe(AdversarialRecipe):
    """Settings of a `SupervisedAAE` and its training.

    Attributes: those of `AdversarialRecipe`, where z_dim is the width of the style, and
        style_given_class: see `SupervisedAAE`.
    """

    z_dim: int = 15
    style_given_class: bool = False
    optimizers: dict = dataclasses.field(default_factory=paper_optimizers)

    def build(self, image_shape, num_classes, seed=0, **parts):
        beside = num_classes if self.style_given_class else 0
        own = {
            **self.networks(
                image_shape,
                num_classes + self.z_dim,
                {"discriminator": self.z_dim + beside},
                seed,
            ),
            "prior": Gaussian(self.z_dim),
            "num_classes": num_classes,
        }
        return SupervisedAAE(**self._arguments(SupervisedAAE, own, parts))


PAPER = SupervisedAAERecipe(
    name="paper_supervised",
    source=(
        "Makhzani et al., arXiv:1511.05644, section 4, which tells the width of z "
        "alone: the rest is section 5's, without noise."
    ),
    drop_epochs=(50, 1000),
    updates=3_000_000,
)

SUPERVISED = dataclasses.replace(
    PAPER,
    name="supervised",
    source=(
        "Ours: a style of six dimensions, which follows its prior in every class, and "
        "a discriminator whose rate stays. Chosen on validation images of MNIST; "
        "docs/experiments.md."
    ),
    z_dim=6,
    style_given_class=True,
    hidden=(500, 500),
    discriminator_hidden=(200, 200),
    kernel_initializer="he_normal",
    encoder_batch_normalization=True,
    decoder_batch_normalization=True,
    dropout=0.1,
    reconstruction_loss="squared_error_sum",
    optimizers={
        "reconstruction": adam(2e-3),
        "discriminator": adam(1e-3, beta_1=0.1, constant=True),
        "generator": adam(1e-3, beta_1=0.1),
    },
    drop_epochs=None,
    decay_from=0.3,
    batch_size=250,
    labelled_batch_size=250,
    updates=8_000,
)

SUPERVISED_SMALL = dataclasses.replace(
    SUPERVISED,
    name="supervised_small",
    source=(
        "Ours, for a few thousand small images; learning rates chosen on validation "
        "images of the digits."
    ),
    hidden=(300, 300),
    z_dim=5,
    style_given_class=False,
    dropout=0.0,
    discriminator_noise=0.3,
    optimizers=adam_optimizers(adversarial=1e-3, autoencoder=1e-4),
    decay_from=0.5,
    batch_size=100,
    labelled_batch_size=100,
    updates=2_000,
)

LIKELIHOOD_IN_CLUSTERS = dataclasses.replace(
    SUPERVISED,
    name="likelihood_in_clusters",
    source=(
        "Ours, for samples that lie near images: supervised with wider layers, whose "
        "classes are clusters found before. Chosen on validation images of MNIST; "
        "docs/experiments.md."
    ),
    hidden=(1000, 1000),
    dropout=0.2,
)

LIKELIHOOD_IN_CLUSTERS_SMALL = dataclasses.replace(
    SUPERVISED_SMALL,
    name="likelihood_in_clusters_small",
    source="Ours, in clusters found before, for a few thousand small images.",
    style_given_class=True,
)

LIKELIHOOD_IMLE = dataclasses.replace(
    LIKELIHOOD_IN_CLUSTERS,
    name="likelihood_imle",
    source=(
        "Ours, for a decoder that `fit_imle` goes on with: a wider code, since that "
        "leaves unused what does not pay, a shorter game, and a decoder that turns and "
        "slants what it paints. Chosen on validation images of MNIST; "
        "docs/experiments.md."
    ),
    z_dim=8,
    dropout=0.0,
    decoder_warp=True,
    updates=4_000,
)

LIKELIHOOD_IMLE_SMALL = dataclasses.replace(
    LIKELIHOOD_IN_CLUSTERS_SMALL,
    name="likelihood_imle_small",
    source="Ours, before `fit_imle`, for a few thousand small images.",
)

RECIPES = (
    PAPER,
    SUPERVISED,
    SUPERVISED_SMALL,
    LIKELIHOOD_IN_CLUSTERS,
    LIKELIHOOD_IN_CLUSTERS_SMALL,
    LIKELIHOOD_IMLE,
    LIKELIHOOD_IMLE_SMALL,
)
