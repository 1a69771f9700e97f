"""Batches of images without labels."""

import math
import warnings

import keras
import numpy as np

from keras_saae.checks import check_count, check_images
from keras_saae.data import randomness
from keras_saae.data.lazy import from_disk


class UnlabelledDataset(keras.utils.PyDataset):
    """Images in batches for `fit`, in an order that depends on the seed alone.

    A batch is a dict with `x`, `(batch_size, height, width[, channels])`, uint8 or
    float32, as given. An epoch is one pass over all images; a short last batch is
    filled from the epoch's start. A batch depends on the seed, the epoch set by
    `set_epoch` and its index, on nothing else, so an interrupted run can go on where it
    stopped.

    Args:
        x: images, uint8 or float in [0, 1], `(n, height, width[, channels])`.
        batch_size: images in `x`. Typically 100 to 250.
        seed: integer from 0 up, draws the order of the images.

    Attributes:
        num_images: number of images.
        num_classes: None, for nothing is known about classes.

    Raises:
        TypeError: if images or sizes have a wrong type.
        ValueError: if images are malformed or the batch is larger than the data.
    """

    num_classes = None

    def __init__(self, x, batch_size=100, seed=0):
        super().__init__()
        self.x = from_disk(check_images(x, allow_lazy=True))
        self.batch_size = check_count(batch_size, "batch_size")
        self.seed = check_count(seed, "seed", minimum=0)
        self.num_images = len(self.x)
        if self.batch_size > self.num_images:
            raise ValueError(
                f"`batch_size={self.batch_size}` is larger than the data, "
                f"{self.num_images} images. Use a batch size of at most "
                f"{self.num_images}."
            )
        self.set_epoch(0)

    def __len__(self):
        """Return the number of batches, which is that of updates, in an epoch."""
        return math.ceil(self.num_images / self.batch_size)

    def __getitem__(self, index):
        """Return batch `index` of the epoch set by `set_epoch`."""
        if not 0 <= index < len(self):
            raise IndexError(f"Batch {index} of {len(self)}: count from 0.")
        start = index * self.batch_size
        return {"x": self.x[self._order[start : start + self.batch_size]]}

    def set_epoch(self, number):
        """Choose the epoch that the next batches belong to.

        Args:
            number: integer from 0 up. Call it when an epoch begins.
        """
        number = check_count(number, "number", minimum=0)
        self._order = self._image_order(number)

    def updates(self, epochs):
        """Return how many updates a run of `epochs` epochs makes."""
        return check_count(epochs, "epochs", minimum=0) * len(self)

    def warn_if_unreachable(self, milestones, epochs):
        """Warn of milestones that a run of `epochs` epochs never reaches.

        Args:
            milestones: epochs (counted from 0) at whose start a schedule acts.
            epochs: length of the run.
        """
        late = [m for m in milestones if m >= epochs]
        if late:
            warnings.warn(
                f"The milestones at epoch {', '.join(map(str, late))} are never "
                f"reached: the run has {epochs} epochs of {len(self)} updates, "
                f"{self.updates(epochs)} in all. Train longer, or move them forward.",
                stacklevel=2,
            )

    def _image_order(self, number):
        """Indices of all batches: one permutation, begun anew at its end."""
        order = randomness.permutations(
            self.num_images, 1, randomness.UNLABELLED_BATCHES, self.seed, number
        )[0]
        return np.resize(order, len(self) * self.batch_size)
