"""Each class laid into its own part of the prior: labels that shape the codes.

    python examples/label_informed.py
    KERAS_BACKEND=jax python examples/label_informed.py --dataset=digits --labels=300

Figures: the codes over their prior, and draws from each class's part. Number: the share
of test images whose code lies in the part of their own class, in percent.
"""

import common
from absl import flags

common.define_flags("Settings: label_informed or another of keras_saae.recipes.")
_PRIOR = flags.DEFINE_enum(
    "prior",
    None,
    ["mixture", "swiss_roll"],
    "What each class owns a part of; the recipe's own if not given, a mixture.",
)
_LABELS = flags.DEFINE_string(
    "labels",
    None,
    "Number of labelled images, or 'all'; 10,000 if not given, of the digits 300.",
)


def main(argv):
    """Trains, looks at the codes of test images once, and writes everything down."""
    del argv
    import numpy as np
    from keras import ops

    from keras_saae import evaluation, plotting

    few = common.FLAGS.dataset == "digits" or common.FLAGS.smoke
    run = common.train(
        "label_informed",
        labels=common.number_of_labels(_LABELS.value or ("300" if few else "10000")),
        setting=lambda recipe: recipe.prior,
        **common.choose_prior("label_informed", _PRIOR.value),
    )
    model, images = run.model, run.images
    z = model.encode(images.x_test)
    found = ops.convert_to_numpy(model.prior.class_of(z))
    draws = ops.convert_to_numpy(model.prior.sample(2000, seed=0))
    samples = [
        model.sample(10, label=k, seed=common.FLAGS.seed)
        for k in range(images.num_classes)
    ]
    common.finish(
        run,
        {"own_mode_share": 100.0 - evaluation.error_rate(images.y_test, found)},
        {
            "codes": plotting.codes(z[:2000], images.y_test[:2000], draws),
            "samples": plotting.image_grid(
                np.stack(samples), "Draws from each class's part of the prior", "class"
            ),
        },
    )


if __name__ == "__main__":
    common.start(main)
