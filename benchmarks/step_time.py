"""Milliseconds a training step, ours and others', and the arithmetic limit of each.

    python benchmarks/step_time.py --backends=tensorflow,jax,torch
        --policies=float32,mixed_bfloat16 --batch_sizes=100,250,1000

Each combination runs in a process of its own, one after another; nothing else should
run on the machine. A round measures every combination once. Systems:

- paper, default, simultaneous: `fit` with these recipes, batches, callbacks and logs
  counted in. What the logs' means cost of that, metrics.py tells.
- plain loop: the paper's step by hand (plain_torch.py, plain_jax.py).
- 2025 reproduction: the structure of its step (reproduction2025.py).
- products of paper, of default, of 2025 reproduction: the matrix products of a step,
  each by itself. The fastest backend of the round is the arithmetic limit.
- batches: putting the batches together, which `fit` does too.

Records go to benchmarks/results/step_time.jsonl; those that are there are not made
again. `--rounds=0` prints the table of the records alone, and draws --figure.
"""

import collections
import dataclasses
import functools
import itertools
import json
import statistics
import sys
from pathlib import Path

from absl import app, flags

sys.path.insert(0, str(Path(__file__).parent))

import arithmetic  # noqa: E402
import timing  # noqa: E402

RECORDS = Path(__file__).parent / "results" / "step_time.jsonl"
SYSTEMS = {  # in the order of a round: what the limit is made of comes first
    "products of paper": ("tensorflow", "jax", "torch"),
    "products of default": ("tensorflow", "jax", "torch"),
    "products of 2025 reproduction": ("tensorflow", "jax", "torch"),
    "paper": ("tensorflow", "jax", "torch"),
    "default": ("tensorflow", "jax", "torch"),
    "simultaneous": ("tensorflow", "jax", "torch"),
    "plain loop": ("jax", "torch"),
    "2025 reproduction": ("torch",),
    "batches": ("torch",),
}
FLOAT32_ONLY = ("products of 2025 reproduction", "2025 reproduction", "batches")
KEYS = (
    "system",
    "backend",
    "dtype_policy",
    "batch_size",
    "round",
    "machine",
    "variant",
)
NUM_CLASSES, SIDE, NUM_LABELLED = 10, 28, 100
OURS = ("paper", "default", "simultaneous")  # recipes, by their names

_BACKENDS = flags.DEFINE_list("backends", ["tensorflow", "jax", "torch"], "Of Keras.")
_POLICIES = flags.DEFINE_list(
    "policies", ["float32", "mixed_bfloat16"], "Dtype policies of Keras."
)
_BATCH_SIZES = flags.DEFINE_list("batch_sizes", ["100", "250", "1000"], "Images.")
_SYSTEMS = flags.DEFINE_list("systems", list(SYSTEMS), "What to measure.")
_ROUNDS = flags.DEFINE_integer("rounds", 3, "Measurements of each.", lower_bound=0)
_BLOCKS = flags.DEFINE_integer("blocks", 20, "Blocks of steps timed.", lower_bound=1)
_BLOCK = flags.DEFINE_integer("block", 10, "Steps in a block.", lower_bound=1)
_STEPS_PER_EXECUTION = flags.DEFINE_integer(
    "steps_per_execution", 1, "Steps in a call of `fit`, on JAX and TensorFlow."
)
_MATMUL = flags.DEFINE_enum(
    "matmul_precision",
    None,
    ["float32", "tf32"],
    "Of float32 products on a GPU; as the backend has it if not given.",
)
_HIDDEN = flags.DEFINE_list("hidden", [], "Units of all networks, not the recipe's.")
_IMAGES = flags.DEFINE_integer("images", 60_000, "Images, random ones.")
_FIGURE = flags.DEFINE_string("figure", None, "Where to draw the figure, a .png.")
_MEASURE = flags.DEFINE_string("measure", None, "One combination, in this process.")


def main(argv):
    """Measures what is missing, then prints the table and draws the figure."""
    del argv
    if _MEASURE.value:
        print(json.dumps(measure(*json.loads(_MEASURE.value))))
        return
    unknown = set(_SYSTEMS.value) - set(SYSTEMS)
    if unknown:
        sys.exit(
            f"--systems knows {', '.join(SYSTEMS)}. Received: {', '.join(unknown)}"
        )
    for number in range(_ROUNDS.value):
        for policy, batch_size in itertools.product(
            _POLICIES.value, map(int, _BATCH_SIZES.value)
        ):
            measure_all(number, policy, batch_size)
    records = timing.read_records(RECORDS)
    print(table(records))
    if _FIGURE.value:
        draw(records, _FIGURE.value)


