import pathlib
import subprocess
import sys

import numpy as np
import pytest

import keras_saae
from keras_saae import plotting

RNG = np.random.default_rng(0)
IMAGES = RNG.random((20, 8, 8)).astype("float32")
LABELS = np.arange(20) % 4
GRID = IMAGES[:12].reshape(3, 4, 8, 8)
POINTS = RNG.normal(size=(20, 2))
MEMBERSHIP = np.eye(3)[np.arange(20) % 2] * np.linspace(0.5, 0.9, 20)[:, None]
PROBABILITIES = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]])
HISTORY = {
    "loss": [9.0, 8.0, 7.0],
    "reconstruction": [5.0, 4.0, 3.0],
    "discriminator": [2.7, 2.5, 2.6],
    "generator": [1.3, 1.5, 1.4],
    "classification": [0.5, 0.2, 0.1],
    "discriminator_accuracy": [0.5, 0.6, 0.55],
    "val_reconstruction": [5.5, 4.5, 3.5],
    "val_error": [10.0, 4.0, 2.25],
}
FIGURES = {
    "learning_curves": lambda: plotting.learning_curves(HISTORY),
    "reconstructions": lambda: plotting.reconstructions(IMAGES, IMAGES),
    "class_style_grid": lambda: plotting.class_style_grid(GRID),
    "style_sweep": lambda: plotting.style_sweep(GRID, [-2, -1, 1, 2]),
    "style_histogram": lambda: plotting.style_histogram(RNG.normal(size=(50, 2))),
    "confidence_histogram": lambda: plotting.confidence_histogram(
        PROBABILITIES, [0, 1, 1]
    ),
    "predicted_columns": lambda: plotting.predicted_columns(
        IMAGES, LABELS[::-1], LABELS
    ),
    "error_by_labels": lambda: plotting.error_by_labels(
        {"ours": {100: [2.0, 4.0], 1000: [1.0]}}, {"theirs": {100: 5.0}}
    ),
    "codes": lambda: plotting.codes(POINTS, LABELS, 2 * POINTS),
    "image_grid": lambda: plotting.image_grid(GRID, "Images", "row", "column"),
    "decisions": lambda: plotting.decisions(
        GRID, np.arange(12).reshape(3, 4), np.eye(3, 4), ["a", "b", "c"], "Decisions"
    ),
    "clusters": lambda: plotting.clusters(IMAGES[:3], IMAGES, MEMBERSHIP, columns=4),
    "planes": lambda: plotting.planes(
        {"ours": POINTS, "theirs": -POINTS},
        LABELS,
        POINTS[:4],
        (POINTS[:2], IMAGES[:2]),
    ),
}


def titles(figure):
    return [axes.get_title(loc="left") for axes in figure.axes if axes.axison]


def tick_labels(axis):
    return [label.get_text() for label in axis.get_ticklabels()]


def texts(figure):
    (axes,) = figure.axes
    return [text.get_text() for text in axes.texts]


def legend_of(figure):
    (axes,) = figure.axes
    return [text.get_text() for text in axes.get_legend().get_texts()]


def dashed_levels(axes):
    return [line.get_ydata()[0] for line in axes.lines if line.get_linestyle() == "--"]


def picture(figure):
    (axes,) = figure.axes
    (image,) = axes.images
    return np.asarray(image.get_array())


@pytest.mark.parametrize("name", FIGURES)
def test_nothing_is_clipped(name):
    figure = FIGURES[name]()
    figure.draw_without_rendering()
    inner, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    assert inner.x0 >= 0 and inner.y0 >= 0
    assert inner.x1 <= width and inner.y1 <= height


@pytest.mark.parametrize("name", FIGURES)
def test_every_panel_has_a_title(name):
    assert all(titles(FIGURES[name]()))


def test_users_matplotlib_settings_are_neither_read_nor_changed():
    import matplotlib

    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "black"}):
        before = dict(matplotlib.rcParams)
        figure = plotting.style_histogram(RNG.normal(size=(50, 2)))
        assert dict(matplotlib.rcParams) == before
    (axes,) = figure.axes
    assert axes.get_facecolor() == (1.0, 1.0, 1.0, 1.0)
    assert axes.xaxis.label.get_fontsize() == 9


