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

import math
import numbers

import keras
import numpy as np
from keras import ops

from keras_saae import checks
from keras_saae.evaluation.ascent import BATCH_SIZE, SMALLEST, CompiledLoss, ascend

__all__ = ["CompiledLoss", "bim", "fgsm", "log_odds_loss", "mim", "pgd"]


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
    return ascend(*problem, epsilon, steps=1, step_sizes=[epsilon])


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
    return ascend(*problem, epsilon, steps, step_sizes, **more)


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
    return ascend(*problem, epsilon, steps, step_sizes, **more, from_image=False)


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
    return ascend(*problem, epsilon, steps, step_sizes, **more, decay=decay)


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
