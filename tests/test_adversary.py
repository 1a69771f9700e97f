"""The game of one code against its prior, with a discriminator worked out by hand."""

import keras
import numpy as np
import pytest
import tiny
from keras import layers, ops

from keras_saae.adversary import Adversary
from keras_saae.backend import value_and_grad

DRAWS = [[2.0, 0.0], [-1.0, 0.0]]
CODE = np.array([[0.5, 9.0], [0.5, 9.0]], "float32")


def critic(*weights):
    """A discriminator whose score is the weighted sum of its inputs."""
    network = keras.Sequential(
        [keras.Input((len(weights),)), layers.Dense(1, use_bias=False)]
    )
    network.set_weights([np.array(weights, "float32")[:, None]])
    return network


def adversary(prior=None, discriminator=None, **settings):
    accuracy = keras.metrics.Mean(name="discriminator_accuracy")
    return Adversary(
        prior or tiny.Fixed(DRAWS), discriminator or critic(1, 0), accuracy, **settings
    )


def value(tensor):
    return np.asarray(ops.convert_to_numpy(tensor), "float64")


def test_losses_are_those_of_the_scores_of_draws_and_codes():
    game, code = adversary(loss="hinge"), ops.convert_to_tensor(CODE)
    # Draws score 2 and -1, both codes 0.5.
    found = game.discriminator_loss(code, seeds=None, training=True)
    np.testing.assert_allclose(value(found), (0 + 2) / 2 + 1.5, rtol=1e-6)
    np.testing.assert_allclose(value(game.generator_loss(code, True)), -0.5)


def test_accuracy_counts_draws_above_and_codes_below_zero():
    game = adversary()
    game.discriminator_loss(ops.convert_to_tensor(CODE), None, training=True)
    np.testing.assert_allclose(value(game.accuracy.result()), 1 / 4)  # the first draw


def test_critic_is_right_where_scores_lie_on_their_side_of_the_middle():
    game = adversary(loss="wasserstein", gradient_penalty_weight=0.0)
    code = np.array([[-5.0, 0.0], [-6.0, 0.0]], "float32")
    # Draws score 2 and -1, codes -5 and -6: zero is not between them, -2.5 is.
    game.discriminator_loss(ops.convert_to_tensor(code), None, training=True)
    np.testing.assert_allclose(value(game.accuracy.result()), 1.0)


def test_slope_of_a_critic_that_normalizes_its_batch_is_refused():
    normalizing = keras.Sequential(
        [keras.Input((2,)), layers.BatchNormalization(), layers.Dense(1)]
    )
    with pytest.raises(ValueError, match="gradient penalty is of each image by itself"):
        adversary(discriminator=normalizing, loss="wasserstein")


def test_normalizing_discriminator_sees_draws_and_codes_as_batches_of_their_own():
    normalize = layers.BatchNormalization(center=False, scale=False, epsilon=1e-9)
    last = layers.Dense(1, use_bias=False, kernel_initializer="ones")
    discriminator = keras.Sequential([keras.Input((2,)), normalize, last])
    game = adversary(discriminator=discriminator, loss="hinge")
    found = game.discriminator_loss(ops.convert_to_tensor(CODE), None, training=True)
    # Draws are normalized to (1, 0) and (-1, 0), codes, all alike, to (0, 0).
    np.testing.assert_allclose(value(found), (0 + 2) / 2 + 1.0, rtol=1e-5)


def test_only_a_wasserstein_critic_pays_for_its_slope():
    code, steep = ops.convert_to_tensor(CODE), critic(3, 4)
    weighed = {"discriminator": steep, "gradient_penalty_weight": 2.0}
    found = adversary(loss="wasserstein", **weighed).discriminator_loss(code, 0, True)
    difference = 37.5 - (6.0 - 3.0) / 2  # of the mean scores of codes and draws
    np.testing.assert_allclose(value(found), difference + 2 * (5 - 1) ** 2, rtol=1e-5)
    hinge = adversary(loss="hinge", **weighed).discriminator_loss(code, 0, True)
    np.testing.assert_allclose(value(hinge), 0.5 * (0 + 4) + 38.5, rtol=1e-5)


def test_discriminator_sees_labels_one_hot_with_a_last_entry_for_unknown():
    game = adversary(discriminator=critic(0, 0, 10, 20, 30))
    labels = ops.convert_to_tensor([1, -1])
    found = game.generator_loss(ops.convert_to_tensor(CODE), False, labels)
    np.testing.assert_allclose(value(found), np.log1p(np.exp([-20, -30])).mean())


def test_discriminator_sees_what_stands_beside_codes_and_draws():
    game = adversary(discriminator=critic(0, 0, 2), loss="wasserstein")
    game.gradient_penalty_weight = 0.0
    code, beside = (ops.convert_to_tensor(v) for v in (CODE, [[1.0], [3.0]]))
    found = game.generator_loss(code, False, beside=beside)
    np.testing.assert_allclose(value(found), -2.0 * (1.0 + 3.0) / 2)
    # The draws have the same beside them, so that by it alone none can be told.
    found = game.discriminator_loss(code, None, True, beside=beside)
    np.testing.assert_allclose(value(found), 0.0)


class Echo:
    """A prior whose draws are the labels that it was given."""

    def sample(self, n, labels=None, seed=None):
        return ops.stack([ops.cast(labels, "float32")] * 2, axis=-1)


def test_draws_are_of_the_labels_given():
    game = adversary(Echo(), critic(1, *[0] * 6), loss="wasserstein")
    game.gradient_penalty_weight = 0.0
    labels = ops.convert_to_tensor([3, -1])
    found = game.discriminator_loss(ops.convert_to_tensor(CODE), None, True, labels)
    np.testing.assert_allclose(value(found), 0.5 - (3 - 1) / 2)


def test_discriminator_loss_leaves_the_encoder_where_it_is():
    code, game = keras.Variable(CODE), adversary(loss="wasserstein")
    weights = game.discriminator.trainable_variables
    _, (by_code, by_weight) = value_and_grad(
        lambda: game.discriminator_loss(ops.multiply(code, 1.0), 0, True),
        [code, *weights],
        [code, *weights, *game.accuracy.variables],
    )
    assert by_code is None or not np.any(value(by_code))
    assert np.any(value(by_weight))


def test_evaluation_meets_the_same_draws_each_time():
    class Noise:
        def sample(self, n, labels=None, seed=None):
            return keras.random.normal((n, 2), seed=seed)

    game, seeds = adversary(Noise()), keras.random.SeedGenerator(3)
    code = ops.convert_to_tensor(CODE)
    first, second = (
        value(game.discriminator_loss(code, seeds, training=False)) for _ in range(2)
    )
    assert first == second
    assert value(game.discriminator_loss(code, seeds, training=True)) != first
