"""Recipes of the AAE: the paper's likelihood run, and ours for any prior."""

import dataclasses

from keras_saae import checks
from keras_saae.models import AAE
from keras_saae.priors import Categorical, Gaussian, GaussianMixture, SwissRoll, Uniform
from keras_saae.recipes.adversarial import (
    AdversarialRecipe,
    adam_optimizers,
    paper_optimizers,
)
from keras_saae.recipes.recipe import adam

# By name, each from the width of z and the number of classes.
PRIORS = {
    "gaussian": lambda width, num_classes, **settings: Gaussian(width, **settings),
    "categorical": lambda width, num_classes, **settings: Categorical(
        width, **settings
    ),
    "uniform": lambda width, num_classes, **settings: Uniform(width, **settings),
    "mixture": lambda width, num_classes, **settings: GaussianMixture(
        num_classes, width, **settings
    ),
    "swiss_roll": lambda width, num_classes, **settings: SwissRoll(
        num_classes, width, **settings
    ),
}


def make_prior(name, width, num_classes, settings):
    """The prior of that name.

    Raises:
        ValueError: if there is none, or the settings are none of its.
    """
    checks.check_choice("prior", name, tuple(PRIORS))
    return PRIORS[name](width, num_classes, **settings)


@dataclasses.dataclass(frozen=True)
class AAERecipe(AdversarialRecipe):
    """Settings of an `AAE` and its training; the defaults are the paper's.

    Attributes: those of `AdversarialRecipe`, and
        prior: a name in `PRIORS`; give a prior of your own to `model(..., prior=...)`.
        prior_settings: arguments of the prior beside its width.
        posterior, gradient_penalty_weight: see `AAE`.
    """

    prior: str = "gaussian"
    prior_settings: dict = dataclasses.field(default_factory=dict)
    posterior: str = "deterministic"
    gradient_penalty_weight: float = 10.0
    optimizers: dict = dataclasses.field(default_factory=paper_optimizers)

    def dataset(self, x, y=None, num_classes=None, seed=0):
        """The `UnlabelledDataset` of images `x`; labels are not looked at."""
        del y, num_classes
        return self.unlabelled_dataset(x, seed)

    def build(self, image_shape, num_classes=None, seed=0, **parts):
        own = {
            **self.networks(
                image_shape, self.z_dim, {"discriminator": self.z_dim}, seed
            ),
            "prior": make_prior(
                self.prior, self.z_dim, num_classes or 10, self.prior_settings
            ),
        }
        return AAE(**self._arguments(AAE, own, parts))


PAPER = AAERecipe(
    name="paper_aae",
    source=(
        "Makhzani et al., arXiv:1511.05644, section 2 and figure 2, which show the "
        "prior and tell no settings: those of section 5, without noise."
    ),
    z_dim=2,
    prior="mixture",
    drop_epochs=(50, 1000),
    updates=3_000_000,
)

PAPER_LIKELIHOOD = AAERecipe(
    name="paper_likelihood",
    source=(
        "Makhzani et al., arXiv:1511.05644, section 3 and appendix A.1; when the rates "
        "drop is taken from section 5."
    ),
    z_dim=8,
    prior_settings={"stddev": 5.0},
    drop_epochs=(50, 1000),
    updates=3_000_000,
)

AAE_2D = AAERecipe(
    name="aae",
    source="Ours, for a prior in the plane: the paper tells no settings of figure 2.",
    hidden=(500, 500),
    discriminator_hidden=(500, 500),
    z_dim=2,
    prior="mixture",
    kernel_initializer="he_normal",
    encoder_batch_normalization=True,
    decoder_batch_normalization=True,
    reconstruction_loss="squared_error_sum",
    optimizers=adam_optimizers(adversarial=5e-4, autoencoder=5e-4),
    decay_from=0.5,
    batch_size=250,
    updates=12_000,
)

AAE_SMALL = dataclasses.replace(
    AAE_2D,
    name="aae_small",
    source="Ours, for a few thousand small images such as the digits.",
    hidden=(300, 300),
    discriminator_hidden=(200, 200),
    batch_size=100,
    updates=3_000,
)

LIKELIHOOD = dataclasses.replace(
    AAE_2D,
    name="likelihood",
    source=(
        "Ours, for samples that lie near images: six dimensions, a wide prior as in "
        "the paper's section 3, a discriminator that keeps up to the end. Chosen on "
        "validation images of MNIST; docs/experiments.md."
    ),
    hidden=(1000, 1000),
    z_dim=6,
    prior="gaussian",
    prior_settings={"stddev": 5.0},
    optimizers={
        "reconstruction": adam(2e-3),
        "discriminator": adam(1e-3, beta_1=0.1, constant=True),
        "generator": adam(1e-3, beta_1=0.1),
    },
)

LIKELIHOOD_SMALL = dataclasses.replace(
    AAE_SMALL,
    name="likelihood_small",
    source="Ours, for a few thousand small images: a code of eight dimensions.",
    prior="gaussian",
    z_dim=8,
)

RECIPES = (
    PAPER,
    PAPER_LIKELIHOOD,
    AAE_2D,
    AAE_SMALL,
    LIKELIHOOD,
    LIKELIHOOD_SMALL,
)
