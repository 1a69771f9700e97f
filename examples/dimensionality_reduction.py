"""Images in the plane, classes apart, with few labels or none.

    python examples/dimensionality_reduction.py --labels=100
    python examples/dimensionality_reduction.py --labels=0 --clusters=20
    KERAS_BACKEND=jax python examples/dimensionality_reduction.py --dataset=digits

Figure: the plane of test images with its heads, decoded, beside PCA and t-SNE of the
same images. Number: the classification error from y in percent; without labels a
cluster has the class of its most confident validation image.
"""

import sys

import common
from absl import flags

common.define_flags("Settings: dimensionality_reduction or another recipe.")
_LABELS = flags.DEFINE_integer("labels", 100, "Labelled images.", lower_bound=0)
_DIMENSIONS = flags.DEFINE_integer(
    "dimensions", 2, "Width of the code; beyond 2, PCA draws it.", lower_bound=2
)
_CLUSTERS = flags.DEFINE_integer(
    "clusters", 20, "Number of heads without labels.", lower_bound=2
)

NUM_SHOWN = 2000  # images in the plane


def main(argv):
    """Trains, scores the test images once, and writes everything down."""
    del argv
    import numpy as np
    from keras import ops
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE

    from keras_saae import evaluation, plotting

    labelled = _LABELS.value > 0
    recipe = "dimensionality_reduction" + ("" if labelled else "_unlabelled")
    run = common.train(
        recipe,
        labels=_LABELS.value or "all",  # which the model then does not see
        setting=f"{_DIMENSIONS.value}-D, {_LABELS.value} labels",
        z_dim=_DIMENSIONS.value,
        num_clusters=_CLUSTERS.value,
    )
    model, images = run.model, run.images
    q = model.predict(images.x_test, verbose=0)
    if labelled:
        error = evaluation.error_rate(images.y_test, q)
    else:
        if not len(run.x_validation):
            sys.exit("Naming clusters needs validation images: --validation=...")
        error = evaluation.paper_error(
            run.y_validation,
            model.predict(run.x_validation, verbose=0),
            images.y_test,
            q,
        )
    x, y = images.x_test[:NUM_SHOWN], images.y_test[:NUM_SHOWN]
    flat = x.reshape(len(x), -1) / 255.0
    codes, heads = model.transform(x), ops.convert_to_numpy(model.heads)
    decoded = model.inverse_transform(heads)
    if _DIMENSIONS.value > 2:
        axes = PCA(2, random_state=0).fit(codes)
        codes, heads = axes.transform(codes), axes.transform(heads)
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
        {"planes": plotting.planes(points, y, heads, (heads, decoded))},
    )


if __name__ == "__main__":
    common.start(main)
