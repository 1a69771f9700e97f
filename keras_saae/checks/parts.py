"""Priors, networks and what else a model is made of."""

import warnings

import keras
import numpy as np


def check_prior(name, prior):
    """Return the width of a prior's draws, or say what is wrong with it.

    Args:
        name: how messages call the argument.
        prior: object with `sample(n, labels=None, seed=None)`.

    Returns:
        Python int: the width of a draw `(n, width)`.

    Raises:
        TypeError: if there is no `sample`, it takes other arguments, or it draws NumPy
            arrays.
        ValueError: if a draw of two is not a tensor `(2, width)`.

    Warns:
        UserWarning: if it has no `get_config`, so that the model cannot be saved.
    """
    if not callable(getattr(prior, "sample", None)):
        raise TypeError(
            f"`{name}` must have a method `sample(n, labels=None, seed=None)`. "
            f"Received: {prior!r}. See keras_saae.priors for examples."
        )
    try:
        draws = prior.sample(2, labels=None, seed=0)
    except TypeError as error:
        raise TypeError(
            f"`{name}.sample(n, labels=None, seed=None)` must take these arguments, "
            f"and leave labels aside where it has no use for them. {error}"
        ) from error
    if isinstance(draws, np.ndarray):
        raise TypeError(
            f"`{name}.sample(n)` returned a NumPy array, which a compiled step draws "
            "once and then for ever. Draw with keras.random and the seed that is given."
        )
    if not hasattr(draws, "shape"):
        raise TypeError(
            f"`{name}.sample(n)` must return a tensor of shape (n, width). "
            f"`{name}.sample(2)` returned a {type(draws).__name__}."
        )
    shape = tuple(draws.shape)
    if len(shape) != 2 or shape[0] != 2:
        raise ValueError(
            f"`{name}.sample(n)` must return a tensor of shape (n, width). "
            f"`{name}.sample(2)` returned shape {shape}."
        )
    if not np.isfinite(keras.ops.convert_to_numpy(draws)).all():
        raise ValueError(f"`{name}.sample(2)` returned NaN or infinity.")
    if not callable(getattr(prior, "get_config", None)):
        warnings.warn(
            f"A model with this `{name}` trains but cannot be saved: "
            f"{type(prior).__name__} has no `get_config`. CONTRIBUTING.md shows a "
            "prior that has.",
            stacklevel=2,
        )
    return shape[1]


def check_class_prior(name, prior):
    """Return the number of classes of a prior that knows their probabilities.

    Args:
        name: how messages call the argument.
        prior: as of `check_prior`, with `log_weights` `(num_classes,)`.

    Returns:
        Python int, at least 2.

    Raises:
        TypeError: if it has no `log_weights`.
    """
    check_prior(name, prior)
    if not hasattr(prior, "log_weights"):
        raise TypeError(
            f"`{name}` must tell the log-probability of each class as `log_weights`, "
            f"like priors.Categorical. Received: {prior!r}"
        )
    return prior.log_weights.shape[0]


def check_parts(name, parts, num_classes):
    """Say that each class needs a part of the prior, unless there are as many."""
    if parts != num_classes:
        raise ValueError(
            f"Each class owns a part of the prior. Received a `{name}` of "
            f"{parts} parts for num_classes={num_classes}."
        )


def check_prior_of_classes(name, prior, num_classes):
    """Say what is wrong with a prior of which each class has to own a part.

    Args:
        name: how messages call the argument.
        prior: as of `check_prior`, with `class_of(z)` and, where the number of parts is
            fixed, `num_classes`.
        num_classes: number of classes.

    Raises:
        TypeError: if it has no `sample` or no `class_of`.
        ValueError: if it has another number of parts.
    """
    check_prior(name, prior)
    if not callable(getattr(prior, "class_of", None)):
        raise TypeError(
            f"Each class owns a part of `{name}`, which has to tell by `class_of(z)` "
            "whose part a code lies in, like priors.GaussianMixture. "
            f"Received: {prior!r}"
        )
    check_parts(name, getattr(prior, "num_classes", num_classes), num_classes)


def check_draws_of_classes(name, prior, num_classes):
    """Say what is wrong with a prior that does not draw from the part of a class.

    Args:
        name: how messages call the argument.
        prior: as of `check_prior_of_classes`.
        num_classes: number of classes.

    Raises:
        ValueError: if draws for a class do not lie in its part.
    """
    labels = np.tile(np.arange(num_classes, dtype="int32"), 50)
    draws = prior.sample(
        len(labels), labels=keras.ops.convert_to_tensor(labels), seed=0
    )
    own = np.mean(keras.ops.convert_to_numpy(prior.class_of(draws)) == labels)
    if own < 0.5 + 0.5 / num_classes:  # half way between chance and certainty
        raise ValueError(
            f"`{name}.sample(n, labels)` must draw from the parts of these classes. Of "
            f"its draws {100 * own:.0f} % lie there, by `{name}.class_of`: does it "
            "leave `labels` aside, or do the parts overlap?"
        )


