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
        return ops.softmax(self.classify(pixels(x), training))

    def classify(self, x, training=False):
        """Class logits of images, a tensor: what attacks climb without rounding."""
        y_logits, _ = self._encoder(training)(x, training=training)
        return y_logits

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
