"""Scores of a clustering against true classes, by three protocols and two indices.

Each protocol says in its own way which class a cluster stands for; their numbers do not
belong into one column of a table. Clusters are integers, or probabilities whose largest
counts. Mutual information and the Rand index are scikit-learn's.
"""

import numpy as np

from keras_saae import checks
from keras_saae.evaluation.error_rate import error_rate


def paper_error(y_validation, q_validation, y_true, q):
    """Error where a cluster has the class of its most confident validation image.

    The class of cluster k is that of the validation image with the largest q(y_k|x);
    of several equally large ones, the first.

    Args:
        y_validation: integer `(m,)`. Classes of images that are not scored.
        q_validation: float `(m, K)`. Their probabilities of each cluster.
        y_true: integer `(n,)`. Classes of the images that are.
        q: float `(n, K)`. Their probabilities.

    Returns:
        Percent.

    Raises:
        ValueError: if arrays do not fit together, or hold NaN.

    Source: Makhzani et al., arXiv:1511.05644, section 6.
    """
    q_validation, q = np.asarray(q_validation), np.asarray(q)
    if q_validation.ndim != 2 or q.ndim != 2 or q.shape[1] != q_validation.shape[1]:
        raise ValueError(
            "This protocol needs probabilities (n, K) of the same K clusters. Received "
            f"shapes {q_validation.shape} and {q.shape}."
        )
    _check_finite(q_validation)
    y_validation = _labels(y_validation, q_validation, "y_validation")
    class_of = y_validation[q_validation.argmax(axis=0)]
    return error_rate(y_true, class_of[_clusters(q)])


def majority_error(y_true, clusters):
    """Error where a cluster has the class of most of its images.

    Optimistic: it reads the classes of the scored images, and more clusters never cost
    anything. With a cluster per image it is 0.

    Args:
        y_true: integer `(n,)`. True classes.
        clusters: integer `(n,)` or float `(n, K)`.

    Returns:
        Percent.
    """
    counts = _counts(y_true, clusters)
    return 100.0 * (1.0 - counts.max(axis=1).sum() / counts.sum())


def one_to_one_accuracy(y_true, clusters):
    """Accuracy under the best pairing of clusters and classes, one to one.

    Clusters beyond the number of classes are paired with none, and are wrong.

    Args:
        y_true: integer `(n,)`. True classes.
        clusters: integer `(n,)` or float `(n, K)`.

    Returns:
        Percent; 10 for guessing among ten classes.

    Source: the pairing is that of Kuhn 1955, by `scipy.optimize.linear_sum_assignment`.
    """
    from scipy.optimize import linear_sum_assignment

    counts = _counts(y_true, clusters)
    return 100.0 * float(counts[linear_sum_assignment(-counts)].sum() / counts.sum())


def normalized_mutual_information(y_true, clusters):
    """scikit-learn's `normalized_mutual_info_score`, 1 for the same parts."""
    from sklearn.metrics import normalized_mutual_info_score

    clusters = _clusters(clusters)
    return float(normalized_mutual_info_score(_labels(y_true, clusters), clusters))


def adjusted_rand_index(y_true, clusters):
    """scikit-learn's `adjusted_rand_score`: 1 for the same parts, 0 by chance."""
    from sklearn.metrics import adjusted_rand_score

    clusters = _clusters(clusters)
    return float(adjusted_rand_score(_labels(y_true, clusters), clusters))


def _counts(y_true, clusters):
    """How many images of each class (columns) each cluster (rows) holds."""
    clusters = _clusters(clusters)
    y_true = _labels(y_true, clusters)
    counts = np.zeros((clusters.max() + 1, y_true.max() + 1))
    np.add.at(counts, (clusters, y_true), 1)
    return counts


def _clusters(clusters):
    clusters = np.asarray(clusters)
    if clusters.ndim == 2 and clusters.size:
        _check_finite(clusters)
        clusters = clusters.argmax(axis=1)
    return _labels(clusters, clusters, "clusters")


def _check_finite(q):
    if not np.isfinite(q).all():
        raise ValueError(
            "The probabilities of the clusters hold NaN or infinite values. Look at "
            "the losses of the training."
        )


def _labels(y, images, name="y_true"):
    if not len(images):
        raise ValueError(f"A clustering of no images has no score. Received {name}=[].")
    return checks.check_labels(y, len(images), name=name, allow_unlabelled=False)
