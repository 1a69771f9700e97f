"""Losses of the adversarial game; logits are positive for "drawn from the prior"."""

import keras
from keras import ops

from keras_saae.backend import input_gradient


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
