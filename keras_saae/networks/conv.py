"""Convolutional networks, which know that pixels have neighbours.

Each convolution halves height and width, so both must divide by two as often as there
are convolutions: 28 and 32 with two, 64 with two to four.
"""

import math

import keras
from keras import layers

from keras_saae.networks.mlp import batch_normalization_layer, hidden_layers, seeded


def conv_encoder(
    image_shape, filters=(32, 64), kernel_size=5, name="encoder", **settings
):
    """Images to features; a model adds the heads for its codes.

    Args:
        image_shape: shape of one image, such as `(28, 28)` or `(32, 32, 3)`.
        filters: filters of each convolution.
        kernel_size: width of the convolutions, in pixels.
        name: name of the network.
        **settings: as of `mlp.hidden_layers`, which follow the convolutions; `hidden`
            is (256,) if not given. The convolutions share all but `hidden` and
            `dropout`.

    Returns:
        Keras model from `(n, *image_shape)` to `(n, hidden[-1])`.

    Raises:
        ValueError: if there are no filters or the images cannot be halved that often.
    """
    height, width, channels = _grid(image_shape, filters)
    x = keras.Input(image_shape, name="x")
    h = layers.Reshape((height, width, channels))(x)
    for k, count in enumerate(filters):
        h = _convolution(layers.Conv2D, h, count, kernel_size, k, **settings)
    settings = {"hidden": (256,), **settings}
    h = hidden_layers(layers.Flatten()(h), **settings)
    return keras.Model(x, h, name=name)


def conv_decoder(
    image_shape,
    code_width,
    filters=(64, 32),
    kernel_size=5,
    name="decoder",
    **settings,
):
    """Codes to images.

    Args:
        image_shape: shape of one image, such as `(28, 28)` or `(32, 32, 3)`.
        code_width: width of y and z together.
        filters: channels before each doubling of height and width.
        kernel_size: width of the transposed convolutions, in pixels.
        name: name of the network.
        **settings: as of `mlp.hidden_layers`, which come before the convolutions;
            `hidden` is (256,) if not given. The convolutions share all settings but
            `hidden` and `dropout`.

    Returns:
        Keras model from codes `(n, code_width)`, y beside z, to pixels in [0, 1]
        `(n, *image_shape)`, float32.

    Raises:
        ValueError: if there are no filters or the images cannot be halved that often.
    """
    height, width, channels = _grid(image_shape, filters)
    height, width = height >> len(filters), width >> len(filters)
    code = keras.Input((code_width,), name="code")
    settings = {"hidden": (256,), **settings}
    smallest = (height, width, filters[0])
    h = hidden_layers(
        code, **{**settings, "hidden": (*settings["hidden"], math.prod(smallest))}
    )
    h = layers.Reshape(smallest)(h)
    for k, count in enumerate(filters[1:]):
        h = _convolution(layers.Conv2DTranspose, h, count, kernel_size, k, **settings)
    seed = settings.get("seed")
    h = layers.Conv2DTranspose(
        channels,
        kernel_size,
        strides=2,
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
        strides=2,
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


def _grid(image_shape, filters):
    """Height, width and channels of images that can be halved often enough."""
    factor = 2 ** len(filters)
    if not filters:
        raise ValueError("`filters` is empty: give one number for each convolution.")
    if (
        len(image_shape) not in (2, 3)
        or image_shape[0] % factor
        or image_shape[1] % factor
    ):
        raise ValueError(
            f"{len(filters)} convolutions halve height and width {len(filters)} times, "
            f"so both must divide by {factor}. Received image_shape={image_shape}. "
            "Give fewer `filters`, or pad the images."
        )
    return (*image_shape, 1)[:3]
