"""Images from codes."""

import numpy as np

from keras_saae.door import EVALUATION_BATCH_SIZE


class DrawsImages:
    """Draws images from the prior.

    Uses the model's `decoder`, and `draw_codes(n, label, seed)`, which it has to add.
    """

    def decode_codes(self, codes):
        """Images of what the decoder gets, an array `(n, *image_shape)` in [0, 1]."""
        codes = np.asarray(codes, "float32")
        x = self.decoder.predict(codes, batch_size=EVALUATION_BATCH_SIZE, verbose=0)
        return x.astype("float32", copy=False)
