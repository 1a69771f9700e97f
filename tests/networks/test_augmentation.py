"""Random affine changes, with draws set by hand."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_saae.networks import RandomAffine


def images(n=1, size=5):
    return np.random.Generator(np.random.PCG64(0)).random((n, size, size), "float32")


@pytest.fixture
def drawn(monkeypatch):
    """Sets what is drawn: turn, sizes and shifts, both across and down, slant."""

    def draw(*rows):
        draws = ops.convert_to_tensor(np.array(rows, "float32"))
        monkeypatch.setattr(keras.random, "uniform", lambda *args, **kwargs: draws)

    return draw


def changed(x, seed=0, **settings):
    settings = {"rotation": 0.0, "scale": 0.0, "shift": 0.0, **settings}
    return ops.convert_to_numpy(
        RandomAffine(**settings)(ops.convert_to_tensor(x), seed)
    )


def test_sizes_of_zero_change_nothing():
    x = images(3)
    np.testing.assert_allclose(changed(x), x, atol=1e-6)


def test_a_quarter_turn_is_that_of_numpy(drawn):
    drawn([1, 0, 0, 0, 0, 0])
    x = images()
    # Rows point down: the place is turned clockwise on the screen, the image back.
    np.testing.assert_allclose(
        changed(x, rotation=90.0)[0], np.rot90(x[0], axes=(0, 1)), atol=1e-4
    )


def test_a_shift_brings_in_black(drawn):
    drawn([0, 0, 0, 1, 0, 0])
    x = images()
    expected = np.zeros_like(x)
    expected[:, :, :-1] = x[:, :, 1:]  # one pixel of five to the left
    np.testing.assert_allclose(changed(x, shift=0.2), expected, atol=1e-5)


def test_a_shift_brings_in_the_edge_if_asked(drawn):
    drawn([0, 0, 0, 1, 0, 0])
    x = images()
    expected = np.concatenate([x[:, :, 1:], x[:, :, -1:]], axis=2)
    found = changed(x, shift=0.2, fill="edge")
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_unknown_fill_is_refused():
    with pytest.raises(ValueError, match="`fill` must be one of.*'white'"):
        RandomAffine(fill="white")


def test_a_larger_size_keeps_the_centre(drawn):
    drawn([0, 1, 1, 0, 0, 0])
    x = np.zeros((1, 5, 5), "float32")
    x[0, 2, 2] = 1.0
    grown = changed(x, scale=0.5)[0]
    # A pixel at distance 1 comes from distance 2/3, where a third of the peak is left.
    np.testing.assert_allclose(grown[2], [0, 1 / 3, 1, 1 / 3, 0], atol=1e-5)
    np.testing.assert_allclose(grown[:, 2], grown[2], atol=1e-6)


def test_a_slant_moves_each_row_by_its_height(drawn):
    drawn([0, 0, 0, 0, 0, 1])
    x = np.zeros((1, 5, 5), "float32")
    x[0, :, 2] = 1.0  # an upright stroke
    # Two rows above the middle, a place comes from two pixels to its left.
    np.testing.assert_allclose(changed(x, shear=1.0)[0], np.eye(5)[::-1], atol=1e-5)


def test_each_image_has_a_draw_of_its_own():
    one, other = changed(np.repeat(images(), 2, axis=0), rotation=20.0)
    assert np.abs(one - other).max() > 0.01


def test_images_with_channels_keep_them():
    x = np.stack([images(2), 1 - images(2)], axis=-1)
    for channel in range(2):
        np.testing.assert_allclose(
            changed(x, rotation=20.0, seed=3)[..., channel],
            changed(x[..., channel], rotation=20.0, seed=3),
            atol=1e-6,
        )


def test_a_seed_repeats_its_draws():
    x = images(4)
    one, same, other = (changed(x, seed=s, rotation=20.0) for s in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert np.any(one != other)


@pytest.mark.parametrize(
    "wrong", [{"rotation": -1.0}, {"scale": 1.0}, {"shift": -0.1}, {"shear": -0.1}]
)
def test_sizes_out_of_range_are_refused(wrong):
    with pytest.raises(ValueError, match="at least 0"):
        RandomAffine(**wrong)


def test_flattened_images_are_refused():
    with pytest.raises(ValueError, match=r"height, width.*\(2, 16\)"):
        changed(np.zeros((2, 16), "float32"))
