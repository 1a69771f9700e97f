"""One published model per file."""

from keras_saae.models.aae import AAE
from keras_saae.models.clustering_aae import ClusteringAAE
from keras_saae.models.dimensionality_reduction_aae import DimensionalityReductionAAE
from keras_saae.models.gaussian_mixture_vae import GaussianMixtureVAE
from keras_saae.models.label_informed_aae import LabelInformedAAE
from keras_saae.models.m1 import M1
from keras_saae.models.m2 import M2
from keras_saae.models.neural_network import NeuralNetwork
from keras_saae.models.semi_supervised_aae import SemiSupervisedAAE
from keras_saae.models.semi_supervised_adversarial_vae import (
    SemiSupervisedAdversarialVAE,
)
from keras_saae.models.stacked_m2 import StackedM2
from keras_saae.models.supervised_aae import SupervisedAAE
from keras_saae.models.variational_encoder_classifier import (
    VariationalEncoderClassifier,
)

__all__ = [
    "AAE",
    "ClusteringAAE",
    "DimensionalityReductionAAE",
    "GaussianMixtureVAE",
    "LabelInformedAAE",
    "M1",
    "M2",
    "NeuralNetwork",
    "SemiSupervisedAAE",
    "SemiSupervisedAdversarialVAE",
    "StackedM2",
    "SupervisedAAE",
    "VariationalEncoderClassifier",
]
