"""Labelled sets by seed and the fixed validation part."""

import numpy as np
import pytest

from keras_saae.data import split_labels

Y = np.repeat(np.arange(10), 30)
Y_UNEVEN = np.repeat([0, 1, 2], [50, 30, 20])


def counts(y, indices):
    return np.bincount(y[indices], minlength=y.max() + 1)


def test_validation_and_train_share_no_image_and_miss_none():
    split = split_labels(Y, 20, seed=0)
    both = np.concatenate([split.train, split.validation])
    assert sorted(both) == list(range(len(Y)))


def test_labelled_images_are_part_of_train():
    split = split_labels(Y, 20, seed=0)
    assert set(split.labelled) <= set(split.train)
    assert len(split.labelled) == 20


def test_validation_is_a_fifth_by_default():
    assert len(split_labels(Y_UNEVEN, 3, seed=0).validation) == 20


def test_validation_has_at_most_ten_thousand_images_by_default():
    y = np.arange(60_000) % 10
    assert len(split_labels(y, 10, seed=0).validation) == 10_000


def test_validation_keeps_the_class_proportions():
    split = split_labels(Y_UNEVEN, 3, seed=0, validation=10)
    assert counts(Y_UNEVEN, split.validation).tolist() == [5, 3, 2]


def test_left_over_validation_images_go_to_the_largest_remainders():
    split = split_labels(Y_UNEVEN, 3, seed=0, validation=7)  # 3.5, 2.1, 1.4
    assert counts(Y_UNEVEN, split.validation).tolist() == [4, 2, 1]


def test_validation_depends_on_neither_seed_nor_labels():
    first = split_labels(Y, 10, seed=0).validation
    second = split_labels(Y, "all", seed=7).validation
    np.testing.assert_array_equal(first, second)


def test_validation_can_be_empty():
    split = split_labels(Y, 10, seed=0, validation=0)
    assert len(split.validation) == 0
    assert split.train.tolist() == list(range(len(Y)))


def test_labelled_classes_are_balanced():
    split = split_labels(Y_UNEVEN, 30, seed=0)
    assert counts(Y_UNEVEN, split.labelled).tolist() == [10, 10, 10]


@pytest.mark.parametrize("labels", [1, 5, 13, 29])
def test_labelled_counts_differ_by_at_most_one(labels):
    found = counts(Y_UNEVEN, split_labels(Y_UNEVEN, labels, seed=1).labelled)
    assert found.sum() == labels
    assert found.max() - found.min() <= 1


@pytest.mark.parametrize("seed", [0, 1, 100])
def test_small_labelled_sets_are_part_of_larger_ones(seed):
    sets = [set(split_labels(Y, n, seed).labelled) for n in (7, 10, 33, 100, "all")]
    assert all(small < large for small, large in zip(sets, sets[1:], strict=False))


def test_seeds_draw_different_labelled_images():
    first, second = (split_labels(Y, 50, seed).labelled for seed in (0, 1))
    assert first.tolist() != second.tolist()


def test_all_labels_the_whole_train_part():
    split = split_labels(Y, "all", seed=0)
    np.testing.assert_array_equal(split.labelled, split.train)


def test_the_split_is_the_same_on_every_machine():
    split = split_labels(np.arange(40) % 2, 4, seed=3, validation=4)
    assert split.labelled.tolist() == [0, 13, 25, 36]
    assert split.validation.tolist() == [3, 6, 7, 28]


def test_the_mask_keeps_the_labels_of_labelled_images_only():
    split = split_labels(Y, 10, seed=0)
    masked = split.mask_labels(Y)
    known = masked >= 0
    assert len(masked) == len(split.train)
    np.testing.assert_array_equal(split.train[known], split.labelled)
    np.testing.assert_array_equal(masked[known], Y[split.labelled])


def test_masking_other_labels_is_refused():
    with pytest.raises(ValueError, match="equal lengths"):
        split_labels(Y, 10, seed=0).mask_labels(Y[:-1])


def test_more_labels_than_the_rarest_class_allows_are_refused():
    with pytest.raises(ValueError, match="class 2 has only 16 .* at most 48"):
        split_labels(Y_UNEVEN, 51, seed=0)


@pytest.mark.parametrize("labels", ["100", 10.0, None])
def test_labels_that_are_neither_integer_nor_all_are_refused(labels):
    with pytest.raises(TypeError, match="`labels` must be an integer"):
        split_labels(Y, labels, seed=0)


def test_no_labels_are_refused():
    with pytest.raises(ValueError, match="at least 1"):
        split_labels(Y, 0, seed=0)


def test_a_validation_part_of_everything_is_refused():
    with pytest.raises(ValueError, match="leaves none"):
        split_labels(Y, 10, seed=0, validation=len(Y))


def test_images_without_a_label_cannot_be_split():
    with pytest.raises(ValueError, match="Received -1"):
        split_labels([0, 1, -1], 2, seed=0)