# Imports `plotting` alone, without the rest of the package and so without Keras.
ALONE = f"""
import sys, types
package = sys.modules["keras_saae"] = types.ModuleType("keras_saae")
package.__path__ = [{str(pathlib.Path(keras_saae.__file__).parent)!r}]
from keras_saae import plotting
"""


def modules_after(code):
    """Which of Matplotlib, pyplot and Keras some code with `plotting` has imported."""
    names = ("matplotlib", "matplotlib.pyplot", "keras")
    code += f"\nprint([name for name in {names} if name in sys.modules])"
    process = subprocess.run(
        [sys.executable, "-c", ALONE + code], capture_output=True, text=True, check=True
    )
    return process.stdout.strip()


def test_importing_plotting_does_not_import_matplotlib():
    assert modules_after("") == "[]"


def test_figures_stay_out_of_pyplot():
    draw = "plotting.style_histogram([[0.0], [1.0]])"
    assert modules_after(draw) == "['matplotlib']"


def test_learning_curves_have_one_panel_per_known_entry():
    assert titles(plotting.learning_curves(HISTORY)) == [
        "Reconstruction",
        "Discriminator",
        "Generator",
        "Classification",
        "Discriminator accuracy",
        "Validation error 2.25 %",
    ]


def test_learning_curves_leave_out_what_was_not_recorded():
    figure = plotting.learning_curves({"generator": [1.0], "loss": [2.0]})
    assert titles(figure) == ["Generator"]


def test_learning_curves_take_the_phases_of_another_model():
    history = {"reconstruction": [3.0], "attack": [1.0]}
    figure = plotting.learning_curves(history, phases=("attack", "reconstruction"))
    assert titles(figure) == ["Attack", "Reconstruction"]


def test_validation_values_overlay_training_values_over_epochs_from_one():
    training, validation = plotting.learning_curves(HISTORY).axes[0].lines
    np.testing.assert_array_equal(training.get_xdata(), [1, 2, 3])
    np.testing.assert_array_equal(training.get_ydata(), [5.0, 4.0, 3.0])
    np.testing.assert_array_equal(validation.get_ydata(), [5.5, 4.5, 3.5])


def test_epochs_without_a_value_are_passed_over():
    history = {"val_error": [np.nan, 4.0, np.nan, 2.0]}
    (line,) = plotting.learning_curves(history).axes[0].lines
    np.testing.assert_array_equal(line.get_xdata(), [2, 4])


@pytest.mark.parametrize(("number", "level"), [(1, 1.386294), (2, 2.772589)])
def test_dashed_line_marks_the_loss_of_blind_discriminators(number, level):
    figure = plotting.learning_curves(HISTORY, num_discriminators=number)
    np.testing.assert_allclose(dashed_levels(figure.axes[1]), [level], rtol=1e-6)


def test_no_dashed_line_where_the_guessing_loss_is_unknown():
    figure = plotting.learning_curves(HISTORY, num_discriminators=None)
    assert dashed_levels(figure.axes[1]) == []


def test_guessing_discriminators_are_right_half_the_time():
    assert dashed_levels(plotting.learning_curves(HISTORY).axes[4]) == [0.5]


@pytest.mark.parametrize(
    ("history", "error", "message"),
    [
        ([1.0, 2.0], TypeError, r"pass `\.history`"),
        ({}, ValueError, "nothing|no epoch"),
        ({"loss": [1.0]}, ValueError, r"Received the keys \['loss'\]"),
        ({"generator": []}, ValueError, "no epoch"),
        (
            {"generator": [1.0, 2.0], "val_error": [3.0]},
            ValueError,
            r"lengths \[1, 2\].*NaN",
        ),
    ],
)
def test_bad_history_is_refused(history, error, message):
    with pytest.raises(error, match=message):
        plotting.learning_curves(history)


