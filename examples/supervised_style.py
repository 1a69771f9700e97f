"""Style apart from a class that is known: one style in every class.

    python examples/supervised_style.py
    KERAS_BACKEND=jax python examples/supervised_style.py --dataset=digits

Figure: one style per row, read from a test image, and one class per column. Numbers:
the share of drawn images that a separate classifier gives the class asked for, and how
well a linear probe reads the class from the style (10 would be best), in percent.
"""

import common

common.define_flags("Settings: supervised or another of keras_saae.recipes.")

NUM_STYLES = 10


def main(argv):
    """Trains, looks at test images once, and writes everything down."""
    del argv
    import numpy as np

    from keras_saae import evaluation, plotting

    run = common.train(
        "supervised",
        setting=lambda recipe: f"{recipe.z_dim} dimensions of style",
        labelled_batch_size=common.FLAGS.batch_size,  # it learns from these alone
    )
    model, images, split = run.model, run.images, run.split
    z_test = model.encode(images.x_test)
    styles = z_test[:NUM_STYLES]
    grid = np.concatenate(
        [
            images.x_test[:NUM_STYLES, None] / 255.0,
            model.class_style_grid(styles).swapaxes(0, 1),
        ],
        axis=1,
    )
    probed = split.train[: common.PROBED_CODES]
    x, y = images.x_train[probed], images.y_train[probed]
    judge = common.judge(run)
    drawn = np.arange(common.JUDGED_IMAGES) % images.num_classes
    samples = model.sample(len(drawn), label=drawn, seed=0)
    common.finish(
        run,
        {
            "class_fidelity": evaluation.class_fidelity(
                drawn, judge.predict(samples, verbose=0)
            ),
            "style_leakage": evaluation.style_leakage(
                model.encode(x), y, z_test, images.y_test
            ),
            "judge_test_error": evaluation.error_rate(
                images.y_test, judge.predict(images.x_test, verbose=0)
            ),
        },
        {
            "styles": plotting.image_grid(
                grid,
                "One style per row, one class per column",
                "style of the test image at the left",
                "test image, then the classes in order",
            )
        },
    )


if __name__ == "__main__":
    common.start(main)
