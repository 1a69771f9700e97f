"""The baselines: a classifier of the labels alone, and virtual adversarial training."""

import keras

from keras_saae import checks, losses
from keras_saae.abilities import AveragedClassifier
from keras_saae.networks import EncoderWithHeads, averaged_copy, pixels, with_noise
from keras_saae.phases import Phase, PhasedModel


@keras.saving.register_keras_serializable("keras_saae")
class NeuralNetwork(AveragedClassifier, PhasedModel):
    """A classifier trained on the labelled images: what the labels alone give.

    With `vat_weight` above 0 it is the VAT baseline, which also uses unlabelled
    images.

    Args:
        encoder: Keras model from images `(n, height, width[, channels])` in [0, 1]
            to features; the model adds a softmax head.
        num_classes: number of classes.
        head_initializer: initializer of the head.
        head_batch_normalization: normalize the class scores, so that over a batch no
            class is ahead.
        input_noise: standard deviation of the Gaussian noise on the labelled images,
            in training, in pixel units.
        augmentation: what changes images in training and leaves their class alone: a
            serializable `augmentation(x, seed)`, such as `networks.RandomAffine()`.
        vat_weight: weight of virtual adversarial training on the unlabelled images.
        vat_radius: L2 length of its perturbation in pixel units.
        vat_probe: L2 length of the step at which it looks for the worst direction, as
            of `SemiSupervisedAAE`; a short one if not given.
        groups: main class of each class, from `data.class_groups`, where some labels
            tell no more than that, num_classes + g.
        averaging: weight of the past in the moving average of the weights, or
            `None`. `evaluate` and `predict` use the average.
        seed: seeds the noise and the head.

    Raises:
        TypeError, ValueError: if the encoder does not fit.

    Source: the rows NN and VAT of Makhzani et al., arXiv:1511.05644, table 2; Miyato
    et al., arXiv:1704.03976.
    """

    batch_keys = ("x", "x_labelled", "y_labelled")

    def __init__(
        self,
        encoder,
        num_classes,
        head_initializer="glorot_uniform",
        head_batch_normalization=False,
        input_noise=0.0,
        augmentation=None,
        vat_weight=0.0,
        vat_radius=1.0,
        vat_probe=None,
        groups=None,
        averaging=None,
        seed=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        checks.check_network("encoder", encoder)
        self.image_shape = tuple(encoder.input_shape[1:])
        self.num_classes = checks.check_count(num_classes, "num_classes", minimum=2)
        self.groups = checks.check_optional_groups(groups, num_classes)
        self.input_noise = input_noise
        self.augmentation = checks.check_augmentation(augmentation)
        self.vat_weight, self.vat_radius = vat_weight, vat_radius
        self.vat_probe = checks.check_probe(vat_probe)
        self.averaging, self.seed = averaging, seed
        self.encoder = EncoderWithHeads(
            encoder,
            num_classes,
            z_dim=0,
            kernel_initializer=head_initializer,
            batch_normalization=head_batch_normalization,
            seed=seed,
            name="encoder_with_heads",
        )
        self.averaged_encoder = (
            None if averaging is None else averaged_copy(self.encoder)
        )
        self.seeds = keras.random.SeedGenerator(seed)
        self.error = keras.metrics.Mean(name="error")
        self.built = True

    def phases(self):
        return (
            Phase(
                "classification",
                self.classification_loss,
                self.encoder.trainable_variables,
                batch_key="x_labelled",
            ),
        )

    @property
    def extra_metrics(self):
        return [self.error]

    def prepare(self, batch, training):
        """Scales pixels, augments and adds noise."""
        x, x_labelled = pixels(batch["x"]), pixels(batch["x_labelled"])
        if training and self.augmentation is not None:
            x_labelled = self.augmentation(x_labelled, self.seeds)
            if self.vat_weight:
                x = self.augmentation(x, self.seeds)
        noise = self.input_noise if training else 0.0
        return {
            "x": x,
            "x_labelled": with_noise(x_labelled, noise, self.seeds),
            "y_labelled": batch["y_labelled"],
        }

    def classification_loss(self, batch, training):
        """Cross-entropy of the labels, plus virtual adversarial training if asked."""
        encoder = self._encoder(training)
        y_logits, _ = encoder(batch["x_labelled"], training=training)
        labels = batch["y_labelled"]
        loss = losses.classification_loss(labels, y_logits, self.groups)
        self.error.update_state(losses.errors(labels, y_logits, self.groups))
        if training and self.vat_weight:
            loss = loss + self.vat_weight * losses.virtual_adversarial_loss(
                lambda x: encoder.classify(x, training=True),
                batch["x"],
                self.seeds,
                radius=self.vat_radius,
                probe=self.vat_probe or encoder.vat_probe,
            )
        return loss

    def get_config(self):
        serialize = keras.saving.serialize_keras_object
        return {
            "encoder": serialize(self.encoder.trunk),
            "num_classes": self.num_classes,
            "head_initializer": serialize(self.encoder.kernel_initializer),
            "head_batch_normalization": self.encoder.batch_normalization,
            "input_noise": self.input_noise,
            "augmentation": serialize(self.augmentation),
            "vat_weight": self.vat_weight,
            "vat_radius": self.vat_radius,
            "vat_probe": self.vat_probe,
            "groups": self.groups,
            "averaging": self.averaging,
            "seed": self.seed,
            "name": self.name,
            "dtype": self.dtype_policy.name,
        }
