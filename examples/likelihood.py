"""Parzen-window log-likelihood of images under an adversarial autoencoder's samples.

    python examples/likelihood.py
    python examples/likelihood.py --recipe=paper_likelihood --imle_passes=0
    KERAS_BACKEND=jax python examples/likelihood.py --dataset=digits --samples=1000

Three steps: clusters are found without labels; then a supervised AAE has them for its
classes, so that no draw lies between two digits; then its decoder learns from draws,
the nearest of which each image pulls at (`fit_imle`; --imle_passes=0 leaves that out).
With --recipe of an AAE, that model in the place of the first two. --resume goes on with
the first two; the third begins anew.

Number: the mean log-likelihood of the test images, in nats, with its standard error, as
in section 3 of the paper (340 with 10,000 samples of MNIST). The window's width is
chosen on images held out. `evaluation.parzen_log_likelihood` says what this number does
not tell. Beside it the same for training images, as many if there are, as if they were
samples.
"""

import sys
import time

import common
from absl import flags

common.define_flags(
    "Settings of the first step: clustering or another of that model; or likelihood, "
    "paper_likelihood or another of an AAE alone.",
    second_recipe_help="Settings of the second: likelihood_imle or another; "
    "likelihood_in_clusters, if there is no third.",
)
_SAMPLES = flags.DEFINE_integer(
    "samples", 10_000, "Samples that the windows stand on.", lower_bound=100
)
_IMLE_PASSES = flags.DEFINE_integer(
    "imle_passes",
    None,
    "Passes over the images of the last step: 150, or 2 for a smoke run.",
    lower_bound=0,
)


def main(argv):
    """Trains, scores samples by test images once, and writes everything down."""
    del argv
    import numpy as np

    from keras_saae import evaluation, fit_imle, plotting

    passes = _IMLE_PASSES.value
    if passes is None:
        passes = 2 if common.FLAGS.smoke else 150
    if common.FLAGS.validation == 0:
        sys.exit("--validation=0 leaves no images to choose the windows' width on.")
    second = "likelihood_imle" if passes else "likelihood_in_clusters"
    setting = f"{_SAMPLES.value} samples, {passes} IMLE passes"
    run, classes = train(second, setting)
    images, model, seed = run.images, run.model, run.results["seed"]
    x_train, x_validation = images.x_train[run.split.train], run.x_validation[:1000]
    drawn = {}
    if classes is not None:  # each as often as among the training images
        rng = np.random.default_rng(seed)
        drawn = {"label": rng.choice(classes, _SAMPLES.value)}

    def score():
        samples = model.sample(_SAMPLES.value, **drawn, seed=seed)
        return samples, evaluation.parzen_log_likelihood(
            samples, x_validation, images.x_test
        )

    samples, found = score()
    last_step = {}
    run.results["imle_passes"] = passes
    if passes:
        before, start = found.mean, time.monotonic()
        settings = {
            "learning_rate": 2e-3,
            "batch_size": common.FLAGS.batch_size or 250,
            "samples": _SAMPLES.value,
        }
        with common.message_alone(FloatingPointError):
            distances = fit_imle(
                model, x_train, classes, passes, **settings, seed=seed, verbose=1
            )
        seconds = run.results["train_seconds"] + time.monotonic() - start
        run.results.update(
            train_seconds=round(seconds, 1),
            imle_settings=settings,
            nearest_samples=[round(distance, 3) for distance in distances],
        )
        samples, found = score()
        last_step["log_likelihood_before_imle"] = before
    real = evaluation.parzen_log_likelihood(
        x_train[: _SAMPLES.value], x_validation, images.x_test
    )
    common.finish(
        run,
        {
            "log_likelihood": found.mean,
            "standard_error": found.standard_error,
            "sigma": found.sigma,
            "samples": len(samples),
            "training_images_log_likelihood": real.mean,
            **last_step,
        },
        {
            "samples": plotting.image_grid(
                samples[:100].reshape(10, 10, *model.image_shape), "Samples"
            )
        },
    )


def train(second, setting):
    """The `Run`, and the cluster of each training image if they are its classes."""
    import numpy as np

    from keras_saae import recipes

    with common.message_alone(ValueError):
        recipe = recipes.get(common.FLAGS.recipe or "clustering")
    one_step = isinstance(recipe, recipes.AAERecipe)
    common.check_second_recipe(None if one_step else second)
    if one_step:
        return common.train("likelihood", labels=0, setting=setting), None
    first = common.train("clustering", labels=0, setting=setting)
    x = first.images.x_train[first.split.train]
    found = first.model.predict(x, verbose=0).argmax(axis=1)
    names, clusters = np.unique(found, return_inverse=True)  # no empty ones

    if len(names) == 1:
        sys.exit("The first step left all images in one cluster: raise --epochs.")

    def relabel(y, class_names):
        del y, class_names  # not looked at
        return clusters, len(names), None

    run = common.train(
        second,
        labels=0,
        setting=f"{setting} in {len(names)} clusters",
        after=first,
        relabel=relabel,
        labelled_batch_size=common.FLAGS.batch_size,  # it learns from these alone
    )
    return run, clusters


if __name__ == "__main__":
    common.start(main)
