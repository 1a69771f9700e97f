"""Learning from few labels and many unlabelled images with adversarial autoencoders.

import keras_saae as saae

images = saae.data.load("mnist")
split = saae.data.split_labels(images.y_train, labels=100, seed=0)
recipe = saae.recipes.get("default")
dataset = recipe.dataset(
    images.x_train[split.train], split.mask_labels(images.y_train)
)
model = recipe.model(dataset)
model.fit(dataset, epochs=recipe.epochs(dataset))
model.predict(images.x_test)
"""

from keras_saae import (
    callbacks,
    data,
    evaluation,
    losses,
    networks,
    plotting,
    priors,
    recipes,
)
from keras_saae.imle import fit_imle
from keras_saae.models import (
    AAE,
    M1,
    M2,
    ClusteringAAE,
    DimensionalityReductionAAE,
    GaussianMixtureVAE,
    LabelInformedAAE,
    NeuralNetwork,
    SemiSupervisedAAE,
    SemiSupervisedAdversarialVAE,
    StackedM2,
    SupervisedAAE,
    VariationalEncoderClassifier,
)
from keras_saae.optimizers import ConstantThenLinear, PhaseOptimizers
from keras_saae.phases import Phase, PhasedModel
from keras_saae.together import fit_together

__version__ = "0.1.0"

__all__ = [
    "AAE",
    "ClusteringAAE",
    "ConstantThenLinear",
    "DimensionalityReductionAAE",
    "GaussianMixtureVAE",
    "LabelInformedAAE",
    "M1",
    "M2",
    "NeuralNetwork",
    "Phase",
    "PhaseOptimizers",
    "PhasedModel",
    "SemiSupervisedAAE",
    "SemiSupervisedAdversarialVAE",
    "StackedM2",
    "SupervisedAAE",
    "VariationalEncoderClassifier",
    "callbacks",
    "data",
    "evaluation",
    "fit_imle",
    "fit_together",
    "losses",
    "networks",
    "plotting",
    "priors",
    "recipes",
]
