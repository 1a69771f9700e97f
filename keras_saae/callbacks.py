"""Callbacks: learning-rate drops, sample grids, a readable line, safe checkpoints."""

import csv
import json
import math
import os
import time
import zipfile
from pathlib import Path

import keras

from keras_saae import checks, plotting

RUN_FILE = "run.json"  # what a checkpoint holds beside the model


class LearningRateDrops(keras.callbacks.Callback):
    """Multiplies learning rates by a factor at given epochs or updates.

    The rate after k drops is `initial rate * factor**k`, with the initial rate as it
    was when the optimizers were made, whatever it is when `fit` begins: a run resumed
    at epoch 60 starts with the dropped rate, and nothing drops twice.

    Args:
        epochs: epochs, counted from 0, at whose start the rate drops; the paper's 50
            and 1,000 if neither `epochs` nor `updates` is given.
        updates: numbers of updates after which the rate drops, instead of `epochs`.
        factor: multiplier of each drop; 0.1 in the paper.
        phases: names of the phases whose rates drop, all if not given.

    Raises:
        ValueError: if both `epochs` and `updates` are given, `factor` is not between
            0 and 1, or, when training begins, a phase is unknown or its rate is
            decided by a schedule.

    Source: Makhzani et al., arXiv:1511.05644, appendix A.2.1.
    """

    def __init__(self, epochs=None, updates=None, factor=0.1, phases=None):
        super().__init__()
        if epochs is None and updates is None:
            epochs = (50, 1000)
        if epochs is not None and updates is not None:
            raise ValueError(
                "The rate drops either at epochs or at numbers of updates. "
                f"Received epochs={epochs} and updates={updates}."
            )
        if not 0 < factor < 1:
            raise ValueError(
                f"`factor` shrinks the rate: 0 < factor < 1. Received: {factor}"
            )
        self.epochs = _milestones("epochs", epochs)
        self.updates = _milestones("updates", updates)
        self.factor, self.phases = factor, phases

    def on_train_begin(self, logs=None):
        rates = self.model.optimizer.initial_learning_rates
        for phase in self.phases or rates:
            checks.check_choice("phases", phase, tuple(rates))
            if rates[phase] is None:
                raise ValueError(
                    f"The learning rate of phase {phase!r} follows a schedule. "
                    "Give its optimizer a number to have it dropped, or leave the "
                    "phase out of LearningRateDrops."
                )
        self.num_drops = None  # not known: the model may have been trained before

    def on_epoch_begin(self, epoch, logs=None):
        if self.epochs is not None:
            self._drop_to(sum(epoch >= milestone for milestone in self.epochs))
        self.updates_before = int(self.model.optimizer.iterations.numpy())

    def on_train_batch_begin(self, batch, logs=None):
        if self.updates is not None:
            done = self.updates_before + batch
            self._drop_to(sum(done >= count for count in self.updates))

    def _drop_to(self, num_drops):
        if num_drops == self.num_drops:
            return
        if hasattr(self.model, "jax_state_sync"):  # JAX keeps the state elsewhere
            self.model.jax_state_sync()
        rates = self.model.optimizer.initial_learning_rates
        for phase in self.phases or rates:
            rate = rates[phase] * self.factor**num_drops
            self.model.optimizer[phase].learning_rate = rate
        self.num_drops = num_drops


def _milestones(name, values):
    if values is None:
        return None
    return [checks.check_count(value, name, minimum=0) for value in values]


class SampleGrid(keras.callbacks.Callback):
    """Saves a picture of samples every few epochs: rows are classes, columns styles.

    Args:
        directory: folder of the pictures, `samples_0010.png` and so on; made if
            missing.
        every: epochs between pictures.
        num_styles: columns; the same styles in every picture.

    Raises:
        ValueError: if `every` is below 1.
    """

    def __init__(self, directory, every=10, num_styles=10):
        super().__init__()
        self.every = checks.check_count(every, "every")
        self.num_styles = checks.check_count(num_styles, "num_styles")
        self.directory = Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)

    def on_epoch_end(self, epoch, logs=None):
        if (epoch + 1) % self.every == 0:
            images = self.model.class_style_grid(self.num_styles)
            plotting.save(
                plotting.class_style_grid(images),
                self.directory / f"samples_{epoch + 1:04d}.png",
            )


