"""Figures of a training run: arrays in, `matplotlib.figure.Figure` out.

No figure here is known to pyplot, so none needs closing, and a user's Matplotlib
settings are neither read nor changed. In a notebook, `%matplotlib inline` shows a
returned figure; `save` writes it to a file. Matplotlib is imported on first use.

Images are grey `(n, height, width)` or `(n, height, width, 1)`, or RGB
`(n, height, width, 3)`; uint8, or float in [0, 1]. Floats beyond [0, 1], which a
decoder with a linear output makes, are drawn as black or white.
"""

from keras_saae.plotting.classification import (
    confidence_histogram,
    confusion,
    decisions,
    predicted_columns,
)
from keras_saae.plotting.comparisons import error_by_labels, lines, risk_coverage
from keras_saae.plotting.generation import (
    class_style_grid,
    image_grid,
    reconstructions,
    style_sweep,
)
from keras_saae.plotting.latent import clusters, codes, planes, style_histogram
from keras_saae.plotting.look import save
from keras_saae.plotting.training import PHASES, learning_curves

__all__ = [
    "PHASES",
    "class_style_grid",
    "clusters",
    "codes",
    "confidence_histogram",
    "confusion",
    "decisions",
    "error_by_labels",
    "image_grid",
    "learning_curves",
    "lines",
    "planes",
    "predicted_columns",
    "reconstructions",
    "risk_coverage",
    "save",
    "style_histogram",
    "style_sweep",
]
