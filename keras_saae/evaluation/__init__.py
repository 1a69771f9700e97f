"""Scores of a trained model, from NumPy arrays."""

from keras_saae.evaluation import attacks
from keras_saae.evaluation.clustering import (
    adjusted_rand_index,
    majority_error,
    normalized_mutual_information,
    one_to_one_accuracy,
    paper_error,
)
from keras_saae.evaluation.error_rate import error_rate
from keras_saae.evaluation.evasion import evasion_loss
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
from keras_saae.evaluation.reconstruction import class_kept, sharpness
from keras_saae.evaluation.rejection import (
    area_under_risk_coverage,
    expected_calibration_error,
    risk_coverage,
)
from keras_saae.evaluation.selective import Decisions, SelectiveClassifier

__all__ = [
    "Decisions",
    "ParzenEstimate",
    "SelectiveClassifier",
    "adjusted_rand_index",
    "area_under_risk_coverage",
    "attacks",
    "class_fidelity",
    "class_kept",
    "class_shares",
    "error_rate",
    "evasion_loss",
    "expected_calibration_error",
    "latent_mmd",
    "majority_error",
    "normalized_mutual_information",
    "one_to_one_accuracy",
    "paper_error",
    "parzen_log_densities",
    "parzen_log_likelihood",
    "risk_coverage",
    "sharpness",
    "style_leakage",
    "style_variety",
]
