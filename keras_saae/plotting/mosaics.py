"""Many images as one picture."""

import numpy as np

from keras_saae.plotting.look import INK, STYLE, new_figure


def mosaic(images, title, group=1, left=0.5, bottom=0.5, top=0.36):
    """Draw images `(rows, columns, h, w, 3)` as one picture with white gaps.

    Args:
        images: float in [0, 1]; an empty cell is white.
        title: str.
        group: int. A wider gap follows every `group` columns.
        left: float. Margin in inches, for what the caller writes there.
        bottom: float. Margin in inches.
        top: float. Margin in inches; the title is at its upper end.

    Returns:
        Figure, axes with a tick at each row and column, and the pixel positions of
        the rows' tops and the columns' left sides.
    """
    rows, columns, height, width, _ = images.shape
    gap = max(1, round(width / 14))
    tops = np.arange(rows) * (height + gap)
    lefts = np.arange(columns) * (width + gap)
    if group > 1:
        lefts += 3 * gap * (np.arange(columns) // group)
    canvas = np.ones((tops[-1] + height, lefts[-1] + width, 3))
    for row, y in enumerate(tops):
        for column, x in enumerate(lefts):
            canvas[y : y + height, x : x + width] = images[row, column]
    # A whole number of dots per pixel, where they fit, keeps small images sharp.
    dots = min(90 / width, 1320 / canvas.shape[1])
    scale = (np.floor(dots) if dots > 1 else dots) / STYLE["figure.dpi"]
    drawn = scale * canvas.shape[1], scale * canvas.shape[0]
    size = max(6.0, left + drawn[0] + 0.1), bottom + drawn[1] + top
    figure = new_figure(*size, layout=None)
    axes = figure.add_axes(
        (left / size[0], bottom / size[1], drawn[0] / size[0], drawn[1] / size[1])
    )
    axes.imshow(canvas, interpolation="nearest" if dots > 1 else "auto")
    axes.set_title(title, y=1.0, pad=(top - 0.25) * 72)
    axes.set_xticks(lefts + (width - 1) / 2)
    axes.set_yticks(tops + (height - 1) / 2)
    axes.tick_params(length=0, labelsize=8, labelcolor=INK)
    axes.spines[:].set_visible(False)
    return figure, axes, tops, lefts
