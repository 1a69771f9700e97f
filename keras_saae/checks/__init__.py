"""Checks at the door: what comes in is looked at once, then trusted.

Every message says what was given, what is expected and how to fix it.
"""

from keras_saae.checks.arrays import (
    check_groups,
    check_images,
    check_labels,
    check_optional_groups,
    is_lazy,
)
from keras_saae.checks.parts import (
    check_augmentation,
    check_class_prior,
    check_classifier,
    check_decoder_width,
    check_draws_of_classes,
    check_gaussian_encoder,
    check_network,
    check_parts,
    check_prior,
    check_prior_of_classes,
)
from keras_saae.checks.settings import (
    check_averaging,
    check_choice,
    check_consistency,
    check_count,
    check_number,
    check_positive,
    check_probe,
    is_share,
)

__all__ = [
    "check_augmentation",
    "check_averaging",
    "check_choice",
    "check_class_prior",
    "check_classifier",
    "check_consistency",
    "check_count",
    "check_decoder_width",
    "check_draws_of_classes",
    "check_gaussian_encoder",
    "check_groups",
    "check_images",
    "check_labels",
    "check_network",
    "check_number",
    "check_optional_groups",
    "check_parts",
    "check_positive",
    "check_prior",
    "check_prior_of_classes",
    "check_probe",
    "is_lazy",
    "is_share",
]
