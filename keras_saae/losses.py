"""Losses of the adversarial autoencoder family: pure functions of tensors.

Every function takes a batch and returns a scalar, but for those of each image at the
end. Discriminators end in one logit,
positive for "drawn from the prior".
"""

import math

import keras
import numpy as np
from keras import ops

from keras_saae.backend import input_gradient
from keras_saae.checks import check_groups

# --- reconstruction ---------------------------------------------------------------


def half_squared_error_sum(x, x_reconstructed):
    """Half the squared Euclidean distance of image and reconstruction.

    Args:
        x: float tensor `(n, ...)`, pixels in [0, 1].
        x_reconstructed: tensor of the same shape.

    Returns:
        Scalar: `1/2 sum_pixels (x - x_reconstructed)^2`, mean over the images.
        About 15 to 25 for MNIST with a 20-dimensional code; 52 for a black image.

    Source: Makhzani et al., arXiv:1511.05644, appendix A.
    """
    return 0.5 * squared_error_sum(x, x_reconstructed)


def squared_error_sum(x, x_reconstructed):
    """Squared Euclidean distance: `sum_pixels (x - x_reconstructed)^2`, mean over n."""
    return ops.mean(ops.sum(_per_pixel(_squared_error, x, x_reconstructed), axis=-1))


def squared_error_mean(x, x_reconstructed):
    """Squared error, mean over pixels and images.

    On MNIST its gradient is 392 times smaller than that of
    `half_squared_error_sum`; a learning rate made for one does not fit the other.
    """
    return ops.mean(_per_pixel(_squared_error, x, x_reconstructed))


def binary_crossentropy_sum(x, x_reconstructed):
    """Negative Bernoulli log-likelihood in nats, summed over pixels, mean over n.

    Args:
        x: float tensor `(n, ...)`, pixels in [0, 1] read as probabilities.
        x_reconstructed: tensor of the same shape, in [0, 1]; kept 1e-7 away from
            the ends.
    """
    return ops.mean(bernoulli_nll(x, x_reconstructed))


def binary_crossentropy_mean(x, x_reconstructed):
    """Binary cross-entropy in nats, mean over pixels and images."""
    return ops.mean(_per_pixel(_crossentropy, x, x_reconstructed))


RECONSTRUCTION_LOSSES = {
    "half_squared_error_sum": half_squared_error_sum,
    "squared_error_sum": squared_error_sum,
    "squared_error_mean": squared_error_mean,
    "binary_crossentropy_sum": binary_crossentropy_sum,
    "binary_crossentropy_mean": binary_crossentropy_mean,
}


def _per_pixel(error, x, x_reconstructed):
    x, x_reconstructed = ops.cast(x, "float32"), ops.cast(x_reconstructed, "float32")
    if x.shape != x_reconstructed.shape:
        raise ValueError(
            "Images and reconstructions need the same shape. "
            f"Received x.shape={x.shape}, "
            f"x_reconstructed.shape={x_reconstructed.shape}."
        )
    return ops.reshape(error(x, x_reconstructed), (-1, _size(x.shape[1:])))


def _size(shape):
    size = 1
    for length in shape:
        size *= length
    return size


def _squared_error(x, x_reconstructed):
    return ops.square(x - x_reconstructed)


def _crossentropy(x, x_reconstructed):
    return ops.binary_crossentropy(x, ops.clip(x_reconstructed, 1e-7, 1 - 1e-7))


# --- the adversarial game ---------------------------------------------------------


def discriminator_loss(prior_logits, posterior_logits):
    """Cross-entropy of telling prior samples from aggregated-posterior samples.

    Args:
        prior_logits: float tensor `(n, 1)`. Scores of draws from the prior.
        posterior_logits: float tensor `(m, 1)`. Scores of encoded images, already
            cut from the encoder with `ops.stop_gradient`.

    Returns:
        Scalar in nats: mean over prior scores plus mean over posterior scores.
        2 log 2 = 1.386 means the discriminator is guessing.

    Raises:
        ValueError: if a last axis is not 1.

    Example:
        >>> discriminator_loss(ops.zeros((8, 1)), ops.zeros((8, 1)))   # 1.3863

    Source: Makhzani et al., arXiv:1511.05644, section 2; written with logits for
    stability.
    """
    on_prior, on_posterior = _scores(prior_logits), _scores(posterior_logits)
    return ops.mean(ops.softplus(-on_prior)) + ops.mean(ops.softplus(on_posterior))


