"""The backend primitives in PyTorch: autograd, state in place."""

import types

import keras
import torch
from torch.optim.adam import adam


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


def input_gradient(fn, x, differentiable=False, has_aux=False):
    """Returns the gradient of the scalar `fn(x)` with respect to the tensor `x`.

    Whatever `fn` assigns on the way (batch-normalization statistics, seeds) is
    discarded. With `differentiable=True` the result may be differentiated again, by the
    variables that `fn` reads; otherwise the graph is freed, which is cheaper. With
    `has_aux=True`, `fn` returns the scalar and something else, and this the gradient
    and that.
    """
    x = x.detach().requires_grad_(True)
    with keras.StatelessScope(), torch.enable_grad():
        value, aux = fn(x) if has_aux else (fn(x), None)
        (gradient,) = torch.autograd.grad(value, x, create_graph=differentiable)
    if not has_aux:
        return gradient
    return gradient, keras.tree.map_structure(lambda tensor: tensor.detach(), aux)


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


def fuse(optimizer):
    """Lets Adam and AdamW update all parameters in one pass, where they are on a CPU.

    Keras' own update makes ten passes over them, which PyTorch does not fuse there: 12
    milliseconds for 1.5 million parameters on one core, beside 0.8. The result is the
    same up to rounding. Other optimizers, subclasses of yours, AMSGrad and GPUs keep
    Keras' update.

    Args:
        optimizer: Keras optimizer, built.
    """
    known = isinstance(optimizer, keras.optimizers.Adam) and not optimizer.amsgrad
    of_keras = type(optimizer).__module__.startswith("keras.")
    on_cpu = all(v.value.device.type == "cpu" for v in optimizer.variables)
    if known and of_keras and on_cpu:
        optimizer._backend_update_step = types.MethodType(_fused_adam, optimizer)


@torch.no_grad()
def _fused_adam(optimizer, gradients, variables, learning_rate):
    """Adam's update as Keras defines it; its epsilon stands outside the correction.

    p <- p - rate * sqrt(c2) / c1 * m / (sqrt(v) + epsilon),   c_i = 1 - beta_i^t
    """
    step = float(optimizer.iterations.value) + 1.0
    places = [optimizer._get_variable_index(variable) for variable in variables]
    adam(
        params=[variable.value.data for variable in variables],
        grads=[gradient.contiguous() for gradient in gradients],
        exp_avgs=[optimizer._momentums[place].value.data for place in places],
        exp_avg_sqs=[optimizer._velocities[place].value.data for place in places],
        max_exp_avg_sqs=[],
        state_steps=[torch.tensor(step - 1.0) for _ in places],  # counted up in there
        fused=True,
        amsgrad=False,
        beta1=optimizer.beta_1,
        beta2=optimizer.beta_2,
        lr=float(learning_rate),
        weight_decay=0.0,  # AdamW's is Keras' part
        eps=optimizer.epsilon / (1.0 - optimizer.beta_2**step) ** 0.5,
        maximize=False,
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
