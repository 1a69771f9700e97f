"""A classifier that refuses what it does not know, from any model with a code."""

import bisect
import math
from inspect import Parameter, signature
from typing import NamedTuple

import numpy as np
from keras import ops

from keras_saae import checks
from keras_saae.evaluation.descent import best_codes, decoder_of, descent, surprise
from keras_saae.evaluation.error_rate import error_rate
from keras_saae.evaluation.fingerprints import fingerprints_of, refuse_shared
from keras_saae.evaluation.reconstruction import RECONSTRUCTION_ERRORS
from keras_saae.evaluation.rejection import area_under_risk_coverage


class Decisions(NamedTuple):
    """What a `SelectiveClassifier` says of `n` images.

    Attributes:
        label: integer `(n,)`. The predicted class, of refused images too.
        accepted: bool `(n,)`. False where the classifier refuses to answer.
        distance: float `(n,)`. Length from the code to the mean of the predicted class.
        reconstruction_error: float `(n,)`. Of image and reconstruction, in the unit of
            the classifier's `reconstruction_error`; from `reclassify` their Euclidean
            distance, in pixel units.
        confidence: float `(n,)` in [0, 1). Share of the class's calibration images that
            are more unusual, in code or reconstruction, whichever is less.
        code: float `(n, z_dim)`. The codes that were looked at.
    """

    label: np.ndarray
    accepted: np.ndarray
    distance: np.ndarray
    reconstruction_error: np.ndarray
    confidence: np.ndarray
    code: np.ndarray


def _threshold(name):
    """Attribute that says what is missing as long as it has not been set."""

    def get(classifier):
        classifier._check_calibrated()
        return classifier._thresholds[name]

    def put(classifier, values):
        classifier._thresholds[name] = values

    return property(get, put)


