"""Images that stay on disk until a batch needs them."""

import pathlib
import re
import tracemalloc

import numpy as np
import pytest
import tiny

from keras_saae.checks import check_images, is_lazy
from keras_saae.data import LazyImages, SemiSupervisedDataset, Subset


def numbered(k):
    return np.full((2, 2), k, "uint8")


def lazy(n=20):
    """Images that tell their number, and the list of numbers read so far."""
    read = []

    def note(k):
        read.append(k)
        return numbered(k)

    return LazyImages(range(n), note, (2, 2)), read


def numbers(images):
    return images[:, 0, 0].tolist()


@pytest.mark.parametrize(
    ("index", "expected"),
    [
        (slice(2, 5), [2, 3, 4]),
        (slice(None, None, -7), [19, 12, 5]),
        ([3, 3, -1], [3, 3, 19]),
        (np.arange(20) > 17, [18, 19]),
        ([], []),
    ],
)
def test_lazy_images_are_indexed_like_an_array(index, expected):
    index = np.array(index, "int64") if isinstance(index, list) else index
    images, read = lazy()
    chosen = images[index]
    assert (chosen.dtype, chosen.shape[1:]) == (np.uint8, (2, 2))
    assert numbers(chosen) == expected
    assert sorted(read) == sorted(expected)


def test_an_integer_gives_one_image():
    images, _ = lazy()
    np.testing.assert_array_equal(images[-1], numbered(19))
    with pytest.raises(IndexError):
        images[20]


def test_going_through_lazy_images_ends_after_the_last():
    assert [image[0, 0] for image in lazy(3)[0]] == [0, 1, 2]


def test_a_subset_reads_only_what_is_asked_for():
    images, read = lazy()
    some = Subset(Subset(images, np.arange(20) % 2 == 1), [0, 4, 9])  # 1, 9, 19
    assert (some.shape, len(some), read) == ((3, 2, 2), 3, [])
    assert numbers(some[1:]) == [9, 19]
    assert sorted(read) == [9, 19]


def test_arrays_and_tensors_are_not_lazy():
    x = tiny.images(3)
    assert not is_lazy(x) and not is_lazy(tiny.batch()["x"]) and not is_lazy([x])
    assert is_lazy(lazy()[0]) and is_lazy(Subset(x, [0]))


def test_where_lazy_images_are_not_expected_they_are_read_into_memory():
    checked = check_images(lazy(3)[0])
    assert isinstance(checked, np.ndarray) and numbers(checked) == [0, 1, 2]


def test_a_data_set_reads_the_images_of_its_batches_and_no_more():
    images, read = lazy()
    y = np.r_[0, 1, 0, 1, np.full(16, -1)]
    dataset = SemiSupervisedDataset(images, y, 5, 2)
    assert read == []
    batch = dataset[1]
    assert sorted(read) == sorted(numbers(batch["x"]) + numbers(batch["x_labelled"]))
    assert len(read) == 7


def test_lazy_batches_are_those_of_an_array():
    images, _ = lazy()
    y = np.r_[0, 1, 0, 1, np.full(16, -1)]
    for one, other in zip(
        SemiSupervisedDataset(images, y, 5, 2),
        SemiSupervisedDataset(images[:], y, 5, 2),
        strict=True,
    ):
        for key in ("x", "x_labelled", "y_labelled"):
            np.testing.assert_array_equal(one[key], other[key])


def test_lazy_floats_are_refused():
    with pytest.raises(TypeError, match=r"must be uint8.*Received dtype float32"):
        SemiSupervisedDataset(Subset(np.zeros((4, 2, 2), "float32"), [0, 1]), [0, 1])


def test_lazy_arrays_that_are_not_images_are_refused():
    with pytest.raises(ValueError, match="reshape"):
        SemiSupervisedDataset(Subset(np.zeros((4, 9), "uint8"), [0, 1]), [0, 1])


def resident(path):
    """Bytes of a memory-mapped file that count as memory of this process."""
    found = re.search(
        rf"{re.escape(str(path))}\n(?:.*\n)*?Rss: +(\d+) kB",
        pathlib.Path("/proc/self/smaps").read_text(encoding="utf-8"),
    )
    return 1024 * int(found[1])


@pytest.mark.skipif(
    not pathlib.Path("/proc/self/smaps").exists(), reason="asks Linux for the memory"
)
@pytest.mark.parametrize("part", [slice(None), slice(50, None)])
def test_batches_from_disk_leave_no_memory_behind(tmp_path, part):
    np.save(tmp_path / "x.npy", np.ones((5000, 28, 28), "uint8"))
    x = np.load(tmp_path / "x.npy", mmap_mode="r")
    assert x.sum() == x.size and resident(tmp_path / "x.npy") >= x.size
    y = np.arange(5000)[part] % 3
    dataset = SemiSupervisedDataset(x if part == slice(None) else Subset(x, part), y)
    assert all(batch["x"].all() for batch in dataset)
    assert resident(tmp_path / "x.npy") < x.size / 100


def test_changes_that_are_in_memory_only_are_kept(tmp_path):
    np.save(tmp_path / "x.npy", np.zeros((4, 2, 2), "uint8"))
    x = np.load(tmp_path / "x.npy", mmap_mode="c")
    x[:] = 7
    dataset = SemiSupervisedDataset(x, [0, 1, 0, 1], 4, 4)
    assert np.all(dataset[0]["x"] == 7) and np.all(dataset[0]["x"] == 7)


@pytest.mark.parametrize("part", [slice(None), slice(1000, None)])
def test_ten_million_images_on_disk_need_less_than_two_gibibytes(tmp_path, part):
    n = 100_000  # a hundredth of them, 75 MiB
    np.lib.format.open_memmap(tmp_path / "x.npy", "w+", "uint8", (n, 28, 28))
    x = np.load(tmp_path / "x.npy", mmap_mode="r")
    y = np.where(np.arange(n) % 10 == 0, np.arange(n) // 10 % 4, -1)[part]
    tracemalloc.start()  # what is on disk does not count
    dataset = SemiSupervisedDataset(x if part == slice(None) else Subset(x, part), y)
    dataset.set_epoch(1)
    assert dataset[3]["x"].shape == (100, 28, 28)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2 * 2**30 / 100
