"""The semi-supervised adversarial autoencoder (Makhzani et al. 2015, section 5)."""

import keras
from keras import ops

from keras_saae import checks, losses
from keras_saae.abilities import (
    EncodesClassAndStyle,
    PerturbsImages,
    PlaysTwoGames,
    SmoothClassifier,
)
from keras_saae.passes import forward
from keras_saae.phases import Phase, PhasedModel

PHASES = ("reconstruction", "discriminator", "generator", "classification")


@keras.saving.register_keras_serializable("keras_saae")
class SemiSupervisedAAE(
    PlaysTwoGames, EncodesClassAndStyle, SmoothClassifier, PerturbsImages, PhasedModel
):
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
        vat_probe: L2 length of the step at which it looks for the worst direction; a
            short one if not given. At a long one, such as 10 on MNIST, clusters that
            share a class give way: see `losses.virtual_adversarial_loss`.
        style_consistency_weight: weight of the demand, in the classification phase,
            that q(y|x) stay when the decoder changes the image's style. 0 switches it
            off, as in the paper. Formula: `losses.style_consistency_loss`.
        style_consistency_scale: length of that change; 1 is that of the prior.
        warm_up: updates over which the weights of virtual adversarial training, style
            consistency and augmentation rise from 0, such as 1,000. They hold what the
            classifier believes; at first it believes little that is true.
        shares_weight: weight of the demand, in the classification phase, that the
            shares of the classes in a batch be the prior's. Formula:
            `losses.shares_loss`. Paper: none.
        mean_teacher: whether the classes that q(y|x) is held to, by the smoothness
            above, are those of the averaged encoder, at rest, in the place of its own.
            With convolutions and batch normalization it is worth a third of the errors:
            images of a kind, noisy or changed, make a batch of their own, by which the
            encoder can tell what to say of them. Needs `averaging`. Paper: no, but
            Tarvainen and Valpola, arXiv:1703.01780.
        groups: main class of each class, from `data.class_groups`, where some labels
            tell no more than that, num_classes + g. Not with "one_hot" reconstruction.
        averaging: weight of the past in the moving average of the encoder's
            weights, such as 0.999, or `None` for no average. `evaluate`, `predict`
            and `encode` use the average; training does not.
        seed: seeds the noise, the priors and the heads.
        classifier: Keras model from images to class logits `(n, num_classes)`, such as
            one of keras.applications with `classifier_activation=None`, which gives y
            in the place of a head on the encoder. Paper: none.

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
        vat_probe=None,
        style_consistency_weight=0.0,
        style_consistency_scale=1.0,
        warm_up=0,
        shares_weight=0.0,
        mean_teacher=False,
        groups=None,
        averaging=None,
        seed=None,
        classifier=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        for name, value, known in (
            ("generator_loss", generator_loss, losses.GENERATOR_LOSSES),
            (
                "labelled_reconstruction",
                labelled_reconstruction,
                (None, "soft", "one_hot"),
            ),
            *(("noisy_phases", phase, PHASES) for phase in noisy_phases),
        ):
            checks.check_choice(name, value, known)
        self.set_smoothness(
            vat_weight=vat_weight,
            vat_radius=vat_radius,
            vat_probe=vat_probe,
            style_consistency_weight=style_consistency_weight,
            style_consistency_scale=style_consistency_scale,
            augmentation=augmentation,
            augmentation_weight=augmentation_weight,
            warm_up=warm_up,
            shares_weight=shares_weight,
            mean_teacher=mean_teacher,
            averaging=averaging,
        )
        self.generator_loss_name = generator_loss
        self.style_given_class = style_given_class
        self.noisy_phases = tuple(noisy_phases)
        self.labelled_reconstruction = labelled_reconstruction
        self.labelled_adversarial = labelled_adversarial
        self.set_games(
            encoder=encoder,
            decoder=decoder,
            discriminator_z=discriminator_z,
            discriminator_y=discriminator_y,
            prior_z=prior_z,
            prior_y=prior_y,
            head_initializer=head_initializer,
            head_batch_normalization=head_batch_normalization,
            reconstruction_loss=reconstruction_loss,
            reconstruction_trains_y=reconstruction_trains_y,
            generator_y_weight=generator_y_weight,
            generator_z_weight=generator_z_weight,
            input_noise=input_noise,
            averaging=averaging,
            seed=seed,
            classifier=classifier,
            generator_loss=losses.GENERATOR_LOSSES[generator_loss],
        )
        self.groups = checks.check_optional_groups(groups, self.num_classes)
        if groups is not None and labelled_reconstruction == "one_hot":
            raise ValueError(
                "Images labelled by their main class alone have no one-hot code. "
                'Received `groups` and labelled_reconstruction="one_hot": take "soft".'
            )
        self.error = keras.metrics.Mean(name="error")

    # Phases

    def phases(self):
        return (
            self.reconstruction_phase(),
            *self.game_phases(),
            Phase(
                "classification",
                self.classification_loss,
                self.classifier_variables,
                batch_key="x_labelled",
            ),
        )

    @property
    def extra_metrics(self):
        return [self.discriminator_accuracy, self.error]

    def prepare(self, batch, training):
        """Scales pixels, augments and adds noise once, for all phases of the step."""
        return {
            **self.views(batch, training, augmented=("x_labelled",)),
            "y_labelled": batch["y_labelled"],
            "warmth": self.warmth() if training else 1.0,
        }

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
        return self.distance(target, y, z, training)

    def classification_loss(self, batch, training):
        """Cross-entropy of the labels, plus what keeps q(y|x) smooth if asked."""
        encoder = self._encoder(training)
        y_labelled = batch["y_labelled"]
        y_logits, _ = encoder(
            self._view(batch, "x_labelled", "classification"), training=training
        )
        loss = losses.classification_loss(y_labelled, y_logits, self.groups)
        self.error.update_state(losses.errors(y_labelled, y_logits, self.groups))
        if training and self.is_smoothed:
            loss = loss + batch["warmth"] * self.smoothness_loss(batch["x"])
        return loss

    def codes(self, batch, phase, training):
        """Class and style codes of the images that take part in the game."""
        x = self._view(batch, "x", phase)
        if training and self.labelled_adversarial:
            x = ops.concatenate([x, self._view(batch, "x_labelled", phase)])
        y_logits, z = forward(self._encoder(training), x, batch, training)
        return ops.softmax(y_logits), z

    # Saving

    def get_config(self):
        return {
            **self.games_config(),
            "generator_loss": self.generator_loss_name,
            "style_given_class": self.style_given_class,
            "noisy_phases": list(self.noisy_phases),
            "labelled_reconstruction": self.labelled_reconstruction,
            "labelled_adversarial": self.labelled_adversarial,
            **self.smoothness_config(),
            "groups": self.groups,
            "classifier": self.encoder.classifier
            and keras.saving.serialize_keras_object(self.encoder.classifier),
        }
