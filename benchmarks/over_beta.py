"""Reconstructions and draws of two-step adversarial VAEs side by side, a row a run.

    python examples/adversarial_vae.py --beta=0 --output_dir=runs/beta_0
    python examples/adversarial_vae.py --beta=0.1 --output_dir=runs/beta_0.1
    python benchmarks/over_beta.py --figure=docs/over_beta.png runs/beta_*

Runs of one data set, given by their output folders, come in the order of beta, then of
gamma. Each row is named by both, its share of kept classes, in percent, and its
sharpness, 1 being that of the images.
"""

import json
import sys
from pathlib import Path

from absl import app, flags

sys.path.insert(0, str(Path(__file__).parents[1] / "examples"))

import common  # noqa: E402

NUM_SHOWN = 8  # reconstructions, and as many draws

_FIGURE = flags.DEFINE_string("figure", "over_beta.png", "The picture's file, a PNG.")
_DATA_DIR = flags.DEFINE_string("data_dir", None, "As of mnist_semisup.py.")


def main(argv):
    """Draws the runs of the command line."""
    runs = [read(Path(folder)) for folder in argv[1:]]
    names = {run["dataset"] for run, _ in runs}
    if len(names) != 1:
        sys.exit(
            "Give the output folders of runs of adversarial_vae.py on one data set. "
            f"Received runs on {', '.join(sorted(names)) or 'none'}."
        )
    import keras
    import numpy as np

    from keras_saae import data, plotting

    x = data.load(names.pop(), _DATA_DIR.value).x_test
    x = x[common.evenly(x, NUM_SHOWN)]
    rows, titles = [np.concatenate([x / 255.0, np.ones_like(x)])], ["images"]
    for run, path in sorted(runs, key=lambda pair: weights(pair[0])):
        model = keras.saving.load_model(path, compile=False)
        rows.append(
            np.concatenate([model.reconstruct(x), model.sample(NUM_SHOWN, seed=0)])
        )
        titles.append("β {:g}, γ {:g}".format(*weights(run)) + "\n" + told(run))
    figure = plotting.image_grid(
        np.stack(rows), "Reconstructions, and draws from the prior", row_names=titles
    )
    plotting.save(figure, _FIGURE.value)
    print(f"Drawn to {_FIGURE.value}")


def read(folder):
    """The results of a run, and its model's file."""
    path = folder / "results.json"
    run = json.loads(path.read_text()) if path.exists() else {}
    if "class_kept" not in run:
        sys.exit(f"{folder} is no output folder of adversarial_vae.py that is done.")
    return run, folder / "model.keras"


def weights(run):
    """The weights of the two terms, beta and gamma."""
    return run["settings"]["beta"], run["settings"]["gamma"]


def told(run):
    """Its two numbers."""
    return f"{run['class_kept']:.0f} %, {run['relative_sharpness']:.2f}"


if __name__ == "__main__":
    app.run(main)
