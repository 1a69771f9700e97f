"""Runs beside each other and beside published ones."""

import numpy as np

from keras_saae.plotting.look import INK, finish_axes, house_style, new_figure


def error_by_labels(errors, published=None):
    """Test error against the number of labels, on logarithmic axes.

    Args:
        errors: `{system: {number of labels: list of errors in percent, one a run}}`.
            A line joins the means, a bar spans the runs, from the best to the worst.
        published: `{source: {number of labels: error in percent}}`, drawn as crosses.

    Returns:
        A `matplotlib.figure.Figure`.

    Raises:
        ValueError: if there is no error to draw, or one is not above 0.
    """
    published = published or {}
    values = [
        v for by_labels in errors.values() for runs in by_labels.values() for v in runs
    ]
    values += [v for by_labels in published.values() for v in by_labels.values()]
    if not values or not min(values) > 0:
        raise ValueError(
            "Expected errors in percent, above 0, by system and number of labels. "
            f"Received: {errors!r}"
        )
    with house_style():
        from matplotlib import ticker

        figure = new_figure(7.0, 4.2)
        axes = figure.subplots()
        for index, (name, by_labels) in enumerate(errors.items()):
            numbers = sorted(by_labels)
            runs = [np.asarray(by_labels[number], float) for number in numbers]
            means = np.array([r.mean() for r in runs])
            ends = np.array([[r.min() for r in runs], [r.max() for r in runs]])
            axes.errorbar(
                numbers,
                means,
                # A deviation may reach below zero, which a logarithmic axis lacks.
                abs(ends - means),
                marker="os^"[index // 10 % 3],  # the ten colours come again
                capsize=3,
                label=name,
            )
        for marker, (name, by_labels) in zip("x+12*34" * 9, published.items()):
            axes.plot(
                *zip(*sorted(by_labels.items())),
                marker,
                color=INK,
                markersize=7,
                label=f"{name}, published",
            )
        axes.set(
            xscale="log",
            yscale="log",
            title="Test error by number of labels",
            xlabel="labelled images",
            ylabel="test error, % (mean, best and worst run)",
        )
        numbers = {
            n for group in (errors, published) for d in group.values() for n in d
        }
        axes.set_xticks(sorted(numbers), [f"{n:,}" for n in sorted(numbers)])
        axes.tick_params(axis="x", labelrotation=45)  # 1,000 stands beside 3,000
        axes.xaxis.set_minor_locator(ticker.NullLocator())
        axes.yaxis.set_major_locator(ticker.LogLocator(subs=(1.0, 2.0, 5.0)))
        axes.yaxis.set_major_formatter(ticker.FormatStrFormatter("%g"))
        axes.yaxis.set_minor_formatter(ticker.NullFormatter())
        finish_axes(axes)
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=8)
    return figure


def risk_coverage(curves):
    """Error among the surest images against their share.

    Args:
        curves: dict from name to `(coverage, risk)`, as `evaluation.risk_coverage`
            returns them: shares in (0, 1] and percent.

    Returns:
        A `matplotlib.figure.Figure`.

    Raises:
        ValueError: if there is nothing to draw, or two lists differ in length.
    """
    curves = {name: (100 * np.asarray(c), risk) for name, (c, risk) in curves.items()}
    answered = "images answered (%), the surest first"
    return lines(curves, answered, "error among them (%)")


def lines(curves, x_label, y_label):
    """Numbers from 0 up over others, a line each.

    Args:
        curves: dict from name to `(x, y)`, lists of equal lengths.
        x_label: what x is.
        y_label: what y is.

    Returns:
        A `matplotlib.figure.Figure`.

    Raises:
        ValueError: if there is nothing to draw, or two lists differ in length.
    """
    if not curves or any(len(x) != len(y) or not len(x) for x, y in curves.values()):
        raise ValueError(
            "`curves` is a dict from name to two lists of equal lengths, which are not "
            f"empty. Received the names {list(curves)}."
        )
    with house_style():
        figure = new_figure(5.0, 3.6)
        axes = figure.add_subplot()
        for name, (x, y) in curves.items():
            axes.plot(x, y, label=name, marker="o" if len(x) < 20 else None)
        axes.set_xlabel(x_label)
        axes.set_ylabel(y_label)
        axes.set_xlim(left=0)
        axes.set_ylim(bottom=0)
        finish_axes(axes)
        axes.legend()
    return figure
