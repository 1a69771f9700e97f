"""The ascent of attacks: steps of the gradient's sign within bounds, batch by batch."""

import copy
import itertools
import warnings

import numpy as np
from keras import ops

from keras_saae import checks
from keras_saae.backend import compiled, input_gradient

BATCH_SIZE = 500
SMALLEST = 1e-37  # near the smallest normal float32


class CompiledLoss:
    """A loss for several attacks, compiled once and not for each.

    Weights are read at the first attack: make it anew when a model has trained on.
    `-loss` is the loss of an attack the other way, and compiles nothing of its own.

    Args:
        loss: `loss(x, y) -> (n,)`, such as `log_odds_loss(model)`.

    Example:
        >>> loss = attacks.CompiledLoss(attacks.log_odds_loss(model))
        >>> for epsilon in (0.1, 0.2, 0.3):
        ...     attacked = attacks.pgd(model, x_test, y_test, epsilon, loss=loss)
    """

    def __init__(self, loss):
        self.loss = loss
        self.sign = 1.0
        self._compiled_step = compiled(self._step)

    def __call__(self, x, y):
        return self.sign * self.loss(x, y)

    def __neg__(self):
        other = copy.copy(self)
        other.sign = -self.sign
        return other

    def score(self, x, y):
        """The loss of each image, an array `(n,)`: what a step of no length tells."""
        x = np.asarray(x, "float32")
        values = self.step(x, np.zeros_like(x), 0.0, 0.0, x, x, y)[-1]
        return ops.convert_to_numpy(values)

    def step(self, x, past, step_size, decay, lowest, highest, y):
        """One step up the loss, in tensors.

        Args:
            x: images `(n, ...)`.
            past: sum of the gradients so far, like x.
            step_size: change of a pixel.
            decay: weight of the past.
            lowest: least value of each pixel, like x.
            highest: largest value of each pixel, like x.
            y: true classes `(n,)`.

        Returns:
            The images after the step, the gradients' sum, the gradients' mean size
            `(n, 1, ...)`, and the loss before the step `(n,)`.
        """
        along = self.sign * np.float32(step_size)
        step = map(ops.convert_to_tensor, (x, past, along, np.float32(decay)))
        bounds = map(ops.convert_to_tensor, (lowest, highest, y))
        x, past, size, values = self._compiled_step(*step, *bounds)
        return x, past, size, self.sign * values

    def _step(self, x, past, step_size, decay, lowest, highest, y):
        def climbed(x):
            values = self.loss(x, y)
            return ops.sum(values), values

        gradient, values = input_gradient(climbed, x, has_aux=True)
        axes = tuple(range(1, len(x.shape)))
        size = ops.mean(ops.abs(gradient), axis=axes, keepdims=True)
        past = decay * past + gradient / ops.maximum(size, SMALLEST)
        x = ops.clip(x + step_size * ops.sign(past), lowest, highest)
        return x, past, size, values


def ascend(
    loss,
    x,
    y,
    epsilon,
    steps,
    step_sizes,
    restarts=1,
    seed=0,
    decay=0.0,
    from_image=True,
    succeeds=None,
):
    """Attacks batch by batch, and keeps of each image the end of the highest loss.

    Of those that succeed, if any do.

    Args:
        loss: `loss(x, y) -> (n,)` in `keras.ops`, or a `CompiledLoss`.
        x: float32 images in [0, 1].
        y: int32 true classes `(n,)`.
        epsilon: largest change of a pixel.
        steps: number of steps.
        step_sizes: changes of a pixel in a step, each tried in turn.
        restarts: number of starts.
        seed: integer that draws those that are random.
        decay: weight of past gradients.
        from_image: whether the first start is the image itself.
        succeeds: which ends are kept before others, as of `attacks.bim`.

    Returns:
        Float32 array like `x`.
    """
    checks.check_count(restarts, "restarts")
    rng = np.random.Generator(np.random.PCG64(seed))
    climb = loss if isinstance(loss, CompiledLoss) else CompiledLoss(loss)
    result, num_flat = x.copy(), 0
    for begin in range(0, len(x), BATCH_SIZE):
        batch = slice(begin, begin + BATCH_SIZE)
        x_batch, y_batch, kept = x[batch], y[batch], result[batch]
        lowest = np.maximum(x_batch - np.float32(epsilon), 0.0)
        highest = np.minimum(x_batch + np.float32(epsilon), 1.0)
        best = np.full(len(x_batch), -np.inf)
        best_succeeds = np.zeros(len(x_batch), bool)
        for restart, step_size in itertools.product(range(restarts), step_sizes):
            start = x_batch
            if restart or not from_image:
                start = start + rng.uniform(-epsilon, epsilon, start.shape)
            start = start.clip(lowest, highest).astype("float32")
            end, reached, flat = _climbed(
                climb, start, y_batch, steps, step_size, decay, lowest, highest
            )
            num_flat += flat
            if not (np.isfinite(end).all() and np.isfinite(reached).all()):
                raise ValueError(
                    "The loss or its gradient became NaN or infinite at images from "
                    f"{begin} on. Look at the model's outputs there."
                )
            end_succeeds = best_succeeds
            if succeeds is not None:
                end_succeeds = np.asarray(succeeds(end, y_batch))
                _check_one_each("succeeds", end_succeeds, len(end))
            more = end_succeeds > best_succeeds
            better = more | ((end_succeeds == best_succeeds) & (reached > best))
            kept[better], best[better] = end[better], reached[better]
            best_succeeds = best_succeeds | end_succeeds
    num_starts = restarts * len(step_sizes) * len(x)
    if num_flat and epsilon:
        warnings.warn(
            f"The loss has no gradient at {num_flat} of {num_starts} starts, so "
            "the attack leaves them as they are, which says nothing of robustness. If "
            "the model's probabilities round to 0 and 1, attack its logits: "
            "from_logits.",
            stacklevel=3,
        )
    return result


def _climbed(climb, start, y, steps, step_size, decay, lowest, highest):
    """Where one start leads, the loss there, and how many had no gradient at first."""
    end, past, num_flat = start, np.zeros_like(start), 0
    lowest, highest, y = map(ops.convert_to_tensor, (lowest, highest, y))
    for k in range(steps):
        end, past, size, values = climb.step(
            end, past, step_size, decay, lowest, highest, y
        )
        if k == 0:
            _check_one_each("loss", values, len(start))
            num_flat = int(np.sum(ops.convert_to_numpy(size) == 0))
    end = ops.convert_to_numpy(end)
    return end, climb.score(end, y), num_flat


def _check_one_each(name, values, n):
    shape = tuple(values.shape)
    if shape != (n,):
        raise ValueError(
            f"`{name}` must give one value for each image, shape (n,). Received shape "
            f"{shape} for {n} images. Do not average over the images."
        )
