"""Recipes of the semi-supervised AAE: the paper's, others' and ours."""

import dataclasses
import functools

from keras_saae.models import SemiSupervisedAAE
from keras_saae.models.semi_supervised_aae import PHASES
from keras_saae.networks import (
    conv_encoder,
    mlp_decoder,
    mlp_discriminator,
    mlp_encoder,
)
from keras_saae.priors import Categorical, Gaussian
from keras_saae.recipes.adversarial import NORMAL_001, TwoGamesRecipe
from keras_saae.recipes.recipe import adam, sgd


@dataclasses.dataclass(frozen=True)
class SemiSupervisedAAERecipe(TwoGamesRecipe):
    """Settings of a `SemiSupervisedAAE` and its training; the defaults are the paper's.

    Attributes: those of `TwoGamesRecipe`, and
        hidden: units of the hidden layers of encoder and decoder.
        filters: filters of convolutions in the encoder, each of which halves the image,
            in the place of all its hidden layers but the last; none if not given. Set
            `input_noise=0.0` with them; docs/experiments.md says why. None by default.
        discriminator_z_hidden, discriminator_y_hidden: the same of the discriminators.
        activation: of all hidden layers.
        z_dim: width of the style code.
        kernel_initializer: of all weights, heads included.
        encoder_batch_normalization, decoder_batch_normalization,
        discriminator_batch_normalization: where batch normalization is used.
        dropout: share of hidden units dropped in encoder and decoder.
        input_noise: standard deviation on the images, in pixel units.
        noisy_phases: phases that see the noise.
        discriminator_noise: standard deviation on the discriminators' input.
        reconstruction_loss, generator_loss, style_given_class, labelled_reconstruction,
        labelled_adversarial: see `SemiSupervisedAAE`.
    """

    hidden: tuple = (1000, 1000)
    filters: tuple | None = None
    discriminator_z_hidden: tuple = (1000, 1000)
    discriminator_y_hidden: tuple = (1000, 1000)
    activation: str = "relu"
    z_dim: int = 10
    kernel_initializer: str | dict = dataclasses.field(
        default_factory=lambda: dict(NORMAL_001)
    )
    encoder_batch_normalization: bool = False
    decoder_batch_normalization: bool = False
    discriminator_batch_normalization: bool = False
    dropout: float = 0.0
    input_noise: float = 0.3
    noisy_phases: tuple = PHASES
    discriminator_noise: float = 0.0
    reconstruction_loss: str = "half_squared_error_sum"
    generator_loss: str = "non_saturating"
    style_given_class: bool = False
    labelled_reconstruction: str | None = None
    labelled_adversarial: bool = False
    optimizers: dict = dataclasses.field(
        default_factory=lambda: {
            "reconstruction": sgd(0.01, momentum=0.9),
            "discriminator": sgd(0.1, momentum=0.1),
            "generator": sgd(0.1, momentum=0.1),
            "classification": sgd(0.1, momentum=0.9),
        }
    )
    drop_epochs: tuple | None = (50, 1000)
    updates: int = 3_000_000
    passes: int = 20

    def build(self, image_shape, num_classes, seed=0, **parts):
        def network(make, *arguments, hidden, batch_normalization, index, **extra):
            return make(
                *arguments,
                hidden=hidden,
                activation=self.activation,
                kernel_initializer=self.kernel_initializer,
                batch_normalization=batch_normalization,
                seed=10_000 * seed + 1_000 * index,
                **extra,
            )

        make_encoder, hidden = mlp_encoder, self.hidden
        if self.filters is not None:
            make_encoder = functools.partial(conv_encoder, filters=self.filters)
            hidden = self.hidden[-1:]
        own = {
            "encoder": network(
                make_encoder,
                image_shape,
                hidden=hidden,
                batch_normalization=self.encoder_batch_normalization,
                dropout=self.dropout,
                index=1,
            ),
            "decoder": network(
                mlp_decoder,
                image_shape,
                num_classes + self.z_dim,
                hidden=self.hidden[::-1],
                batch_normalization=self.decoder_batch_normalization,
                dropout=self.dropout,
                index=2,
            ),
            "discriminator_z": network(
                mlp_discriminator,
                self.z_dim + (num_classes if self.style_given_class else 0),
                "discriminator_z",
                hidden=self.discriminator_z_hidden,
                batch_normalization=self.discriminator_batch_normalization,
                input_noise=self.discriminator_noise,
                index=3,
            ),
            "discriminator_y": network(
                mlp_discriminator,
                num_classes,
                "discriminator_y",
                hidden=self.discriminator_y_hidden,
                batch_normalization=self.discriminator_batch_normalization,
                input_noise=self.discriminator_noise,
                index=4,
            ),
            "prior_z": Gaussian(self.z_dim),
            "prior_y": Categorical(num_classes),
            "head_initializer": self.kernel_initializer,
            "seed": 10_000 * seed,
        }
        return SemiSupervisedAAE(**self._arguments(SemiSupervisedAAE, own, parts))


