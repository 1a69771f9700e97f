"""Clustering scores of six images, worked out by hand."""

import numpy as np
import pytest

from keras_saae.evaluation import (
    adjusted_rand_index,
    majority_error,
    normalized_mutual_information,
    one_to_one_accuracy,
    paper_error,
)

Y = [0, 0, 0, 1, 1, 1]


def test_majority_error_counts_what_is_not_of_its_clusters_class():
    assert majority_error(Y, [0, 0, 1, 1, 1, 1]) == pytest.approx(100 / 6)


def test_majority_error_lets_two_clusters_share_a_class_but_one_to_one_does_not():
    clusters = [0, 0, 1, 2, 2, 2]
    assert majority_error(Y, clusters) == 0.0
    assert one_to_one_accuracy(Y, clusters) == pytest.approx(100 * 5 / 6)


def test_one_to_one_accuracy_does_not_care_how_clusters_are_numbered():
    assert one_to_one_accuracy(Y, [7, 7, 7, 3, 3, 3]) == 100.0


def test_one_to_one_pairing_is_the_best_and_not_the_greedy_one():
    # Cluster 0 holds 3 of class 0 and 2 of class 1, cluster 1 holds 2 of class 0 alone.
    y, clusters = [0, 0, 0, 1, 1, 0, 0], [0, 0, 0, 0, 0, 1, 1]
    assert one_to_one_accuracy(y, clusters) == pytest.approx(100 * 4 / 7)


def test_paper_error_takes_the_class_of_the_most_confident_validation_image():
    # Cluster 0 is surest of an image of class 1, against the majority; cluster 1 too.
    q_validation = np.array([[0.8, 0.2], [0.7, 0.3], [0.9, 0.1], [0.2, 0.8]])
    q = np.array([[0.9, 0.1], [0.6, 0.4], [0.1, 0.9]])
    assert paper_error([0, 0, 1, 1], q_validation, [0, 1, 1], q) == pytest.approx(
        100 / 3
    )


def test_probabilities_count_by_their_largest():
    q = np.eye(2)[[0, 0, 1, 1, 1, 1]] * 0.8 + 0.1
    assert majority_error(Y, q) == pytest.approx(100 / 6)


@pytest.mark.parametrize("score", [normalized_mutual_information, adjusted_rand_index])
def test_indices_are_one_for_the_same_parts_and_zero_for_one_part(score):
    assert score(Y, [1, 1, 1, 0, 0, 0]) == pytest.approx(1.0)
    assert score(Y, [0] * 6) == pytest.approx(0.0)


@pytest.mark.parametrize(
    ("y", "clusters", "message"),
    [
        ([0, 1], [0], "1 images and 2 labels"),
        ([0, -1], [0, 1], "Received -1"),
        ([], [], "no images"),
        ([0, 1], [[0.5, 0.5], [np.nan, 1.0]], "hold NaN"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(y, clusters, message):
    with pytest.raises(ValueError, match=message):
        majority_error(y, clusters)


def test_paper_error_names_the_labels_that_do_not_fit():
    with pytest.raises(ValueError, match="2 images and 3 labels in `y_validation`"):
        paper_error([0, 1, 1], np.eye(2), [0, 1], np.eye(2))


def test_paper_error_needs_the_same_clusters():
    with pytest.raises(ValueError, match=r"\(2, 3\) and \(2, 2\)"):
        paper_error([0, 1], np.eye(3)[:2], [0, 1], np.eye(2))


def test_paper_error_refuses_probabilities_that_are_none():
    q = np.eye(2)
    for q_validation, q_test in ((q * np.nan, q), (q, q * np.nan)):
        with pytest.raises(ValueError, match="hold NaN"):
            paper_error([0, 1], q_validation, [0, 1], q_test)
