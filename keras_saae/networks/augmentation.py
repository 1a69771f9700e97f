"""Random changes of images that leave their class alone."""

import math

import keras
from keras import ops

from keras_saae import checks
from keras_saae.networks.interpolation import from_centre, interpolate


@keras.saving.register_keras_serializable("keras_saae")
class RandomAffine:
    """Turns, scales, shifts and slants each image a little, at random.

    Written with `keras.ops`, so that it runs inside the compiled step.

    Args:
        rotation: largest angle in degrees, either way. 10 to 15 for digits.
        scale: largest change of size, as a share; heights and widths change apart.
        shift: largest shift, as a share of the image's height and width.
        shear: largest slant, as the tangent of its angle, such as 0.3 for handwriting.
        fill: what comes in from outside: "black", or "edge", the colour of the image's
            edge there, for images whose background is not black.

    A call takes images `(n, height, width[, channels])`, float in [0, 1], and a seed
    (integer or `keras.random.SeedGenerator`), and returns images of the same shape,
    interpolated linearly.

    Raises:
        ValueError: if a size is negative, `scale` is not below 1 or `fill` unknown; at
            a call, if images have another number of axes.
    """

    def __init__(self, rotation=10.0, scale=0.1, shift=0.05, shear=0.0, fill="black"):
        sizes = (rotation, scale, shift, shear)
        if not all(0 <= size < math.inf for size in sizes) or scale >= 1:
            raise ValueError(
                "`rotation` (degrees), `scale` (below 1), `shift` and `shear` are the "
                f"largest changes, at least 0. Received: {sizes}"
            )
        self.rotation, self.scale, self.shift, self.shear = sizes
        checks.check_choice("fill", fill, ("black", "edge"))
        self.fill = fill

    def __call__(self, x, seed):
        """Images `x`, each changed by a draw of its own."""
        if len(x.shape) not in (3, 4):
            raise ValueError(
                "RandomAffine takes images of shape (n, height, width[, channels]). "
                f"Received shape {tuple(x.shape)}."
            )
        n, (height, width) = ops.shape(x)[0], x.shape[1:3]
        draws = keras.random.uniform((n, 6), -1.0, 1.0, dtype="float32", seed=seed)
        turn, grow_x, grow_y, shift_x, shift_y, slant = (
            ops.reshape(draws[:, k], (-1, 1, 1)) for k in range(6)
        )
        angle = turn * math.radians(self.rotation)
        # Where in `x` each pixel of the result comes from, both seen from the centre.
        across, down = from_centre(height, width)
        across = across + self.shear * slant * down
        from_x = across * ops.cos(angle) - down * ops.sin(angle)
        from_y = across * ops.sin(angle) + down * ops.cos(angle)
        from_x = from_x / (1.0 + self.scale * grow_x) + self.shift * width * shift_x
        from_y = from_y / (1.0 + self.scale * grow_y) + self.shift * height * shift_y
        return interpolate(x, from_x, from_y, self.fill == "black")

    def get_config(self):
        """The arguments."""
        return {
            "rotation": self.rotation,
            "scale": self.scale,
            "shift": self.shift,
            "shear": self.shear,
            "fill": self.fill,
        }

    @classmethod
    def from_config(cls, config):
        return cls(**config)