def measure_all(number, policy, batch_size):
    """One round of one policy and batch size: all systems on all backends."""
    for system in (system for system in SYSTEMS if system in _SYSTEMS.value):
        for backend in (b for b in SYSTEMS[system] if b in _BACKENDS.value):
            if policy != "float32" and system in FLOAT32_ONLY:
                continue
            key = (system, backend, policy, batch_size, number, timing.machine())
            key += (variant(),)
            records = timing.read_records(RECORDS)
            if any(tuple(record.get(k, "") for k in KEYS) == key for record in records):
                continue
            lower, middle, upper = timing.run_alone(
                __file__,
                [*settings(), f"--measure={json.dumps(key[:1] + key[2:4])}"],
                backend,
            )
            timing.add_record(
                RECORDS,
                {
                    "system": system,
                    "backend": backend,
                    "dtype_policy": policy,
                    "batch_size": batch_size,
                    "ms_per_step": round(1000 * middle, 4),
                    "lower_quartile": round(1000 * lower, 4),
                    "upper_quartile": round(1000 * upper, 4),
                    "limit_share": limit_share(records, key, 1000 * middle),
                    "round": number,
                    "machine": timing.machine(),
                    "variant": variant(),
                },
            )


def variant():
    """The flags that change what a step is, where they are not the default."""
    names = ("steps_per_execution", "matmul_precision", "hidden", "images")
    changed = [flags.FLAGS[name] for name in names]
    return ", ".join(
        f"{flag.name}={','.join(flag.value) if flag.name == 'hidden' else flag.value}"
        for flag in changed
        if flag.value != flag.default
    )


def settings():
    """The flags that a process which measures needs, as its arguments."""
    names = ("blocks", "block", "steps_per_execution", "hidden", "images")
    optional = [_MATMUL.serialize()] if _MATMUL.value else []
    return [flags.FLAGS[name].serialize() for name in names] + optional


def limit_share(records, key, ms):
    """The share of `ms` that the step's products take on the round's best backend."""
    system, _, *others = key
    if system == "batches":
        return None
    limits = [
        record["ms_per_step"]
        for record in records
        if record["system"] == f"products of {step_of(system)}"
        and [record.get(k, "") for k in KEYS[2:]] == others
    ]
    if system.startswith("products"):
        limits.append(ms)
    return round(min(limits) / ms, 4) if limits else None


def step_of(system):
    """Whose products a system makes: of paper, of default, of 2025 reproduction."""
    if "reproduction" in system:
        return "2025 reproduction"
    return "default" if "default" in system or system == "simultaneous" else "paper"


def recipe_of(system):
    """Name of the recipe whose sizes a system has."""
    if system in OURS:
        return system
    return "default" if "default" in system else "paper"


def measure(system, policy, batch_size):
    """Quartiles of the seconds per step, in this process and on its backend."""
    return timed(system, policy, batch_size)(_BLOCKS.value, _BLOCK.value)


def timed(system, policy, batch_size):
    """A system, ready to run: a function of blocks and steps in a block.

    It makes that many steps and one block before, and returns quartiles of the seconds
    a step.
    """
    import keras
    import numpy as np

    from keras_saae import recipes

    backend, bfloat16 = keras.backend.backend(), policy != "float32"
    keras.config.set_dtype_policy(policy)
    if _MATMUL.value:
        arithmetic.set_matmul_precision(backend, _MATMUL.value)
    recipe = recipes.get(recipe_of(system))
    recipe = dataclasses.replace(recipe, batch_size=batch_size)
    if _HIDDEN.value:
        hidden = tuple(map(int, _HIDDEN.value))
        networks = ("hidden", "discriminator_z_hidden", "discriminator_y_hidden")
        recipe = dataclasses.replace(recipe, **dict.fromkeys(networks, hidden))
    if system.startswith("products"):
        theirs = step_of(system) == "2025 reproduction"
        count = arithmetic.reproduction_products if theirs else arithmetic.step_products
        products = count(
            recipe, SIDE**2, NUM_CLASSES, batch_size, recipe.labelled_batch_size
        )
        return lambda blocks, block: arithmetic.seconds_of(
            products, backend, bfloat16, blocks
        )

    rng = np.random.Generator(np.random.PCG64(0))
    x = rng.integers(256, size=(_IMAGES.value, SIDE, SIDE), dtype="uint8")
    y = np.where(np.arange(len(x)) < NUM_LABELLED, np.arange(len(x)) % NUM_CLASSES, -1)
    if system == "2025 reproduction":
        from plain_torch import default_device
        from reproduction2025 import Reproduction2025

        theirs = Reproduction2025(
            *(x, y, recipe.hidden, batch_size, recipe.labelled_batch_size),
            device=default_device(),
        )
        return functools.partial(
            timing.seconds_per_step, theirs.step, lambda loss: loss
        )
    dataset = recipe.dataset(x, y)
    if system in OURS:
        model = recipe.model(dataset)
        if _STEPS_PER_EXECUTION.value > 1:
            model.compile(
                model.optimizer, steps_per_execution=_STEPS_PER_EXECUTION.value
            )
        return functools.partial(
            timing.seconds_per_step_of_fit, model, dataset, callbacks=recipe.callbacks()
        )
    batches = (dataset[i % len(dataset)] for i in itertools.count())
    if system == "batches":
        return functools.partial(
            timing.seconds_per_step, lambda: next(batches), lambda batch: batch
        )
    if backend == "jax":
        from plain_jax import PlainJax

        plain = PlainJax(SIDE**2, recipe.hidden, bfloat16=bfloat16)
        return functools.partial(
            timing.seconds_per_step,
            lambda: plain.step(**next(batches)),
            lambda x: x.block_until_ready(),
        )
    import torch
    from plain_torch import PlainTorch, default_device

    device = default_device()
    plain = PlainTorch(SIDE**2, recipe.hidden, bfloat16=bfloat16, device=device)

    def step():
        batch = {k: torch.as_tensor(v, device=device) for k, v in next(batches).items()}
        return plain.step(**batch)

    return functools.partial(timing.seconds_per_step, step, lambda loss: loss.tolist())


