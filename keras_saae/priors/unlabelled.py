"""Priors that know nothing of classes' parts."""

import keras
from keras import ops


@keras.saving.register_keras_serializable("keras_saae")
class Gaussian:
    """N(0, stddev^2 I), the prior of the style code z.

    Args:
        width: number of dimensions; 10 for MNIST in the paper (appendix A.2.1).
        stddev: standard deviation of each dimension; 1, and 5 for the likelihood
            experiments (appendix A.1).

    Raises:
        ValueError: if `width` is below 1 or `stddev` is not positive.
    """

    def __init__(self, width, stddev=1.0):
        if width < 1 or stddev <= 0:
            raise ValueError(
                "A Gaussian prior has at least one dimension and a positive standard "
                f"deviation. Received width={width}, stddev={stddev}."
            )
        self.width, self.stddev = width, stddev

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
        ValueError: if there are fewer than two classes, or the weights are not
            `width` positive numbers of sum 1.
    """

    def __init__(self, width, weights=None):
        if width < 2:
            raise ValueError(
                f"A class code needs at least two classes. Received width={width}."
            )
        if weights is not None:
            weights = [float(w) for w in weights]
            if (
                len(weights) != width
                or min(weights) <= 0
                or (abs(sum(weights) - 1) > 1e-3)
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
            labels = ops.cast(labels, drawn.dtype)
            drawn = ops.where(labels < 0, drawn, labels)
        return ops.one_hot(drawn, self.width, dtype="float32")

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
        ValueError: if `width` is below 1 or `scale` is not positive.
    """

    def __init__(self, width, scale=1.0):
        if width < 1 or scale <= 0:
            raise ValueError(
                "A uniform prior has at least one dimension and a positive scale. "
                f"Received width={width}, scale={scale}."
            )
        self.width, self.scale = width, scale

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
