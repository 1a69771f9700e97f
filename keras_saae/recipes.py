"""Named settings: what to build and how to train it, each with its source.

>>> recipe = recipes.get("default")
>>> print(recipe)                      # every setting, and where it comes from
>>> dataset = recipe.dataset(x, y)     # y is -1 where there is no label
>>> model = recipe.model(dataset, epochs=20)
>>> model.fit(dataset, epochs=20, callbacks=recipe.callbacks())
"""

import dataclasses
import inspect
import math

import keras

from keras_saae import checks
from keras_saae.callbacks import LearningRateDrops
from keras_saae.data import SemiSupervisedDataset
from keras_saae.models import NeuralNetwork, SemiSupervisedAAE
from keras_saae.models.semi_supervised_aae import PHASES
from keras_saae.networks import (
    RandomAffine,
    mlp_decoder,
    mlp_discriminator,
    mlp_encoder,
)
from keras_saae.optimizers import ConstantThenLinear, PhaseOptimizers
from keras_saae.priors import Categorical, Gaussian

NORMAL_001 = {"class_name": "RandomNormal", "config": {"stddev": 0.01}}


@dataclasses.dataclass(frozen=True)
class Recipe:
    """Settings of a `SemiSupervisedAAE` and its training; the defaults are the paper's.

    Attributes:
        name: what to ask `get` for.
        source: where the values come from.
        hidden: units of the hidden layers of encoder and decoder.
        discriminator_z_hidden, discriminator_y_hidden: the same of the discriminators.
        activation: of all hidden layers.
        z_dim: width of the style code.
        kernel_initializer: of all weights, heads included.
        encoder_batch_normalization, head_batch_normalization,
        decoder_batch_normalization, discriminator_batch_normalization: where
            batch normalization is used.
        dropout: share of hidden units dropped in encoder and decoder.
        input_noise: standard deviation on the images, in pixel units.
        augmentation: arguments of `networks.RandomAffine`, or None for no augmentation.
        noisy_phases: phases that see the noise.
        discriminator_noise: standard deviation on the discriminators' input.
        reconstruction_loss, generator_loss, labelled_reconstruction,
        labelled_adversarial, vat_weight, vat_radius, style_consistency_weight,
        labelled_style_weight, style_scale, warm_up, averaging: see `SemiSupervisedAAE`.
        optimizers: by phase, a dict with the `class_name` of a Keras optimizer and its
            arguments.
        drop_epochs: epochs at which all rates drop to a tenth.
        drop_updates: updates at which they do, instead.
        decay_from: share of the run after which all rates fall linearly to zero,
            instead.
        batch_size, labelled_batch_size: images per step.
        updates: length of the whole run, in updates.
    """

    name: str
    source: str
    hidden: tuple = (1000, 1000)
    discriminator_z_hidden: tuple = (1000, 1000)
    discriminator_y_hidden: tuple = (1000, 1000)
    activation: str = "relu"
    z_dim: int = 10
    kernel_initializer: str | dict = dataclasses.field(
        default_factory=lambda: dict(NORMAL_001)
    )
    encoder_batch_normalization: bool = False
    head_batch_normalization: bool = False
    decoder_batch_normalization: bool = False
    discriminator_batch_normalization: bool = False
    dropout: float = 0.0
    input_noise: float = 0.3
    augmentation: dict | None = None
    noisy_phases: tuple = PHASES
    discriminator_noise: float = 0.0
    reconstruction_loss: str = "half_squared_error_sum"
    generator_loss: str = "non_saturating"
    labelled_reconstruction: str | None = None
    labelled_adversarial: bool = False
    vat_weight: float = 0.0
    vat_radius: float = 1.0
    style_consistency_weight: float = 0.0
    labelled_style_weight: float = 0.0
    style_scale: float = 1.0
    warm_up: int = 0
    averaging: float | None = None
    optimizers: dict = dataclasses.field(
        default_factory=lambda: {
            "reconstruction": _sgd(0.01, momentum=0.9),
            "discriminator": _sgd(0.1, momentum=0.1),
            "generator": _sgd(0.1, momentum=0.1),
            "classification": _sgd(0.1, momentum=0.9),
        }
    )
    drop_epochs: tuple | None = (50, 1000)
    drop_updates: tuple | None = None
    decay_from: float | None = None
    batch_size: int = 100
    labelled_batch_size: int = 100
    updates: int = 3_000_000

    def dataset(self, x, y, num_classes=None, seed=0):
        """The `SemiSupervisedDataset` of images `x` and labels `y` (-1 for none)."""
        return SemiSupervisedDataset(
            x,
            y,
            batch_size=self.batch_size,
            labelled_batch_size=self.labelled_batch_size,
            num_classes=num_classes,
            seed=seed,
        )

    def epochs(self, dataset):
        """Epochs of the whole run on `dataset`."""
        return math.ceil(self.updates / len(dataset))

    def model(self, dataset, epochs=None, seed=0, **parts):
        """The compiled model for the images, classes and length of a run.

        Args:
            dataset: the `SemiSupervisedDataset` to train on.
            epochs: length of the run, for learning rates that fall over all of it;
                `self.epochs(dataset)` if not given.
            seed: seeds weights, noise and priors.
            **parts: arguments of `SemiSupervisedAAE` in the place of the recipe's,
                such as `encoder` and `decoder` of your own, or `prior_y` where classes
                are not balanced. Change the recipe's own settings, such as `z_dim`,
                with `dataclasses.replace`.

        Raises:
            TypeError: if a part is no argument of `SemiSupervisedAAE`.

        Warns:
            UserWarning: of learning-rate drops that the run never reaches.
        """
        image_shape = dataset[0]["x"].shape[1:]
        model = self.build(image_shape, dataset.num_classes, seed, **parts)
        epochs = epochs or self.epochs(dataset)
        milestones = self.drop_epochs or [
            count // len(dataset) for count in self.drop_updates or ()
        ]
        dataset.warn_if_unreachable(milestones, epochs)
        model.compile(optimizer=self.phase_optimizers(dataset.updates(epochs)))
        return model

    def build(self, image_shape, num_classes, seed=0, **parts):
        """The model, not yet compiled.

        Args:
            image_shape: shape of one image, such as `(28, 28)`.
            num_classes: number of classes.
            seed: seeds weights, noise and priors.
            **parts: as of `model`.
        """
        known = inspect.signature(SemiSupervisedAAE).parameters
        unknown = sorted(set(parts) - set(known) - {"name", "dtype"})
        if unknown:
            raise TypeError(
                f"SemiSupervisedAAE has no argument {', '.join(unknown)}. Settings of "
                "the recipe are changed with dataclasses.replace(recipe, ...)."
            )

        def network(make, *arguments, hidden, batch_normalization, index, **extra):
            return make(
                *arguments,
                hidden=hidden,
                activation=self.activation,
                kernel_initializer=self.kernel_initializer,
                batch_normalization=batch_normalization,
                seed=10_000 * seed + 1_000 * index,
                **extra,
            )

        augmentation = (
            None if self.augmentation is None else RandomAffine(**self.augmentation)
        )
        own = {
            "encoder": network(
                mlp_encoder,
                image_shape,
                hidden=self.hidden,
                batch_normalization=self.encoder_batch_normalization,
                dropout=self.dropout,
                index=1,
            ),
            "decoder": network(
                mlp_decoder,
                image_shape,
                num_classes + self.z_dim,
                hidden=self.hidden[::-1],
                batch_normalization=self.decoder_batch_normalization,
                dropout=self.dropout,
                index=2,
            ),
            "discriminator_z": network(
                mlp_discriminator,
                self.z_dim,
                "discriminator_z",
                hidden=self.discriminator_z_hidden,
                batch_normalization=self.discriminator_batch_normalization,
                input_noise=self.discriminator_noise,
                index=3,
            ),
            "discriminator_y": network(
                mlp_discriminator,
                num_classes,
                "discriminator_y",
                hidden=self.discriminator_y_hidden,
                batch_normalization=self.discriminator_batch_normalization,
                input_noise=self.discriminator_noise,
                index=4,
            ),
            "prior_z": Gaussian(self.z_dim),
            "prior_y": Categorical(num_classes),
            "head_initializer": self.kernel_initializer,
            "augmentation": augmentation,
            "seed": 10_000 * seed,
            "dtype": keras.config.dtype_policy().name,
        }
        for field in dataclasses.fields(self):  # the settings of the same name
            if field.name in known:
                own.setdefault(field.name, getattr(self, field.name))
        return SemiSupervisedAAE(**{**own, **parts})

    def phase_optimizers(self, updates):
        """The optimizers of all phases, for a run of that many updates."""
        return PhaseOptimizers(
            {
                phase: _optimizer(settings, updates, self.decay_from)
                for phase, settings in self.optimizers.items()
            }
        )

    def callbacks(self):
        """The callbacks that the schedule needs."""
        if self.drop_epochs or self.drop_updates:
            return [LearningRateDrops(self.drop_epochs, self.drop_updates)]
        return []

    def settings(self):
        """All settings as plain data, as `results.json` keeps them."""
        return dataclasses.asdict(self)

    def __str__(self):
        return _describe(self)


