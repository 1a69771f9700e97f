"""Parzen-window log-likelihood, against hand-computed values and scikit-learn."""

import tracemalloc

import numpy as np
import pytest
from scipy.integrate import trapezoid
from sklearn.neighbors import KernelDensity

from keras_saae.evaluation import (
    likelihood,
    parzen_log_densities,
    parzen_log_likelihood,
)

LOG_NORMALIZER = 0.5 * np.log(2 * np.pi)  # of a Gaussian of one dimension, sigma = 1


def rng(seed=0):
    return np.random.Generator(np.random.PCG64(seed))


def dots(*values):
    """Images of one pixel."""
    return np.array(values, "float32").reshape(-1, 1, 1)


# --- densities --------------------------------------------------------------------


def test_at_its_own_two_samples_an_image_has_the_height_of_the_gaussian():
    found = parzen_log_densities(dots(0.5, 0.5), dots(0.5), sigma=0.2)
    np.testing.assert_allclose(found, -np.log(0.2) - LOG_NORMALIZER, rtol=1e-12)


def test_density_is_the_mean_of_the_gaussians_at_the_samples():
    # Half a sigma from one sample, one and a half from the other.
    found = parzen_log_densities(dots(0.25, 0.75), dots(0.375), sigma=0.25)
    mean = (np.exp(-(0.5**2) / 2) + np.exp(-(1.5**2) / 2)) / 2
    expected = np.log(mean) - np.log(0.25) - LOG_NORMALIZER
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_density_of_one_pixel_integrates_to_one():
    grid = np.linspace(0, 1, 1001)
    density = np.exp(parzen_log_densities(dots(0.3, 0.6), dots(*grid), sigma=0.05))
    assert trapezoid(density, grid) == pytest.approx(1.0, abs=1e-6)


def test_each_pixel_adds_its_own_distance_and_its_own_dimension():
    samples, x = np.zeros((2, 3, 4, 1)), np.full((1, 3, 4, 1), 0.1)
    found = parzen_log_densities(samples, x, sigma=0.1)
    expected = 12 * (-0.5 - np.log(0.1) - LOG_NORMALIZER)
    np.testing.assert_allclose(found, expected, rtol=1e-6)  # 0.1 as float32


@pytest.mark.parametrize("sigma", [0.02, 0.15, 3.0])
def test_densities_agree_with_scikit_learn(sigma):
    samples, x = rng(1).random((300, 28, 28)), rng(2).random((20, 28, 28))
    samples[:100] = x[0] + 0.1 * (samples[:100] - x[0])  # near ones and far ones
    samples, x = samples.astype("float32"), x.astype("float32")
    # In one leaf: between the leaves of a tree its rounding costs up to 100 nats.
    judge = KernelDensity(bandwidth=sigma, leaf_size=len(samples))
    expected = judge.fit(samples.reshape(300, -1)).score_samples(x.reshape(20, -1))
    found = parzen_log_densities(samples, x, sigma)
    np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_far_away_images_have_finite_densities():
    far = np.ones((1, 28, 28), "float32")  # exp of -3,920,000 is 0
    (found,) = parzen_log_densities(np.zeros((2, 28, 28)), far, sigma=0.01)
    expected = 784 * (-0.5e4 - np.log(0.01) - LOG_NORMALIZER)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_uint8_images_are_divided_by_255():
    samples = rng(1).integers(256, size=(5, 2, 2)).astype("uint8")
    x = rng(2).integers(256, size=(4, 2, 2)).astype("uint8")
    scaled = [(images / 255).astype("float32") for images in (samples, x)]
    np.testing.assert_allclose(
        parzen_log_densities(samples, x, 0.2),
        parzen_log_densities(*scaled, 0.2),
        rtol=1e-5,
    )


@pytest.mark.parametrize("values", [1, 350])
def test_blocks_make_no_difference(monkeypatch, values):
    samples, x = rng(1).random((50, 3, 3)), rng(2).random((7, 3, 3))
    whole = parzen_log_densities(samples, x, 0.2)
    monkeypatch.setattr(likelihood, "BLOCK_VALUES", values)
    np.testing.assert_allclose(parzen_log_densities(samples, x, 0.2), whole, rtol=1e-12)


