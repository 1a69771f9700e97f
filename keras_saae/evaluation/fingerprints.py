"""Tells images that come again: no image is both for validation and for test."""

import hashlib
import warnings

import numpy as np

SHARED = 0.01  # of the images, that may be in validation and test part at once


def fingerprints_of(x):
    """What tells images apart, as uint8 and as float alike."""
    grey = x if x.dtype == np.uint8 else np.rint(255 * x).astype("uint8")
    return {hashlib.blake2b(image.tobytes(), digest_size=16).digest() for image in grey}


def refuse_shared(fingerprints, others, verb, done):
    """A warning of a few images in both sets, a ValueError of more.

    Of more than a hundredth of either: a few test images are not hidden among many.

    Args:
        fingerprints: those of the images at hand.
        others: those of another part.
        verb: what was called on these.
        done: what was done on the others before.
    """
    shared, n = len(fingerprints & others), len(fingerprints)
    message = (
        f"`{verb}` received {shared} of {n} images that were {done} on already. "
        "Thresholds come from validation images, scores from test images, and no image "
        "is both."
    )
    if shared > SHARED * min(n, len(others)):
        raise ValueError(message)
    if shared:  # published splits have such twins
        warnings.warn(message, stacklevel=3)
