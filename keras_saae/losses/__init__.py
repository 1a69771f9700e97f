"""Losses of the family: pure functions of tensors, a file for each kind.

Each takes a batch and returns a scalar; those in `variational` return a number for each
image. Reductions are in the names, units and typical values in the docstrings.
"""

from keras_saae.losses.adversarial import (
    ADVERSARIAL_LOSSES,
    GENERATOR_LOSSES,
    discriminator_loss,
    gradient_penalty,
    hinge_discriminator_loss,
    least_squares_discriminator_loss,
    least_squares_generator_loss,
    mean_score_generator_loss,
    non_saturating_generator_loss,
    saturating_generator_loss,
    wasserstein_discriminator_loss,
)
from keras_saae.losses.classification import (
    allowed_classes,
    categorical_kl,
    classification_loss,
    errors,
    grouped_classification_loss,
    head_distance_penalty,
    shares_loss,
)
from keras_saae.losses.invariance import (
    augmentation_consistency_loss,
    style_consistency_loss,
    virtual_adversarial_loss,
)
from keras_saae.losses.reconstruction import (
    RECONSTRUCTION_LOSSES,
    binary_crossentropy_mean,
    binary_crossentropy_sum,
    feature_error,
    half_squared_error_sum,
    squared_error_mean,
    squared_error_sum,
)
from keras_saae.losses.variational import (
    LIKELIHOODS,
    bernoulli_nll,
    gaussian_kl,
    gaussian_nll,
    labelled_bound,
    mixture_kl,
    unlabelled_bound,
)

__all__ = [
    "ADVERSARIAL_LOSSES",
    "GENERATOR_LOSSES",
    "LIKELIHOODS",
    "RECONSTRUCTION_LOSSES",
    "allowed_classes",
    "augmentation_consistency_loss",
    "bernoulli_nll",
    "binary_crossentropy_mean",
    "binary_crossentropy_sum",
    "categorical_kl",
    "classification_loss",
    "discriminator_loss",
    "errors",
    "feature_error",
    "gaussian_kl",
    "gaussian_nll",
    "gradient_penalty",
    "grouped_classification_loss",
    "half_squared_error_sum",
    "head_distance_penalty",
    "hinge_discriminator_loss",
    "labelled_bound",
    "least_squares_discriminator_loss",
    "least_squares_generator_loss",
    "mean_score_generator_loss",
    "mixture_kl",
    "non_saturating_generator_loss",
    "saturating_generator_loss",
    "shares_loss",
    "squared_error_mean",
    "squared_error_sum",
    "style_consistency_loss",
    "unlabelled_bound",
    "virtual_adversarial_loss",
    "wasserstein_discriminator_loss",
]