def non_saturating_generator_loss(posterior_logits):
    """Makes encoded images look like prior draws: `-log D`, mean over the batch.

    Args:
        posterior_logits: float tensor `(n, 1)`. Scores of encoded images.

    Returns:
        Scalar in nats. log 2 = 0.693 when the discriminator is guessing.

    Source: Goodfellow et al., arXiv:1406.2661, section 3.
    """
    return ops.mean(ops.softplus(-_scores(posterior_logits)))


def saturating_generator_loss(posterior_logits):
    """The minimax form `log(1 - D)`, mean over the batch; -0.693 when guessing.

    Its gradient fades when the discriminator is sure.
    Source: Goodfellow et al., arXiv:1406.2661, equation 1.
    """
    return -ops.mean(ops.softplus(_scores(posterior_logits)))


GENERATOR_LOSSES = {
    "non_saturating": non_saturating_generator_loss,
    "saturating": saturating_generator_loss,
}


def least_squares_discriminator_loss(prior_logits, posterior_logits):
    """Draws from the prior should score 1 and encoded images -1.

        1/2 mean (D(prior) - 1)^2 + 1/2 mean (D(code) + 1)^2

    Returns:
        Scalar: 1 when the discriminator gives everything 0, 0 when it is right.

    Source: Mao et al., arXiv:1611.04076, equation 8 (a = -1, b = 1, c = 0).
    """
    on_prior, on_posterior = _scores(prior_logits), _scores(posterior_logits)
    return 0.5 * (
        ops.mean(ops.square(on_prior - 1.0)) + ops.mean(ops.square(on_posterior + 1.0))
    )


def least_squares_generator_loss(posterior_logits):
    """Encoded images should score 0, undecided: `1/2 mean D(code)^2`.

    Source: Mao et al., arXiv:1611.04076, equation 8.
    """
    return 0.5 * ops.mean(ops.square(_scores(posterior_logits)))


def hinge_discriminator_loss(prior_logits, posterior_logits):
    """Draws should score above 1, encoded images below -1; beyond, nothing is gained.

        mean max(0, 1 - D(prior)) + mean max(0, 1 + D(code))

    Returns:
        Scalar: 2 when the discriminator gives everything 0.

    Source: Lim and Ye, arXiv:1705.02894, section 3.
    """
    on_prior, on_posterior = _scores(prior_logits), _scores(posterior_logits)
    return ops.mean(ops.relu(1.0 - on_prior)) + ops.mean(ops.relu(1.0 + on_posterior))


def wasserstein_discriminator_loss(prior_logits, posterior_logits):
    """Difference of the mean scores, `mean D(code) - mean D(prior)`.

    Where D's slope is held at 1 by `gradient_penalty`, minus this loss estimates the
    distance by which codes must be moved to be distributed like the prior.

    Source: Arjovsky et al., arXiv:1701.07875, equation 3.
    """
    return ops.mean(_scores(posterior_logits)) - ops.mean(_scores(prior_logits))


def mean_score_generator_loss(posterior_logits):
    """Encoded images should score high: `-mean D(code)`, for hinge and Wasserstein."""
    return -ops.mean(_scores(posterior_logits))


def gradient_penalty(discriminator, prior_draws, codes, seed):
    """How far the discriminator's slope is from 1 between draws and codes.

        mean (|grad_x D(x)|_2 - 1)^2  at  x = u prior + (1 - u) code,  u ~ U(0, 1)

    Differentiable by the discriminator's weights, on all backends.

    Args:
        discriminator: function from codes `(n, width)` to scores `(n, 1)`. It should
            treat each code by itself, that is, have no batch normalization.
        prior_draws: float tensor `(n, width)`.
        codes: float tensor of the same shape.
        seed: integer or `keras.random.SeedGenerator`, draws u.

    Returns:
        Scalar, 0 for a linear discriminator of slope 1. Weighted by 10, customarily.

    Source: Gulrajani et al., arXiv:1704.00028, equation 3.
    """
    u = keras.random.uniform((ops.shape(codes)[0], 1), dtype="float32", seed=seed)
    x = u * prior_draws + (1.0 - u) * ops.cast(codes, "float32")
    slope = input_gradient(
        lambda x: ops.sum(_scores(discriminator(x))),
        ops.stop_gradient(x),
        differentiable=True,
    )
    length = ops.sqrt(1e-12 + ops.sum(ops.square(slope), axis=-1))
    return ops.mean(ops.square(length - 1.0))


