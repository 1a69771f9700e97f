"""Scores of generation, on decoders and codes made by hand."""

import numpy as np
import pytest

from keras_saae.evaluation import (
    class_fidelity,
    class_shares,
    latent_mmd,
    style_leakage,
    style_variety,
)

ASKED = np.repeat(np.arange(10), 20)
PATTERNS = np.eye(10).reshape(10, 2, 5)  # class k lights pixel k


def judge(images):
    """A classifier without errors on `PATTERNS`: the brightest pixel."""
    return images.reshape(len(images), -1).argmax(axis=1)


def rng(seed=0):
    return np.random.Generator(np.random.PCG64(seed))


# --- class fidelity ---------------------------------------------------------------


def test_a_perfect_decoder_has_full_fidelity():
    assert class_fidelity(ASKED, judge(PATTERNS[ASKED])) == 100.0


def test_a_decoder_that_ignores_y_has_the_fidelity_of_guessing():
    drawn = np.broadcast_to(PATTERNS[3], (len(ASKED), 2, 5))
    assert class_fidelity(ASKED, judge(drawn)) == pytest.approx(10.0)


def test_fidelity_takes_probabilities():
    assert class_fidelity([0, 1], [[0.9, 0.1], [0.8, 0.2]]) == 50.0


# --- style leakage ----------------------------------------------------------------


def test_a_z_that_is_y_leaks_all():
    z = np.eye(10)[ASKED]
    assert style_leakage(z, ASKED, z, ASKED) == 100.0


def test_a_z_without_the_class_leaks_as_little_as_guessing():
    y = rng(1).integers(4, size=8000)
    z = rng(2).normal(size=(8000, 3))
    # 25 % expected; the standard deviation of 4,000 guesses is 0.7 %.
    found = style_leakage(z[:4000], y[:4000], z[4000:], y[4000:])
    assert abs(found - 25.0) < 3.0


def test_leakage_is_scored_on_the_test_codes():
    z = np.eye(2)[[0, 1, 0, 1]]
    assert style_leakage(z, [0, 1, 0, 1], z, [1, 0, 1, 0]) == 0.0


# --- style variety ----------------------------------------------------------------


def test_real_images_have_the_variety_of_real_images():
    x, y = rng().random((40, 3, 3)), np.arange(40) % 2
    assert style_variety(x, y, x, y) == pytest.approx(1.0)


def test_one_image_for_each_class_has_no_variety():
    x, y = rng().random((40, 10)), np.arange(40) % 10
    same = PATTERNS[y].reshape(40, 10)
    assert style_variety(same, y, x, y) == 0.0


def test_variety_is_the_mean_over_classes_of_the_ratio_of_mean_distances():
    # Class 0: distances 1 and 2; class 1: 3 against the mean of 1, 1 and 2.
    generated, y_generated = np.array([[0.0], [1.0], [0.0], [3.0]]), [0, 0, 1, 1]
    real, y_real = np.array([[0.0], [2.0], [0.0], [1.0], [2.0]]), [0, 0, 1, 1, 1]
    expected = (1 / 2 + 3 / (4 / 3)) / 2
    assert style_variety(generated, y_generated, real, y_real) == pytest.approx(
        expected
    )


def test_uint8_images_are_divided_by_255():
    x, y = rng().integers(256, size=(20, 4)).astype("uint8"), np.zeros(20, int)
    assert style_variety(x, y, x / 255, y) == pytest.approx(1.0)


@pytest.mark.parametrize("name", ["generated", "real"])
def test_variety_needs_two_images_of_each_class(name):
    x = rng().random((4, 2))
    sets = [(x[:3], [0, 0, 1]), (x, [0, 0, 1, 1])]
    few, many = sets if name == "generated" else sets[::-1]
    with pytest.raises(ValueError, match=f"class 1 needs at least two {name}.*1"):
        style_variety(*few, *many)


def test_variety_needs_a_label_for_each_image():
    x = rng().random((4, 2))
    with pytest.raises(ValueError, match="y_real"):
        style_variety(x, [0, 0, 1, 1], x, [0, 0, 1])


# --- latent fit -------------------------------------------------------------------


def test_mmd_of_two_pairs_by_hand():
    z, prior = np.array([[0.0], [1.0]]), np.array([[0.0], [2.0]])
    # Squared distances: within z 1, within the prior 4, across 0, 4, 1, 1; median 1.
    expected = np.exp(-1 / 2) + np.exp(-4 / 2)
    expected -= 2 * (1 + np.exp(-4 / 2) + 2 * np.exp(-1 / 2)) / 4
    assert latent_mmd(z, prior) == pytest.approx(expected)


def test_mmd_is_near_zero_where_codes_are_draws_from_the_prior():
    assert abs(
        latent_mmd(rng(1).normal(size=(800, 3)), rng(2).normal(size=(800, 3)))
    ) < (0.003)


@pytest.mark.parametrize(
    "change", [lambda z: z + 0.5, lambda z: 2 * z, lambda z: 0 * z]
)
def test_mmd_sees_a_shift_a_stretch_and_a_collapse(change):
    z = change(rng(1).normal(size=(800, 3)))
    assert latent_mmd(z, rng(2).normal(size=(800, 3))) > 0.02


def test_mmd_sees_a_collapse_with_many_more_codes_than_draws():
    assert latent_mmd(np.zeros((3000, 2)), rng().normal(size=(500, 2))) > 0.1


@pytest.mark.parametrize(
    ("z", "message"),
    [
        (np.zeros((3, 1)), "the same point"),
        (np.zeros((3, 2)), "same width"),
        (np.zeros((1, 1)), "at least two rows"),
        (np.full((3, 1), np.nan), "NaN"),
        (np.zeros(3), r"shape \(n, z_dim\)"),
    ],
)
def test_mmd_refuses_codes_that_do_not_compare(z, message):
    with pytest.raises(ValueError, match=message):
        latent_mmd(z, np.zeros((3, 1)))


def test_class_shares_are_those_of_the_likeliest_classes():
    y = [[0.9, 0.1, 0.0], [0.6, 0.4, 0.0], [0.2, 0.7, 0.1], [0.8, 0.1, 0.1]]
    np.testing.assert_array_equal(class_shares(y), [0.75, 0.25, 0.0])
