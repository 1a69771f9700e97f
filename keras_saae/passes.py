"""Forward passes, and when one may stand for two."""


def treats_rows_singly(network):
    """Whether what a network does to one row depends on nothing but its weights.

    That is, whether it neither keeps statistics of batches (batch normalization) nor
    draws at random (dropout, noise): both are variables beside the trainable ones. Such
    a network may be called once where several calls were asked for.
    """
    return len(network.variables) == len(network.trainable_variables)


class SharedPasses:
    """The forward passes of a step that a later phase may need again.

    On TensorFlow and JAX every phase is differentiated by itself, and it is for the
    compiler to see that two of them compute the same. On PyTorch a phase can take
    gradients through what an earlier one computed, and here it finds it: unless a
    phase has changed the network since, or it is one that keeps statistics or draws
    at random, to which two passes are not one.
    """

    def __init__(self):
        self._made = {}

    def __call__(self, network, x, training):
        """`network(x)`, perhaps as an earlier phase computed it."""
        if not treats_rows_singly(network):
            return network(x, training=training)
        key = (id(network), id(x))
        if key not in self._made:  # with network and x, so that their ids stay theirs
            self._made[key] = network, x, network(x, training=training)
        return self._made[key][-1]

    def forget(self, variables):
        """Drops the passes of networks that own one of `variables`."""
        changed = {id(variable) for variable in variables}
        self._made = {
            key: (network, *others)
            for key, (network, *others) in self._made.items()
            if not changed & {id(variable) for variable in network.variables}
        }


def forward(network, x, batch, training):
    """`network(x)`, shared with the other phases of the batch's step where possible.

    Args:
        network: Keras model.
        x: tensor of the batch, the same object in the phases that share.
        batch: the batch as a loss gets it.
        training: as of the network.
    """
    passes = batch.get("passes")
    if passes is None:
        return network(x, training=training)
    return passes(network, x, training)
