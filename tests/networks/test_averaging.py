"""Moving averages of weights."""

import keras
import numpy as np
import pytest
import tiny
from keras import ops

from keras_saae.networks import averaged_copy, mlp_encoder, update_average


@pytest.fixture
def network():
    return mlp_encoder((4, 4), hidden=(6,), batch_normalization=True, dropout=0.5)


def test_copy_has_the_same_weights_and_computes_the_same(network):
    copy = averaged_copy(network)
    tiny.assert_equal(copy.get_weights(), network.get_weights())
    x = ops.ones((2, 4, 4))
    np.testing.assert_array_equal(
        ops.convert_to_numpy(copy(x)), ops.convert_to_numpy(network(x))
    )


def test_copy_is_frozen_and_shares_nothing(network):
    copy = averaged_copy(network)
    assert copy.trainable_variables == []
    assert not {id(v) for v in copy.variables} & {id(v) for v in network.variables}
    assert network.trainable_variables


@pytest.mark.parametrize(
    ("step", "decay", "kept"),
    [
        (1, 0.999, 2 / 11),  # early: (1 + t) / (10 + t)
        (5, 0.999, 6 / 15),
        (10**6, 0.999, 0.999),
        (1, 0.1, 0.1),
    ],
)
def test_average_keeps_its_share_of_the_past(network, step, decay, kept):
    copy = averaged_copy(network)
    before = copy.get_weights()
    network.set_weights([w + 1.0 for w in before])
    update_average(copy, network, decay, step)
    tiny.assert_equal(
        copy.get_weights(), [w + (1 - kept) for w in before], rtol=1e-5, atol=1e-6
    )


def test_batch_statistics_are_averaged_with_the_rest(network):
    copy = averaged_copy(network)
    normalization = network.get_layer("normalization_1")
    normalization.moving_mean.assign(np.full(6, 11.0))
    update_average(copy, network, 0.999, step=1)
    mean = copy.get_layer("normalization_1").moving_mean
    np.testing.assert_allclose(mean.numpy(), np.full(6, 9.0), rtol=1e-6)


def test_seeds_are_not_averaged(network):
    assert len(network.variables) == len(network.weights) + 1  # Dropout's seed
    copy = averaged_copy(network)
    before = tiny.values(v for v in copy.variables if v.dtype != "float32")
    update_average(copy, network, 0.9, step=1)
    tiny.assert_equal(
        tiny.values(v for v in copy.variables if v.dtype != "float32"), before
    )


def test_network_that_trains_is_left_alone(network):
    before = network.get_weights()
    copy = averaged_copy(network)
    copy.set_weights([w + 1.0 for w in before])
    update_average(
        copy, network, 0.9, step=keras.Variable(3, trainable=False, dtype="int32")
    )
    tiny.assert_equal(network.get_weights(), before)