def test_reconstructions_stand_below_their_originals():
    drawn = picture(plotting.reconstructions(IMAGES[:2], 1 - IMAGES[:2]))
    assert drawn.shape == (8 + 1 + 8, 8 + 1 + 8, 3)
    np.testing.assert_array_equal(drawn[:8, 9:, 0], IMAGES[1])
    np.testing.assert_array_equal(drawn[9:, 9:, 0], 1 - IMAGES[1])
    np.testing.assert_array_equal(drawn[8], 1.0)


def test_reconstructions_show_the_first_images_only():
    figure = plotting.reconstructions(IMAGES, IMAGES, num_images=3)
    assert picture(figure).shape[1] == 3 * 8 + 2


@pytest.mark.parametrize(
    "images",
    [
        np.full((2, 4, 4), 51, "uint8"),
        np.full((2, 4, 4, 1), 0.2, "float64"),
        np.full((2, 4, 4, 3), 0.2, "float32"),
        np.full((2, 4, 4), 0.2, "float16"),
    ],
    ids=["uint8", "one channel", "rgb", "float16"],
)
def test_every_kind_of_image_is_drawn_alike(images):
    drawn = picture(plotting.reconstructions(images, images))
    np.testing.assert_allclose(drawn[:4, :4], 0.2, atol=1e-4)


def test_floats_beyond_the_range_are_black_or_white():
    images = np.array([[[-0.5, 1.5]]])
    np.testing.assert_array_equal(
        picture(plotting.reconstructions(images, images))[0, :, 0], [0.0, 1.0]
    )


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((4, 4)), r"Received shape \(4, 4\)"),
        (np.zeros((2, 4, 4, 2)), "one .grey. or three .RGB."),
        (np.zeros((0, 4, 4)), r"Received shape \(0, 4, 4\)"),
        (np.full((1, 4, 4), np.nan), "NaN"),
        (np.full((1, 4, 4), 255.0), "Divide by 255"),
        (np.full((1, 4, 4), 255), "astype"),
    ],
)
def test_bad_images_are_refused(images, message):
    with pytest.raises(ValueError, match=message):
        plotting.reconstructions(images, images)


def test_reconstructions_of_other_images_are_refused():
    with pytest.raises(ValueError, match="equal shapes"):
        plotting.reconstructions(IMAGES[:3], IMAGES[:2])


def test_grid_has_classes_as_rows_and_styles_as_columns():
    figure = plotting.class_style_grid(GRID)
    (axes,) = figure.axes
    assert tick_labels(axes.yaxis) == ["0", "1", "2"]
    assert tick_labels(axes.xaxis) == ["1", "2", "3", "4"]
    np.testing.assert_array_equal(picture(figure)[18:26, 9:17, 0], GRID[2, 1])


def test_grid_accepts_channels():
    assert picture(plotting.class_style_grid(GRID[..., None])).shape == (26, 35, 3)


def test_flat_list_of_images_is_no_grid():
    with pytest.raises(ValueError, match="classes, columns, h, w"):
        plotting.class_style_grid(IMAGES)


def test_sweep_labels_columns_with_values():
    (axes,) = plotting.style_sweep(GRID, [-2, -0.5, 0.5, 2]).axes
    assert tick_labels(axes.xaxis) == ["−2.0", "−0.5", "0.5", "2.0"]


def test_sweep_needs_one_value_per_column():
    with pytest.raises(ValueError, match="4 columns"):
        plotting.style_sweep(GRID, [0.0, 1.0])


def test_style_histogram_names_mean_and_deviation_of_its_dimension():
    z = np.array([[9.0, -2.0], [9.0, 0.0]])
    figure = plotting.style_histogram(z, dimension=1)
    assert texts(figure) == ["mean −1.00\nstandard deviation 1.00"]


def test_style_histogram_is_a_density_beside_that_of_the_prior():
    (axes,) = plotting.style_histogram(RNG.normal(size=(100, 1))).axes
    area = sum(bar.get_width() * bar.get_height() for bar in axes.patches)
    np.testing.assert_allclose(area, 1.0)
    np.testing.assert_allclose(axes.lines[0].get_ydata().max(), 0.398942, rtol=1e-5)


