"""Step time and memory against sizes: batch, width, images, phases, models.

    python benchmarks/scaling.py --backends=jax --axes=batch_size,hidden,images,phases

One size changes at a time; the others are those of the paper: batch 100, hidden layers
of 1,000 units, 60,000 images. Images are made up (noise around ten shapes) and, along
the axis "images", read from a file that is not held in memory: 10^7 of them take 7.8 GB
of disk in --folder. Along "phases" a model with that many phases, each of which updates
the same encoder and decoder, shows what a phase costs. Along "models", on JAX alone,
that many seeds train in one program (`fit_together`), and a step is one of all. Each
measurement has a process of its own. Records go to benchmarks/results/scaling.jsonl and
are not made again if they are there. `--axes=` prints the table of the records alone.
"""

import collections
import dataclasses
import itertools
import json
import sys
import tempfile
import time
from pathlib import Path

from absl import app, flags

sys.path.insert(0, str(Path(__file__).parent))

import timing  # noqa: E402

RECORDS = Path(__file__).parent / "results" / "scaling.jsonl"
VALUES = {
    "batch_size": (25, 50, 100, 250, 500, 1000, 2000, 4000),
    "hidden": (125, 250, 500, 1000, 2000, 3000),
    "images": (10**3, 10**4, 10**5, 10**6, 10**7),
    "phases": (1, 2, 4, 8),
    "models": (1, 2, 5, 10),
}
BASE = {"batch_size": 100, "hidden": 1000, "images": 60_000}
KEYS = ("axis", "value", "backend", "dtype_policy", "machine")
SIDE, NUM_CLASSES, NUM_LABELLED = 28, 10, 100

_BACKENDS = flags.DEFINE_list("backends", ["tensorflow", "jax", "torch"], "Of Keras.")
_POLICIES = flags.DEFINE_list("policies", ["float32"], "Dtype policies of Keras.")
_AXES = flags.DEFINE_list("axes", list(VALUES), "What to vary.")
_LARGEST = flags.DEFINE_integer("largest", 10**7, "No more images than that.")
_FOLDER = flags.DEFINE_string("folder", None, "Where the images go for the while.")
_BLOCKS = flags.DEFINE_integer("blocks", 10, "Blocks of steps timed.", lower_bound=1)
_BLOCK = flags.DEFINE_integer("block", 10, "Steps in a block.", lower_bound=1)
_MEASURE = flags.DEFINE_string("measure", None, "One size, in this process.")


def main(argv):
    """Makes the measurements that are missing, and prints the table."""
    del argv
    if _MEASURE.value:
        print(json.dumps(measure(*json.loads(_MEASURE.value))))
        return
    unknown = set(_AXES.value) - set(VALUES)
    if unknown:
        sys.exit(f"--axes knows {', '.join(VALUES)}. Received: {', '.join(unknown)}")
    for axis in _AXES.value:
        for value, backend, policy in itertools.product(
            VALUES[axis], _BACKENDS.value, _POLICIES.value
        ):
            if axis == "images" and value > _LARGEST.value:
                continue
            if axis == "models" and backend != "jax":
                continue
            key = dict(zip(KEYS, (axis, value, backend, policy, timing.machine())))
            records = timing.read_records(RECORDS)
            if any(all(record[k] == key[k] for k in KEYS) for record in records):
                continue
            names = ("blocks", "block")
            settings = [flags.FLAGS[name].serialize() for name in names]
            if _FOLDER.value:
                settings.append(f"--folder={_FOLDER.value}")
            task = json.dumps([axis, value, policy])
            found = timing.run_alone(
                __file__, [*settings, f"--measure={task}"], backend
            )
            timing.add_record(RECORDS, {**key, **found})
    print(table(timing.read_records(RECORDS)))


def measure(axis, value, policy):
    """Milliseconds a step, and the process's largest memory before `fit` and in all."""
    import keras

    keras.config.set_dtype_policy(policy)
    with tempfile.TemporaryDirectory(dir=_FOLDER.value) as folder:
        sizes = {**BASE, **({axis: value} if axis in BASE else {})}
        x, y = made_up(sizes["images"], Path(folder) if axis == "images" else None)
        before = timing.peak_memory_mib()
        if axis == "models":
            lower, middle, upper = seconds_of_many(x, y, value, sizes)
        else:
            make = with_phases if axis == "phases" else of_the_paper
            model, dataset = make(x, y, value, sizes)
            lower, middle, upper = timing.seconds_per_step_of_fit(
                model, dataset, _BLOCKS.value, _BLOCK.value
            )
    return {
        "ms_per_step": round(1000 * middle, 4),
        "lower_quartile": round(1000 * lower, 4),
        "upper_quartile": round(1000 * upper, 4),
        "memory_before_mib": before,
        "peak_memory_mib": timing.peak_memory_mib(),
    }


