"""What training does to images before any phase sees them."""

from keras_saae.networks import pixels, with_noise


class PerturbsImages:
    """Scales pixels, augments and adds noise once, for all phases of a step.

    Uses the model's `augmentation` (or None), `input_noise` and `seeds`.
    """

    def views(self, batch, training, augmented=("x", "x_labelled")):
        """The batch's images, clean under `x` and noisy under `x_noisy`.

        And the labelled ones, where the batch has them. A reconstruction's target is
        the clean image, after augmentation of those named by `augmented`.
        """
        keys = [key for key in ("x", "x_labelled") if key in batch]
        clean = {key: pixels(batch[key]) for key in keys}
        if training and self.augmentation is not None:
            for key in keys:
                if key in augmented:
                    clean[key] = self.augmentation(clean[key], self.seeds)
        stddev = self.input_noise if training else 0.0
        noisy = {
            f"{key}_noisy": with_noise(x, stddev, self.seeds)
            for key, x in clean.items()
        }
        return {**clean, **noisy}

    def another_view(self, x):
        """Images `x` as in training, augmented and with noise of their own."""
        x = pixels(x)
        if self.augmentation is not None:
            x = self.augmentation(x, self.seeds)
        return with_noise(x, self.input_noise, self.seeds)
