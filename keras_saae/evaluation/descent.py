"""The codes that reconstruct images best, found by Adam."""

from functools import partial

import keras
import numpy as np
from keras import ops

from keras_saae import checks
from keras_saae.backend import compiled, input_gradient

BATCH_SIZE = 200  # images whose codes are sought at a time, each from several starts


def descent(decode, steps, learning_rate, penalty=None):
    """A function from images and starts to the best codes and their errors.

    Args:
        decode: function in `keras.ops` from codes `(n, z_dim)` to images.
        steps: number of Adam's steps on |x - decode(z)|^2 / 2 + penalty(z).
        learning_rate: Adam's, in units of z.
        penalty: function in `keras.ops` from codes `(n, z_dim)` to `(n,)`; none if not
            given.

    Returns:
        `descend(x, starts)`, from images `(n, ...)` and `(starts, n, z_dim)` codes to
        float64 codes `(n, z_dim)`, for each image the best of its ends, and Euclidean
        errors `(n,)` in pixel units.
    """

    def objective(z, x):
        axes = tuple(range(1, len(x.shape)))
        squared_error = ops.sum(ops.square(x - decode(z)), axis=axes)
        values = 0.5 * squared_error
        if penalty is not None:
            values = values + penalty(z)
        return ops.sum(values), (values, squared_error)

    @compiled
    def adam(z, mean, square, t, x):
        """A step, and the objective and squared error of each code before it."""
        gradient, reached = input_gradient(lambda v: objective(v, x), z, has_aux=True)
        mean = 0.9 * mean + 0.1 * gradient
        square = 0.999 * square + 0.001 * ops.square(gradient)
        size = ops.sqrt(square / (1.0 - 0.999**t)) + 1e-8
        z = z - learning_rate * mean / (1.0 - 0.9**t) / size
        return z, mean, square, reached

    def descend(x, starts):
        num_starts, n, z_dim = starts.shape
        x = ops.convert_to_tensor(np.concatenate(num_starts * [x]))
        z = ops.convert_to_tensor(starts.reshape(-1, z_dim))
        mean = square = ops.zeros_like(z)
        for t in range(1, steps + 2):  # the last step only tells where the others led
            end = z
            t = ops.convert_to_tensor(t, "float32")
            z, mean, square, reached = adam(z, mean, square, t, x)
        objectives, errors = (
            ops.convert_to_numpy(values).reshape(num_starts, n) for values in reached
        )
        best = objectives.argmin(axis=0), np.arange(n)
        ends = ops.convert_to_numpy(end).reshape(starts.shape)
        return ends[best].astype("float64"), np.sqrt(errors[best])

    return descend


def best_codes(descend, x, z, means):
    """The best codes of images, from their own and from the mean of each class.

    Args:
        descend: what `descent` returns.
        x: images `(n, ...)`, float32 in [0, 1].
        z: their own codes `(n, z_dim)`.
        means: codes `(num_classes, z_dim)`.

    Returns:
        What `descend` returns, of all images.
    """
    ends = []
    for begin in range(0, len(x), BATCH_SIZE):
        own = z[begin : begin + BATCH_SIZE]
        from_means = np.broadcast_to(means[:, None], (len(means), *own.shape))
        starts = np.concatenate([own[None], from_means]).astype("float32")
        ends.append(descend(x[begin : begin + BATCH_SIZE], starts))
    codes, errors = map(np.concatenate, zip(*ends))
    return codes, errors


def surprise(means, weight):
    """A penalty in `keras.ops`: -weight log sum_k exp(-|z - mean_k|^2 / 2), `(n,)`."""

    def penalty(z):
        squares = ops.square(z[:, None] - ops.convert_to_tensor(means, "float32"))
        return -weight * ops.logsumexp(-0.5 * ops.sum(squares, axis=-1), axis=-1)

    return penalty


def decoder_of(model, decode, means, image_shape):
    """`decode`, or the model's own decoder, in `keras.ops`; says what does not fit."""
    if decode is None:
        decode = getattr(model, "decoder", None)
    if isinstance(decode, keras.Model):
        checks.check_network("decode", decode, means.shape[1:], image_shape)
        return partial(decode, training=False)
    if not callable(decode):
        raise ValueError(
            f"{type(model).__name__} has no `decoder`: pass `decode`, a "
            "function in keras.ops from codes to images."
        )
    found = tuple(decode(ops.convert_to_tensor(means, "float32")).shape[1:])
    if found != image_shape:
        raise ValueError(
            f"`decode` must give images of shape {image_shape}. Received {found}."
        )
    return decode
