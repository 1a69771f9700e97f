"""Losses of classes and clusters, with labels of one level or two."""

import numpy as np
from keras import ops

from keras_saae.checks import check_groups


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


def shares_loss(y_logits, y_drawn):
    """How far the batch as a whole is from using the classes as the prior does.

        - sum_k p_k log( 1/n sum_i q(k|x_i) ),   p the shares of the classes in y_drawn

    The game on y looks at one code at a time, and cannot tell that nobody takes a
    class. This does, and the classes that nobody takes get the largest gradient.

    Args:
        y_logits: float tensor `(n, num_classes)`, of the images of a batch.
        y_drawn: `(m, num_classes)`, draws from the prior of y, one-hot.

    Returns:
        Scalar in nats. Least, the entropy of the prior (log K where its shares are
        equal), where the batch has them too. Wants batches of many times K images.

    Source: ours as it stands; Krause et al. 2010 and Hu et al., arXiv:1702.08720,
    maximize the entropy of the same average.
    """
    log_q = ops.log_softmax(ops.cast(y_logits, "float32"))
    log_sum = ops.logsumexp(log_q, axis=0)  # of q; its logarithm would underflow
    number = ops.cast(ops.shape(log_q)[0], "float32")
    shares = ops.mean(ops.cast(y_drawn, "float32"), axis=0)
    return ops.log(number) - ops.sum(shares * log_sum)


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
