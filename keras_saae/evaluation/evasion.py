"""The attack that knows what a selective classifier looks at."""

from keras import ops

FAR = 1e9  # slack of a class that accepts nothing


def evasion_loss(classifier, measure=None):
    """A loss for `attacks`: climb it to be accepted as another class.

        max_(t != y) [ -max_i s_i - sum_i max(0, s_i) ],

        s = ( score_best_other - score_t,
              |z - mean_t| / tau_enc[t] - 1,
              error(x, reconstruction) / tau_dec[t] - 1 )

    It is above 0 exactly where the image is taken for a class t other than y and passes
    both thresholds of t, if score, code and reconstruction are those the classifier
    decides by. Every threshold that is missed gives its share of the
    gradient, and it does not stop at the goal.

    Args:
        classifier: a calibrated `SelectiveClassifier`.
        measure: function from images, a float tensor `(n, ...)`, to class scores
            `(n, num_classes)`, codes `(n, z_dim)` and reconstructions, all in
            `keras.ops`. If not given, z and the reconstruction are those of the model's
            `encoder` and `decoder`, and scores its `code_logits(z)` or, without those,
            nearness to the means. Models whose decoder takes more than z, such as `M2`,
            need it.

    Returns:
        `loss(x, y) -> (n,)`, for the argument `loss` of every attack. Thresholds are
        those at this moment.

    Raises:
        ValueError: before `calibrate`; if a threshold is 0; if the model's decoder does
            not take the classifier's codes and there is no `measure`.

    Example:
        >>> loss = evasion_loss(classifier)
        >>> attacks.pgd(model, x_test, y_test, epsilon=0.3, loss=loss)

    Source: ours, after Carlini and Wagner, arXiv:1705.07263: an attack on a detector
    has to aim at the detector too.
    """
    if not (classifier.tau_enc.all() and classifier.tau_dec.all()):
        raise ValueError(
            "Slack is measured in thresholds, which must not be 0. Received "
            f"tau_enc={classifier.tau_enc}, tau_dec={classifier.tau_dec}."
        )
    means, tau_enc, tau_dec = (
        values.astype("float32")
        for values in (classifier.means, classifier.tau_enc, classifier.tau_dec)
    )
    num_classes = len(means)
    never = (tau_enc < 0) | (tau_dec < 0)  # -inf: no image was taken for the class
    tau_enc, tau_dec = abs(tau_enc), abs(tau_dec)
    tau_enc[never] = tau_dec[never] = 1.0
    means, tau_enc, tau_dec, never = map(
        ops.convert_to_tensor, (means, tau_enc, tau_dec, never)
    )
    measure = measure or _as_decided(classifier, means)

    def loss(x, y):
        x, y = ops.convert_to_tensor(x), ops.convert_to_tensor(y)
        scores, z, x_reconstructed = measure(x)
        distances = _lengths(z[:, None] - means)
        error = classifier.error_between(x, x_reconstructed)
        own = ops.eye(num_classes, dtype="bool")
        others = ops.where(own, -FAR, ops.expand_dims(scores, 1))  # (n, t, others)
        slack = ops.stack(
            [
                _largest(others) - scores,
                distances / tau_enc - 1.0,
                error[:, None] / tau_dec - 1.0,
            ],
            axis=-1,
        )
        reached = -_largest(slack) - ops.sum(ops.relu(slack), axis=-1)
        closed = ops.one_hot(y, num_classes, dtype="bool") | never
        return _largest(ops.where(closed, -FAR, reached))

    return loss


def _as_decided(classifier, means):
    """Scores, codes and reconstructions as the classifier finds them in its model."""
    model, width = classifier.model, classifier.means.shape[1]
    taken = getattr(getattr(model, "decoder", None), "input_shape", (None, width))
    if hasattr(model, "inverse_transform") or taken != (None, width):
        raise ValueError(
            f"The codes of {type(model).__name__} have {width} dimensions and are not "
            f"all that its decoder takes, {taken}. Pass `measure`, a function from "
            "images to class scores, codes and reconstructions."
        )

    def nearness(z):
        return -_lengths(z[:, None] - means)

    score = getattr(model, "code_logits", nearness)

    def measure(x):
        z = model.encoder(x, training=False)
        return score(z), z, model.decoder(z, training=False)

    return measure


def _lengths(d):
    return ops.sqrt(1e-12 + ops.sum(ops.square(d), axis=-1))


def _largest(values):
    """The largest along the last axis, picked by its place.

    `ops.max` sends its gradient to the values equal to it. Compiled on JAX, that was
    found to give another gradient than step by step, and images stood still: perhaps
    because a value computed twice is rounded in two ways, so that none is equal.
    """
    place = ops.one_hot(ops.argmax(values, axis=-1), values.shape[-1], dtype="bool")
    return ops.sum(ops.where(place, values, 0.0), axis=-1)