class SelectiveClassifier:
    """Refuses an image that is unlike those of the class it is taken for.

    It accepts an image of predicted class k where both hold:

        |z - mean_k| <= tau_enc[k]   and   error(x, reconstruction) <= tau_dec[k]

    The model must have been trained so that z clusters by class for the first to mean
    something, as in a Gaussian-mixture VAE; a pure style code tells only of odd styles.

    Args:
        model: any object with two methods from images to NumPy arrays:
            `encode(x)`, which gives `(y, z)`, class probabilities
            `(n, num_classes)` and codes `(n, z_dim)`, or z alone; and
            `reconstruct(x)`, images like x. The predicted class is the largest of y;
            without y, that of the model's `code_logits(z)`, if it has them, or of the
            nearest mean. Points of a `transform(x)` that has an inverse take the place
            of z: in dimensionality reduction they have the class in them.
        means: float `(num_classes, z_dim)`, the middle of each class, such as the
            model's mixture components. If not given, the mean codes of the calibration
            images of each class.
        reconstruction_error: "euclidean", |x - reconstruction|, which is the paper's;
            or "cross_entropy", in nats, for images whose background is black or white:
            a little grey all over it weighs more than a stroke that is missed, and that
            is what attacks leave there. See `reconstruction.RECONSTRUCTION_ERRORS`.

    Raises:
        TypeError: if the model lacks one of the methods, or its `reconstruct` needs
            more than images.
        ValueError: if the name of the error is unknown.

    Example:
        >>> classifier = SelectiveClassifier(model)
        >>> classifier.calibrate(x_validation, y_validation, coverage=0.98)
        >>> classifier.evaluate(x_test, y_test)

    Source: Ghosh et al., arXiv:1806.00081; thresholds by quantiles are ours.
    """

    def __init__(self, model, means=None, reconstruction_error="euclidean"):
        for method in ("encode", "reconstruct"):
            if not callable(getattr(model, method, None)):
                raise TypeError(
                    "SelectiveClassifier needs a model with the methods `encode(x)` "
                    f"and `reconstruct(x)`. {type(model).__name__} has no `{method}`."
                )
        required = [
            name
            for name, parameter in signature(model.reconstruct).parameters.items()
            if parameter.default is Parameter.empty
            and parameter.kind is Parameter.POSITIONAL_OR_KEYWORD
        ]
        if len(required) > 1:
            raise TypeError(
                "SelectiveClassifier reconstructs images without knowing their class. "
                f"{type(model).__name__}.reconstruct needs {', '.join(required)}."
            )
        checks.check_choice(
            "reconstruction_error", reconstruction_error, RECONSTRUCTION_ERRORS
        )
        self.error_between = RECONSTRUCTION_ERRORS[reconstruction_error]
        self.model = model
        self.given_means = None if means is None else np.asarray(means, "float64")
        self.means, self._thresholds = None, {}
        self._calibration, self._evaluations = set(), []  # fingerprints of images

    tau_enc = _threshold("tau_enc")
    tau_dec = _threshold("tau_dec")

    def calibrate(self, x, y, quantile=None, coverage=None):
        """Sets the thresholds from validation images.

        Args:
            x: images that the model was not trained on, and that it is not tested on.
            y: integer `(n,)`. Their true classes.
            quantile: share of each class's images that each threshold lets through, in
                (0, 1], such as 0.99. Both together let through a little less.
            coverage: share of all images to accept, in (0, 1], instead of a quantile:
                the smallest quantile that accepts as many.

        Returns:
            The classifier itself. Its `tau_enc` and `tau_dec`, `(num_classes,)`, are
            the thresholds: -inf, which accepts nothing, for a class that no image is
            taken for. Before, they cannot be read.

        Raises:
            ValueError: unless one of `quantile` and `coverage` is given, in (0, 1]; if
                some of the images have been evaluated on; if a class has no image and
                no mean; if there are more classes than means; if the model's classes
                are clusters.
        """
        given = [share for share in (quantile, coverage) if share is not None]
        if len(given) != 1 or not checks.is_share(given[0]):
            raise ValueError(
                "Thresholds take either a `quantile` or a `coverage`, a share in "
                f"(0, 1]. Received quantile={quantile}, coverage={coverage}."
            )
        x = self._check_images(x)
        fingerprints = fingerprints_of(x)
        for evaluated in self._evaluations:
            refuse_shared(fingerprints, evaluated, "calibrate", "evaluated")
        y = checks.check_labels(y, len(x), allow_unlabelled=False)
        y_codes, z = self._encode(x)
        means = self._class_means(y, y_codes, z)
        checks.check_labels(y, len(x), len(means), allow_unlabelled=False)
        self.means = means
        self._calibration = fingerprints
        label, distance, error = self._measure(x, y_codes, z)

        # Sorted distances and errors of each class: what is usual.
        self._usual = [
            (np.sort(distance[label == k]), np.sort(error[label == k]))
            for k in range(len(self.means))
        ]
        if coverage is not None:

            def accepted_share(quantile):
                thresholds = self._thresholds_at(quantile)
                return _accepts(thresholds, label, distance, error).mean()

            steps = np.unique(self._place(label, distance, error))
            first = bisect.bisect_left(steps, coverage, key=accepted_share)
            quantile = steps[min(first, len(steps) - 1)]
        self.tau_enc, self.tau_dec = self._thresholds_at(quantile)
        return self

    def predict(self, x):
        """The `Decisions` on images.

        Raises:
            ValueError: before `calibrate`.
        """
        self._check_calibrated()
        x = self._check_images(x)
        y_codes, z = self._encode(x)
        label, distance, error = self._measure(x, y_codes, z)
        thresholds = self.tau_enc, self.tau_dec
        accepted = _accepts(thresholds, label, distance, error)
        confidence = 1.0 - self._place(label, distance, error)
        return Decisions(label, accepted, distance, error, confidence, z)

    def evaluate(self, x, y):
        """Scores on test images, clean or attacked.

        Args:
            x: images, none of which were calibrated on.
            y: integer `(n,)`. Their true classes.

        Returns:
            Dict of percentages:
            `error`: of all images, were none refused;
            `rejected`: share of images refused;
            `accepted_error`: errors among the accepted, NaN if there are none;
            `undetected`: images accepted and wrong, of all;
            `area_under_risk_coverage`: see there.

        Raises:
            ValueError: before `calibrate`; if some of the images were calibrated on.
        """
        self._check_calibrated()
        x = self._check_images(x)
        fingerprints = fingerprints_of(x)
        refuse_shared(fingerprints, self._calibration, "evaluate", "calibrated")
        y = checks.check_labels(y, len(x), len(self.means), allow_unlabelled=False)
        found = self.predict(x)
        self._evaluations.append(fingerprints)
        accepted, wrong = found.accepted, found.label != y
        return {
            "error": error_rate(y, found.label),
            "rejected": 100.0 * float(np.mean(~accepted)),
            "accepted_error": 100.0 * float(wrong[accepted].mean())
            if accepted.any()
            else float("nan"),
            "undetected": 100.0 * float(np.mean(accepted & wrong)),
            "area_under_risk_coverage": area_under_risk_coverage(
                y, found.label, found.confidence
            ),
        }

    def reclassify(
        self, x, decode=None, steps=200, learning_rate=0.05, prior_weight=0.0
    ):
        """Classes of images by the codes that reconstruct them best.

        Descends by Adam in z, w being the prior's weight,

            |x - decode(z)|^2 / 2 - w log sum_k exp(-|z - mean_k|^2 / 2)

        from the image's own code and from the mean of each class, since an attack may
        have led the encoder far astray. The best z is labelled by its nearest mean, and
        refused beyond that class's tau_enc.

        Args:
            x: images, such as those that `predict` refused.
            decode: function in `keras.ops` from codes `(n, z_dim)` to images;
                `model.decoder` if not given.
            steps: number of steps.
            learning_rate: of Adam, in units of z, above 0.
            prior_weight: w. 0 is the paper's; 1 makes it the most probable code of a
                `GaussianMixtureVAE` with equal classes: without it, codes that mend the
                traces of an attack are found far from every mean, and refused.

        Returns:
            `Decisions`, whose confidence looks at the distance alone and whose codes
            are those found: decode them to see what an image was taken for.

        Raises:
            ValueError: before `calibrate`; if `decode` does not fit codes or images, or
                a setting is out of range.

        Source: Ghosh et al., arXiv:1806.00081; starting at the means is ours, and so is
        the prior.
        """
        self._check_calibrated()
        x = self._check_images(x)
        steps = checks.check_count(steps, "steps")
        checks.check_positive(learning_rate, "learning_rate")
        prior_weight = checks.check_number(prior_weight, "prior_weight")
        target = _floats(x)
        decode = decoder_of(self.model, decode, self.means, target.shape[1:])
        _, z = self._encode(x)
        penalty = surprise(self.means, prior_weight) if prior_weight else None
        descend = descent(decode, steps, learning_rate, penalty)
        z, error = best_codes(descend, target, z, self.means)
        distances = _distances(z, self.means)
        label, distance = distances.argmin(axis=1), distances.min(axis=1)
        accepted = distance <= self.tau_enc[label]
        confidence = 1.0 - self._place(label, distance, np.full(len(x), -np.inf))
        return Decisions(label, accepted, distance, error, confidence, z)

    # Parts

    def _check_calibrated(self):
        if not self._thresholds:
            raise ValueError(
                "Thresholds are not set yet. Call `calibrate(x_validation, "
                "y_validation, coverage=0.98)` first."
            )

    def _check_images(self, x):
        shape = getattr(self.model, "image_shape", None)
        return checks.check_images(x, image_shape=shape)

    def _encode(self, x):
        codes = self.model.encode(x)
        y, z = codes if isinstance(codes, tuple) else (None, codes)
        if y is not None and getattr(self.model, "batch_keys", None) == ("x",):
            raise ValueError(
                f"The clusters of {type(self.model).__name__}, which was trained "
                "without labels, are not classes. Choose a model that learns from some."
            )
        if hasattr(self.model, "inverse_transform"):
            z = self.model.transform(x)
        if y is None and hasattr(self.model, "code_logits"):
            y = ops.convert_to_numpy(self.model.code_logits(z))
        return y, np.asarray(z, "float64").reshape(len(x), -1)

    def _class_means(self, y, y_codes, z):
        if self.given_means is None:
            num_classes = int(y.max()) + 1 if y_codes is None else y_codes.shape[1]
            counts = np.bincount(y, minlength=num_classes)
            if not counts.all() or len(counts) > num_classes:
                raise ValueError(
                    f"The means of {num_classes} classes need labelled images of each, "
                    f"and of no other. Received {counts.tolist()} of classes 0, 1, ... "
                    "Calibrate on more images, or pass `means`."
                )
            return np.stack([z[y == k].mean(axis=0) for k in range(num_classes)])
        num_classes = len(self.given_means) if y_codes is None else y_codes.shape[1]
        shape, finite = self.given_means.shape, np.isfinite(self.given_means).all()
        if shape != (num_classes, z.shape[1]) or not finite:
            raise ValueError(
                f"`means` must have shape {(num_classes, z.shape[1])}, one finite code "
                f"for each class. Received shape {shape}"
                + ("." if finite else ", with NaN or infinity.")
            )
        return self.given_means

    def _measure(self, x, y_codes, z):
        """Predicted classes, distances to their means, reconstruction errors."""
        distances = _distances(z, self.means)
        label = distances.argmin(1) if y_codes is None else np.argmax(y_codes, axis=1)
        x_reconstructed = np.asarray(self.model.reconstruct(x))
        error = self.error_between(*map(_tensor, (x, x_reconstructed)))
        error = np.asarray(ops.convert_to_numpy(error), "float64")
        return label, distances[np.arange(len(x)), label], error

    def _thresholds_at(self, quantile):
        """`(tau_enc, tau_dec)`: what so large a share of each class keeps to."""

        def threshold(values):
            if not len(values):
                return -np.inf
            # 1e-9: a quantile of k / n is k images, however it was rounded.
            return values[max(math.ceil(quantile * len(values) - 1e-9), 1) - 1]

        thresholds = [list(map(threshold, values)) for values in self._usual]
        return np.array(thresholds).T

    def _place(self, label, distance, error):
        """Share of each class's calibration images that are at most as unusual."""
        place = np.ones(len(label))
        for k in np.unique(label):
            of_class = label == k
            shares = [
                np.searchsorted(values, found[of_class], "right") / len(values)
                for values, found in zip(self._usual[k], (distance, error))
                if len(values)
            ]
            place[of_class] = np.max(shares or [1.0], axis=0)
        return place


def _accepts(thresholds, label, distance, error):
    tau_enc, tau_dec = thresholds
    return (distance <= tau_enc[label]) & (error <= tau_dec[label])


def _tensor(x):
    return ops.convert_to_tensor(_floats(x))


def _floats(x):
    scale = 255.0 if x.dtype == np.uint8 else 1.0
    return x.astype("float32") / np.float32(scale)


def _distances(z, means):
    """Euclidean distances `(n, num_classes)`."""
    return np.linalg.norm(z[:, None] - means[None], axis=-1)
