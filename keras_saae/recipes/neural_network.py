"""Recipes of the baselines: the labels alone, and virtual adversarial training."""

import dataclasses

from keras_saae.models import NeuralNetwork
from keras_saae.networks import mlp_encoder
from keras_saae.recipes.recipe import Recipe, adam
from keras_saae.recipes.semi_supervised_aae import DEFAULT, DEFAULT_SMALL


@dataclasses.dataclass(frozen=True)
class NeuralNetworkRecipe(Recipe):
    """Settings of a `NeuralNetwork` and its training.

    Attributes: those of `Recipe`, and
        hidden: units of the hidden layers.
        activation: of all hidden layers.
        kernel_initializer: of all weights, the head included.
        batch_normalization: whether it is used.
        dropout: share of hidden units dropped.
        head_batch_normalization, input_noise, vat_weight, vat_radius, vat_probe,
        averaging: see `NeuralNetwork`.
    """

    optimizers: dict = dataclasses.field(
        default_factory=lambda: {"classification": adam(1e-3)}
    )
    decay_from: float | None = 0.5
    hidden: tuple = DEFAULT.hidden
    activation: str = "relu"
    kernel_initializer: str | dict = "he_normal"
    batch_normalization: bool = True
    head_batch_normalization: bool = False
    dropout: float = 0.0
    input_noise: float = 0.5
    vat_weight: float = 0.0
    vat_radius: float = 1.0
    vat_probe: float | None = None
    averaging: float | None = 0.99
    passes: int = 10

    def build(self, image_shape, num_classes, seed=0, **parts):
        own = {
            "encoder": mlp_encoder(
                image_shape,
                hidden=self.hidden,
                activation=self.activation,
                kernel_initializer=self.kernel_initializer,
                batch_normalization=self.batch_normalization,
                dropout=self.dropout,
                seed=10_000 * seed + 1_000,
            ),
            "num_classes": num_classes,
            "head_initializer": self.kernel_initializer,
            "seed": 10_000 * seed,
        }
        return NeuralNetwork(**self._arguments(NeuralNetwork, own, parts))


LABELS_ONLY = NeuralNetworkRecipe(
    name="labels_only",
    source=(
        "Ours, the encoder of `default`; the rest chosen on validation images with "
        "label draws 100 to 103 of MNIST, when that encoder had two layers of 500."
    ),
)

NN = dataclasses.replace(
    LABELS_ONLY,
    name="nn",
    source=(
        "The network of Makhzani et al., arXiv:1511.05644, table 2, row NN: two layers "
        "of 1000 units. The paper says no more of it; the rest is that of labels_only."
    ),
    hidden=(1000, 1000),
)

VAT = dataclasses.replace(
    LABELS_ONLY,
    name="vat",
    source=(
        "Ours: virtual adversarial training with the encoder of `default`. The scores "
        "are normalized, without which all images end in one class. Chosen on "
        "validation images with label draw 100 of MNIST; far from the published error."
    ),
    head_batch_normalization=True,
    input_noise=0.2,
    vat_weight=1.0,
    vat_radius=0.3,
    averaging=0.999,
    batch_size=250,
    updates=4_800,
)

VAT_SMALL = dataclasses.replace(
    VAT,
    name="vat_small",
    source="Ours: vat with the networks of default_small, for a few thousand images.",
    hidden=DEFAULT_SMALL.hidden,
    head_batch_normalization=False,
    input_noise=DEFAULT_SMALL.input_noise,
    vat_radius=1.5,
    batch_size=100,
    updates=1_600,
)

RECIPES = (LABELS_ONLY, NN, VAT, VAT_SMALL)
