"""The semi-supervised adversarial autoencoder (Makhzani et al. 2015, section 5)."""

import keras
import numpy as np
from keras import ops

from keras_saae import checks, losses
from keras_saae.adversary import EVALUATION_SEED, Adversary
from keras_saae.networks import (
    EncoderWithHeads,
    averaged_copy,
    pixels,
    update_average,
    with_noise,
)
from keras_saae.phases import EVALUATION_BATCH_SIZE, Phase, PhasedModel

PHASES = ("reconstruction", "discriminator", "generator", "classification")


@keras.saving.register_keras_serializable("keras_saae")
class SemiSupervisedAAE(PhasedModel):
    """Autoencoder whose codes are a class y and a style z.

    One step runs four phases on a batch of unlabelled images and a batch of
    labelled ones:

    - reconstruction: encoder and decoder reproduce the image from (y, z).
    - discriminator: two discriminators tell the codes y and z of images from draws
      from their priors, Cat(K) and N(0, I).
    - generator: the encoder makes its codes pass for such draws.
    - classification: the encoder's y fits the labels.

    Args:
        encoder: Keras model from images `(n, height, width[, channels])` in [0, 1]
            to features; the model adds a softmax head for y and a linear one for z.
        decoder: Keras model from codes `(n, num_classes + z_dim)`, y beside z, to
            images in [0, 1].
        discriminator_z: Keras model from `(n, z_dim)` to one logit `(n, 1)`; from
            `(n, z_dim + num_classes)`, z beside y, with `style_given_class`.
        discriminator_y: Keras model from `(n, num_classes)` to one logit `(n, 1)`.
        prior_z: prior of the style code; its draws set `z_dim`. Paper: N(0, I), 10.
        prior_y: prior of the class code; its draws set `num_classes`.
        head_initializer: initializer of the heads. Paper: N(0, 0.01^2).
        head_batch_normalization: normalize the heads' outputs. Paper: no.
        reconstruction_loss: a name in `losses.RECONSTRUCTION_LOSSES`, which says
            the reduction. Paper: "half_squared_error_sum".
        generator_loss: a name in `losses.GENERATOR_LOSSES`.
        generator_y_weight, generator_z_weight: weights of the two codes in the
            generator phase; 0 leaves that code without a prior. Paper: 1.
        style_given_class: whether z has to follow its prior within every class, not
            only over all of them: discriminator_z sees y beside z. Styles then know
            nothing of the class, and every class comes in all of them. Paper: no.
        input_noise: standard deviation of the Gaussian noise on the images, in
            training, in pixel units. Paper: 0.3.
        augmentation: what changes images in training and leaves their class alone: a
            serializable `augmentation(x, seed)`, such as `networks.RandomAffine()`.
            Labelled images are changed; unlabelled ones stay, but their class has to
            be that of the changed image too. Paper: none.
        augmentation_weight: weight of that demand, in the classification phase.
            Formula: `losses.augmentation_consistency_loss`.
        noisy_phases: phases that see the noisy images; the others see clean ones.
            The reconstruction's target never has noise.
        labelled_reconstruction: `None`: labelled images stay out of the
            reconstruction phase; "soft": they join with the encoder's y; "one_hot":
            they join with their true class as y. In training only: where images are
            evaluated, each counts once.
        reconstruction_trains_y: whether the reconstruction's gradient reaches y. The
            class then also learns what explains most pixels, such as slant, rather than
            what digit it is; without, z alone has to hold that. Paper: yes.
        labelled_adversarial: whether labelled images join the discriminator and
            generator phases, in training only.
        vat_weight: weight of virtual adversarial training of q(y|x) on the
            unlabelled images, without noise, in the classification phase. 0 switches
            it off, as in the paper. Formula: `losses.virtual_adversarial_loss`.
        vat_radius: L2 length of its perturbation in pixel units.
        style_consistency_weight: weight of the demand, in the classification phase,
            that q(y|x) stay when the decoder changes the image's style. 0 switches it
            off, as in the paper. Formula: `losses.style_consistency_loss`.
        style_consistency_scale: length of that change; 1 is that of the prior.
        warm_up: updates over which the weights of virtual adversarial training, style
            consistency and augmentation rise from 0, such as 1,000. They hold what the
            classifier believes; at first it believes little that is true.
        averaging: weight of the past in the moving average of the encoder's
            weights, such as 0.999, or `None` for no average. `evaluate`, `predict`
            and `encode` use the average; training does not.
        seed: seeds the noise, the priors and the heads.

    Raises:
        ValueError: if the parts do not fit together, a name is unknown or a number out
            of range.

    Example:
        >>> recipe = recipes.get("default")
        >>> dataset = recipe.dataset(x, y)  # y is -1 where there is no label
        >>> model = recipe.model(dataset, epochs=20)
        >>> model.fit(dataset, epochs=20)
        >>> model.predict(x_new).argmax(axis=-1)

    Source: Makhzani et al., arXiv:1511.05644, section 5 and appendix A.2.1.
    """

    batch_keys = ("x", "x_labelled", "y_labelled")

    def __init__(
        self,
        encoder,
        decoder,
        discriminator_z,
        discriminator_y,
        prior_z,
        prior_y,
        head_initializer="glorot_uniform",
        head_batch_normalization=False,
        reconstruction_loss="half_squared_error_sum",
        generator_loss="non_saturating",
        generator_y_weight=1.0,
        generator_z_weight=1.0,
        style_given_class=False,
        input_noise=0.3,
        augmentation=None,
        augmentation_weight=1.0,
        noisy_phases=PHASES,
        labelled_reconstruction=None,
        reconstruction_trains_y=True,
        labelled_adversarial=False,
        vat_weight=0.0,
        vat_radius=1.0,
        style_consistency_weight=0.0,
        style_consistency_scale=1.0,
        warm_up=0,
        averaging=None,
        seed=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        for name, value, known in (
            ("reconstruction_loss", reconstruction_loss, losses.RECONSTRUCTION_LOSSES),
            ("generator_loss", generator_loss, losses.GENERATOR_LOSSES),
            (
                "labelled_reconstruction",
                labelled_reconstruction,
                (None, "soft", "one_hot"),
            ),
            *(("noisy_phases", phase, PHASES) for phase in noisy_phases),
        ):
            checks.check_choice(name, value, known)
        for name, value in (
            ("generator_y_weight", generator_y_weight),
            ("generator_z_weight", generator_z_weight),
            ("input_noise", input_noise),
            ("augmentation_weight", augmentation_weight),
            ("vat_weight", vat_weight),
            ("vat_radius", vat_radius),
            ("style_consistency_weight", style_consistency_weight),
            ("style_consistency_scale", style_consistency_scale),
        ):
            if not 0 <= value < float("inf"):
                raise ValueError(f"`{name}` is a number from 0 up. Received: {value!r}")
        if averaging is not None and not 0 <= averaging < 1:
            raise ValueError(
                "`averaging` is the weight of the past, at least 0 and below 1, such "
                f"as 0.999, or None. Received: {averaging!r}"
            )
        self.reconstruction_loss_name = reconstruction_loss
        self.generator_loss_name = generator_loss
        self.generator_y_weight = generator_y_weight
        self.generator_z_weight = generator_z_weight
        self.style_given_class = style_given_class
        self.input_noise, self.noisy_phases = input_noise, tuple(noisy_phases)
        self.augmentation = checks.check_augmentation(augmentation)
        self.augmentation_weight = augmentation_weight
        self.labelled_reconstruction = labelled_reconstruction
        self.reconstruction_trains_y = reconstruction_trains_y
        self.labelled_adversarial = labelled_adversarial
        self.vat_weight, self.vat_radius = vat_weight, vat_radius
        self.style_consistency_weight = style_consistency_weight
        self.style_consistency_scale = style_consistency_scale
        self.warm_up = checks.check_count(warm_up, "warm_up", minimum=0)
        self.averaging, self.seed = averaging, seed

        self.prior_z, self.prior_y = prior_z, prior_y
        self.z_dim = checks.check_prior("prior_z", prior_z)
        self.num_classes = checks.check_prior("prior_y", prior_y)
        checks.check_network("encoder", encoder)
        self.image_shape = tuple(encoder.input_shape[1:])
        code_width = self.num_classes + self.z_dim
        checks.check_network("decoder", decoder, (code_width,), self.image_shape)
        z_width = code_width if style_given_class else self.z_dim
        checks.check_network("discriminator_z", discriminator_z, (z_width,), (1,))
        checks.check_network(
            "discriminator_y", discriminator_y, (self.num_classes,), (1,)
        )
        self.encoder = EncoderWithHeads(
            encoder,
            self.num_classes,
            self.z_dim,
            kernel_initializer=head_initializer,
            batch_normalization=head_batch_normalization,
            seed=seed,
            name="encoder_with_heads",
        )
        self.decoder = decoder
        self.discriminator_z, self.discriminator_y = discriminator_z, discriminator_y
        self.averaged_encoder = (
            None if averaging is None else averaged_copy(self.encoder)
        )
        self.seeds = keras.random.SeedGenerator(seed)  # tracked, so JAX carries it
        self.discriminator_accuracy = keras.metrics.Mean(name="discriminator_accuracy")
        self.error = keras.metrics.Mean(name="error")
        self.game_z, self.game_y = (
            Adversary(
                prior,
                discriminator,
                self.discriminator_accuracy,
                generator_loss=losses.GENERATOR_LOSSES[generator_loss],
            )
            for prior, discriminator in (
                (prior_z, discriminator_z),
                (prior_y, discriminator_y),
            )
        )
        self.built = True  # the parts are built already

    # Phases

    def phases(self):
        codes = self.encoder.trainable_variables
        trunk = self.encoder.trunk.trainable_variables
        y_head = self.encoder.y_head.trainable_variables
        z_head = self.encoder.z_head.trainable_variables
        return (
            Phase(
                "reconstruction",
                self.reconstruction_loss,
                (
                    *(codes if self.reconstruction_trains_y else (*trunk, *z_head)),
                    *self.decoder.trainable_variables,
                ),
            ),
            Phase(
                "discriminator",
                self.discriminator_loss,
                (
                    *self.discriminator_z.trainable_variables,
                    *self.discriminator_y.trainable_variables,
                ),
            ),
            Phase("generator", self.generator_loss, codes),
            Phase(
                "classification",
                self.classification_loss,
                (*trunk, *y_head),
                batch_key="x_labelled",
            ),
        )

    @property
    def extra_metrics(self):
        return [self.discriminator_accuracy, self.error]

    def prepare(self, batch, training):
        """Scales pixels, augments the labelled images and adds noise, once a step."""
        x, x_labelled = pixels(batch["x"]), pixels(batch["x_labelled"])
        if training and self.augmentation is not None:
            x_labelled = self.augmentation(x_labelled, self.seeds)
        noise = self.input_noise if training else 0.0
        return {
            "x": x,
            "x_noisy": with_noise(x, noise, self.seeds),
            "x_labelled": x_labelled,
            "x_labelled_noisy": with_noise(x_labelled, noise, self.seeds),
            "y_labelled": batch["y_labelled"],
            "warmth": self._warmth() if training else 1.0,
        }

    def _warmth(self):
        """Share of the regularizers' weights at this step: rises from 0 to 1."""
        if not self.warm_up:
            return 1.0
        # Not in a loss: on JAX a loss sees the model's state, not the optimizer's.
        steps = ops.cast(self.optimizer.iterations, "float32")
        return ops.minimum(steps / self.warm_up, 1.0)

    def _view(self, batch, key, phase):
        """The images that a phase sees: noisy or clean."""
        return batch[f"{key}_noisy" if phase in self.noisy_phases else key]

    def reconstruction_loss(self, batch, training):
        """Half the squared distance of x and its reconstruction (or as named)."""
        encoder = self._encoder(training)
        target = batch["x"]
        y_logits, z = encoder(
            self._view(batch, "x", "reconstruction"), training=training
        )
        y = ops.softmax(y_logits)
        if training and self.labelled_reconstruction:
            labelled_logits, labelled_z = encoder(
                self._view(batch, "x_labelled", "reconstruction"), training=training
            )
            if self.labelled_reconstruction == "one_hot":
                labelled_y = ops.one_hot(batch["y_labelled"], self.num_classes)
            else:
                labelled_y = ops.softmax(labelled_logits)
            target = ops.concatenate([target, batch["x_labelled"]])
            y = ops.concatenate([y, labelled_y])
            z = ops.concatenate([z, labelled_z])
        if not self.reconstruction_trains_y:
            y = ops.stop_gradient(y)
        code = ops.concatenate([y, z], axis=-1)
        loss_fn = losses.RECONSTRUCTION_LOSSES[self.reconstruction_loss_name]
        return loss_fn(target, self.decoder(code, training=training))

    def discriminator_loss(self, batch, training):
        """Both discriminators tell priors from codes; guessing is 4 log 2 = 2.773."""
        y, z = self._codes(batch, "discriminator", training)
        on_z = self.game_z.discriminator_loss(
            z, self.seeds, training, beside=y if self.style_given_class else None
        )
        on_y = self.game_y.discriminator_loss(y, self.seeds, training)
        return on_z + on_y

    def generator_loss(self, batch, training):
        """The encoder's codes pass for prior draws; 2 log 2 = 1.386 when they do."""
        y, z = self._codes(batch, "generator", training)
        on_y = self.game_y.generator_loss(y, training)
        on_z = self.game_z.generator_loss(
            z, training, beside=y if self.style_given_class else None
        )
        return self.generator_y_weight * on_y + self.generator_z_weight * on_z

    def classification_loss(self, batch, training):
        """Cross-entropy of the labels, plus what keeps q(y|x) smooth if asked."""
        encoder = self._encoder(training)
        y_labelled = batch["y_labelled"]
        y_logits, _ = encoder(
            self._view(batch, "x_labelled", "classification"), training=training
        )
        loss = losses.classification_loss(y_labelled, y_logits)
        self.error.update_state(losses.errors(y_labelled, y_logits))
        if training and (
            self.vat_weight
            or self.style_consistency_weight
            or self.augmentation is not None
        ):
            loss = loss + batch["warmth"] * self._smoothness_loss(batch["x"])
        return loss

    def _smoothness_loss(self, x):
        """What keeps q(y|x) smooth, each part with its weight."""
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
                lambda y, z: self.decoder(ops.concatenate([y, z], -1), training=False),
                x,
                y_logits,
                z,
                self.seeds,
                scale=self.style_consistency_scale,
            )
        if self.augmentation is not None:
            loss = loss + self.augmentation_weight * (
                losses.augmentation_consistency_loss(
                    self.encoder.classify, self.augmentation, x, y_logits, self.seeds
                )
            )
        return loss

    def _codes(self, batch, phase, training):
        """Class and style codes of the images that take part in the game."""
        x = self._view(batch, "x", phase)
        if training and self.labelled_adversarial:
            x = ops.concatenate([x, self._view(batch, "x_labelled", phase)])
        y_logits, z = self._encoder(training)(x, training=training)
        return ops.softmax(y_logits), z

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

    # What a trained model does

    def call(self, x, training=False):
        """Class probabilities `(n, num_classes)` of images."""
        y_logits, _ = self._encoder(training)(pixels(x), training=training)
        return ops.softmax(y_logits)

    def encode(self, x):
        """Codes of images: `(y, z)`, arrays `(n, num_classes)` and `(n, z_dim)`.

        Args:
            x: images, uint8 or float in [0, 1], `(n, *image_shape)`.
        """
        x = checks.check_images(x, image_shape=self.image_shape)
        if x.dtype == np.uint8:
            x = x.astype("float32") / 255.0
        y_logits, z = self._encoder(training=False).predict(
            x, batch_size=EVALUATION_BATCH_SIZE, verbose=0
        )
        y = np.exp(y_logits - y_logits.max(axis=-1, keepdims=True))
        return y / y.sum(axis=-1, keepdims=True), z

    def decode(self, y, z):
        """Images of codes, an array `(n, *image_shape)` in [0, 1].

        Args:
            y: class codes `(n, num_classes)`, such as one-hot rows.
            z: style codes `(n, z_dim)`.

        Raises:
            ValueError: if a shape is another.
        """
        y, z = np.asarray(y, "float32"), np.asarray(z, "float32")
        expected = ((len(y), self.num_classes), (len(y), self.z_dim))
        if (y.shape, z.shape) != expected:
            raise ValueError(
                f"`decode` takes y of shape (n, {self.num_classes}) and z of shape "
                f"(n, {self.z_dim}). Received y.shape={y.shape}, z.shape={z.shape}. "
                "Turn class numbers into codes with keras.utils.to_categorical."
            )
        code = np.concatenate([y, z], axis=-1)
        x = self.decoder.predict(code, batch_size=EVALUATION_BATCH_SIZE, verbose=0)
        return x.astype("float32", copy=False)

    def reconstruct(self, x):
        """Images decoded from the codes of images `x`, an array like `x` in [0, 1]."""
        return self.decode(*self.encode(x))

    def sample(self, n, label=None, style=None, seed=None):
        """Draws images.

        Args:
            n: number of images.
            label: a class number, or `n` of them; drawn from `prior_y` if not given.
            style: a style code `(z_dim,)`, or `n` of them; drawn from `prior_z` if
                not given.
            seed: integer that makes the draw repeatable.

        Returns:
            Array `(n, *image_shape)`, pixels in [0, 1].

        Raises:
            ValueError: if `label` or `style` has another shape or range.
        """
        if label is None:
            y = ops.convert_to_numpy(self.prior_y.sample(n, seed=seed))
        else:
            label = np.asarray(label)
            label = checks.check_labels(
                np.full(n, label) if label.ndim == 0 else label,
                n,
                self.num_classes,
                name="label",
                allow_unlabelled=False,
            )
            y = np.eye(self.num_classes, dtype="float32")[label]
        if style is None:
            style_seed = None if seed is None else seed + 1
            z = ops.convert_to_numpy(self.prior_z.sample(n, seed=style_seed))
        else:
            z = np.asarray(style, "float32")
            z = np.tile(z, (n, 1)) if z.ndim == 1 else z
            if z.shape != (n, self.z_dim):
                raise ValueError(
                    f"`style` must be a style code of shape ({self.z_dim},) or {n} of "
                    f"them. Received shape {np.shape(style)}."
                )
        return self.decode(y, z)

    def class_style_grid(self, styles):
        """Every class in every style.

        Args:
            styles: style codes `(num_styles, z_dim)`, or a number of them to draw,
                the same at each call.

        Returns:
            Array `(num_classes, num_styles, *image_shape)`: a row has one class, a
            column one style.
        """
        if np.ndim(styles) == 0:
            styles = ops.convert_to_numpy(
                self.prior_z.sample(int(styles), seed=EVALUATION_SEED)
            )
        y = np.repeat(np.eye(self.num_classes), len(styles), axis=0)
        images = self.decode(y, np.tile(styles, (self.num_classes, 1)))
        return images.reshape(self.num_classes, len(styles), *self.image_shape)

    # Saving

    def get_config(self):
        serialize = keras.saving.serialize_keras_object
        return {
            "encoder": serialize(self.encoder.trunk),
            "decoder": serialize(self.decoder),
            "discriminator_z": serialize(self.discriminator_z),
            "discriminator_y": serialize(self.discriminator_y),
            "prior_z": serialize(self.prior_z),
            "prior_y": serialize(self.prior_y),
            "head_initializer": serialize(self.encoder.kernel_initializer),
            "head_batch_normalization": self.encoder.batch_normalization,
            "reconstruction_loss": self.reconstruction_loss_name,
            "generator_loss": self.generator_loss_name,
            "generator_y_weight": self.generator_y_weight,
            "generator_z_weight": self.generator_z_weight,
            "style_given_class": self.style_given_class,
            "input_noise": self.input_noise,
            "augmentation": serialize(self.augmentation),
            "augmentation_weight": self.augmentation_weight,
            "noisy_phases": list(self.noisy_phases),
            "labelled_reconstruction": self.labelled_reconstruction,
            "reconstruction_trains_y": self.reconstruction_trains_y,
            "labelled_adversarial": self.labelled_adversarial,
            "vat_weight": self.vat_weight,
            "vat_radius": self.vat_radius,
            "style_consistency_weight": self.style_consistency_weight,
            "style_consistency_scale": self.style_consistency_scale,
            "warm_up": self.warm_up,
            "averaging": self.averaging,
            "seed": self.seed,
            "name": self.name,
            "dtype": self.dtype_policy.name,
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        parts = (
            "encoder",
            "decoder",
            "discriminator_z",
            "discriminator_y",
            "prior_z",
            "prior_y",
            "head_initializer",
            "augmentation",
        )
        deserialize = keras.saving.deserialize_keras_object
        return cls(
            **{
                key: deserialize(value, custom_objects) if key in parts else value
                for key, value in config.items()
            }
        )
