"""Classes in two levels."""

import numpy as np
import pytest

from keras_saae.data import (
    SemiSupervisedDataset,
    class_groups,
    group_probabilities,
    main_labels,
    partial_labels,
)

NAMES = ("car", "cat", "dog", "ship", "bird")
MEMBERS = {"vehicle": ("car", "ship"), "animal": ("bird", "cat", "dog")}
GROUPS = np.array([0, 1, 1, 0, 1])


def test_each_sub_class_gets_the_number_of_its_main_class():
    np.testing.assert_array_equal(class_groups(MEMBERS, NAMES), GROUPS)


def test_sub_classes_may_be_named_by_number():
    members = {"vehicle": (3, 0), "animal": [1, np.int64(2), "bird"]}
    np.testing.assert_array_equal(class_groups(members, NAMES), GROUPS)


def test_main_classes_are_numbered_in_the_order_of_the_map():
    members = dict(reversed(MEMBERS.items()))
    np.testing.assert_array_equal(class_groups(members, NAMES), 1 - GROUPS)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"animal": ("cat",)}, "No main class has dog, bird"),
        ({"animal": ("cat", "dog", "bird", "ship")}, "'ship' is named twice.*'animal'"),
        ({"animal": ("cat", "dog", "bird", 2)}, "2 is named twice"),
        ({"animal": ("cat", "dog", "brid")}, "'brid', which is no class. Known: car"),
        ({"animal": (1, 2, 5)}, "5, which is no class"),
        ({"fungus": ()}, "'fungus' needs a sequence"),
        ({"animal": "cat"}, "'animal' needs a sequence of sub-classes"),
        ({"animal": 3}, "'animal' needs a sequence of sub-classes"),
    ],
)
def test_maps_that_do_not_fit_the_classes_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        class_groups({**MEMBERS, **changes}, NAMES)


def test_maps_that_are_no_dict_are_refused():
    with pytest.raises(TypeError, match="must be a dict.*Received list"):
        class_groups(list(MEMBERS.items()), NAMES)


def test_main_labels_read_sub_classes_main_classes_and_no_label():
    y = [0, 1, 2, 3, 4, 5, 6, -1]  # 5 and 6: only the main class is known
    assert main_labels(y, GROUPS).tolist() == [0, 1, 1, 0, 1, 0, 1, -1]


def test_partial_labels_tell_the_main_class_only():
    assert partial_labels([0, 1, 6, -1], GROUPS).tolist() == [5, 6, 6, -1]


def test_labels_beyond_the_main_classes_are_refused():
    with pytest.raises(ValueError, match=r"0\.\.6, or -1.*Received 7"):
        main_labels([7], GROUPS)


def test_a_data_set_takes_partly_labelled_images():
    y = np.array([0, 1, 2, 3, 4, 5, 6, -1])
    x = np.zeros((8, 2, 2), "uint8")
    dataset = SemiSupervisedDataset(x, y, 8, 7, num_classes=7)
    assert sorted(dataset[0]["y_labelled"]) == list(range(7))


def test_group_probabilities_sum_over_sub_classes():
    probabilities = np.array([[0.1, 0.2, 0.3, 0.25, 0.15], [0, 0, 0, 1, 0]], "float32")
    found = group_probabilities(probabilities, GROUPS)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, [[0.35, 0.65], [1, 0]], rtol=1e-6)


@pytest.mark.parametrize("shape", [(2, 4), (5,)])
def test_probabilities_of_other_classes_are_refused(shape):
    with pytest.raises(ValueError, match="each of 5 sub-classes"):
        group_probabilities(np.zeros(shape), GROUPS)


@pytest.mark.parametrize(
    "wrong", [[0, 2, 2], [-1, 0], [[0, 1]], [0.0, 1.0], np.arange(0)]
)
def test_groups_that_are_no_map_are_refused(wrong):
    with pytest.raises(ValueError, match="`groups` must hold one main class"):
        main_labels([0], wrong)