@dataclasses.dataclass(frozen=True)
class LabelsOnlyRecipe:
    """Settings of a `NeuralNetwork` trained on the labelled images alone.

    Attributes: as of `Recipe`, as far as they apply; the run has at least `updates`
    updates and at least `passes` passes over the labelled images.
    """

    name: str
    source: str
    hidden: tuple = (500, 500)
    activation: str = "relu"
    kernel_initializer: str = "he_normal"
    batch_normalization: bool = True
    dropout: float = 0.0
    input_noise: float = 0.5
    averaging: float | None = 0.99
    optimizer: dict = dataclasses.field(default_factory=lambda: _adam(1e-3))
    decay_from: float | None = 0.5
    labelled_batch_size: int = 100
    updates: int = 1_000
    passes: int = 10

    def fit(self, x, y, num_classes, seed=0):
        """Trains on labelled images and returns the model.

        Args:
            x: labelled images.
            y: their class labels.
            num_classes: number of classes.
            seed: seeds weights, noise and batches.
        """
        passes = math.ceil(self.passes * len(x) / self.labelled_batch_size)
        updates = max(self.updates, passes)
        dataset = SemiSupervisedDataset(
            x,
            y,
            # `x` alone is not used here: its batch only sets the steps of an epoch.
            batch_size=math.ceil(len(x) / updates),
            labelled_batch_size=self.labelled_batch_size,
            num_classes=num_classes,
            seed=seed,
        )
        epochs = math.ceil(updates / len(dataset))
        encoder = mlp_encoder(
            x.shape[1:],
            hidden=self.hidden,
            activation=self.activation,
            kernel_initializer=self.kernel_initializer,
            batch_normalization=self.batch_normalization,
            dropout=self.dropout,
            seed=10_000 * seed + 1_000,
        )
        model = NeuralNetwork(
            encoder,
            num_classes,
            head_initializer=self.kernel_initializer,
            input_noise=self.input_noise,
            averaging=self.averaging,
            seed=10_000 * seed,
            dtype=keras.config.dtype_policy().name,
        )
        optimizer = _optimizer(self.optimizer, dataset.updates(epochs), self.decay_from)
        model.compile(optimizer={"classification": optimizer})
        model.fit(dataset, epochs=epochs, verbose=0)
        return model

    def settings(self):
        """All settings as plain data."""
        return dataclasses.asdict(self)

    def __str__(self):
        return _describe(self)


