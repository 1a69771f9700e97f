"""What the tests share: tiny images, networks and models, with weights from NumPy.

Initializers and random draws differ between backends, so where numbers are compared
across them, weights come from NumPy (`set_weights`) and nothing is drawn (`Fixed`).
"""

import contextlib
import importlib.util
import math
import pathlib
import sys

import keras
import numpy as np
from absl import flags
from keras import ops

from keras_saae import NeuralNetwork, PhaseOptimizers, SemiSupervisedAAE
from keras_saae.data import SemiSupervisedDataset
from keras_saae.models.semi_supervised_aae import PHASES
from keras_saae.networks import mlp_decoder, mlp_discriminator, mlp_encoder
from keras_saae.priors import Categorical, Gaussian

IMAGE_SHAPE = (4, 4)
NUM_CLASSES = 3
Z_DIM = 2

# TensorFlow takes longer to trace a step than to run a few op by op, JAX does not.
# For tests of what is around the steps; compiled ones have tests of their own.
FEW_STEPS_RUN_EAGERLY = keras.backend.backend() == "tensorflow"


@keras.saving.register_keras_serializable("tests")
class Fixed:
    """A prior whose draws are always the first rows of the same table."""

    def __init__(self, rows):
        self.rows = np.asarray(rows).tolist()

    def sample(self, n, labels=None, seed=None):
        return ops.convert_to_tensor(self.rows, "float32")[:n]

    def class_of(self, z):
        return ops.zeros((len(z),), dtype="int32")

    def get_config(self):
        return {"rows": self.rows}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


ROWS = 256  # of the tables below: more than any test draws at once


def fixed_normal(shape, mean=0.0, stddev=1.0, dtype=None, seed=None):
    """For `keras.random.normal`: the first rows of the same table, as `Fixed`."""
    n, *rest = shape  # on TensorFlow, n is a tensor
    wave = np.cos(3.0 * np.arange(ROWS * math.prod(rest), dtype="float32"))
    return mean + stddev * ops.convert_to_tensor(wave.reshape(ROWS, *rest))[:n]


def fixed_uniform(shape, minval=0.0, maxval=1.0, dtype=None, seed=None):
    """For `keras.random.uniform`: the first rows of the same table."""
    n, *rest = shape
    wave = 0.5 + 0.5 * np.cos(3.0 * np.arange(ROWS * math.prod(rest), dtype="float32"))
    rows = ops.convert_to_tensor(wave.reshape(ROWS, *rest))[:n]
    return minval + (maxval - minval) * rows


def random(seed=0):
    return np.random.Generator(np.random.PCG64(seed))


def images(n, seed=0):
    """uint8 images `(n, 4, 4)`, from dark ones of class 0 to bright ones of class 2."""
    brightness = labels(n)[:, None, None] / NUM_CLASSES
    pixels = (brightness + random(seed).random((n, *IMAGE_SHAPE)) / NUM_CLASSES) * 255
    return pixels.astype("uint8")


def labels(n):
    """Labels `(n,)`: 0, 1, 2, 0, 1, 2, ..."""
    return np.arange(n) % NUM_CLASSES


def dataset(x=None, **settings):
    """24 images, 9 of them labelled: 3 batches of 8 and 6 in an epoch."""
    x = images(24) if x is None else x
    y = np.where(np.arange(len(x)) < 9, labels(len(x)), -1)
    settings = {"batch_size": 8, "labelled_batch_size": 6, **settings}
    return SemiSupervisedDataset(x, y, **settings)


def batch(n=8, num_labelled=6):
    """A batch as tensors, as a step gets it."""
    return {
        "x": ops.convert_to_tensor(images(n, seed=1)),
        "x_labelled": ops.convert_to_tensor(images(num_labelled, seed=2)),
        "y_labelled": ops.convert_to_tensor(labels(num_labelled).astype("int32")),
    }


