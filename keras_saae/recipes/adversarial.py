"""What the recipes of the AAE family share: networks, and the paper's optimizers."""

import dataclasses

from keras_saae.data import UnlabelledDataset
from keras_saae.networks import mlp_decoder, mlp_discriminator, mlp_encoder
from keras_saae.recipes.recipe import Recipe, adam, sgd

NORMAL_001 = {"class_name": "RandomNormal", "config": {"stddev": 0.01}}


@dataclasses.dataclass(frozen=True)
class AdversarialRecipe(Recipe):
    """Settings of an encoder, a decoder, discriminators and their training.

    Attributes: those of `Recipe`, and
        hidden: units of the hidden layers of encoder and decoder.
        discriminator_hidden: the same of each discriminator.
        activation: of all hidden layers.
        z_dim: width of the code z.
        kernel_initializer: of all weights, heads included.
        encoder_batch_normalization, decoder_batch_normalization: where batch
            normalization is used.
        decoder_warp: whether the decoder turns and slants images, see `mlp_decoder`.
        dropout: share of hidden units dropped in encoder and decoder.
        input_dropout: share of pixels dropped.
        input_noise: standard deviation on the images, in pixel units.
        discriminator_noise: standard deviation on the discriminators' input.
        reconstruction_loss, discriminator_loss: see the model.
    """

    hidden: tuple = (1000, 1000)
    discriminator_hidden: tuple = (1000, 1000)
    activation: str = "relu"
    z_dim: int = 10
    kernel_initializer: str | dict = dataclasses.field(
        default_factory=lambda: dict(NORMAL_001)
    )
    encoder_batch_normalization: bool = False
    decoder_batch_normalization: bool = False
    decoder_warp: bool = False
    dropout: float = 0.0
    input_dropout: float = 0.0
    input_noise: float = 0.0
    discriminator_noise: float = 0.0
    reconstruction_loss: str = "half_squared_error_sum"
    discriminator_loss: str = "cross_entropy"

    def networks(self, image_shape, code_width, discriminators, seed):
        """Encoder, decoder and discriminators, as arguments of a model.

        Args:
            image_shape: shape of one image.
            code_width: width of what the decoder gets.
            discriminators: by argument of the model, the width of its input.
            seed: seeds all weights.
        """
        shared = {
            "activation": self.activation,
            "kernel_initializer": self.kernel_initializer,
        }
        seeds = (10_000 * seed + 1_000 * index for index in range(1, 9))
        return {
            "encoder": mlp_encoder(
                image_shape,
                input_dropout=self.input_dropout,
                hidden=self.hidden,
                batch_normalization=self.encoder_batch_normalization,
                dropout=self.dropout,
                seed=next(seeds),
                **shared,
            ),
            "decoder": mlp_decoder(
                image_shape,
                code_width,
                hidden=self.hidden[::-1],
                batch_normalization=self.decoder_batch_normalization,
                warped=self.decoder_warp,
                dropout=self.dropout,
                seed=next(seeds),
                **shared,
            ),
            **{
                name: mlp_discriminator(
                    width,
                    name,
                    hidden=self.discriminator_hidden,
                    input_noise=self.discriminator_noise,
                    seed=next(seeds),
                    **shared,
                )
                for name, width in discriminators.items()
            },
            "head_initializer": self.kernel_initializer,
            "seed": 10_000 * seed,
        }

    def unlabelled_dataset(self, x, seed):
        """The images `x` in batches, for models that take no labels."""
        return UnlabelledDataset(x, batch_size=self.batch_size, seed=seed)


@dataclasses.dataclass(frozen=True)
class TwoGamesRecipe(Recipe):
    """Settings of a model that plays for the class or cluster y, and for z.

    Attributes: those of `Recipe`, and
        head_batch_normalization, generator_y_weight, generator_z_weight,
        reconstruction_trains_y, augmentation_weight, vat_weight, vat_radius, vat_probe,
        style_consistency_weight, style_consistency_scale, warm_up, shares_weight,
        mean_teacher, averaging: see the model.
    """

    head_batch_normalization: bool = False
    generator_y_weight: float = 1.0
    generator_z_weight: float = 1.0
    reconstruction_trains_y: bool = True
    augmentation_weight: float = 1.0
    vat_weight: float = 0.0
    vat_radius: float = 1.0
    vat_probe: float | None = None
    style_consistency_weight: float = 0.0
    style_consistency_scale: float = 1.0
    warm_up: int = 0
    shares_weight: float = 0.0
    mean_teacher: bool = False
    averaging: float | None = None

    def of_length(self, updates):
        """As of `Recipe`; a warm-up takes at most a quarter of the run."""
        warm_up = min(self.warm_up, updates // 4)
        return dataclasses.replace(self, updates=updates, warm_up=warm_up)


def paper_optimizers(*more):
    """The paper's, for reconstruction, discriminator and generator, and those of more.

    Appendix A: momentum 0.9 and rate 0.01 for the reconstruction; 0.1 and 0.1 for the
    adversarial phases; 0.9 and 0.1 for the classification.
    """
    phases = {
        "reconstruction": sgd(0.01, momentum=0.9),
        "discriminator": sgd(0.1, momentum=0.1),
        "generator": sgd(0.1, momentum=0.1),
        "classification": sgd(0.1, momentum=0.9),
    }
    return {name: phases[name] for name in (*list(phases)[:3], *more)}


def adam_optimizers(*more, adversarial=1e-3, autoencoder=1e-3):
    """Ours: Adam, with little momentum in the game, whose goals move."""
    return {
        "reconstruction": adam(autoencoder),
        "discriminator": adam(adversarial, beta_1=0.1),
        "generator": adam(adversarial, beta_1=0.1),
        **{name: adam(1e-3) for name in more},
    }
