"""Priors: what the codes of an adversarial autoencoder should be distributed like.

A prior is any object with `sample(n, labels=None, seed=None)` that returns a float
tensor `(n, width)`; CONTRIBUTING.md shows how to write one.
"""

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
        """Draws `(n, width)` one-hot rows; given labels `(n,)` are encoded instead."""
        if labels is None:
            weights = self.weights or [1 / self.width] * self.width
            log_weights = ops.log(ops.convert_to_tensor([weights], dtype="float32"))
            labels = keras.random.categorical(log_weights, n, seed=seed)[0]
        return ops.one_hot(labels, self.width, dtype="float32")

    def get_config(self):
        return {"width": self.width, "weights": self.weights}

    @classmethod
    def from_config(cls, config):
        return cls(**config)
