"""Moving averages of a network's weights, kept beside the network."""

import keras
from keras import ops


def averaged_copy(network):
    """A frozen copy of `network` with the same weights, to hold their average.

    Args:
        network: built Keras model that can be rebuilt from its configuration.

    Returns:
        Keras model of the same architecture, `trainable=False`.
    """
    copy = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(network)
    )
    copy.set_weights(network.get_weights())
    copy.trainable = False
    return copy


def update_average(average, network, decay, step):
    """Moves every weight of `average` towards that of `network`.

        average <- d * average + (1 - d) * network,  d = min(decay, (1 + t) / (10 + t))

    so that early averages forget the random initial weights. Batch-normalization
    statistics are weights here and are averaged with the rest.

    Args:
        average: the copy, made by `averaged_copy`.
        network: the network that trains.
        decay: weight of the past, such as 0.999 to average about 1,000 steps.
        step: number of steps so far, t.
    """
    t = ops.cast(step, "float32")
    d = ops.minimum(decay, (1.0 + t) / (10.0 + t))
    for mean, weight in zip(average.weights, network.weights):
        mean.assign(mean + (1.0 - d) * (weight - mean))
