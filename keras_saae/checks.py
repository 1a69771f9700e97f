"""Checks at the door: images and labels are looked at once, then trusted.

Every message says what was given, what is expected and how to fix it.
"""

import difflib
import operator

import keras
import numpy as np


def is_lazy(x):
    """Whether `x` is like an array but reads its values only when it is indexed.

    Such as the images of `data.image_folder`, or a `data.Subset`: it has `shape`,
    `dtype` and a length, `x[integers]` is a NumPy array, and nothing converts all of it
    (`__array__`).
    """
    needed = ("shape", "dtype", "__len__", "__getitem__")
    return all(hasattr(x, n) for n in needed) and not hasattr(x, "__array__")


def check_images(x, name="x", image_shape=None, allow_lazy=False):
    """Return `x` as an array of images, or say what is wrong with it.

    Args:
        x: array-like `(n, height, width)` or `(n, height, width, channels)`. Either
            uint8 in 0..255, or float in [0, 1]; bool counts as float 0 and 1.
        name: how messages call the argument.
        image_shape: shape of one image that is needed, or None for any.
        allow_lazy: whether lazy images (see `is_lazy`) are returned as they are; else
            they are all read into memory.

    Returns:
        NumPy array of the same shape: uint8 stays uint8 (no copy, also of a
        `np.memmap`), everything else becomes float32 (no copy of float32).

    Raises:
        TypeError: if the values are neither uint8 nor float nor bool, or lazy images
            are not uint8.
        ValueError: if the shape is not that of images, if there is no image, or if a
            float is NaN, infinite or outside [0, 1].
    """
    lazy = allow_lazy and is_lazy(x)
    x = x if lazy else _as_array(x, name)
    if len(x.shape) not in (3, 4):
        raise ValueError(
            f"`{name}` must hold images of shape (n, height, width) or (n, height, "
            f"width, channels). Received shape {x.shape}. Flattened images: "
            f"`{name}.reshape(-1, height, width)`; one image: `{name}[np.newaxis]`."
        )
    if 0 in x.shape:
        raise ValueError(f"`{name}` holds no images. Received shape {x.shape}.")
    if image_shape is not None and x.shape[1:] != tuple(image_shape):
        raise ValueError(
            f"`{name}` must hold images of shape {tuple(image_shape)}, as the model "
            f"was built for. Received images of shape {x.shape[1:]}."
        )
    if x.dtype == np.uint8:
        return x
    if lazy:
        raise TypeError(
            f"`{name}` is read as it is indexed and must be uint8 in 0..255: the range "
            f"of floats would need a look at all of them. Received dtype {x.dtype}. "
            f"If it fits into memory, pass `{name}[:]`."
        )
    if x.dtype == bool:
        return x.astype("float32")
    if not np.issubdtype(x.dtype, np.floating):
        raise TypeError(
            f"`{name}` must be uint8 in 0..255 or float in [0, 1]. Received dtype "
            f'{x.dtype}. For grey levels 0..255 use `{name}.astype("uint8")`.'
        )
    _check_unit_range(x, name)
    return x.astype("float32", copy=False)


