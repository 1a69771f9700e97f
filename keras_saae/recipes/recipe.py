"""What every recipe has: a source, a schedule, optimizers, and its printed form."""

import copy
import dataclasses
import inspect
import math

import keras

from keras_saae.callbacks import LearningRateDrops
from keras_saae.data import SemiSupervisedDataset
from keras_saae.networks import RandomAffine
from keras_saae.optimizers import ConstantThenLinear, PhaseOptimizers


@dataclasses.dataclass(frozen=True)
class Recipe:
    """Settings of a model and its training. Each model has its own kind of recipe.

    Attributes:
        name: what to ask `recipes.get` for.
        source: where the values come from.
        optimizers: by phase, a dict with the `class_name` of a Keras optimizer and its
            arguments; `"constant": True` beside them keeps the rate where `decay_from`
            lets the others fall.
        drop_epochs: epochs at which all rates drop to a tenth.
        drop_updates: updates at which they do, instead.
        decay_from: share of the run after which all rates fall linearly to zero,
            instead.
        batch_size, labelled_batch_size: images per step.
        epoch: what an epoch is a pass over, see `SemiSupervisedDataset`.
        updates: length of the whole run, in updates.
        passes: the run is longer than that where so many passes over the labelled
            images need it.
        augmentation: arguments of `networks.RandomAffine`, or None for no augmentation.
        simultaneous: see `PhasedModel.compile`.

    Raises:
        ValueError: if more than one schedule is given.
    """

    name: str
    source: str
    optimizers: dict
    drop_epochs: tuple | None = None
    drop_updates: tuple | None = None
    decay_from: float | None = None
    batch_size: int = 100
    labelled_batch_size: int = 100
    epoch: str = "unlabelled"
    updates: int = 1_000
    passes: int = 0
    augmentation: dict | None = None
    simultaneous: bool = False

    def __post_init__(self):
        schedules = ("drop_epochs", "drop_updates", "decay_from")
        given = [name for name in schedules if getattr(self, name) is not None]
        if len(given) > 1:
            raise ValueError(
                f"Recipe {self.name!r} has {' and '.join(given)}: choose one schedule "
                "of the learning rates and set the others to None."
            )
        # A copy made by `dataclasses.replace` shares nothing that can be changed.
        object.__setattr__(self, "optimizers", copy.deepcopy(self.optimizers))

    def of_length(self, updates):
        """The same recipe for a run of that many updates."""
        return dataclasses.replace(self, updates=updates)

    def dataset(self, x, y, num_classes=None, seed=0, groups=None):
        """The `SemiSupervisedDataset` of images `x` and labels `y` (-1 for none)."""
        return SemiSupervisedDataset(
            x,
            y,
            batch_size=self.batch_size,
            labelled_batch_size=self.labelled_batch_size,
            num_classes=num_classes,
            seed=seed,
            epoch=self.epoch,
            groups=groups,
        )

    def epochs(self, dataset):
        """Epochs of the whole run on `dataset`."""
        updates = self.updates
        if self.passes:
            passes = self.passes * dataset.num_labelled / dataset.labelled_batch_size
            updates = max(updates, passes)
        return math.ceil(updates / len(dataset))

    def model(self, dataset, epochs=None, seed=0, **parts):
        """The compiled model for the images, classes and length of a run.

        Args:
            dataset: the `SemiSupervisedDataset` to train on.
            epochs: length of the run, for learning rates that fall over all of it;
                `self.epochs(dataset)` if not given.
            seed: seeds weights, noise and priors.
            **parts: arguments of the model in the place of the recipe's, such as an
                `encoder` of your own, or `prior_y` where classes are not balanced.
                Change the recipe's own settings, such as `z_dim`, with
                `dataclasses.replace`.

        Raises:
            TypeError: if a part is no argument of the model; if the data set has
                `groups`, and the model learns from classes alone.
            ValueError: if the parts do not fit together.

        Warns:
            UserWarning: of learning-rate drops that the run never reaches.
        """
        epochs = epochs or self.epochs(dataset)
        if getattr(dataset, "groups", None) is not None:
            parts = {"groups": dataset.groups, **parts}
        updates = dataset.updates(epochs)
        image_shape = dataset[0]["x"].shape[1:]
        model = self.of_length(updates).build(
            image_shape, dataset.num_classes, seed, **parts
        )
        milestones = self.drop_epochs or [
            count // len(dataset) for count in self.drop_updates or ()
        ]
        dataset.warn_if_unreachable(milestones, epochs)
        model.compile(
            optimizer=self.phase_optimizers(updates), simultaneous=self.simultaneous
        )
        return model

    def build(self, image_shape, num_classes, seed=0, **parts):
        """The model, not yet compiled.

        Args:
            image_shape: shape of one image, such as `(28, 28)`.
            num_classes: number of classes.
            seed: seeds weights, noise and priors.
            **parts: as of `model`.
        """
        raise NotImplementedError

    def phase_optimizers(self, updates):
        """The optimizers of all phases, for a run of that many updates."""
        return PhaseOptimizers(
            {
                phase: self._optimizer(updates, **settings)
                for phase, settings in self.optimizers.items()
            }
        )

    def _optimizer(
        self, updates, class_name, learning_rate, constant=False, **arguments
    ):
        if self.decay_from is not None and not constant:
            learning_rate = ConstantThenLinear(learning_rate, updates, self.decay_from)
        return getattr(keras.optimizers, class_name)(learning_rate, **arguments)

    def callbacks(self):
        """The callbacks that the schedule needs."""
        if self.drop_epochs or self.drop_updates:
            return [LearningRateDrops(self.drop_epochs, self.drop_updates)]
        return []

    def settings(self):
        """All settings as plain data, as `results.json` keeps them."""
        return dataclasses.asdict(self)

    def _arguments(self, model_class, own, parts):
        """The arguments of a model: `parts`, then `own`, then settings of that name."""
        known = inspect.signature(model_class).parameters
        unknown = sorted(set(parts) - set(known) - {"name", "dtype"})
        if "groups" in unknown:
            raise TypeError(
                f"{model_class.__name__} learns from labels of classes. It cannot use "
                "`groups`, by which some labels tell the main class only: leave those "
                "labels out (-1), or choose a model with the argument `groups`."
            )
        if unknown:
            raise TypeError(
                f"{model_class.__name__} has no argument {', '.join(unknown)}. Change "
                "settings of the recipe with dataclasses.replace(recipe, ...)."
            )
        settings = {
            field.name: getattr(self, field.name)
            for field in dataclasses.fields(self)
            if field.name in known
        }
        if self.augmentation is not None:
            settings["augmentation"] = RandomAffine(**self.augmentation)
        dtype = keras.config.dtype_policy().name
        return {**settings, "dtype": dtype, **own, **parts}

    def __str__(self):
        settings = self.settings()
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


def sgd(learning_rate, momentum):
    """Settings of stochastic gradient descent."""
    return {
        "class_name": "SGD",
        "learning_rate": learning_rate,
        "momentum": momentum,
    }


def adam(learning_rate, **arguments):
    """Settings of Adam."""
    return {"class_name": "Adam", "learning_rate": learning_rate, **arguments}


def _one_line(value):
    if isinstance(value, dict):
        value = dict(value)
        name = value.pop("class_name", "")
        arguments = value.pop("config", value)
        return f"{name}({', '.join(f'{k}={v}' for k, v in arguments.items())})"
    return str(value)
