"""Data sets by name: from a file, from scikit-learn, from TensorFlow Datasets."""

import contextlib
import difflib
import hashlib
import os
import re
import threading
import urllib.error
import urllib.request
import warnings
import zipfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from keras_saae import backend
from keras_saae.checks import check_images, check_labels
from keras_saae.data import omniglot, randomness
from keras_saae.data.splits import stratified_part

KEYS = ("x_train", "y_train", "x_test", "y_test")
VALIDATION_KEYS = ("x_validation", "y_validation")
NUM_TEST_DIGITS = 297
DOWNLOAD_URL = "https://storage.googleapis.com"


@dataclass(frozen=True)
class Kind:
    """What a data set's arrays look like, whatever they come from.

    Attributes:
        image_shape: shape of one image.
        class_names: names of the classes in order, or only their number where the
            file itself names them.
        file_keys: arrays that `<name>.npz` must hold.
        tfds: whether TensorFlow Datasets has the images.
    """

    image_shape: tuple
    class_names: tuple | int
    file_keys: tuple = KEYS
    tfds: bool = False

    @property
    def num_classes(self):
        """Number of classes."""
        names = self.class_names
        return names if isinstance(names, int) else len(names)


KINDS = {
    "mnist": Kind((28, 28), tuple("0123456789"), tfds=True),
    "fashion_mnist": Kind(
        (28, 28),
        (
            *("t-shirt", "trouser", "pullover", "dress", "coat"),
            *("sandal", "shirt", "sneaker", "bag", "ankle boot"),
        ),
        tfds=True,
    ),
    "digits": Kind((8, 8), tuple("0123456789")),
    "omniglot": Kind((28, 28), 50, (*KEYS, "alphabets"), tfds=True),
    "caltech101_silhouettes": Kind(
        (28, 28), 101, (*KEYS, "x_val", "y_val", "classnames")
    ),
    "cifar10": Kind(
        (32, 32, 3),
        (
            *("airplane", "automobile", "bird", "cat", "deer"),
            *("dog", "frog", "horse", "ship", "truck"),
        ),
        tfds=True,
    ),
}
NAMES = tuple(KINDS)
JPEG_KEYS = tuple(
    f"{key}_{part}" for part in ("train", "test") for key in ("jpeg", "offsets", "y")
)

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
    path = _npz_path(name, data_dir)
    if path:
        return _dataset(name, *_read_npz(name, path))
    folder = _prepared_folder(name, data_dir)
    if folder is None and not _downloadable(name):
        why = (
            f"{DOWNLOAD_URL} cannot be reached to download it"
            if KINDS[name].tfds
            else "TensorFlow Datasets does not have it in this form"
        )
        raise FileNotFoundError(
            f"Data set {name!r} is not here and {why}. Put {name}.npz (arrays "
            f"{', '.join(KINDS[name].file_keys)}) into a folder and pass it as "
            "`data_dir` or in KERAS_SAAE_DATA, or use 'digits', which needs no "
            f"download. Looked in: {_places(name, data_dir)}."
        )
    dataset = _dataset(name, *_read_tfds(name, folder))
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
        or _npz_path(name, data_dir) is not None
        or _prepared_folder(name, data_dir) is not None
        or _downloadable(name, timeout)
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


def _data_dir(data_dir):
    data_dir = data_dir or os.environ.get("KERAS_SAAE_DATA")
    return Path(data_dir).expanduser() if data_dir else None


def _tfds_dir():
    return Path(os.environ.get("TFDS_DATA_DIR", "~/tensorflow_datasets")).expanduser()


def _places(name, data_dir):
    data_dir = _data_dir(data_dir)
    places = [data_dir / f"{name}.npz", data_dir / name] if data_dir else []
    return ", ".join(map(str, [*places, _tfds_dir() / name]))


def _npz_path(name, data_dir):
    data_dir = _data_dir(data_dir)
    path = data_dir / f"{name}.npz" if data_dir else None
    return path if path and path.is_file() else None


