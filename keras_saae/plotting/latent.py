"""What codes hold: styles, the plane, clusters."""

import numpy as np

from keras_saae.plotting.arrays import check_finite, check_labels, check_points, rgb
from keras_saae.plotting.look import (
    BLUE,
    GREY,
    INK,
    finish_axes,
    house_style,
    new_figure,
)
from keras_saae.plotting.mosaics import mosaic


def style_histogram(z, dimension=0):
    """Histogram of one style dimension against the prior's density N(0, 1).

    Where the adversarial game works, bars and curve agree: mean 0 and standard
    deviation 1.

    Args:
        z: float `(n, z_dim)`. Encoded images.
        dimension: int. Which column of `z`.

    Returns:
        A `matplotlib.figure.Figure`.

    Raises:
        ValueError: if `z` is not 2-D, is empty, has no such column or is not finite.
    """
    z = np.asarray(z)
    if z.ndim != 2 or not len(z) or not 0 <= dimension < z.shape[1]:
        raise ValueError(
            "`z` is expected as encoded images (n, z_dim) with n > 0 and "
            "0 <= dimension < z_dim. "
            f"Received z.shape={z.shape}, dimension={dimension}."
        )
    values = z[:, dimension].astype("float64")
    check_finite(values, "z")
    low, high = min(-4.0, values.min()), max(4.0, values.max())
    grid = np.linspace(low, high, 801)
    with house_style():
        figure = new_figure(5.5, 3.4)
        axes = figure.subplots()
        axes.hist(
            values,
            bins=np.linspace(low, high, 61),
            density=True,
            color=BLUE,
            alpha=0.45,
            label=f"{len(values):,} encoded images",
        )
        axes.plot(
            grid,
            np.exp(-0.5 * grid**2) / np.sqrt(2 * np.pi),
            color=INK,
            label="prior N(0, 1)",
        )
        axes.set_title(f"Style dimension z[{dimension}] against its prior")
        axes.set_xlabel(f"z[{dimension}] (standard deviations of the prior)")
        axes.set_ylabel("density")
        axes.set_xlim(low, high)
        axes.set_ylim(top=1.25 * axes.get_ylim()[1])  # room for the legend
        axes.text(
            0.98,
            0.96,
            f"mean {values.mean():.2f}\nstandard deviation {values.std():.2f}".replace(
                "-", "−"
            ),
            transform=axes.transAxes,
            horizontalalignment="right",
            verticalalignment="top",
        )
        finish_axes(axes)
        axes.grid(False)
        axes.legend(loc="upper left")
    return figure


def codes(z, y, prior_draws):
    """Codes of images in the plane beside draws from their prior.

    Where the adversarial game works, both fill the same shape.

    Args:
        z: float `(n, 2)`. Codes of images; of wider codes the first two dimensions.
        y: integer `(n,)`. Their classes, which colour them.
        prior_draws: float `(m, 2)`. Draws from the prior.

    Returns:
        A `matplotlib.figure.Figure` with two panels.

    Raises:
        ValueError: if arrays do not fit together or are not finite.
    """
    z, prior_draws = check_points(z, "z"), check_points(prior_draws, "prior_draws")
    y = check_labels(y, len(z), None, "y")
    with house_style():
        figure = new_figure(7.0, 3.6)
        left, right = figure.subplots(1, 2, sharex=True, sharey=True)
        left.scatter(*prior_draws[:, :2].T, s=2, color=GREY, linewidths=0)
        left.set_title("Draws from the prior")
        _scatter(right, z, y)
        right.set_title("Codes of images")
        for axes in (left, right):
            axes.set_aspect("equal")
            finish_axes(axes)
        _class_legend(right)
    return figure


