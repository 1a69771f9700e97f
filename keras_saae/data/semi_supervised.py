"""Batches of unlabelled images, each with a balanced labelled batch beside it."""

import math
import warnings

import numpy as np

from keras_saae.checks import (
    check_count,
    check_groups,
    check_images,
    check_labels,
)
from keras_saae.data import randomness
from keras_saae.data.unlabelled import UnlabelledDataset


class SemiSupervisedDataset(UnlabelledDataset):
    """Images with few labels, as batches for `fit`.

    An epoch is one pass over all images, whose labels are not used for that; every
    batch also carries labelled images, balanced over the classes and reshuffled each
    epoch. A batch is a dict:

    - `x`: `(batch_size, height, width[, channels])`, drawn from all images, the
      labelled ones included; uint8 or float32, as given.
    - `x_labelled`: the same of length `labelled_batch_size`.
    - `y_labelled`: int32 `(labelled_batch_size,)`.

    Sizes are fixed: a short last batch is filled from the epoch's start. A batch
    depends on the seed, the epoch set by `set_epoch` and its index, on nothing else:
    train with `shuffle=False` and without `steps_per_epoch`. One worker is all it
    needs (a batch takes well under a millisecond); Keras' parallel workers would
    carry batches over from one epoch to the next.

    Args:
        x: images, uint8 or float in [0, 1], `(n, height, width[, channels])`. Those
            on disk stay there until a batch needs them: `np.load(file, mmap_mode="r")`,
            `image_folder(...).images` or a `Subset`, in uint8.
        y: integer labels `(n,)`, -1 where there is none.
        batch_size: images in `x`. Typically 100 to 250.
        labelled_batch_size: images in `x_labelled`; may exceed the number of labels,
            images then repeat.
        num_classes: number of classes; by default the largest label plus one.
        seed: integer from 0 up, draws the order of the images.
        epoch: "unlabelled" counts passes over all images. "labelled" counts passes
            over the labelled ones, only to reproduce those who did so: with 100
            labels in batches of 100, such an epoch is one update.
        groups: main class of each class, from `class_groups`, where some labels tell no
            more than that, num_classes + g. They take their turn in the batches like
            classes.

    Attributes:
        num_images: number of images, labelled or not.
        num_labelled: number of labelled images.
        num_classes: number of classes.
        groups: main class of each class, or None.
        labelled_counts: int64, labelled images per class (and main class).

    Raises:
        TypeError: if images, labels or sizes have a wrong type.
        ValueError: if images or labels are malformed, no image has a label, the batch
            is larger than the data, or `epoch` is unknown.

    Example:
        >>> split = split_labels(y_train, labels=100, seed=0)
        >>> dataset = SemiSupervisedDataset(
        ...     x_train[split.train], split.mask_labels(y_train), batch_size=100
        ... )
    """

    def __init__(
        self,
        x,
        y,
        batch_size=100,
        labelled_batch_size=100,
        num_classes=None,
        seed=0,
        epoch="unlabelled",
        groups=None,
    ):
        if groups is not None:
            groups = check_groups(groups, num_classes)
            num_classes = len(groups)
        self.groups = groups
        if num_classes is not None:
            num_classes = check_count(num_classes, "num_classes")
        x = check_images(x, allow_lazy=True)
        if y is None:
            raise ValueError(
                "Labels are missing: pass y, one integer for each image, -1 where "
                "there is no label. Without any, use UnlabelledDataset(x) and a model "
                "that takes none."
            )
        num_groups = 0 if groups is None else groups.max() + 1
        self.y = check_labels(y, len(x), num_classes and num_classes + num_groups)
        self.labelled_batch_size = check_count(
            labelled_batch_size, "labelled_batch_size"
        )
        labels = self.y[self.y >= 0]
        self.num_labelled = len(labels)
        if self.num_labelled == 0:
            raise ValueError(
                "`y` holds no label: all of its values are -1. Semi-supervised "
                "learning needs at least one labelled image of each class."
            )
        if epoch not in ("unlabelled", "labelled"):
            raise ValueError(
                '`epoch` says what one epoch is a pass over, "unlabelled" or '
                f'"labelled" images. Received {epoch!r}.'
            )
        self.epoch = epoch
        self.num_classes = num_classes or int(labels.max()) + 1
        self.labelled_counts = np.bincount(labels, minlength=self.num_classes)
        if groups is None:
            self._warn_of_unlabelled_classes()
        self._images_of_class = [
            np.flatnonzero(self.y == c) for c in np.flatnonzero(self.labelled_counts)
        ]
        super().__init__(x, batch_size, seed)  # sets the first epoch

    def __len__(self):
        """Return the number of batches, which is that of updates, in an epoch."""
        if self.epoch == "labelled":
            return math.ceil(self.num_labelled / self.labelled_batch_size)
        return super().__len__()

    def __getitem__(self, index):
        """Return batch `index` of the epoch set by `set_epoch`."""
        if not 0 <= index < len(self):
            raise IndexError(f"Batch {index} of {len(self)}: count from 0.")
        order, labelled_order = self._orders
        start = index * self.batch_size
        images = order[start : start + self.batch_size]
        start = index * self.labelled_batch_size
        labelled = labelled_order[start : start + self.labelled_batch_size]
        return {
            "x": self.x[images],
            "x_labelled": self.x[labelled],
            "y_labelled": self.y[labelled].astype("int32"),
        }

    def set_epoch(self, number):
        """Choose the epoch that the next batches belong to.

        Args:
            number: integer from 0 up. Call it when an epoch begins.
        """
        number = check_count(number, "number", minimum=0)
        # One assignment: a thread that is reading sees one epoch or the other.
        self._orders = (self._image_order(number), self._labelled_order(number))

    def _labelled_order(self, number):
        """Indices of all labelled batches.

        Classes take turns, across batches and epochs alike. Each class deals its
        images in one permutation after another, fresh each epoch.
        """
        num_turns = len(self._images_of_class)
        size = len(self) * self.labelled_batch_size
        done = number * size
        order = np.empty(size, "int64")
        for turn, images in enumerate(self._images_of_class):
            places = order[(turn - done) % num_turns :: num_turns]
            deals = randomness.permutations(
                len(images),
                math.ceil(len(places) / len(images)),
                randomness.LABELLED_BATCHES,
                self.seed,
                number,
                turn,
            )
            places[:] = images[deals.ravel()[: len(places)]]
        return order

    def _warn_of_unlabelled_classes(self):
        missing = np.flatnonzero(self.labelled_counts == 0)
        if missing.size:
            warnings.warn(
                f"No labelled image of class {', '.join(map(str, missing))}: the "
                "classifier cannot learn to name it. Label at least one image of it, "
                "or number the classes without gaps.",
                stacklevel=3,
            )
