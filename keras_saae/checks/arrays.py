"""Images, labels and groups of classes."""

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