# What the discriminator minimizes, and what the encoder does.
ADVERSARIAL_LOSSES = {
    "cross_entropy": (discriminator_loss, non_saturating_generator_loss),
    "least_squares": (least_squares_discriminator_loss, least_squares_generator_loss),
    "hinge": (hinge_discriminator_loss, mean_score_generator_loss),
    "wasserstein": (wasserstein_discriminator_loss, mean_score_generator_loss),
}


def _scores(logits):
    """Logits `(n, 1)` in float32, or what is wrong with them."""
    if len(logits.shape) != 2 or logits.shape[-1] != 1:
        raise ValueError(
            "A discriminator gives one logit per sample, shape (n, 1). "
            f"Received shape {tuple(logits.shape)}. End it with Dense(1)."
        )
    return ops.cast(logits, "float32")


# --- classification ---------------------------------------------------------------


def classification_loss(y_true, y_logits, groups=None):
    """Cross-entropy of class labels, mean over the batch.

    Args:
        y_true: int tensor `(n,)`, classes from 0.
        y_logits: float tensor `(n, num_classes)`, before softmax.
        groups: main class of each class, where some labels tell no more than that: see
            `grouped_classification_loss`.

    Returns:
        Scalar in nats. log(num_classes), 2.303 for ten, means guessing.
    """
    if groups is not None:
        return grouped_classification_loss(y_true, y_logits, groups)
    return ops.mean(
        ops.sparse_categorical_crossentropy(y_true, y_logits, from_logits=True)
    )


def grouped_classification_loss(y_true, y_logits, groups):
    """Cross-entropy of labels in two levels, mean over the batch.

        -log sum_(k in S) p(k|x),   p = softmax(y_logits),

    where S is the sub-class itself, or all sub-classes of the main class where no more
    is known than that.

    Args:
        y_true: int tensor `(n,)`: a sub-class, 0 to num_classes - 1, or
            num_classes + g for main class g.
        y_logits: float tensor `(n, num_classes)`, before softmax.
        groups: integers `(num_classes,)`, main class of each sub-class, from
            `data.class_groups`.

    Returns:
        Scalar in nats. Of sub-classes alone it is `classification_loss`; a main class
        with m of K sub-classes costs log(K / m) when all are equally likely.

    Raises:
        ValueError: if `groups` is malformed or does not fit the logits.

    Source: the likelihood of what the label says; no more is assumed.
    """
    y_logits = ops.cast(y_logits, "float32")
    allowed = allowed_classes(y_true, y_logits.shape[-1], groups)
    mass = ops.logsumexp(ops.where(allowed, y_logits, float("-inf")), axis=-1)
    return ops.mean(ops.logsumexp(y_logits, axis=-1) - mass)


def allowed_classes(y_true, num_classes, groups=None):
    """Which classes labels leave open, bool `(n, num_classes)`.

    A class alone, or all of a main class; arguments as of
    `grouped_classification_loss`.
    """
    sets = np.eye(num_classes, dtype=bool)
    if groups is not None:
        groups = check_groups(groups, num_classes)
        sets = np.concatenate([sets, np.arange(groups.max() + 1)[:, None] == groups])
    return ops.take(ops.convert_to_tensor(sets), y_true, axis=0)


def errors(y_true, y_logits, groups=None):
    """100 where the label rules out the largest logit's class, else 0.

    Mean it for percent; arguments as of `classification_loss`.
    """
    num_classes = y_logits.shape[-1]
    predicted = ops.one_hot(ops.argmax(y_logits, axis=-1), num_classes, dtype="bool")
    right = ops.any(predicted & allowed_classes(y_true, num_classes, groups), axis=-1)
    return 100.0 * (1.0 - ops.cast(right, "float32"))