def networks(batch_normalization=False, dropout=0.0, discriminator_noise=0.0):
    """Encoder (batch-normalized or not), decoder and discriminators, one layer of 6."""
    code_width, settings = NUM_CLASSES + Z_DIM, {"hidden": (6,), "seed": 0}
    noise = {"input_noise": discriminator_noise}
    return {
        "encoder": mlp_encoder(
            IMAGE_SHAPE,
            batch_normalization=batch_normalization,
            dropout=dropout,
            **settings,
        ),
        "decoder": mlp_decoder(IMAGE_SHAPE, code_width, dropout=dropout, **settings),
        "discriminator_z": mlp_discriminator(Z_DIM, "on_z", **noise, **settings),
        "discriminator_y": mlp_discriminator(NUM_CLASSES, "on_y", **noise, **settings),
    }


def aae(parts=None, **settings):
    """A `SemiSupervisedAAE` with weights from NumPy, not yet compiled."""
    parts = {**networks(), **(parts or {})}
    priors = {"prior_z": Gaussian(Z_DIM), "prior_y": Categorical(NUM_CLASSES)}
    model = SemiSupervisedAAE(**{**parts, **priors, "seed": 0, **settings})
    set_weights(model)
    return model


def quiet_aae(parts=None, **settings):
    """A `SemiSupervisedAAE` that draws nothing at random, the same on all backends."""
    rng = random(7)
    rows_y = np.eye(NUM_CLASSES)[rng.integers(NUM_CLASSES, size=64)]
    quiet = {
        "prior_z": Fixed(rng.normal(size=(64, Z_DIM))),
        "prior_y": Fixed(rows_y),
        "input_noise": 0.0,
    }
    return aae(parts, **{**quiet, **settings})


def neural_network(parts=None, **settings):
    """A `NeuralNetwork` with weights from NumPy, not yet compiled."""
    encoder = (parts or networks())["encoder"]
    model = NeuralNetwork(encoder, NUM_CLASSES, **{"seed": 0, **settings})
    set_weights(model)
    return model


def sgd(learning_rate=0.1, momentum=0.9):
    """A gentle optimizer for each phase."""
    return PhaseOptimizers(
        {phase: keras.optimizers.SGD(learning_rate, momentum) for phase in PHASES}
    )


def adam(learning_rate=0.01):
    return PhaseOptimizers(
        {phase: keras.optimizers.Adam(learning_rate) for phase in PHASES}
    )


def set_weights(model, seed=0):
    """Sets trainable weights to normal draws of NumPy, the average to equal them."""
    rng = random(seed)
    for variable in model.trainable_weights:
        variable.assign(rng.normal(scale=0.4, size=variable.shape).astype("float32"))
    if getattr(model, "averaged_encoder", None) is not None:
        model.averaged_encoder.set_weights(model.encoder.get_weights())


def values(variables):
    """Copies of the variables' values as NumPy arrays."""
    return [np.array(ops.convert_to_numpy(variable)) for variable in variables]


def plain_settings(model):
    """The settings of a model that are numbers and names, not parts."""
    config = model.get_config()
    return {key: value for key, value in config.items() if not isinstance(value, dict)}


def state(model):
    """All that a run depends on: weights, seeds and the optimizers' state."""
    return values([*model.variables, *model.optimizer.variables])


def assert_equal(found, expected, **tolerance):
    """Compares lists of arrays, exactly unless a tolerance is given."""
    assert len(found) == len(expected)
    for one, other in zip(found, expected):
        if tolerance:
            np.testing.assert_allclose(one, other, **tolerance)
        else:
            np.testing.assert_array_equal(one, other)


@contextlib.contextmanager
def program(name, *arguments):
    """A program such as "examples/mnist_semisup.py", with its flags read, as a module.

    While it is loaded it finds its neighbours, such as `common`. Afterwards they and
    its flags are gone, for other programs have flags of the same names.
    """
    root = pathlib.Path(__file__).parents[1]
    path, before = root / name, list(sys.path)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    flags_before, modules_before = set(flags.FLAGS), set(sys.modules)
    try:
        sys.path.insert(0, str(path.parent))
        spec.loader.exec_module(module)
        flags.FLAGS([path.stem, *arguments])
        yield module
    finally:
        sys.path[:] = before
        for flag in set(flags.FLAGS) - flags_before:
            delattr(flags.FLAGS, flag)
        for other in set(sys.modules) - modules_before:
            file = getattr(sys.modules[other], "__file__", None) or ""
            if pathlib.Path(file).parent in (root / "examples", root / "benchmarks"):
                del sys.modules[other]