def made_up(num_images, folder=None):
    """Images and labels, the images in a file if there is a folder for it."""
    import numpy as np

    rng = np.random.Generator(np.random.PCG64(0))
    shapes = 200 * (rng.random((NUM_CLASSES, SIDE, SIDE)) < 0.2).astype("uint8")
    classes = np.arange(num_images) % NUM_CLASSES
    parts = (
        shapes[part] + rng.integers(50, size=(len(part), SIDE, SIDE), dtype="uint8")
        for part in np.split(classes, range(50_000, num_images, 50_000))
    )
    y = np.where(np.arange(num_images) < NUM_LABELLED, classes, -1)
    if folder is None:
        return np.concatenate(list(parts)), y
    path = folder / "images.npy"
    header = {
        "descr": "|u1",
        "fortran_order": False,
        "shape": (num_images, SIDE, SIDE),
    }
    with path.open("wb") as file:  # a mapping would count as memory of the process
        np.lib.format.write_array_header_1_0(file, header)
        for part in parts:
            file.write(part.tobytes())
    return np.load(path, mmap_mode="r"), y


def of_the_paper(x, y, value, sizes):
    """The paper's model with these sizes, and its batches."""
    del value
    from keras_saae import recipes

    hidden = (sizes["hidden"],) * 2
    recipe = dataclasses.replace(
        recipes.get("paper"),
        hidden=hidden,
        discriminator_z_hidden=hidden,
        discriminator_y_hidden=hidden,
        batch_size=sizes["batch_size"],
    )
    dataset = recipe.dataset(x, y, NUM_CLASSES)
    return recipe.model(dataset), dataset


def with_phases(x, y, value, sizes):
    """A model of `value` phases that do the same, and its batches."""
    del y
    import keras

    from keras_saae import Phase, PhasedModel, data, losses, networks

    class SamePhases(PhasedModel):
        def __init__(self, encoder, decoder):
            super().__init__()
            self.encoder, self.decoder = encoder, decoder
            self.image_shape = (SIDE, SIDE)
            self.built = True

        def phases(self):
            return [
                Phase(f"phase_{i + 1}", self.loss_of_phase, self.trainable_variables)
                for i in range(value)
            ]

        def prepare(self, batch, training):
            return {"x": networks.pixels(batch["x"])}

        def loss_of_phase(self, batch, training):
            x = batch["x"]
            z = self.encoder(x, training=training)
            again = self.decoder(z, training=training)
            return losses.half_squared_error_sum(x, again)

    hidden = (sizes["hidden"],) * 2
    model = SamePhases(
        networks.mlp_encoder((SIDE, SIDE), hidden=hidden),
        networks.mlp_decoder((SIDE, SIDE), hidden[-1], hidden=hidden),
    )
    model.compile(
        {phase.name: keras.optimizers.SGD(1e-5, 0.9) for phase in model.phases()}
    )
    return model, data.UnlabelledDataset(x, batch_size=sizes["batch_size"])


def seconds_of_many(x, y, number, sizes):
    """Quartiles of the seconds of a step of that many models, an epoch a block."""
    import keras

    from keras_saae import fit_together

    few = slice(_BLOCK.value * sizes["batch_size"])
    models, datasets = zip(
        *(of_the_paper(x[few], y[few], number, sizes) for _ in range(number))
    )
    ends = []
    clock = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: ends.append(time.perf_counter())
    )
    callbacks = [[clock], *([] for _ in models[1:])]
    fit_together(models, datasets, epochs=_BLOCKS.value + 2, callbacks=callbacks)
    # The first epoch compiles.
    return timing.quartiles(
        [(end - start) / _BLOCK.value for start, end in zip(ends[1:-1], ends[2:])]
    )


def table(records):
    """Markdown: step time and memory, a row for each size."""
    order = {axis: i for i, axis in enumerate(VALUES)}
    columns = collections.defaultdict(dict)
    for record in records:
        row = (record["axis"], record["value"])
        column = ", ".join(record[k] for k in ("backend", "dtype_policy", "machine"))
        columns[column][row] = (
            f"{record['ms_per_step']:.3g} ms, {record['peak_memory_mib']:.0f} MiB"
        )
    rows = sorted(
        {(record["axis"], record["value"]) for record in records},
        key=lambda row: (order[row[0]], row[1]),
    )
    lines = [
        [
            axis,
            f"{value:,}",
            *(cells.get((axis, value), "–") for cells in columns.values()),
        ]
        for axis, value in rows
    ]
    return timing.markdown(["what varies", "size", *columns], lines)


if __name__ == "__main__":
    app.run(main)
