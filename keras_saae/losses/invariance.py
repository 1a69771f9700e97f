"""What keeps q(y|x) in its place when an image changes but not its class."""

import keras
from keras import ops

from keras_saae.backend import input_gradient
from keras_saae.losses.classification import categorical_kl


def virtual_adversarial_loss(
    classify, x, seed, radius=1.0, probe=0.1, power_iterations=1, y_logits=None
):
    """How far the class code moves when an image moves in its worst direction.

        LDS(x) = KL( q(y|x) || q(y|x + r) ),   r = radius * g / |g|_2,
        g = grad_d KL( q(y|x) || q(y|x + probe * d / |d|_2) )   at a random d,

    where q(y|x) is held constant, and the second line, repeated, is the power
    iteration for the dominant direction of the Hessian.

    Args:
        classify: function from images to y logits.
        x: float tensor `(n, ...)`, clean images in [0, 1], labelled or not.
        seed: integer or `keras.random.SeedGenerator`, draws the first d.
        radius: L2 length of r in pixel units; 0.5 to 2 for MNIST.
        probe: L2 length of the finite difference's step. Below 1 it needs float32:
            in bfloat16 the difference is rounding noise, and the term does harm. A long
            one, 10 for MNIST, finds the direction that matters beyond the image's
            neighbourhood: without labels, two clusters that share two classes between
            them, each smooth by itself, give way to one for each class.
        power_iterations: refinements of d; one is customary.
        y_logits: `classify(x)`, where the caller has it already.

    Returns:
        Scalar in nats, mean over the batch.

    Source: Miyato et al., arXiv:1704.03976, equations 5, 6 and section 3.3. The long
    probe is in the authors' code of IMSAT (Hu et al., arXiv:1702.08720).
    """
    y_logits = ops.stop_gradient(classify(x) if y_logits is None else y_logits)
    direction = keras.random.normal(ops.shape(x), seed=seed)
    for _ in range(power_iterations):
        step = probe * _unit_length(direction)
        direction = ops.stop_gradient(
            input_gradient(lambda d: categorical_kl(y_logits, classify(x + d)), step)
        )
    perturbation = radius * _unit_length(direction)
    return categorical_kl(y_logits, classify(x + perturbation))


def style_consistency_loss(classify, decode, x, y_logits, z, seed, scale=1.0):
    """How far the class code moves when an image changes its style.

        KL( q(y|x) || q(y|x + decode(y, z + scale * e) - decode(y, z)) ),  e ~ N(0, I)

    where (y, z) is the code of x and all but the last q(y|.) is held constant. The
    decoder knows in which ways digits vary, such as slant and stroke, and lends them
    to the classifier; adding the difference keeps what the decoder cannot draw.

    Args:
        classify: function from images to y logits.
        decode: function from y (probabilities) and z to images.
        x: float tensor `(n, ...)`, images without noise in [0, 1], labelled or not.
        y_logits: `(n, num_classes)`, `classify(x)`.
        z: `(n, z_dim)`, style codes of x.
        seed: integer or `keras.random.SeedGenerator`, draws e.
        scale: standard deviation of the step in each dimension of z. 1 is that of the
            prior N(0, I), so that the styles of two images are 1.4 apart.

    Returns:
        Scalar in nats, mean over the batch.

    Source: ours. Yu et al., arXiv:1808.06088, move along a decoder's tangent in the
    direction that is worst, a single step of the same idea.
    """
    y_logits, z = ops.stop_gradient(y_logits), ops.stop_gradient(z)
    y = ops.softmax(y_logits)
    moved = z + scale * keras.random.normal(ops.shape(z), seed=seed)
    change = ops.cast(decode(y, moved), "float32") - ops.cast(decode(y, z), "float32")
    return categorical_kl(y_logits, classify(x + ops.stop_gradient(change)))


def augmentation_consistency_loss(classify, augmentation, x, y_logits, seed):
    """How far the class code moves when an image is augmented.

        KL( q(y|x) || q(y|augmentation(x)) ),  q(y|x) held constant

    Args:
        classify: function from images to y logits.
        augmentation: `augmentation(x, seed)`, changes images and not their class.
        x: float tensor `(n, ...)`, images without noise in [0, 1], labelled or not.
        y_logits: `(n, num_classes)`, `classify(x)`.
        seed: integer or `keras.random.SeedGenerator`.

    Returns:
        Scalar in nats, mean over the batch.

    Source: Xie et al., arXiv:1904.12848, equation 1.
    """
    return categorical_kl(ops.stop_gradient(y_logits), classify(augmentation(x, seed)))


def _unit_length(d):
    """Each image of `d` scaled to L2 length 1; zeros stay zeros."""
    d = ops.cast(d, "float32")
    axes = tuple(range(1, len(d.shape)))
    d = d / (1e-12 + ops.max(ops.abs(d), axis=axes, keepdims=True))
    return d / ops.sqrt(1e-12 + ops.sum(ops.square(d), axis=axes, keepdims=True))