def test_memory_does_not_grow_with_pairs_of_images_and_samples(monkeypatch):
    samples, x = np.zeros((1000, 1, 1), "float32"), np.ones((4000, 1, 1), "float32")
    monkeypatch.setattr(likelihood, "BLOCK_VALUES", 2**16)  # half a MiB
    tracemalloc.start()
    parzen_log_densities(samples, x, 0.2)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**20  # all pairs would take 30 MiB


# --- the estimate -----------------------------------------------------------------


def test_mean_and_standard_error_are_those_of_the_test_images():
    samples, x_test = dots(0.25, 0.75), dots(0.3, 0.9)
    found = parzen_log_likelihood(samples, dots(0.5), x_test, sigmas=0.1)
    a, b = parzen_log_densities(samples, x_test, 0.1)
    assert found.mean == pytest.approx((a + b) / 2)
    assert found.standard_error == pytest.approx(abs(a - b) / 2)  # ddof 1, over root 2


def test_sigma_is_the_one_under_which_the_validation_images_are_likeliest():
    # Around one point the likeliest width is the root mean square distance: 0.2.
    samples, x_validation = dots(0.5, 0.5), dots(0.3, 0.7)
    found = parzen_log_likelihood(
        samples, x_validation, dots(0.5, 0.5), sigmas=(0.1, 0.19, 0.2, 0.21, 0.4)
    )
    assert found.sigma == 0.2
    assert list(found.validation) == [0.1, 0.19, 0.2, 0.21, 0.4]
    assert found.validation[0.1] == pytest.approx(-2 - np.log(0.1) - LOG_NORMALIZER)


def test_test_images_have_no_part_in_choosing_sigma():
    samples, x_validation = dots(0.5, 0.5), dots(0.3, 0.7)
    chosen = {
        parzen_log_likelihood(samples, x_validation, x_test).sigma
        for x_test in (dots(0.5, 0.5), dots(0.0, 1.0))
    }
    assert len(chosen) == 1


@pytest.mark.parametrize("sigmas", [(0.01, 0.02, 0.03), (0.5, 0.6, 0.7)])
def test_a_best_width_at_the_end_of_the_grid_is_warned_of(sigmas):
    with pytest.warns(UserWarning, match="an end of `sigmas`.*Extend"):
        parzen_log_likelihood(dots(0.5, 0.5), dots(0.3, 0.7), dots(0.5, 0.5), sigmas)


# --- bad input --------------------------------------------------------------------

GOOD = np.full((3, 2, 2), 0.5, "float32")
NAN = np.array([[[np.nan]], [[0.5]]], "float32")


@pytest.mark.parametrize("sigma", [0.0, -0.1, np.nan, np.inf, "a", None])
def test_widths_that_are_not_positive_numbers_are_refused(sigma):
    with pytest.raises(ValueError, match="width is a positive number.*sigma="):
        parzen_log_densities(GOOD, GOOD, sigma)
    with pytest.raises(ValueError, match="width is a positive number.*sigma="):
        parzen_log_likelihood(GOOD, GOOD, GOOD, sigmas=(0.1, sigma))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"samples": NAN}, "`samples` holds NaN"),
        ({"x_validation": NAN}, "`x_validation` holds NaN"),
        ({"x_test": NAN}, "`x_test` holds NaN"),
        ({"samples": GOOD[:1]}, "at least two `samples`.*Received 1"),
        ({"samples": GOOD[:0]}, "`samples` holds no images"),
        ({"x_test": GOOD[:1]}, "at least two images in `x_test`"),
        ({"x_test": GOOD.reshape(3, 4)}, r"`x_test` must hold images.*\(3, 4\)"),
        ({"x_test": GOOD[:, :1]}, r"`samples` and `x_test` need.*\(2, 2\) and \(1, 2"),
        ({"x_validation": GOOD[..., None]}, r"`x_validation` need images of one shape"),
        ({"samples": 100 * GOOD}, "`samples` must lie in .0, 1.*divide by 255"),
        ({"sigmas": ()}, "`sigmas` is empty"),
    ],
)
def test_bad_input_is_refused_with_a_reason(change, message):
    arguments = {"samples": GOOD, "x_validation": GOOD, "x_test": GOOD, **change}
    with pytest.raises(ValueError, match=message):
        parzen_log_likelihood(**arguments)
