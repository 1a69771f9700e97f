"""Scores of a trained model, from NumPy arrays."""

from keras_saae.evaluation.clustering import (
    adjusted_rand_index,
    majority_error,
    normalized_mutual_information,
    one_to_one_accuracy,
    paper_error,
)
from keras_saae.evaluation.error_rate import error_rate
from keras_saae.evaluation.generation import (
    class_fidelity,
    class_shares,
    latent_mmd,
    style_leakage,
    style_variety,
)

__all__ = [
    "adjusted_rand_index",
    "class_fidelity",
    "class_shares",
    "error_rate",
    "latent_mmd",
    "majority_error",
    "normalized_mutual_information",
    "one_to_one_accuracy",
    "paper_error",
    "style_leakage",
    "style_variety",
]
