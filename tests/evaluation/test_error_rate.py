import numpy as np
import pytest

from keras_saae.evaluation import error_rate


def test_one_wrong_class_in_four_is_25_percent():
    assert error_rate([0, 1, 2, 2], [0, 1, 2, 1]) == 25.0


def test_all_correct_is_0_percent_and_all_wrong_100():
    assert error_rate([0, 1], [0, 1]) == 0.0
    assert error_rate([0, 1], [1, 0]) == 100.0


def test_largest_probability_is_the_prediction():
    probabilities = [[0.7, 0.3], [0.4, 0.6], [0.1, 0.9], [0.8, 0.2]]
    assert error_rate([0, 1, 0, 1], probabilities) == 50.0


def test_logits_may_be_negative():
    assert error_rate([1, 0], [[-3.0, -1.0], [-2.0, -0.5]]) == 50.0


def test_first_of_equal_probabilities_is_the_prediction():
    assert error_rate([0, 1], [[0.5, 0.5], [0.5, 0.5]]) == 50.0


def test_single_column_predicts_class_zero():
    assert error_rate([0, 0], [[1.0], [1.0]]) == 0.0


def test_result_is_a_plain_float_whatever_the_integer_type():
    result = error_rate(np.array([0, 255], "uint8"), np.array([0, 1], "int64"))
    assert type(result) is float
    assert result == 50.0


@pytest.mark.parametrize(
    ("y_true", "predictions", "message"),
    [
        ([0, -1], [0, 1], "without a label"),
        ([0, 1], [0, -1], "`predictions` is expected to hold classes from 0"),
        ([0, 1, 2], [0, 1], "equal lengths. Received 3 and 2"),
        ([], [], "at least one image"),
        ([0, 1], np.zeros((2, 0)), "at least one image"),
        ([0.0, 1.0], [0, 1], "`y_true` is expected to hold integer classes"),
        ([0, 1], [0.2, 0.9], "`predictions` is expected to hold integer classes"),
        ([[1, 0], [0, 1]], [0, 1], "one-hot"),
        (0, 0, r"shape \(n,\)"),
        ([0, 2], [[0.5, 0.5], [0.5, 0.5]], "below the 2 classes"),
        ([0, 1], [[0.5, np.nan], [0.5, 0.5]], "NaN"),
    ],
)
def test_bad_input_is_refused_with_a_reason(y_true, predictions, message):
    with pytest.raises(ValueError, match=message):
        error_rate(y_true, predictions)
