"""Terms of the variational bounds, against values computed by hand."""

import math

import numpy as np
import pytest
from keras import ops

from keras_saae import losses

LOG_2_PI = math.log(2 * math.pi)


def number(function, *arrays, **settings):
    tensors = (ops.convert_to_tensor(np.asarray(a, "float32")) for a in arrays)
    return ops.convert_to_numpy(function(*tensors, **settings))


# --- likelihoods ------------------------------------------------------------------


def test_bernoulli_sums_the_cross_entropies_of_an_image():
    x = [[[1.0, 0.0], [0.5, 0.5]], [[0.0, 0.0], [0.0, 1.0]]]
    x_reconstructed = [[[0.5, 0.2], [0.5, 0.5]], [[0.5, 0.5], [0.5, 0.5]]]
    expected = [3 * math.log(2) - math.log(0.8), 4 * math.log(2)]
    found = number(losses.bernoulli_nll, x, x_reconstructed)
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    mean = number(losses.binary_crossentropy_sum, x, x_reconstructed)
    np.testing.assert_allclose(mean, np.mean(expected), rtol=1e-5)


def test_gaussian_of_variance_one_costs_half_the_squares_and_its_constant():
    found = number(losses.gaussian_nll, [[1.0, 3.0]], [[0.0, 1.0]])
    np.testing.assert_allclose(found, [0.5 * (1 + 4) + LOG_2_PI], rtol=1e-6)


def test_gaussian_weighs_squares_by_its_variance_and_pays_for_its_width():
    log_variance = np.log([[4.0, 1.0]])
    found = number(losses.gaussian_nll, [[2.0, 3.0]], [[0.0, 1.0]], log_variance)
    expected = 0.5 * (4 / 4 + math.log(4) + 4 / 1 + 0) + LOG_2_PI
    np.testing.assert_allclose(found, [expected], rtol=1e-6)


# --- divergences ------------------------------------------------------------------


def test_prior_itself_has_no_divergence():
    np.testing.assert_array_equal(
        number(losses.gaussian_kl, np.zeros((3, 2)), np.zeros((3, 2))), np.zeros(3)
    )


def test_divergence_from_the_prior_has_a_term_of_the_mean_and_one_of_the_variance():
    found = number(losses.gaussian_kl, [[1.0, 0.0]], [[0.0, math.log(4)]])
    of_mean, of_variance = 0.5 * 1, 0.5 * (4 - 1 - math.log(4))
    np.testing.assert_allclose(found, [of_mean + of_variance], rtol=1e-6)


def test_divergence_from_a_component_counts_from_its_middle():
    mean = np.array([[3.0, 1.0]])
    found = number(losses.gaussian_kl, mean, np.zeros((1, 2)), prior_mean=3.0)
    np.testing.assert_allclose(found, [0.5 * (0 + 4)], rtol=1e-6)


def test_mixture_of_one_costs_what_its_component_does():
    mean, log_variance = [[1.0, 2.0]], [[0.5, -0.5]]
    found = number(losses.mixture_kl, mean, log_variance, [[1.0, 0.0]], [0.0])
    alone = number(losses.gaussian_kl, mean, log_variance, [[1.0, 0.0]])
    np.testing.assert_allclose(found, alone, rtol=1e-6)


def test_code_on_a_component_far_from_the_others_costs_its_weight():
    means, weights = [[0.0, 0.0], [20.0, 0.0]], [0.25, 0.75]
    found = number(losses.mixture_kl, means, np.zeros((2, 2)), means, np.log(weights))
    np.testing.assert_allclose(found, -np.log(weights), rtol=1e-5)


def test_code_between_two_components_may_count_as_either():
    means = [[-1.0], [1.0]]
    found = number(losses.mixture_kl, [[0.0]], [[0.0]], means, np.log([0.5, 0.5]))
    np.testing.assert_allclose(found, [0.5], rtol=1e-6)  # the KL to each of them


# --- bounds of labelled and unlabelled images -------------------------------------

BOUNDS = np.array([[10.0, 20.0, 40.0]])
Y_LOGITS = np.log([[0.5, 0.25, 0.25]])


def test_labelled_bound_adds_error_surprise_at_the_class_and_divergence():
    found = number(losses.labelled_bound, [80.0], [20.0], [math.log(0.1)])
    np.testing.assert_allclose(found, [80 + 20 + math.log(10)], rtol=1e-6)


def test_unlabelled_bound_is_the_mean_over_classes_minus_their_entropy():
    found = number(losses.unlabelled_bound, BOUNDS, Y_LOGITS)
    entropy = 0.5 * math.log(2) + 0.5 * math.log(4)
    np.testing.assert_allclose(found, [5 + 5 + 10 - entropy], rtol=1e-6)


def test_unlabelled_bound_is_least_where_q_is_the_posterior():
    bounds = -np.log([[0.1, 0.2, 0.3]])  # minus log of joint densities p(x, y)
    found = number(losses.unlabelled_bound, bounds, -bounds)
    np.testing.assert_allclose(found, [-math.log(0.6)], rtol=1e-5)  # -log p(x)
    for step in np.eye(3):
        assert number(losses.unlabelled_bound, bounds, -bounds + step) > found


@pytest.mark.parametrize(
    ("allowed", "expected"),
    [
        ([True, True, True], 5 + 5 + 10 - 1.5 * math.log(2)),
        ([False, True, False], 20.0),
        ([False, True, True], 0.5 * 20 + 0.5 * 40 - math.log(2)),
    ],
)
def test_bound_within_some_classes_shares_q_out_among_them(allowed, expected):
    allowed = ops.convert_to_tensor(np.array([allowed]))
    found = number(losses.unlabelled_bound, BOUNDS, Y_LOGITS, allowed=allowed)
    np.testing.assert_allclose(found, [expected], rtol=1e-6)


# --- features ---------------------------------------------------------------------


def test_layers_count_alike_however_many_units_they_have():
    x = [np.zeros((2, 1)), np.zeros((2, 4))]
    other = [np.full((2, 1), 2.0), np.full((2, 4), 3.0)]
    found = losses.feature_error(
        *([ops.convert_to_tensor(h) for h in hs] for hs in (x, other))
    )
    np.testing.assert_allclose(ops.convert_to_numpy(found), 4 + 9, rtol=1e-6)