def planes(points, y, heads=None, decoded=None):
    """Images as points in the plane, one panel per method.

    Args:
        points: dict from the method's name to its points, float `(n, 2)`.
        y: integer `(n,)`. Classes of the images, which colour the points.
        heads: float `(K, 2)` or None. Marked in the first panel.
        decoded: pair of positions `(m, 2)` and images `(m, height, width)`, or None.
            Drawn in the first panel, just above where they belong.

    Returns:
        A `matplotlib.figure.Figure`.

    Raises:
        ValueError: if arrays do not fit together or are not finite.
    """
    points = {name: check_points(z, name) for name, z in points.items()}
    with house_style():
        figure = new_figure(0.6 + 3.1 * len(points), 3.4)
        panels = figure.subplots(1, len(points), squeeze=False)[0]
        for axes, (name, z) in zip(panels, points.items()):
            _scatter(axes, z, check_labels(y, len(z), None, "y"))
            axes.set_title(name)
            axes.tick_params(labelleft=False, labelbottom=False, length=0)
        if heads is not None:
            place = check_points(heads, "heads").T[:2]
            panels[0].scatter(*place, marker="x", color=INK, zorder=3)
        if decoded is not None:
            _draw_decoded(panels[0], *decoded)
        _class_legend(panels[-1])
    return figure


def clusters(head_images, x, probabilities, columns=10):
    """What each cluster stands for, and the images that are surest to be in it.

    Args:
        head_images: `(K, height, width[, channels])`. The decoded one-hot codes, in the
            middle of the style's prior.
        x: images `(n, height, width[, channels])`.
        probabilities: float `(n, K)`. Of each cluster for each image.
        columns: int. Images of each cluster, the most confident first; a cluster with
            fewer leaves cells white.

    Returns:
        A `matplotlib.figure.Figure`, a row per cluster, its head in the first column.

    Raises:
        ValueError: if arrays do not fit together, or for bad images.
    """
    head_images, x = rgb(head_images, "head_images"), rgb(x, "x")
    probabilities = np.asarray(probabilities)
    if probabilities.shape != (len(x), len(head_images)):
        raise ValueError(
            "`probabilities` needs a row per image and a column per cluster. Received "
            f"shape {probabilities.shape} for {len(x)} images and {len(head_images)} "
            "heads."
        )
    grid = np.ones((len(head_images), 1 + columns, *x.shape[1:]))
    grid[:, 0] = head_images
    chosen = probabilities.argmax(axis=1)
    for k in range(len(head_images)):
        members = np.flatnonzero(chosen == k)
        surest = members[np.argsort(-probabilities[members, k], kind="stable")]
        surest = surest[:columns]
        grid[k, 1 : 1 + len(surest)] = x[surest]
    with house_style():
        figure, axes, _, lefts = mosaic(grid, "Clusters and their surest images")
        axes.set_ylabel("cluster")
        axes.set_yticklabels(range(len(head_images)))
        axes.set_xticks([axes.get_xticks()[0], axes.get_xticks()[1]])
        axes.set_xticklabels(["head", "images"])
    return figure


FEW = 20  # classes that can be told apart by colour


def _scatter(axes, z, y):
    """The first two dimensions of points, coloured by class."""
    from matplotlib import colormaps

    few = y.max() < FEW
    colors = colormaps["tab10" if y.max() < 10 else "tab20" if few else "turbo"]
    for k in np.unique(y):
        color = colors(int(k) if few else k / y.max())
        axes.scatter(*z[y == k, :2].T, s=3, color=color, linewidths=0, label=str(k))


def _class_legend(axes):
    """Names of the classes of `_scatter`; a bar of their colours if they are many."""
    from matplotlib.cm import ScalarMappable

    last = max(map(int, axes.get_legend_handles_labels()[1]))
    if last < FEW:
        axes.legend(
            loc="center left", bbox_to_anchor=(1.0, 0.5), title="class", markerscale=4
        )
        return
    colors = ScalarMappable(cmap="turbo")
    colors.set_clim(0, last)
    bar = axes.figure.colorbar(colors, ax=axes, label="class")
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=8, color=GREY, labelcolor=INK)


def _draw_decoded(axes, positions, images):
    """Small images at their positions in the plane."""
    from matplotlib.offsetbox import AnnotationBbox, OffsetImage

    images = rgb(images, "decoded images")
    for position, image in zip(check_points(positions, "decoded positions"), images):
        zoom = 18 / max(image.shape[:2])
        box = OffsetImage(image, zoom=zoom, interpolation="nearest")
        above = {"xybox": (0, 18), "boxcoords": "offset points"}
        axes.add_artist(AnnotationBbox(box, position[:2], pad=0.1, **above))