PAPER = SemiSupervisedAAERecipe(
    name="paper",
    source="Makhzani et al., arXiv:1511.05644, section 5 and appendix A.2.1.",
)

ADAMW = dataclasses.replace(
    PAPER,
    name="adamw",
    source=(
        "The disentanglement preset of the 2025 reproduction by Latała; its epochs are "
        "20 updates, passes over 2,000 labels, so its drops are counted in updates."
    ),
    kernel_initializer="glorot_uniform",
    optimizers={
        phase: {"class_name": "AdamW", "learning_rate": 0.001} for phase in PHASES
    },
    drop_epochs=None,
    drop_updates=(1_000, 20_000),
    updates=40_000,
)

DEFAULT = SemiSupervisedAAERecipe(
    name="default",
    source=(
        "Ours, chosen on validation images with label draws 100 to 112 of MNIST; "
        "knows nothing of pixels being neighbours. docs/experiments.md says how."
    ),
    hidden=(500, 400, 300, 200),
    discriminator_z_hidden=(200, 200),
    discriminator_y_hidden=(100, 100),
    kernel_initializer="he_normal",
    encoder_batch_normalization=True,
    decoder_batch_normalization=True,
    input_noise=0.2,
    discriminator_noise=0.1,
    reconstruction_loss="squared_error_sum",
    reconstruction_trains_y=False,
    vat_weight=1.0,
    vat_radius=1.5,
    style_consistency_weight=2.0,
    warm_up=500,
    averaging=0.999,
    optimizers={
        "reconstruction": adam(5e-4),
        "discriminator": adam(1.5e-3, beta_1=0.1),
        "generator": adam(1.5e-3, beta_1=0.1),
        "classification": adam(4e-3),
    },
    drop_epochs=None,
    decay_from=0.5,
    batch_size=250,
    updates=4_800,
)

DEFAULT_SMALL = dataclasses.replace(
    DEFAULT,
    name="default_small",
    source=(
        "Ours, for a few thousand small images, chosen on validation images with "
        "label draws 100 to 109 of the digits."
    ),
    hidden=(300, 300),
    z_dim=5,
    input_noise=0.1,
    discriminator_noise=0.3,
    optimizers={
        "reconstruction": adam(5e-4),
        "discriminator": adam(3e-4, beta_1=0.1),
        "generator": adam(3e-4, beta_1=0.1),
        "classification": adam(1e-3),
    },
    batch_size=100,
    updates=1_600,
)

# A long probe and a slant together part fours and nines from two labels a class, where
# either alone does not.
AUGMENTED = dataclasses.replace(
    DEFAULT,
    name="augmented",
    source=(
        "Ours: default, and the class has to stay when an image is turned, scaled, "
        "shifted and slanted a little, and along a direction found from afar. Chosen "
        "on validation images with label draws 100 to 103."
    ),
    augmentation={"rotation": 10.0, "scale": 0.1, "shift": 0.07, "shear": 0.3},
    vat_probe=10.0,
    updates=6_000,
)

