"""Adversarial attacks: the smallest change of each pixel that makes a classifier err.

All keep |x_attacked - x| <= epsilon in each pixel and x_attacked in [0, 1], and climb
the same loss, the log-odds against the true class:

    log (1 - p_y) - log p_y,   p = p(.|x)

In each image its gradient points where that of the cross-entropy does, so that the
signs, and with them the attacks, are those published. But it does not vanish where the
model is sure: there a float32 cross-entropy has no gradient, and the attack would fail
for a reason that is no robustness.

Another `loss(x, y) -> (n,)` in `keras.ops` makes another attack. One with a target, on
images of noise, so that they pass for class y:

    away = CompiledLoss(log_odds_loss(model))
    pgd(model, noise, y, epsilon=1.0, loss=-away)

A rejecting classifier wants a loss that also keeps the image accepted,
`evaluation.evasion_loss`, and to be judged by its worst answer, `succeeds`. Before
believing a robust result, let epsilon, steps and restarts grow: the error must grow to
100 %.
"""

import copy
import itertools
import math
import numbers
import warnings

import keras
import numpy as np
from keras import ops

from keras_saae import checks
from keras_saae.backend import compiled, input_gradient

BATCH_SIZE = 500
SMALLEST = 1e-37  # near the smallest normal float32


def fgsm(model, x, y, epsilon, loss=None, from_logits=False):
    """Fast gradient sign method: one step of length epsilon.

        x_attacked = clip(x + epsilon * sign(grad_x loss(x, y)), 0, 1)

    Args:
        model: from images to class probabilities `(n, num_classes)`: any model of this
            package, any Keras model or function in `keras.ops`.
        x: images `(n, height, width[, channels])`, float in [0, 1] or uint8.
        y: integer `(n,)`. True classes.
        epsilon: largest change of a pixel, in [0, 1]; 0.3 is usual on MNIST.
        loss: `loss(x, y) -> (n,)`, one number for each image, to climb instead of the
            log-odds against y; tensors in, tensor out. A `CompiledLoss` for several
            attacks.
        from_logits: whether the model gives logits, not probabilities.

    Returns:
        Float32 array like `x`, the attacked images.

    Raises:
        TypeError, ValueError: for an epsilon outside [0, 1]; for images or labels that
            are none; if the model gives no probabilities (or logits), or the loss not
            one number for each image.

    Warns:
        UserWarning: if the loss has no gradient at some images, which stay unchanged.

    Source: Goodfellow et al., arXiv:1412.6572, section 4.
    """
    problem = _problem(model, x, y, epsilon, loss, from_logits)
    return _attack(*problem, epsilon, steps=1, step_sizes=[epsilon])


def bim(
    model,
    x,
    y,
    epsilon,
    steps=10,
    step_size=None,
    restarts=1,
    seed=0,
    loss=None,
    from_logits=False,
    succeeds=None,
):
    """Basic iterative method: steps of the gradient's sign, kept within epsilon.

    Args:
        model: as of `fgsm`, like all other arguments.
        x: images.
        y: true classes.
        epsilon: largest change of a pixel.
        steps: number of steps.
        step_size: change of a pixel in a step, or several to try; `2.5 * epsilon /
            steps` if not given, which lets a pixel turn round.
        restarts: number of starts: the image itself, as published, then random ones
            within epsilon. Of the ends of all starts and step sizes, each image keeps
            that of the highest loss.
        seed: integer that draws the starts, the same on all backends.
        loss: what to climb.
        from_logits: whether the model gives logits.
        succeeds: `succeeds(x, y) -> (n,)`, bool, of NumPy arrays: an end where it is
            True is kept before any other. A classifier that refuses answers needs it
            to be judged by its worst: what climbed highest is easiest to refuse.

    Returns:
        Float32 array like `x`, the attacked images.

    Source: Kurakin et al., arXiv:1607.02533, section 2.2.
    """
    problem = _problem(model, x, y, epsilon, loss, from_logits)
    step_sizes = _step_sizes(step_size, 2.5 * epsilon, steps)
    more = {"restarts": restarts, "seed": seed, "succeeds": succeeds}
    return _attack(*problem, epsilon, steps, step_sizes, **more)


def pgd(
    model,
    x,
    y,
    epsilon,
    steps=40,
    step_size=None,
    restarts=5,
    seed=0,
    loss=None,
    from_logits=False,
    succeeds=None,
):
    """Projected gradient descent: `bim` from random starts within epsilon.

    Args:
        model: as of `bim`, like all other arguments.
        x: images.
        y: true classes.
        epsilon: largest change of a pixel.
        steps: number of steps.
        step_size: change of a pixel in a step, or several to try.
        restarts: number of starts, all random.
        seed: integer that draws them.
        loss: what to climb.
        from_logits: whether the model gives logits.
        succeeds: which ends are kept before others.

    Returns:
        Float32 array like `x`, the attacked images.

    Source: Madry et al., arXiv:1706.06083, section 2.1.
    """
    problem = _problem(model, x, y, epsilon, loss, from_logits)
    step_sizes = _step_sizes(step_size, 2.5 * epsilon, steps)
    more = {"restarts": restarts, "seed": seed, "succeeds": succeeds}
    return _attack(*problem, epsilon, steps, step_sizes, **more, from_image=False)


