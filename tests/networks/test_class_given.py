"""Encoders that are told the class, linear heads, and moments of q(z|x)."""

import keras
import numpy as np
import pytest
import tiny
from keras import ops

from keras_saae.networks import (
    EncoderGivenClass,
    StochasticEncoder,
    mlp_encoder,
    moved,
    with_linear_head,
)

X = ops.convert_to_tensor(tiny.images(5).astype("float32") / 255)


def array(values):
    return ops.convert_to_numpy(values)


@pytest.fixture
def encoder():
    trunk = mlp_encoder(tiny.IMAGE_SHAPE, hidden=(6,), seed=0)
    classifier = with_linear_head(
        mlp_encoder(tiny.IMAGE_SHAPE, hidden=(4,), seed=5), 3, "classifier", seed=7
    )
    return EncoderGivenClass(trunk, classifier, z_dim=2, hidden=(8, 7), seed=1)


def test_features_and_class_make_the_moments_of_the_style(encoder):
    features = encoder.trunk(X)
    y = ops.one_hot(ops.convert_to_tensor([0, 1, 2, 0, 1]), 3)
    mean, log_variance = encoder.moments(features, y)
    assert tuple(mean.shape) == tuple(log_variance.shape) == (5, 2)
    assert [
        layer.units for layer in encoder.head.layers if hasattr(layer, "units")
    ] == [*(8, 7, 4)]
    other, _ = encoder.moments(features, ops.roll(y, 1, axis=1))
    assert np.all(array(other) != array(mean))


def test_a_call_gives_the_logits_and_the_style_of_the_likeliest_class(encoder):
    y_logits, z = encoder(X)
    np.testing.assert_array_equal(array(y_logits), array(encoder.classifier(X)))
    y = ops.one_hot(ops.argmax(y_logits, axis=-1), 3)
    mean, _ = encoder.moments(encoder.trunk(X), y)
    np.testing.assert_allclose(array(z), array(mean), rtol=1e-6)


def test_encoder_given_the_class_is_rebuilt_from_its_configuration(encoder):
    config = keras.saving.serialize_keras_object(encoder)
    again = keras.saving.deserialize_keras_object(config)
    again.set_weights(encoder.get_weights())
    for one, other in zip(again(X), encoder(X)):
        np.testing.assert_array_equal(array(one), array(other))


def test_linear_head_flattens_maps_of_features():
    x = keras.Input((4, 4, 3))
    maps = keras.Model(x, keras.layers.Conv2D(2, 3)(x))
    head = with_linear_head(maps, 5, "head")
    assert head.output_shape == (None, 5)
    assert head.layers[-1].activation is keras.activations.linear
    assert head.name == "head"


def test_moments_of_a_gaussian_encoder_make_its_draws():
    trunk = mlp_encoder(tiny.IMAGE_SHAPE, hidden=(6,), seed=0)
    encoder = StochasticEncoder(trunk, 2, "gaussian", seed=0)
    noise = encoder.noise(X, seed=3)
    mean, log_variance = encoder.moments(X)
    np.testing.assert_allclose(array(encoder(X)), array(mean), rtol=1e-6)
    np.testing.assert_allclose(
        array(encoder.draw(X, noise)),
        array(moved(mean, log_variance, noise)),
        rtol=1e-6,
    )


def test_noise_is_mixed_in_by_as_many_units_as_there_are_features():
    def mixed_by(trunk):
        head = StochasticEncoder(trunk, 2, "universal", seed=0).head
        return [layer.units for layer in head.layers if hasattr(layer, "units")][0]

    assert mixed_by(mlp_encoder(tiny.IMAGE_SHAPE, hidden=(600,))) == 600
    x = keras.Input((6, 6, 3))
    assert mixed_by(keras.Model(x, keras.layers.Conv2D(5, 3)(x))) == 4 * 4 * 5
    x = keras.Input((34, 34, 1))
    assert mixed_by(keras.Model(x, keras.layers.Conv2D(2, 3)(x))) == 512  # of 2,048


def test_draw_moves_by_the_standard_deviation():
    mean, log_variance = np.array([[1.0, 2.0]]), np.log([[4.0, 9.0]])
    noise = np.array([[1.0, -1.0]])
    found = moved(*(ops.convert_to_tensor(v) for v in (mean, log_variance, noise)))
    np.testing.assert_allclose(array(found), [[1 + 2, 2 - 3]])
