"""Priors: moments, class weights, seeds and bad settings."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_saae.priors import (
    Categorical,
    ClassGaussians,
    Gaussian,
    GaussianMixture,
    SwissRoll,
    Uniform,
)


def draw(prior, n, **kwargs):
    return ops.convert_to_numpy(prior.sample(n, **kwargs))


PRIORS = pytest.mark.parametrize(
    "prior",
    [
        Gaussian(3, stddev=2.0),
        Categorical(3, [0.5, 0.3, 0.2]),
        Uniform(3, scale=2.0),
        GaussianMixture(4),
        SwissRoll(4, turns=1.5),
        ClassGaussians(3, width=4, distance=5.0, weights=[0.5, 0.25, 0.25]),
    ],
    ids=lambda prior: type(prior).__name__,
)


def test_gaussian_has_mean_zero_and_the_stddev_it_was_given():
    z = draw(Gaussian(2, stddev=5.0), 20_000, seed=0)
    np.testing.assert_allclose(z.mean(axis=0), 0.0, atol=0.15)  # 4 sigma: 5/sqrt(n)*4
    np.testing.assert_allclose(z.std(axis=0), 5.0, rtol=0.02)


def test_gaussian_dimensions_are_independent():
    z = draw(Gaussian(2), 20_000, seed=0)
    assert abs(np.corrcoef(z.T)[0, 1]) < 0.03


def test_categorical_draws_one_hot_rows_of_all_classes_alike():
    y = draw(Categorical(4), 20_000, seed=0)
    np.testing.assert_array_equal(np.sort(y, axis=1)[:, :3], 0.0)
    np.testing.assert_array_equal(y.max(axis=1), 1.0)
    np.testing.assert_allclose(y.mean(axis=0), 0.25, atol=0.015)


def test_categorical_follows_its_weights():
    y = draw(Categorical(3, [0.7, 0.2, 0.1]), 20_000, seed=0)
    np.testing.assert_allclose(y.mean(axis=0), [0.7, 0.2, 0.1], atol=0.015)


def test_categorical_encodes_given_labels():
    y = draw(Categorical(3), 4, labels=ops.convert_to_tensor([2, 0, 1, 2]))
    np.testing.assert_array_equal(y, np.eye(3)[[2, 0, 1, 2]])


@PRIORS
def test_integer_seed_reproduces_the_draw(prior):
    np.testing.assert_array_equal(draw(prior, 50, seed=5), draw(prior, 50, seed=5))
    assert np.any(draw(prior, 50, seed=5) != draw(prior, 50, seed=6))


@PRIORS
def test_seed_generator_draws_anew_each_time_and_repeats_from_its_seed(prior):
    first, second = (keras.random.SeedGenerator(4) for _ in range(2))
    a, b = draw(prior, 50, seed=first), draw(prior, 50, seed=first)
    assert np.any(a != b)
    np.testing.assert_array_equal(draw(prior, 50, seed=second), a)


@PRIORS
def test_draw_is_float32_of_the_width(prior, policy):
    policy("mixed_bfloat16")
    sample = draw(prior, 7, seed=0)
    assert sample.dtype == "float32"
    assert sample.shape == (7, prior.width)


@PRIORS
def test_prior_is_rebuilt_from_its_configuration(prior):
    config = keras.saving.serialize_keras_object(prior)
    again = keras.saving.deserialize_keras_object(config)
    assert type(again) is type(prior)
    assert again.get_config() == prior.get_config()


@pytest.mark.parametrize("prior", [Gaussian, Uniform])
@pytest.mark.parametrize("width", [0, 2.5, "2", np.nan])
def test_priors_need_a_whole_number_of_dimensions(prior, width):
    with pytest.raises((TypeError, ValueError), match="`width` must be an integer"):
        prior(width)


@pytest.mark.parametrize(
    ("prior", "name"),
    [
        (Gaussian, "stddev"),
        (Uniform, "scale"),
        (GaussianMixture, "radius"),
        (GaussianMixture, "stddev_along"),
        (GaussianMixture, "stddev_across"),
        (SwissRoll, "radius"),
        (SwissRoll, "turns"),
        (SwissRoll, "stddev"),
        (ClassGaussians, "distance"),
    ],
)
@pytest.mark.parametrize("length", [0.0, -1, np.nan, np.inf, "1"])
def test_lengths_of_priors_are_positive_numbers(prior, name, length):
    with pytest.raises(ValueError, match=f"`{name}` is a number above 0. Received: "):
        prior(2, **{name: length})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"width": 1}, "`width` must be an integer of at least 2. Received 1"),
        ({"width": 2, "weights": [1.0]}, "2 positive numbers with sum 1"),
        ({"width": 2, "weights": [1.0, 0.0]}, "2 positive numbers with sum 1"),
        ({"width": 2, "weights": [0.5, 0.6]}, r"Received: \[0.5, 0.6\]"),
        ({"width": 2, "weights": [0.5, np.nan]}, r"Received: \[0.5, nan\]"),
    ],
)
def test_categorical_refuses(settings, message):
    with pytest.raises(ValueError, match=message):
        Categorical(**settings)


# --- uniform ----------------------------------------------------------------------


def test_uniform_has_a_third_of_its_squared_scale_as_variance():
    z = draw(Uniform(2, scale=3.0), 20_000, seed=0)
    np.testing.assert_allclose(z.var(axis=0), 3.0**2 / 3, rtol=0.03)
    assert -3.0 <= z.min() <= z.max() <= 3.0


# --- priors of which each class owns a part ---------------------------------------

OF_CLASSES = pytest.mark.parametrize(
    "prior", [GaussianMixture(4), SwissRoll(4), ClassGaussians(4)], ids=["G", "S", "C"]
)


@OF_CLASSES
def test_draws_of_a_label_lie_in_its_part(prior):
    labels = np.repeat(np.arange(4), 200).astype("int32")
    z = draw(prior, 800, labels=ops.convert_to_tensor(labels), seed=0)
    found = ops.convert_to_numpy(prior.class_of(z))
    assert np.mean(found == labels) > 0.98  # noise carries a few across a border


@OF_CLASSES
@pytest.mark.parametrize("labels", [None, np.full(8000, -1, "int32")])
def test_unknown_labels_draw_from_all_parts_alike(prior, labels):
    labels = None if labels is None else ops.convert_to_tensor(labels)
    z = draw(prior, 8000, labels=labels, seed=0)
    shares = np.bincount(ops.convert_to_numpy(prior.class_of(z)), minlength=4) / 8000
    np.testing.assert_allclose(shares, 0.25, atol=0.02)


def test_labels_of_some_leave_the_others_open():
    labels = np.where(np.arange(4000) % 2, 3, -1).astype("int32")
    y = draw(Categorical(4), 4000, labels=ops.convert_to_tensor(labels), seed=0)
    np.testing.assert_array_equal(y.argmax(axis=1)[1::2], 3)
    np.testing.assert_allclose(y[::2].mean(axis=0), 0.25, atol=0.04)


def test_petal_of_a_mixture_has_its_centre_and_widths():
    prior = GaussianMixture(4, radius=3.0, stddev_along=0.5, stddev_across=0.1)
    ones = ops.ones((20_000,), dtype="int32")
    z = draw(prior, 20_000, labels=ones, seed=0)  # class 1 of 4 lies straight up
    np.testing.assert_allclose(z.mean(axis=0), [0.0, 3.0], atol=0.02)
    np.testing.assert_allclose(z.std(axis=0), [0.1, 0.5], rtol=0.03)
    assert abs(np.corrcoef(z.T)[0, 1]) < 0.03


def test_log_density_of_a_mixture_is_that_of_its_petals():
    prior = GaussianMixture(4, radius=3.0, stddev_along=0.5, stddev_across=0.1)
    found = ops.convert_to_numpy(prior.log_densities(np.array([[0.1, 3.5]])))
    # Class 1 at (0, 3): one standard deviation off in each direction.
    peak = -np.log(2 * np.pi * 0.5 * 0.1)
    np.testing.assert_allclose(found[0, 1], peak - 1.0, rtol=1e-4)
    # Class 0 at (3, 0): 2.9 off along, 3.5 off across.
    far = peak - 0.5 * ((2.9 / 0.5) ** 2 + (3.5 / 0.1) ** 2)
    np.testing.assert_allclose(found[0, 0], far, rtol=1e-4)


def test_swiss_roll_without_noise_lies_on_its_curve():
    prior = SwissRoll(10, radius=3.0, turns=2.0, stddev=1e-6)
    z = draw(prior, 1000, seed=0)
    length = np.linalg.norm(z, axis=1)
    assert length.max() <= 3.0 + 1e-4
    angle = 2 * np.pi * 2.0 * length / 3.0
    curve = length[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    np.testing.assert_allclose(z, curve, atol=1e-4)
    # Half of the draws lie within radius sqrt(1/2).
    np.testing.assert_allclose(np.mean(length < 3.0 * np.sqrt(0.5)), 0.5, atol=0.06)


@pytest.mark.parametrize("prior", [GaussianMixture, SwissRoll])
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"width": 3}, "lies in the plane, width=2. Received width=3"),
        (
            {"num_classes": 1},
            "`num_classes` must be an integer of at least 2. Received 1",
        ),
    ],
)
def test_priors_of_the_plane_refuse(prior, settings, message):
    with pytest.raises(ValueError, match=message):
        prior(**settings)


def test_gaussians_of_classes_are_all_as_far_from_each_other():
    means = ops.convert_to_numpy(ClassGaussians(3, width=4, distance=5.0).means)
    apart = np.linalg.norm(means[:, None] - means, axis=-1)
    np.testing.assert_allclose(apart, 5.0 * (1 - np.eye(3)), rtol=1e-5)


def test_draws_of_a_class_gaussian_lie_around_its_middle():
    prior = ClassGaussians(2, width=3, distance=3 * np.sqrt(2))
    z = draw(prior, 20_000, labels=ops.ones((20_000,), dtype="int32"), seed=0)
    np.testing.assert_allclose(z.mean(axis=0), [0.0, 3.0, 0.0], atol=0.04)
    np.testing.assert_allclose(z.std(axis=0), 1.0, rtol=0.03)


def test_log_density_of_class_gaussians_falls_by_half_the_squared_distance():
    prior = ClassGaussians(2, distance=3 * np.sqrt(2))
    found = ops.convert_to_numpy(prior.log_densities(np.array([[3.0, 1.0]])))
    expected = -np.log(2 * np.pi) - 0.5 * np.array([[1.0, 9.0 + 4.0]])
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_rarer_class_needs_a_nearer_code():
    z = np.array([[1.01, 1.0]])  # barely nearer to class 0
    even, uneven = (
        ClassGaussians(2, distance=2.0, weights=w) for w in (None, [0.1, 0.9])
    )
    assert ops.convert_to_numpy(even.class_of(z)).tolist() == [0]
    assert ops.convert_to_numpy(uneven.class_of(z)).tolist() == [1]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"num_classes": 4, "width": 3}, "a dimension for each class.*num_classes=4"),
        ({"num_classes": 1}, "`width` must be an integer of at least 2. Received 1"),
    ],
)
def test_class_gaussians_refuse(settings, message):
    with pytest.raises(ValueError, match=message):
        ClassGaussians(**settings)
