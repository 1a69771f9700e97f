"""What figures are given: images, labels and points, checked."""

import numpy as np


def rgb(images, name, grid=False):
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
    check_finite(images, name)
    if images.max() > 20:  # a linear decoder strays, but never that far
        raise ValueError(
            f"`{name}` looks scaled to 255: float images are expected in [0, 1]. "
            f"Received a largest value of {images.max():.4g}. Divide by 255 or pass "
            "uint8."
        )
    return np.broadcast_to(images.clip(0, 1), (*images.shape[:-1], 3))


def check_finite(values, name):
    """Refuses NaN and infinity."""
    if not np.isfinite(values).all():
        raise ValueError(f"`{name}` is expected to be finite. Received NaN or inf.")


def check_labels(y, n, num_classes, name):
    """`n` integer classes as an array, below `num_classes` unless that is None."""
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


def check_points(z, name):
    """Points `(n, 2)`, or with more dimensions, as an array of floats."""
    z = np.asarray(z)
    if z.ndim != 2 or not len(z) or z.shape[1] < 2:
        raise ValueError(
            f"`{name}` is expected as points (n, 2) with n > 0. Received shape "
            f"{z.shape}."
        )
    check_finite(z, name)
    return z.astype("float64")
