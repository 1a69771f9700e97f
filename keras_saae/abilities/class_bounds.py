"""Bounds of images with and without a class, by trying every class."""

import keras
from keras import ops

from keras_saae import checks, losses
from keras_saae.adversary import EVALUATION_SEED
from keras_saae.networks import moved
from keras_saae.priors import Categorical

UNLABELLED = ("enumerated", "sampled")


class ClassBounds:
    """What -log p(x, y) and -log p(x) are at most, under p(x|y, z) p(y) p(z).

    Uses the model's `decoder_nll(x, code, training)`, which gives -log p(x|y, z) of
    each image, `join(y, z)`, `z_dim`, `augmentation` and `seeds`; it is handed an
    `EncoderGivenClass` and, where there is a `consistency_weight`, another view of the
    unlabelled images under `x_again`.
    """

    def set_bounds(
        self,
        *,
        classifier,
        prior_y,
        unlabelled,
        labelled_weight,
        classification_weight,
        consistency_weight,
        groups,
    ):
        """Takes the settings, or says what is wrong with them; for the constructor."""
        if prior_y is None:
            checks.check_network("classifier", classifier)
            prior_y = Categorical(classifier.output_shape[-1])
        self.num_classes = checks.check_class_prior("prior_y", prior_y)
        checks.check_choice("unlabelled", unlabelled, UNLABELLED)
        self.prior_y, self.unlabelled = prior_y, unlabelled
        self.labelled_weight = checks.check_number(labelled_weight, "labelled_weight")
        self.classification_weight = checks.check_number(
            classification_weight, "classification_weight"
        )
        self.consistency_weight = checks.check_consistency(
            consistency_weight, self.augmentation
        )
        self.groups = checks.check_optional_groups(groups, self.num_classes)
        self.bound_metrics = [
            keras.metrics.Mean(name=name)
            for name in ("unlabelled_bound", "labelled_bound", "error")
        ]

    def bounds_config(self):
        """The settings, for `get_config`."""
        return {
            "prior_y": keras.saving.serialize_keras_object(self.prior_y),
            "unlabelled": self.unlabelled,
            "labelled_weight": self.labelled_weight,
            "classification_weight": self.classification_weight,
            "consistency_weight": self.consistency_weight,
            "groups": self.groups,
        }

    def noise(self, batch, training):
        """The draws e ~ N(0, I) of a step, shared by all classes of an image."""
        seed = self.seeds if training else EVALUATION_SEED
        return {
            f"{key}_noise": keras.random.normal(
                (ops.shape(batch[key])[0], self.z_dim), dtype="float32", seed=seed
            )
            for key in ("x", "x_labelled")
        }

    def objective(self, encoder, batch, training):
        """Mean bounds of both kinds of images, and what is asked of q(y|x) beside."""
        labels = batch["y_labelled"]
        y_logits = encoder.classify(batch["x_labelled_noisy"], training=training)
        x_logits = encoder.classify(batch["x_noisy"], training=training)
        labelled = self.labelled_bounds(encoder, batch, y_logits, training)
        unlabelled = self.unlabelled_bounds(encoder, batch, x_logits, training)
        errors = losses.errors(labels, y_logits, self.groups)
        for metric, values in zip(self.bound_metrics, (unlabelled, labelled, errors)):
            metric.update_state(values)
        loss = ops.mean(unlabelled) + self.labelled_weight * ops.mean(labelled)
        if self.classification_weight:
            loss = loss + self.classification_weight * losses.classification_loss(
                labels, y_logits, self.groups
            )
        if "x_again" in batch:
            again = encoder.classify(batch["x_again"], training=training)
            loss = loss + self.consistency_weight * losses.categorical_kl(
                ops.stop_gradient(x_logits), again
            )
        return loss

    def labelled_bounds(self, encoder, batch, y_logits, training):
        """L(x, y) of labelled images; of main classes, U(x) within them; `(n,)`."""
        x, labels = batch["x_labelled"], batch["y_labelled"]
        noise = batch["x_labelled_noise"]
        features = encoder.trunk(batch["x_labelled_noisy"], training=training)
        if self.groups is not None:
            allowed = losses.allowed_classes(labels, self.num_classes, self.groups)
            bounds = self._bounds_of_all(encoder, x, features, noise, training)
            return losses.unlabelled_bound(bounds, y_logits, allowed)
        y = ops.one_hot(labels, self.num_classes, dtype="float32")
        return self._bounds(encoder, x, features, y, noise, training)

    def unlabelled_bounds(self, encoder, batch, y_logits, training):
        """U(x) of images whose class is not looked at, `(n,)`."""
        x, noise = batch["x"], batch["x_noise"]
        features = encoder.trunk(batch["x_noisy"], training=training)
        if self.unlabelled == "enumerated" or not training:
            bounds = self._bounds_of_all(encoder, x, features, noise, training)
            return losses.unlabelled_bound(bounds, y_logits)
        q = ops.softmax(y_logits)
        u = keras.random.uniform(ops.shape(q), 1e-6, 1.0, "float32", self.seeds)
        drawn = ops.argmax(y_logits - ops.log(-ops.log(u)), axis=-1)  # from q(y|x)
        drawn = ops.one_hot(drawn, self.num_classes, dtype="float32")
        y = ops.stop_gradient(drawn - q) + q  # with the gradient of q
        bound = self._bounds(encoder, x, features, y, noise, training)
        return bound + ops.sum(q * ops.log_softmax(y_logits), axis=-1)

    def _bounds_of_all(self, encoder, x, features, noise, training):
        """L(x, y) of every class, `(n, num_classes)`, by one pass of the decoder."""
        y = ops.repeat(ops.eye(self.num_classes), ops.shape(x)[0], axis=0)  # (K n, K)
        x, features, noise = (
            ops.tile(t, (self.num_classes, *(1 for _ in t.shape[1:])))
            for t in (x, features, noise)
        )
        bounds = self._bounds(encoder, x, features, y, noise, training)
        return ops.transpose(ops.reshape(bounds, (self.num_classes, -1)))

    def _bounds(self, encoder, x, features, y, noise, training):
        """L(x, y) of images in class codes `y`, `(n,)`."""
        mean, log_variance = encoder.moments(features, y, training=training)
        code = self.join(y, moved(mean, log_variance, noise))
        return losses.labelled_bound(
            self.decoder_nll(x, code, training),
            losses.gaussian_kl(mean, log_variance),
            ops.sum(y * self.prior_y.log_weights, axis=-1),
        )
