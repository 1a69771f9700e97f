"""Figures of a training run: arrays in, `matplotlib.figure.Figure` out.

No figure here is known to pyplot, so none needs closing, and a user's Matplotlib
settings are neither read nor changed. In a notebook, `%matplotlib inline` shows a
returned figure; `save` writes it to a file. Matplotlib is imported on first use.

Images are grey `(n, height, width)` or `(n, height, width, 1)`, or RGB
`(n, height, width, 3)`; uint8, or float in [0, 1]. Floats beyond [0, 1], which a
decoder with a linear output makes, are drawn as black or white.
"""

import contextlib
import os
import pathlib

import numpy as np

PHASES = ("reconstruction", "discriminator", "generator", "classification")

# Okabe and Ito's palette, which colour-blind readers and grey printers tell apart.
_BLUE, _ORANGE, _RED = "#0072B2", "#E69F00", "#D55E00"
_INK, _GREY = "#333333", "#767676"

_STYLE = {
    "figure.dpi": 150,
    "savefig.dpi": 150,
    "font.size": 9,
    "text.color": _INK,
    "axes.edgecolor": _GREY,
    "axes.labelcolor": _INK,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "figure.titlesize": 11,
    "figure.titleweight": "bold",
    "legend.frameon": False,
    "lines.linewidth": 1.6,
    "lines.markersize": 3.5,
}


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
    with _style():
        columns = min(3, len(curves))
        rows = -(-len(curves) // columns)
        figure = _figure(3.0 * max(columns, 2), 0.5 + 2.3 * rows)
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


def reconstructions(x, x_reconstructed, num_images=12):
    """Originals over reconstructions.

    Args:
        x: images `(n, height, width[, channels])`.
        x_reconstructed: images of the same shape, in the same order.
        num_images: int. How many to show: the first ones.

    Returns:
        A `matplotlib.figure.Figure` with two rows of images.

    Raises:
        ValueError: if the shapes differ, or for bad images.
    """
    x = _rgb(np.asarray(x)[:num_images], "x")
    x_reconstructed = _rgb(np.asarray(x_reconstructed)[:num_images], "x_reconstructed")
    if x.shape != x_reconstructed.shape:
        raise ValueError(
            "`x` and `x_reconstructed` show the same images and need equal shapes. "
            f"Received {x.shape[:3]} and {x_reconstructed.shape[:3]} as "
            "(images, height, width)."
        )
    with _style():
        figure, axes, _, _ = _mosaic(
            np.stack([x, x_reconstructed]),
            "Images and their reconstructions",
            left=1.0,
            bottom=0.1,
        )
        axes.set_yticklabels(["original", "reconstruction"])
        axes.set_xticks([])
    return figure


def class_style_grid(images):
    """Generated images: one class per row, one style per column.

    Args:
        images: `(classes, styles, height, width[, channels])`, where a column shares
            one draw of the style z.

    Returns:
        A `matplotlib.figure.Figure`.

    Raises:
        ValueError: for bad images.
    """
    images = _rgb(images, "images", grid=True)
    with _style():
        figure, axes, _, _ = _mosaic(images, "One class per row, one style per column")
        axes.set_ylabel("class y")
        axes.set_yticklabels(range(images.shape[0]))
        axes.set_xlabel("style z (draws from the prior)", loc="left")
        axes.set_xticklabels(range(1, images.shape[1] + 1))
    return figure


def style_sweep(images, values):
    """Generated images: one class per row, the first style dimension along a row.

    Args:
        images: `(classes, len(values), height, width[, channels])`.
        values: float `(columns,)`. The first style dimension in each column, typically
            from -2 to 2; the other dimensions stay where they are.

    Returns:
        A `matplotlib.figure.Figure`.

    Raises:
        ValueError: for bad images, or if there is not one value per column.
    """
    images = _rgb(images, "images", grid=True)
    values = np.asarray(values)
    if values.shape != images.shape[1:2]:
        raise ValueError(
            "`values` needs one number per column of images. Received "
            f"values.shape={values.shape} for {images.shape[1]} columns."
        )
    with _style():
        figure, axes, _, _ = _mosaic(
            images, "Each class along the first style dimension"
        )
        axes.set_ylabel("class y")
        axes.set_yticklabels(range(images.shape[0]))
        axes.set_xlabel("z[0] (standard deviations of the prior)", loc="left")
        axes.set_xticklabels([f"{value:.1f}".replace("-", "−") for value in values])
    return figure


def style_histogram(z, dimension=0):
    """Histogram of one style dimension against the prior's density N(0, 1).

    Where the adversarial game works, bars and curve agree: mean 0 and standard
    deviation 1.

    Args:
        z: float `(n, z_dim)`. Encoded images.
        dimension: int. Which column of `z`.

    Returns:
        A `matplotlib.figure.Figure`.

    Raises:
        ValueError: if `z` is not 2-D, is empty, has no such column or is not finite.
    """
    z = np.asarray(z)
    if z.ndim != 2 or not len(z) or not 0 <= dimension < z.shape[1]:
        raise ValueError(
            "`z` is expected as encoded images (n, z_dim) with n > 0 and "
            "0 <= dimension < z_dim. "
            f"Received z.shape={z.shape}, dimension={dimension}."
        )
    values = z[:, dimension].astype("float64")
    _check_finite(values, "z")
    low, high = min(-4.0, values.min()), max(4.0, values.max())
    grid = np.linspace(low, high, 801)
    with _style():
        figure = _figure(5.5, 3.4)
        axes = figure.subplots()
        axes.hist(
            values,
            bins=np.linspace(low, high, 61),
            density=True,
            color=_BLUE,
            alpha=0.45,
            label=f"{len(values):,} encoded images",
        )
        axes.plot(
            grid,
            np.exp(-0.5 * grid**2) / np.sqrt(2 * np.pi),
            color=_INK,
            label="prior N(0, 1)",
        )
        axes.set_title(f"Style dimension z[{dimension}] against its prior")
        axes.set_xlabel(f"z[{dimension}] (standard deviations of the prior)")
        axes.set_ylabel("density")
        axes.set_xlim(low, high)
        axes.set_ylim(top=1.25 * axes.get_ylim()[1])  # room for the legend
        axes.text(
            0.98,
            0.96,
            f"mean {values.mean():.2f}\nstandard deviation {values.std():.2f}".replace(
                "-", "−"
            ),
            transform=axes.transAxes,
            horizontalalignment="right",
            verticalalignment="top",
        )
        _finish(axes)
        axes.grid(False)
        axes.legend(loc="upper left")
    return figure


def confidence_histogram(probabilities, y_true=None):
    """Distribution of the largest class probability, on a logarithmic count.

    Args:
        probabilities: float `(n, classes)`. Rows sum to one.
        y_true: integer labels `(n,)`, or None. With labels, correct and wrong
            predictions are told apart: wrong ones should be the unsure ones.

    Returns:
        A `matplotlib.figure.Figure`.

    Raises:
        ValueError: if `probabilities` are not such, or for bad labels.
    """
    probabilities = np.asarray(probabilities)
    if probabilities.ndim != 2 or not probabilities.size:
        raise ValueError(
            "`probabilities` is expected as a filled array (n, classes). Received "
            f"shape {probabilities.shape}."
        )
    probabilities = probabilities.astype("float32")
    _check_finite(probabilities, "probabilities")
    if probabilities.min() < 0 or abs(probabilities.sum(axis=1) - 1).max() > 0.02:
        raise ValueError(
            "`probabilities` are expected non-negative, each row with the sum 1. "
            f"Received values from {probabilities.min():.3g} to "
            f"{probabilities.max():.3g}. If these are logits, apply a softmax first."
        )
    n, num_classes = probabilities.shape
    confidence = probabilities.max(axis=1)
    if y_true is None:
        groups = [(f"{n:,} images", _BLUE, confidence)]
    else:
        y_true = _check_labels(y_true, n, num_classes, "y_true")
        correct = probabilities.argmax(axis=1) == y_true
        groups = [
            (f"{correct.sum():,} correct", _BLUE, confidence[correct]),
            (f"{n - correct.sum():,} wrong", _RED, confidence[~correct]),
        ]
    with _style():
        figure = _figure(5.5, 3.4)
        axes = figure.subplots()
        axes.hist(
            [np.clip(values, None, 1.0) for _, _, values in groups],
            bins=np.linspace(1 / num_classes, 1, 21),
            rwidth=0.9,
            color=[color for _, color, _ in groups],
            label=[label for label, _, _ in groups],
        )
        axes.set_title("How sure the classifier is")
        axes.set_xlabel("largest class probability")
        axes.set_ylabel("images (logarithmic)")
        axes.set_yscale("log")
        axes.set_ylim(bottom=0.7)
        axes.yaxis.set_major_formatter("{x:,.0f}")
        axes.set_xlim(1 / num_classes, 1)
        _finish(axes)
        axes.legend(loc="upper left")
    return figure


def predicted_columns(x, y_predicted, y_true, num_classes=None, rows=10):
    """Test images in columns by predicted class, errors framed in red.

    A column is two images wide. As many errors are shown as the error rate asks for
    (at least one, if there is any), shared out over the columns by each column's own
    rate and put on top; a small tag gives an error's true label. Images are picked at
    even distances through the data, so the same arrays make the same figure.

    Args:
        x: images `(n, height, width[, channels])`.
        y_predicted: integer `(n,)`. Predicted classes.
        y_true: integer `(n,)`. True classes.
        num_classes: int or None. Number of columns; by default one more than the
            largest label in either array.
        rows: int. Rows of images.

    Returns:
        A `matplotlib.figure.Figure`.

    Raises:
        ValueError: for bad images or labels, or if lengths differ.
    """
    x = np.asarray(x)
    n = len(x)
    y_predicted = _check_labels(y_predicted, n, num_classes, "y_predicted")
    y_true = _check_labels(y_true, n, num_classes, "y_true")
    if num_classes is None:
        num_classes = 1 + int(max(y_predicted.max(), y_true.max()))
    chosen = _choose_by_prediction(y_predicted, y_true, num_classes, 2 * rows)
    shown = np.concatenate(chosen)
    pictures = dict(zip(shown.tolist(), _rgb(x[shown], "x")))
    shape = next(iter(pictures.values())).shape
    images = np.ones((rows, 2 * num_classes, *shape))
    errors = []
    for column, indices in enumerate(chosen):
        for place, index in enumerate(indices.tolist()):
            cell = place // 2, 2 * column + place % 2
            images[cell] = pictures[index]
            if y_true[index] != column:
                errors.append((cell, y_true[index]))
    num_wrong = int(np.sum(y_predicted != y_true))
    with _style():
        figure, axes, tops, lefts = _mosaic(
            images,
            f"Test images by predicted class: {100 * num_wrong / n:.2f} % errors "
            f"({num_wrong:,} of {n:,})",
            group=2,
            left=0.1,
            top=0.52,
        )
        axes.annotate(
            f"Errors shown: {len(errors)} of {len(shown)}, about the true share; "
            "framed, on top, tagged with the true class",
            (0, 1),
            xycoords="axes fraction",
            xytext=(0, 5),
            textcoords="offset points",
        )
        axes.set_xlabel("predicted class", loc="left")
        axes.set_xticks((lefts[::2] + lefts[1::2] + shape[1] - 1) / 2)
        axes.set_xticklabels(range(num_classes))
        axes.set_yticks([])
        for (row, column), label in errors:
            _mark_error(axes, lefts[column], tops[row], shape, label)
    return figure


def codes(z, y, prior_draws):
    """Codes of images in the plane beside draws from their prior.

    Where the adversarial game works, both fill the same shape.

    Args:
        z: float `(n, 2)`. Codes of images; of wider codes the first two dimensions.
        y: integer `(n,)`. Their classes, which colour them.
        prior_draws: float `(m, 2)`. Draws from the prior.

    Returns:
        A `matplotlib.figure.Figure` with two panels.

    Raises:
        ValueError: if arrays do not fit together or are not finite.
    """
    z, prior_draws = _points(z, "z"), _points(prior_draws, "prior_draws")
    y = _check_labels(y, len(z), None, "y")
    with _style():
        figure = _figure(7.0, 3.6)
        left, right = figure.subplots(1, 2, sharex=True, sharey=True)
        left.scatter(*prior_draws[:, :2].T, s=2, color=_GREY, linewidths=0)
        left.set_title("Draws from the prior")
        _scatter(right, z, y)
        right.set_title("Codes of images")
        for axes in (left, right):
            axes.set_aspect("equal")
            _finish(axes)
        right.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), title="class")
    return figure


