"""Few labels through variational autoencoders: M1, M2, or M2 on the codes of M1.

    python examples/m1_m2.py --model=m1_m2 --labels=100
    python examples/m1_m2.py --model=m2 --unlabelled=sampled --classification_weight=0
    KERAS_BACKEND=jax python examples/m1_m2.py --dataset=digits

Numbers: the test error of y, and of classifiers on M1's codes (with --model=m2, none of
these), in percent; the latter on validation images too, and of `chosen_classifier`,
which errs least on them, once more. Figure: every class in ten styles.
"""

import common
from absl import flags

common.define_flags(
    "Settings of M1 or M2: m1 and m2, with paper_ before, or another recipe.",
    second_recipe_help="Settings of M2 on M1's codes: m1_m2, paper_m1_m2 or another.",
)
_MODEL = flags.DEFINE_enum(
    "model", "m1_m2", ["m1", "m2", "m1_m2"], "M1 under classifiers, M2, or both."
)
_LABELS = flags.DEFINE_string("labels", "100", "Labelled images, or 'all'.")
_UNLABELLED = flags.DEFINE_enum(
    "unlabelled",
    None,
    ["enumerated", "sampled"],
    "Every class of an unlabelled image in turn, or one that is drawn; the recipe's "
    "own if not given.",
)
_CLASSIFICATION_WEIGHT = flags.DEFINE_float(
    "classification_weight",
    None,
    "Weight of the cross-entropy; the recipe's own if not given.",
    lower_bound=0,
)

# Label spreading sees this many unlabelled images beside the labels. How much of a
# label comes from its neighbours, not from where it began, is chosen on validation
# images: 12.0 % error with scikit-learn's 0.2, 9.2 % with 0.99.
NUM_SPREAD = 20_000
SPREAD = {"kernel": "knn", "alpha": 0.99, "max_iter": 300}


def main(argv):
    """Trains, scores the test images once, and writes everything down."""
    del argv
    from keras_saae import evaluation, plotting

    labels = common.number_of_labels(_LABELS.value)
    for flag in (_UNLABELLED, _CLASSIFICATION_WEIGHT):
        if _MODEL.value == "m1" and flag.value is not None:
            common.sys.exit(f"--{flag.name} is of M2, and --model=m1 trains none.")
    common.check_second_recipe("m1_m2" if _MODEL.value == "m1_m2" else None)
    run, scores = None, {}
    if _MODEL.value != "m2":
        run = common.train("m1", labels, setting=f"m1, {labels} labels")
        scores = scores_of_codes(run)
    if _MODEL.value != "m1":
        run = train_m2(run, labels)
        q = run.model.predict(run.images.x_test, verbose=0)
        scores = {"test_error": evaluation.error_rate(run.images.y_test, q), **scores}
    if _MODEL.value == "m1":
        images = run.model.sample(100, seed=0).reshape(10, 10, *run.model.image_shape)
        figures = {"samples": plotting.image_grid(images, "Draws from the prior")}
    else:
        grid = run.model.class_style_grid(10)
        figures = {"class_style_grid": plotting.class_style_grid(grid)}
    common.finish(run, scores, figures)


def train_m2(m1, labels):
    """M2, on the codes of a trained M1 if there is one."""
    changes = {
        "unlabelled": _UNLABELLED.value,
        "classification_weight": _CLASSIFICATION_WEIGHT.value,
    }

    def setting(recipe):
        weight = f"cross-entropy times {recipe.classification_weight:g}"
        return f"{_MODEL.value}, {labels} labels, {recipe.unlabelled}, {weight}"

    if m1 is None:
        return common.train("m2", labels, setting, **changes)

    def parts(image_shape):
        del image_shape
        model, x = m1.model, m1.images.x_train[m1.split.train]
        spread = 0.0 if common.FLAGS.smoke else 0.1  # two epochs spread nothing
        with common.message_alone(ValueError):
            kept = model.used_dimensions(x, spread)
        return {
            "code_encoder": model.encoder,
            "code_decoder": model.decoder,
            "kept": kept,
        }

    return common.train("m1_m2", labels, setting, after=m1, parts=parts, **changes)


def scores_of_codes(run):
    """Test errors of classifiers that see M1's codes alone, in percent."""
    import numpy as np
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.semi_supervised import LabelSpreading
    from sklearn.svm import SVC

    images, split, transform = run.images, run.split, run.model.transform
    z = transform(images.x_train[split.labelled])
    y = images.y_train[split.labelled]
    parts = {"": (transform(images.x_test), images.y_test)}
    if len(run.x_validation):
        parts["_validation"] = (transform(run.x_validation), run.y_validation)
    unlabelled = np.setdiff1d(split.train, split.labelled)[:NUM_SPREAD]
    z_both = np.concatenate([z, transform(images.x_train[unlabelled])])
    y_both = np.concatenate([y, np.full(len(unlabelled), -1)])
    classifiers = {
        "nearest_neighbour": KNeighborsClassifier(1).fit(z, y),
        "linear_svm": SVC(kernel="linear").fit(z, y),
        "label_spreading": LabelSpreading(**SPREAD).fit(z_both, y_both),
    }
    scores = {
        f"{name}{part}_error": 100.0 * float(np.mean(found.predict(z) != y))
        for part, (z, y) in parts.items()
        for name, found in classifiers.items()
    }
    if "_validation" in parts:
        chosen = min(classifiers, key=lambda name: scores[f"{name}_validation_error"])
        scores["chosen_classifier"] = chosen
        scores["chosen_error"] = scores[f"{chosen}_error"]
    return scores


if __name__ == "__main__":
    common.start(main)