def _read_npz(name, path):
    """Read a file; return arrays, source."""
    keys = KINDS[name].file_keys
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as archive:
            if name == "cifar10" and "jpeg_train" in archive:
                keys = JPEG_KEYS
            missing = [key for key in keys if key not in archive]
            found = ", ".join(archive) or "nothing"
            arrays = {key: archive[key] for key in keys if key in archive}
    except (
        EOFError,
        NotImplementedError,
        TypeError,  # np.load returned a bare array
        ValueError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        raise ValueError(
            f"{path} cannot be read: it is truncated, is no .npz archive, or holds "
            f"pickled objects, which are never unpickled ({error}). Copy or download "
            "it again."
        ) from error
    if missing:
        raise ValueError(
            f"{path} must hold the arrays {', '.join(keys)}. Missing: "
            f"{', '.join(missing)}. Found: {found}."
        )
    if name == "omniglot":
        arrays["class_names"] = arrays["alphabets"]
    elif name == "caltech101_silhouettes":
        arrays = _silhouettes(arrays, path)
    elif keys == JPEG_KEYS:
        return _decoded(arrays, path), f"{path} (JPEG copies of the images)"
    elif name == "cifar10":  # Keras' labels are a column
        for key in ("y_train", "y_test"):
            if arrays[key].shape[1:] == (1,):
                arrays[key] = arrays[key][:, 0]
    return arrays, str(path)


def _silhouettes(arrays, path):
    """Arrays under our names, with black 0 and white 255 in the place of 0 and 1."""
    for part in ("train", "val", "test"):
        x = arrays[f"x_{part}"]
        if x.size and x.max() > 1:
            raise ValueError(
                f"{path} is no caltech101_silhouettes: `x_{part}` must hold 0 (object) "
                f"and 1 (background). Received values up to {x.max()}."
            )
        arrays[f"x_{part}"] = x * np.uint8(255)
    arrays["x_validation"], arrays["y_validation"] = arrays["x_val"], arrays["y_val"]
    arrays["class_names"] = arrays["classnames"]
    return arrays


def _decoded(arrays, path):
    """Arrays of a file of JPEG files."""
    from PIL import Image

    height, width, _ = KINDS["cifar10"].image_shape
    for part in ("train", "test"):
        content = arrays[f"jpeg_{part}"].tobytes()
        offsets = arrays[f"offsets_{part}"]
        x = np.empty((max(len(offsets) - 1, 0), height, width, 3), "uint8")
        try:
            for k in range(len(x)):
                file = content[offsets[k] : offsets[k + 1]]
                # Twice as fast as Image.open, which also reads what a header may hold.
                image = Image.frombytes("RGB", (width, height), file, "jpeg", "RGB", "")
                x[k] = np.asarray(image)
        except ValueError as error:
            raise ValueError(
                f"{path} cannot be read: image {k} of `jpeg_{part}` is no JPEG file of "
                f"{height}x{width} pixels ({error}). Copy or download it again."
            ) from error
        arrays[f"x_{part}"] = x
    return arrays


def _prepared_folder(name, data_dir):
    """Newest version that TensorFlow Datasets finished preparing, or None."""
    if not KINDS[name].tfds:
        return None
    for root in filter(None, (_data_dir(data_dir), _tfds_dir())):
        folders = [
            info.parent
            for info in (root / name).glob("*/dataset_info.json")
            if re.fullmatch(r"\d+\.\d+\.\d+", info.parent.name)
        ]
        if folders:
            return max(folders, key=lambda f: [int(n) for n in f.name.split(".")])
    return None


def _online(timeout=5.0):
    """Whether the download host answers; never waits longer than `timeout` seconds.

    TensorFlow Datasets itself retries for minutes. Proxies from the environment are
    used. Looking up a name knows no time limit, hence the thread.
    """
    answered = []

    def probe():
        with contextlib.suppress(OSError):
            try:
                urllib.request.urlopen(DOWNLOAD_URL, timeout=timeout).close()
            except urllib.error.HTTPError:
                pass  # an error page is an answer
            answered.append(True)

    thread = threading.Thread(target=probe, daemon=True)
    thread.start()
    thread.join(timeout)
    return bool(answered)


def _downloadable(name, timeout=5.0):
    return KINDS[name].tfds and _online(timeout)


def _read_tfds(name, folder):
    """Read a prepared folder or, if that is None, download; return arrays, source."""
    import tensorflow_datasets as tfds

    backend.keep_tensorflow_off_gpu()
    if folder is None:
        builder = tfds.builder(name)
        builder.download_and_prepare()
    else:
        builder = tfds.builder_from_directory(folder)
    source = f"TensorFlow Datasets {builder.info.full_name}"
    config = tfds.ReadConfig(interleave_cycle_length=1)
    try:
        if name == "omniglot":
            return omniglot.read_drawings(_drawings(builder, config)), source
        parts = {
            split: tfds.as_numpy(
                builder.as_dataset(split=split, batch_size=-1, read_config=config)
            )
            for split in ("train", "test")
        }
    except Exception as error:
        raise ValueError(
            f"{builder.data_path} cannot be read ({error}). Delete the folder to "
            "have it downloaded again."
        ) from error
    arrays = {}
    for split, part in parts.items():
        order = _tfds_order(split, len(part["label"]))
        images = part["image"]
        if images.shape[-1] == 1:
            images = images[..., 0]
        arrays[f"x_{split}"] = np.empty_like(images)
        arrays[f"y_{split}"] = np.empty_like(part["label"])
        arrays[f"x_{split}"][order] = images
        arrays[f"y_{split}"][order] = part["label"]
    return arrays, source


def _drawings(builder, config):
    """Omniglot's examples by split, with names of alphabets."""
    import tensorflow_datasets as tfds

    alphabets = builder.info.features["alphabet"]
    return {
        split: (
            {**example, "alphabet": alphabets.int2str(int(example["alphabet"]))}
            for example in tfds.as_numpy(
                builder.as_dataset(split=split, read_config=config)
            )
        )
        for split in builder.info.splits
    }


def _tfds_order(split, size):
    """Original index of each example: TensorFlow Datasets sorts them by a hash.

    Source: tensorflow_datasets/core/hashing.py and core/shuffle.py, MD5 of the
    split's name followed by the example's key, which for these is its index.
    """
    return sorted(
        range(size), key=lambda i: hashlib.md5(f"{split}{i}".encode()).digest()
    )
