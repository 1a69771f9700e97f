"""Data sets by name."""

import http.server
import io
import os
import pickle
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from keras_saae import data
from keras_saae.data import loading, prepared

REAL_DATA_DIR = os.environ.get("KERAS_SAAE_DATA")


@pytest.fixture(autouse=True)
def nothing_around(monkeypatch, tmp_path):
    """No data folder, no prepared data set, no internet."""
    monkeypatch.delenv("KERAS_SAAE_DATA", raising=False)
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "tfds"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(prepared, "DOWNLOAD_URL", "http://127.0.0.1:9")


def tiny_arrays():
    rng = np.random.default_rng(0)
    return {
        "x_train": rng.integers(0, 256, (20, 28, 28), "uint8"),
        "y_train": (np.arange(20) % 10).astype("uint8"),
        "x_test": rng.integers(0, 256, (10, 28, 28), "uint8"),
        "y_test": np.arange(10, dtype="uint8"),
    }


def write(folder, name="mnist", **changes):
    path = folder / f"{name}.npz"
    arrays = {**tiny_arrays(), **changes}
    np.savez(path, **{k: v for k, v in arrays.items() if v is not None})
    return path


def test_digits_come_with_a_stratified_test_part():
    digits = data.load("digits")
    assert digits.x_train.shape == (1500, 8, 8)
    assert digits.x_test.shape == (297, 8, 8)
    counts = np.bincount(digits.y_test)
    assert counts.max() - counts.min() <= 1


def test_digits_use_the_whole_range_of_uint8():
    digits = data.load("digits")
    levels = np.unique(digits.x_train)
    assert levels.dtype == np.uint8
    assert levels.tolist() == [round(v * 255 / 16) for v in range(17)]


def test_digits_are_the_same_on_every_machine():
    assert data.load("digits").sha256.startswith("2d4faa50d5fa1180")


def test_a_file_in_data_dir_is_read(tmp_path):
    path = write(tmp_path)
    mnist = data.load("mnist", tmp_path)
    np.testing.assert_array_equal(mnist.x_train, tiny_arrays()["x_train"])
    assert mnist.y_test.tolist() == list(range(10))
    assert (mnist.y_test.dtype, mnist.num_classes) == (np.int64, 10)
    assert mnist.source == str(path)


def test_the_environment_variable_names_the_folder(tmp_path, monkeypatch):
    write(tmp_path, "fashion_mnist")
    monkeypatch.setenv("KERAS_SAAE_DATA", str(tmp_path))
    assert data.load("fashion_mnist").name == "fashion_mnist"