def summary(records):
    """Medians over the rounds, by system, backend, policy, batch size and machine."""
    groups = collections.defaultdict(list)
    for record in records:
        key = tuple(record.get(k, "") for k in KEYS if k != "round")
        groups[key].append(record)
    rows = []
    for key, group in groups.items():
        row = dict(zip([k for k in KEYS if k != "round"], key))
        for name in ("ms_per_step", "lower_quartile", "upper_quartile", "limit_share"):
            values = [r[name] for r in group if r[name] is not None]
            row[name] = statistics.median(values) if values else None
        rows.append({**row, "rounds": len(group)})
    order = list(SYSTEMS)
    return sorted(rows, key=lambda r: (r["batch_size"], order.index(r["system"])))


def table(records):
    """Markdown: a row for each combination, its speed beside the reproduction's."""
    rows = summary(records)
    theirs = {
        (row["batch_size"], row["machine"], row["variant"]): row["ms_per_step"]
        for row in rows
        if row["system"] == "2025 reproduction"
    }
    lines = []
    for row in rows:
        share = row["limit_share"]
        base = theirs.get((row["batch_size"], row["machine"], row["variant"]))
        times = f"{base / row['ms_per_step']:.2f}" if base and share else "–"
        lines.append(
            [
                str(row["batch_size"]),
                ", ".join(filter(None, (row["system"], row["variant"]))),
                row["backend"],
                row["dtype_policy"],
                f"{row['ms_per_step']:.3g}",
                f"{row['lower_quartile']:.3g} to {row['upper_quartile']:.3g}",
                "–" if share is None else f"{100 * share:.0f} %",
                times,
                str(row["rounds"]),
                row["machine"],
            ]
        )
    header = ["batch", "system", "backend", "policy", "ms a step", "quartiles"]
    header += ["of the limit", "times the reproduction's speed", "rounds", "machine"]
    return timing.markdown(header, lines)


def draw(records, path):
    """Bars of milliseconds a step, a panel for each batch size."""
    from matplotlib.figure import Figure

    rows = [row for row in summary(records) if row["system"] != "batches"]
    sizes = sorted({row["batch_size"] for row in rows})
    figure = Figure((5 * len(sizes), 0.28 * len(rows) / len(sizes) + 1.2), dpi=120)
    for axes, size in zip(figure.subplots(1, len(sizes), squeeze=False)[0], sizes):
        here = sorted(
            (row for row in rows if row["batch_size"] == size),
            key=lambda row: -row["ms_per_step"],
        )
        names = [
            ", ".join(row[name] for name in (*KEYS[:3], "variant") if row[name])
            for row in here
        ]
        ours = {"paper": "tab:blue", "default": "tab:cyan", "simultaneous": "tab:green"}
        colours = [ours.get(row["system"], "lightgrey") for row in here]
        axes.barh(names, [row["ms_per_step"] for row in here], color=colours)
        axes.set(title=f"batch {size}", xlabel="ms a step")
        axes.tick_params(labelsize=7)
    figure.tight_layout()
    figure.savefig(path)


if __name__ == "__main__":
    app.run(main)
