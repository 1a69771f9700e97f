"""Codes of one part, z, which is all that the decoder sees."""

import numpy as np
from keras import ops

from keras_saae import checks
from keras_saae.abilities.draws import DrawsImages
from keras_saae.door import PixelBatches
from keras_saae.networks import pixels


class EncodesOneCode:
    """Reads z from images.

    Uses the model's `encoder` (a `StochasticEncoder`) and `image_shape`.
    """

    def call(self, x, training=False):
        """Codes `(n, z_dim)` of images, without noise."""
        return self.encoder(pixels(x), training=training)

    def encode(self, x, seed=None):
        """Codes of images, an array `(n, z_dim)`.

        Args:
            x: images, uint8 or float in [0, 1], `(n, *image_shape)`.
            seed: integer. Draws from q(z|x), of which there is a choice unless the
                posterior is deterministic. Without, the middle: the Gaussian's mean,
                the universal posterior at noise 0.
        """
        x = checks.check_images(x, image_shape=self.image_shape, allow_lazy=True)
        noise = ()
        if seed is not None and self.encoder.noise_dim:
            as_many = np.empty((len(x), 0))  # x may be lazy, which `ops` cannot take
            noise = (ops.convert_to_numpy(self.encoder.noise(as_many, seed)),)
        return self.encoder.predict(PixelBatches(x, *noise), verbose=0)


class OneCode(EncodesOneCode, DrawsImages):
    """Reads z from images and draws images from z.

    Uses the model's `decoder`, `prior` and `z_dim` beside those of `EncodesOneCode`.
    """

    def decode(self, z):
        """Images of codes `(n, z_dim)`, an array `(n, *image_shape)` in [0, 1].

        Raises:
            ValueError: if the codes have another width.
        """
        z = np.asarray(z, "float32")
        if z.ndim != 2 or z.shape[1] != self.z_dim:
            raise ValueError(
                f"`decode` takes codes of shape (n, {self.z_dim}). Received shape "
                f"{z.shape}."
            )
        return self.decode_codes(z)

    def reconstruct(self, x):
        """Images decoded from the codes of images `x`, an array like `x` in [0, 1]."""
        return self.decode(self.encode(x))

    def sample(self, n, label=None, seed=None):
        """Draws images from the prior.

        Args:
            n: number of images.
            label: a class number or `n` of them, where the prior knows classes.
            seed: integer that makes the draw repeatable.

        Returns:
            Array `(n, *image_shape)`, pixels in [0, 1].

        Raises:
            ValueError: if there is a label and the prior knows no classes, or not it.
        """
        return self.decode_codes(self.draw_codes(n, label, seed))

    def draw_codes(self, n, label=None, seed=None):
        """Codes `(n, z_dim)` from the prior, as `sample` decodes them."""
        labels = None
        if label is not None:
            if not callable(getattr(self.prior, "class_of", None)):
                raise ValueError(
                    "`label` chooses the part of the prior that its class owns, but "
                    f"classes own no parts of {type(self.prior).__name__}. Leave it "
                    "out."
                )
            label = np.asarray(label)
            labels = checks.check_labels(
                np.full(n, label) if label.ndim == 0 else label,
                n,
                getattr(self.prior, "num_classes", None),
                name="label",
            )
            labels = ops.convert_to_tensor(labels.astype("int32"))
        return ops.convert_to_numpy(self.prior.sample(n, labels=labels, seed=seed))


class ClassifiesCodes:
    """Predicts the class of an image from its code.

    Uses the model's `encoder` (a `StochasticEncoder`) and `code_logits(z)`.
    """

    def call(self, x, training=False):
        """Class probabilities `(n, num_classes)` of images, from their mean codes."""
        return ops.softmax(self.classify(pixels(x), training))

    def classify(self, x, training=False):
        """Class logits of images, a tensor: what attacks climb without rounding."""
        return self.code_logits(self.encoder(x, training=training))
