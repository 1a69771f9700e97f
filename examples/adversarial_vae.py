r"""The two-step adversarial VAE: what a decoder keeps of the class, and how sharply.

    python examples/adversarial_vae.py --beta=0.0075 --gamma=0 --z_dim=100
    python examples/adversarial_vae.py --beta=0.1 --z_dim=100 \
        --first_step=runs/adversarial_vae_mnist_0 --output_dir=runs/beta_0.1
    KERAS_BACKEND=jax python examples/adversarial_vae.py --dataset=digits --beta=0.1

Numbers: the share of reconstructions of test images that a separate classifier gives
the class of the image, where it is right on that; their sharpness, 1 being that of the
images; the encoder's test error, in percent. Figures: reconstructions, draws, and the
plane of codes where z has two dimensions.
"""

from pathlib import Path

import common
from absl import flags

common.define_flags(
    "Settings of the first step: encoder_classifier or another recipe.",
    second_recipe_help="Settings of the second: adversarial_vae or another recipe.",
    more_datasets=("omniglot", "caltech101_silhouettes", "cifar10"),
)
_LABELS = flags.DEFINE_string("labels", "all", "Number of labelled images, or 'all'.")
_Z_DIM = flags.DEFINE_integer(
    "z_dim", None, "Width of the code; the recipe's own if not given.", lower_bound=1
)
_BETA = flags.DEFINE_float(
    "beta",
    None,
    "Weight of the adversarial term; the recipe's own if not given.",
    lower_bound=0,
)
_GAMMA = flags.DEFINE_float(
    "gamma",
    None,
    "Weight of the latent term; the recipe's own if not given.",
    lower_bound=0,
)
_FIRST_STEP = flags.DEFINE_string(
    "first_step",
    None,
    "Output folder of another run that is done, whose first step and judge are taken "
    "instead of trained anew.",
)


def main(argv):
    """Trains both steps, scores the test images once, and writes everything down."""
    del argv
    import numpy as np

    from keras_saae import evaluation, plotting

    labels = common.number_of_labels(_LABELS.value)
    common.check_second_recipe("adversarial_vae")
    taken_from = Path(_FIRST_STEP.value) if _FIRST_STEP.value else None
    first = common.train(
        "encoder_classifier", labels, taken_from=taken_from, z_dim=_Z_DIM.value
    )

    def parts(image_shape):
        del image_shape
        return {"encoder": first.model.encoder, "y_head": first.model.y_head}

    run = common.train(
        "adversarial_vae",
        labels,
        setting=lambda recipe: (
            f"beta {recipe.beta:g}, gamma {recipe.gamma:g}, {first.model.z_dim}-D"
        ),
        after=first,
        parts=parts,
        beta=_BETA.value,
        gamma=_GAMMA.value,
    )
    judge, model = common.judge(run, taken_from), run.model
    x, y = run.images.x_test, run.images.y_test
    x_reconstructed = model.reconstruct(x)
    judged, again = (judge.predict(v, verbose=0) for v in (x, x_reconstructed))
    drift = model.encode(x_reconstructed) - model.encode(x)
    scores = {
        "class_kept": evaluation.class_kept(y, judged, again),
        "relative_sharpness": evaluation.sharpness(x_reconstructed)
        / evaluation.sharpness(x),
        "code_error": float(np.mean(drift**2)),
        "test_error": evaluation.error_rate(y, model.predict(x, verbose=0)),
        "judge_test_error": evaluation.error_rate(y, judged),
    }
    samples = model.sample(100, seed=0).reshape(10, 10, *model.image_shape)
    few, many = common.evenly(x, 12), common.evenly(x, 2000)
    figures = {
        "reconstructions": plotting.reconstructions(x[few], x_reconstructed[few]),
        "samples": plotting.image_grid(samples, "Draws from the prior"),
    }
    if model.z_dim == 2:
        z = {"Codes of test images": model.encode(x[many])}
        figures["plane"] = plotting.planes(z, y[many])
    common.finish(run, scores, figures)


if __name__ == "__main__":
    common.start(main)
