"""Likelihoods, divergences and bounds of each image, in nats.

They are not averaged: a model weighs them by class before it takes their mean.
"""

import math

from keras import ops

from keras_saae.losses.pixels import crossentropy, per_pixel, squared_error


def bernoulli_nll(x, x_reconstructed):
    """-log p(x|z) of each image where pixels are Bernoulli variables.

        -sum_pixels [ x log x' + (1 - x) log (1 - x') ]

    Args:
        x: float tensor `(n, ...)`, pixels in [0, 1] read as probabilities.
        x_reconstructed: x', tensor of the same shape, in [0, 1]; kept 1e-7 away from
            the ends.

    Returns:
        Float tensor `(n,)`. About 75 to 90 for MNIST.

    Source: Kingma and Welling, arXiv:1312.6114, appendix C.1.
    """
    return ops.sum(per_pixel(crossentropy, x, x_reconstructed), axis=-1)


def gaussian_nll(x, mean, log_variance=None):
    """-log p(x|z) of each image or code where p(x|z) = N(mean, variance).

        1/2 sum [ (x - mean)^2 / variance + log variance + log 2 pi ]

    Args:
        x: float tensor `(n, ...)`.
        mean: tensor of the same shape.
        log_variance: tensor of the same shape; variance 1 if not given.

    Returns:
        Float tensor `(n,)`.

    Source: Kingma and Welling, arXiv:1312.6114, appendix C.2.
    """
    squares = per_pixel(squared_error, x, mean)
    if log_variance is not None:
        log_variance = ops.reshape(log_variance, ops.shape(squares))
        squares = squares * ops.exp(-log_variance) + log_variance
    return 0.5 * ops.sum(squares + math.log(2 * math.pi), axis=-1)


LIKELIHOODS = {"bernoulli": bernoulli_nll, "gaussian": gaussian_nll}


def gaussian_kl(mean, log_variance, prior_mean=0.0):
    """Divergence KL(N(mean, variance) || N(prior_mean, I)) of each code.

        1/2 sum_dimensions [ variance + (mean - prior_mean)^2 - 1 - log variance ]

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