@pytest.mark.parametrize(
    ("z", "dimension"),
    [
        (np.zeros(5), 0),
        (np.zeros((0, 2)), 0),
        (np.zeros((5, 2)), 2),
        (np.full((5, 2), np.inf), 0),
    ],
)
def test_bad_codes_are_refused(z, dimension):
    with pytest.raises(ValueError, match="`z` is expected"):
        plotting.style_histogram(z, dimension)


def test_confidences_of_correct_and_wrong_predictions_are_told_apart():
    figure = plotting.confidence_histogram(PROBABILITIES, [0, 1, 1])
    assert legend_of(figure) == ["2 correct", "1 wrong"]


def test_confidences_need_no_labels():
    figure = plotting.confidence_histogram(PROBABILITIES)
    assert legend_of(figure) == ["3 images"]
    assert sum(bar.get_height() for bar in figure.axes[0].patches) == 3


def test_certain_predictions_rounded_above_one_are_counted():
    probabilities = np.array([[1.0 + 1e-6, 0.0]])
    figure = plotting.confidence_histogram(probabilities)
    assert sum(bar.get_height() for bar in figure.axes[0].patches) == 1


@pytest.mark.parametrize(
    ("probabilities", "y_true", "message"),
    [
        ([0.5, 0.5], None, "n, classes"),
        ([[2.0, 1.0]], None, "softmax"),
        ([[2.0, -1.0]], None, "softmax"),
        ([[np.nan, 1.0]], None, "NaN"),
        ([[0.5, 0.5]], [0, 1], "one per image"),
        ([[0.5, 0.5]], [2], "known classes"),
        ([[0.5, 0.5]], [-1], "unlabelled"),
    ],
)
def test_bad_probabilities_or_labels_are_refused(probabilities, y_true, message):
    with pytest.raises(ValueError, match=message):
        plotting.confidence_histogram(probabilities, y_true)


def predictions_with_errors(num_images, wrong):
    """Four balanced classes; the images at `wrong` are called the next class."""
    y_true = np.arange(num_images) % 4
    y_predicted = y_true.copy()
    y_predicted[wrong] = (y_true[wrong] + 1) % 4
    return np.zeros((num_images, 8, 8), "uint8"), y_predicted, y_true


def test_title_gives_the_error_rate():
    figure = plotting.predicted_columns(*predictions_with_errors(400, [0, 1, 2]))
    assert titles(figure) == [
        "Test images by predicted class: 0.75 % errors (3 of 400)"
    ]


def test_share_of_errors_shown_is_the_error_rate():
    wrong = np.arange(40)  # a tenth of the images: 8 of the 4 x 20 places
    figure = plotting.predicted_columns(*predictions_with_errors(400, wrong))
    assert texts(figure)[0].startswith("Errors shown: 8 of 80,")
    assert len(figure.axes[0].patches) == 8


def test_rare_errors_are_shown_once_at_least():
    figure = plotting.predicted_columns(*predictions_with_errors(4000, [6]))
    assert texts(figure)[0].startswith("Errors shown: 1 of 80,")
    assert texts(figure)[1:] == ["2"]  # image 6 is a 2, called a 3


def test_perfect_predictions_have_no_frame():
    figure = plotting.predicted_columns(*predictions_with_errors(400, []))
    assert len(figure.axes[0].patches) == 0


def test_images_stand_in_the_column_of_their_predicted_class():
    y = np.array([0, 1, 1])
    x = np.array([0.1, 0.2, 0.3])[:, None, None] * np.ones((3, 4, 4))
    figure = plotting.predicted_columns(x, y, y, rows=1)
    expected = [0.1, 1.0, 0.2, 0.3]  # white where class 0 has no second image
    lefts = [0, 5, 13, 18]
    np.testing.assert_allclose(picture(figure)[0, lefts, 0], expected, rtol=1e-6)


