"""Parzen-window log-likelihood: how probable images are among a model's samples.

NumPy's float64 on every backend, so that all give the same number. A distance of two
images is a small difference of large sums: in float32 it costs thousandths of a nat at
sigma = 0.15, more on GPUs that round factors (TF32), and saves a fifth of the time. The
float64 products of the three backends take longer than NumPy's (one core, measured).
"""

import math
import numbers
import warnings
from typing import NamedTuple

import numpy as np

from keras_saae import checks

# 5 % apart: the best is missed by 2.5 % at most, which costs half a nat at 784 pixels.
SIGMAS = tuple(float(sigma) for sigma in np.geomspace(0.05, 0.5, 48).round(4))
BLOCK_VALUES = 2**23  # float64 numbers in a block of image-sample pairs: 64 MiB


class ParzenEstimate(NamedTuple):
    """What `parzen_log_likelihood` found.

    Attributes:
        mean: mean log-likelihood of the test images, in nats.
        standard_error: of that mean, in nats.
        sigma: the width chosen, in pixel units.
        validation: `{sigma: mean log-likelihood of the validation images}`.
    """

    mean: float
    standard_error: float
    sigma: float
    validation: dict


def parzen_log_likelihood(samples, x_validation, x_test, sigmas=SIGMAS):
    """Mean log-likelihood of test images under a Gaussian at each of a model's samples.

    The width sigma is that of `sigmas` under which the validation images are likeliest;
    the test images have no part in choosing it.

    What it does not tell (Theis et al., who advise against it): in 784 dimensions no
    affordable number of samples comes near the model's true log-likelihood; the
    estimate grows with their number, so only figures from equally many compare. It
    rewards samples that lie in the middle of images: centroids of k-means beat the true
    distribution, and blurred samples sharp ones. It depends on
    sigma and on the scale of the pixels, and need not rank models as their samples look
    or as their true likelihoods do. It is here to be set beside older figures.

    Args:
        samples: images `(n, height, width[, channels])` that the model drew, float in
            [0, 1] or uint8. 10,000 in the paper.
        x_validation: images of the same shape, never trained on. 1,000 are enough.
        x_test: images of the same shape.
        sigmas: widths to choose from, in pixel units.

    Returns:
        A `ParzenEstimate`. On MNIST, with 10,000 samples: 340 ± 2 nats reported of the
        paper's AAE; 243 ± 2, at sigma = 0.17, for 10,000 training images themselves,
        which says enough of what the estimate measures.

    Raises:
        TypeError, ValueError: for arrays that are no images, of shapes that do not fit,
            or with NaN; for fewer than two samples or test images; for widths that are
            not positive numbers.

    Warns:
        UserWarning: if the best of several widths is the smallest or the largest, so
            that a better one may lie outside.

    Example:
        >>> samples = model.sample(10_000, seed=0)
        >>> parzen_log_likelihood(samples, x_validation, x_test).mean

    Source: Breuleux et al. 2011; Makhzani et al., arXiv:1511.05644, section 3; Theis et
    al., arXiv:1511.01844.
    """
    samples = _samples(samples)
    x_validation = _like(samples, x_validation, "x_validation")
    x_test = _like(samples, x_test, "x_test")
    if len(x_test) < 2:
        raise ValueError(
            "The standard error needs at least two images in `x_test`. Received 1."
        )
    sigmas = [_width(sigma) for sigma in np.ravel(sigmas)]
    if not sigmas:
        raise ValueError(f"`sigmas` is empty. Pass widths such as {SIGMAS}.")
    means = _log_densities(samples, x_validation, sigmas).mean(axis=1).tolist()
    sigma = sigmas[int(np.argmax(means))]
    if len(sigmas) > 1 and sigma in (min(sigmas), max(sigmas)):
        warnings.warn(
            f"The validation images are likeliest at sigma={sigma:g}, an end of "
            f"`sigmas`, which go from {min(sigmas):g} to {max(sigmas):g}. Extend them.",
            stacklevel=2,
        )
    (densities,) = _log_densities(samples, x_test, [sigma])
    return ParzenEstimate(
        mean=float(densities.mean()),
        standard_error=float(densities.std(ddof=1) / math.sqrt(len(densities))),
        sigma=sigma,
        validation=dict(zip(sigmas, means)),
    )


def parzen_log_densities(samples, x, sigma):
    """Log-density of each image under a Gaussian at each sample.

        log p(x) = log 1/n sum_i N(x; sample_i, sigma^2 I)

    Time is `2 n len(x) pixels` operations; memory 64 MiB beside the images in float64.
    scikit-learn's `KernelDensity` is the same, but its trees lose up to hundreds of
    nats to rounding on images of 784 pixels; with `leaf_size=len(samples)` it is exact.

    Args:
        samples: images `(n, height, width[, channels])`, float in [0, 1] or uint8.
        x: images `(m, height, width[, channels])` of the same shape.
        sigma: standard deviation of the Gaussians, in pixel units.

    Returns:
        Float64 array `(m,)`, in nats.

    Raises:
        TypeError, ValueError: as of `parzen_log_likelihood`.
    """
    samples = _samples(samples)
    x = _like(samples, x, "x")
    return _log_densities(samples, x, [_width(sigma)])[0]


def _log_densities(samples, x, sigmas):
    """Log-densities `(len(sigmas), len(x))`, block by block."""
    samples = _rows(samples)
    n, pixels = samples.shape
    half_norms = 0.5 * np.einsum("ij,ij->i", samples, samples)  # (n,)
    result = np.empty((len(sigmas), len(x)))
    size = max(1, BLOCK_VALUES // n // 2)  # two such blocks are held at a time
    for start in range(0, len(x), size):
        rows = _rows(x[start : start + size])
        # -|x - s|^2 / 2 = x.s - |s|^2 / 2 - |x|^2 / 2, and the largest over the samples
        scores = rows @ samples.T
        scores -= half_norms
        nearest = scores.max(axis=1)
        scores -= nearest[:, None]
        nearest -= 0.5 * np.einsum("ij,ij->i", rows, rows)
        for k, sigma in enumerate(sigmas):
            shares = scores / sigma**2
            total = np.exp(shares, out=shares).sum(axis=1)  # from 1 to n
            result[k, start : start + size] = nearest / sigma**2 + np.log(total)
    normalizers = pixels * np.log(np.sqrt(2 * np.pi) * np.array(sigmas)) + np.log(n)
    return result - normalizers[:, None]


def _rows(images):
    """Images as float64 in [0, 1], one a row."""
    rows = images.reshape(len(images), -1).astype("float64")
    return rows / 255.0 if images.dtype == np.uint8 else rows


def _samples(samples):
    samples = checks.check_images(samples, "samples")
    if len(samples) < 2:
        raise ValueError(
            "A density estimate needs at least two `samples`; thousands are usual. "
            f"Received {len(samples)}. Draw more, such as model.sample(10_000)."
        )
    return samples


def _like(samples, x, name):
    x = checks.check_images(x, name)
    if x.shape[1:] != samples.shape[1:]:
        raise ValueError(
            f"`samples` and `{name}` need images of one shape. Received shapes "
            f"{samples.shape[1:]} and {x.shape[1:]}."
        )
    return x


def _width(sigma):
    if not isinstance(sigma, numbers.Real) or not 0 < sigma < math.inf:
        raise ValueError(
            "A Parzen window's width is a positive number in pixel units, such as "
            f"0.15. Received sigma={sigma!r}."
        )
    return float(sigma)
