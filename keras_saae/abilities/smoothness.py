"""Invariance: the class code stays where the image keeps its class."""

from keras import ops

from keras_saae import checks, losses


class SmoothClassifier:
    """Keeps q(y|x) in its place when an image changes but not its class.

    Two terms, both off unless weighted: virtual adversarial training, and consistency
    under the changes of style that the decoder knows.

    Uses the model's `encoder` (an `EncoderWithHeads`), `decoder`, `join(y, z)`, `seeds`
    and `optimizer`.
    """

    def set_smoothness(
        self,
        vat_weight,
        vat_radius,
        style_consistency_weight,
        style_consistency_scale,
        warm_up,
    ):
        """Takes the settings, or says what is wrong with them; for the constructor."""
        self.vat_weight = checks.check_number(vat_weight, "vat_weight")
        self.vat_radius = checks.check_number(vat_radius, "vat_radius")
        self.style_consistency_weight = checks.check_number(
            style_consistency_weight, "style_consistency_weight"
        )
        self.style_consistency_scale = checks.check_number(
            style_consistency_scale, "style_consistency_scale"
        )
        self.warm_up = checks.check_count(warm_up, "warm_up", minimum=0)

    def smoothness_config(self):
        """The settings, for `get_config`."""
        return {
            "vat_weight": self.vat_weight,
            "vat_radius": self.vat_radius,
            "style_consistency_weight": self.style_consistency_weight,
            "style_consistency_scale": self.style_consistency_scale,
            "warm_up": self.warm_up,
        }

    @property
    def is_smoothed(self):
        """Whether any of the terms has a weight."""
        return bool(self.vat_weight or self.style_consistency_weight)

    def warmth(self):
        """Share of the regularizers' weights at this step: rises from 0 to 1."""
        if not self.warm_up:
            return 1.0
        # Not in a loss: on JAX a loss sees the model's state, not the optimizer's.
        steps = ops.cast(self.optimizer.iterations, "float32")
        return ops.minimum(steps / self.warm_up, 1.0)

    def smoothness_loss(self, x):
        """Virtual adversarial loss and style consistency, weighted."""
        y_logits, z = self.encoder(x, training=True)
        loss = 0.0
        if self.vat_weight:
            loss = loss + self.vat_weight * losses.virtual_adversarial_loss(
                self.encoder.classify,
                x,
                self.seeds,
                radius=self.vat_radius,
                probe=self.encoder.vat_probe,
                y_logits=y_logits,
            )
        if self.style_consistency_weight:
            loss = loss + self.style_consistency_weight * losses.style_consistency_loss(
                self.encoder.classify,
                # At rest: its normalization statistics belong to real codes.
                lambda y, z: self.decoder(self.join(y, z), training=False),
                x,
                y_logits,
                z,
                self.seeds,
                scale=self.style_consistency_scale,
            )
        return loss
