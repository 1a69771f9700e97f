"""What the means in the logs cost: steps with and without them, in turn.

    python benchmarks/metrics.py --backends=tensorflow,jax,torch --policies=float32

Two models of the recipe, one of which updates no mean, take turns in one process, a
few steps each, so that whatever else changes on the machine changes for both: apart,
processes differ by more than means cost. Each turn is compared with its neighbour.
Nothing else should run on the machine. Records go to benchmarks/results/metrics.jsonl;
those that are there are not made again. `--turns=0` prints their table alone.
"""

import contextlib
import dataclasses
import itertools
import json
import sys
from pathlib import Path
from unittest import mock

from absl import app, flags

sys.path.insert(0, str(Path(__file__).parent))

import timing  # noqa: E402

RECORDS = Path(__file__).parent / "results" / "metrics.jsonl"
KEYS = ("recipe", "backend", "dtype_policy", "batch_size", "machine")
SIDE, NUM_LABELLED = 28, 100

_BACKENDS = flags.DEFINE_list("backends", ["tensorflow", "jax", "torch"], "Of Keras.")
_POLICIES = flags.DEFINE_list("policies", ["float32"], "Dtype policies of Keras.")
_BATCH_SIZES = flags.DEFINE_list("batch_sizes", ["100", "250"], "Images.")
_RECIPES = flags.DEFINE_list("recipes", ["paper", "default"], "What to train.")
_TURNS = flags.DEFINE_integer("turns", 20, "Turns of each model.", lower_bound=0)
_BLOCKS = flags.DEFINE_integer("blocks", 3, "Blocks in a turn.", lower_bound=1)
_BLOCK = flags.DEFINE_integer("block", 8, "Steps in a block.", lower_bound=1)
_IMAGES = flags.DEFINE_integer("images", 60_000, "Images, random ones.")
_MEASURE = flags.DEFINE_string("measure", None, "One combination, in this process.")


def main(argv):
    """Measures what is missing, and prints the table."""
    del argv
    if _MEASURE.value:
        print(json.dumps(measure(*json.loads(_MEASURE.value))))
        return
    combinations = itertools.product(
        *(_RECIPES.value, _BACKENDS.value, _POLICIES.value, _BATCH_SIZES.value)
    )
    for recipe, backend, policy, batch_size in combinations if _TURNS.value else ():
        key = (recipe, backend, policy, int(batch_size), timing.machine())
        key = dict(zip(KEYS, key))
        there = timing.read_records(RECORDS)
        if any(key.items() <= record.items() for record in there):
            continue
        names = ("turns", "blocks", "block", "images")
        settings = [flags.FLAGS[name].serialize() for name in names]
        one = f"--measure={json.dumps([recipe, policy, int(batch_size)])}"
        found = timing.run_alone(__file__, [*settings, one], backend)
        timing.add_record(RECORDS, {**key, **found})
    print(table(timing.read_records(RECORDS)))


def measure(name, policy, batch_size):
    """Quartiles of the share of a step, in %, that its means take."""
    import keras
    import numpy as np

    from keras_saae import recipes

    keras.config.set_dtype_policy(policy)
    recipe = dataclasses.replace(recipes.get(name), batch_size=batch_size)
    rng = np.random.Generator(np.random.PCG64(0))
    x = rng.integers(256, size=(_IMAGES.value, SIDE, SIDE), dtype="uint8")
    y = np.where(np.arange(len(x)) < NUM_LABELLED, np.arange(len(x)) % 10, -1)
    dataset = recipe.dataset(x, y)
    models = [recipe.model(dataset), recipe.model(dataset)]
    # Not a Mock, which would keep the losses that it is called with.
    no_means = mock.patch.object(keras.metrics.Mean, "update_state", nothing)
    conditions = [contextlib.nullcontext(), no_means]

    def turn(which):
        with conditions[which]:
            return timing.seconds_per_step_of_fit(
                models[which], dataset, _BLOCKS.value, _BLOCK.value
            )[1]

    turn(0), turn(1)  # compile
    shares, times = [], []
    for number in range(_TURNS.value):
        first = number % 2  # neither model is always the first of its pair
        taken = {which: turn(which) for which in (first, 1 - first)}
        shares.append(100.0 * (1.0 - taken[1] / taken[0]))
        times.append(1000.0 * taken[0])
    lower, middle, upper = timing.quartiles(shares)
    return {
        "percent_of_step": round(middle, 2),
        "lower_quartile": round(lower, 2),
        "upper_quartile": round(upper, 2),
        "turns": len(shares),
        "ms_per_step": round(timing.quartiles(times)[1], 3),
    }


def table(found):
    """Markdown: a row for each combination."""
    header = ["batch", "recipe", "backend", "policy", "means take, % of a step"]
    header += ["quartiles", "ms a step", "turns", "machine"]
    rows = [
        [
            str(r["batch_size"]),
            *(r["recipe"], r["backend"], r["dtype_policy"]),
            one_digit(r["percent_of_step"]),
            f"{one_digit(r['lower_quartile'])} to {one_digit(r['upper_quartile'])}",
            f"{r['ms_per_step']:.3g}",
            str(r["turns"]),
            r["machine"],
        ]
        for r in found
    ]
    return timing.markdown(header, rows)


def nothing(*args, **kwargs):
    """In the place of what updates a mean."""
    del args, kwargs


def one_digit(value):
    """A number for the table, in which nothing is -0.0."""
    return f"{round(value, 1) + 0.0:.1f}"


if __name__ == "__main__":
    app.run(main)
