"""Images in the plane, classes apart, with few labels or none.

    python examples/dimensionality_reduction.py --labels=100
    python examples/dimensionality_reduction.py --labels=0 --clusters=20
    KERAS_BACKEND=jax python examples/dimensionality_reduction.py --dataset=digits

Figure: the plane of test images, its heads and a few other points decoded, beside PCA
and t-SNE of the same images. Number: the classification error from y in percent;
without labels a cluster has the class of its most confident validation image.
"""

import sys

import common
from absl import flags

common.define_flags("Settings: dimensionality_reduction or another recipe.")
_LABELS = flags.DEFINE_string(
    "labels", "100", "Number of labelled images, 0 for none, or 'all'."
)
_DIMENSIONS = flags.DEFINE_integer(
    "dimensions",
    None,
    "Width of the code, the recipe's own if not given, 2; beyond it, PCA draws.",
    lower_bound=2,
)
_CLUSTERS = flags.DEFINE_integer(
    "clusters",
    None,
    "Number of heads without labels; the recipe's own if not given, 20.",
    lower_bound=2,
)

NUM_SHOWN = 2000  # images in the plane
NUM_DECODED = 8  # of their points, beside the heads


def main(argv):
    """Trains, scores the test images once, and writes everything down."""
    del argv
    import numpy as np
    from keras import ops
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE

    from keras_saae import evaluation, plotting

    labels = common.number_of_labels(_LABELS.value, least=0)
    labelled = labels != 0
    recipe = "dimensionality_reduction" + ("" if labelled else "_unlabelled")
    with common.message_alone(ValueError):
        chosen = common.choose_recipe(recipe)
    if chosen.labelled != labelled:
        sys.exit(
            f"--recipe={chosen.name} learns {'with' if chosen.labelled else 'without'} "
            f"labels. Received --labels={labels}. Try --recipe={recipe}."
        )
    if not labelled and common.FLAGS.validation == 0:
        sys.exit(
            "--validation=0 leaves no images to name the clusters by: without labels a "
            "cluster has the class of its most confident validation image."
        )
    if labelled and _CLUSTERS.value:
        sys.exit("--clusters are of --labels=0: with labels each class has a head.")
    heads = "" if labelled else ", K={0.num_clusters}"
    setting = "{0.z_dim}-D, " + f"{labels} labels" + heads
    run = common.train(
        recipe,
        labels=labels,
        setting=setting.format,
        z_dim=_DIMENSIONS.value,
        num_clusters=_CLUSTERS.value,
    )
    model, images = run.model, run.images
    q = model.predict(images.x_test, verbose=0)
    if labelled:
        error = evaluation.error_rate(images.y_test, q)
    else:
        error = evaluation.paper_error(
            run.y_validation,
            model.predict(run.x_validation, verbose=0),
            images.y_test,
            q,
        )
    x, y = images.x_test[:NUM_SHOWN], images.y_test[:NUM_SHOWN]
    flat = x.reshape(len(x), -1) / 255.0
    codes, heads = model.transform(x), ops.convert_to_numpy(model.heads)
    places = far_apart(heads, codes, NUM_DECODED)
    decoded = model.inverse_transform(places)
    if model.z_dim > 2:
        axes = PCA(2, random_state=0).fit(codes)
        codes, heads, places = map(axes.transform, (codes, heads, places))
    points = {
        "Adversarial autoencoder": codes,
        "PCA": PCA(2, random_state=0).fit_transform(flat),
        "t-SNE": TSNE(2, random_state=0, init="pca").fit_transform(
            flat.astype(np.float32)
        ),
    }
    common.finish(
        run,
        {"test_error": error},
        {"planes": plotting.planes(points, y, heads, (places, decoded))},
    )


def far_apart(heads, codes, n):
    """The heads and `n` codes, each the one that is farthest from those before it."""
    import numpy as np

    places = list(heads)
    for _ in range(n):
        nearest = np.min([((codes - place) ** 2).sum(axis=1) for place in places], 0)
        places.append(codes[nearest.argmax()])
    return np.stack(places)


if __name__ == "__main__":
    common.start(main)
