"""Convolutional networks: shapes, sizes that do not fit, seeds."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_saae.networks import conv_decoder, conv_encoder


def call(network, x):
    x = ops.convert_to_tensor(np.asarray(x, "float32"))
    return ops.convert_to_numpy(network(x, training=False))


@pytest.mark.parametrize(
    ("image_shape", "filters"),
    [
        ((28, 28), (3, 4)),
        ((32, 32, 3), (3, 4)),
        ((64, 64, 3), (2, 3, 4)),
        ((4, 8), (2,)),
    ],
)
def test_encoder_and_decoder_fit_images_of_these_shapes(image_shape, filters):
    encoder = conv_encoder(image_shape, filters, kernel_size=3, hidden=(5,))
    decoder = conv_decoder(image_shape, 7, filters[::-1], kernel_size=3, hidden=(6,))
    assert encoder.input_shape == (None, *image_shape)
    assert call(encoder, np.ones((2, *image_shape))).shape == (2, 5)
    pixels = call(decoder, 10.0 * np.eye(7))
    assert pixels.shape == (7, *image_shape)
    assert pixels.min() >= 0 and pixels.max() <= 1


@pytest.mark.parametrize(
    ("image_shape", "smallest"),
    [
        ((28, 28), (7, 7, 64)),
        ((28, 28, 1), (7, 7, 64)),
        ((32, 32, 3), (8, 8, 64)),
        ((64, 64, 3), (8, 8, 128)),
        ((8, 8), (4, 4, 32)),
    ],
)
def test_unless_told_images_are_halved_to_at_most_eight_pixels(image_shape, smallest):
    encoder = conv_encoder(image_shape, hidden=(5,))
    decoder = conv_decoder(image_shape, 7, hidden=(6,))
    last = [k for k in encoder.layers if isinstance(k, keras.layers.Conv2D)][-1]
    first = next(k for k in decoder.layers if isinstance(k, keras.layers.Reshape))
    assert last.output.shape == first.output.shape == (None, *smallest)
    assert encoder.input_shape == decoder.output_shape == (None, *image_shape)


@pytest.mark.parametrize("image_shape", [(28, 28), (32, 32, 3), (64, 64, 3)])
def test_pixels_are_float32_under_every_policy(image_shape, policy):
    policy("mixed_bfloat16")
    decoder = conv_decoder(image_shape, 7, filters=(2, 2), hidden=(6,))
    assert decoder.compute_dtype == "bfloat16"
    assert call(decoder, np.eye(7)).dtype == np.float32


def test_convolutions_halve_the_images():
    encoder = conv_encoder((28, 28), filters=(3, 4), hidden=(5,))
    assert encoder.get_layer("convolution_1").output.shape == (None, 14, 14, 3)
    assert encoder.get_layer("convolution_2").output.shape == (None, 7, 7, 4)


def test_strides_of_one_add_convolutions_that_keep_the_size():
    filters = {"filters": (2, 3, 4, 5), "strides": (1, 2, 1, 2)}
    encoder = conv_encoder((28, 28), hidden=(5,), **filters)
    sizes = [encoder.get_layer(f"convolution_{k}").output.shape for k in range(1, 5)]
    assert sizes == [
        (None, side, side, c) for side, c in zip((28, 14, 14, 7), range(2, 6))
    ]
    mirrored = {key: value[::-1] for key, value in filters.items()}
    decoder = conv_decoder((28, 28), 7, hidden=(6,), **mirrored)
    sizes = [decoder.get_layer(f"convolution_{k}").output.shape for k in range(1, 4)]
    assert sizes == [(None, side, side, c) for side, c in zip((14, 14, 28), (4, 3, 2))]
    assert decoder.output_shape == (None, 28, 28)


@pytest.mark.parametrize(
    "make", [conv_encoder, lambda s, f, **k: conv_decoder(s, 5, f, **k)]
)
def test_strides_of_another_number_are_refused(make):
    with pytest.raises(ValueError, match="or one each"):
        make((4, 4), (2, 2), strides=(2, 2, 1))


def test_an_image_moved_by_two_pixels_moves_its_features_by_one():
    encoder = conv_encoder((16, 16), filters=(3,), kernel_size=3, hidden=(4,), seed=0)
    convolution = keras.Model(encoder.input, encoder.get_layer("convolution_1").output)
    x = np.zeros((2, 16, 16))
    x[0, 4:8, 4:8] = np.arange(16).reshape(4, 4)
    x[1] = np.roll(x[0], 2, axis=1)
    here, there = call(convolution, x)
    assert np.any(here)
    np.testing.assert_allclose(there, np.roll(here, 1, axis=1), atol=1e-5)


@pytest.mark.parametrize("make", [conv_encoder, lambda s, f: conv_decoder(s, 5, f)])
@pytest.mark.parametrize("image_shape", [(30, 30), (28, 26), (28,)])
def test_sizes_that_cannot_be_halved_are_refused(make, image_shape):
    with pytest.raises(ValueError, match="divide by 4.*fewer `filters`"):
        make(image_shape, (3, 4))


@pytest.mark.parametrize("make", [conv_encoder, lambda s, f: conv_decoder(s, 5, f)])
def test_no_convolution_at_all_is_refused(make):
    with pytest.raises(ValueError, match="`filters` is empty"):
        make((4, 4), ())


def test_normalized_convolutions_have_no_bias_of_their_own():
    encoder = conv_encoder((4, 4), filters=(2,), hidden=(3,), batch_normalization=True)
    assert not encoder.get_layer("convolution_1").use_bias
    assert encoder.get_layer("convolution_normalization_1").momentum == 0.9


def test_seed_repeats_the_weights():
    def weights(seed):
        networks = (
            conv_encoder((4, 4), filters=(2, 2), hidden=(3,), seed=seed),
            conv_decoder((4, 4), 5, filters=(2, 2), hidden=(3,), seed=seed),
        )
        return [w for network in networks for w in network.get_weights()]

    for one, same, other in zip(weights(1), weights(1), weights(200)):
        np.testing.assert_array_equal(one, same)
        assert one.ndim == 1 or np.any(one != other)
