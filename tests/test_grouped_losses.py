"""The cross-entropy of labels in two levels, against values computed by hand."""

import numpy as np
import pytest
from keras import ops

from keras_saae import losses
from keras_saae.backend import input_gradient

GROUPS = np.array([0, 1, 1])  # sub-class 0 | sub-classes 1 and 2
SUB_1, MAIN_0, MAIN_1 = 1, 3, 4
# softmax of (log 5, log 2, log 1) = (5, 2, 1) / 8
Y_LOGITS = np.log([[5, 2, 1]]).astype("float32")


def loss(y_true, y_logits, groups=GROUPS):
    y_true = ops.convert_to_tensor(np.array(y_true, "int32"))
    y_logits = ops.convert_to_tensor(np.asarray(y_logits, "float32"))
    return losses.grouped_classification_loss(y_true, y_logits, groups)


@pytest.mark.parametrize(
    ("label", "mass"), [(SUB_1, 2 / 8), (MAIN_0, 5 / 8), (MAIN_1, 3 / 8)]
)
def test_a_label_costs_minus_log_of_the_mass_that_it_allows(label, mass):
    np.testing.assert_allclose(
        ops.convert_to_numpy(loss([label], Y_LOGITS)), -np.log(mass), rtol=1e-6
    )


def test_both_levels_mix_in_a_batch():
    found = loss([SUB_1, MAIN_1], np.repeat(Y_LOGITS, 2, axis=0))
    expected = -(np.log(2 / 8) + np.log(3 / 8)) / 2
    np.testing.assert_allclose(ops.convert_to_numpy(found), expected, rtol=1e-6)


def test_of_sub_classes_alone_it_is_the_classification_loss():
    y_logits = np.random.default_rng(0).normal(size=(6, 3))
    y_true = ops.convert_to_tensor(np.array([0, 1, 2, 2, 1, 0], "int32"))
    logits = ops.convert_to_tensor(y_logits.astype("float32"))
    expected = losses.classification_loss(y_true, logits)
    np.testing.assert_allclose(
        ops.convert_to_numpy(loss([0, 1, 2, 2, 1, 0], y_logits)),
        ops.convert_to_numpy(expected),
        rtol=1e-6,
    )


def test_main_class_of_a_guess_costs_log_of_all_over_its_sub_classes():
    found = loss([MAIN_1], np.zeros((1, 3)))
    np.testing.assert_allclose(ops.convert_to_numpy(found), np.log(3 / 2), rtol=1e-6)


def test_a_main_class_leaves_its_sub_classes_in_proportion():
    # d/dlogits = p - p(k | main class 1) = (5, 2, 1)/8 - (0, 2, 1)/3
    gradient = input_gradient(
        lambda y_logits: losses.grouped_classification_loss(
            ops.convert_to_tensor([MAIN_1]), y_logits, GROUPS
        ),
        ops.convert_to_tensor(Y_LOGITS),
    )
    expected = np.array([[5 / 8, 2 / 8 - 2 / 3, 1 / 8 - 1 / 3]])
    np.testing.assert_allclose(ops.convert_to_numpy(gradient), expected, rtol=1e-5)


def test_a_sure_mistake_stays_finite():
    found = loss([MAIN_1], [[1000.0, 0.0, 0.0]])
    np.testing.assert_allclose(ops.convert_to_numpy(found), 1000 - np.log(2), rtol=1e-6)


def test_groups_of_another_number_of_classes_are_refused():
    with pytest.raises(ValueError, match="each of 3 sub-class.*data.class_groups"):
        loss([0], Y_LOGITS, groups=[0, 1])