def check_labels(y, num_images, num_classes=None, name="y", allow_unlabelled=True):
    """Return `y` as int64 class labels, or say what is wrong with it.

    Args:
        y: integer array-like `(num_images,)` of classes 0..num_classes-1, where -1
            means "no label".
        num_images: how many images the labels belong to.
        num_classes: number of classes, or None to accept any from 0 up.
        name: how messages call the argument.
        allow_unlabelled: whether -1 may occur.

    Returns:
        int64 NumPy array `(num_images,)`.

    Raises:
        TypeError: if the labels are not integers.
        ValueError: if they are one-hot, of another number than the images, or outside
            the classes.
    """
    y = _as_array(y, name)
    if y.ndim != 1:
        advice = "Pass one integer per image."
        if y.ndim == 2:
            fix = f"{name}.ravel()" if y.shape[1] == 1 else f"{name}.argmax(axis=-1)"
            what = "A column of labels" if y.shape[1] == 1 else "One-hot labels"
            advice = f"{what}: pass `{fix}`."
        raise ValueError(
            f"`{name}` must be integer class labels of shape (n,). Received shape "
            f"{y.shape}. {advice}"
        )
    if len(y) != num_images:
        raise ValueError(
            f"Images and labels need equal lengths. Received {num_images} images and "
            f"{len(y)} labels in `{name}`. Mark images without a label by -1."
        )
    if y.dtype.kind not in "iu":
        raise TypeError(
            f"`{name}` must hold integers. Received dtype {y.dtype}. For class "
            f'numbers stored as floats use `{name}.astype("int64")`, with -1 where '
            "there is no label."
        )
    y = y.astype("int64", copy=False)
    lowest = -1 if allow_unlabelled else 0
    highest = np.iinfo("int64").max if num_classes is None else num_classes - 1
    wrong = np.unique(y[(y < lowest) | (y > highest)])
    if wrong.size:
        classes = "0 or more" if num_classes is None else f"0..{num_classes - 1}"
        unlabelled = ", or -1 for no label" if allow_unlabelled else ""
        raise ValueError(
            f"`{name}` must hold classes {classes}{unlabelled}. Received "
            f"{_shorten(wrong)}. Number the classes from 0 without gaps."
        )
    return y


def check_groups(groups, num_classes=None):
    """Return the main class of each sub-class as an int64 array, or say what is wrong.

    Args:
        groups: integer array-like `(num_classes,)` of main classes 0, 1, ..., each of
            which has a sub-class; see `data.class_groups`.
        num_classes: number of sub-classes, or None for any.

    Returns:
        int64 NumPy array `(num_classes,)`.

    Raises:
        ValueError: if it is anything else.
    """
    array = np.asarray(groups)
    found = np.unique(array)
    if (
        array.ndim != 1
        or array.size == 0
        or array.dtype.kind not in "iu"
        or num_classes not in (None, len(array))
        or not np.array_equal(found, np.arange(len(found)))
    ):
        wanted = "each" if num_classes is None else f"each of {num_classes}"
        raise ValueError(
            f"`groups` must hold one main class for {wanted} sub-class, numbered from "
            "0 without gaps. Make it with data.class_groups. Received "
            f"{_shorten(array.ravel())}."
        )
    return array.astype("int64", copy=False)


def check_optional_groups(groups, num_classes):
    """Return `groups`, as of `check_groups`, as a list that can be saved, or None."""
    return None if groups is None else check_groups(groups, num_classes).tolist()


def check_count(value, name, minimum=1):
    """Return `value` as an int of at least `minimum`.

    Args:
        value: an integer of any type (Python, NumPy), not a bool.
        name: how messages call the argument.
        minimum: smallest value allowed.

    Returns:
        Python int.

    Raises:
        TypeError: if `value` is not an integer.
        ValueError: if it is below `minimum`.
    """
    try:
        if isinstance(value, (bool, np.bool_)):
            raise TypeError
        number = operator.index(value)
    except TypeError:
        raise TypeError(
            f"`{name}` must be an integer of at least {minimum}. Received {value!r}."
        ) from None
    if number < minimum:
        raise ValueError(
            f"`{name}` must be an integer of at least {minimum}. Received {number}."
        )
    return number


def check_number(value, name):
    """Return `value`, a finite number from 0 up, or say what is wrong with it."""
    if not 0 <= value < float("inf"):
        raise ValueError(f"`{name}` is a number from 0 up. Received: {value!r}")
    return value


def check_averaging(averaging):
    """Return the weight of the past in a moving average, or None for no average."""
    if averaging is not None and not 0 <= averaging < 1:
        raise ValueError(
            "`averaging` is the weight of the past, at least 0 and below 1, such "
            f"as 0.999, or None. Received: {averaging!r}"
        )
    return averaging


