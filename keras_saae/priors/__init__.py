"""Priors: what the codes of an adversarial autoencoder should be distributed like.

A prior is any object with `sample(n, labels=None, seed=None)` that returns a float
tensor `(n, width)`; CONTRIBUTING.md shows how to write one. `labels` are integers
`(n,)`, -1 where the class is not known; priors of which classes own a part also have
`class_of(z)`, which tells whose part a code lies in.
"""

from keras_saae.priors.by_class import ClassGaussians, GaussianMixture, SwissRoll
from keras_saae.priors.unlabelled import Categorical, Gaussian, Uniform

__all__ = [
    "Categorical",
    "ClassGaussians",
    "Gaussian",
    "GaussianMixture",
    "SwissRoll",
    "Uniform",
]
