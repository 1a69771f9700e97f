"""Priors of which each class can own a part."""

import math

import keras
from keras import ops

from keras_saae import checks
from keras_saae.priors.unlabelled import Categorical


@keras.saving.register_keras_serializable("keras_saae")
class GaussianMixture:
    """Gaussians on a ring in the plane, like the petals of a flower, one per class.

    Petal k lies at angle 2 pi k / K, is longer along the radius than across it, and
    belongs to class k.

    Args:
        num_classes: number of Gaussians, K; 10 in the paper's figure 2.
        width: 2, the only width there is.
        radius: distance of their centres from the origin.
        stddev_along: standard deviation along the radius.
        stddev_across: standard deviation across it. With the values given here, the
            centres of ten neighbours are 16.5 of these apart.

    Raises:
        TypeError, ValueError: if `width` is not 2, `num_classes` no integer from 2 up
            or a length no positive number.

    Source: Makhzani et al., arXiv:1511.05644, figures 2 and 4, which show the shape;
    the lengths are ours.
    """

    def __init__(
        self,
        num_classes=10,
        width=2,
        radius=4.0,
        stddev_along=0.7,
        stddev_across=0.15,
    ):
        _check_plane("A ring of Gaussians", num_classes, width)
        self.num_classes, self.width = num_classes, width
        self.radius = checks.check_positive(radius, "radius")
        self.stddev_along = checks.check_positive(stddev_along, "stddev_along")
        self.stddev_across = checks.check_positive(stddev_across, "stddev_across")

    def sample(self, n, labels=None, seed=None):
        """Draws `(n, 2)`.

        Args:
            n: number of draws.
            labels: int tensor `(n,)`, whose petal each draw comes from; -1, or no
                labels at all, means any.
            seed: integer or `keras.random.SeedGenerator`.
        """
        of_class, of_place = _two_seeds(seed)
        u = keras.random.uniform((n,), dtype="float32", seed=of_class)
        petal = _position(u, labels, self.num_classes) * self.num_classes
        petal = ops.minimum(ops.floor(petal), self.num_classes - 1)
        e = keras.random.normal((n, 2), dtype="float32", seed=of_place)
        along = self.radius + self.stddev_along * e[:, 0]
        across = self.stddev_across * e[:, 1]
        cos, sin = self._directions(petal)
        return ops.stack([along * cos - across * sin, along * sin + across * cos], -1)

    def log_densities(self, z):
        """Log-density of codes `(n, 2)` under each petal, `(n, num_classes)`, nats."""
        z = ops.expand_dims(ops.convert_to_tensor(z, dtype="float32"), 1)
        cos, sin = self._directions(ops.arange(self.num_classes, dtype="float32"))
        along = (z[..., 0] * cos + z[..., 1] * sin - self.radius) / self.stddev_along
        across = (z[..., 1] * cos - z[..., 0] * sin) / self.stddev_across
        volume = 2 * math.pi * self.stddev_along * self.stddev_across
        return -0.5 * (ops.square(along) + ops.square(across)) - math.log(volume)

    def class_of(self, z):
        """The class in whose petal codes `(n, 2)` most likely lie, int `(n,)`."""
        return ops.argmax(self.log_densities(z), axis=-1)

    def _directions(self, petal):
        angle = petal * (2 * math.pi / self.num_classes)
        return ops.cos(angle), ops.sin(angle)

    def get_config(self):
        return {
            "num_classes": self.num_classes,
            "width": self.width,
            "radius": self.radius,
            "stddev_along": self.stddev_along,
            "stddev_across": self.stddev_across,
        }

    @classmethod
    def from_config(cls, config):
        return cls(**config)


@keras.saving.register_keras_serializable("keras_saae")
class ClassGaussians:
    """N(mean_k, I) for each class k, all means at the same distance from each other.

        mean_k = distance / sqrt(2) e_k,   e_k the k-th unit vector

    Args:
        num_classes: number of Gaussians, K.
        width: number of dimensions, at least K; K if not given, 10 for MNIST.
        distance: of the means. Of 8 standard deviations, one draw in 30,000 is nearer
            to a given other mean than to its own.
        weights: probability of each class, as of `Categorical`.

    Raises:
        TypeError, ValueError: if there are more classes than dimensions, fewer than two
            classes, or `distance` is no positive number.

    Source: Ghosh et al., arXiv:1806.00081, one Gaussian per class; places and distance
    are ours.
    """

    def __init__(self, num_classes, width=None, distance=8.0, weights=None):
        self.classes = Categorical(num_classes, weights)
        width = num_classes if width is None else checks.check_count(width, "width")
        if num_classes > width:
            raise ValueError(
                "Gaussians at equal distances need a dimension for each class. "
                f"Received num_classes={num_classes}, width={width}. Take z_dim >= "
                "num_classes."
            )
        self.num_classes, self.width = num_classes, width
        self.distance = checks.check_positive(distance, "distance")

    @property
    def means(self):
        """Middle of each class, `(num_classes, width)`."""
        places = ops.eye(self.num_classes, self.width, dtype="float32")
        return self.distance / math.sqrt(2) * places

    @property
    def log_weights(self):
        """Log-probability of each class, `(num_classes,)`, in nats."""
        return self.classes.log_weights

    def sample(self, n, labels=None, seed=None):
        """Draws `(n, width)`, each from its label's Gaussian; -1 or none means any."""
        of_class, of_place = _two_seeds(seed)
        y = self.classes.sample(n, labels, seed=of_class)
        e = keras.random.normal((n, self.width), dtype="float32", seed=of_place)
        return ops.matmul(y, self.means) + e

    def log_densities(self, z):
        """Log-density of codes `(n, width)` under each Gaussian, `(n, num_classes)`."""
        z = ops.expand_dims(ops.convert_to_tensor(z, dtype="float32"), 1)
        squares = ops.sum(ops.square(z - self.means), axis=-1)
        return -0.5 * (squares + self.width * math.log(2 * math.pi))

    def class_of(self, z):
        """The class that codes `(n, width)` most likely come from, int `(n,)`."""
        return ops.argmax(self.log_densities(z) + self.log_weights, axis=-1)

    def get_config(self):
        return {
            "num_classes": self.num_classes,
            "width": self.width,
            "distance": self.distance,
            "weights": self.classes.weights,
        }

    @classmethod
    def from_config(cls, config):
        return cls(**config)