def image_grid(images, title, row_label="", column_label=""):
    """Images in rows and columns, such as the decoded plane.

    Args:
        images: `(rows, columns, height, width[, channels])`.
        title: str.
        row_label: what changes from row to row.
        column_label: what changes along a row.

    Returns:
        A `matplotlib.figure.Figure`.

    Raises:
        ValueError: for bad images.
    """
    images = _rgb(images, "images", grid=True)
    with _style():
        figure, axes, _, _ = _mosaic(images, title)
        axes.set_ylabel(row_label)
        axes.set_xlabel(column_label, loc="left")
        axes.set_xticks([])
        axes.set_yticks([])
    return figure


def clusters(head_images, x, probabilities, columns=10):
    """What each cluster stands for, and the images that are surest to be in it.

    Args:
        head_images: `(K, height, width[, channels])`. The decoded one-hot codes, in the
            middle of the style's prior.
        x: images `(n, height, width[, channels])`.
        probabilities: float `(n, K)`. Of each cluster for each image.
        columns: int. Images of each cluster, the most confident first; a cluster with
            fewer leaves cells white.

    Returns:
        A `matplotlib.figure.Figure`, a row per cluster, its head in the first column.

    Raises:
        ValueError: if arrays do not fit together, or for bad images.
    """
    head_images, x = _rgb(head_images, "head_images"), _rgb(x, "x")
    probabilities = np.asarray(probabilities)
    if probabilities.shape != (len(x), len(head_images)):
        raise ValueError(
            "`probabilities` needs a row per image and a column per cluster. Received "
            f"shape {probabilities.shape} for {len(x)} images and {len(head_images)} "
            "heads."
        )
    grid = np.ones((len(head_images), 1 + columns, *x.shape[1:]))
    grid[:, 0] = head_images
    chosen = probabilities.argmax(axis=1)
    for k in range(len(head_images)):
        members = np.flatnonzero(chosen == k)
        surest = members[np.argsort(-probabilities[members, k], kind="stable")]
        surest = surest[:columns]
        grid[k, 1 : 1 + len(surest)] = x[surest]
    with _style():
        figure, axes, _, lefts = _mosaic(grid, "Clusters and their surest images")
        axes.set_ylabel("cluster")
        axes.set_yticklabels(range(len(head_images)))
        axes.set_xticks([axes.get_xticks()[0], axes.get_xticks()[1]])
        axes.set_xticklabels(["head", "images"])
    return figure


