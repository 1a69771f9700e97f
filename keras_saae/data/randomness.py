"""Random numbers that are the same on every machine and in every NumPy."""

import numpy as np

# The first word of every seed names what the numbers are for, so that no two uses
# share numbers. Never renumber: splits and batches would change.
TEST_PART = 1
VALIDATION_PART = 2
LABELLED_IMAGES = 3
LABELLED_CLASSES = 4
UNLABELLED_BATCHES = 5
LABELLED_BATCHES = 6


def random_keys(shape, *seed):
    """Draw uniform numbers in [0, 1); sort by them to shuffle.

    NumPy may change `permutation` between versions; PCG64's `random` and a stable
    sort stay as they are.

    Args:
        shape: shape of the result.
        *seed: integers from 0 up; the first is one of this module's constants.

    Returns:
        float64 array of that shape.
    """
    return np.random.Generator(np.random.PCG64(seed)).random(shape)


def permutations(size, times, *seed):
    """Draw `times` orders of `size` things.

    Args:
        size: how many things to put in order.
        times: how many orders to draw.
        *seed: as in `random_keys`.

    Returns:
        int64 array `(times, size)`; each row holds 0..size-1.
    """
    return np.argsort(random_keys((times, size), *seed), axis=1, kind="stable")