def categorical_kl(p_logits, q_logits):
    """Kullback-Leibler divergence KL(p || q) of categorical distributions.

    Args:
        p_logits: float tensor `(n, num_classes)`.
        q_logits: float tensor of the same shape.

    Returns:
        Scalar in nats, mean over the batch, at least 0.
    """
    p = ops.softmax(p_logits)
    return ops.mean(
        ops.sum(p * (ops.log_softmax(p_logits) - ops.log_softmax(q_logits)), axis=-1)
    )


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
            in bfloat16 the difference is rounding noise, and the term does harm.
        power_iterations: refinements of d; one is customary.
        y_logits: `classify(x)`, where the caller has it already.

    Returns:
        Scalar in nats, mean over the batch.

    Source: Miyato et al., arXiv:1704.03976, equations 5, 6 and section 3.3.
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


def head_distance_penalty(heads, distance):
    """What pairs of heads are missing to a distance.

        sum_{i<j} max(0, d - |h_i - h_j|)

    Args:
        heads: float tensor `(K, n)`, a point for each cluster.
        distance: d, the least distance that costs nothing.

    Returns:
        Scalar, 0 where all heads are far enough apart.

    Source: Makhzani et al., arXiv:1511.05644, section 7, a penalty that is linear below
    a threshold; reduction and threshold are ours.
    """
    heads = ops.convert_to_tensor(heads)
    differences = ops.expand_dims(heads, 0) - ops.expand_dims(heads, 1)
    distances = ops.sqrt(1e-12 + ops.sum(ops.square(differences), axis=-1))
    missing = ops.relu(distance - distances)  # each pair twice, and each head itself
    return (ops.sum(missing) - ops.sum(ops.diagonal(missing))) / 2


# --- variational bounds -----------------------------------------------------------
#
# Of each image, in nats: a model weighs them by class before it takes their mean.


def bernoulli_nll(x, x_reconstructed):
    """-log p(x|z) of each image where pixels are Bernoulli variables.

        -sum_pixels x log x' + (1 - x) log (1 - x')

    Args:
        x: float tensor `(n, ...)`, pixels in [0, 1] read as probabilities.
        x_reconstructed: x', tensor of the same shape, in [0, 1]; kept 1e-7 away from
            the ends.

    Returns:
        Float tensor `(n,)`. About 75 to 90 for MNIST.

    Source: Kingma and Welling, arXiv:1312.6114, appendix C.1.
    """
    return ops.sum(_per_pixel(_crossentropy, x, x_reconstructed), axis=-1)


def gaussian_nll(x, mean, log_variance=None):
    """-log p(x|z) of each image or code where p(x|z) = N(mean, variance).

        1/2 sum (x - mean)^2 / variance + log variance + log 2 pi

    Args:
        x: float tensor `(n, ...)`.
        mean: tensor of the same shape.
        log_variance: tensor of the same shape; variance 1 if not given.

    Returns:
        Float tensor `(n,)`.

    Source: Kingma and Welling, arXiv:1312.6114, appendix C.2.
    """
    squares = _per_pixel(_squared_error, x, mean)
    if log_variance is not None:
        log_variance = ops.reshape(log_variance, ops.shape(squares))
        squares = squares * ops.exp(-log_variance) + log_variance
    return 0.5 * ops.sum(squares + math.log(2 * math.pi), axis=-1)


LIKELIHOODS = {"bernoulli": bernoulli_nll, "gaussian": gaussian_nll}


def gaussian_kl(mean, log_variance, prior_mean=0.0):
    """Divergence KL(N(mean, variance) || N(prior_mean, I)) of each code.

        1/2 sum_dimensions variance + (mean - prior_mean)^2 - 1 - log variance

    Args:
        mean: float tensor `(..., z_dim)`.
        log_variance: tensor of the same shape.
        prior_mean: tensor that broadcasts with them; 0 is the prior N(0, I).

    Returns:
        Float tensor `(...)`, at least 0.

    Source: Kingma and Welling, arXiv:1312.6114, appendix B.
    """
    distance = ops.square(mean - prior_mean)
    terms = ops.exp(log_variance) + distance - 1.0 - log_variance
    return 0.5 * ops.sum(terms, axis=-1)


