"""Recipes of M1 + M2: M2 on the codes of a trained M1."""

import dataclasses

from keras_saae.models import StackedM2
from keras_saae.networks import mlp_encoder, with_linear_head
from keras_saae.priors import Categorical
from keras_saae.recipes.m1 import M1_AUGMENTED
from keras_saae.recipes.m2 import ClassAndStyleRecipe
from keras_saae.recipes.recipe import adam


@dataclasses.dataclass(frozen=True)
class StackedM2Recipe(ClassAndStyleRecipe):
    """Settings of a `StackedM2` and its training.

    `model` and `build` need the parts `code_encoder` and `code_decoder` of a trained
    `M1`, and should be given `kept`, its `used_dimensions`.

    Attributes: those of `ClassAndStyleRecipe`.
    """

    def build(self, image_shape, num_classes, seed=0, **parts):
        del image_shape  # M1 has it
        missing = [p for p in ("code_encoder", "code_decoder") if p not in parts]
        if missing:
            raise TypeError(
                f"Recipe {self.name!r} stacks M2 on a trained M1: pass "
                "code_encoder=m1.encoder, code_decoder=m1.decoder and "
                f"kept=m1.used_dimensions(x). Missing: {', '.join(missing)}."
            )
        kept = parts.get("kept")
        num_kept = parts["code_encoder"].z_dim if kept is None else len(kept)
        seed = 10_000 * seed

        def network(width, hidden, index):
            settings = self._settings(hidden, seed + 1_000 * index)
            return mlp_encoder((width,), **settings)

        def with_head(network, width, name, index):
            of_head = seed + 1_000 * index + 100
            return with_linear_head(
                network, width, name, self.kernel_initializer, of_head
            )

        wide = num_classes + self.z_dim
        own = {
            "encoder": network(num_kept, self.trunk_hidden, 1),
            "classifier": with_head(
                network(num_kept, self.hidden, 2), num_classes, "classifier", 2
            ),
            "decoder": with_head(
                network(wide, self.hidden, 3), 2 * num_kept, "code_given_class", 3
            ),
            "prior_y": Categorical(num_classes),
            "labelled_weight": self._labelled_weight(),
            "head_activation": self.activation,
            "head_initializer": self.kernel_initializer,
            "seed": seed,
        }
        return StackedM2(**self._arguments(StackedM2, own, parts))


PAPER = StackedM2Recipe(
    name="paper_m1_m2",
    source=(
        "Kingma et al., arXiv:1406.5298, section 4: hidden 500, 50 latents, alpha 0.1, "
        "rate 3e-4; length and batch sizes are ours, and Glorot's weights."
    ),
    hidden=(500,),
    updates=300_000,
)

STACKED = dataclasses.replace(
    PAPER,
    name="m1_m2",
    source=(
        "Ours, chosen on validation images of MNIST, 100 labels, one label draw: the "
        "bound of labelled images counts by their share, their classes as much as an "
        "unlabelled image; a falling rate."
    ),
    classification_weight=1.0,
    z_dim=10,
    optimizers={"bound": adam(3e-3)},
    decay_from=0.5,
    updates=60_000,
)

STACKED_AUGMENTED = dataclasses.replace(
    STACKED,
    name="m1_m2_augmented",
    source=(
        "Ours: on the codes of m1_augmented, with two layers of 500 ReLUs, and a class "
        "that stays when an image is augmented. Chosen on validation images of MNIST, "
        "100 and 1,000 labels, one label draw."
    ),
    hidden=(500, 500),
    activation="relu",
    kernel_initializer="he_normal",
    labelled_weight=1.0,
    classification_weight=10.0,
    updates=15_000,
    augmentation=dict(M1_AUGMENTED.augmentation),
    consistency_weight=10.0,
)

STACKED_DEEP = dataclasses.replace(
    STACKED,
    name="m1_m2_deep",
    source=(
        "Ours, for a thousand labels: on the codes of m1_normalized, with two layers "
        "of 500 ReLUs, whose classes count for more. Chosen on validation images of "
        "MNIST, 1,000 labels, one label draw; with 100 it learns these by heart."
    ),
    hidden=(500, 500),
    activation="relu",
    kernel_initializer="he_normal",
    classification_weight=10.0,
)

STACKED_SMALL = dataclasses.replace(
    STACKED,
    name="m1_m2_small",
    source="Ours, for a few thousand small images such as the digits.",
    hidden=(200,),
    head_hidden=(200,),
    labelled_weight=1.0,
    classification_weight=60.0,
    z_dim=5,
    optimizers={"bound": adam(1e-3)},
    updates=3_000,
)

RECIPES = (PAPER, STACKED, STACKED_AUGMENTED, STACKED_DEEP, STACKED_SMALL)
