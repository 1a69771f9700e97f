"""Parzen-window log-likelihood of images under an adversarial autoencoder's samples.

    python examples/likelihood.py
    KERAS_BACKEND=jax python examples/likelihood.py --dataset=digits --samples=1000

Number: the mean log-likelihood of the test images, in nats, with its standard error, as
in section 3 of the paper (340 with 10,000 samples of MNIST). The window's width is
chosen on images held out. `evaluation.parzen_log_likelihood` says what this number does
not tell. Beside it the same for as many training images, as if they were samples.
"""

import sys

import common
from absl import flags

common.define_flags("Settings: likelihood, paper_likelihood or another of an AAE.")
_SAMPLES = flags.DEFINE_integer(
    "samples", 10_000, "Samples that the windows stand on.", lower_bound=100
)


def main(argv):
    """Trains, scores samples by test images once, and writes everything down."""
    del argv
    from keras_saae import evaluation, plotting

    if common.FLAGS.validation == 0:
        sys.exit("--validation=0 leaves no images to choose the windows' width on.")
    setting = f"{_SAMPLES.value} samples"
    run = common.train("likelihood", labels=0, setting=setting)
    images, model = run.images, run.model
    x_validation = run.x_validation[:1000]
    samples = model.sample(_SAMPLES.value, seed=run.results["seed"])
    found = evaluation.parzen_log_likelihood(samples, x_validation, images.x_test)
    trained_on = images.x_train[run.split.train][: _SAMPLES.value]
    real = evaluation.parzen_log_likelihood(trained_on, x_validation, images.x_test)
    common.finish(
        run,
        {
            "log_likelihood": found.mean,
            "standard_error": found.standard_error,
            "sigma": found.sigma,
            "samples": len(samples),
            "training_images_log_likelihood": real.mean,
        },
        {
            "samples": plotting.image_grid(
                samples[:100].reshape(10, 10, *model.image_shape), "Samples"
            )
        },
    )


if __name__ == "__main__":
    common.start(main)
