"""Clusters of images, found without any label.

    python examples/clustering.py --clusters=16
    KERAS_BACKEND=jax python examples/clustering.py --dataset=digits

Figure: each cluster's decoded head and the test images that are surest to be in it.
Numbers: the error by the paper's protocol, by majority, and the accuracy of the best
one-to-one pairing, in percent; normalized mutual information; adjusted Rand index.
Labels are read for these numbers alone.
"""

import sys

import common
from absl import flags

common.define_flags(
    "Settings: clustering, clustering_many, which is for more than ten heads, "
    "paper_clustering or another recipe."
)
_CLUSTERS = flags.DEFINE_integer(
    "clusters",
    None,
    "Number of heads, K; the recipe's own if not given, 10. 16 and 30 in the paper.",
    lower_bound=1,
)


def main(argv):
    """Trains, scores the clusters of test images once, and writes everything down."""
    del argv
    import numpy as np

    from keras_saae import evaluation, plotting

    if _CLUSTERS.value == 1:
        sys.exit(f"--clusters must be at least 2. Received: {_CLUSTERS.value}")
    many = (_CLUSTERS.value or 0) > 10  # heads to spare have a recipe of their own
    run = common.train(
        "clustering_many" if many else "clustering",
        labels=0,
        setting=lambda recipe: f"K={recipe.num_clusters}",
        num_clusters=_CLUSTERS.value,
    )
    model, images = run.model, run.images
    q, y = model.predict(images.x_test, verbose=0), images.y_test
    scores = {
        "one_to_one_accuracy": evaluation.one_to_one_accuracy(y, q),
        "majority_error": evaluation.majority_error(y, q),
        "normalized_mutual_information": evaluation.normalized_mutual_information(y, q),
        "adjusted_rand_index": evaluation.adjusted_rand_index(y, q),
    }
    if len(run.x_validation):
        q_validation = model.predict(run.x_validation, verbose=0)
        error = evaluation.paper_error(run.y_validation, q_validation, y, q)
        scores = {"paper_error": error, **scores}
    else:
        print("--validation=0: no images for the error by the paper's protocol.")
    y_heads = np.eye(model.num_classes)
    heads = model.decode(y_heads, np.zeros((len(y_heads), model.z_dim)))
    common.finish(run, scores, {"clusters": plotting.clusters(heads, images.x_test, q)})


if __name__ == "__main__":
    common.start(main)
