"""Checks of images, labels and counts."""

import keras
import numpy as np
import pytest

from keras_saae.checks import check_count, check_images, check_labels


def images(value=0.5, dtype="float32", n=3):
    return np.full((n, 4, 4), value, dtype)


def test_uint8_images_are_returned_without_a_copy():
    x = images(255, "uint8")
    assert np.shares_memory(check_images(x), x)


def test_float32_images_are_returned_without_a_copy():
    x = images()
    assert np.shares_memory(check_images(x), x)


def test_memory_mapped_images_are_not_read_into_memory(tmp_path):
    np.save(tmp_path / "x.npy", images(7, "uint8"))
    x = np.load(tmp_path / "x.npy", mmap_mode="r")
    assert np.shares_memory(check_images(x), x)


@pytest.mark.parametrize("dtype", ["float16", "float64", "bool"])
def test_other_floats_and_bools_become_float32(dtype):
    checked = check_images(images(1, dtype))
    assert checked.dtype == np.float32
    assert np.all(checked == 1)


def test_backend_tensors_are_accepted():
    checked = check_images(keras.ops.full((2, 4, 4, 1), 0.25))
    np.testing.assert_array_equal(checked, np.full((2, 4, 4, 1), 0.25, "float32"))


def test_lists_are_accepted():
    assert check_images([[[0.0, 1.0]]]).shape == (1, 1, 2)


def test_images_scaled_to_255_are_recognised():
    with pytest.raises(ValueError, match="0..255: divide by 255"):
        check_images(images(200.0))


def test_images_scaled_to_plus_minus_one_are_recognised():
    with pytest.raises(ValueError, match=r"\[-1, 1\]: pass `\(x \+ 1\) / 2`"):
        check_images(images(-1.0))


def test_images_far_outside_the_range_are_named_with_their_range():
    with pytest.raises(ValueError, match="from -3 to -3"):
        check_images(images(-3.0))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_nan_and_infinite_pixels_are_refused(bad):
    x = images()
    x[1, 2, 3] = bad
    with pytest.raises(ValueError, match="NaN or infinite"):
        check_images(x)


@pytest.mark.parametrize("shape", [(16,), (3, 16), (3, 4, 4, 1, 1)])
def test_arrays_that_are_not_images_are_refused(shape):
    with pytest.raises(ValueError, match="reshape"):
        check_images(np.zeros(shape, "uint8"))


@pytest.mark.parametrize("shape", [(0, 4, 4), (3, 0, 4)])
def test_no_images_are_refused(shape):
    with pytest.raises(ValueError, match="holds no images"):
        check_images(np.zeros(shape, "uint8"))


@pytest.mark.parametrize("dtype", ["int64", "uint16", "complex64"])
def test_other_image_dtypes_are_refused(dtype):
    with pytest.raises(TypeError, match='astype\\("uint8"\\)'):
        check_images(images(1, dtype))


def test_images_of_different_sizes_are_refused():
    with pytest.raises(ValueError, match="one size"):
        check_images([np.zeros((2, 2)), np.zeros((3, 3))])


def test_image_messages_use_the_given_name():
    with pytest.raises(ValueError, match="`x_test`"):
        check_images(images(9.0), "x_test")


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "uint64"])
def test_integer_labels_become_int64(dtype):
    checked = check_labels(np.array([0, 2, 1], dtype), 3, 3)
    assert checked.dtype == np.int64
    assert checked.tolist() == [0, 2, 1]


def test_minus_one_is_a_label_by_default():
    assert check_labels([-1, 0], 2, 1).tolist() == [-1, 0]


def test_minus_one_can_be_refused():
    with pytest.raises(ValueError, match="Received -1"):
        check_labels([-1, 0], 2, 1, allow_unlabelled=False)


def test_float_labels_are_refused():
    with pytest.raises(TypeError, match='astype\\("int64"\\)'):
        check_labels([0.0, 1.0], 2)


def test_one_hot_labels_are_refused():
    with pytest.raises(ValueError, match="argmax"):
        check_labels(np.eye(3), 3)


def test_a_column_of_labels_is_refused():
    with pytest.raises(ValueError, match="ravel"):
        check_labels([[0], [1]], 2)


def test_labels_of_another_length_are_refused():
    with pytest.raises(ValueError, match="3 images and 2 labels"):
        check_labels([0, 1], 3)


@pytest.mark.parametrize("wrong", [-2, 3])
def test_labels_outside_the_classes_are_refused(wrong):
    with pytest.raises(ValueError, match=rf"0\.\.2, or -1.*Received {wrong}\."):
        check_labels([0, wrong], 2, 3)


def test_many_wrong_labels_are_shortened():
    with pytest.raises(ValueError, match=r"10, 11, 12, 13, 14, \.\.\. \(6 values\)"):
        check_labels(np.arange(10, 16), 6, 10)


def test_counts_of_any_integer_type_become_int():
    assert check_count(np.int32(3), "n") == 3


@pytest.mark.parametrize("wrong", [1.0, "1", None, True])
def test_counts_that_are_not_integers_are_refused(wrong):
    with pytest.raises(TypeError, match="`n` must be an integer"):
        check_count(wrong, "n")


def test_counts_below_the_minimum_are_refused():
    with pytest.raises(ValueError, match="at least 2. Received 1"):
        check_count(1, "n", minimum=2)
