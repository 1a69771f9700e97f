"""Multilayer perceptrons: shapes, order of layers, dtypes, seeds."""

import keras
import numpy as np
import pytest
from keras import layers, ops

from keras_saae.networks import mlp_decoder, mlp_discriminator, mlp_encoder


def kinds(network):
    return [type(layer).__name__ for layer in network.layers[1:]]


def call(network, x, training=False):
    x = ops.convert_to_tensor(np.asarray(x, "float32"))
    return ops.convert_to_numpy(network(x, training=training))


def test_encoder_maps_images_to_features():
    encoder = mlp_encoder((4, 4), hidden=(6, 5))
    assert encoder.input_shape == (None, 4, 4)
    assert encoder.output_shape == (None, 5)
    assert kinds(encoder) == ["Flatten", "Dense", "Dense"]


def test_encoder_of_the_paper_has_two_layers_of_a_thousand_relus():
    encoder = mlp_encoder((28, 28))
    assert [w.shape for w in encoder.weights] == [
        *((784, 1000), (1000,), (1000, 1000), (1000,))
    ]
    assert encoder.layers[-1].activation is keras.activations.relu


def test_normalization_comes_before_the_activation_and_dropout_after():
    encoder = mlp_encoder((4, 4), hidden=(6,), batch_normalization=True, dropout=0.2)
    assert kinds(encoder) == [
        *("Flatten", "Dense", "BatchNormalization", "Activation", "Dropout")
    ]


def test_normalized_layers_have_no_bias_of_their_own():
    encoder = mlp_encoder((4, 4), hidden=(6,), batch_normalization=True)
    assert not encoder.get_layer("hidden_1").use_bias


def test_encoder_takes_images_with_channels():
    assert call(mlp_encoder((4, 4, 3), hidden=(6,)), np.ones((2, 4, 4, 3))).shape == (
        *(2, 6),
    )


def test_decoder_gives_pixels_between_0_and_1():
    decoder = mlp_decoder((4, 3), 5, hidden=(6,), kernel_initializer="random_normal")
    pixels = call(decoder, 100 * np.eye(5))
    assert pixels.shape == (5, 4, 3)
    assert pixels.min() >= 0 and pixels.max() <= 1


def test_decoder_of_zero_weights_paints_grey():
    decoder = mlp_decoder((2, 2), 3, hidden=(4,), kernel_initializer="zeros")
    np.testing.assert_allclose(call(decoder, np.ones((2, 3))), np.full((2, 2, 2), 0.5))


def test_discriminator_gives_one_unbounded_logit():
    discriminator = mlp_discriminator(3, hidden=(4,), kernel_initializer="ones")
    np.testing.assert_allclose(call(discriminator, [[1.0, 2, 3]]), [[4 * 6.0]])


def test_discriminator_noise_is_there_in_training_only():
    noisy = mlp_discriminator(3, hidden=(4,), input_noise=0.5, seed=1)
    x = np.ones((2, 3))
    np.testing.assert_array_equal(call(noisy, x), call(noisy, x))
    assert np.any(call(noisy, x, training=True) != call(noisy, x))
    assert "GaussianNoise" not in kinds(mlp_discriminator(3, hidden=(4,)))


@pytest.mark.parametrize("make", [mlp_encoder, mlp_decoder, mlp_discriminator])
def test_seed_repeats_the_weights(make):
    def weights(seed):
        arguments = {mlp_encoder: [(4, 4)], mlp_decoder: [(4, 4), 5]}.get(make, [5])
        return make(*arguments, hidden=(6, 6), seed=seed).get_weights()

    for one, same, other in zip(weights(1), weights(1), weights(2)):
        np.testing.assert_array_equal(one, same)
        assert one.ndim == 1 or np.any(one != other)


def test_layers_of_one_shape_get_weights_of_their_own():
    encoder = mlp_encoder((4, 4), hidden=(6, 6, 6), seed=1)
    second, third = (encoder.get_layer(f"hidden_{k}").kernel.numpy() for k in (2, 3))
    assert np.any(second != third)


def test_initializer_may_be_a_configuration():
    normal = {"class_name": "RandomNormal", "config": {"stddev": 0.01}}
    encoder = mlp_encoder((28, 28), hidden=(100,), kernel_initializer=normal, seed=0)
    np.testing.assert_allclose(encoder.get_weights()[0].std(), 0.01, rtol=0.02)


def test_normalization_averages_follow_within_tens_of_steps():
    """Momentum 0.9: after one batch the mean has gone a tenth of the way."""
    encoder = mlp_encoder(
        (1, 2), hidden=(1,), kernel_initializer="ones", batch_normalization=True
    )
    call(encoder, np.ones((4, 1, 2)), training=True)
    normalization = encoder.get_layer("normalization_1")
    np.testing.assert_allclose(normalization.moving_mean.numpy(), [0.2], rtol=1e-6)
    assert normalization.epsilon == 1e-5


def test_outputs_are_float32_under_mixed_precision(policy):
    policy("mixed_bfloat16")
    decoder = mlp_decoder((4, 4), 5, hidden=(6,))
    discriminator = mlp_discriminator(5, hidden=(6,))
    for network in (decoder, discriminator):
        assert network.output.dtype == "float32"
        assert network.get_layer("hidden_1").compute_dtype == "bfloat16"


def test_any_activation_by_name_or_function():
    for activation in ("tanh", layers.LeakyReLU(negative_slope=0.1)):
        assert mlp_encoder((4, 4), hidden=(6,), activation=activation).built
