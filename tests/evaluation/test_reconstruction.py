"""Scores of reconstructions, by hand."""

import numpy as np
import pytest

from keras_saae.evaluation import class_kept, sharpness

Y = [0, 1, 1, 0]
JUDGED = np.eye(2)[[0, 1, 1, 1]]  # the last image is judged wrong


def test_reconstructions_of_images_judged_right_are_counted():
    again = np.eye(2)[[0, 0, 1, 0]]
    assert class_kept(Y, JUDGED, again) == pytest.approx(100 * 2 / 3)


def test_all_classes_are_kept_by_the_images_themselves():
    assert class_kept(Y, JUDGED, JUDGED) == 100.0


def test_reconstructions_of_another_number_are_refused():
    with pytest.raises(ValueError, match=r"judged alike.*\(4, 2\) and \(3, 2\)"):
        class_kept(Y, JUDGED, JUDGED[:3])


def test_a_judge_that_is_always_wrong_is_refused():
    with pytest.raises(ValueError, match="gets none of the images right"):
        class_kept(Y, 1 - np.eye(2)[Y], JUDGED)


def test_flat_images_and_slopes_have_no_sharpness():
    slope = np.linspace(0, 1, 5)[None, :, None] * np.ones((2, 5, 5))
    assert sharpness(np.full((2, 5, 5), 0.3)) == 0.0
    assert sharpness(slope) == pytest.approx(0.0, abs=1e-10)


@pytest.mark.parametrize("scale", [1.0, 255])
def test_single_bright_pixel_differs_from_its_neighbours_and_they_from_it(scale):
    x = np.zeros((1, 5, 5), "uint8" if scale == 255 else "float32")
    x[0, 2, 2] = scale
    assert sharpness(x) == pytest.approx(1 + 4 * (1 / 4) ** 2)


def test_blurred_edge_is_less_sharp():
    edge = np.repeat([[[0.0, 0.0, 0.0, 1.0, 1.0, 1.0]]], 6, axis=1)
    blurred = np.repeat([[[0.0, 0.1, 0.3, 0.7, 0.9, 1.0]]], 6, axis=1)
    assert sharpness(blurred) < sharpness(edge)


def test_colours_are_added_up():
    x = np.zeros((1, 5, 5, 3))
    x[0, 2, 2] = 1.0
    assert sharpness(x) == pytest.approx(3 * 1.25)
