"""Data sets by name, from whichever place has them, brought to one form."""

import difflib
import hashlib
import warnings
from dataclasses import dataclass, field

import numpy as np

from keras_saae.checks import check_images, check_labels
from keras_saae.data import prepared, randomness
from keras_saae.data.kinds import KEYS, KINDS, NAMES, VALIDATION_KEYS
from keras_saae.data.npz import data_folder, npz_path, read_npz
from keras_saae.data.splits import stratified_part

NUM_TEST_DIGITS = 297


# Of the original arrays in their original order, as `Dataset.sha256` counts them. Of
# Omniglot there is no such file at hand; that of CIFAR-10 we have not seen.
ORIGINALS = {
    "mnist": "6107842c4e8ec488e4f7d28a4f16c45e3947df9b40d6feeae725a47a6e0048a4",
    "fashion_mnist": "f545dc5df588ab42fa7e1509462f6544b3961f3d752a4da5d64c713b92f52896",
    "caltech101_silhouettes": (
        "626ebce0cccf0972f18778cefad5073262975cfa4f411ebef6e9d8609cbee7c5"
    ),
}


@dataclass(frozen=True, eq=False)
class Dataset:
    """A data set of labelled images.

    Attributes:
        name: as given to `load`.
        x_train: uint8 images `(n, height, width[, channels])`.
        y_train: int64 labels `(n,)`.
        x_test: as `x_train`; never trained on.
        y_test: as `y_train`.
        num_classes: number of classes.
        source: where the arrays came from.
        sha256: checksum of all images and labels, the same for every source.
        class_names: `num_classes` strings.
        x_validation: as `x_train`, where the data set has a validation part of its
            own (then hold out no other: `split_labels(..., validation=0)`); else None.
        y_validation: as `y_train`, or None.
    """

    name: str
    x_train: np.ndarray = field(repr=False)
    y_train: np.ndarray = field(repr=False)
    x_test: np.ndarray = field(repr=False)
    y_test: np.ndarray = field(repr=False)
    num_classes: int
    source: str
    sha256: str
    class_names: tuple = field(repr=False)
    x_validation: np.ndarray | None = field(default=None, repr=False)
    y_validation: np.ndarray | None = field(default=None, repr=False)


def load(name, data_dir=None):
    """Load a data set.

    | name | images to train + test on | what they show |
    | --- | --- | --- |
    | `mnist` | 60,000 + 10,000 of 28x28 | ten digits, bright ink on 0 |
    | `fashion_mnist` | 60,000 + 10,000 of 28x28 | ten kinds of clothes on 0 |
    | `digits` | 1,500 + 297 of 8x8 | ten digits, bright ink on 0 |
    | `omniglot` | 24,345 + 8,070 of 28x28 | 50 alphabets, bright ink on 0 |
    | `caltech101_silhouettes` | 4,100 + 2,307 of 28x28 | 101 kinds, 0 on white 255 |
    | `cifar10` | 50,000 + 10,000 of 32x32x3 | photographs of ten kinds |

    The silhouettes have 2,264 more images for validation, and the polarity in which
    they were published; papers often invert them, `255 - x`. Omniglot is split as by
    Burda, Grosse and Salakhutdinov (2016), by drawer, and ordered by alphabet: shuffle
    it before you take a part.

    `digits` comes with scikit-learn; 297 of its 1,797 images are a fixed stratified
    test part. The others are looked for in this order:

    1. `<data_dir>/<name>.npz`, with the arrays `x_train`, `y_train`, `x_test` and
       `y_test`, as Keras stores them. Beside them, Omniglot's file has `alphabets`, the
       silhouettes' has `x_val`, `y_val` and `classnames`, and its pixels are 0 and 1.
       That of CIFAR-10 may instead hold JPEG files, one after another, in
       `jpeg_<part>`, the k-th from `offsets_<part>[k]` to `offsets_<part>[k + 1]`:
       they are decoded here, once, and are not the exact pixels of the original;
    2. a folder that TensorFlow Datasets prepared, in `data_dir` or its own place;
    3. the internet, through TensorFlow Datasets, except the silhouettes. Omniglot's
       drawings are brought to 28x28 here.

    Args:
        name: a name of the table.
        data_dir: folder of data files. By default the environment variable
            `KERAS_SAAE_DATA`, if set.

    Returns:
        A `Dataset`.

    Raises:
        ValueError: if the name is unknown or a data file is damaged.
        FileNotFoundError: if the data set is not here and cannot be downloaded.
    """
    _check_name(name)
    if name == "digits":
        return _digits()
    path = npz_path(name, data_dir)
    if path:
        return _dataset(name, *read_npz(name, path))
    folder = prepared.prepared_folder(name, data_dir)
    if folder is None and not prepared.downloadable(name):
        why = (
            f"{prepared.DOWNLOAD_URL} cannot be reached to download it"
            if KINDS[name].tfds
            else "TensorFlow Datasets does not have it in this form"
        )
        raise FileNotFoundError(
            f"Data set {name!r} is not here and {why}. Put {name}.npz (arrays "
            f"{', '.join(KINDS[name].file_keys)}) into a folder and pass it as "
            "`data_dir` or in KERAS_SAAE_DATA, or use 'digits', which needs no "
            f"download. Looked in: {_places(name, data_dir)}."
        )
    dataset = _dataset(name, *prepared.read_tfds(name, folder))
    if dataset.sha256 != ORIGINALS.get(name, dataset.sha256):
        warnings.warn(
            f"{dataset.source} differs from the original {name} in content or order: "
            "splits and results will not match those of other sources.",
            stacklevel=2,
        )
    return dataset