def _as_array(value, name):
    if is_lazy(value):
        return value[:]
    if keras.ops.is_tensor(value):
        value = keras.ops.convert_to_numpy(value)
    try:
        return np.asarray(value)
    except ValueError as error:
        raise ValueError(
            f"`{name}` must be an array; its rows have different shapes. "
            "Bring all images to one size first."
        ) from error


def _check_unit_range(x, name):
    low, high = float(x.min()), float(x.max())  # NaN and infinities come through
    if not (np.isfinite(low) and np.isfinite(high)):
        raise ValueError(
            f"`{name}` holds NaN or infinite values. Remove or replace them, for "
            f"example with `np.nan_to_num({name})`."
        )
    if 0 <= low and high <= 1:
        return
    if 0 <= low and high <= 255:
        advice = (
            f"They look scaled to 0..255: divide by 255, or pass "
            f'`{name}.astype("uint8")`.'
        )
    elif -1 <= low and high <= 1:
        advice = f"They look scaled to [-1, 1]: pass `({name} + 1) / 2`."
    else:
        advice = "Rescale them to [0, 1]."
    raise ValueError(
        f"Float images `{name}` must lie in [0, 1]. Received values from {low:g} to "
        f"{high:g}. {advice}"
    )


def _shorten(values, most=5):
    shown = ", ".join(str(v) for v in values[:most])
    return shown if len(values) <= most else f"{shown}, ... ({len(values)} values)"


def check_choice(name, value, choices):
    """Raise `ValueError` unless `value` is one of `choices`, suggesting the nearest."""
    if value in choices:
        return
    close = difflib.get_close_matches(str(value), [str(c) for c in choices], n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    raise ValueError(
        f"`{name}` must be one of {list(choices)}. Received: {value!r}.{hint}"
    )


def check_prior(name, prior):
    """Return the width of a prior's draws, or say what is wrong with it.

    Args:
        name: how messages call the argument.
        prior: object with `sample(n, labels=None, seed=None)`.

    Returns:
        Python int: the width of a draw `(n, width)`.

    Raises:
        TypeError: if there is no `sample`.
        ValueError: if a draw of two is not a tensor `(2, width)`.
    """
    if not callable(getattr(prior, "sample", None)):
        raise TypeError(
            f"`{name}` must have a method `sample(n, labels=None, seed=None)`. "
            f"Received: {prior!r}. See keras_saae.priors for examples."
        )
    shape = tuple(prior.sample(2, seed=0).shape)
    if len(shape) != 2 or shape[0] != 2:
        raise ValueError(
            f"`{name}.sample(n)` must return a tensor of shape (n, width). "
            f"`{name}.sample(2)` returned shape {shape}."
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


def check_network(name, network, input_shape=None, output_shape=None):
    """Say what is wrong with a network passed to a model.

    Args:
        name: how messages call the argument.
        network: built Keras model with one input and one output.
        input_shape: shape of one input that is needed, or None for any.
        output_shape: shape of one output that is needed, or None for any.

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
                f"number of images or codes. Received a model with {given}."
            )


def check_classifier(name, network, image_shape, num_classes):
    """Say what is wrong with a classifier q(y|x) passed to a model.

    Args:
        name: how messages call the argument.
        network: built Keras model from images to class logits.
        image_shape: shape of one image.
        num_classes: number of classes.

    Raises:
        TypeError: if it is not a Keras model.
        ValueError: if it is not built, takes or gives other shapes, or ends in
            probabilities.
    """
    check_network(name, network, tuple(image_shape), (num_classes,))
    last = network.layers[-1]
    ends = (keras.activations.softmax, keras.activations.sigmoid)
    if getattr(last, "activation", None) in ends or isinstance(
        last, keras.layers.Softmax
    ):
        raise ValueError(
            f"`{name}` must end in class logits; the losses apply the softmax. Its "
            f"last layer {last.name!r} gives probabilities. Give it no activation; for "
            "keras.applications pass classifier_activation=None."
        )


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