@keras.saving.register_keras_serializable("keras_saae")
class SwissRoll:
    """A spiral in the plane, of which each class owns a stretch of equal length.

        z = radius sqrt(s) (cos a, sin a) + stddev e,  a = 2 pi turns sqrt(s),

    s uniform in [0, 1], e ~ N(0, I). Class k owns s from k / K to (k + 1) / K; it is
    wound so that length, far from the centre, grows with s.

    Args:
        num_classes: number of classes, K; 10 in the paper's figure 4.
        width: 2, the only width there is.
        radius: of the outer end.
        turns: how often it is wound. Windings are radius / turns apart.
        stddev: thickness. With the values given here, 98.5 % of the draws from a
            stretch are nearest to it; the others lie at its ends.

    Raises:
        TypeError, ValueError: if `width` is not 2, `num_classes` no integer from 2 up
            or a length no positive number.

    Source: Makhzani et al., arXiv:1511.05644, figure 4, which shows the shape; the
    lengths are ours.
    """

    def __init__(self, num_classes=10, width=2, radius=4.0, turns=2.0, stddev=0.05):
        _check_plane("A Swiss roll", num_classes, width)
        self.num_classes, self.width = num_classes, width
        self.radius = checks.check_positive(radius, "radius")
        self.turns = checks.check_positive(turns, "turns")
        self.stddev = checks.check_positive(stddev, "stddev")

    def sample(self, n, labels=None, seed=None):
        """Draws `(n, 2)`.

        Args:
            n: number of draws.
            labels: int tensor `(n,)`, whose stretch each draw comes from; -1, or no
                labels at all, means any.
            seed: integer or `keras.random.SeedGenerator`.
        """
        of_place, of_noise = _two_seeds(seed)
        u = keras.random.uniform((n,), dtype="float32", seed=of_place)
        e = keras.random.normal((n, 2), dtype="float32", seed=of_noise)
        return self._curve(_position(u, labels, self.num_classes)) + self.stddev * e

    def class_of(self, z):
        """The class whose stretch is nearest to codes `(n, 2)`, int `(n,)`."""
        z = ops.expand_dims(ops.convert_to_tensor(z, dtype="float32"), 1)
        per_class = 200  # points; 0.01 apart with the lengths given here
        count = self.num_classes * per_class
        s = (ops.arange(count, dtype="float32") + 0.5) / count
        points = self._curve(s)
        nearest = [
            ops.argmin(ops.sum(ops.square(z[k : k + 1000] - points), axis=-1), axis=-1)
            for k in range(0, max(1, len(z)), 1000)  # 16 MB of distances at a time
        ]
        return ops.concatenate(nearest) // per_class

    def _curve(self, s):
        root = ops.sqrt(s)
        angle = 2 * math.pi * self.turns * root
        x, y = root * ops.cos(angle), root * ops.sin(angle)
        return self.radius * ops.stack([x, y], axis=-1)

    def get_config(self):
        return {
            "num_classes": self.num_classes,
            "width": self.width,
            "radius": self.radius,
            "turns": self.turns,
            "stddev": self.stddev,
        }

    @classmethod
    def from_config(cls, config):
        return cls(**config)


def _check_plane(what, num_classes, width):
    if width != 2:
        raise ValueError(
            f"{what} lies in the plane, width=2. Received width={width}. For more "
            "dimensions take Gaussian or Uniform, or write a prior of your own: "
            "CONTRIBUTING.md shows how."
        )
    checks.check_count(num_classes, "num_classes", minimum=2)


def _position(u, labels, num_classes):
    """`u` in [0, 1) moved into each label's share; left alone where it is -1."""
    if labels is None:
        return u
    labels = ops.convert_to_tensor(labels)
    share = (ops.cast(labels, "float32") + u) / num_classes
    return ops.where(labels < 0, u, share)


def _two_seeds(seed):
    """Seeds of two independent draws: a generator moves on, an integer does not."""
    return (seed, seed + 1) if isinstance(seed, int) else (seed, seed)