def test_class_that_is_never_predicted_keeps_its_column():
    y = np.zeros(5, int)
    (axes,) = plotting.predicted_columns(IMAGES[:5], y, y, num_classes=3).axes
    assert tick_labels(axes.xaxis) == ["0", "1", "2"]


@pytest.mark.parametrize(
    ("y_predicted", "y_true", "message"),
    [
        (np.zeros((20, 4)), LABELS, "argmax.y_predicted"),
        (LABELS, LABELS[:5], "20 integer classes"),
        (LABELS, LABELS.astype(float), "integer classes"),
        (LABELS, LABELS - 1, "unlabelled"),
    ],
)
def test_bad_classes_are_refused(y_predicted, y_true, message):
    with pytest.raises(ValueError, match=message):
        plotting.predicted_columns(IMAGES, y_predicted, y_true)


def test_save_writes_a_png_and_nothing_else(tmp_path):
    plotting.save(FIGURES["class_style_grid"](), tmp_path / "grid.png")
    assert [path.name for path in tmp_path.iterdir()] == ["grid.png"]
    assert (tmp_path / "grid.png").read_bytes().startswith(b"\x89PNG")


def test_failed_save_leaves_the_old_file_alone(tmp_path):
    class Broken:
        def savefig(self, path, format):
            path.write_bytes(b"half")
            raise OSError("disk full")

    (tmp_path / "grid.png").write_bytes(b"old")
    with pytest.raises(OSError, match="disk full"):
        plotting.save(Broken(), tmp_path / "grid.png")
    assert [path.name for path in tmp_path.iterdir()] == ["grid.png"]
    assert (tmp_path / "grid.png").read_bytes() == b"old"


def test_save_makes_no_folder(tmp_path):
    with pytest.raises(FileNotFoundError):
        plotting.save(FIGURES["class_style_grid"](), tmp_path / "new" / "grid.png")


def test_save_writes_png_only(tmp_path):
    with pytest.raises(ValueError, match=r"end it in \.png"):
        plotting.save(FIGURES["class_style_grid"](), tmp_path / "grid.pdf")


# Error by number of labels


def test_error_by_labels_draws_means_ranges_and_published_points():
    (axes,) = FIGURES["error_by_labels"]().axes
    means, published = axes.lines[0], axes.lines[-1]
    np.testing.assert_allclose(means.get_xydata(), [[100, 3.0], [1000, 1.0]])
    np.testing.assert_allclose(published.get_xydata(), [[100, 5.0]])
    (bars,) = axes.collections
    low_and_high = [segment[:, 1] for segment in bars.get_segments()]
    np.testing.assert_allclose(low_and_high, [[2, 4], [1, 1]])
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert sorted(labels) == ["ours", "theirs, published"]


@pytest.mark.parametrize("errors", [{}, {"ours": {100: [0.0]}}])
def test_error_by_labels_needs_errors_above_zero(errors):
    with pytest.raises(ValueError, match="above 0"):
        plotting.error_by_labels(errors)


# --- the family -------------------------------------------------------------------


def test_codes_and_draws_share_their_axes_and_each_class_has_a_color():
    figure = plotting.codes(POINTS, LABELS, 2 * POINTS)
    left, right = figure.axes
    assert left.get_xlim() == right.get_xlim() and left.get_ylim() == right.get_ylim()
    assert len(right.collections) == 4
    assert len({tuple(c.get_facecolor()[0]) for c in right.collections}) == 4


def test_clusters_show_the_head_and_then_the_surest_images():
    cells = picture(plotting.clusters(IMAGES[:3], IMAGES, MEMBERSHIP, columns=4))
    step = 8 + 1  # pixels of an image and of a gap

    def cell(row, column):
        return cells[row * step : row * step + 8, column * step : column * step + 8, 0]

    np.testing.assert_allclose(cell(0, 0), IMAGES[0], atol=1e-6)
    np.testing.assert_allclose(cell(0, 1), IMAGES[18], atol=1e-6)  # of even ones
    np.testing.assert_allclose(cell(1, 2), IMAGES[17], atol=1e-6)
    assert cell(2, 1).min() == 1.0  # nobody belongs to cluster 2


