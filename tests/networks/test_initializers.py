"""Initial weights: Keras' distributions, drawn by NumPy, alike on every backend."""

import keras
import numpy as np
import pytest
from keras import initializers, ops

from keras_saae.networks.initializers import TRUNCATED_STDDEV, seeded

SHAPES = {"dense": (300, 100), "convolution": (5, 5, 32, 64)}


def draw(initializer, shape, seed=3):
    return ops.convert_to_numpy(seeded(initializer, seed)(shape, "float32"))


def test_the_same_seed_gives_the_same_weights_on_every_backend():
    values = np.random.default_rng(0).standard_normal((2, 3), "float32")
    assert np.abs(values).max() < 2.0  # so that none is drawn again
    np.testing.assert_allclose(
        draw(initializers.RandomNormal(0.5, 0.01), (2, 3), 0), 0.5 + 0.01 * values
    )
    he = np.sqrt(2.0 / 2) / TRUNCATED_STDDEV  # 2 / fan_in, and two units go in
    np.testing.assert_allclose(draw("he_normal", (2, 3), 0), he * values, rtol=1e-6)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize(
    "name",
    [
        *("glorot_uniform", "glorot_normal", "he_normal", "he_uniform", "lecun_normal"),
        pytest.param(
            initializers.VarianceScaling(0.3, "fan_out", "untruncated_normal"),
            id="untruncated",
        ),
    ],
)
def test_spread_and_range_are_those_of_keras(name, shape):
    ours = draw(name, shape)
    keras_own = initializers.get(name)(shape)
    theirs = ops.convert_to_numpy(keras_own)
    assert ours.dtype == theirs.dtype == "float32"
    np.testing.assert_allclose(ours.mean(), 0.0, atol=0.02 * theirs.std())
    np.testing.assert_allclose(ours.std(), theirs.std(), rtol=0.02)
    if "uniform" in str(name):
        np.testing.assert_allclose(np.abs(ours).max(), np.abs(theirs).max(), rtol=0.02)


def test_truncated_draws_end_at_two_standard_deviations():
    ours = draw("lecun_normal", (100, 500)) * np.sqrt(100) * TRUNCATED_STDDEV
    assert 1.99 < np.abs(ours).max() <= 2.0
    np.testing.assert_allclose(ours.std(), TRUNCATED_STDDEV, rtol=0.01)


def test_another_seed_gives_other_weights_and_no_seed_a_random_one():
    assert not np.array_equal(draw("he_normal", (2, 3)), draw("he_normal", (2, 3), 4))
    keras.utils.set_random_seed(1)
    first = draw("he_normal", (2, 3), None)
    assert not np.array_equal(first, draw("he_normal", (2, 3), None))
    keras.utils.set_random_seed(1)
    np.testing.assert_array_equal(first, draw("he_normal", (2, 3), None))


def test_what_is_not_known_here_is_drawn_by_keras():
    assert type(seeded("orthogonal", 3)) is initializers.Orthogonal
    assert seeded("orthogonal", 3).seed == 3
    np.testing.assert_array_equal(draw(initializers.Constant(2.0), (2,)), [2.0, 2.0])

    class Doubled(initializers.HeNormal):
        def __call__(self, shape, dtype=None):
            return 2.0 * super().__call__(shape, dtype)

    assert type(seeded(Doubled(), 3)) is Doubled


def test_weights_may_be_bfloat16_and_follow_floatx():
    weights = seeded("he_normal", 3)
    assert keras.backend.standardize_dtype(weights((2, 3), "bfloat16").dtype) == (
        "bfloat16"
    )
    assert keras.backend.standardize_dtype(weights((2, 3)).dtype) == "float32"


def test_layer_that_holds_one_is_saved_and_rebuilt():
    layer = keras.layers.Dense(2, kernel_initializer=seeded("he_normal", 3))
    again = keras.layers.deserialize(keras.layers.serialize(layer))
    for dense in (layer, again):
        dense.build((None, 4))
    np.testing.assert_array_equal(*(dense.get_weights()[0] for dense in (layer, again)))
