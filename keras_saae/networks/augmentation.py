"""Random changes of images that leave their class alone."""

import math

import keras
from keras import ops


@keras.saving.register_keras_serializable("keras_saae")
class RandomAffine:
    """Turns, scales and shifts each image a little, at random, about its centre.

    Written with `keras.ops`, so that it runs inside the compiled step.

    Args:
        rotation: largest angle in degrees, either way. 10 to 15 for digits.
        scale: largest change of size, as a share; heights and widths change apart.
        shift: largest shift, as a share of the image's height and width.

    A call takes images `(n, height, width[, channels])`, float in [0, 1], and a seed
    (integer or `keras.random.SeedGenerator`), and returns images of the same shape,
    interpolated linearly; what comes in from outside is black.

    Raises:
        ValueError: if a size is negative, or `scale` is not below 1.
    """

    def __init__(self, rotation=10.0, scale=0.1, shift=0.05):
        if min(rotation, scale, shift) < 0 or scale >= 1:
            raise ValueError(
                "`rotation` (degrees), `scale` (below 1) and `shift` are the largest "
                f"changes, at least 0. Received: {rotation}, {scale}, {shift}"
            )
        self.rotation, self.scale, self.shift = rotation, scale, shift

    def __call__(self, x, seed):
        """Images `x`, each changed by a draw of its own."""
        n, (height, width) = ops.shape(x)[0], x.shape[1:3]
        draws = keras.random.uniform((n, 5), -1.0, 1.0, dtype="float32", seed=seed)
        angle = draws[:, 0] * math.radians(self.rotation)
        scale_x = 1.0 + self.scale * draws[:, 1]
        scale_y = 1.0 + self.scale * draws[:, 2]
        # Where in `x` a pixel of the result comes from, both seen from the centre:
        # x' = (x cos - y sin) / scale_x,  y' = (x sin + y cos) / scale_y.
        xx, xy = ops.cos(angle) / scale_x, -ops.sin(angle) / scale_x
        yx, yy = ops.sin(angle) / scale_y, ops.cos(angle) / scale_y
        centre_x, centre_y = (width - 1) / 2, (height - 1) / 2
        shift_x = centre_x * (1.0 - xx) - centre_y * xy
        shift_y = centre_y * (1.0 - yy) - centre_x * yx
        shift_x = shift_x + self.shift * width * draws[:, 3]
        shift_y = shift_y + self.shift * height * draws[:, 4]
        zeros = ops.zeros_like(angle)  # no perspective
        transform = ops.stack([xx, xy, shift_x, yx, yy, shift_y, zeros, zeros], axis=1)
        images = x if len(x.shape) == 4 else ops.expand_dims(x, -1)
        images = ops.image.affine_transform(
            images, transform, data_format="channels_last"
        )
        return ops.reshape(images, ops.shape(x))

    def get_config(self):
        """The arguments."""
        return {"rotation": self.rotation, "scale": self.scale, "shift": self.shift}

    @classmethod
    def from_config(cls, config):
        return cls(**config)
