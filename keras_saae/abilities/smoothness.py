"""Invariance: the class code stays where the image keeps its class."""

from functools import partial

import keras
from keras import ops

from keras_saae import checks, losses


class SmoothClassifier:
    """Keeps q(y|x) in its place when an image changes but not its class.

    Three terms: virtual adversarial training and consistency under the changes of
    style that the decoder knows, both off unless weighted, and consistency under
    augmentation, where there is one. They are all content with one class for all
    images; where neither labels nor the games prevent that, a fourth term does.

    What q(y|x) is held to is the encoder's own belief on the image as it is or, from a
    mean teacher, that of the encoder's average.

    Uses the model's `encoder` (an `EncoderWithHeads`), `averaged_encoder` (or None),
    `decoder`, `join(y, z)`, `prior_y`, `seeds` and `optimizer`.
    """

    def set_smoothness(
        self,
        *,
        vat_weight,
        vat_radius,
        vat_probe,
        style_consistency_weight,
        style_consistency_scale,
        augmentation,
        augmentation_weight,
        warm_up,
        shares_weight,
        mean_teacher,
        averaging,
    ):
        """Takes the settings, or says what is wrong with them; for the constructor."""
        self.vat_weight = checks.check_number(vat_weight, "vat_weight")
        self.vat_radius = checks.check_number(vat_radius, "vat_radius")
        self.vat_probe = checks.check_probe(vat_probe)
        self.style_consistency_weight = checks.check_number(
            style_consistency_weight, "style_consistency_weight"
        )
        self.style_consistency_scale = checks.check_number(
            style_consistency_scale, "style_consistency_scale"
        )
        self.augmentation = checks.check_augmentation(augmentation)
        self.augmentation_weight = checks.check_number(
            augmentation_weight, "augmentation_weight"
        )
        self.warm_up = checks.check_count(warm_up, "warm_up", minimum=0)
        self.shares_weight = checks.check_number(shares_weight, "shares_weight")
        if mean_teacher and averaging is None:
            raise ValueError(
                "`mean_teacher` holds q(y|x) to the average of the encoder: give "
                "`averaging`, such as 0.999. Received: averaging=None"
            )
        self.mean_teacher = bool(mean_teacher)

    def smoothness_config(self):
        """The settings, for `get_config`."""
        return {
            "vat_weight": self.vat_weight,
            "vat_radius": self.vat_radius,
            "vat_probe": self.vat_probe,
            "style_consistency_weight": self.style_consistency_weight,
            "style_consistency_scale": self.style_consistency_scale,
            "augmentation": keras.saving.serialize_keras_object(self.augmentation),
            "augmentation_weight": self.augmentation_weight,
            "warm_up": self.warm_up,
            "shares_weight": self.shares_weight,
            "mean_teacher": self.mean_teacher,
        }

    @property
    def is_smoothed(self):
        """Whether any of the terms has a weight."""
        augmented = self.augmentation is not None and self.augmentation_weight
        return bool(
            self.vat_weight
            or self.style_consistency_weight
            or augmented
            or self.shares_weight
        )

    def warmth(self):
        """Share of the regularizers' weights at this step: rises from 0 to 1."""
        if not self.warm_up:
            return 1.0
        # Not in a loss: on JAX a loss sees the model's state, not the optimizer's.
        steps = ops.cast(self.optimizer.iterations, "float32")
        return ops.minimum(steps / self.warm_up, 1.0)

    def invariance_loss(self, batch, training):
        """What keeps q(y|x) smooth; 0 where images are evaluated."""
        if not training:
            return ops.zeros(())
        return batch["warmth"] * self.smoothness_loss(batch["x"])

    def smoothness_loss(self, x):
        """The terms, weighted, on images `x` as they are."""
        y_logits, z = self.encoder(x, training=True)
        classify = partial(self.encoder.classify, training=True)
        target = y_logits
        if self.mean_teacher:
            target = self.averaged_encoder.classify(x, training=False)
        loss = 0.0
        if self.vat_weight:
            loss = loss + self.vat_weight * losses.virtual_adversarial_loss(
                classify,
                x,
                self.seeds,
                radius=self.vat_radius,
                probe=self.vat_probe or self.encoder.vat_probe,
                y_logits=target,
            )
        if self.style_consistency_weight:
            loss = loss + self.style_consistency_weight * losses.style_consistency_loss(
                classify,
                # At rest: its normalization statistics belong to real codes.
                lambda y, z: self.decoder(self.join(y, z), training=False),
                x,
                target,
                z,
                self.seeds,
                scale=self.style_consistency_scale,
            )
        if self.augmentation is not None and self.augmentation_weight:
            loss = loss + self.augmentation_weight * (
                losses.augmentation_consistency_loss(
                    classify, self.augmentation, x, target, self.seeds
                )
            )
        if self.shares_weight:
            drawn = self.prior_y.sample(ops.shape(x)[0], seed=self.seeds)
            loss = loss + self.shares_weight * losses.shares_loss(y_logits, drawn)
        return loss