def mixture_kl(mean, log_variance, means, log_weights):
    """How far each q(z|x) is from a mixture of Gaussians, of which one is enough.

        -log sum_k pi_k exp(-KL(q || N(mean_k, I)))

    It is the least of `sum_k r_k (KL_k + log r_k / pi_k)` over all shares r of the
    components, so that no KL to the mixture exceeds it, and at most the KL to any
    component, minus log pi_k.

    Args:
        mean: float tensor `(n, z_dim)`.
        log_variance: tensor of the same shape.
        means: float tensor `(K, z_dim)`, mean_k of the components.
        log_weights: float tensor `(K,)`, log pi_k.

    Returns:
        Float tensor `(n,)`. log K at a component's place, where all pi are equal and
        the others far.

    Source: Hershey and Olsen 2007, Approximating the Kullback Leibler divergence
    between Gaussian mixture models, equation 20, for one Gaussian on the left.
    """
    mean, log_variance = mean[:, None], log_variance[:, None]
    return -ops.logsumexp(log_weights - gaussian_kl(mean, log_variance, means), axis=-1)


def labelled_bound(nll, divergence, log_p_y):
    """What -log p(x, y) of each image is at most, L(x, y).

        -log p(x|y, z) - log p(y) + KL(q(z|x, y) || p(z)),   z ~ q(z|x, y)

    Args:
        nll: float tensor `(n,)`, -log p(x|y, z) at a draw z.
        divergence: float tensor `(n,)`, the KL.
        log_p_y: float tensor `(n,)`, log-probability of the image's class.

    Returns:
        Float tensor `(n,)`, to be minimized.

    Source: Kingma et al., arXiv:1406.5298, equation 6, with the sign turned.
    """
    return nll - log_p_y + divergence


def unlabelled_bound(bounds, y_logits, allowed=None):
    """What -log p(x) of each image is at most, U(x), over all classes.

        sum_y q(y|x) (L(x, y) + log q(y|x)) = sum_y q(y|x) L(x, y) - H(q(y|x))

    Args:
        bounds: float tensor `(n, num_classes)`, L(x, y) of every class.
        y_logits: float tensor `(n, num_classes)` of q(y|x), before softmax.
        allowed: bool tensor `(n, num_classes)`, the classes that are possible, at least
            one each; all if not given. It then bounds -log p(x, y is one of them), from
            q(y|x) within them, and is `labelled_bound` where there is one.

    Returns:
        Float tensor `(n,)`, to be minimized.

    Source: Kingma et al., arXiv:1406.5298, equation 7, with the sign turned.
    """
    y_logits = ops.cast(y_logits, "float32")
    if allowed is not None:
        y_logits = ops.where(allowed, y_logits, -1e9)
    terms = bounds + ops.log_softmax(y_logits)
    return ops.sum(ops.softmax(y_logits) * terms, axis=-1)


def feature_error(features, features_reconstructed):
    """How differently a network sees images and their reconstructions.

        sum_layers mean_units (h(x) - h(x'))^2,   mean over the images

    Args:
        features: list of float tensors `(n, ...)`, a layer each, of the images.
        features_reconstructed: the same of their reconstructions.

    Returns:
        Scalar. Layers count alike, however many units they have.

    Source: Larsen et al., arXiv:1512.09300, equation 7; the reduction is ours.
    """
    pairs = zip(features, features_reconstructed)
    return sum(squared_error_mean(h, other) for h, other in pairs)


def _unit_length(d):
    """Each image of `d` scaled to L2 length 1; zeros stay zeros."""
    d = ops.cast(d, "float32")
    axes = tuple(range(1, len(d.shape)))
    d = d / (1e-12 + ops.max(ops.abs(d), axis=axes, keepdims=True))
    return d / ops.sqrt(1e-12 + ops.sum(ops.square(d), axis=axes, keepdims=True))