def planes(points, y, heads=None, decoded=None):
    """Images as points in the plane, one panel per method.

    Args:
        points: dict from the method's name to its points, float `(n, 2)`.
        y: integer `(n,)`. Classes of the images, which colour the points.
        heads: float `(K, 2)` or None. Marked in the first panel.
        decoded: pair of positions `(m, 2)` and images `(m, height, width)`, or None.
            Drawn in the first panel, where they belong.

    Returns:
        A `matplotlib.figure.Figure`.

    Raises:
        ValueError: if arrays do not fit together or are not finite.
    """
    points = {name: _points(z, name) for name, z in points.items()}
    with _style():
        figure = _figure(0.6 + 3.1 * len(points), 3.4)
        panels = figure.subplots(1, len(points), squeeze=False)[0]
        for axes, (name, z) in zip(panels, points.items()):
            _scatter(axes, z, _check_labels(y, len(z), None, "y"))
            axes.set_title(name)
            axes.tick_params(labelleft=False, labelbottom=False, length=0)
        if heads is not None:
            panels[0].scatter(*_points(heads, "heads").T[:2], marker="x", color=_INK)
        if decoded is not None:
            _draw_decoded(panels[0], *decoded)
        panels[-1].legend(loc="center left", bbox_to_anchor=(1.0, 0.5), title="class")
    return figure


