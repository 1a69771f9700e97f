"""Images moved by six numbers each."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_saae.backend import input_gradient
from keras_saae.networks import AffineWarp, Retouch, mlp_decoder


def images(*shape):
    return np.random.Generator(np.random.PCG64(0)).random(shape, "float32")


def before_the_limit(moves, limit):
    return 10 * np.arctanh(np.array(moves, "float32") / limit)


def warped(x, *moves, limit=4.0):
    inputs = (x, before_the_limit(moves, limit))
    inputs = [ops.convert_to_tensor(np.asarray(v, "float32")) for v in inputs]
    return ops.convert_to_numpy(AffineWarp(limit)(inputs))


def test_zeros_leave_images_as_they_are():
    x = images(2, 4, 6)
    np.testing.assert_allclose(warped(x, [0] * 6, [0] * 6), x, atol=1e-6)


def test_a_shift_is_a_share_of_half_the_image_and_brings_in_black():
    x = images(1, 4, 4)
    # Half of two pixels to the right, all of two down: from where the pixels come.
    expected = np.zeros((4, 4), "float32")
    expected[:2, :3] = x[0, 2:, 1:]
    np.testing.assert_allclose(warped(x, [0, 0, 0.5, 0, 0, 1])[0], expected, atol=1e-6)


def test_a_quarter_turn_is_that_of_numpy():
    x = images(1, 5, 5)
    # (u, v) comes from (-v, u): clockwise on the screen, where v points down.
    turned = warped(x, [-1, -1, 0, 1, -1, 0])[0]
    np.testing.assert_allclose(turned, np.rot90(x[0], axes=(0, 1)), atol=1e-5)


def test_half_the_width_is_squeezed_between_black():
    x = np.ones((1, 4, 4))
    row = warped(x, [1, 0, 0, 0, 0, 0])[0, 0]  # from twice as far: -3, -1, 1, 3
    np.testing.assert_allclose(row, [0, 1, 1, 0], atol=1e-6)


def test_each_image_is_moved_by_its_own_numbers_and_channels_together():
    x = images(2, 4, 4, 3)
    moved = warped(x, [0] * 6, [0, 0, 0.5, 0, 0, 0])
    np.testing.assert_allclose(moved[0], x[0], atol=1e-6)
    np.testing.assert_allclose(moved[1, :, :3], x[1, :, 1:], atol=1e-6)


def test_no_number_is_larger_than_the_limit():
    x = ops.convert_to_tensor(images(1, 4, 4))
    far = ops.convert_to_tensor(np.array([[0, 0, 1e6, 0, 0, 0]], "float32"))
    found = ops.convert_to_numpy(AffineWarp(0.5)([x, far]))[0]
    expected = np.pad(ops.convert_to_numpy(x)[0, :, 1:], ((0, 0), (0, 1)))
    np.testing.assert_allclose(found, expected, atol=1e-6)  # half of half of four


def test_a_limit_that_is_not_positive_is_refused():
    with pytest.raises(ValueError, match="limit"):
        AffineWarp(0.0)


def test_gradients_say_how_pixels_change_with_a_shift():
    x = images(1, 3, 3)

    def sum_of_middle(moves):
        return ops.sum(AffineWarp(10.0)([ops.convert_to_tensor(x), moves])[:, 1, 1])

    # A quarter of a pixel (1.5 pixels are half the width) right of the middle one.
    # 10 tanh(m / 10) is m where m is small.
    moves = ops.convert_to_tensor(np.array([[0, 0, 1 / 6, 0, 0, 0]], "float32"))
    found = ops.convert_to_numpy(input_gradient(sum_of_middle, moves))[0, 2]
    assert found == pytest.approx(1.5 * (x[0, 1, 2] - x[0, 1, 1]), rel=1e-3)


def test_changes_move_the_logits_of_pixels():
    x = np.array([[0.5, 0.5, 0.8, 0.0]], "float32")
    changes = np.array([[0.0, np.log(3.0), -np.log(4.0), 0.0]], "float32")
    inputs = [ops.convert_to_tensor(v) for v in (x, changes)]
    # Odds of 1, 1 * 3, 4 / 4 and, the smallest there are, 1 / 999.
    found = ops.convert_to_numpy(Retouch()(inputs))
    np.testing.assert_allclose(found, [[0.5, 0.75, 0.5, 0.001]], rtol=1e-4)


def test_decoder_paints_as_without_a_warp_until_it_learns_to_move():
    decoder = mlp_decoder((4, 4), 3, hidden=(5,), warped=True, seed=1)
    plain = mlp_decoder((4, 4), 3, hidden=(5,), seed=1)
    code = ops.convert_to_tensor(images(2, 3))
    np.testing.assert_allclose(
        ops.convert_to_numpy(decoder(code)),
        ops.convert_to_numpy(plain(code)),
        atol=1e-6,
    )


def test_decoder_learns_to_move_and_to_change():
    decoder = mlp_decoder((4, 4), 3, hidden=(5,), warped=True, seed=1)
    decoder.compile(keras.optimizers.Adam(0.01), loss="mse")
    decoder.fit(images(8, 3), images(8, 4, 4), verbose=0)
    for name in ("moves", "changes"):
        _, bias = decoder.get_layer(name).get_weights()
        assert np.abs(bias).min() > 0


def test_a_warped_decoder_comes_back_from_a_file(tmp_path):
    decoder = mlp_decoder((4, 4), 3, hidden=(5,), warped=True)
    decoder.get_layer("moves").set_weights([images(5, 6), images(6)])
    decoder.get_layer("changes").set_weights([images(5, 16), images(16)])
    decoder.save(tmp_path / "decoder.keras")
    code = ops.convert_to_tensor(images(2, 3))
    np.testing.assert_allclose(
        ops.convert_to_numpy(keras.saving.load_model(tmp_path / "decoder.keras")(code)),
        ops.convert_to_numpy(decoder(code)),
        atol=1e-6,
    )
