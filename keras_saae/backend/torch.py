"""The backend primitives in PyTorch: autograd, state in place."""

import keras
import torch


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
    with torch.enable_grad():
        loss = loss_fn()
        gradients = torch.autograd.grad(loss, values, allow_unused=True)
    return loss.detach(), list(gradients)


def input_gradient(fn, x, differentiable=False):
    """Returns the gradient of the scalar `fn(x)` with respect to the tensor `x`.

    Whatever `fn` assigns on the way (batch-normalization statistics, seeds) is
    discarded. With `differentiable=True` the result may be differentiated again, by the
    variables that `fn` reads; otherwise the graph is freed, which is cheaper.
    """
    x = x.detach().requires_grad_(True)
    with keras.StatelessScope(), torch.enable_grad():
        (gradient,) = torch.autograd.grad(fn(x), x, create_graph=differentiable)
    return gradient


def compiled(fn):
    """Returns `fn`, a function of tensors, as it is: steps are not compiled here.

    It reads variables, such as a model's weights, when it is first called: make it anew
    when they have changed.
    """
    return fn


def step_of_many(model):
    """Not on PyTorch: it has no map over training steps that keep state."""
    raise NotImplementedError(
        "Several models in one program need JAX: choose KERAS_BACKEND=jax, or train "
        "them one after another. Received the backend torch."
    )


class StepAdapter:
    """Runs the model's own step bodies as Keras' PyTorch steps."""

    runs_several_steps = False
    shares_passes = True  # gradients flow back through a pass of an earlier phase

    def train_step(self, data):
        with torch.no_grad():  # `value_and_grad` switches gradients on by itself
            return self.run_phases(data)

    def test_step(self, data):
        return self.run_evaluation(data)
