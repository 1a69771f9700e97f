"""What one training step does, and in what order: phases, run one after another."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import keras
from keras import ops

from keras_saae.backend import StepAdapter, value_and_grad
from keras_saae.door import ChecksData
from keras_saae.optimizers import PhaseOptimizers
from keras_saae.passes import SharedPasses

Tensor = Any


class Phase(NamedTuple):
    """One update within a training step.

    Attributes:
        name: a noun, the same word in code, logs, optimizers and plots.
        loss: `loss(batch, training) -> scalar`, written with `keras.ops` and
            `keras.random` only. `batch` is the dict that `PhasedModel.prepare`
            returns.
        variables: the `keras.Variable`s that this phase updates, exactly those
            that its loss touches. A variable may belong to several phases.
        batch_key: the entry of the batch whose length weights this phase's loss
            when losses are averaged over an epoch.
    """

    name: str
    loss: Callable[[dict, bool], Tensor]
    variables: Sequence[keras.Variable]
    batch_key: str = "x"


class PhasedModel(ChecksData, StepAdapter, keras.Model):
    """A model whose training step is a sequence of phases.

    A subclass says what the phases are; this class runs them under `fit`,
    `evaluate` and `.keras` saving on every backend. In a step, each phase in turn
    computes its loss and the gradients by its own variables, and updates those by
    its own optimizer, so that a later phase sees what an earlier one changed (unless
    compiled with `simultaneous=True`).

    Subclasses define:
        `phases()`: the sequence of `Phase`s.
        `call(x, training)`: what `predict` returns.

    and may define:
        `image_shape`: shape of one image; arrays of another shape are refused.
        `batch_keys`: the entries that a training batch must have.
        `num_classes`: number of classes; labels beyond are refused.
        `groups`: main class of each class, where labels may tell no more than that.
        `prepare(batch, training)`: done once per step, before the phases, such
            as scaling pixels and adding noise that several phases share.
        `extra_metrics`: list of metrics that the losses update.
        `after_step()`: done once per step, after the phases.

    Logs hold `loss` (the sum of the phases' losses), one loss per phase under its
    name, and the extra metrics; validation logs hold the same behind `val_`.
    """

    image_shape = None
    num_classes = None
    groups = None
    batch_keys = ("x",)

    def phases(self) -> Sequence[Phase]:
        """The phases of one step, in order."""
        raise NotImplementedError("A PhasedModel defines `phases()`.")

    def prepare(self, batch: dict, training: bool) -> dict:
        """The batch as the losses see it. By default the batch itself."""
        del training
        return batch

    def after_step(self):
        """What follows the last phase of a step. By default nothing."""

    @property
    def extra_metrics(self) -> list:
        """Metrics beside the losses, updated inside them. By default none."""
        return []

    # Compiling

    def compile(
        self,
        optimizer,
        run_eagerly=False,
        steps_per_execution=1,
        jit_compile="auto",
        simultaneous=False,
    ):
        """Makes the model ready for `fit`.

        Args:
            optimizer: `PhaseOptimizers`, or the dict from phase name to optimizer
                that makes one.
            run_eagerly: `True` to debug step by step.
            steps_per_execution: steps per compiled call, such as 50, to spare small
                models and GPUs the way through Python between steps. Results are
                the same; callbacks are called once per call. Not on PyTorch.
            jit_compile: as in `keras.Model.compile`; `"auto"` compiles on JAX,
                and on TensorFlow where there is a GPU.
            simultaneous: whether all phases of a step take their gradients at the same
                weights, before any of them updates. By default they take turns, as in
                the paper. Faster where phases compute the same codes; it is another
                training, with other results.

        Raises:
            TypeError: if `optimizer` is something else.
            ValueError: if its names are not those of the phases, for several steps
                per call on PyTorch, or under the policy `mixed_float16`.
        """
        if steps_per_execution > 1 and not self.runs_several_steps:
            raise ValueError(
                "The backend torch makes one step at a time, in Python. Received "
                f"steps_per_execution={steps_per_execution}. Leave it at 1, or choose "
                "KERAS_BACKEND=jax or tensorflow."
            )
        if self.dtype_policy.name == "mixed_float16":
            raise ValueError(
                "The dtype policy mixed_float16 is not supported: Keras would wrap the "
                "phases' optimizers in one LossScaleOptimizer, which knows a single "
                "loss. Use mixed_bfloat16, which needs no loss scaling, or float32."
            )
        if isinstance(optimizer, dict):
            optimizer = PhaseOptimizers(optimizer)
        if not isinstance(optimizer, PhaseOptimizers):
            raise TypeError(
                "`compile` takes `PhaseOptimizers` or a dict from phase name to "
                f"optimizer, for the phases {[p.name for p in self.phases()]}. "
                f"Received: optimizer={optimizer!r}"
            )
        phases = self.phases()
        optimizer.build_phases(phases)
        self.simultaneous = bool(simultaneous)
        self.loss_tracker = keras.metrics.Mean(name="loss")
        self.phase_trackers = [keras.metrics.Mean(name=p.name) for p in phases]
        super().compile(
            optimizer=optimizer,
            run_eagerly=run_eagerly,
            steps_per_execution=steps_per_execution,
            jit_compile=jit_compile,
        )

    def get_compile_config(self):
        if not self.compiled:
            return None
        serialize = keras.saving.serialize_keras_object
        return {
            "optimizer": serialize(self.optimizer),
            "run_eagerly": self.run_eagerly,
            "steps_per_execution": self.steps_per_execution,
            "simultaneous": self.simultaneous,
        }

    def compile_from_config(self, config):
        optimizer = keras.saving.deserialize_keras_object(config["optimizer"])
        if not self.runs_several_steps:  # saved on a backend that does
            config = {**config, "steps_per_execution": 1}
        self.compile(**{**config, "optimizer": optimizer})

    @property
    def metrics(self):
        """`loss`, one mean per phase, then the extra metrics."""
        if not self.compiled:
            return []
        return [self.loss_tracker, *self.phase_trackers, *self.extra_metrics]

    # One step

    def run_phases(self, data):
        """The body of a training step, the same on all backends."""
        batch = dict(self.prepare(self._as_batch(data, training=True), training=True))
        state = [*self.variables, *self.metrics_variables]
        passes = batch["passes"] = SharedPasses() if self.shares_passes else None
        total, waiting = 0.0, []
        for phase, tracker in zip(self.phases(), self.phase_trackers):
            loss_fn = partial(phase.loss, batch, training=True)
            loss, gradients = value_and_grad(loss_fn, list(phase.variables), state)
            if self.simultaneous:
                waiting.append((phase, gradients))
            else:
                self.optimizer.apply_phase(phase, gradients)
                if passes is not None:
                    passes.forget(phase.variables)
            tracker.update_state(loss, sample_weight=_length(batch[phase.batch_key]))
            total = total + loss
        for phase, gradients in waiting:
            self.optimizer.apply_phase(phase, gradients)
        self.optimizer.count_step()
        self.after_step()
        self.loss_tracker.update_state(total, sample_weight=_length(batch["x"]))
        return {metric.name: metric.result() for metric in self.metrics}

    def run_evaluation(self, data):
        """The body of an evaluation step: the same losses, nothing is updated."""
        batch = self.prepare(self._as_batch(data, training=False), training=False)
        total = 0.0
        for phase, tracker in zip(self.phases(), self.phase_trackers):
            loss = phase.loss(batch, training=False)
            tracker.update_state(loss, sample_weight=_length(batch[phase.batch_key]))
            total = total + loss
        self.loss_tracker.update_state(total, sample_weight=_length(batch["x"]))
        return {metric.name: metric.result() for metric in self.metrics}

    def _as_batch(self, data, training):
        """A dict of tensors from what Keras hands to a step.

        Pairs (x, y) are for evaluation: in training some labels would be -1, and no
        compiled step can tell.
        """
        x, y, _ = keras.utils.unpack_x_y_sample_weight(data)
        if y is not None and self._is_label_free:
            raise self._takes_no_labels()
        if y is not None and training:
            self._check_entries((x, y))
        if y is not None:
            return {"x": x, "x_labelled": x, "y_labelled": y}
        batch = x if isinstance(x, dict) else {"x": x}
        self._check_entries(batch)
        return batch

    # Saving: Keras keeps weights and optimizer state; seeds are added here

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """The model of a `get_config`, in which parts are serialized Keras objects."""
        deserialize = keras.saving.deserialize_keras_object
        return cls(
            **{
                key: deserialize(value, custom_objects)
                if isinstance(value, dict) and "class_name" in value
                else value
                for key, value in config.items()
            }
        )

    def save_own_variables(self, store):
        """Saves the model's own variables and the state of every seed generator."""
        super().save_own_variables(store)
        for i, seed in enumerate(self._seed_states()):
            store[f"seed_{i}"] = ops.convert_to_numpy(seed)

    def load_own_variables(self, store):
        """Restores what `save_own_variables` saved, on any backend."""
        values = {key: store[key] for key in store.keys()}
        for i, seed in enumerate(self._seed_states()):
            value = values.pop(f"seed_{i}")[()]
            seed.assign(value.astype(keras.backend.standardize_dtype(seed.dtype)))
        super().load_own_variables(values)

    def _seed_states(self):
        """Every seed generator's state, Dropout and noise layers' included."""
        weights = {id(variable) for variable in self.weights}
        return [v for v in self.variables if id(v) not in weights]


def _length(tensor):
    return ops.cast(ops.shape(tensor)[0], "float32")
