"""Parzen-window log-likelihood against scikit-learn's KernelDensity: time and match.

    python benchmarks/parzen.py

Ours runs on all images; scikit-learn, whose time grows linearly with their number, on
--timed of them. Of its trees, the default one and one of a single leaf, the faster
counts. The record goes to benchmarks/results/parzen.jsonl, a line for each run.
"""

import json
import platform
import sys
import time
from pathlib import Path

from absl import app, flags

sys.path.insert(0, str(Path(__file__).parents[1] / "examples"))

from machine import machine  # noqa: E402

RECORDS = Path(__file__).parent / "results" / "parzen.jsonl"
SIGMA = 0.15  # of the public re-run of the paper's estimate

_SAMPLES = flags.DEFINE_integer("samples", 10_000, "Samples.", lower_bound=2)
_IMAGES = flags.DEFINE_integer("images", 10_000, "Test images.", lower_bound=2)
_PIXELS = flags.DEFINE_integer("pixels", 28, "Height and width.", lower_bound=1)
_TIMED = flags.DEFINE_integer(
    "timed", 50, "Test images that scikit-learn is timed on.", lower_bound=1
)


def main(argv):
    """Times both, compares their log-densities, prints and keeps the record."""
    del argv
    record = measure(_SAMPLES.value, _IMAGES.value, _PIXELS.value, _TIMED.value)
    record["command"] = " ".join(["python benchmarks/parzen.py", *sys.argv[1:]])
    RECORDS.parent.mkdir(exist_ok=True)
    with RECORDS.open("a", encoding="utf-8") as file:
        file.write(json.dumps(record) + "\n")
    print(json.dumps(record, indent=1))
    print(
        f"{record['ratio']:.1f} times as fast as scikit-learn; the log-densities of "
        f"{record['timed']} images agree to {record['relative_difference']:.0e}."
    )


def measure(num_samples, num_images, pixels, num_timed):
    """The record of one comparison, on ten random shapes plus noise."""
    import numpy as np
    import sklearn
    from sklearn.neighbors import KernelDensity

    import keras_saae
    from keras_saae.evaluation import parzen_log_densities

    rng = np.random.Generator(np.random.PCG64(0))
    shapes = rng.random((10, pixels, pixels)) < 0.2

    def images(n):
        noise = 0.15 * rng.normal(size=(n, pixels, pixels))
        return (shapes[rng.integers(10, size=n)] + noise).clip(0, 1).astype("float32")

    samples, x = images(num_samples), images(num_images)
    parzen_log_densities(samples[:100], x[:100], SIGMA)  # wakes the BLAS threads
    start = time.perf_counter()
    ours = parzen_log_densities(samples, x, SIGMA)
    seconds = time.perf_counter() - start

    theirs, per_image = {}, {}
    few = x[:num_timed].reshape(len(x[:num_timed]), -1)
    for leaf_size in (40, num_samples):  # the default, and one leaf, which is exact
        judge = KernelDensity(bandwidth=SIGMA, leaf_size=leaf_size)
        judge.fit(samples.reshape(num_samples, -1))
        start = time.perf_counter()
        theirs[leaf_size] = judge.score_samples(few)
        per_image[leaf_size] = (time.perf_counter() - start) / len(few)
    difference = {
        leaf_size: np.abs(densities - ours[: len(few)]).max()
        for leaf_size, densities in theirs.items()
    }
    exact = theirs[num_samples]
    return {
        "benchmark": "parzen",
        "version": keras_saae.__version__,
        "numpy": np.__version__,
        "sklearn": sklearn.__version__,
        "python": platform.python_version(),
        "machine": machine(),
        "samples": num_samples,
        "images": num_images,
        "dimensions": pixels**2,
        "timed": len(few),
        "seconds": round(seconds, 3),
        "sklearn_seconds": round(min(per_image.values()) * num_images, 1),
        "ratio": round(min(per_image.values()) * num_images / seconds, 1),
        "relative_difference": float(
            np.max(np.abs(exact - ours[: len(few)]) / np.abs(exact))
        ),
        "nats_off_one_leaf": float(difference[num_samples]),
        "nats_off_default_tree": float(difference[40]),
    }


if __name__ == "__main__":
    app.run(main)