def check_network(name, network, input_shape=None, output_shape=None, because=""):
    """Say what is wrong with a network passed to a model.

    Args:
        name: how messages call the argument.
        network: built Keras model with one input and one output.
        input_shape: shape of one input that is needed, or None for any.
        output_shape: shape of one output that is needed, or None for any.
        because: where the shapes that are needed come from, for messages.

    Raises:
        TypeError: if it is not a Keras model.
        ValueError: if it is not built, or takes or gives other shapes.
    """
    if not isinstance(network, keras.Model):
        raise TypeError(
            f"`{name}` must be a Keras model, such as keras.Sequential. "
            f"Received: {network!r}"
        )
    try:
        given_in, given_out = network.input_shape, network.output_shape
    except (AttributeError, ValueError) as error:
        raise ValueError(
            f"`{name}` must be built, so that its shapes are known. Start it with "
            "keras.Input(shape), or make it with keras.Model(inputs, outputs)."
        ) from error
    for what, given, needed in (
        ("take inputs", given_in, input_shape),
        ("give outputs", given_out, output_shape),
    ):
        is_tensor = isinstance(given, tuple) and not isinstance(given[0], tuple)
        if not is_tensor or None in given[1:] or needed not in (None, given[1:]):
            wanted = "" if needed is None else f", {(None, *needed)}"
            raise ValueError(
                f"`{name}` must {what} of one fixed shape{wanted}, where None is the "
                f"number of images or codes{because and f': {because}'}. Received a "
                f"model with {given}."
            )


def check_classifier(name, network, image_shape, num_classes):
    """Say what is wrong with a classifier q(y|x) passed to a model.

    Args:
        name: how messages call the argument.
        network: built Keras model from images to class logits.
        image_shape: shape of one image, or of a code.
        num_classes: number of classes, or None for any.

    Raises:
        TypeError: if it is not a Keras model.
        ValueError: if it is not built, takes or gives other shapes, or ends in
            probabilities.
    """
    output = None if num_classes is None else (num_classes,)
    check_network(name, network, tuple(image_shape), output)
    last = _last_operation(network)
    activation = getattr(last, "activation", None)
    ends = (keras.activations.softmax, keras.activations.sigmoid)
    if activation in ends or type(last).__name__ in ("Softmax", "Sigmoid"):
        raise ValueError(
            f"`{name}` must end in class logits; the losses apply the softmax. Its "
            f"last operation {last.name!r} gives probabilities. Give it no activation; "
            "for keras.applications pass classifier_activation=None."
        )


def _last_operation(network):
    """What makes the outputs: a layer, or an operation of `keras.ops`.

    Networks within are looked into, and what moves numbers without changing them is
    passed over.
    """
    passed_over = ("Identity", "Reshape", "Flatten", "Dropout", "Squeeze")
    operations = [
        operation
        for operation in getattr(network, "operations", network.layers)
        if type(operation).__name__ not in passed_over
    ]
    if not operations:
        return network
    last = operations[-1]
    return _last_operation(last) if isinstance(last, keras.Model) else last


def check_decoder_width(decoder, num_classes=0):
    """Return the width of z that a decoder of classes and z takes.

    Args:
        decoder: Keras model from codes `(n, num_classes + z_dim)`.
        num_classes: width of what stands beside z.

    Raises:
        TypeError, ValueError: if it takes other inputs.
    """
    check_network("decoder", decoder)
    shape = decoder.input_shape[1:]
    if len(shape) != 1 or shape[0] <= num_classes:
        raise ValueError(
            f"`decoder` must take codes (n, {num_classes} + z_dim). Received a model "
            f"with inputs of shape {shape}."
        )
    return shape[0] - num_classes


def check_gaussian_encoder(name, encoder):
    """Say what is wrong with a trained encoder of q(z|x) = N(m, s^2) passed to a model.

    Raises:
        TypeError: if it is not a `StochasticEncoder` of posterior "gaussian".
    """
    if getattr(encoder, "posterior", None) != "gaussian":
        raise TypeError(
            f"`{name}` must be a StochasticEncoder with posterior 'gaussian', such as "
            f"the `encoder` of a trained M1. Received: {encoder!r}"
        )


def check_augmentation(augmentation):
    """Return an augmentation, or None; say what is expected if it cannot be called."""
    if augmentation is not None and not callable(augmentation):
        raise TypeError(
            "`augmentation` is called as augmentation(x, seed), such as "
            f"networks.RandomAffine(rotation=10). Received: {augmentation!r}"
        )
    return augmentation
