"""One published model per file."""

from keras_saae.models.neural_network import NeuralNetwork
from keras_saae.models.semi_supervised_aae import SemiSupervisedAAE

__all__ = ["NeuralNetwork", "SemiSupervisedAAE"]