def get(name):
    """The recipe of that name.

    Args:
        name: "paper", "adamw", "default", or "default_small" for a few thousand
            small images such as the digits.

    Raises:
        ValueError: if there is none of that name.
    """
    checks.check_choice("recipe", name, tuple(RECIPES))
    return RECIPES[name]


def _sgd(learning_rate, momentum):
    return {
        "class_name": "SGD",
        "learning_rate": learning_rate,
        "momentum": momentum,
    }


def _adam(learning_rate, **arguments):
    return {"class_name": "Adam", "learning_rate": learning_rate, **arguments}


def _optimizer(settings, updates, decay_from):
    settings = dict(settings)
    class_name = settings.pop("class_name")
    if decay_from is not None:
        settings["learning_rate"] = ConstantThenLinear(
            settings["learning_rate"], updates, decay_from
        )
    return getattr(keras.optimizers, class_name)(**settings)


def _describe(recipe):
    settings = recipe.settings()
    name, source = settings.pop("name"), settings.pop("source")
    width = max(len(key) for key in settings)
    lines = [f"Recipe {name!r}. {source}"]
    for key, value in settings.items():
        if key == "optimizers":
            lines += [
                f"  {f'optimizer of {phase}':{width}}  {_one_line(arguments)}"
                for phase, arguments in value.items()
            ]
        else:
            lines.append(f"  {key:{width}}  {_one_line(value)}")
    return "\n".join(lines)