def error_by_labels(errors, published=None):
    """Test error against the number of labels, on logarithmic axes.

    Args:
        errors: `{system: {number of labels: list of errors in percent, one a run}}`.
            A line joins the means, a bar spans mean ± sample standard deviation.
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
    with _style():
        from matplotlib import ticker

        figure = _figure(7.0, 4.2)
        axes = figure.subplots()
        for name, by_labels in errors.items():
            numbers = sorted(by_labels)
            runs = [np.asarray(by_labels[number], float) for number in numbers]
            axes.errorbar(
                numbers,
                [r.mean() for r in runs],
                # Not down to zero or below, which a logarithmic axis does not have.
                [
                    [min(_deviation(r), 0.99 * r.mean()) for r in runs],
                    [_deviation(r) for r in runs],
                ],
                marker="o",
                capsize=3,
                label=name,
            )
        for marker, (name, by_labels) in zip("x+12*34" * 9, published.items()):
            axes.plot(
                *zip(*sorted(by_labels.items())),
                marker,
                color=_GREY,
                markersize=7,
                label=f"{name}, published",
            )
        axes.set(
            xscale="log",
            yscale="log",
            title="Test error by number of labels",
            xlabel="labelled images",
            ylabel="test error, % (mean ± standard deviation)",
        )
        numbers = {
            n for group in (errors, published) for d in group.values() for n in d
        }
        axes.set_xticks(sorted(numbers), [f"{n:,}" for n in sorted(numbers)])
        axes.xaxis.set_minor_locator(ticker.NullLocator())
        axes.yaxis.set_major_locator(ticker.LogLocator(subs=(1.0, 2.0, 5.0)))
        axes.yaxis.set_major_formatter(ticker.FormatStrFormatter("%g"))
        axes.yaxis.set_minor_formatter(ticker.NullFormatter())
        _finish(axes)
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
    with _style():
        figure = _figure(5.0, 3.6)
        axes = figure.add_subplot()
        for name, (x, y) in curves.items():
            axes.plot(x, y, label=name, marker="o" if len(x) < 20 else None)
        axes.set_xlabel(x_label)
        axes.set_ylabel(y_label)
        axes.set_xlim(left=0)
        axes.set_ylim(bottom=0)
        _finish(axes)
        axes.legend()
    return figure


def confusion(counts, class_names):
    """How often images of one class are taken for another.

    Args:
        counts: integer `(classes, classes)`, rows by true class, columns by predicted
            class, as of `sklearn.metrics.confusion_matrix`.
        class_names: names of the classes in order.

    Returns:
        A `matplotlib.figure.Figure`, each row in percent of its images.

    Raises:
        ValueError: if `counts` is not square, or has another number of classes.
    """
    counts = np.asarray(counts, "float64")
    if counts.shape != (len(class_names), len(class_names)):
        raise ValueError(
            "`counts` must have a row and a column for each of "
            f"{len(class_names)} classes. Received shape {counts.shape}."
        )
    shares = 100 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    with _style():
        figure = _figure(*(1.5 + 0.45 * np.array(counts.shape)))
        axes = figure.add_subplot()
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=100)
        places = range(len(class_names))
        axes.set_xticks(places, class_names, rotation=90)
        axes.set_yticks(places, class_names)
        for row, column in np.argwhere(shares >= 0.5):
            share = shares[row, column]
            color = "white" if share > 50 else _INK
            axes.text(
                *(column, row, f"{share:.0f}"),
                ha="center",
                va="center",
                fontsize=7,
                color=color,
            )
        axes.set_xlabel("predicted class")
        axes.set_ylabel("true class")
        axes.set_title("Share of each class's images (%)", loc="left")
    return figure


def _deviation(values):
    """Sample standard deviation; 0 of a single value."""
    return np.std(values, ddof=1) if len(values) > 1 else 0.0


def save(figure, path):
    """Write a figure as PNG; the file is whole or not there at all.

    Args:
        figure: a `matplotlib.figure.Figure`.
        path: file name ending in `.png`, in a folder that exists.

    Raises:
        ValueError: if `path` does not end in `.png`.
        OSError: if the folder is missing or cannot be written.
    """
    path = pathlib.Path(path)
    if path.suffix.lower() != ".png":
        raise ValueError(
            f"Figures are written as PNG. Received path={str(path)!r}; end it in .png."
        )
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with _style():
            figure.savefig(temporary, format="png")
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def _style():
    """The package's look, from Matplotlib's defaults up, for a `with` block."""
    from matplotlib import style

    with style.context(["default", _STYLE]):
        yield


def _figure(width, height, layout="constrained"):
    """An empty figure; sizes in inches."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout=layout)


