"""What a decoder draws."""

import numpy as np

from keras_saae.plotting.arrays import rgb
from keras_saae.plotting.look import house_style
from keras_saae.plotting.mosaics import mosaic


def reconstructions(x, x_reconstructed, num_images=12):
    """Originals over reconstructions.

    Args:
        x: images `(n, height, width[, channels])`.
        x_reconstructed: images of the same shape, in the same order.
        num_images: int. How many to show: the first ones.

    Returns:
        A `matplotlib.figure.Figure` with two rows of images.

    Raises:
        ValueError: if the shapes differ, or for bad images.
    """
    x = rgb(np.asarray(x)[:num_images], "x")
    x_reconstructed = rgb(np.asarray(x_reconstructed)[:num_images], "x_reconstructed")
    if x.shape != x_reconstructed.shape:
        raise ValueError(
            "`x` and `x_reconstructed` show the same images and need equal shapes. "
            f"Received {x.shape[:3]} and {x_reconstructed.shape[:3]} as "
            "(images, height, width)."
        )
    with house_style():
        figure, axes, _, _ = mosaic(
            np.stack([x, x_reconstructed]),
            "Images and their reconstructions",
            left=1.0,
            bottom=0.1,
        )
        axes.set_yticklabels(["original", "reconstruction"])
        axes.set_xticks([])
    return figure


def class_style_grid(images):
    """Generated images: one class per row, one style per column.

    Args:
        images: `(classes, styles, height, width[, channels])`, where a column shares
            one draw of the style z.

    Returns:
        A `matplotlib.figure.Figure`.

    Raises:
        ValueError: for bad images.
    """
    images = rgb(images, "images", grid=True)
    with house_style():
        figure, axes, _, _ = mosaic(images, "One class per row, one style per column")
        axes.set_ylabel("class y")
        axes.set_yticklabels(range(images.shape[0]))
        axes.set_xlabel("style z (draws from the prior)", loc="left")
        axes.set_xticklabels(range(1, images.shape[1] + 1))
    return figure


def style_sweep(images, values):
    """Generated images: one class per row, the first style dimension along a row.

    Args:
        images: `(classes, len(values), height, width[, channels])`.
        values: float `(columns,)`. The first style dimension in each column, typically
            from -2 to 2; the other dimensions stay where they are.

    Returns:
        A `matplotlib.figure.Figure`.

    Raises:
        ValueError: for bad images, or if there is not one value per column.
    """
    images = rgb(images, "images", grid=True)
    values = np.asarray(values)
    if values.shape != images.shape[1:2]:
        raise ValueError(
            "`values` needs one number per column of images. Received "
            f"values.shape={values.shape} for {images.shape[1]} columns."
        )
    with house_style():
        figure, axes, _, _ = mosaic(
            images, "Each class along the first style dimension"
        )
        axes.set_ylabel("class y")
        axes.set_yticklabels(range(images.shape[0]))
        axes.set_xlabel("z[0] (standard deviations of the prior)", loc="left")
        axes.set_xticklabels([f"{value:.1f}".replace("-", "−") for value in values])
    return figure


def image_grid(images, title, row_label="", column_label="", row_names=None):
    """Images in rows and columns, such as the decoded plane.

    Args:
        images: `(rows, columns, height, width[, channels])`.
        title: str.
        row_label: what changes from row to row.
        column_label: what changes along a row.
        row_names: str for each row, or None.

    Returns:
        A `matplotlib.figure.Figure`.

    Raises:
        ValueError: for bad images, or if there is not one name per row.
    """
    images = rgb(images, "images", grid=True)
    if row_names is not None and len(row_names) != len(images):
        raise ValueError(
            f"`row_names` needs a name for each of {len(images)} rows. Received "
            f"{row_names!r}."
        )
    lines = "\n".join(row_names or [""]).splitlines() or [""]
    longest = max(map(len, lines))
    with house_style():
        left, bottom = 0.5 + 0.07 * longest, 0.5 if column_label else 0.1
        figure, axes, _, _ = mosaic(images, title, left=left, bottom=bottom)
        axes.set_ylabel(row_label)
        axes.set_xlabel(column_label, loc="left")
        axes.set_xticks([])
        if row_names is None:
            axes.set_yticks([])
        else:
            axes.set_yticklabels(row_names)
    return figure
