"""The backend primitives in JAX: state goes in, state comes out."""

import itertools

import jax
import keras
from jax import numpy as jnp


def value_and_grad(loss_fn, variables, state):
    """Returns `loss_fn()` and its gradients with respect to `variables`.

    Args:
        loss_fn: function without arguments that returns a scalar.
        variables: list of `keras.Variable`, those to differentiate by.
        state: list of all `keras.Variable` that `loss_fn` may read or assign.
            What it assigns (batch-normalization statistics, seeds, metrics)
            leaves the differentiated function as an auxiliary output.

    Returns:
        The scalar loss and a list of gradients, zeros for a variable that the
        loss does not touch.
    """
    chosen = {id(variable) for variable in variables}
    others = [variable for variable in state if id(variable) not in chosen]

    def pure(values):
        mapping = [*zip(variables, values), *((v, v.value) for v in others)]
        with keras.StatelessScope(state_mapping=mapping) as scope:
            loss = loss_fn()
        return loss, [scope.get_current_value(variable) for variable in others]

    values = [variable.value for variable in variables]
    (loss, updates), gradients = jax.value_and_grad(pure, has_aux=True)(values)
    for variable, value in zip(others, updates):
        variable.assign(value)
    return loss, gradients


def input_gradient(fn, x, differentiable=False, has_aux=False):
    """Returns the gradient of the scalar `fn(x)` with respect to the tensor `x`.

    Whatever `fn` assigns on the way (batch-normalization statistics, seeds) is
    discarded. With `differentiable=True` the result may be differentiated again, by the
    variables that `fn` reads; here it always may. With `has_aux=True`, `fn` returns
    the scalar and something else, and this the gradient and that.
    """
    del differentiable

    def inner(x):
        with keras.StatelessScope() as scope:
            if scope.original_scope is not None:  # see the step's current values
                scope.state_mapping.update(scope.original_scope.state_mapping)
            return fn(x)

    return jax.grad(inner, has_aux=has_aux)(x)


def compiled(fn):
    """Returns `fn`, a function of tensors, compiled.

    It reads variables, such as a model's weights, when it is first called: make it anew
    when they have changed.
    """
    return jax.jit(fn)


def step_of_many(model):
    """Returns a compiled training step of several models that are built alike.

    It takes their states and batches, each stacked along a new first axis, and returns
    logs and states stacked in the same way. What they are is `model`'s.
    """
    return jax.jit(jax.vmap(model.train_step), donate_argnums=0)


def fuse(optimizer):
    """Does nothing: XLA fuses updates by itself."""
    del optimizer


class StepAdapter:
    """Runs the model's own step bodies as Keras' stateless JAX steps."""

    runs_several_steps = True
    shares_passes = False  # each phase is differentiated by itself

    def make_train_function(self, force=False):
        """Makes `steps_per_execution` steps one compiled call; Keras loops in Python.

        What is left at the end of an epoch runs step by step.
        """
        compiled = self.jit_compile and not self.run_eagerly
        if self.steps_per_execution == 1 or not compiled:
            return super().make_train_function(force)
        if self.train_function is not None and not force:
            return
        one_step = jax.jit(self.train_step, donate_argnums=0)
        several_steps = jax.jit(self._scan, donate_argnums=0)

        def train_function(state, iterator):
            rest = itertools.islice(iterator, self.steps_per_execution - 1)
            batches = [next(iterator), *rest]
            alike = len({_shapes(batch) for batch in batches}) == 1
            if alike and len(batches) == self.steps_per_execution:
                return several_steps(state, batches)
            for batch in batches:
                logs, state = one_step(state, batch)
            return logs, state

        self.train_function = train_function

    def _scan(self, state, batches):
        """Steps on all `batches`; logs of the last, which are means over the epoch."""

        def step(state, batch):
            logs, state = self.train_step(state, batch)
            return state, logs

        batches = jax.tree.map(lambda *parts: jnp.stack(parts), *batches)
        state, logs = jax.lax.scan(step, state, batches)
        return jax.tree.map(lambda values: values[-1], logs), state

    def train_step(self, state, data):
        groups = (
            self.trainable_variables,
            self.non_trainable_variables,
            self.optimizer.variables,
            self.metrics_variables,
        )
        return _run_stateless(self.run_phases, groups, state, data)

    def test_step(self, state, data):
        groups = (
            self.trainable_variables,
            self.non_trainable_variables,
            self.metrics_variables,
        )
        return _run_stateless(self.run_evaluation, groups, state, data)


def _run_stateless(body, groups, state, data):
    """Runs `body(data)` on the values in `state`; returns logs and new values."""
    mapping = [
        pair for group, values in zip(groups, state) for pair in zip(group, values)
    ]
    with keras.StatelessScope(state_mapping=mapping) as scope:
        logs = body(data)
    return logs, tuple(
        [scope.get_current_value(variable) for variable in group] for group in groups
    )


def _shapes(batch):
    return tuple(part.shape for part in jax.tree.leaves(batch))
