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
from keras_saae.data import randomness
from keras_saae.data.splits import stratified_part

NAMES = ("mnist", "fashion_mnist", "digits")
KEYS = ("x_train", "y_train", "x_test", "y_test")
NUM_CLASSES = 10
NUM_TEST_DIGITS = 297
DOWNLOAD_URL = "https://storage.googleapis.com"

# Of the original arrays in their original order, as `Dataset.sha256` counts them.
ORIGINALS = {
    "mnist": "6107842c4e8ec488e4f7d28a4f16c45e3947df9b40d6feeae725a47a6e0048a4",
    "fashion_mnist": "f545dc5df588ab42fa7e1509462f6544b3961f3d752a4da5d64c713b92f52896",
}


@dataclass(frozen=True, eq=False)
class Dataset:
    """A data set of labelled images.

    Attributes:
        name: "mnist", "fashion_mnist" or "digits".
        x_train: uint8 images `(n, height, width)`.
        y_train: int64 labels `(n,)`.
        x_test: as `x_train`; never trained on.
        y_test: as `y_train`.
        num_classes: number of classes.
        source: where the arrays came from.
        sha256: checksum of the four arrays, the same for every source.
    """

    name: str
    x_train: np.ndarray = field(repr=False)
    y_train: np.ndarray = field(repr=False)
    x_test: np.ndarray = field(repr=False)
    y_test: np.ndarray = field(repr=False)
    num_classes: int
    source: str
    sha256: str


def load(name, data_dir=None):
    """Load a data set.

    `digits` comes with scikit-learn: 1,797 images of 8x8 pixels, 297 of them a fixed
    stratified test part. The others are looked for in this order:

    1. `<data_dir>/<name>.npz`, with the arrays `x_train`, `y_train`, `x_test` and
       `y_test`, as Keras stores them;
    2. a folder that TensorFlow Datasets prepared, in `data_dir` or its own place;
    3. the internet, through TensorFlow Datasets.

    Args:
        name: "mnist", "fashion_mnist" (60,000 + 10,000 images of 28x28) or "digits".
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
        return _dataset(name, _read_npz(path), str(path))
    folder = _prepared_folder(name, data_dir)
    if folder is None and not _online():
        raise FileNotFoundError(
            f"Data set {name!r} is not here and {DOWNLOAD_URL} cannot be reached to "
            f"download it. Put {name}.npz (arrays {', '.join(KEYS)}) into a folder "
            "and pass it as `data_dir` or in KERAS_SAAE_DATA, or use 'digits', which "
            f"needs no download. Looked in: {_places(name, data_dir)}."
        )
    dataset = _dataset(name, *_read_tfds(name, folder))
    if dataset.sha256 != ORIGINALS[name]:
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
        or _online(timeout)
    )


def _check_name(name):
    if name not in NAMES:
        close = difflib.get_close_matches(str(name), NAMES, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise ValueError(f"Unknown data set {name!r}. Known: {', '.join(NAMES)}.{hint}")


def _dataset(name, arrays, source):
    """Check the arrays of a source and bring them to one form."""
    arrays = dict(arrays)
    side = (8, 8) if name == "digits" else (28, 28)
    try:
        for part in ("train", "test"):
            x = check_images(arrays[f"x_{part}"], f"x_{part}")
            if x.dtype != np.uint8 or x.shape[1:] != side:
                raise ValueError(
                    f"`x_{part}` must be uint8 (n, {side[0]}, {side[1]}). Received "
                    f"{x.dtype} {x.shape}."
                )
            arrays[f"x_{part}"] = np.ascontiguousarray(x)
            arrays[f"y_{part}"] = check_labels(
                arrays[f"y_{part}"],
                len(x),
                NUM_CLASSES,
                f"y_{part}",
                allow_unlabelled=False,
            )
    except (TypeError, ValueError) as error:
        raise ValueError(f"{source} is no {name}: {error}") from error
    checksum = hashlib.sha256()
    for key in KEYS:
        checksum.update(f"{key} {arrays[key].dtype} {arrays[key].shape} ".encode())
        checksum.update(arrays[key])
    return Dataset(
        name=name,
        **{key: arrays[key] for key in KEYS},
        num_classes=NUM_CLASSES,
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


def _read_npz(path):
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as archive:
            missing = [key for key in KEYS if key not in archive]
            if not missing:
                return {key: archive[key] for key in KEYS}
            found = ", ".join(archive) or "nothing"
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
    raise ValueError(
        f"{path} must hold the arrays {', '.join(KEYS)}. Missing: "
        f"{', '.join(missing)}. Found: {found}."
    )


def _prepared_folder(name, data_dir):
    """Newest version that TensorFlow Datasets finished preparing, or None."""
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
    arrays = {}
    for split in ("train", "test"):
        try:
            part = tfds.as_numpy(
                builder.as_dataset(split=split, batch_size=-1, read_config=config)
            )
        except Exception as error:
            raise ValueError(
                f"{builder.data_path} cannot be read ({error}). Delete the folder to "
                "have it downloaded again."
            ) from error
        order = _tfds_order(split, len(part["label"]))
        arrays[f"x_{split}"] = np.empty_like(part["image"][..., 0])
        arrays[f"y_{split}"] = np.empty_like(part["label"])
        arrays[f"x_{split}"][order] = part["image"][..., 0]
        arrays[f"y_{split}"][order] = part["label"]
    return arrays, source


def _tfds_order(split, size):
    """Original index of each example: TensorFlow Datasets sorts them by a hash.

    Source: tensorflow_datasets/core/hashing.py and core/shuffle.py, MD5 of the
    split's name followed by the example's key, which for MNIST is its index.
    """
    return sorted(
        range(size), key=lambda i: hashlib.md5(f"{split}{i}".encode()).digest()
    )