def mim(
    model,
    x,
    y,
    epsilon,
    steps=10,
    step_size=None,
    decay=1.0,
    restarts=1,
    seed=0,
    loss=None,
    from_logits=False,
    succeeds=None,
):
    """Momentum iterative method: `bim` along the sum of all gradients so far.

        g <- decay * g + grad / mean |grad|,   x <- x + step_size * sign(g)

    Args:
        model: as of `bim`, like all other arguments.
        x: images.
        y: true classes.
        epsilon: largest change of a pixel.
        steps: number of steps.
        step_size: change of a pixel in a step, or several to try; `epsilon / steps` if
            not given.
        decay: weight of the past; 1 in the paper, 0 is `bim`.
        restarts: number of starts, the image itself first.
        seed: integer that draws the others.
        loss: what to climb.
        from_logits: whether the model gives logits.
        succeeds: which ends are kept before others.

    Returns:
        Float32 array like `x`, the attacked images.

    Source: Dong et al., arXiv:1710.06081, algorithm 1.
    """
    problem = _problem(model, x, y, epsilon, loss, from_logits)
    step_sizes = _step_sizes(step_size, epsilon, steps)
    if not 0 <= decay < math.inf:
        raise ValueError(f"`decay` is a number from 0 up. Received: {decay!r}")
    more = {"restarts": restarts, "seed": seed, "succeeds": succeeds}
    return _attack(*problem, epsilon, steps, step_sizes, **more, decay=decay)


def log_odds_loss(model, from_logits=False):
    """The attacks' own loss: the log-odds against the true class.

    Args:
        model: from images to class probabilities `(n, num_classes)`.
        from_logits: whether the model gives logits.

    Returns:
        `loss(x, y) -> (n,)` in nats, above 0 where the true class has less than half of
        the probability. Of probabilities it is exact up to 85 nats.
    """

    def loss(x, y):
        logits = ops.cast(_outputs(model, x), "float32")
        if not from_logits:
            logits = ops.log(ops.maximum(logits, SMALLEST))
        of_y = ops.one_hot(y, logits.shape[-1], dtype="float32")
        others = ops.logsumexp(logits - 1e9 * of_y, axis=-1)
        return others - ops.sum(logits * of_y, axis=-1)

    return loss


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


def _attack(
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


def _problem(model, x, y, epsilon, loss, from_logits):
    """Loss, images and labels of an attack, checked."""
    if not isinstance(epsilon, numbers.Real) or not 0 <= epsilon <= 1:
        raise ValueError(
            "`epsilon` is the largest change of a pixel, in [0, 1]. Received "
            f"epsilon={epsilon!r}. For 8 of 255 grey levels pass 8 / 255."
        )
    x = checks.check_images(x, image_shape=getattr(model, "image_shape", None))
    if x.dtype == np.uint8:
        x = x.astype("float32") / 255.0
    num_classes = None
    if loss is None:
        if not callable(model):
            raise TypeError(
                "The model must be a function from images to class probabilities, or a "
                f"`loss` be given. Received {type(model).__name__}. Of a "
                "SelectiveClassifier attack its `.model`, or climb its `evasion_loss`."
            )
        num_classes = _check_outputs(_outputs(model, x[:BATCH_SIZE]), from_logits)
        loss = log_odds_loss(model, from_logits)
    y = checks.check_labels(y, len(x), num_classes, allow_unlabelled=False)
    return loss, x, y.astype("int32")


def _outputs(model, x):
    x = ops.convert_to_tensor(x)
    if isinstance(model, keras.Layer):
        return model(x, training=False)
    return model(x)


def _check_outputs(outputs, from_logits):
    """Number of classes, if the outputs are what `from_logits` says."""
    outputs = ops.convert_to_numpy(ops.cast(outputs, "float32"))
    if outputs.ndim != 2 or outputs.shape[1] < 2:
        raise ValueError(
            "The model must give class probabilities (n, num_classes), at least two. "
            f"Received outputs of shape {outputs.shape}."
        )
    sums = outputs.sum(axis=1)
    are_probabilities = outputs.min() >= 0 and np.allclose(sums, 1, atol=1e-2)
    if are_probabilities == from_logits:
        found = "probabilities" if are_probabilities else "no probabilities"
        raise ValueError(
            f"With from_logits={from_logits}, the model's outputs are {found} (from 0 "
            f"up, of sum 1). Pass from_logits={not from_logits}, or mend the model."
        )
    return outputs.shape[1]


def _check_one_each(name, values, n):
    shape = tuple(values.shape)
    if shape != (n,):
        raise ValueError(
            f"`{name}` must give one value for each image, shape (n,). Received shape "
            f"{shape} for {n} images. Do not average over the images."
        )


def _step_sizes(step_size, way, steps):
    """The step sizes given, or the one that makes `way` in all steps."""
    steps = checks.check_count(steps, "steps")
    if step_size is None:
        return [way / steps]
    sizes = np.ravel(step_size).tolist()
    if not sizes or not all(0 < size < math.inf for size in sizes):
        raise ValueError(
            "`step_size` is the change of a pixel in a step, above 0, or several. "
            f"Received step_size={step_size}."
        )
    return sizes
