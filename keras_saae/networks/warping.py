"""The end of a decoder that moves what it has painted: a spatial transformer."""

import keras
from keras import layers, ops

from keras_saae import checks
from keras_saae.networks.interpolation import from_centre, interpolate


@keras.saving.register_keras_serializable("keras_saae")
class AffineWarp(layers.Layer):
    """Turns, scales, slants and shifts each image, by six numbers of its own.

    The pixel at (u, v) of the result, seen from the centre, comes from

        ((1 + a) u + b v + c width / 2,   d u + (1 + e) v + f height / 2)

    between pixels linearly, and is black where that lies outside. The numbers a to f
    are limit tanh(m / 10) of the six m that the layer gets: six zeros leave the image
    as it is, and none leaves the picture, from where no gradient brings it back. A step
    of Adam moves all weights of a wide layer at once; the division makes it small.

    A decoder that ends so need not paint a slanted seven apart from an upright one: it
    paints one seven and slants it. What it learns of a slant holds for every image.

    Args:
        limit: largest absolute value of a to f. Typical: 0.5, which is half the size of
            the image, or a quarter of it for shifts.

    A call takes `[x, m]`: images `(n, height, width[, channels])` and numbers `(n, 6)`.
    It returns images of the same shape, float32. Gradients flow to both.

    Raises:
        ValueError: if `limit` is not positive.

    Example:
        >>> h = layers.Dense(500, "relu")(code)
        >>> x = layers.Reshape((28, 28))(layers.Dense(784, "sigmoid")(h))
        >>> x = AffineWarp()([x, layers.Dense(6, kernel_initializer="zeros")(h)])

    Source: Jaderberg et al., arXiv:1506.02025, equations 1 and 5; there such a layer
    stands in front of a classifier. The limit is ours.
    """

    def __init__(self, limit=0.5, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.limit = checks.check_positive(limit, "limit")

    def call(self, inputs):
        x, moves = inputs
        moves = self.limit * ops.tanh(ops.cast(moves, "float32") / 10.0)
        height, width = x.shape[1:3]
        across, down = from_centre(height, width)
        a, b, c, d, e, f = (ops.reshape(moves[:, k], (-1, 1, 1)) for k in range(6))
        from_x = (1.0 + a) * across + b * down + c * (width / 2)
        from_y = d * across + (1.0 + e) * down + f * (height / 2)
        return interpolate(x, from_x, from_y)

    def compute_output_shape(self, input_shape):
        """That of the images."""
        return tuple(input_shape[0])

    def get_config(self):
        return {**super().get_config(), "limit": self.limit}


@keras.saving.register_keras_serializable("keras_saae")
class Retouch(layers.Layer):
    """Makes pixels lighter or darker, without leaving [0, 1].

        sigmoid(log(x / (1 - x)) + changes)

    After `AffineWarp` it sharpens what lay between pixels, and changes what moving the
    whole image cannot. Changes of zero leave pixels from 0.001 to 0.999 as they are.

    A call takes `[x, changes]`, both of one shape `(n, ...)`; it returns float32.
    """

    def __init__(self, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})

    def call(self, inputs):
        x, changes = inputs
        x = ops.clip(x, 0.001, 0.999)  # from black and white no change is enough
        return ops.sigmoid(ops.log(x / (1.0 - x)) + ops.cast(changes, "float32"))

    def compute_output_shape(self, input_shape):
        """That of either."""
        return tuple(input_shape[0])
