"""The backend primitives in TensorFlow: gradient tapes, state in place."""

import keras
import tensorflow as tf


def value_and_grad(loss_fn, variables, state):
    """Returns `loss_fn()` and its gradients with respect to `variables`.

    Args:
        loss_fn: function without arguments that returns a scalar.
        variables: list of `keras.Variable`, those to differentiate by.
        state: list of all `keras.Variable` that `loss_fn` may read or assign.
            Only JAX needs it; here assignments happen in place.

    Returns:
        The scalar loss and a list of gradients, `None` for a variable that the
        loss does not touch.
    """
    del state
    values = [variable.value for variable in variables]
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(values)
        loss = loss_fn()
    return loss, tape.gradient(loss, values)


def input_gradient(fn, x, differentiable=False, has_aux=False):
    """Returns the gradient of the scalar `fn(x)` with respect to the tensor `x`.

    Whatever `fn` assigns on the way (batch-normalization statistics, seeds) is
    discarded. With `differentiable=True` the result may be differentiated again, by the
    variables that `fn` reads; here it always may. With `has_aux=True`, `fn` returns
    the scalar and something else, and this the gradient and that.
    """
    del differentiable
    with keras.StatelessScope(), tf.GradientTape() as tape:
        tape.watch(x)
        value, aux = fn(x) if has_aux else (fn(x), None)
    gradient = tape.gradient(value, x)
    return (gradient, aux) if has_aux else gradient


def compiled(fn):
    """Returns `fn`, a function of tensors, compiled.

    It reads variables, such as a model's weights, when it is first called: make it anew
    when they have changed.
    """
    return tf.function(fn)


def step_of_many(model):
    """Not on TensorFlow: it has no map over training steps that keep state."""
    raise NotImplementedError(
        "Several models in one program need JAX: choose KERAS_BACKEND=jax, or train "
        "them one after another. Received the backend tensorflow."
    )


def fuse(optimizer):
    """Does nothing: updates are part of the graph."""
    del optimizer


class StepAdapter:
    """Runs the model's own step bodies as Keras' TensorFlow steps."""

    runs_several_steps = True
    shares_passes = False  # each phase is differentiated by itself

    def train_step(self, data):
        return self.run_phases(data)

    def test_step(self, data):
        return self.run_evaluation(data)
