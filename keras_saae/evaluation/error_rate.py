"""Share of images that are classified wrongly."""

import numpy as np


def error_rate(y_true, predictions):
    """Error rate in percent: 100 minus the accuracy.

    Args:
        y_true: integer `(n,)`. True classes, from 0.
        predictions: integer `(n,)`, predicted classes, or float `(n, classes)`,
            probabilities or logits. Of these the largest counts, of equal ones the
            first.

    Returns:
        A float in [0, 100]. Guessing among ten balanced classes scores 90.

    Raises:
        ValueError: for arrays that are empty, of different lengths or of other shapes
            or dtypes; for NaN; for classes below 0, unlabelled images (-1) included,
            or beyond the columns of `predictions`.

    Example:
        >>> error_rate([0, 1, 2, 2], [0, 1, 2, 1])
        25.0
    """
    y_true, predictions = np.asarray(y_true), np.asarray(predictions)
    if y_true.ndim != 1 or predictions.ndim not in (1, 2):
        raise ValueError(
            "Expected `y_true` of shape (n,) and `predictions` of shape (n,) or "
            f"(n, classes). Received y_true.shape={y_true.shape}, "
            f"predictions.shape={predictions.shape}. If labels are one-hot, pass "
            "`np.argmax(y_true, axis=-1)`."
        )
    if len(y_true) != len(predictions):
        raise ValueError(
            "`y_true` and `predictions` describe the same images and need equal "
            f"lengths. Received {len(y_true)} and {len(predictions)}."
        )
    if not predictions.size:
        raise ValueError(
            "An error rate needs at least one image. Received y_true.shape="
            f"{y_true.shape}, predictions.shape={predictions.shape}."
        )
    if predictions.ndim == 2:
        num_classes = predictions.shape[1]
        if np.isnan(predictions).any():
            raise ValueError("`predictions` is expected to be finite. Received NaN.")
        predictions = predictions.argmax(axis=1)
    else:
        num_classes = None
        _check_classes(predictions, "predictions", num_classes)
    _check_classes(y_true, "y_true", num_classes)
    return 100.0 * float(np.mean(predictions != y_true))


def _check_classes(y, name, num_classes):
    if y.dtype.kind not in "iu":
        raise ValueError(
            f"`{name}` is expected to hold integer classes. Received {y.dtype}."
        )
    if y.min() < 0:
        raise ValueError(
            f"`{name}` is expected to hold classes from 0. Received {y.min()}. "
            "Leave out images without a label (-1)."
        )
    if num_classes is not None and y.max() >= num_classes:
        raise ValueError(
            f"`{name}` is expected to stay below the {num_classes} classes that "
            f"`predictions` has columns for. Received {y.max()}."
        )
