"""One adversarial game: codes of images against draws from a prior."""

from keras import ops

from keras_saae import losses
from keras_saae.passes import treats_rows_singly

# Evaluation always meets the same draws from the priors, and the same other noise.
EVALUATION_SEED, EVALUATION_NOISE_SEED = 0, 1


class Adversary:
    """A prior and the discriminator that tells its draws from codes of images.

    A model plays one game for each of its codes: the discriminator phase minimizes
    `discriminator_loss`, the generator phase `generator_loss`. The model keeps prior,
    discriminator and metric as attributes of its own, for Keras to find and save them.

    Args:
        prior: object with `sample(n, labels=None, seed=None)`.
        discriminator: Keras model from codes to one logit `(n, 1)`. Where games are
            played with labels, its input is the code with a one-hot label beside it,
            whose last entry means "unknown"; where something else stands beside the
            code, it is the input too.
        accuracy: metric of the share of draws and codes that are told right, if wanted.
        loss: a name in `losses.ADVERSARIAL_LOSSES`.
        generator_loss: function of the codes' scores, in the place of the game's own.
        gradient_penalty_weight: weight of `losses.gradient_penalty`, in the game
            "wasserstein" alone.

    Raises:
        ValueError: if that penalty is to be of a discriminator whose scores depend on
            other images of the batch, or on chance.
    """

    def __init__(
        self,
        prior,
        discriminator,
        accuracy=None,
        loss="cross_entropy",
        generator_loss=None,
        gradient_penalty_weight=10.0,
    ):
        self.prior, self.discriminator = prior, discriminator
        self.accuracy = accuracy
        self.loss, default = losses.ADVERSARIAL_LOSSES[loss]
        self.generator_loss_of_scores = generator_loss or default
        self.scores_have_zero = loss != "wasserstein"
        self.gradient_penalty_weight = (
            0.0 if self.scores_have_zero else gradient_penalty_weight
        )
        if self.gradient_penalty_weight and not treats_rows_singly(discriminator):
            raise ValueError(
                f"The gradient penalty is of each image by itself, and the scores of "
                f"{discriminator.name!r} are not: it has batch normalization, dropout "
                "or noise. Leave these out of it, or pass gradient_penalty_weight=0."
            )

    def discriminator_loss(self, code, seeds, training, labels=None, beside=None):
        """What the discriminator minimizes; the codes' network stays put.

        Args:
            code: float tensor `(n, width)`.
            seeds: the model's `SeedGenerator`; evaluation has draws of its own.
            training: whether the networks train.
            labels: int tensor `(n,)`, -1 for unknown: draws come from those classes,
                and the discriminator sees them.
            beside: float tensor `(n, ...)` that the discriminator sees beside codes
                and draws alike. The code then has to be distributed like the prior
                whatever stands beside it, that is, independent of it.
        """
        seed = seeds if training else EVALUATION_SEED
        code = ops.stop_gradient(code)
        drawn = self.prior.sample(ops.shape(code)[0], labels=labels, seed=seed)
        beside = self._beside(code, labels, beside)
        on_prior, on_codes = self._score_both(drawn, code, beside, training)
        if self.accuracy is not None:
            # A critic's scores have no zero: what counts is which are higher.
            middle = 0.0
            if not self.scores_have_zero:
                middle = 0.5 * (ops.mean(on_prior) + ops.mean(on_codes))
            right = ops.concatenate([on_prior > middle, on_codes < middle])
            self.accuracy.update_state(ops.cast(right, "float32"))
        loss = self.loss(on_prior, on_codes)
        if self.gradient_penalty_weight:
            loss = loss + self.gradient_penalty_weight * losses.gradient_penalty(
                lambda x: self._score(x, beside, training),
                drawn,
                code,
                seeds if training else EVALUATION_NOISE_SEED,
            )
        return loss

    def generator_loss(self, code, training, labels=None, beside=None):
        """What the encoder minimizes, so that its codes pass for draws."""
        beside = self._beside(code, labels, beside)
        return self.generator_loss_of_scores(self._score(code, beside, training))

    def _score_both(self, drawn, code, beside, training):
        """Scores of draws and codes, in one pass where that makes no difference."""
        if not treats_rows_singly(self.discriminator):
            on_prior = self._score(drawn, beside, training)
            return on_prior, self._score(code, beside, training)
        both = ops.concatenate([drawn, ops.cast(code, drawn.dtype)])
        beside = None if beside is None else ops.concatenate([beside, beside])
        scores = self._score(both, beside, training)
        n = ops.shape(code)[0]
        return scores[:n], scores[n:]

    def _score(self, code, beside, training):
        if beside is not None:
            code = ops.concatenate([code, beside], axis=-1)
        return self.discriminator(code, training=training)

    def _beside(self, code, labels, beside):
        """What stands beside a code, without gradient; labels as `(n, classes + 1)`."""
        if labels is None:
            return None if beside is None else ops.stop_gradient(beside)
        width = self.discriminator.input_shape[-1] - code.shape[-1]
        labels = ops.where(labels < 0, width - 1, labels)
        return ops.one_hot(labels, width, dtype="float32")
