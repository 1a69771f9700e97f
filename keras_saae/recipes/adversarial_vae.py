"""Recipes of the semi-supervised adversarial VAE, one for each of its two steps."""

import dataclasses

from keras_saae.models import (
    SemiSupervisedAdversarialVAE,
    VariationalEncoderClassifier,
)
from keras_saae.networks import with_linear_head
from keras_saae.recipes.recipe import adam
from keras_saae.recipes.variational import ImageNetworksRecipe, VariationalRecipe


@dataclasses.dataclass(frozen=True)
class VariationalEncoderClassifierRecipe(VariationalRecipe):
    """Settings of a `VariationalEncoderClassifier` and its training.

    Attributes: those of `VariationalRecipe`, and
        divergence_weight, consistency_weight: see the model.
    """

    divergence_weight: float = 1.0
    consistency_weight: float = 0.0
    optimizers: dict = dataclasses.field(
        default_factory=lambda: {"classification": adam(1e-3)}
    )

    def build(self, image_shape, num_classes, seed=0, **parts):
        own = {
            "encoder": self.encoder(image_shape, 10_000 * seed + 1_000),
            "num_classes": num_classes,
            "head_initializer": self.kernel_initializer,
            "seed": 10_000 * seed,
        }
        model = VariationalEncoderClassifier
        return model(**self._arguments(model, own, parts))


@dataclasses.dataclass(frozen=True)
class SemiSupervisedAdversarialVAERecipe(ImageNetworksRecipe):
    """Settings of a `SemiSupervisedAdversarialVAE` and its training.

    `model` and `build` need the parts `encoder` and `y_head` of a trained
    `VariationalEncoderClassifier`, which sets z_dim.

    Attributes: those of `ImageNetworksRecipe`, for the decoder and, but for batch
        normalization, the discriminator; and
        beta, gamma, discriminator_loss: see the model.
    """

    beta: float = 0.0075
    gamma: float = 0.0
    discriminator_loss: str = "cross_entropy"
    optimizers: dict = dataclasses.field(
        default_factory=lambda: {
            "discriminator": adam(2e-4, beta_1=0.5),
            "reconstruction": adam(1e-3),
        }
    )

    def dataset(self, x, y=None, num_classes=None, seed=0):
        """The `UnlabelledDataset` of images `x`; labels are not looked at."""
        del y, num_classes
        return self.unlabelled_dataset(x, seed)

    def build(self, image_shape, num_classes=None, seed=0, **parts):
        del num_classes  # the encoder's head has it
        missing = [part for part in ("encoder", "y_head") if part not in parts]
        if missing:
            raise TypeError(
                f"Recipe {self.name!r} is the second step: pass encoder=first.encoder "
                "and y_head=first.y_head of a trained VariationalEncoderClassifier. "
                f"Missing: {', '.join(missing)}."
            )
        seed, z_dim = 10_000 * seed, parts["encoder"].z_dim
        plain = dataclasses.replace(self, batch_normalization=False)
        own = {
            "decoder": self.decoder(image_shape, z_dim, seed + 2_000),
            "discriminator": with_linear_head(
                plain.encoder(image_shape, seed + 3_000),
                1,
                "discriminator",
                self.kernel_initializer,
                seed + 3_100,
            ),
            "seed": seed,
        }
        model = SemiSupervisedAdversarialVAE
        return model(**self._arguments(model, own, parts))


FIRST = VariationalEncoderClassifierRecipe(
    name="encoder_classifier",
    source=(
        "Ours, for the first step after Zemouri 2020, whose settings we had not. Small "
        "enough for a sweep on a CPU. Without batch normalization: it takes augmented "
        "images and images as they are for one population. Chosen on validation images "
        "of Fashion-MNIST and silhouettes, all labels."
    ),
    hidden=(128,),
    filters=(16, 32),
    kernel_size=3,
    activation="relu",
    kernel_initializer="he_normal",
    z_dim=100,
    divergence_weight=0.001,
    # Silhouettes are black on white.
    augmentation={"rotation": 10.0, "scale": 0.1, "shift": 0.07, "fill": "edge"},
    decay_from=0.5,
    updates=3_000,
)

FIRST_SMALL = dataclasses.replace(
    FIRST,
    name="encoder_classifier_small",
    source="Ours, for a few thousand small images such as the digits.",
    z_dim=10,
    augmentation={"rotation": 5.0, "scale": 0.05, "shift": 0.0},
    updates=1_000,
)

SECOND = SemiSupervisedAdversarialVAERecipe(
    name="adversarial_vae",
    source=(
        "Ours, for the second step after Zemouri 2020; beta and gamma are those of a "
        "description, the paper's text we have not seen."
    ),
    hidden=(128,),
    filters=(16, 32),
    kernel_size=3,
    activation="relu",
    kernel_initializer="he_normal",
    batch_normalization=True,
    decay_from=0.5,
    updates=2_000,
)

SECOND_SMALL = dataclasses.replace(
    SECOND,
    name="adversarial_vae_small",
    source="Ours, for a few thousand small images such as the digits.",
    updates=1_000,
)

RECIPES = (FIRST, FIRST_SMALL, SECOND, SECOND_SMALL)
