"""Losses of reconstructions: pixels, and features of a network."""

from keras import ops

from keras_saae.losses.pixels import crossentropy, per_pixel, squared_error
from keras_saae.losses.variational import bernoulli_nll


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
    return ops.mean(ops.sum(per_pixel(squared_error, x, x_reconstructed), axis=-1))


def squared_error_mean(x, x_reconstructed):
    """Squared error, mean over pixels and images.

    On MNIST its gradient is 392 times smaller than that of
    `half_squared_error_sum`; a learning rate made for one does not fit the other.
    """
    return ops.mean(per_pixel(squared_error, x, x_reconstructed))


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
    return ops.mean(per_pixel(crossentropy, x, x_reconstructed))


RECONSTRUCTION_LOSSES = {
    "half_squared_error_sum": half_squared_error_sum,
    "squared_error_sum": squared_error_sum,
    "squared_error_mean": squared_error_mean,
    "binary_crossentropy_sum": binary_crossentropy_sum,
    "binary_crossentropy_mean": binary_crossentropy_mean,
}


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
