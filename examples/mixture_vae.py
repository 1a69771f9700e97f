"""A classifier that refuses what it does not know: the Gaussian-mixture VAE.

    python examples/mixture_vae.py --labels=all
    python examples/mixture_vae.py --labels=100 --coverage=0.95
    KERAS_BACKEND=jax python examples/mixture_vae.py --dataset=digits

Numbers, in percent: the error among the test images that it accepts, the share that it
refuses, the error of all, the area under the risk-coverage curve, the calibration
error. Figures: that curve, images refused and accepted, every class in ten styles.
"""

import common
from absl import flags

common.define_flags("Settings: mixture_vae, paper_mixture_vae or another recipe.")
_LABELS = flags.DEFINE_string("labels", "all", "Number of labelled images, or 'all'.")
_COVERAGE = flags.DEFINE_float(
    "coverage",
    0.98,
    "Share of the validation images that the thresholds accept.",
    lower_bound=0.0,
    upper_bound=1.0,
)

_RECONSTRUCTION_ERROR = flags.DEFINE_enum(
    "reconstruction_error",
    "cross_entropy",
    ["cross_entropy", "euclidean"],
    "What the second threshold is of; the paper's is euclidean.",
)

NUM_SHOWN = 10  # images in a row of the figures


def main(argv):
    """Trains, sets thresholds on validation images, scores the test images once."""
    del argv
    import numpy as np

    from keras_saae import evaluation, plotting

    run, classifier = train_selective()
    model, images = run.model, run.images
    x, y = images.x_test, images.y_test
    q = model.predict(x, verbose=0)
    scores = classifier.evaluate(x, y)
    scores = {
        "accepted_error": scores.pop("accepted_error"),
        "rejected": scores.pop("rejected"),
        "test_error": scores.pop("error"),
        **scores,
        "calibration_error": evaluation.expected_calibration_error(y, q),
    }
    found = classifier.predict(x)
    curves = {
        "code and reconstruction": found.confidence,
        "largest class probability": q.max(axis=1),
    }
    rows = {
        "refused": np.flatnonzero(~found.accepted),
        "accepted": np.flatnonzero(found.accepted),
    }
    shown = {name: x[i[:NUM_SHOWN]] for name, i in rows.items() if len(i)}
    styles = np.random.default_rng(0).normal(size=(NUM_SHOWN, model.z_dim))
    grid = model.decode((model.means[:, None] + styles).reshape(-1, model.z_dim))
    common.finish(
        run,
        scores,
        {
            "risk_coverage": plotting.risk_coverage(
                {
                    name: evaluation.risk_coverage(y, found.label, confidence)
                    for name, confidence in curves.items()
                }
            ),
            "class_style_grid": plotting.class_style_grid(
                grid.reshape(len(model.means), NUM_SHOWN, *model.image_shape)
            ),
            **{
                name: plotting.reconstructions(chosen, model.reconstruct(chosen))
                for name, chosen in shown.items()
            },
        },
    )


def train_selective(taken_from=None):
    """The trained `Run`, and its `SelectiveClassifier` with thresholds.

    `taken_from` is as of `common.fit`.
    """
    from keras_saae import evaluation

    labels, coverage = common.number_of_labels(_LABELS.value), _COVERAGE.value
    if coverage == 0:
        common.sys.exit("--coverage=0 accepts nothing. Try 0.98.")
    if common.FLAGS.validation == 0:
        common.sys.exit("--validation=0 leaves no images to set the thresholds on.")
    run = common.train(
        "mixture_vae",
        labels,
        setting=f"{labels} labels, coverage {coverage}",
        taken_from=taken_from,
    )
    error = _RECONSTRUCTION_ERROR.value
    run.results["reconstruction_error"] = error
    classifier = evaluation.SelectiveClassifier(run.model, run.model.means, error)
    with common.message_alone(ValueError):
        classifier.calibrate(run.x_validation, run.y_validation, coverage=coverage)
    return run, classifier


if __name__ == "__main__":
    common.start(main)