def _one_line(value):
    if isinstance(value, dict):
        value = dict(value)
        name = value.pop("class_name", "")
        arguments = value.pop("config", value)
        return f"{name}({', '.join(f'{k}={v}' for k, v in arguments.items())})"
    return str(value)


PAPER = Recipe(
    name="paper",
    source="Makhzani et al., arXiv:1511.05644, section 5 and appendix A.2.1.",
)

ADAMW = dataclasses.replace(
    PAPER,
    name="adamw",
    source=(
        "The disentanglement preset of the 2025 reproduction by Latała; its epochs are "
        "20 updates, passes over 2,000 labels, so its drops are counted in updates."
    ),
    kernel_initializer="glorot_uniform",
    optimizers={
        phase: {"class_name": "AdamW", "learning_rate": 0.001} for phase in PHASES
    },
    drop_epochs=None,
    drop_updates=(1_000, 20_000),
    updates=40_000,
)

DEFAULT = Recipe(
    name="default",
    source=(
        "Ours, chosen on validation images with label draws 100 to 105 of MNIST; "
        "knows nothing of pixels being neighbours. docs/experiments.md says how."
    ),
    hidden=(500, 500),
    discriminator_z_hidden=(200, 200),
    discriminator_y_hidden=(100, 100),
    kernel_initializer="he_normal",
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
        "reconstruction": _adam(5e-4),
        "discriminator": _adam(1.5e-3, beta_1=0.1),
        "generator": _adam(1.5e-3, beta_1=0.1),
        "classification": _adam(1e-3),
    },
    drop_epochs=None,
    decay_from=0.5,
    batch_size=250,
    updates=7_200,
)

DEFAULT_SMALL = dataclasses.replace(
    DEFAULT,
    name="default_small",
    source=(
        "Ours, for a few thousand small images, chosen on validation images with "
        "label draws 100 to 103 of the digits."
    ),
    hidden=(300, 300),
    z_dim=5,
    input_noise=0.1,
    discriminator_noise=0.3,
    vat_radius=1.0,
    optimizers={
        "reconstruction": _adam(5e-4),
        "discriminator": _adam(3e-4, beta_1=0.1),
        "generator": _adam(3e-4, beta_1=0.1),
        "classification": _adam(1e-3),
    },
    batch_size=100,
    updates=2_000,
)

LABELS_ONLY = LabelsOnlyRecipe(
    name="labels_only",
    source=(
        "Ours, the encoder of `default`; chosen on validation images with label draws "
        "100 to 103 of MNIST."
    ),
)

RECIPES = {recipe.name: recipe for recipe in (PAPER, ADAMW, DEFAULT, DEFAULT_SMALL)}
