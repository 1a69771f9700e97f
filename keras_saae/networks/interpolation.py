"""Images at places between their pixels."""

import math

from keras import ops


def from_centre(height, width):
    """Columns `(1, 1, width)` and rows `(1, height, 1)` of an image, centre at 0."""
    across = ops.arange(width, dtype="float32")[None, None, :] - (width - 1) / 2
    down = ops.arange(height, dtype="float32")[None, :, None] - (height - 1) / 2
    return across, down


def interpolate(x, from_x, from_y, black=True):
    """Images `x` at other places than their pixels', linearly between these.

    Args:
        x: images `(n, height, width[, channels])`.
        from_x: the column that each pixel of the result comes from, `(n, height,
            width)`, in pixels from the centre.
        from_y: the row, the same.
        black: whether it is black outside; else the edge goes on there.

    Returns:
        Images of the same shape. Gradients flow to `x` and to the places.

    `ops.image.affine_transform` does the same, but cannot be compiled by XLA on
    TensorFlow and takes the images one by one on PyTorch.
    """
    height, width = x.shape[1:3]
    from_x, from_y = from_x + (width - 1) / 2, from_y + (height - 1) / 2
    pixels = ops.reshape(x, (-1, math.prod(x.shape[3:])))  # a row holds the channels
    image = ops.arange(ops.shape(x)[0], dtype="int32")[:, None, None] * (height * width)
    left, top = ops.floor(from_x), ops.floor(from_y)
    result = 0.0
    for row in (top, top + 1.0):
        for column in (left, left + 1.0):
            inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
            weight = (1.0 - ops.abs(from_y - row)) * (1.0 - ops.abs(from_x - column))
            if black:
                weight = weight * ops.cast(inside, "float32")
            at = ops.clip(row, 0, height - 1) * width + ops.clip(column, 0, width - 1)
            value = ops.take(pixels, image + ops.cast(at, "int32"), axis=0)
            result = result + weight[..., None] * value
    return ops.reshape(result, ops.shape(x))
