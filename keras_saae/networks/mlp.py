"""Multilayer perceptrons, the networks of the paper (appendix A)."""

import math

import keras
from keras import layers

from keras_saae.networks.initializers import seeded
from keras_saae.networks.warping import AffineWarp, Retouch


def mlp_encoder(image_shape, name="encoder", input_dropout=0.0, **settings):
    """Images to features; a model adds the heads for its codes.

    Args:
        image_shape: shape of one image, such as `(28, 28)`.
        name: name of the network.
        input_dropout: share of pixels set to 0, in training; the others grow by as
            much.
        **settings: as of `hidden_layers`.

    Returns:
        Keras model from `(n, *image_shape)` to `(n, hidden[-1])`.
    """
    x = keras.Input(image_shape, name="x")
    h = layers.Flatten()(x)
    if input_dropout:
        h = layers.Dropout(input_dropout, seed=settings.get("seed"))(h)
    return keras.Model(x, hidden_layers(h, **settings), name=name)


def mlp_decoder(image_shape, code_width, name="decoder", warped=False, **settings):
    """Codes to images.

    Args:
        image_shape: shape of one image, such as `(28, 28)`.
        code_width: width of y and z together.
        name: name of the network.
        warped: whether the code also says how the image is turned, scaled, slanted and
            shifted (`AffineWarp`) and then touched up (`Retouch`): for images whose
            pixels are neighbours.
        **settings: as of `hidden_layers`.

    Returns:
        Keras model from codes `(n, code_width)`, y beside z, to pixels in [0, 1]
        `(n, *image_shape)`, float32.
    """
    code = keras.Input((code_width,), name="code")
    h = hidden_layers(code, **settings)
    x = _output(h, math.prod(image_shape), "pixels", "sigmoid", **settings)
    x = layers.Reshape(image_shape, dtype="float32")(x)
    if warped:  # at first it does nothing
        still = {"kernel_initializer": "zeros", "dtype": "float32"}
        x = AffineWarp(name="warp")([x, layers.Dense(6, **still, name="moves")(h)])
        changes = layers.Dense(math.prod(image_shape), **still, name="changes")(h)
        changes = layers.Reshape(image_shape, dtype="float32")(changes)
        x = Retouch(name="retouch")([x, changes])
    return keras.Model(code, x, name=name)


def with_linear_head(network, width, name, kernel_initializer=None, seed=None):
    """A network that ends in numbers without bounds, such as class logits.

    Args:
        network: built Keras model to features `(n, ...)`, such as an encoder; features
            of more than one axis are flattened.
        width: how many numbers.
        name: name of the result.
        kernel_initializer: initializer of the head's weights; Glorot's if not given.
        seed: seeds them.

    Returns:
        Keras model from the network's inputs to `(n, width)`, float32.

    Example:
        >>> classifier = with_linear_head(mlp_encoder((28, 28)), 10, "classifier")
    """
    x = keras.Input(network.input_shape[1:], name="inputs")
    h = layers.Flatten(name="flatten_features")(network(x))
    h = layers.Dense(
        width,
        kernel_initializer=seeded(kernel_initializer or "glorot_uniform", seed),
        dtype="float32",
        name="outputs",
    )(h)
    return keras.Model(x, h, name=name)


def mlp_discriminator(code_width, name="discriminator", input_noise=0.0, **settings):
    """Codes to one logit, positive for "drawn from the prior".

    Args:
        code_width: width of the code.
        name: name of the network.
        input_noise: standard deviation of Gaussian noise on its input, in training.
        **settings: as of `hidden_layers`.

    Returns:
        Keras model from `(n, code_width)` to `(n, 1)`, float32.
    """
    code = keras.Input((code_width,), name="code")
    h = code
    if input_noise:
        seed = settings.get("seed")
        h = layers.GaussianNoise(input_noise, seed=seed)(h)
    h = hidden_layers(h, **settings)
    return keras.Model(code, _output(h, 1, "logit", **settings), name=name)


def hidden_layers(
    h,
    hidden=(1000, 1000),
    activation="relu",
    kernel_initializer="glorot_uniform",
    batch_normalization=False,
    dropout=0.0,
    seed=None,
):
    """Stacks Dense layers, each [batch normalization,] activation [, dropout].

    The activation is part of the Dense layer where nothing stands between them: on
    PyTorch every layer costs time of its own.

    Args:
        h: symbolic input `(n, width)`.
        hidden: units of each layer; `(1000, 1000)` in the paper.
        activation: name or function; ReLU in the paper.
        kernel_initializer: initializer of the weights; N(0, 0.01^2) in the paper
            (`keras.initializers.RandomNormal(stddev=0.01)`).
        batch_normalization: `True` normalizes before each activation.
        dropout: share of units dropped after each activation, in training.
        seed: seeds weights and dropout; the k-th layer uses `seed + k`.

    Returns:
        Symbolic output `(n, hidden[-1])`.
    """
    for k, units in enumerate(hidden):
        layer_seed = None if seed is None else seed + k
        h = layers.Dense(
            units,
            activation=None if batch_normalization else activation,
            use_bias=not batch_normalization,  # the normalization has its own offset
            kernel_initializer=seeded(kernel_initializer, layer_seed),
            name=f"hidden_{k + 1}",
        )(h)
        if batch_normalization:
            h = batch_normalization_layer(f"normalization_{k + 1}")(h)
            h = layers.Activation(activation, name=f"activation_{k + 1}")(h)
        if dropout:
            h = layers.Dropout(dropout, seed=layer_seed, name=f"dropout_{k + 1}")(h)
    return h


def _output(h, units, name, output_activation=None, **settings):
    """The last layer, in float32 under every dtype policy."""
    seed = settings.get("seed")
    initializer = settings.get("kernel_initializer", "glorot_uniform")
    return layers.Dense(
        units,
        activation=output_activation,
        kernel_initializer=seeded(initializer, None if seed is None else seed + 100),
        dtype="float32",
        name=name,
    )(h)


def batch_normalization_layer(name, **kwargs):
    """Batch normalization whose averages follow within tens of steps.

    Momentum 0.9 and epsilon 1e-5 instead of Keras' 0.99 and 1e-3: the encoder sees
    several differently perturbed batches a step and changes quickly early on.
    """
    return layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name=name, **kwargs)
