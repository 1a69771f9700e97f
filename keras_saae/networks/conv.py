"""Convolutional networks, which know that pixels have neighbours.

Each convolution halves height and width, unless `strides` says otherwise, so both must
divide by two as often. Unless told, images are halved to at most 8 pixels, with 32
filters and twice as many each time: 28x28 in two convolutions to 7x7x64, 32x32 in two
to 8x8x64, 64x64 in three to 8x8x128.
"""

import math

import keras
from keras import layers

from keras_saae.networks.initializers import seeded
from keras_saae.networks.mlp import batch_normalization_layer, hidden_layers


def conv_encoder(
    image_shape, filters=None, kernel_size=5, strides=2, name="encoder", **settings
):
    """Images to features; a model adds the heads for its codes.

    Args:
        image_shape: shape of one image, such as `(28, 28)` or `(32, 32, 3)`.
        filters: filters of each convolution; (32, 64) for 28x28 and 32x32 if not
            given, (32, 64, 128) for 64x64.
        kernel_size: width of the convolutions, in pixels.
        strides: by how much each convolution divides height and width, one number for
            all or one each: `filters=(32, 32, 64, 64), strides=(1, 2, 1, 2)`.
        name: name of the network.
        **settings: as of `mlp.hidden_layers`, which follow the convolutions; `hidden`
            is (256,) if not given. The convolutions share all but `hidden` and
            `dropout`.

    Returns:
        Keras model from `(n, *image_shape)` to `(n, hidden[-1])`.

    Raises:
        ValueError: if there are no filters, another number of strides, or the images
            cannot be halved that often.
    """
    filters = _doubling(image_shape) if filters is None else filters
    strides = (strides,) * len(filters) if isinstance(strides, int) else strides
    height, width, channels = _grid(image_shape, filters, strides)
    x = keras.Input(image_shape, name="x")
    h = layers.Reshape((height, width, channels))(x)
    for k, count in enumerate(filters):
        h = _convolution(layers.Conv2D, h, count, kernel_size, strides, k, **settings)
    settings = {"hidden": (256,), **settings}
    h = hidden_layers(layers.Flatten()(h), **settings)
    return keras.Model(x, h, name=name)


def conv_decoder(
    image_shape,
    code_width,
    filters=None,
    kernel_size=5,
    strides=2,
    name="decoder",
    **settings,
):
    """Codes to images.

    Args:
        image_shape: shape of one image, such as `(28, 28)` or `(32, 32, 3)`.
        code_width: width of y and z together.
        filters: channels before each convolution, in the decoder's own order: those of
            the encoder reversed, which it takes if not given.
        kernel_size: width of the transposed convolutions, in pixels.
        strides: by how much each multiplies height and width, in the same order.
        name: name of the network.
        **settings: as of `mlp.hidden_layers`, which come before the convolutions;
            `hidden` is (256,) if not given. The convolutions share all settings but
            `hidden` and `dropout`.

    Returns:
        Keras model from codes `(n, code_width)`, y beside z, to pixels in [0, 1]
        `(n, *image_shape)`, float32.

    Raises:
        ValueError: if there are no filters, another number of strides, or the images
            cannot be halved that often.
    """
    filters = _doubling(image_shape)[::-1] if filters is None else filters
    strides = (strides,) * len(filters) if isinstance(strides, int) else strides
    height, width, channels = _grid(image_shape, filters, strides)
    height, width = height // math.prod(strides), width // math.prod(strides)
    code = keras.Input((code_width,), name="code")
    settings = {"hidden": (256,), **settings}
    smallest = (height, width, filters[0])
    h = hidden_layers(
        code, **{**settings, "hidden": (*settings["hidden"], math.prod(smallest))}
    )
    h = layers.Reshape(smallest)(h)
    for k, count in enumerate(filters[1:]):
        h = _convolution(
            layers.Conv2DTranspose, h, count, kernel_size, strides, k, **settings
        )
    seed = settings.get("seed")
    h = layers.Conv2DTranspose(
        channels,
        kernel_size,
        strides=strides[-1],
        padding="same",
        activation="sigmoid",
        kernel_initializer=seeded(
            settings.get("kernel_initializer", "glorot_uniform"),
            None if seed is None else seed + 100,
        ),
        dtype="float32",
        name="pixels",
    )(h)
    x = layers.Reshape(image_shape, dtype="float32")(h)
    return keras.Model(code, x, name=name)


def _convolution(
    layer,
    h,
    count,
    kernel_size,
    strides,
    index,
    activation="relu",
    kernel_initializer="glorot_uniform",
    batch_normalization=False,
    seed=None,
    **dense_only,
):
    """A strided convolution, [batch normalization,] activation."""
    del dense_only  # hidden and dropout are of the Dense layers
    h = layer(
        count,
        kernel_size,
        strides=strides[index],
        padding="same",
        use_bias=not batch_normalization,  # the normalization has its own offset
        kernel_initializer=seeded(
            kernel_initializer, None if seed is None else seed + 50 + index
        ),
        name=f"convolution_{index + 1}",
    )(h)
    if batch_normalization:
        h = batch_normalization_layer(f"convolution_normalization_{index + 1}")(h)
    return layers.Activation(activation, name=f"convolution_activation_{index + 1}")(h)


def _doubling(image_shape, first=32, smallest=8):
    """Filters of as many convolutions as bring images to at most 8 pixels."""
    side, filters = max(image_shape[:2]), [first]
    while side > 2 * smallest:
        side //= 2
        filters.append(2 * filters[-1])
    return tuple(filters)


def _grid(image_shape, filters, strides):
    """Height, width and channels of images that can be halved often enough."""
    factor = math.prod(strides)
    if not filters:
        raise ValueError("`filters` is empty: give one number for each convolution.")
    if len(strides) != len(filters):
        raise ValueError(
            "`strides` is one number for all convolutions, or one each. Received "
            f"strides={strides} for filters={filters}."
        )
    if (
        len(image_shape) not in (2, 3)
        or image_shape[0] % factor
        or image_shape[1] % factor
    ):
        raise ValueError(
            f"{len(filters)} convolutions of strides {tuple(strides)} need a height "
            f"and width that divide by {factor}. Received image_shape={image_shape}. "
            "Give fewer `filters`, or smaller `strides`, or pad the images."
        )
    return (*image_shape, 1)[:3]