def test_the_argument_beats_the_environment_variable(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_SAAE_DATA", str(tmp_path))
    write(tmp_path, x_train=None)
    folder = tmp_path / "good"
    folder.mkdir()
    path = write(folder)
    assert data.load("mnist", folder).source == str(path)


def test_the_checksum_is_of_the_arrays_not_of_the_file(tmp_path):
    write(tmp_path)
    first = data.load("mnist", tmp_path).sha256
    np.savez_compressed(tmp_path / "mnist.npz", **tiny_arrays())
    assert data.load("mnist", tmp_path).sha256 == first


def test_the_checksum_sees_a_changed_pixel(tmp_path):
    write(tmp_path)
    first = data.load("mnist", tmp_path).sha256
    changed = tiny_arrays()["x_test"]
    changed[3, 4, 5] ^= 1
    write(tmp_path, x_test=changed)
    assert data.load("mnist", tmp_path).sha256 != first


@pytest.mark.parametrize(
    ("name", "train", "test"),
    [
        ("mnist", (60_000, 28, 28), 10_000),
        ("fashion_mnist", (60_000, 28, 28), 10_000),
        ("omniglot", (24_345, 28, 28), 8_070),
        ("caltech101_silhouettes", (4_100, 28, 28), 2_307),
        ("cifar10", (50_000, 32, 32, 3), 10_000),
    ],
)
def test_real_files_hold_the_original_arrays(name, train, test):
    if not (REAL_DATA_DIR and Path(REAL_DATA_DIR, f"{name}.npz").is_file()):
        pytest.skip(f"KERAS_SAAE_DATA holds no {name}.npz")
    found = data.load(name, REAL_DATA_DIR)
    assert (found.x_train.shape, len(found.x_test)) == (train, test)
    assert np.bincount(found.y_train, minlength=found.num_classes).all()
    assert found.sha256 == loading.ORIGINALS.get(name, found.sha256)


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(ValueError, match="Known: mnist, fashion_mnist, digits"):
        data.load("svhn")


def test_a_misspelt_name_gets_a_suggestion():
    with pytest.raises(ValueError, match="Did you mean 'mnist'"):
        data.available("mnits")


@pytest.mark.parametrize("kept", [0, 10, 1000, 20_000])
def test_a_truncated_file_is_named(tmp_path, kept):
    path = write(tmp_path)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(ValueError, match="mnist.npz cannot be read: it is truncated"):
        data.load("mnist", tmp_path)


def test_a_damaged_member_is_named(tmp_path):
    path = write(tmp_path)
    content = bytearray(path.read_bytes())
    content[5000:5100] = bytes(100)
    path.write_bytes(content)
    with pytest.raises(ValueError, match="mnist.npz cannot be read"):
        data.load("mnist", tmp_path)


def test_a_single_array_is_no_data_set(tmp_path):
    with open(tmp_path / "mnist.npz", "wb") as file:
        np.save(file, np.zeros(3))
    with pytest.raises(ValueError, match="mnist.npz cannot be read"):
        data.load("mnist", tmp_path)


def test_missing_keys_are_named(tmp_path):
    write(tmp_path, x_train=None, y_train=None, images=np.zeros(3))
    with pytest.raises(ValueError, match="Missing: x_train, y_train. Found: .*images"):
        data.load("mnist", tmp_path)


class Bomb:
    """Writes a file when it is unpickled."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return open, (self.path, "w")


def test_pickled_arrays_are_never_unpickled(tmp_path):
    write(tmp_path, y_train=np.array([Bomb(tmp_path / "boom")], dtype=object))
    with pytest.raises(ValueError, match="never unpickled"):
        data.load("mnist", tmp_path)
    assert not (tmp_path / "boom").exists()


def test_a_pickle_is_never_unpickled(tmp_path):
    (tmp_path / "mnist.npz").write_bytes(pickle.dumps(Bomb(tmp_path / "boom")))
    with pytest.raises(ValueError, match="never unpickled"):
        data.load("mnist", tmp_path)
    assert not (tmp_path / "boom").exists()


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"x_train": np.zeros((20, 32, 32), "uint8")}, r"uint8 \(n, 28, 28\)"),
        ({"x_train": np.zeros((20, 784), "uint8")}, r"\(20, 784\)"),
        ({"x_test": np.zeros((10, 28, 28), "float32")}, r"Received float32"),
        ({"y_train": np.zeros(19, "uint8")}, "20 images and 19 labels"),
        ({"y_train": np.full(20, 10)}, "Received 10"),
        ({"y_test": np.full(10, -1)}, "Received -1"),
        ({"y_test": np.eye(10)}, "argmax"),
        ({"y_test": np.zeros(10)}, "must hold integers"),
    ],
)
def test_wrong_arrays_are_named_with_their_file(tmp_path, changes, message):
    write(tmp_path, **changes)
    with pytest.raises(ValueError, match=f"mnist.npz is no mnist: .*{message}"):
        data.load("mnist", tmp_path)


def test_digits_are_always_available():
    assert data.available("digits")


def test_a_file_makes_its_data_set_available(tmp_path):
    write(tmp_path)
    assert data.available("mnist", tmp_path)
    assert not data.available("fashion_mnist", tmp_path)


def test_data_that_cannot_be_had_says_where_it_was_looked_for(tmp_path):
    with pytest.raises(FileNotFoundError, match=f"Looked in: {tmp_path}/mnist.npz"):
        data.load("mnist", tmp_path)


def test_an_unfinished_tfds_folder_does_not_count(tmp_path):
    folder = tmp_path / "tfds" / "mnist" / "3.0.1.incompleteABC"
    folder.mkdir(parents=True)
    (folder / "dataset_info.json").touch()
    assert not data.available("mnist")


def test_a_host_that_answers_makes_data_available(monkeypatch):
    class NotFound(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_error(404)

        def log_message(self, *args):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), NotFound) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setattr(prepared, "DOWNLOAD_URL", url)
        assert data.available("mnist")


def test_a_host_that_never_answers_costs_no_more_than_the_timeout(monkeypatch):
    released = threading.Event()

    def hang(*args, **kwargs):
        released.wait()
        raise OSError

    monkeypatch.setattr(prepared.urllib.request, "urlopen", hang)
    start = time.monotonic()
    assert not data.available("mnist", timeout=0.1)
    assert time.monotonic() - start < 5
    released.set()


def prepare(folder, name, version, arrays):
    """Stores a tiny data set as TensorFlow Datasets stores the real one."""
    tfds = pytest.importorskip("tensorflow_datasets")
    shape = arrays["x_train"].shape[1:]
    features = tfds.features.FeaturesDict(
        {
            "image": tfds.features.Image(shape=(*shape, 1)[:3]),
            "label": tfds.features.ClassLabel(num_classes=10),
        }
    )
    examples = {
        part: [
            (key, {"image": x.reshape((*shape, 1)[:3]), "label": int(y)})
            for key, (x, y) in enumerate(
                zip(arrays[f"x_{part}"], arrays[f"y_{part}"], strict=True)
            )
        ]
        for part in ("train", "test")
    }
    tfds.dataset_builders.store_as_tfds_dataset(
        name, version, features, examples, data_dir=folder
    )


@pytest.fixture
def prepared_mnist(tmp_path):
    prepare(tmp_path / "tfds", "mnist", "3.0.1", tiny_arrays())
    return tmp_path / "tfds"


def test_a_prepared_tfds_folder_gives_the_arrays_in_their_original_order(
    prepared_mnist, tmp_path, monkeypatch
):
    write(tmp_path)
    from_file = data.load("mnist", tmp_path)
    monkeypatch.setitem(loading.ORIGINALS, "mnist", from_file.sha256)
    from_tfds = data.load("mnist")
    np.testing.assert_array_equal(from_tfds.y_train, from_file.y_train)
    assert from_tfds.sha256 == from_file.sha256
    assert from_tfds.source == "TensorFlow Datasets mnist/3.0.1"


def test_a_prepared_tfds_folder_is_found_in_data_dir(prepared_mnist, monkeypatch):
    monkeypatch.delenv("TFDS_DATA_DIR")
    monkeypatch.setenv("HOME", str(prepared_mnist / "nobody"))
    with pytest.warns(UserWarning, match="differs from the original mnist"):
        assert len(data.load("mnist", prepared_mnist).x_train) == 20


def test_a_damaged_tfds_folder_is_named(prepared_mnist):
    for record in prepared_mnist.glob("mnist/3.0.1/*train*"):
        record.write_bytes(record.read_bytes()[:200])
    with pytest.raises(ValueError, match="3.0.1 cannot be read"):
        data.load("mnist")


# Omniglot, Caltech 101 silhouettes and CIFAR-10: forms of their own.


def write_omniglot(folder, **changes):
    alphabets = np.array([f"alphabet {k}" for k in range(50)])
    return write(folder, "omniglot", **{"alphabets": alphabets, **changes})


def test_omniglot_has_fifty_alphabets_as_classes(tmp_path):
    write_omniglot(tmp_path, y_test=np.full(10, 49))
    omniglot = data.load("omniglot", tmp_path)
    assert (omniglot.num_classes, omniglot.y_test[0]) == (50, 49)
    assert omniglot.class_names[49] == "alphabet 49"
    np.testing.assert_array_equal(omniglot.x_train, tiny_arrays()["x_train"])


def test_a_file_must_name_all_classes(tmp_path):
    write_omniglot(tmp_path, alphabets=np.array(["Greek", "Latin"]))
    with pytest.raises(ValueError, match="name 50 classes. Received 2"):
        data.load("omniglot", tmp_path)


def silhouettes(n):
    return np.random.default_rng(n).integers(0, 2, (n, 28, 28), "uint8")


def write_silhouettes(folder, **changes):
    arrays = {
        **{f"x_{part}": silhouettes(n) for part, n in SILHOUETTES.items()},
        **{f"y_{part}": np.full(n, n) for part, n in SILHOUETTES.items()},
        "classnames": np.array([f"kind {k}" for k in range(101)]),
    }
    return write(folder, "caltech101_silhouettes", **{**arrays, **changes})


SILHOUETTES = {"train": 6, "val": 5, "test": 4}


def test_silhouettes_come_in_three_parts(tmp_path):
    write_silhouettes(tmp_path)
    found = data.load("caltech101_silhouettes", tmp_path)
    assert found.y_train.tolist() == [6] * 6
    assert found.y_validation.tolist() == [5] * 5
    assert found.y_test.tolist() == [4] * 4
    assert (found.num_classes, found.class_names[100]) == (101, "kind 100")


def test_silhouettes_keep_their_polarity_object_black_on_white(tmp_path):
    write_silhouettes(tmp_path)
    found = data.load("caltech101_silhouettes", tmp_path)
    np.testing.assert_array_equal(found.x_validation, 255 * silhouettes(5))
    np.testing.assert_array_equal(found.x_test, 255 * silhouettes(4))


def test_the_checksum_sees_the_validation_part(tmp_path):
    write_silhouettes(tmp_path)
    first = data.load("caltech101_silhouettes", tmp_path).sha256
    write_silhouettes(tmp_path, x_val=1 - silhouettes(5))
    assert data.load("caltech101_silhouettes", tmp_path).sha256 != first


def test_silhouettes_with_grey_levels_are_refused(tmp_path):
    write_silhouettes(tmp_path, x_val=silhouettes(5) * np.uint8(7))
    with pytest.raises(ValueError, match="`x_val` must hold 0 .* up to 7"):
        data.load("caltech101_silhouettes", tmp_path)


def test_other_data_sets_have_no_validation_part_of_their_own(tmp_path):
    write(tmp_path)
    mnist = data.load("mnist", tmp_path)
    assert mnist.x_validation is None and mnist.y_validation is None


def photographs(n):
    """Colour images `(n, 32, 32, 3)` that change slowly, so that JPEG keeps them."""
    ramp = np.linspace(0, 200, 32)
    x = ramp[None, :, None, None] + 0.5 * ramp[None, None, :, None] * [1, 0.5, 0]
    return np.clip(x + 5 * np.arange(n)[:, None, None, None], 0, 255).astype("uint8")


def jpeg(x):
    file = io.BytesIO()
    Image.fromarray(x).save(file, "JPEG", quality=95, subsampling=0)
    return file.getvalue()


def write_keras_cifar10(folder, **changes):
    arrays = {
        "x_train": photographs(12),
        "y_train": np.arange(12)[:, None] % 10,  # a column, as Keras has it
        "x_test": photographs(3)[::-1],
        "y_test": np.arange(3)[:, None],
    }
    return write(folder, "cifar10", **{**arrays, **changes})


def write_jpeg_cifar10(folder, **changes):
    arrays = dict.fromkeys(tiny_arrays())
    for part, x in (("train", photographs(12)), ("test", photographs(3)[::-1])):
        files = [jpeg(image) for image in x]
        arrays[f"jpeg_{part}"] = np.frombuffer(b"".join(files), "uint8")
        arrays[f"offsets_{part}"] = np.cumsum([0, *map(len, files)])
        arrays[f"y_{part}"] = (np.arange(len(x)) % 10).astype("uint8")
    return write(folder, "cifar10", **{**arrays, **changes})


def test_cifar10_is_read_as_keras_stores_it(tmp_path):
    write_keras_cifar10(tmp_path)
    cifar = data.load("cifar10", tmp_path)
    np.testing.assert_array_equal(cifar.x_train, photographs(12))
    assert cifar.y_test.tolist() == [0, 1, 2]
    assert cifar.class_names[:3] == ("airplane", "automobile", "bird")


def test_cifar10_is_read_from_jpeg_files(tmp_path):
    path = write_jpeg_cifar10(tmp_path)
    cifar = data.load("cifar10", tmp_path)
    difference = cifar.x_test.astype(int) - photographs(3)[::-1]
    assert cifar.x_train.shape == (12, 32, 32, 3)
    assert 0 < np.abs(difference).max() < 12  # another image of the three: 5 or 10 off
    assert np.abs(difference.mean(axis=(1, 2, 3))).max() < 1
    assert cifar.y_train.tolist() == [*range(10), 0, 1]
    assert cifar.source == f"{path} (JPEG copies of the images)"


def test_a_damaged_jpeg_file_is_named(tmp_path):
    path = write_jpeg_cifar10(tmp_path)
    with np.load(path) as archive:
        content, offsets = archive["jpeg_test"].copy(), archive["offsets_test"]
    content[offsets[1] : offsets[2]] = 7
    write_jpeg_cifar10(tmp_path, jpeg_test=content)
    with pytest.raises(ValueError, match="image 1 of `jpeg_test` is no JPEG file"):
        data.load("cifar10", tmp_path)


def test_jpeg_files_and_labels_of_different_number_are_refused(tmp_path):
    write_jpeg_cifar10(tmp_path, y_train=np.zeros(11, "uint8"))
    with pytest.raises(ValueError, match="12 images and 11 labels"):
        data.load("cifar10", tmp_path)


def test_a_jpeg_file_without_offsets_names_what_is_missing(tmp_path):
    write_jpeg_cifar10(tmp_path, offsets_test=None)
    with pytest.raises(ValueError, match="Missing: offsets_test"):
        data.load("cifar10", tmp_path)


def test_cifar10_from_tfds_equals_that_from_a_file(tmp_path):
    write_keras_cifar10(tmp_path)
    from_file = data.load("cifar10", tmp_path)
    arrays = {key: getattr(from_file, key) for key in loading.KEYS}
    prepare(tmp_path / "tfds", "cifar10", "3.0.2", arrays)
    from_tfds = data.load("cifar10")
    assert from_tfds.sha256 == from_file.sha256
    assert from_tfds.source == "TensorFlow Datasets cifar10/3.0.2"


def test_what_tfds_lacks_is_not_looked_for_there(tmp_path, monkeypatch):
    name = "caltech101_silhouettes"
    monkeypatch.setattr(prepared, "_online", lambda timeout=5.0: True)
    folder = tmp_path / "tfds" / name / "3.0.0"
    folder.mkdir(parents=True)
    (folder / "dataset_info.json").touch()
    assert not data.available(name)
    with pytest.raises(FileNotFoundError, match="does not have it.*x_train"):
        data.load(name)
