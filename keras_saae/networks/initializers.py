"""Initial weights, drawn by NumPy: alike on every backend, and without compiling.

Keras draws them on the backend. JAX compiles such a draw anew for each shape, which
took a third of the time until the first training step.
"""

import math

import keras
import numpy as np
from keras import ops

TRUNCATED_STDDEV = 0.87962566103423978  # of N(0, 1) kept within [-2, 2]


def seeded(initializer, seed):
    """A fresh copy of an initializer, seeded where it is random.

    Args:
        initializer: initializer of Keras, or its name.
        seed: integer; a random one if not given.

    Returns:
        Initializer: of this file for `VarianceScaling` and what is built on it (Glorot,
        He, LeCun) and for `RandomNormal`, of the given one's class otherwise, which
        Keras draws.
    """
    initializer = keras.initializers.get(initializer)
    draws = type(initializer).__call__
    if draws is keras.initializers.VarianceScaling.__call__:
        if getattr(initializer, "input_axes", None) is None:
            names = ("scale", "mode", "distribution")
            return VarianceScaling(*(getattr(initializer, n) for n in names), seed)
    if draws is keras.initializers.RandomNormal.__call__:
        return RandomNormal(initializer.mean, initializer.stddev, seed)
    config = initializer.get_config()
    if "seed" in config:
        config["seed"] = seed
    return type(initializer).from_config(config)


@keras.saving.register_keras_serializable("keras_saae")
class VarianceScaling(keras.initializers.VarianceScaling):
    """Keras' `VarianceScaling`, drawn by NumPy."""

    def __call__(self, shape, dtype=None):
        fan_in, fan_out = _fans(shape)
        fans = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}
        stddev = math.sqrt(self.scale / max(1.0, fans[self.mode]))
        rng = np.random.default_rng(self.seed)
        if self.distribution == "uniform":
            limit = math.sqrt(3.0) * stddev
            values = limit * (2.0 * rng.random(shape, "float32") - 1.0)
        elif self.distribution == "truncated_normal":
            values = stddev / TRUNCATED_STDDEV * _truncated_normal(rng, shape)
        else:
            values = stddev * rng.standard_normal(shape, "float32")
        return ops.convert_to_tensor(values, dtype or keras.config.floatx())


@keras.saving.register_keras_serializable("keras_saae")
class RandomNormal(keras.initializers.RandomNormal):
    """Keras' `RandomNormal`, drawn by NumPy."""

    def __call__(self, shape, dtype=None):
        rng = np.random.default_rng(self.seed)
        values = self.mean + self.stddev * rng.standard_normal(shape, "float32")
        return ops.convert_to_tensor(values, dtype or keras.config.floatx())


def _fans(shape):
    """Inputs of a unit and units an input goes to; the last axes are in and out."""
    if len(shape) < 2:
        return (math.prod(shape),) * 2
    receptive = math.prod(shape[:-2])
    return receptive * shape[-2], receptive * shape[-1]


def _truncated_normal(rng, shape):
    """N(0, 1), drawn again where beyond two standard deviations."""
    values = rng.standard_normal(shape, "float32")
    while (outside := np.abs(values) > 2.0).any():
        values[outside] = rng.standard_normal(np.count_nonzero(outside), "float32")
    return values
