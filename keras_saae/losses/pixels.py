"""Errors of single pixels, which reconstructions and likelihoods add up."""

from keras import ops


def per_pixel(error, x, x_reconstructed):
    """`error` of each pixel, `(n, pixels)`, in float32."""
    x, x_reconstructed = ops.cast(x, "float32"), ops.cast(x_reconstructed, "float32")
    if x.shape != x_reconstructed.shape:
        raise ValueError(
            "Images and reconstructions need the same shape. "
            f"Received x.shape={x.shape}, "
            f"x_reconstructed.shape={x_reconstructed.shape}."
        )
    return ops.reshape(error(x, x_reconstructed), (-1, _size(x.shape[1:])))


def _size(shape):
    size = 1
    for length in shape:
        size *= length
    return size


def squared_error(x, x_reconstructed):
    """Squared difference of each pixel."""
    return ops.square(x - x_reconstructed)


def crossentropy(x, x_reconstructed):
    """Cross-entropy of each pixel in nats, kept 1e-7 away from 0 and 1."""
    return ops.binary_crossentropy(x, ops.clip(x_reconstructed, 1e-7, 1 - 1e-7))
