"""What reconstructions keep of their images: pixels, the class, the sharpness."""

import numpy as np
from keras import ops

from keras_saae import checks


def euclidean_error(x, x_reconstructed):
    """|x - x'|, pixel units: `(n,)` of images and reconstructions in [0, 1]."""
    difference = ops.reshape(x - x_reconstructed, (ops.shape(x)[0], -1))
    squares = ops.sum(ops.square(difference), axis=-1)
    some = squares > 0  # the root has no gradient at 0
    return ops.where(some, ops.sqrt(ops.where(some, squares, 1.0)), 0.0)


def cross_entropy_error(x, x_reconstructed, least=1e-3):
    """-sum_pixels x log x' + (1 - x) log(1 - x'), nats: `(n,)`.

    x' is kept `least` away from 0 and 1, so that a pixel costs 6.9 nats at most.
    """
    p = ops.clip(x_reconstructed, least, 1.0 - least)
    nats = -(x * ops.log(p) + (1.0 - x) * ops.log(1.0 - p))
    return ops.sum(ops.reshape(nats, (ops.shape(x)[0], -1)), axis=-1)


RECONSTRUCTION_ERRORS = {
    "euclidean": euclidean_error,
    "cross_entropy": cross_entropy_error,
}


def class_kept(y_true, judged, judged_reconstructions):
    """Share of reconstructions that a classifier gives the class of their image.

    Images that the classifier gets wrong itself do not count.

    Args:
        y_true: integer `(n,)`. Classes of the images.
        judged: float `(n, classes)`. Probabilities that a separate classifier gives
            the images.
        judged_reconstructions: the same of their reconstructions, in the same order.

    Returns:
        Percent; 100 would be best.

    Raises:
        ValueError: if lengths differ, or the classifier gets no image right.
    """
    judged, again = np.asarray(judged), np.asarray(judged_reconstructions)
    if judged.ndim != 2 or judged.shape != again.shape:
        raise ValueError(
            "Images and reconstructions are judged alike, by probabilities (n, "
            f"classes). Received shapes {judged.shape} and {again.shape}."
        )
    y_true = checks.check_labels(
        y_true, len(judged), judged.shape[1], name="y_true", allow_unlabelled=False
    )
    right = judged.argmax(axis=1) == y_true
    if not right.any():
        raise ValueError(
            "The classifier gets none of the images right, so it cannot judge their "
            "reconstructions. Train it first."
        )
    return 100.0 * float(np.mean(again.argmax(axis=1)[right] == y_true[right]))


def sharpness(x):
    """How abruptly neighbouring pixels differ.

        mean over the images of sum_pixels (x - mean of the four neighbours)^2

    A blurred image scores less than the sharp one, noise more: compare it with the
    score of real images.

    Args:
        x: images `(n, height, width[, channels])`, at least 3 x 3 pixels, uint8 or
            float in [0, 1].

    Returns:
        A float from 0 up, in squared pixel units; the outermost pixels do not count.

    Raises:
        TypeError, ValueError: if `x` holds no images.

    Source: the energy of the discrete Laplacian, a customary measure of focus.
    """
    x = checks.check_images(x)
    x = x.astype("float32") / (255.0 if x.dtype == np.uint8 else 1.0)
    around = x[:, :-2, 1:-1] + x[:, 2:, 1:-1] + x[:, 1:-1, :-2] + x[:, 1:-1, 2:]
    differences = x[:, 1:-1, 1:-1] - around / 4
    return float(np.square(differences).sum() / len(x))
