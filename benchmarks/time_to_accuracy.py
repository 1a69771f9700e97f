"""Seconds from the start of Python until the validation error stays under 5, 3, 2 %.

    python benchmarks/time_to_accuracy.py --backends=tensorflow,jax,torch --seeds=0,1,2

With 100 labels of MNIST by the recipe `default`. Imports, loading and compilation are
counted in, and so are the validations, one after each epoch. Each run has a process of
its own; nothing else should run on the machine. Records go to
benchmarks/results/time_to_accuracy.jsonl; runs that are there are not made again.
`--seeds=` prints the table of the records alone.
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

RECORDS = Path(__file__).parent / "results" / "time_to_accuracy.jsonl"
THRESHOLDS = (5, 3, 2)  # percent
KEYS = (
    *("dataset", "recipe", "labels", "backend", "dtype_policy", "seed", "machine"),
    "epochs",  # None for the recipe's own
)

_BACKENDS = flags.DEFINE_list("backends", ["tensorflow", "jax", "torch"], "Of Keras.")
_POLICIES = flags.DEFINE_list("policies", ["float32"], "Dtype policies of Keras.")
_SEEDS = flags.DEFINE_list("seeds", ["0", "1", "2"], "Of labels, weights, batches.")
_RECIPE = flags.DEFINE_string("recipe", "default", "How to train.")
_DATASET = flags.DEFINE_string("dataset", "mnist", "Images; digits need no download.")
_DATA_DIR = flags.DEFINE_string("data_dir", None, "Folder of the images.")
_LABELS = flags.DEFINE_integer("labels", 100, "Labelled images.", lower_bound=1)
_EPOCHS = flags.DEFINE_integer("epochs", None, "The recipe's own if not given.")
_MEASURE = flags.DEFINE_string("measure", None, "One run, in this process.")


def main(argv):
    """Makes the runs that are missing, and prints the table."""
    del argv
    if _MEASURE.value:
        print(json.dumps(measure(*json.loads(_MEASURE.value))))
        return
    for seed, backend, policy in itertools.product(
        map(int, _SEEDS.value), _BACKENDS.value, _POLICIES.value
    ):
        key = (_DATASET.value, _RECIPE.value, _LABELS.value, backend, policy, seed)
        key = dict(zip(KEYS, (*key, timing.machine(), _EPOCHS.value)))
        records = timing.read_records(RECORDS)
        if any(all(record.get(k) == key[k] for k in KEYS) for record in records):
            continue
        names = ("recipe", "dataset", "data_dir", "labels", "epochs")
        settings = [
            flags.FLAGS[name].serialize()
            for name in names
            if flags.FLAGS[name].value is not None
        ]
        task = json.dumps([policy, seed, time.time()])
        curve = timing.run_alone(__file__, [*settings, f"--measure={task}"], backend)
        timing.add_record(RECORDS, {**key, **reached(**curve), **curve})
    print(table(timing.read_records(RECORDS)))


def measure(policy, seed, started):
    """Trains; returns seconds since `started` and validation error after each epoch."""
    import keras

    from keras_saae import data, recipes

    keras.config.set_dtype_policy(policy)
    keras.utils.set_random_seed(seed)
    images = data.load(_DATASET.value, _DATA_DIR.value)
    split = data.split_labels(images.y_train, _LABELS.value, seed)
    recipe = recipes.get(_RECIPE.value)
    dataset = recipe.dataset(
        images.x_train[split.train],
        split.mask_labels(images.y_train),
        images.num_classes,
        seed=seed,
    )
    epochs = _EPOCHS.value or recipe.epochs(dataset)
    model = recipe.model(dataset, epochs, seed)
    held_out = (images.x_train[split.validation], images.y_train[split.validation])
    seconds, errors = [], []

    def note(epoch, logs):
        seconds.append(round(time.time() - started, 2))
        errors.append(round(float(logs["val_error"]), 4))

    model.fit(
        dataset,
        epochs=epochs,
        validation_data=held_out,
        callbacks=[
            *recipe.callbacks(),
            keras.callbacks.LambdaCallback(on_epoch_end=note),
        ],
        verbose=0,
    )
    return {"seconds": seconds, "validation_error": errors}


def reached(seconds, validation_error):
    """Seconds after which the error stays under each threshold; None where it never is.

    Args:
        seconds: since the start, at the end of each epoch.
        validation_error: in percent, then.
    """
    found = {}
    for threshold in THRESHOLDS:
        over = [i for i, error in enumerate(validation_error) if error >= threshold]
        first = over[-1] + 1 if over else 0
        found[f"seconds_under_{threshold}"] = (
            seconds[first] if first < len(seconds) else None
        )
    return found


def table(records):
    """Markdown: medians over the seeds; who never gets there counts as the slowest."""
    groups = collections.defaultdict(list)
    for record in records:
        groups[tuple(record.get(k) for k in KEYS if k != "seed")].append(record)
    rows = []
    for key, group in groups.items():
        dataset, recipe, labels, backend, policy, machine, epochs = key
        length = f", {epochs} epochs" if epochs else ""
        cells = [f"{dataset}, {labels}", recipe + length, backend, policy]
        for threshold in THRESHOLDS:
            values = [record[f"seconds_under_{threshold}"] for record in group]
            median = statistics.median(float("inf") if v is None else v for v in values)
            arrived = sum(value is not None for value in values)
            text = "never" if median == float("inf") else f"{median:.0f}"
            cells.append(f"{text} ({arrived} of {len(values)})")
        first = statistics.median(record["seconds"][0] for record in group)
        rows.append([*cells, f"{first:.0f}", machine])
    header = ["data, labels", "recipe", "backend", "policy"]
    header += [f"seconds until under {threshold} %" for threshold in THRESHOLDS]
    return timing.markdown([*header, "first epoch done after", "machine"], rows)


if __name__ == "__main__":
    app.run(main)