def test_many_classes_have_a_colour_each():
    points, y = np.random.default_rng(0).normal(size=(60, 2)), np.arange(60) % 30
    panel, bar = plotting.planes({"a": points}, y).axes
    colors = {tuple(dots.get_facecolor()[0]) for dots in panel.collections}
    assert len(colors) == 30
    assert panel.get_legend() is None  # it would be longer than the figure
    assert bar.get_ylabel() == "class" and bar.get_ylim() == (0, 29)


def test_planes_have_a_panel_per_method_and_mark_the_heads_in_the_first():
    figure = plotting.planes({"a": POINTS, "b": POINTS}, LABELS, heads=POINTS[:4])
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["a", "b"]
    first, second = figure.axes
    assert len(first.collections) == 4 + 1  # a class each, and the heads
    assert len(second.collections) == 4
    np.testing.assert_allclose(first.collections[-1].get_offsets(), POINTS[:4])


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda: plotting.codes(POINTS[:, :1], LABELS, POINTS), r"`z`.*\(20, 1\)"),
        (lambda: plotting.codes(POINTS, LABELS, POINTS * np.nan), "finite"),
        (
            lambda: plotting.clusters(IMAGES[:4], IMAGES, MEMBERSHIP),
            "20 images and 4 heads",
        ),
        (lambda: plotting.planes({"a": POINTS}, LABELS[:5]), "20 integer classes"),
    ],
)
def test_points_that_do_not_fit_are_refused(draw, message):
    with pytest.raises(ValueError, match=message):
        draw()


# --- lines and tables of numbers --------------------------------------------------


def test_risk_is_drawn_over_the_share_of_images_answered():
    curves = {"one": ([0.5, 1.0], [0.0, 2.0]), "other": ([0.5, 1.0], [1.0, 2.0])}
    (axes,) = plotting.risk_coverage(curves).axes
    lines = {line.get_label(): line.get_xydata().tolist() for line in axes.lines}
    assert lines == {"one": [[50, 0], [100, 2]], "other": [[50, 1], [100, 2]]}
    assert axes.get_ylim()[0] == 0


@pytest.mark.parametrize("curves", [{}, {"one": ([1, 2], [1])}, {"one": ([], [])}])
def test_lines_of_nothing_or_of_unequal_lengths_are_refused(curves):
    with pytest.raises(ValueError, match="two lists of equal lengths"):
        plotting.lines(curves, "x", "y")


def test_confusion_shows_the_shares_of_each_class():
    (axes,) = plotting.confusion([[3, 1], [0, 2]], ["cat", "dog"]).axes
    shown = {text.get_position(): text.get_text() for text in axes.texts}
    assert shown == {(0, 0): "75", (1, 0): "25", (1, 1): "100"}  # (column, row)
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels == ["cat", "dog"]


def test_confusion_of_another_number_of_classes_is_refused():
    with pytest.raises(ValueError, match=r"each of 3 classes. Received shape \(2, 2\)"):
        plotting.confusion(np.eye(2), ["a", "b", "c"])


def test_a_decision_is_tagged_with_its_class_and_struck_out_if_refused():
    figure = FIGURES["decisions"]()
    tags = [text.get_text() for text in figure.axes[0].texts]
    crossed = "\N{MULTIPLICATION X}"
    assert tags[:6] == ["0", *(f"{k} {crossed}" for k in (1, 2, 3, 4)), "5"]


def test_decisions_need_a_label_for_each_image():
    with pytest.raises(ValueError, match=r"Received shapes \(3, 3\) and \(3, 4\)"):
        plotting.decisions(GRID, np.eye(3), np.eye(3, 4), "abc", "Decisions")


def test_rows_of_a_grid_have_names_if_given():
    figure = plotting.image_grid(GRID, "Images", row_names=["a", "b", "c"])
    assert tick_labels(figure.axes[0].yaxis) == ["a", "b", "c"]
    with pytest.raises(ValueError, match="a name for each of 3 rows"):
        plotting.image_grid(GRID, "Images", row_names=["a"])