def available(name, data_dir=None, timeout=5.0):
    """Tell whether `load` would find the data set, here or on the internet.

    Args:
        name: as in `load`.
        data_dir: as in `load`.
        timeout: longest wait for the internet, in seconds.

    Returns:
        bool. A damaged file counts as available: `load` says what is wrong with it.

    Raises:
        ValueError: if the name is unknown.
    """
    _check_name(name)
    return (
        name == "digits"
        or npz_path(name, data_dir) is not None
        or prepared.prepared_folder(name, data_dir) is not None
        or prepared.downloadable(name, timeout)
    )


def _check_name(name):
    if name not in NAMES:
        close = difflib.get_close_matches(str(name), NAMES, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise ValueError(f"Unknown data set {name!r}. Known: {', '.join(NAMES)}.{hint}")


def _dataset(name, arrays, source):
    """Check the arrays of a source and bring them to one form."""
    kind, arrays = KINDS[name], dict(arrays)
    keys = (*KEYS, *(VALIDATION_KEYS if "x_validation" in arrays else ()))
    names = arrays.get("class_names", kind.class_names)
    shape = ", ".join(map(str, ("n", *kind.image_shape)))
    try:
        if len(names) != kind.num_classes:
            raise ValueError(
                f"it must name {kind.num_classes} classes. Received {len(names)} names."
            )
        for key in keys:
            part = key[2:]
            if key.startswith("y"):
                x, y = arrays[f"x_{part}"], arrays[key]
                arrays[key] = check_labels(
                    y, len(x), kind.num_classes, key, allow_unlabelled=False
                )
                continue
            x = check_images(arrays[key], key)
            if x.dtype != np.uint8 or x.shape[1:] != kind.image_shape:
                raise ValueError(
                    f"`{key}` must be uint8 ({shape}). Received {x.dtype} {x.shape}."
                )
            arrays[key] = np.ascontiguousarray(x)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{source} is no {name}: {error}") from error
    checksum = hashlib.sha256()
    for key in keys:
        checksum.update(f"{key} {arrays[key].dtype} {arrays[key].shape} ".encode())
        checksum.update(arrays[key])
    return Dataset(
        name=name,
        **{key: arrays[key] for key in keys},
        num_classes=kind.num_classes,
        class_names=tuple(map(str, names)),
        source=source,
        sha256=checksum.hexdigest(),
    )


def _digits():
    from sklearn.datasets import load_digits

    digits = load_digits()
    x = np.rint(digits.images * (255 / 16)).astype("uint8")  # 16 grey levels
    y = digits.target
    test = stratified_part(y, NUM_TEST_DIGITS, randomness.TEST_PART)
    train = np.setdiff1d(np.arange(len(y)), test)
    arrays = zip(KEYS, (x[train], y[train], x[test], y[test]), strict=True)
    return _dataset("digits", arrays, "scikit-learn load_digits")


def _places(name, data_dir):
    data_dir = data_folder(data_dir)
    places = [data_dir / f"{name}.npz", data_dir / name] if data_dir else []
    return ", ".join(map(str, [*places, prepared.tfds_folder() / name]))
