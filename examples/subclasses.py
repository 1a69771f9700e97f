"""Labels in two levels: what sub-classes tell of the main classes, and the reverse.

    python examples/subclasses.py --labels_are=both
    KERAS_BACKEND=jax python examples/subclasses.py --dataset=digits --labels_are=main

Main classes are animals and vehicles on CIFAR-10, of digits the even and the odd ones.
--labels_are=main trains on two classes; =sub on all classes, whose probabilities are
then added up; =both on all classes, where half of the labels tell the main class alone.
Numbers, in percent: the test error of the main class and, where it is predicted, of the
sub-class. Figure: the confusion between sub-classes.
"""

import common
from absl import flags

common.define_flags(
    "Settings: vat, labels_only or another recipe of a classifier.",
    dataset="cifar10",
    more_datasets=("cifar10",),
)
_LABELS = flags.DEFINE_string("labels", "1000", "Labelled images, or 'all'.")
_LABELS_ARE = flags.DEFINE_enum(
    "labels_are", "both", ["main", "sub", "both"], "What the labels tell."
)

DIGITS = {"even": "02468", "odd": "13579"}
MEMBERS = {
    "cifar10": {
        "vehicle": ("airplane", "automobile", "ship", "truck"),
        "animal": ("bird", "cat", "deer", "dog", "frog", "horse"),
    },
    "fashion_mnist": {
        "clothes": ("t-shirt", "trouser", "pullover", "dress", "coat", "shirt"),
        "accessories": ("sandal", "sneaker", "bag", "ankle boot"),
    },
    "mnist": {name: tuple(digits) for name, digits in DIGITS.items()},
    "digits": {name: tuple(digits) for name, digits in DIGITS.items()},
}


def main(argv):
    """Trains, scores the test images once, and writes everything down."""
    del argv
    import numpy as np
    from sklearn.metrics import confusion_matrix

    from keras_saae import data, evaluation, plotting

    members, main_alone = MEMBERS[common.FLAGS.dataset], _LABELS_ARE.value == "main"

    def relabel(y, class_names):
        groups = data.class_groups(members, class_names)
        if main_alone:
            return data.main_labels(y, groups), len(members), None
        if _LABELS_ARE.value == "sub":
            return y, len(groups), None
        labelled = np.flatnonzero(y >= 0)
        # Every other label of each class.
        order = labelled[np.argsort(y[labelled], kind="stable")]
        y = y.copy()
        y[order[::2]] = data.partial_labels(y[order[::2]], groups)
        return y, len(groups), groups

    labels = common.number_of_labels(_LABELS.value)
    if common.FLAGS.smoke:
        labels = 100 if labels == "all" else min(labels, 100)
    run = common.train(
        "vat",
        labels,
        setting=f"{labels} labels, {_LABELS_ARE.value}",
        parts=encoder_of_colours,
        relabel=relabel,
    )
    x, y, names = run.images.x_test, run.images.y_test, run.images.class_names
    groups = data.class_groups(members, names)
    q = run.model.predict(x, verbose=0)
    of_main = q if main_alone else data.group_probabilities(q, groups)
    scores = {"main_error": evaluation.error_rate(groups[y], of_main)}
    figures = {}
    if not main_alone:
        scores["sub_error"] = evaluation.error_rate(y, q)
        counts = confusion_matrix(y, q.argmax(axis=1), labels=range(len(groups)))
        figures["confusion"] = plotting.confusion(counts, names)
    common.finish(run, scores, figures)


def encoder_of_colours(image_shape):
    """A convolutional encoder for images in colour; the recipe's own for the rest."""
    from keras_saae.networks import conv_encoder

    if len(image_shape) == 2:
        return {}
    network = conv_encoder(
        image_shape,
        filters=(32, 64, 128),
        kernel_size=3,
        kernel_initializer="he_normal",
        batch_normalization=True,
        seed=common.FLAGS.seed,
    )
    return {"encoder": network}


if __name__ == "__main__":
    common.start(main)
