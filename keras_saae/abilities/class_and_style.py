"""Codes of two parts: a class y and a style z."""

import numpy as np
from keras import ops

from keras_saae import checks
from keras_saae.abilities.averaging import AveragedClassifier
from keras_saae.abilities.draws import DrawsImages
from keras_saae.adversary import EVALUATION_SEED
from keras_saae.door import PixelBatches


class DecodesClassAndStyle(DrawsImages):
    """Draws images from a class and a style.

    Uses the model's `decoder`, `prior_y`, `prior_z`, `num_classes`, `z_dim` and
    `image_shape`.
    """

    @property
    def code_width(self):
        """Width of what the decoder gets."""
        return self.num_classes + self.z_dim

    def join(self, y, z):
        """What the decoder gets: by default y beside z, `(n, num_classes + z_dim)`."""
        return ops.concatenate([y, z], axis=-1)

    def decode(self, y, z):
        """Images of codes, an array `(n, *image_shape)` in [0, 1].

        Args:
            y: class codes `(n, num_classes)`, such as one-hot rows.
            z: style codes `(n, z_dim)`.

        Raises:
            ValueError: if a shape is another.
        """
        y, z = np.asarray(y, "float32"), np.asarray(z, "float32")
        expected = ((len(y), self.num_classes), (len(y), self.z_dim))
        if (y.shape, z.shape) != expected:
            raise ValueError(
                f"`decode` takes y of shape (n, {self.num_classes}) and z of shape "
                f"(n, {self.z_dim}). Received y.shape={y.shape}, z.shape={z.shape}. "
                "Turn class numbers into codes with keras.utils.to_categorical."
            )
        return self.decode_codes(ops.convert_to_numpy(self.join(y, z)))

    def sample(self, n, label=None, style=None, seed=None):
        """Draws images.

        Args:
            n: number of images.
            label: a class number, or `n` of them; drawn from `prior_y` if not given.
            style: a style code `(z_dim,)`, or `n` of them; drawn from `prior_z` if
                not given.
            seed: integer that makes the draw repeatable.

        Returns:
            Array `(n, *image_shape)`, pixels in [0, 1].

        Raises:
            ValueError: if `label` or `style` has another shape or range.
        """
        return self.decode_codes(self.draw_codes(n, label, seed, style))

    def draw_codes(self, n, label=None, seed=None, style=None):
        """What the decoder gets, `(n, code_width)`, from the priors, as in `sample`."""
        if label is None:
            y = ops.convert_to_numpy(self.prior_y.sample(n, seed=seed))
        else:
            label = np.asarray(label)
            label = checks.check_labels(
                np.full(n, label) if label.ndim == 0 else label,
                n,
                self.num_classes,
                name="label",
                allow_unlabelled=False,
            )
            y = np.eye(self.num_classes, dtype="float32")[label]
        if style is None:
            style_seed = None if seed is None else seed + 1
            z = ops.convert_to_numpy(self.prior_z.sample(n, seed=style_seed))
        else:
            z = np.asarray(style, "float32")
            z = np.tile(z, (n, 1)) if z.ndim == 1 else z
            if z.shape != (n, self.z_dim):
                raise ValueError(
                    f"`style` must be a style code of shape ({self.z_dim},) or {n} of "
                    f"them. Received shape {np.shape(style)}."
                )
        return ops.convert_to_numpy(self.join(y, z))

    def class_style_grid(self, styles):
        """Every class in every style.

        Args:
            styles: style codes `(num_styles, z_dim)`, or a number of them to draw,
                the same at each call.

        Returns:
            Array `(num_classes, num_styles, *image_shape)`: a row has one class, a
            column one style.
        """
        if np.ndim(styles) == 0:
            styles = ops.convert_to_numpy(
                self.prior_z.sample(int(styles), seed=EVALUATION_SEED)
            )
        y = np.repeat(np.eye(self.num_classes), len(styles), axis=0)
        images = self.decode(y, np.tile(styles, (self.num_classes, 1)))
        return images.reshape(self.num_classes, len(styles), *self.image_shape)


class EncodesClassAndStyle(AveragedClassifier, DecodesClassAndStyle):
    """Reads class and style from images, by an encoder with two heads."""

    def encode(self, x):
        """Codes of images: `(y, z)`, arrays `(n, num_classes)` and `(n, z_dim)`.

        Args:
            x: images, uint8 or float in [0, 1], `(n, *image_shape)`.
        """
        x = checks.check_images(x, image_shape=self.image_shape, allow_lazy=True)
        encoder = self._encoder(training=False)
        y_logits, z = encoder.predict(PixelBatches(x), verbose=0)
        y = np.exp(y_logits - y_logits.max(axis=-1, keepdims=True))
        return y / y.sum(axis=-1, keepdims=True), z

    def reconstruct(self, x):
        """Images decoded from the codes of images `x`, an array like `x` in [0, 1]."""
        return self.decode(*self.encode(x))
