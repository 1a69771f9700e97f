"""The course of a run."""

import numpy as np

from keras_saae.plotting.look import (
    BLUE,
    GREY,
    ORANGE,
    finish_axes,
    house_style,
    new_figure,
)

PHASES = ("reconstruction", "discriminator", "generator", "classification")


def learning_curves(history, phases=PHASES, num_discriminators=2):
    """One panel per phase, and one each for discriminator accuracy and error.

    Args:
        history: dict of lists with one value per epoch, as in Keras'
            `History.history`. Read are each phase's name and `val_<phase>` (losses),
            `discriminator_accuracy` (a share in [0, 1]) and `val_error` (percent);
            what is missing gets no panel. NaN marks an epoch without a value.
        phases: names of the phases, in the order of their panels.
        num_discriminators: int or None. How many discriminators the loss of the phase
            `discriminator` sums over. A dashed line marks the loss of blind ones,
            2 log 2 = 1.386 nats each; None draws no line.

    Returns:
        A `matplotlib.figure.Figure`.

    Raises:
        TypeError: if `history` is not a dict.
        ValueError: if there is nothing to draw, or two lists differ in length.
    """
    curves = _check_history(history, phases)
    with house_style():
        columns = min(3, len(curves))
        rows = -(-len(curves) // columns)
        figure = new_figure(3.0 * max(columns, 2), 0.5 + 2.3 * rows)
        figure.suptitle("Learning curves", x=0.01, horizontalalignment="left")
        panels = figure.subplots(rows, columns, squeeze=False).flat
        for panel, (name, (training, validation)) in zip(panels, curves.items()):
            _draw_curves(panel, training, validation)
            _label_panel(panel, name, num_discriminators, validation)
        for panel in panels:  # those left over
            panel.set_axis_off()
        handles = {}
        for panel in figure.axes:
            for handle, label in zip(*panel.get_legend_handles_labels()):
                handles.setdefault(label, handle)
        figure.legend(
            handles.values(), handles.keys(), loc="outside upper right", ncols=3
        )
    return figure


def _check_history(history, phases):
    """The drawable part of a history: {panel: (training, validation)}, None = none."""
    if not isinstance(history, dict):
        raise TypeError(
            "`history` is expected as a dict of lists, one value per epoch. Received "
            f"{type(history).__name__}. Of what `fit` returns, pass `.history`."
        )
    keys = {name: (name, f"val_{name}") for name in phases}
    keys["discriminator_accuracy"] = (
        "discriminator_accuracy",
        "val_discriminator_accuracy",
    )
    keys["val_error"] = (None, "val_error")
    curves = {
        name: tuple(
            np.asarray(history[key], "float64") if key in history else None
            for key in pair
        )
        for name, pair in keys.items()
        if any(key in history for key in pair)
    }
    lengths = {len(c) for pair in curves.values() for c in pair if c is not None}
    if not curves or 0 in lengths:
        raise ValueError(
            "`history` holds no epoch of anything to draw. Expected lists under some "
            f"of {sorted(keys)}. Received the keys {sorted(history)}."
        )
    if len(lengths) > 1:
        raise ValueError(
            "The lists in `history` need one value per epoch. Received lengths "
            f"{sorted(lengths)}. Put NaN where an epoch has no value, as after "
            "`validation_freq` > 1."
        )
    return curves


def _draw_curves(axes, training, validation):
    """Training and validation values over epochs, counted from 1."""
    from matplotlib.ticker import MaxNLocator

    for values, color, label in (
        (training, BLUE, "training"),
        (validation, ORANGE, "validation"),
    ):
        if values is not None:
            epochs = np.arange(1, len(values) + 1)
            there = np.isfinite(values)
            marker = "o" if there.sum() <= 12 else None
            axes.plot(
                epochs[there], values[there], color=color, marker=marker, label=label
            )
    axes.xaxis.set_major_locator(MaxNLocator("auto", integer=True, min_n_ticks=1))
    axes.set_xlabel("epochs")
    finish_axes(axes)


def _label_panel(axes, name, num_discriminators, validation):
    """Title, unit and reference line of a panel of learning curves."""
    title, unit, guess = name.replace("_", " ").capitalize(), "loss (nats)", None
    if name == "reconstruction":
        unit = "loss per image"  # nats only for some losses and reductions
    elif name == "discriminator" and num_discriminators is not None:
        guess = num_discriminators * 2 * np.log(2)
    elif name == "discriminator_accuracy":
        unit, guess = "correct (%)", 0.5
        axes.yaxis.set_major_formatter(lambda share, _: f"{100 * share:.0f}")
    elif name == "val_error":
        last = validation[np.isfinite(validation)][-1:]
        title = " ".join(["Validation error", *(f"{value:.2f} %" for value in last)])
        unit = "error (%)"
        axes.set_ylim(0, max(1.0, 1.08 * np.nanmax([0, *validation])))
    axes.set_title(title)
    axes.set_ylabel(unit)
    if guess is not None:
        axes.axhline(guess, color=GREY, linestyle="--", linewidth=1.2, label="guessing")
