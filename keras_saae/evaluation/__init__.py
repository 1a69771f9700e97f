"""Scores of a trained model, from NumPy arrays."""

from keras_saae.evaluation import attacks
from keras_saae.evaluation.error_rate import error_rate
from keras_saae.evaluation.generation import (
    class_fidelity,
    class_shares,
    latent_mmd,
    style_leakage,
    style_variety,
)
from keras_saae.evaluation.likelihood import (
    ParzenEstimate,
    parzen_log_densities,
    parzen_log_likelihood,
)

__all__ = [
    "ParzenEstimate",
    "attacks",
    "class_fidelity",
    "class_shares",
    "error_rate",
    "latent_mmd",
    "parzen_log_densities",
    "parzen_log_likelihood",
    "style_leakage",
    "style_variety",
]