def _finish(axes):
    """Ticks and grid. Ticks are made at drawing, when `_style` is over: set them."""
    axes.tick_params(which="both", labelsize=8, color=_GREY, labelcolor=_INK)
    axes.grid(axis="y", color="#DDDDDD", linewidth=0.6)
    axes.set_axisbelow(True)


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
        (training, _BLUE, "training"),
        (validation, _ORANGE, "validation"),
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
    _finish(axes)


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
        axes.axhline(
            guess, color=_GREY, linestyle="--", linewidth=1.2, label="guessing"
        )


def _rgb(images, name, grid=False):
    """Images as float RGB in [0, 1]: `(n, h, w, 3)`, or `(rows, columns, h, w, 3)`."""
    images = np.asarray(images)
    axes = "(classes, columns, h, w[, c])" if grid else "(n, h, w[, c])"
    shape = images.shape
    if images.ndim == (4 if grid else 3):
        images = images[..., np.newaxis]
    if (
        images.ndim != (5 if grid else 4)
        or images.shape[-1] not in (1, 3)
        or not images.size
    ):
        raise ValueError(
            f"`{name}` is expected as images {axes} with one (grey) or three (RGB) "
            f"channels. Received shape {shape}."
        )
    if images.dtype == np.uint8:
        images = images.astype("float32") / 255
    elif images.dtype.kind in "biuOSU":
        raise ValueError(
            f"`{name}` is expected as uint8 or as float in [0, 1]. Received "
            f"{images.dtype}. For values 0 to 255 use `{name}.astype('uint8')`."
        )
    images = images.astype("float32")
    _check_finite(images, name)
    if images.max() > 20:  # a linear decoder strays, but never that far
        raise ValueError(
            f"`{name}` looks scaled to 255: float images are expected in [0, 1]. "
            f"Received a largest value of {images.max():.4g}. Divide by 255 or pass "
            "uint8."
        )
    return np.broadcast_to(images.clip(0, 1), (*images.shape[:-1], 3))


