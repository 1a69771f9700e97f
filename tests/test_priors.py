"""Priors: moments, class weights, seeds and bad settings."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_saae.priors import Categorical, Gaussian


def draw(prior, n, **kwargs):
    return ops.convert_to_numpy(prior.sample(n, **kwargs))


PRIORS = pytest.mark.parametrize(
    "prior", [Gaussian(3, stddev=2.0), Categorical(3, [0.5, 0.3, 0.2])], ids=repr
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
    assert sample.shape == (7, 3)


@PRIORS
def test_prior_is_rebuilt_from_its_configuration(prior):
    config = keras.saving.serialize_keras_object(prior)
    again = keras.saving.deserialize_keras_object(config)
    assert type(again) is type(prior)
    assert again.get_config() == prior.get_config()


@pytest.mark.parametrize("settings", [{"width": 0}, {"width": 2, "stddev": 0.0}])
def test_gaussian_refuses(settings):
    with pytest.raises(ValueError, match="at least one dimension and a positive"):
        Gaussian(**settings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"width": 1}, "at least two classes. Received width=1"),
        ({"width": 2, "weights": [1.0]}, "2 positive numbers with sum 1"),
        ({"width": 2, "weights": [1.0, 0.0]}, "2 positive numbers with sum 1"),
        ({"width": 2, "weights": [0.5, 0.6]}, r"Received: \[0.5, 0.6\]"),
    ],
)
def test_categorical_refuses(settings, message):
    with pytest.raises(ValueError, match=message):
        Categorical(**settings)
