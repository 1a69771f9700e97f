"""Recipes of the label-informed AAE."""

import dataclasses

from keras_saae.models import LabelInformedAAE
from keras_saae.recipes.aae import make_prior
from keras_saae.recipes.adversarial import (
    AdversarialRecipe,
    adam_optimizers,
    paper_optimizers,
)


@dataclasses.dataclass(frozen=True)
class LabelInformedAAERecipe(AdversarialRecipe):
    """Settings of a `LabelInformedAAE` and its training.

    Attributes: those of `AdversarialRecipe`, and
        prior: "mixture" or "swiss_roll".
        prior_settings: arguments of the prior beside its width.
    """

    z_dim: int = 2
    prior: str = "mixture"
    prior_settings: dict = dataclasses.field(default_factory=dict)
    optimizers: dict = dataclasses.field(default_factory=paper_optimizers)

    def build(self, image_shape, num_classes, seed=0, **parts):
        width = self.z_dim + num_classes + 1
        own = {
            **self.networks(image_shape, self.z_dim, {"discriminator": width}, seed),
            "prior": make_prior(
                self.prior, self.z_dim, num_classes, self.prior_settings
            ),
            "num_classes": num_classes,
        }
        return LabelInformedAAE(**self._arguments(LabelInformedAAE, own, parts))


PAPER = LabelInformedAAERecipe(
    name="paper_label_informed",
    source=(
        "Makhzani et al., arXiv:1511.05644, section 2.3, which tells no settings: "
        "these are section 5's, without noise."
    ),
    drop_epochs=(50, 1000),
    updates=3_000_000,
)

LABEL_INFORMED = dataclasses.replace(
    PAPER,
    name="label_informed",
    source=(
        "Ours: many labelled images a step, a fast game, and images turned, scaled and "
        "shifted a little. Chosen on validation images of MNIST; docs/experiments.md."
    ),
    hidden=(500, 400, 300, 200),
    discriminator_hidden=(500, 500),
    kernel_initializer="he_normal",
    augmentation={"rotation": 10.0, "scale": 0.1, "shift": 0.07},
    encoder_batch_normalization=True,
    decoder_batch_normalization=True,
    input_noise=0.3,
    discriminator_noise=0.1,
    reconstruction_loss="squared_error_sum",
    optimizers=adam_optimizers(adversarial=2e-3, autoencoder=1e-4),
    drop_epochs=None,
    decay_from=0.5,
    batch_size=250,
    labelled_batch_size=1_000,
    updates=5_000,
)

LABEL_INFORMED_SMALL = dataclasses.replace(
    LABEL_INFORMED,
    name="label_informed_small",
    source=(
        "Ours, for a few thousand small images; learning rates chosen on validation "
        "images of the digits."
    ),
    hidden=(300, 300),
    discriminator_hidden=(200, 200),
    augmentation=None,
    input_noise=0.2,
    discriminator_noise=0.0,
    optimizers=adam_optimizers(adversarial=1e-3, autoencoder=1e-4),
    batch_size=100,
    labelled_batch_size=100,
    updates=2_000,
)

RECIPES = (PAPER, LABEL_INFORMED, LABEL_INFORMED_SMALL)
