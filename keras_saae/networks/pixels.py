"""What happens to images before the first layer."""

import keras
from keras import ops


def pixels(x):
    """Images as float32 in [0, 1]; uint8 images are divided by 255."""
    if keras.backend.standardize_dtype(x.dtype) == "uint8":
        return ops.cast(x, "float32") / 255.0
    return ops.cast(x, "float32")


def with_noise(x, stddev, seed):
    """`x` plus Gaussian noise of standard deviation `stddev`, in pixel units."""
    if not stddev:
        return x
    return x + keras.random.normal(ops.shape(x), stddev=stddev, seed=seed)
