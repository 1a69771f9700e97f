"""How well class and style come apart: scores of generated images and of codes.

All take NumPy arrays. A classifier that judges images is trained apart from the model
that draws them, on all labels.
"""

import numpy as np

from keras_saae import checks
from keras_saae.evaluation.error_rate import error_rate


def class_fidelity(y_drawn, judged):
    """Share of generated images that a separate classifier gives the class asked for.

    Args:
        y_drawn: integer `(n,)`. The class k that each image was drawn with, as in
            `model.sample(n, label=y_drawn)`, its style from the prior.
        judged: integer `(n,)` or float `(n, classes)`. What the classifier makes of
            the images: classes, probabilities or logits.

    Returns:
        Percent. 100 is a perfect decoder; one that ignores y scores 10 on ten classes.

    Raises:
        ValueError: as of `error_rate`.
    """
    return 100.0 - error_rate(y_drawn, judged)


def style_leakage(z_train, y_train, z_test, y_test):
    """How well a linear probe reads the class from the style alone.

    A multinomial logistic regression on standardized style codes, fitted on training
    images and scored on test images.

    Args:
        z_train: float `(n, z_dim)`. Style codes to fit the probe on.
        y_train: integer `(n,)`. Their true classes.
        z_test: float `(m, z_dim)`. Style codes to score it on.
        y_test: integer `(m,)`. Their true classes.

    Returns:
        Accuracy in percent. On ten balanced classes 10 means that z says nothing about
        the class, 100 that it says all, linearly; a probe that is not linear may read
        more.

    Raises:
        ValueError: for arrays of wrong shapes or with values that are not finite.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    z_train, z_test = _codes(z_train, "z_train"), _codes(z_test, "z_test")
    probe = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    probe.fit(z_train, np.asarray(y_train))
    return 100.0 * float(probe.score(z_test, np.asarray(y_test)))


def style_variety(generated, y_generated, real, y_real):
    """Mean distance of two generated images of a class, over that of two real ones.

    Args:
        generated: images `(n, ...)` in [0, 1], or uint8. A few hundred images of each
            class are enough: all pairs are compared, class by class.
        y_generated: integer `(n,)`. Their classes.
        real: images `(m, ...)` of the same form.
        y_real: integer `(m,)`. Their classes.

    Returns:
        A ratio, averaged over the classes. 1 is the variety of real images, 0 one and
        the same image for each class.

    Raises:
        ValueError: if a class has fewer than two images in one of the sets.
    """
    y_generated = _labels(y_generated, generated, "y_generated")
    y_real = _labels(y_real, real, "y_real")
    ratios = []
    for k in np.union1d(y_generated, y_real):
        spread = []
        for name, images, y in (
            ("generated", generated, y_generated),
            ("real", real, y_real),
        ):
            of_class = _in_unit_range(images)[y == k]
            if len(of_class) < 2:
                raise ValueError(
                    f"The variety of class {k} needs at least two {name} images of it. "
                    f"Received {len(of_class)}."
                )
            distances = np.sqrt(_squared_distances(of_class, of_class))
            spread.append(distances.sum() / (len(of_class) * (len(of_class) - 1)))
        ratios.append(spread[0] / spread[1])
    return float(np.mean(ratios))


def latent_mmd(z, prior_draws):
    """Squared maximum mean discrepancy of the style codes and their prior.

        MMD^2 = mean_{i != j} k(z_i, z_j) + mean_{i != j} k(p_i, p_j)
                - 2 mean_{i, j} k(z_i, p_j),   k(a, b) = exp(-|a - b|^2 / (2 m^2)),

    m the median distance of a code and a draw. The estimate is unbiased, so it may fall
    below zero where the two agree.

    Args:
        z: float `(n, z_dim)`. Style codes. 2,000 are enough; time and memory grow with
            the square of their number, 2,000 take about 150 MiB.
        prior_draws: float `(m, z_dim)`. Draws from the prior.

    Returns:
        A number near 0 where z is distributed as the prior; 0.01 can be seen in a
        histogram.

    Raises:
        ValueError: for arrays of wrong shapes, with values that are not finite, or
            with fewer than two rows; if most codes and draws are one and the same.

    Source: Gretton et al. 2012, A kernel two-sample test, equation 3.
    """
    z, prior_draws = _codes(z, "z"), _codes(prior_draws, "prior_draws")
    if z.shape[1] != prior_draws.shape[1] or min(len(z), len(prior_draws)) < 2:
        raise ValueError(
            "`z` and `prior_draws` need the same width and at least two rows each. "
            f"Received shapes {z.shape} and {prior_draws.shape}."
        )
    across = _squared_distances(z, prior_draws)
    width = 2.0 * np.median(across)
    if not width:
        raise ValueError("`z` and `prior_draws` are one and the same point.")

    def within(codes):
        kernel = np.exp(-_squared_distances(codes, codes) / width)
        n = len(codes)
        return (kernel.sum() - n) / (n * (n - 1))  # the diagonal is 1

    return float(within(z) + within(prior_draws) - 2.0 * np.exp(-across / width).mean())


def class_shares(y_codes):
    """Share of images whose largest class probability is each class's.

    Args:
        y_codes: float `(n, num_classes)`. Class codes, as `model.encode` returns them.

    Returns:
        Float `(num_classes,)`, sums to 1. Compare with the prior's weights.
    """
    y_codes = np.asarray(y_codes)
    counts = np.bincount(y_codes.argmax(axis=1), minlength=y_codes.shape[1])
    return counts / len(y_codes)


def _codes(z, name):
    z = np.asarray(z, "float64")
    if z.ndim != 2 or not len(z) or not np.all(np.isfinite(z)):
        raise ValueError(
            f"`{name}` is expected to be finite codes of shape (n, z_dim), n > 0. "
            f"Received shape {z.shape}"
            + ("." if z.ndim != 2 or not len(z) else " with NaN or infinite values.")
        )
    return z


def _labels(y, images, name):
    return checks.check_labels(y, len(images), name=name, allow_unlabelled=False)


def _in_unit_range(images):
    images = np.asarray(images)
    scale = 255.0 if images.dtype == np.uint8 else 1.0
    return images.reshape(len(images), -1) / scale


def _squared_distances(a, b):
    squared = (a**2).sum(1)[:, None] + (b**2).sum(1)[None] - 2.0 * a @ b.T
    if a is b:
        np.fill_diagonal(squared, 0.0)  # not a rounding error's square root
    return np.maximum(squared, 0.0)
