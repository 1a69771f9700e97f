"""What a classifier says of images."""

import numpy as np

from keras_saae.plotting.arrays import check_finite, check_labels, rgb
from keras_saae.plotting.look import (
    BLUE,
    INK,
    RED,
    finish_axes,
    house_style,
    new_figure,
)
from keras_saae.plotting.mosaics import mosaic


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
    check_finite(probabilities, "probabilities")
    if probabilities.min() < 0 or abs(probabilities.sum(axis=1) - 1).max() > 0.02:
        raise ValueError(
            "`probabilities` are expected non-negative, each row with the sum 1. "
            f"Received values from {probabilities.min():.3g} to "
            f"{probabilities.max():.3g}. If these are logits, apply a softmax first."
        )
    n, num_classes = probabilities.shape
    confidence = probabilities.max(axis=1)
    if y_true is None:
        groups = [(f"{n:,} images", BLUE, confidence)]
    else:
        y_true = check_labels(y_true, n, num_classes, "y_true")
        correct = probabilities.argmax(axis=1) == y_true
        groups = [
            (f"{correct.sum():,} correct", BLUE, confidence[correct]),
            (f"{n - correct.sum():,} wrong", RED, confidence[~correct]),
        ]
    with house_style():
        figure = new_figure(5.5, 3.4)
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
        finish_axes(axes)
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
    y_predicted = check_labels(y_predicted, n, num_classes, "y_predicted")
    y_true = check_labels(y_true, n, num_classes, "y_true")
    if num_classes is None:
        num_classes = 1 + int(max(y_predicted.max(), y_true.max()))
    chosen = _choose_by_prediction(y_predicted, y_true, num_classes, 2 * rows)
    shown = np.concatenate(chosen)
    pictures = dict(zip(shown.tolist(), rgb(x[shown], "x")))
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
    with house_style():
        figure, axes, tops, lefts = mosaic(
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
            edgecolor=RED,
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
        bbox={"facecolor": RED, "edgecolor": "none", "pad": 1.0},
    )


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
    with house_style():
        figure = new_figure(*(1.5 + 0.45 * np.array(counts.shape)))
        axes = figure.add_subplot()
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=100)
        places = range(len(class_names))
        axes.set_xticks(places, class_names, rotation=90)
        axes.set_yticks(places, class_names)
        for row, column in np.argwhere(shares >= 0.5):
            share = shares[row, column]
            color = "white" if share > 50 else INK
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


def decisions(images, labels, accepted, row_names, title):
    """Images with the class each is taken for in its corner, struck out if refused.

    Args:
        images: `(rows, columns, height, width[, channels])`: a column has one image in
            several states, such as clean, attacked and reclassified.
        labels: integer `(rows, columns)`. Predicted classes.
        accepted: bool `(rows, columns)`. False where the classifier refuses to answer.
        row_names: str for each row.
        title: str.

    Returns:
        A `matplotlib.figure.Figure`.

    Raises:
        ValueError: for bad images, or if there is not one label, one decision and one
            name for each.
    """
    images = rgb(images, "images", grid=True)
    labels, accepted = np.asarray(labels), np.asarray(accepted, bool)
    shape = images.shape[:2]
    if labels.shape != shape or accepted.shape != shape or len(row_names) != shape[0]:
        raise ValueError(
            f"{shape[0]} rows of {shape[1]} images need as many labels and decisions, "
            f"and a name for each row. Received shapes {labels.shape} and "
            f"{accepted.shape}, and {len(row_names)} names."
        )
    with house_style():
        figure, axes, tops, lefts = mosaic(images, title, left=1.0, bottom=0.1)
        for (row, column), label in np.ndenumerate(labels):
            taken = accepted[row, column]
            axes.annotate(
                str(label) if taken else f"{label} \N{MULTIPLICATION X}",
                (lefts[column], tops[row]),
                xytext=(2, -2),
                textcoords="offset points",
                va="top",
                fontsize=6,
                color="white",
                bbox={"facecolor": BLUE if taken else RED, "edgecolor": "none"}
                | {"boxstyle": "square,pad=0.15"},
            )
        axes.set_yticklabels(row_names)
        axes.set_xticks([])
    return figure
