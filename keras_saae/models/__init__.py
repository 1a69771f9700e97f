"""One published model per file."""

from keras_saae.models.aae import AAE
from keras_saae.models.clustering_aae import ClusteringAAE
from keras_saae.models.dimensionality_reduction_aae import DimensionalityReductionAAE
from keras_saae.models.label_informed_aae import LabelInformedAAE
from keras_saae.models.neural_network import NeuralNetwork
from keras_saae.models.semi_supervised_aae import SemiSupervisedAAE
from keras_saae.models.supervised_aae import SupervisedAAE

__all__ = [
    "AAE",
    "ClusteringAAE",
    "DimensionalityReductionAAE",
    "LabelInformedAAE",
    "NeuralNetwork",
    "SemiSupervisedAAE",
    "SupervisedAAE",
]
