"""Scores of confidence, worked out by hand."""

import numpy as np
import pytest

from keras_saae.evaluation import (
    area_under_risk_coverage,
    expected_calibration_error,
    risk_coverage,
)

# By falling confidence: right, wrong, right, wrong.
TRUE, PREDICTED = [0, 1, 2, 2], [1, 1, 2, 0]
CONFIDENCE = [0.8, 0.9, 0.7, 0.1]


def test_risk_is_the_error_among_the_most_confident():
    coverage, risk = risk_coverage(TRUE, PREDICTED, CONFIDENCE)
    np.testing.assert_allclose(coverage, [0.25, 0.5, 0.75, 1.0])
    np.testing.assert_allclose(risk, [0, 100 / 2, 100 / 3, 100 / 2])


def test_area_is_the_mean_of_the_risk():
    found = area_under_risk_coverage(TRUE, PREDICTED, CONFIDENCE)
    assert found == pytest.approx((0 + 100 / 2 + 100 / 3 + 100 / 2) / 4)


def test_images_of_equal_confidence_share_their_errors():
    for order in ([0, 1, 2, 3], [3, 1, 0, 2]):
        true, predicted = np.array(TRUE)[order], np.array(PREDICTED)[order]
        _, risk = risk_coverage(true, predicted, np.ones(4))
        np.testing.assert_allclose(risk, 50.0)


def test_only_the_order_of_confidences_counts():
    _, risk = risk_coverage(TRUE, PREDICTED, CONFIDENCE)
    _, same = risk_coverage(TRUE, PREDICTED, np.exp(10 * np.array(CONFIDENCE)) - 50)
    np.testing.assert_array_equal(risk, same)


def test_best_confidence_has_the_area_of_its_formula():
    wrong = np.arange(10_000) >= 9_000  # an error rate of 0.1, the errors last
    area = area_under_risk_coverage(wrong.astype(int), 0 * wrong, -wrong.astype(float))
    assert area == pytest.approx(100 * (0.1 + 0.9 * np.log(0.9)), abs=0.01)


def test_calibration_error_is_the_gap_weighted_by_the_bins():
    # Two bins, (0, 0.5] and (0.5, 1]. First: one image, sure by 0.5, right: gap 0.5.
    # Second: sure by 0.6, 0.8 and 1, one right: |1 - 2.4| over the images.
    p = [[0.5, 0.25, 0.25], [0.6, 0.4, 0.0], [0.1, 0.8, 0.1], [0.0, 0.0, 1.0]]
    found = expected_calibration_error([0, 1, 1, 0], p, bins=2)
    assert found == pytest.approx(100 * (0.5 + 1.4) / 4)


def test_classifier_that_is_right_as_often_as_it_says_is_calibrated():
    p = np.tile([0.75, 0.25], (8, 1))
    assert expected_calibration_error([0, 0, 0, 1] * 2, p) == pytest.approx(0.0)
    assert expected_calibration_error([1] * 8, p) == pytest.approx(75.0)


def test_full_confidence_belongs_to_the_last_bin():
    assert expected_calibration_error([0, 1], [[1.0, 0.0], [1.0, 0.0]]) == 50.0


@pytest.mark.parametrize(
    ("confidence", "message"),
    [
        ([0.1, 0.2, 0.3, np.nan], "with NaN"),
        ([[0.1] * 4], r"one number for each.*\(1, 4\)"),
        ([], "at least one image"),
        ([0.1, 0.2], "equal lengths"),
    ],
)
def test_confidences_that_do_not_fit_are_refused(confidence, message):
    with pytest.raises(ValueError, match=message):
        risk_coverage(TRUE, PREDICTED, confidence)


@pytest.mark.parametrize(
    ("y", "p", "message"),
    [
        ([0, 1], [[2.0, -1.0], [0.5, 0.5]], "from 0 up.*softmax"),
        ([0, 1], [[0.7, 0.7], [0.5, 0.5]], "sums from 1 to 1.4"),
        ([0, 1], [[np.nan, 0.7], [0.5, 0.5]], "from 0 up"),
        ([0, 1], [0.5, 0.5], r"shape \(n, classes\)"),
        ([0, 2], [[0.5, 0.5], [0.5, 0.5]], "0..1. Received 2"),
        ([0], [[0.5, 0.5], [0.5, 0.5]], "equal lengths"),
    ],
)
def test_probabilities_that_are_none_are_refused(y, p, message):
    with pytest.raises(ValueError, match=message):
        expected_calibration_error(y, p)


def test_calibration_needs_a_bin():
    with pytest.raises(ValueError, match="`bins`"):
        expected_calibration_error([0], [[0.5, 0.5]], bins=0)
