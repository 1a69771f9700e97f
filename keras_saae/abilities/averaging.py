"""Moving averages of the encoder's weights, used wherever a model does not train."""

from keras import ops

from keras_saae.networks import pixels, update_average


class AveragedClassifier:
    """Predicts with the average of the encoder's weights, if there is one.

    Uses the model's `encoder` (an `EncoderWithHeads`), `averaged_encoder` (or None),
    `averaging` and `optimizer`.
    """

    def call(self, x, training=False):
        """Class probabilities `(n, num_classes)` of images."""
        y_logits, _ = self._encoder(training)(pixels(x), training=training)
        return ops.softmax(y_logits)

    def _encoder(self, training):
        if training or self.averaged_encoder is None:
            return self.encoder
        return self.averaged_encoder

    def after_step(self):
        if self.averaged_encoder is not None:
            update_average(
                self.averaged_encoder,
                self.encoder,
                self.averaging,
                self.optimizer.iterations,
            )
