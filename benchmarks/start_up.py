"""Seconds from the start of Python to the first training step, and memory by stage.

    python benchmarks/start_up.py --backends=tensorflow,jax,torch --rounds=3

With 100 labels of MNIST by the recipe `default`, as `examples/mnist_semisup.py` begins.
Each round runs each backend once, in a process of its own; nothing else should run on
the machine. Records go to benchmarks/results/start_up.jsonl; rounds that are there are
not made again. `--rounds=0` prints the table of the records alone.
"""

import collections
import itertools
import json
import statistics
import sys
import time
from pathlib import Path

from absl import app, flags

sys.path.insert(0, str(Path(__file__).parent))

import timing  # noqa: E402

RECORDS = Path(__file__).parent / "results" / "start_up.jsonl"
KEYS = ("recipe", "dataset", "backend", "round", "machine")
STAGES = ("keras", "keras_saae", "images", "model", "first_step")

_BACKENDS = flags.DEFINE_list("backends", ["tensorflow", "jax", "torch"], "Of Keras.")
_ROUNDS = flags.DEFINE_integer("rounds", 3, "Measurements of each.", lower_bound=0)
_RECIPE = flags.DEFINE_string("recipe", "default", "What to build.")
_DATASET = flags.DEFINE_string("dataset", "mnist", "Images; digits need no download.")
_DATA_DIR = flags.DEFINE_string("data_dir", None, "Folder of the images.")
_MEASURE = flags.DEFINE_float("measure", None, "When the process was started.")


def main(argv):
    """Makes the measurements that are missing, and prints the table."""
    del argv
    if _MEASURE.value:
        print(json.dumps(measure(_MEASURE.value)))
        return
    for number, backend in itertools.product(range(_ROUNDS.value), _BACKENDS.value):
        key = (_RECIPE.value, _DATASET.value, backend, number, timing.machine())
        key = dict(zip(KEYS, key))
        records = timing.read_records(RECORDS)
        if any(all(record[k] == key[k] for k in KEYS) for record in records):
            continue
        settings = [
            flags.FLAGS[name].serialize()
            for name in ("recipe", "dataset", "data_dir")
            if flags.FLAGS[name].value is not None
        ]
        begin = f"--measure={time.time()!r}"
        found = timing.run_alone(__file__, [*settings, begin], backend)
        timing.add_record(RECORDS, {**key, **found})
    print(table(timing.read_records(RECORDS)))


def measure(started):
    """Seconds since `started` and peak memory in MiB after each stage."""
    found = {}

    def done(stage):
        found[f"seconds_to_{stage}"] = round(time.time() - started, 2)
        found[f"mib_at_{stage}"] = timing.peak_memory_mib()

    import keras

    done("keras")
    import keras_saae as saae

    done("keras_saae")
    images = saae.data.load(_DATASET.value, _DATA_DIR.value)
    split = saae.data.split_labels(images.y_train, labels=100, seed=0)
    x, y = images.x_train[split.train], split.mask_labels(images.y_train)
    done("images")
    recipe = saae.recipes.get(_RECIPE.value)
    dataset = recipe.dataset(x, y, images.num_classes)
    model = recipe.model(dataset)
    done("model")

    def note(batch, logs):
        float(logs["loss"])  # waits for the step
        if batch == 0:
            done("first_step")

    callback = keras.callbacks.LambdaCallback(on_train_batch_end=note)
    model.fit(dataset, epochs=1, steps_per_epoch=1, verbose=0, callbacks=[callback])
    return found


def table(records):
    """Markdown: medians over the rounds of each backend."""
    groups = collections.defaultdict(list)
    for record in records:
        groups[tuple(record[k] for k in KEYS if k != "round")].append(record)
    rows = []
    for (recipe, dataset, backend, machine), group in groups.items():
        cells = []
        for stage in STAGES:
            seconds, mib = (
                statistics.median(record[f"{what}_{stage}"] for record in group)
                for what in ("seconds_to", "mib_at")
            )
            cells.append(f"{seconds:.1f} s, {mib:.0f} MiB")
        rows.append([backend, recipe, dataset, *cells, str(len(group)), machine])
    titles = ["Keras", "keras_saae", "images", "model", "first step"]
    header = ["backend", "recipe", "data", *titles, "rounds", "machine"]
    return timing.markdown(header, rows)


if __name__ == "__main__":
    app.run(main)
