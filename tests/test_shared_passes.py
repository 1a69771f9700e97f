"""Forward passes that phases of a step share: which, and for how long."""

import keras
import pytest
import tiny
from keras import layers, ops

from keras_saae.passes import SharedPasses

X = ops.ones((2, 3))


def network(*parts):
    return keras.Sequential([keras.Input((3,)), *parts, layers.Dense(2)])


def shared(passes, network, x=X):
    """Whether a second pass is the first."""
    return passes(network, x, training=True) is passes(network, x, training=True)


def test_second_pass_over_the_same_images_is_the_first():
    assert shared(SharedPasses(), network())


def test_passes_over_other_images_are_their_own():
    passes, model = SharedPasses(), network()
    first = passes(model, X, training=True)
    assert passes(model, 2 * X, training=True) is not first


@pytest.mark.parametrize(
    "part", [layers.BatchNormalization(), layers.Dropout(0.5), layers.GaussianNoise(1)]
)
def test_networks_with_statistics_or_chance_pass_anew(part):
    assert not shared(SharedPasses(), network(part))


def test_changed_network_passes_anew_and_others_do_not():
    passes, changed, kept = SharedPasses(), network(), network()
    before = [passes(model, X, training=True) for model in (changed, kept)]
    passes.forget(changed.trainable_variables[:1])
    after = [passes(model, X, training=True) for model in (changed, kept)]
    assert after[0] is not before[0]
    assert after[1] is before[1]


class Counting(layers.Layer):
    """Counts its calls."""

    calls = 0

    def call(self, x):
        Counting.calls += 1
        return x


@pytest.mark.skipif(
    keras.backend.backend() != "torch", reason="compilers share by themselves"
)
def test_step_encodes_once_for_discriminator_and_generator():
    x = keras.Input(tiny.IMAGE_SHAPE)
    features = layers.Dense(4)(Counting()(layers.Flatten()(x)))
    model = tiny.aae({"encoder": keras.Model(x, features)})
    model.compile(tiny.sgd())
    Counting.calls = 0
    model.train_on_batch(tiny.batch())
    # Reconstruction, discriminator and generator, classification.
    assert Counting.calls == 3