def _check_finite(values, name):
    if not np.isfinite(values).all():
        raise ValueError(f"`{name}` is expected to be finite. Received NaN or inf.")


def _check_labels(y, n, num_classes, name):
    y = np.asarray(y)
    if y.shape != (n,) or not n or y.dtype.kind not in "iu":
        raise ValueError(
            f"`{name}` is expected as {n} integer classes, one per image. Received "
            f"shape {y.shape}, dtype {y.dtype}. If these are one-hot or "
            f"probabilities, pass `np.argmax({name}, axis=-1)`."
        )
    if y.min() < 0 or (num_classes is not None and y.max() >= num_classes):
        raise ValueError(
            f"`{name}` is expected to hold known classes, from 0. Received values from "
            f"{y.min()} to {y.max()}. Leave out unlabelled images (-1)."
        )
    return y


def _mosaic(images, title, group=1, left=0.5, bottom=0.5, top=0.36):
    """Draw images `(rows, columns, h, w, 3)` as one picture with white gaps.

    Args:
        images: float in [0, 1]; an empty cell is white.
        title: str.
        group: int. A wider gap follows every `group` columns.
        left: float. Margin in inches, for what the caller writes there.
        bottom: float. Margin in inches.
        top: float. Margin in inches; the title is at its upper end.

    Returns:
        Figure, axes with a tick at each row and column, and the pixel positions of
        the rows' tops and the columns' left sides.
    """
    rows, columns, height, width, _ = images.shape
    gap = max(1, round(width / 14))
    tops = np.arange(rows) * (height + gap)
    lefts = np.arange(columns) * (width + gap)
    if group > 1:
        lefts += 3 * gap * (np.arange(columns) // group)
    canvas = np.ones((tops[-1] + height, lefts[-1] + width, 3))
    for row, y in enumerate(tops):
        for column, x in enumerate(lefts):
            canvas[y : y + height, x : x + width] = images[row, column]
    # A whole number of dots per pixel, where they fit, keeps small images sharp.
    dots = min(90 / width, 1320 / canvas.shape[1])
    scale = (np.floor(dots) if dots > 1 else dots) / _STYLE["figure.dpi"]
    drawn = scale * canvas.shape[1], scale * canvas.shape[0]
    size = max(6.0, left + drawn[0] + 0.1), bottom + drawn[1] + top
    figure = _figure(*size, layout=None)
    axes = figure.add_axes(
        (left / size[0], bottom / size[1], drawn[0] / size[0], drawn[1] / size[1])
    )
    axes.imshow(canvas, interpolation="nearest" if dots > 1 else "auto")
    axes.set_title(title, y=1.0, pad=(top - 0.25) * 72)
    axes.set_xticks(lefts + (width - 1) / 2)
    axes.set_yticks(tops + (height - 1) / 2)
    axes.tick_params(length=0, labelsize=8, labelcolor=_INK)
    axes.spines[:].set_visible(False)
    return figure, axes, tops, lefts


def _choose_by_prediction(y_predicted, y_true, num_classes, places):
    """Indices to show for each predicted class, errors first, in their true share."""
    wrong = [
        np.flatnonzero((y_predicted == k) & (y_true != k)) for k in range(num_classes)
    ]
    right = [
        np.flatnonzero((y_predicted == k) & (y_true == k)) for k in range(num_classes)
    ]
    totals = np.array([len(w) + len(r) for w, r in zip(wrong, right)])
    num_wrong = np.array([len(w) for w in wrong])
    quotas = np.minimum(places, totals) * num_wrong / np.maximum(totals, 1)
    num_errors = max(round(quotas.sum()), int(num_wrong.any()))
    errors = np.floor(quotas).astype(int)
    by_remainder = np.argsort(errors - quotas, kind="stable")
    errors[by_remainder[: num_errors - errors.sum()]] += 1
    return [
        np.concatenate([_spread(w, e), _spread(r, min(places - e, len(r)))])
        for w, r, e in zip(wrong, right, errors)
    ]


def _spread(indices, count):
    """`count` of the indices, at even distances."""
    return indices[np.linspace(0, len(indices), count, endpoint=False).astype(int)]


def _mark_error(axes, left, top, shape, label):
    """Red frame around an image, with its true label in a corner."""
    from matplotlib.patches import Rectangle

    height, width, _ = shape
    axes.add_patch(
        Rectangle(
            (left - 0.5, top - 0.5),
            width,
            height,
            fill=False,
            edgecolor=_RED,
            linewidth=1.8,
            clip_on=False,
        )
    )
    axes.text(
        left,
        top,
        str(label),
        color="white",
        fontsize=7,
        fontweight="bold",
        verticalalignment="top",
        bbox={"facecolor": _RED, "edgecolor": "none", "pad": 1.0},
    )


def _points(z, name):
    z = np.asarray(z)
    if z.ndim != 2 or not len(z) or z.shape[1] < 2:
        raise ValueError(
            f"`{name}` is expected as points (n, 2) with n > 0. Received shape "
            f"{z.shape}."
        )
    _check_finite(z, name)
    return z.astype("float64")


def _scatter(axes, z, y):
    """The first two dimensions of points, coloured by class."""
    from matplotlib import colormaps

    colors = colormaps["tab10" if y.max() < 10 else "tab20"]
    for k in np.unique(y):
        axes.scatter(
            *z[y == k, :2].T, s=3, color=colors(int(k)), linewidths=0, label=str(k)
        )


def _draw_decoded(axes, positions, images):
    """Small images at their positions in the plane."""
    from matplotlib.offsetbox import AnnotationBbox, OffsetImage

    images = _rgb(images, "decoded images")
    for position, image in zip(_points(positions, "decoded positions"), images):
        zoom = 18 / max(image.shape[:2])
        box = OffsetImage(image, zoom=zoom, interpolation="nearest")
        axes.add_artist(AnnotationBbox(box, position[:2], pad=0.1))
