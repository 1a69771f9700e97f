"""Scores of a trained model, from NumPy arrays."""

from keras_saae.evaluation.error_rate import error_rate

__all__ = ["error_rate"]
