"""The look that all figures share, and how one is written to a file."""

import contextlib
import os
import pathlib

# Okabe and Ito's palette, which colour-blind readers and grey printers tell apart.
BLUE, ORANGE, RED = "#0072B2", "#E69F00", "#D55E00"
INK, GREY = "#333333", "#767676"

STYLE = {
    "figure.dpi": 150,
    "savefig.dpi": 150,
    "font.size": 9,
    "text.color": INK,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "figure.titlesize": 11,
    "figure.titleweight": "bold",
    "legend.frameon": False,
    "lines.linewidth": 1.6,
    "lines.markersize": 3.5,
}


def save(figure, path):
    """Write a figure as PNG; the file is whole or not there at all.

    Args:
        figure: a `matplotlib.figure.Figure`.
        path: file name ending in `.png`, in a folder that exists.

    Raises:
        ValueError: if `path` does not end in `.png`.
        OSError: if the folder is missing or cannot be written.
    """
    path = pathlib.Path(path)
    if path.suffix.lower() != ".png":
        raise ValueError(
            f"Figures are written as PNG. Received path={str(path)!r}; end it in .png."
        )
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with house_style():
            figure.savefig(temporary, format="png")
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def house_style():
    """The package's look, from Matplotlib's defaults up, for a `with` block."""
    import matplotlib.style

    with matplotlib.style.context(["default", STYLE]):
        yield


def new_figure(width, height, layout="constrained"):
    """An empty figure; sizes in inches."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout=layout)


def finish_axes(axes):
    """Ticks and grid. Ticks are made at drawing, when the style is over: set them."""
    axes.tick_params(which="both", labelsize=8, color=GREY, labelcolor=INK)
    axes.grid(axis="y", color="#DDDDDD", linewidth=0.6)
    axes.set_axisbelow(True)
