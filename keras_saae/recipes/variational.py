"""What the recipes of the variational family share: networks, and the noise's seeds."""

import dataclasses

from keras_saae.data import UnlabelledDataset
from keras_saae.networks import conv_decoder, conv_encoder, mlp_decoder, mlp_encoder
from keras_saae.recipes.recipe import Recipe

NORMAL_0001 = {"class_name": "RandomNormal", "config": {"stddev": 0.001}}


@dataclasses.dataclass(frozen=True)
class NetworksRecipe(Recipe):
    """Settings of networks and their training.

    Attributes: those of `Recipe`, and
        hidden: units of the hidden layers of the encoder; the decoder's in reverse.
        activation: of all hidden layers.
        kernel_initializer: of all weights, heads included.
        batch_normalization: whether it is used, in encoder and decoder.
    """

    hidden: tuple = (500, 500)
    activation: str = "softplus"
    kernel_initializer: str | dict = "glorot_uniform"
    batch_normalization: bool = False

    def _settings(self, hidden, seed):
        return {
            "hidden": hidden,
            "activation": self.activation,
            "kernel_initializer": self.kernel_initializer,
            "batch_normalization": self.batch_normalization,
            "seed": seed,
        }


@dataclasses.dataclass(frozen=True)
class ImageNetworksRecipe(NetworksRecipe):
    """Settings of an encoder and a decoder of images and of their training.

    Attributes: those of `NetworksRecipe`, and
        filters, strides, kernel_size: of convolutions before the hidden layers (in the
            decoder after them), as of `networks.conv_encoder`; no convolutions if not
            given.
    """

    filters: tuple | None = None
    strides: tuple | int = 2
    kernel_size: int = 5

    def encoder(self, image_shape, seed, hidden=None):
        """Images to features; `hidden` in the place of the recipe's."""
        settings = self._settings(self.hidden if hidden is None else hidden, seed)
        if self.filters is None:
            return mlp_encoder(image_shape, **settings)
        return conv_encoder(image_shape, **self._convolutions(), **settings)

    def decoder(self, image_shape, code_width, seed):
        """Codes to images."""
        settings = self._settings(self.hidden[::-1], seed)
        if self.filters is None:
            return mlp_decoder(image_shape, code_width, **settings)
        convolutions = self._convolutions(reverse=True)
        return conv_decoder(image_shape, code_width, **convolutions, **settings)

    def unlabelled_dataset(self, x, seed):
        """The images `x` in batches, for models that take no labels."""
        return UnlabelledDataset(x, batch_size=self.batch_size, seed=seed)

    def _convolutions(self, reverse=False):
        step = -1 if reverse else 1
        strides = self.strides
        return {
            "filters": self.filters[::step],
            "strides": strides if isinstance(strides, int) else strides[::step],
            "kernel_size": self.kernel_size,
        }


@dataclasses.dataclass(frozen=True)
class VariationalRecipe(ImageNetworksRecipe):
    """Settings of a variational autoencoder of images and of its training.

    Attributes: those of `ImageNetworksRecipe`, and
        z_dim: width of the code z.
        input_noise: standard deviation on the images, in pixel units.
    """

    z_dim: int = 50
    input_noise: float = 0.0
