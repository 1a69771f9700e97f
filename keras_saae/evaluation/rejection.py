"""Scores of a classifier's confidence: what it would err on if it refused the rest."""

import numpy as np

from keras_saae import checks


def risk_coverage(y_true, y_predicted, confidence):
    """Error among the most confident images, for every number of them.

    Args:
        y_true: integer `(n,)`. True classes.
        y_predicted: integer `(n,)`. Predicted classes.
        confidence: float `(n,)`, larger where the classifier is surer, on any scale:
            the largest class probability, or `SelectiveClassifier.predict`'s.

    Returns:
        `(coverage, risk)`, float arrays `(n,)`: shares of the images in (0, 1], and the
        error among that share, in percent. Images of equal confidence count as if in
        random order, each by their mean error.

    Raises:
        TypeError, ValueError: for arrays of other lengths or dtypes, or NaN.

    Source: El-Yaniv and Wiener 2010, On the foundations of noise-free selective
    classification.
    """
    confidence = np.asarray(confidence, "float64")
    if confidence.ndim != 1 or not len(confidence) or np.isnan(confidence).any():
        raise ValueError(
            "`confidence` is expected as one number for each of at least one image. "
            f"Received shape {confidence.shape}"
            + (" with NaN." if np.isnan(confidence).any() else ".")
        )
    y_true, y_predicted = (
        checks.check_labels(y, len(confidence), name=name, allow_unlabelled=False)
        for name, y in (("y_true", y_true), ("y_predicted", y_predicted))
    )
    wrong = y_true != y_predicted
    # Equal confidences form a group, the surest first; its images err by its mean.
    _, group, sizes = np.unique(-confidence, return_inverse=True, return_counts=True)
    mean_error = np.bincount(group, weights=wrong) / sizes
    counts = np.arange(1, len(wrong) + 1)
    risk = np.cumsum(np.repeat(mean_error, sizes)) / counts
    return counts / len(wrong), 100.0 * risk


def area_under_risk_coverage(y_true, y_predicted, confidence):
    """Mean of the risk over all coverages, in percent; 0 without an error.

    A confidence without information scores the error rate e (as a share); the best one,
    which is lowest on all errors, e + (1 - e) log(1 - e), about e^2 / 2.

    Args:
        y_true: integer `(n,)`. True classes.
        y_predicted: integer `(n,)`. Predicted classes.
        confidence: float `(n,)`, as of `risk_coverage`.

    Returns:
        A float in [0, 100].

    Source: Geifman et al., arXiv:1805.08206.
    """
    return float(risk_coverage(y_true, y_predicted, confidence)[1].mean())


def expected_calibration_error(y_true, probabilities, bins=15):
    """How far the largest class probabilities are from the shares of right answers.

        sum_b n_b / n |accuracy_b - mean confidence_b|

    over `bins` intervals of equal width of the largest probability.

    Args:
        y_true: integer `(n,)`. True classes.
        probabilities: float `(n, classes)`, rows of sum 1.
        bins: number of intervals.

    Returns:
        Percent. 0 is perfectly calibrated; 2 to 10 is usual for networks that were not
        calibrated. It grows with the number of bins where images are few.

    Raises:
        TypeError, ValueError: for arrays of wrong shapes, or rows that are not
            probabilities.

    Source: Guo et al., arXiv:1706.04599, equation 3.
    """
    bins = checks.check_count(bins, "bins")
    p = np.asarray(probabilities, "float64")
    if p.ndim != 2 or not p.size:
        raise ValueError(
            "`probabilities` are expected of shape (n, classes). Received shape "
            f"{p.shape}."
        )
    if not (p.min() >= 0 and np.allclose(p.sum(axis=1), 1, atol=1e-3)):
        raise ValueError(
            "`probabilities` are expected from 0 up, with rows of sum 1. Received "
            f"values from {p.min():g} to {p.max():g}, sums from {p.sum(1).min():g} to "
            f"{p.sum(1).max():g}. Of logits take the softmax."
        )
    y_true = checks.check_labels(
        y_true, len(p), p.shape[1], name="y_true", allow_unlabelled=False
    )
    confidence, right = p.max(axis=1), p.argmax(axis=1) == y_true
    # Intervals are closed above: (0, 1/bins], (1/bins, 2/bins], ...
    which = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    gaps = np.bincount(which, weights=right - confidence, minlength=bins)
    return 100.0 * float(np.abs(gaps).sum() / len(p))
