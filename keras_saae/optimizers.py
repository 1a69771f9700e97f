"""One optimizer per phase, bundled into one object that Keras can carry."""

import keras

from keras_saae.backend import fuse


@keras.saving.register_keras_serializable("keras_saae")
class PhaseOptimizers(keras.optimizers.Optimizer):
    """A Keras optimizer made of one optimizer per training phase.

    Keras' trainers, its saving and its callbacks know a single
    `model.optimizer`. This one holds the optimizers of all phases: `.variables`
    lists the state of every one of them, and `.optimizers`, where the stock
    learning-rate callbacks look, the optimizers themselves, each named after its
    phase.

    Args:
        optimizers: dict from phase name to `keras.optimizers.Optimizer` (or its
            name, such as `"adam"`), one entry for each phase of the model.
        initial_learning_rates: dict from phase name to float, the rates before
            any drop. Read from `optimizers` if not given; saving keeps them, so
            that a resumed schedule starts from the right place.
        name: name of the bundle.

    Raises:
        TypeError: if `optimizers` is not a dict.
        ValueError: if it is empty, if one optimizer is given twice, or if one
            keeps its own moving averages (`use_ema`), which would be overwritten
            by the next phase: use the model's `averaging` instead.

    Example:
        >>> optimizer = PhaseOptimizers({
        ...     "reconstruction": keras.optimizers.SGD(0.01, momentum=0.9),
        ...     "discriminator": keras.optimizers.SGD(0.1, momentum=0.1),
        ...     "generator": keras.optimizers.SGD(0.1, momentum=0.1),
        ...     "classification": keras.optimizers.SGD(0.1, momentum=0.9),
        ... })
        >>> model.compile(optimizer=optimizer)
        >>> model.optimizer["generator"].learning_rate = 0.05
    """

    def __init__(
        self, optimizers, initial_learning_rates=None, name="phase_optimizers"
    ):
        # `iterations` of the bundle counts steps; its own rate is never used.
        super().__init__(learning_rate=0.0, name=name)
        if not isinstance(optimizers, dict):
            raise TypeError(
                "`optimizers` must be a dict from phase name to optimizer, such as "
                '{"reconstruction": keras.optimizers.Adam(1e-3), ...}. '
                f"Received: {optimizers!r}"
            )
        self.by_phase = {
            phase: keras.optimizers.get(optimizer)
            for phase, optimizer in optimizers.items()
        }
        if len({id(o) for o in self.by_phase.values()}) < max(len(optimizers), 1):
            raise ValueError(
                "Each phase needs an optimizer of its own, because each keeps its own "
                f"state. Received phases {list(optimizers)} with "
                f"{len({id(o) for o in self.by_phase.values()})} optimizer object(s). "
                "Create one per phase."
            )
        for phase, optimizer in self.by_phase.items():
            if optimizer.use_ema:
                raise ValueError(
                    f"The optimizer of phase {phase!r} has use_ema=True, but several "
                    "phases share weights. Pass `averaging` to the model instead."
                )
            optimizer.name = phase
        self.initial_learning_rates = dict(
            initial_learning_rates
            or {
                phase: _constant_learning_rate(optimizer)
                for phase, optimizer in self.by_phase.items()
            }
        )

    def __getitem__(self, phase):
        """The optimizer of one phase."""
        return self.by_phase[phase]

    @property
    def optimizers(self):
        """The optimizers in the order of the phases."""
        return list(self.by_phase.values())

    @property
    def variables(self):
        """The step counter and the state of every phase's optimizer."""
        own = [self._iterations]
        return own + [v for optimizer in self.optimizers for v in optimizer.variables]

    def build_phases(self, phases):
        """Creates each optimizer's state for the variables of its phase.

        Args:
            phases: sequence of `Phase`.

        Raises:
            ValueError: if the phases and the optimizers do not have the same names.
        """
        names = [phase.name for phase in phases]
        if set(names) != set(self.by_phase):
            raise ValueError(
                "The model and the optimizer must name the same phases. "
                f"The model has {names}, the optimizer {list(self.by_phase)}."
            )
        self.by_phase = {name: self.by_phase[name] for name in names}
        for phase in phases:
            if not self[phase.name].built:
                self[phase.name].build(list(phase.variables))
            fuse(self[phase.name])
        self.built = True

    def build(self, variables):
        """Does nothing: `build_phases` does the work, phase by phase."""

    def apply_phase(self, phase, gradients):
        """Updates the variables of `phase` (a `Phase`) by their `gradients`."""
        self[phase.name].apply(gradients, phase.variables)

    def count_step(self):
        """Adds one to `iterations`, the number of steps (all phases) so far."""
        self._iterations.assign_add(1)

    def apply(self, grads, trainable_variables=None):
        raise NotImplementedError(
            "`PhaseOptimizers` updates one phase at a time: "
            "call `apply_phase(phase, gradients)`."
        )

    def save_own_variables(self, store):
        """Saves the step count; Keras saves the optimizers in `by_phase` themselves."""
        store["iterations"] = self._iterations.numpy()

    def load_own_variables(self, store):
        """Restores the step count."""
        self._iterations.assign(int(store["iterations"][()]))

    def get_config(self):
        return {
            "optimizers": {p: _serialize(o) for p, o in self.by_phase.items()},
            "initial_learning_rates": self.initial_learning_rates,
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        optimizers = {
            phase: keras.saving.deserialize_keras_object(o, custom_objects)
            for phase, o in config["optimizers"].items()
        }
        return cls(**{**config, "optimizers": optimizers})


def _serialize(optimizer):
    """An optimizer's configuration that every backend can read.

    On PyTorch, Keras puts classes in the place of its optimizers that are of use on
    that backend alone.
    """
    config = keras.saving.serialize_keras_object(optimizer)
    if config["module"].startswith("keras.src.backend"):
        config.update(module="keras.optimizers", registered_name=None)
    return config


def _constant_learning_rate(optimizer):
    """The current rate as a float, or None where a schedule decides it."""
    rate = optimizer.get_config()["learning_rate"]
    return rate if isinstance(rate, float) else None


@keras.saving.register_keras_serializable("keras_saae")
class ConstantThenLinear(keras.optimizers.schedules.LearningRateSchedule):
    """A constant learning rate, then a straight line down to zero.

    Args:
        learning_rate: the rate at first.
        updates: number of updates of the whole run, where the rate reaches zero.
        decay_from: share of the run after which the rate begins to fall; 0.5 keeps it
            for the first half.

    Raises:
        ValueError: if `decay_from` is not in [0, 1).
    """

    def __init__(self, learning_rate, updates, decay_from=0.5):
        if not 0 <= decay_from < 1:
            raise ValueError(
                "`decay_from` is a share of the run, at least 0 and below 1. "
                f"Received: {decay_from}"
            )
        self.learning_rate = learning_rate
        self.updates, self.decay_from = updates, decay_from

    def __call__(self, step):
        left = 1.0 - keras.ops.cast(step, "float32") / self.updates
        share = keras.ops.clip(left / (1.0 - self.decay_from), 0.0, 1.0)
        return self.learning_rate * share

    def get_config(self):
        return {
            "learning_rate": self.learning_rate,
            "updates": self.updates,
            "decay_from": self.decay_from,
        }