# Batch normalization tells noisy images from clean ones where convolutions see them: no
# image is noisy, and the average, which is at rest, says what class it is.
CONVOLUTIONAL = dataclasses.replace(
    AUGMENTED,
    name="convolutional",
    source=(
        "Ours, for thousands of labels: augmented with two convolutions in the "
        "encoder. Chosen on validation images with label draws 100 and 101."
    ),
    filters=(16, 32),
    input_noise=0.0,
    vat_radius=1.0,
    style_consistency_weight=0.0,
    mean_teacher=True,
    updates=3_000,
    passes=10,
)

GENERATIVE = dataclasses.replace(
    DEFAULT,
    name="generative",
    source=(
        "Ours, for drawing any class in any style: default, but the style follows its "
        "prior within every class. Worse on hard draws when tuned; docs/experiments.md."
    ),
    style_given_class=True,
)

SIMULTANEOUS, SIMULTANEOUS_SMALL = (
    dataclasses.replace(
        recipe,
        name=recipe.name.replace("default", "simultaneous"),
        source=f"Ours: {recipe.name}, all phases of a step from the same weights.",
        simultaneous=True,
    )
    for recipe in (DEFAULT, DEFAULT_SMALL)
)

LATALA_2025 = dataclasses.replace(
    PAPER,
    name="latala2025",
    source=(
        "The schedule of the 2025 reproduction by Latała: an epoch is a pass over the "
        "labels, and the squared error is averaged over pixels; Glorot's weights. One "
        "reconstruction a step, where theirs has two. Run it for 500 epochs."
    ),
    kernel_initializer="glorot_uniform",
    reconstruction_loss="squared_error_mean",
    epoch="labelled",
    updates=500,
)

CLASSIFIER_2019 = dataclasses.replace(
    PAPER,
    name="classifier2019",
    source=(
        "adversarial-autoencoder-classifier (2019): 3,000 labels, batch-normalized "
        "encoder, Adam, noise in the reconstruction only, binary cross-entropy. Where "
        "it is silent, the length of the run among that, the choice is ours."
    ),
    z_dim=5,
    kernel_initializer="glorot_uniform",
    encoder_batch_normalization=True,
    head_batch_normalization=True,
    noisy_phases=("reconstruction",),
    reconstruction_loss="binary_crossentropy_sum",
    optimizers={
        "reconstruction": adam(8e-4),
        "discriminator": adam(2e-4),
        "generator": adam(1e-3),
        "classification": adam(1e-3),
    },
    drop_epochs=(50,),
    updates=30_000,
)


def _without(what, **changes):
    return dataclasses.replace(
        DEFAULT,
        name=f"without_{what}",
        source=f"An ablation: default without {what.replace('_', ' ')}.",
        **changes,
    )


ABLATIONS = (
    # The decoder is not trained, so there are no styles to be consistent over.
    _without(
        "reconstruction",
        optimizers={**DEFAULT.optimizers, "reconstruction": adam(0.0)},
        style_consistency_weight=0.0,
    ),
    _without("adversarial_y", generator_y_weight=0.0),
    _without("adversarial_z", generator_z_weight=0.0),
    _without("adversarial", generator_y_weight=0.0, generator_z_weight=0.0),
    _without("vat", vat_weight=0.0),
    _without("style_consistency", style_consistency_weight=0.0),
    _without("warm_up", warm_up=0),
    _without("averaging", averaging=None),
    _without("noise", input_noise=0.0, discriminator_noise=0.0),
    _without(
        "batch_normalization",
        encoder_batch_normalization=False,
        decoder_batch_normalization=False,
    ),
    _without("y_left_alone", reconstruction_trains_y=True),
    _without("depth", hidden=(500, 500)),
)

RECIPES = (
    PAPER,
    ADAMW,
    DEFAULT,
    DEFAULT_SMALL,
    AUGMENTED,
    CONVOLUTIONAL,
    GENERATIVE,
    SIMULTANEOUS,
    SIMULTANEOUS_SMALL,
    LATALA_2025,
    CLASSIFIER_2019,
    *ABLATIONS,
)