class TrainingSummary(keras.callbacks.Callback):
    """Prints one line that a person can read every few epochs.

    Args:
        every: epochs between lines; the last epoch always has one.

    Example of a line:
        epoch 12/20 | reconstruction 21.35, discriminator 2.61 (right 58 %),
        generator 1.55, classification 0.02 | validation error 2.41 % | 19.3 s
    """

    def __init__(self, every=1):
        super().__init__()
        self.every = checks.check_count(every, "every")

    def on_epoch_begin(self, epoch, logs=None):
        self.start = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        last = epoch + 1 == self.params["epochs"]
        if (epoch + 1) % self.every == 0 or last:
            seconds = time.perf_counter() - self.start
            print("\n" + self.line(epoch, logs or {}, seconds), flush=True)

    def line(self, epoch, logs, seconds):
        """The line for epoch number `epoch` (from 0) with these logs."""
        losses = []
        for phase in self.model.phases():
            text = f"{phase.name} {logs[phase.name]:.4g}"
            if phase.name == "discriminator" and "discriminator_accuracy" in logs:
                text += f" (right {100 * logs['discriminator_accuracy']:.0f} %)"
            losses.append(text)
        parts = [f"epoch {epoch + 1}/{self.params['epochs']}", ", ".join(losses)]
        if "val_error" in logs:
            parts.append(f"validation error {logs['val_error']:.2f} %")
        return " | ".join([*parts, f"{seconds:.1f} s"])


class StopOnNonFinite(keras.callbacks.Callback):
    """Ends training after an epoch in which a loss was NaN or infinite.

    Put it before the callbacks that save, so that what they keep on disk is the last
    good state.

    Raises:
        FloatingPointError: at the end of that epoch, naming epoch and phases. Phases
            share weights, so one that diverges takes others with it.
    """

    def on_epoch_end(self, epoch, logs=None):
        losses = {p.name: (logs or {}).get(p.name, 0.0) for p in self.model.phases()}
        lost = [f"{p} ({x})" for p, x in losses.items() if not math.isfinite(x)]
        if lost:
            raise FloatingPointError(
                f"The loss was no longer finite in epoch {epoch + 1}, in the phases "
                f"{', '.join(lost)}. Training has stopped; files saved after earlier "
                "epochs are untouched. Lower the learning rates, or clip the gradients "
                "(`clipnorm` of the optimizers)."
            )


class Checkpoint(keras.callbacks.Callback):
    """Keeps the whole state of a run in one file that is never half written.

    The file is a `.keras` file that `keras.saving.load_model` opens, with the history
    inside, NaN where an epoch has no such number, as `validation_freq` > 1 leaves it.
    It is written beside and then renamed into place. Resume with `load_checkpoint`.

    Args:
        path: name of the file, ending in `.keras`; its folder is made if missing.
        every: epochs between savings; the last epoch is always saved.
        history: history of the epochs before, from `load_checkpoint`.

    Raises:
        ValueError: if the name ends in something else.
    """

    def __init__(self, path, every=1, history=None):
        super().__init__()
        self.path, self.every = Path(path), checks.check_count(every, "every")
        if self.path.suffix != ".keras":
            raise ValueError(
                f"`path` names a Keras file and must end in '.keras'. Received: {path}"
            )
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.past = history or {}
        self.history = {key: list(values) for key, values in self.past.items()}

    def on_epoch_begin(self, epoch, logs=None):
        self.start = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        seconds = time.perf_counter() - self.start
        before = len(self.history.get("seconds", []))
        logs = {**(logs or {}), "seconds": seconds}
        for key in {**self.history, **logs}:
            values = self.history.setdefault(key, before * [math.nan])
            values.append(float(logs.get(key, math.nan)))
        if (epoch + 1) % self.every == 0 or epoch + 1 == self.params["epochs"]:
            self.save(epoch + 1)

    def save(self, num_epochs):
        """Writes the model and the history of `num_epochs` epochs."""
        partial = self.path.with_name(f".{self.path.name}.partial.keras")
        self.model.save(partial)
        with zipfile.ZipFile(partial, "a") as archive:
            run = {"epochs": num_epochs, "history": self.history}
            archive.writestr(RUN_FILE, json.dumps(run))
        os.replace(partial, self.path)


def load_checkpoint(path):
    """Opens what `Checkpoint` saved.

    Args:
        path: name of the file.

    Returns:
        `(model, epochs, history)`: the compiled model, the number of epochs that it
        was trained for (the `initial_epoch` of the next `fit`), and their logs as a
        dict of lists.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is not a checkpoint.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"There is no checkpoint at {path}.")
    try:
        with zipfile.ZipFile(path) as archive:
            run = json.loads(archive.read(RUN_FILE))
    except (zipfile.BadZipFile, KeyError) as error:
        raise ValueError(
            f"{path} is not a checkpoint of keras_saae.callbacks.Checkpoint: {error}"
        ) from error
    return keras.saving.load_model(path), run["epochs"], run["history"]


def write_history(history, path):
    """Writes a history as CSV, one row per epoch, renamed into place.

    Args:
        history: dict from name to one number per epoch.
        path: name of the file.
    """
    path = Path(path)
    partial = path.with_name(f".{path.name}.partial")
    with open(partial, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["epoch", *history])
        for epoch, row in enumerate(zip(*history.values()), start=1):
            writer.writerow([epoch, *row])
    os.replace(partial, path)
