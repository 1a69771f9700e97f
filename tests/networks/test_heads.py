"""The class head and the style head on top of an encoder."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_saae.networks import EncoderWithHeads, mlp_encoder


def images(n=5):
    return ops.convert_to_tensor(
        np.random.Generator(np.random.PCG64(0)).random((n, 4, 4)).astype("float32")
    )


def encoder(z_dim=2, trunk=None, **settings):
    trunk = trunk or mlp_encoder((4, 4), hidden=(6,), batch_normalization=True, seed=0)
    return EncoderWithHeads(trunk, 3, z_dim, seed=0, **settings)


def test_heads_are_linear_in_the_features():
    network = encoder()
    y_logits, z = network(images())
    features = ops.convert_to_numpy(network.trunk(images(), training=False))
    for found, head in ((y_logits, network.y_head), (z, network.z_head)):
        kernel, bias = head.get_weights()
        np.testing.assert_allclose(
            ops.convert_to_numpy(found), features @ kernel + bias, atol=1e-5
        )


def test_classifier_without_a_style_gives_none_for_z():
    y_logits, z = encoder(z_dim=0)(images())
    assert y_logits.shape == (5, 3)
    assert z is None


def test_features_of_a_convolution_are_flattened():
    x = keras.Input((4, 4, 1))
    trunk = keras.Model(x, keras.layers.Conv2D(2, 3)(x))  # features (n, 2, 2, 2)
    network = encoder(trunk=trunk)
    assert network.y_head.get_weights()[0].shape == (8, 3)


def test_normalized_heads_have_mean_zero_and_variance_one_in_training():
    network = encoder(batch_normalization=True)
    for codes in network(images(50), training=True):
        codes = ops.convert_to_numpy(codes)
        np.testing.assert_allclose(codes.mean(axis=0), 0.0, atol=1e-5)
        np.testing.assert_allclose(codes.std(axis=0), 1.0, rtol=1e-2)
    layer = network.y_head.get_layer("y_normalization")
    assert layer.gamma is None  # no scale
    assert layer.beta is not None
    assert not network.y_head.get_layer("y").use_bias


@pytest.mark.parametrize("training", [False, True])
def test_classify_gives_the_y_logits_alone(training):
    network = encoder()
    y_logits, _ = network(images(), training=training)
    np.testing.assert_allclose(
        ops.convert_to_numpy(network.classify(images(), training=training)),
        ops.convert_to_numpy(y_logits),
        atol=1e-6,
    )


def test_seed_repeats_the_heads_and_gives_each_its_own_weights():
    one, same = encoder(z_dim=3), encoder(z_dim=3)
    np.testing.assert_array_equal(
        one.y_head.get_weights()[0], same.y_head.get_weights()[0]
    )
    assert np.any(one.y_head.get_weights()[0] != one.z_head.get_weights()[0])


@pytest.mark.parametrize("batch_normalization", [True, False])
def test_encoder_is_rebuilt_from_its_configuration(batch_normalization):
    network = encoder(
        batch_normalization=batch_normalization, kernel_initializer="he_normal"
    )
    config = keras.saving.serialize_keras_object(network)
    again = keras.saving.deserialize_keras_object(config)
    again.set_weights(network.get_weights())
    for one, other in zip(network(images()), again(images())):
        np.testing.assert_array_equal(
            ops.convert_to_numpy(one), ops.convert_to_numpy(other)
        )
    assert again.get_config() == network.get_config()


def test_heads_are_float32_under_mixed_precision(policy):
    policy("mixed_bfloat16")
    network = encoder()
    assert network.trunk.compute_dtype == "bfloat16"
    for codes in network(images()):
        assert keras.backend.standardize_dtype(codes.dtype) == "float32"


def test_vat_probe_is_longer_in_bfloat16_and_stays_so_when_loaded_in_float32(policy):
    assert encoder().vat_probe == 0.1
    policy("mixed_bfloat16")
    network = encoder()
    assert network.vat_probe == 2.0
    config = keras.saving.serialize_keras_object(network)
    policy("float32")
    assert keras.saving.deserialize_keras_object(config).vat_probe == 2.0
