"""Data sets from TensorFlow Datasets, prepared or downloaded."""

import contextlib
import hashlib
import os
import re
import threading
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np

from keras_saae import backend
from keras_saae.data import omniglot
from keras_saae.data.kinds import KINDS
from keras_saae.data.npz import data_folder

DOWNLOAD_URL = "https://storage.googleapis.com"


def tfds_folder():
    """Where TensorFlow Datasets keeps what it prepared."""
    return Path(os.environ.get("TFDS_DATA_DIR", "~/tensorflow_datasets")).expanduser()


def prepared_folder(name, data_dir):
    """Newest version that TensorFlow Datasets finished preparing, or None."""
    if not KINDS[name].tfds:
        return None
    for root in filter(None, (data_folder(data_dir), tfds_folder())):
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


def downloadable(name, timeout=5.0):
    """Whether a data set can be had from the internet now."""
    return KINDS[name].tfds and _online(timeout)


def read_tfds(name, folder):
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
