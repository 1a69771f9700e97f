"""Which images carry a label, which are held out for validation."""

from dataclasses import dataclass

import numpy as np

from keras_saae.checks import check_count, check_labels
from keras_saae.data import randomness


@dataclass(frozen=True, eq=False)
class Split:
    """Indices into the training images, each in ascending order.

    Attributes:
        labelled: int64 `(labels,)`, images whose label may be used; part of `train`.
        train: int64, all images to train on, labelled or not.
        validation: int64, images held out while settings are chosen.
    """

    labelled: np.ndarray
    train: np.ndarray
    validation: np.ndarray

    def mask_labels(self, y):
        """Return the labels of the train part, -1 where they must not be used.

        Args:
            y: integer labels of all training images, as given to `split_labels`.

        Returns:
            int64 array as long as `train`.
        """
        num_images = len(self.train) + len(self.validation)
        y = check_labels(y, num_images)
        masked = np.full(num_images, -1)
        masked[self.labelled] = y[self.labelled]
        return masked[self.train]


def split_labels(y, labels, seed, validation=None):
    """Choose the labelled images and the validation part.

    The same on every machine, backend and NumPy version. The validation part is
    stratified and fixed: it depends on `y` and its size only. The labelled set is
    drawn by seed and balanced, class counts differ by at most one. For one seed,
    smaller labelled sets are parts of larger ones.

    Args:
        y: integer labels `(n,)` of all training images.
        labels: number of labelled images, or "all" of the train part.
        seed: integer from 0 up, draws the labelled images.
        validation: number of images to hold out, 0 for none. By default a fifth of
            the images, at most 10,000 (MNIST: 10,000 of 60,000; digits: 300 of 1,500).

    Returns:
        A `Split`.

    Raises:
        TypeError: if `labels` is neither an integer nor "all".
        ValueError: if there are too few images for that many labels.

    Example:
        >>> split = split_labels(y_train, labels=100, seed=0)
        >>> x, y = x_train[split.train], split.mask_labels(y_train)
    """
    y = check_labels(y, len(y), allow_unlabelled=False)
    seed = check_count(seed, "seed", minimum=0)
    if validation is None:
        validation = min(10_000, len(y) // 5)
    validation = check_count(validation, "validation", minimum=0)
    if validation >= len(y):
        raise ValueError(
            f"`validation={validation}` leaves none of the {len(y)} images to train "
            "on. Hold out fewer, or none with `validation=0`."
        )
    held_out = stratified_part(y, validation, randomness.VALIDATION_PART)
    train = np.setdiff1d(np.arange(len(y)), held_out)
    if isinstance(labels, str) and labels == "all":
        return Split(train, train, held_out)
    if isinstance(labels, str):
        raise TypeError(f'`labels` must be an integer or "all". Received {labels!r}.')
    labels = check_count(labels, "labels")
    # Keys belong to images, not to positions in `train`.
    keys = randomness.random_keys(len(y), randomness.LABELLED_IMAGES, seed)[train]
    classes, codes = np.unique(y[train], return_inverse=True)
    counts = _balanced_counts(labels, classes, np.bincount(codes), seed)
    chosen = _rank_in_class(codes, keys) < counts[codes]
    return Split(train[chosen], train, held_out)


def stratified_part(y, size, *seed):
    """Choose `size` images with the class proportions of all.

    Args:
        y: integer labels `(n,)`.
        size: number of images to choose, at most n.
        *seed: as in `randomness.random_keys`.

    Returns:
        int64 indices `(size,)` in ascending order.
    """
    _, codes = np.unique(y, return_inverse=True)
    shares, remainders = np.divmod(np.bincount(codes) * size, len(y))
    largest = np.argsort(-remainders, kind="stable")
    shares[largest[: size - shares.sum()]] += 1
    keys = randomness.random_keys(len(y), *seed)
    return np.flatnonzero(_rank_in_class(codes, keys) < shares[codes])


def _balanced_counts(labels, classes, available, seed):
    """Labels per class; which classes get one more is drawn by seed."""
    keys = randomness.random_keys(len(classes), randomness.LABELLED_CLASSES, seed)
    order = np.argsort(keys, kind="stable")
    counts = np.empty(len(classes), "int64")
    counts[order] = (labels + np.arange(len(classes))[::-1]) // len(classes)
    if np.any(counts > available):
        rarest = np.argmin(available)
        raise ValueError(
            f"`labels={labels}` is too many for a class-balanced set: class "
            f"{classes[rarest]} has only {available[rarest]} training images. Use at "
            f'most {available[rarest] * len(classes)}, or "all".'
        )
    return counts


def _rank_in_class(codes, keys):
    """Rank (0, 1, ...) of each image among those of its class, by key."""
    order = np.lexsort((keys, codes))
    counts = np.bincount(codes)
    starts = np.cumsum(counts) - counts
    ranks = np.empty(len(codes), "int64")
    ranks[order] = np.arange(len(codes)) - starts[codes[order]]
    return ranks
