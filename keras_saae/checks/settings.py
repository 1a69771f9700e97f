"""Numbers and names that are arguments."""

import difflib
import numbers
import operator

import numpy as np


def check_count(value, name, minimum=1):
    """Return `value` as an int of at least `minimum`.

    Args:
        value: an integer of any type (Python, NumPy), not a bool.
        name: how messages call the argument.
        minimum: smallest value allowed.

    Returns:
        Python int.

    Raises:
        TypeError: if `value` is not an integer.
        ValueError: if it is below `minimum`.
    """
    try:
        if isinstance(value, (bool, np.bool_)):
            raise TypeError
        number = operator.index(value)
    except TypeError:
        raise TypeError(
            f"`{name}` must be an integer of at least {minimum}. Received {value!r}."
        ) from None
    if number < minimum:
        raise ValueError(
            f"`{name}` must be an integer of at least {minimum}. Received {number}."
        )
    return number


def check_number(value, name):
    """Return `value`, a finite number from 0 up, or say what is wrong with it."""
    if not _is_real(value) or not 0 <= value < float("inf"):
        raise ValueError(f"`{name}` is a number from 0 up. Received: {value!r}")
    return value


def check_positive(value, name):
    """Return `value`, a finite number above 0, or say what is wrong with it."""
    if not _is_real(value) or not 0 < value < float("inf"):
        raise ValueError(f"`{name}` is a number above 0. Received: {value!r}")
    return value


def is_share(value):
    """Whether `value` is a number in (0, 1]."""
    return _is_real(value) and 0 < value <= 1


def check_averaging(averaging):
    """Return the weight of the past in a moving average, or None for no average."""
    if averaging is not None and not 0 <= averaging < 1:
        raise ValueError(
            "`averaging` is the weight of the past, at least 0 and below 1, such "
            f"as 0.999, or None. Received: {averaging!r}"
        )
    return averaging


def check_probe(vat_probe):
    """Return the length of the probe of `losses.virtual_adversarial_loss`, or None."""
    if vat_probe is not None and not 0 < vat_probe < float("inf"):
        raise ValueError(
            "`vat_probe` is a length above 0, such as 10, or None for a short one. "
            f"Received: {vat_probe!r}"
        )
    return vat_probe


def check_choice(name, value, choices):
    """Raise `ValueError` unless `value` is one of `choices`, suggesting the nearest."""
    if value in choices:
        return
    close = difflib.get_close_matches(str(value), [str(c) for c in choices], n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    raise ValueError(
        f"`{name}` must be one of {list(choices)}. Received: {value!r}.{hint}"
    )


def _is_real(value):
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def check_consistency(weight, augmentation):
    """Return the weight of a consistency term, which needs an augmentation."""
    weight = check_number(weight, "consistency_weight")
    if weight and augmentation is None:
        raise ValueError(
            "`consistency_weight` compares images with augmented ones: pass an "
            "`augmentation`, such as networks.RandomAffine(). Received "
            f"consistency_weight={weight}, augmentation=None."
        )
    return weight
