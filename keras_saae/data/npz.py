"""Data sets from `<name>.npz`, each in the form in which it is handed around."""

import os
import zipfile
import zlib
from pathlib import Path

import numpy as np

from keras_saae.data.kinds import KINDS

JPEG_KEYS = tuple(
    f"{key}_{part}" for part in ("train", "test") for key in ("jpeg", "offsets", "y")
)


def data_folder(data_dir):
    """The folder of data files that was given or named by KERAS_SAAE_DATA, or None."""
    data_dir = data_dir or os.environ.get("KERAS_SAAE_DATA")
    return Path(data_dir).expanduser() if data_dir else None


def npz_path(name, data_dir):
    """The file of a data set, or None if there is none."""
    data_dir = data_folder(data_dir)
    path = data_dir / f"{name}.npz" if data_dir else None
    return path if path and path.is_file() else None


def read_npz(name, path):
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
