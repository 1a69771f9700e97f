"""Priors that know nothing of classes' parts."""

import keras
from keras import ops

from keras_saae import checks


@keras.saving.register_keras_serializable("keras_saae")
class Gaussian:
    """N(0, stddev^2 I), the prior of the style code z.

    Args:
        width: number of dimensions; 10 for MNIST in the paper (appendix A.2.1).
        stddev: standard deviation of each dimension; 1, and 5 for the likelihood
            experiments (appendix A.1).

    Raises:
        TypeError, ValueError: if `width` is no integer from 1 up or `stddev` no
            positive number.
    """

    def __init__(self, width, stddev=1.0):
        self.width = checks.check_count(width, "width")
        self.stddev = checks.check_positive(stddev, "stddev")

    def sample(self, n, labels=None, seed=None):
        """Draws `(n, width)`; labels make no difference."""
        del labels
        return keras.random.normal(
            (n, self.width), stddev=self.stddev, dtype="float32", seed=seed
        )

    def get_config(self):
        return {"width": self.width, "stddev": self.stddev}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


@keras.saving.register_keras_serializable("keras_saae")
class Categorical:
    """One-hot vectors of classes drawn with given weights, the prior of y.

    Args:
        width: number of classes.
        weights: probability of each class, `width` numbers of sum 1. All equal
            unless given; give the true ones where classes are not balanced.

    Raises:
        TypeError, ValueError: if `width` is no integer from 2 up, or the weights are
            not `width` positive numbers of sum 1.
    """

    def __init__(self, width, weights=None):
        width = checks.check_count(width, "width", minimum=2)
        if weights is not None:
            weights = [float(w) for w in weights]
            positive = all(w > 0 for w in weights)
            if not (
                len(weights) == width and positive and abs(sum(weights) - 1) < 1e-3
            ):
                raise ValueError(
                    f"`weights` must be {width} positive numbers with sum 1, one per "
                    f"class. Received: {weights}"
                )
        self.width, self.weights = width, weights

    def sample(self, n, labels=None, seed=None):
        """Draws `(n, width)` one-hot rows; labels `(n,)` other than -1 are encoded."""
        drawn = keras.random.categorical(self.log_weights[None], n, seed=seed)[0]
        if labels is not None:
            labels = ops.cast(ops.convert_to_tensor(labels), drawn.dtype)
            drawn = ops.where(labels < 0, drawn, labels)
        return ops.one_hot(drawn, self.width, dtype="float32")

    def class_of(self, z):
        """The class of codes `(n, width)`: that of the largest entry, int `(n,)`."""
        return ops.argmax(z, axis=-1)

    @property
    def num_classes(self):
        """Number of classes, each of which owns an entry."""
        return self.width

    @property
    def log_weights(self):
        """Log-probability of each class, `(width,)`, in nats."""
        weights = self.weights or [1 / self.width] * self.width
        return ops.log(ops.convert_to_tensor(weights, dtype="float32"))

    def get_config(self):
        return {"width": self.width, "weights": self.weights}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


@keras.saving.register_keras_serializable("keras_saae")
class Uniform:
    """The cube [-scale, scale]^width.

    Args:
        width: number of dimensions.
        scale: half the length of an edge; 1, as commonly. Its variance is scale^2 / 3.

    Raises:
        TypeError, ValueError: if `width` is no integer from 1 up or `scale` no positive
            number.
    """

    def __init__(self, width, scale=1.0):
        self.width = checks.check_count(width, "width")
        self.scale = checks.check_positive(scale, "scale")

    def sample(self, n, labels=None, seed=None):
        """Draws `(n, width)`; labels make no difference."""
        del labels
        return keras.random.uniform(
            (n, self.width), -self.scale, self.scale, dtype="float32", seed=seed
        )

    def get_config(self):
        return {"width": self.width, "scale": self.scale}

    @classmethod
    def from_config(cls, config):
        return cls(**config)
