"""Tiny models of the family, each made by its name, all with weights from NumPy."""

import keras
import numpy as np
import tiny

from keras_saae import (
    AAE,
    M1,
    M2,
    ClusteringAAE,
    DimensionalityReductionAAE,
    GaussianMixtureVAE,
    LabelInformedAAE,
    PhaseOptimizers,
    SemiSupervisedAdversarialVAE,
    StackedM2,
    SupervisedAAE,
    VariationalEncoderClassifier,
)
from keras_saae.data import UnlabelledDataset
from keras_saae.networks import (
    StochasticEncoder,
    mlp_decoder,
    mlp_discriminator,
    mlp_encoder,
    with_linear_head,
)
from keras_saae.priors import Categorical, ClassGaussians, Gaussian, GaussianMixture

K, Z = tiny.NUM_CLASSES, tiny.Z_DIM


def _networks(code_width, **discriminators):
    settings = {"hidden": (6,), "seed": 0}
    return {
        "encoder": mlp_encoder(tiny.IMAGE_SHAPE, **settings),
        "decoder": mlp_decoder(tiny.IMAGE_SHAPE, code_width, **settings),
        **{
            name: mlp_discriminator(width, name, **settings)
            for name, width in discriminators.items()
        },
    }


def _linear(input_shape, width, name):
    encoder = mlp_encoder(input_shape, hidden=(5,), activation="softplus")
    return with_linear_head(encoder, width, name, seed=0)


def _trained_encoder(z_dim):
    trunk = mlp_encoder(tiny.IMAGE_SHAPE, hidden=(6,), name="trained")
    return StochasticEncoder(trunk, z_dim, "gaussian")


def _stacked():
    shape = {"hidden": (5,), "seed": 0}
    return {
        "code_encoder": _trained_encoder(4),
        "code_decoder": mlp_decoder(tiny.IMAGE_SHAPE, 4, name="trained", **shape),
        "encoder": mlp_encoder((3,), **shape),
        "classifier": _linear((3,), K, "classifier"),
        "decoder": _linear((K + Z,), 6, "of_codes"),
        "prior_y": Categorical(K),
        "kept": [3, 0, 1],
        "head_hidden": (6,),
    }


def _two_priors():
    return {"prior_z": Gaussian(Z), "prior_y": Categorical(K)}


def _parts(name):
    two = {"discriminator_z": Z, "discriminator_y": K}
    return {
        "aae": lambda: (
            AAE,
            {**_networks(Z, discriminator=Z), "prior": Gaussian(Z)},
        ),
        "label_informed": lambda: (
            LabelInformedAAE,
            {
                **_networks(Z, discriminator=Z + K + 1),
                "prior": GaussianMixture(K),
                "num_classes": K,
            },
        ),
        "supervised": lambda: (
            SupervisedAAE,
            {
                **_networks(K + Z, discriminator=Z),
                "prior": Gaussian(Z),
                "num_classes": K,
            },
        ),
        "supervised_given_class": lambda: (
            SupervisedAAE,
            {
                **_networks(K + Z, discriminator=Z + K),
                "prior": Gaussian(Z),
                "num_classes": K,
                "style_given_class": True,
            },
        ),
        "clustering": lambda: (
            ClusteringAAE,
            {**_networks(K + Z, **two), **_two_priors()},
        ),
        "dimensionality_reduction": lambda: (
            DimensionalityReductionAAE,
            {**_networks(Z, **two), **_two_priors()},
        ),
        "dimensionality_reduction_unlabelled": lambda: (
            DimensionalityReductionAAE,
            {**_networks(Z, **two), **_two_priors(), "labelled": False},
        ),
        "m1": lambda: (M1, _networks(Z)),
        "m2": lambda: (
            M2,
            {
                **_networks(K + Z),
                "classifier": _linear(tiny.IMAGE_SHAPE, K, "classifier"),
                "prior_y": Categorical(K, [0.5, 0.25, 0.25]),
                "head_hidden": (6,),
            },
        ),
        "stacked_m2": lambda: (StackedM2, _stacked()),
        "gaussian_mixture_vae": lambda: (
            GaussianMixtureVAE,
            {
                **_networks(K),
                "prior": ClassGaussians(K, distance=2.0, weights=[0.5, 0.25, 0.25]),
                "num_classes": K,
            },
        ),
        "variational_encoder_classifier": lambda: (
            VariationalEncoderClassifier,
            {"encoder": _networks(Z)["encoder"], "z_dim": Z, "num_classes": K},
        ),
        "semi_supervised_adversarial_vae": lambda: (
            SemiSupervisedAdversarialVAE,
            {
                **_networks(Z),
                "encoder": _trained_encoder(Z),
                "y_head": _linear((Z,), K, "y_head"),
                "discriminator": _linear(tiny.IMAGE_SHAPE, 1, "discriminator"),
            },
        ),
    }[name]()


PRIORS_BY_DRAWS = (
    "aae",
    "label_informed",
    "supervised",
    "supervised_given_class",
    "clustering",
    "dimensionality_reduction",
    "dimensionality_reduction_unlabelled",
)
VARIATIONAL = (  # whose priors enter as formulas, not by draws
    "m1",
    "m2",
    "stacked_m2",
    "gaussian_mixture_vae",
    "variational_encoder_classifier",
    "semi_supervised_adversarial_vae",
)
NAMES = PRIORS_BY_DRAWS + VARIATIONAL


def prior_argument(name):
    """What the prior of z is called."""
    return "prior" if "prior" in _parts(name)[1] else "prior_z"


def model(name, **settings):
    """A model, not yet compiled."""
    model_class, parts = _parts(name)
    built = model_class(**{**parts, "seed": 0, **settings})
    tiny.set_weights(built)
    return built


def quiet(name, **settings):
    """A model that draws nothing but `keras.random`'s numbers, for a test to fix."""
    rng = tiny.random(7)
    rows_z = tiny.Fixed(rng.normal(size=(64, Z)))
    rows_y = tiny.Fixed(np.eye(K)[rng.integers(K, size=64)])
    _, parts = _parts(name)
    priors = {"prior": rows_z, "prior_z": rows_z, "prior_y": rows_y}
    # What label-informed games draw is of a class: that is left to the prior.
    drawn_from = {} if name in (*VARIATIONAL, "label_informed") else priors
    return model(
        name, **{k: v for k, v in drawn_from.items() if k in parts}, **settings
    )


def compiled(built, make=None, **settings):
    """Compiled with one optimizer per phase, gentle gradient descent unless given."""
    make = make or (lambda: keras.optimizers.SGD(0.1, 0.9))
    optimizers = {phase.name: make() for phase in built.phases()}
    built.compile(PhaseOptimizers(optimizers), **settings)
    return built


def dataset(built):
    """24 images in batches of 8, with labels where the model takes them."""
    if "y_labelled" in built.batch_keys:
        return tiny.dataset(num_classes=K)
    return UnlabelledDataset(tiny.images(24), batch_size=8)


def batch(built):
    """A batch as tensors, as a step gets it."""
    return {
        key: value for key, value in tiny.batch().items() if key in built.batch_keys
    }


def evaluation(built, n=10):
    """What `evaluate` takes: images, and labels where the model takes them."""
    x = tiny.images(n, seed=3)
    return (x, tiny.labels(n)) if "y_labelled" in built.batch_keys else (x,)
