"""Several runs in one program: the same model, from other seeds."""

import keras
import numpy as np

from keras_saae.backend import step_of_many


def fit_together(models, datasets, epochs=1, initial_epoch=0, callbacks=None):
    """Trains models that are built alike, each on its data set, in one program.

    On JAX alone: one compiled call makes a step of all of them, which on a GPU costs
    little more than a step of one. What each model ends as is what its own `fit` makes
    of it, but for rounding.

    Args:
        models: compiled `PhasedModel`s that differ in their seeds only.
        datasets: as many data sets with as many batches, of the same shapes, such as
            `SemiSupervisedDataset`s with other seeds.
        epochs: the epoch to end with, as in `fit`.
        initial_epoch: the one to begin with.
        callbacks: a list of callbacks for each model, as `recipe.callbacks()` makes
            them, or None. They are called when training and epochs begin and end, not
            with every batch.

    Returns:
        For each model, a dict from the names of losses and metrics to one number per
        epoch, as `fit(...).history`.

    Raises:
        NotImplementedError: on TensorFlow and PyTorch.
        ValueError: if the models or the data sets are not alike.

    Example:
        >>> models = [recipe.model(d, seed=i) for i, d in enumerate(datasets)]
        >>> histories = fit_together(models, datasets, epochs=20)
    """
    models, datasets = list(models), list(datasets)
    steps = _check_alike(models, datasets)
    callbacks = callbacks or [[] for _ in models]
    if len(callbacks) != len(models):
        raise ValueError(
            f"`callbacks` holds a list for each model. Received {len(callbacks)} lists "
            f"for {len(models)} models."
        )
    watchers = [
        keras.callbacks.CallbackList(own, model=model, epochs=epochs, steps=steps)
        for own, model in zip(callbacks, models)
    ]
    step = step_of_many(models[0])
    histories = [{} for _ in models]
    for watcher in watchers:
        watcher.on_train_begin()
    for epoch in range(initial_epoch, epochs):
        for dataset in datasets:
            if hasattr(dataset, "set_epoch"):
                dataset.set_epoch(epoch)
        for model, watcher in zip(models, watchers):
            model.reset_metrics()
            watcher.on_epoch_begin(epoch)
        state = _stacked(models)
        for index in range(steps):
            batches = [dataset[index] for dataset in datasets]
            together = {
                key: np.stack([batch[key] for batch in batches]) for key in batches[0]
            }
            logs, state = step(state, together)
        _hand_back(state, models)
        for i, (history, watcher) in enumerate(zip(histories, watchers)):
            own = {name: float(values[i]) for name, values in logs.items()}
            for name, value in own.items():
                history.setdefault(name, []).append(value)
            watcher.on_epoch_end(epoch, own)
    for watcher in watchers:
        watcher.on_train_end()
    return histories


def _check_alike(models, datasets):
    """Steps of an epoch, or an error that says what differs."""
    if not models or len(models) != len(datasets):
        raise ValueError(
            "Pass at least one model, and a data set for each. Received "
            f"{len(models)} models and {len(datasets)} data sets."
        )
    for i, model in enumerate(models):
        if not model.compiled:
            raise ValueError(f"models[{i}] is not compiled: call `compile` first.")
        if _shapes(model) != _shapes(models[0]):
            raise ValueError(
                f"models[{i}] is not built as models[0] is: their variables have other "
                "shapes. Make all of them by one recipe, with other seeds."
            )
    first = {key: part.shape for key, part in datasets[0][0].items()}
    for i, dataset in enumerate(datasets):
        shapes = {key: part.shape for key, part in dataset[0].items()}
        if (len(dataset), shapes) != (len(datasets[0]), first):
            raise ValueError(
                "The data sets need as many batches, of the same shapes. Received "
                f"{len(datasets[0])} batches of {first} in datasets[0], {len(dataset)} "
                f"of {shapes} in datasets[{i}]."
            )
    return len(datasets[0])


def _variables(model):
    """The variables of a model that a step may change, in the groups of its state."""
    return (
        model.trainable_variables,
        model.non_trainable_variables,
        model.optimizer.variables,
        model.metrics_variables,
    )


def _shapes(model):
    return [[tuple(v.shape) for v in group] for group in _variables(model)]


def _stacked(models):
    """The state of all models: each variable's values, one after another."""
    groups = zip(*(_variables(model) for model in models))
    return tuple(
        [
            np.stack([keras.ops.convert_to_numpy(v.value) for v in alike])
            for alike in zip(*group)
        ]
        for group in groups
    )


def _hand_back(state, models):
    """Gives each model its part of the state."""
    for i, model in enumerate(models):
        for values, variables in zip(state, _variables(model)):
            for value, variable in zip(values, variables):
                variable.assign(value[i])
