"""Where the time of a training step goes: products, other operations, Python.

    python benchmarks/profile_step.py --backends=tensorflow,jax,torch
        --policies=float32,mixed_bfloat16 --batch_sizes=100

Systems as in step_time.py, each in a process of its own and on one core, where nothing
happens at once: the time of a step is that of its matrix products, of its other
operations, and of what is left, Python and waiting. Operations are timed by the
backend's own profiler, as the mean of `--steps` steps; the step itself is timed
without it. Where PyTorch runs on a GPU, operations are timed on it, so that the first
two together are the share of time it is busy.

Records go to benchmarks/results/profile_step.jsonl; those that are there are not made
again. `--backends=` prints the table of the records alone.
"""

import collections
import itertools
import json
import os
import re
import sys
import tempfile
from pathlib import Path

from absl import app, flags

sys.path.insert(0, str(Path(__file__).parent))

import step_time  # noqa: E402
import timing  # noqa: E402

RECORDS = Path(__file__).parent / "results" / "profile_step.jsonl"
SYSTEMS = ("paper", "default", "plain loop", "2025 reproduction")
KEYS = ("system", "backend", "dtype_policy", "batch_size", "machine", "variant")
PRODUCTS = ("MatMul", "dot", "aten::addmm", "aten::mm", "aten::bmm", "mkldnn_linear")

_SYSTEMS = flags.DEFINE_list("profiled", list(SYSTEMS), "What to take apart.")
_STEPS = flags.DEFINE_integer("steps", 20, "Steps profiled, and timed.", lower_bound=1)
_PROFILE = flags.DEFINE_string("profile", None, "One combination, in this process.")


def main(argv):
    """Profiles what is missing, and prints the table."""
    del argv
    if _PROFILE.value:
        print(json.dumps(profile(*json.loads(_PROFILE.value))))
        return
    values = flags.FLAGS
    for name in ("systems", "rounds", "blocks", "block", "figure"):
        if values[name].present:
            sys.exit(f"--{name} is step_time.py's; here are --profiled and --steps.")
    for policy, batch_size, system in itertools.product(
        values.policies, map(int, values.batch_sizes), _SYSTEMS.value
    ):
        if policy != "float32" and system in step_time.FLOAT32_ONLY:
            continue
        for backend in (b for b in step_time.SYSTEMS[system] if b in values.backends):
            key = dict(zip(KEYS, (system, backend, policy, batch_size)))
            key |= {"machine": timing.machine(), "variant": step_time.variant()}
            records = timing.read_records(RECORDS)
            if any(
                all(record.get(k, "") == key[k] for k in KEYS) for record in records
            ):
                continue
            with tempfile.TemporaryDirectory() as folder:
                found = timing.run_alone(
                    __file__,
                    [
                        *step_time.settings(),
                        _STEPS.serialize(),
                        f"--profile={json.dumps([system, policy, batch_size, folder])}",
                    ],
                    backend,
                    OMP_NUM_THREADS="1",
                    XLA_FLAGS=f"--xla_dump_to={folder}/hlo --xla_dump_hlo_as_text "
                    "--xla_dump_hlo_pass_re=NONE",
                    # A program that is not compiled anew is not written down either.
                    JAX_ENABLE_COMPILATION_CACHE="false",
                )
            timing.add_record(RECORDS, {**key, **found})
    print(table(timing.read_records(RECORDS)))


def profile(system, policy, batch_size, folder):
    """Takes a step apart, in this process, on one core and its backend.

    Args:
        system: as of `step_time.timed`.
        policy: the same.
        batch_size: the same.
        folder: where the profiler writes, and where XLA wrote the compiled program.

    Returns:
        dict: "ms_per_step"; of these "ms_of_products", "ms_of_others", "ms_of_python";
        "others", the operations but products that take most, as milliseconds by name.
    """
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    import keras

    backend, steps = keras.backend.backend(), _STEPS.value
    timed = step_time.timed(system, policy, batch_size)
    _, seconds, _ = timed(blocks=1, block=steps)
    seconds_of = {"torch": of_torch, "jax": of_jax, "tensorflow": of_tensorflow}
    found = seconds_of[backend](lambda: timed(blocks=1, block=steps), Path(folder))
    made = steps * (3 if system in step_time.OURS else 2)  # with the blocks before
    ms = {name: 1000 * value / made for name, value in found.items()}
    is_product = {name: any(part in name for part in PRODUCTS) for name in ms}
    products = sum(value for name, value in ms.items() if is_product[name])
    others = {name: value for name, value in ms.items() if not is_product[name]}
    largest = sorted(others.items(), key=lambda item: -item[1])[:5]
    whole, others = 1000 * seconds, sum(others.values())
    return {
        "ms_per_step": round(whole, 3),
        "ms_of_products": round(products, 3),
        "ms_of_others": round(others, 3),
        "ms_of_python": round(max(0.0, whole - products - others), 3),
        "others": {name: round(value, 3) for name, value in largest},
    }


def of_torch(run, folder):
    """Seconds in each of PyTorch's operations, itself alone, while `run()` runs."""
    import torch

    del folder
    torch.set_num_threads(1)
    where = "device" if torch.cuda.is_available() else "cpu"
    with torch.profiler.profile() as p:  # of all that is there
        run()
    return {
        event.key: getattr(event, f"self_{where}_time_total") / 1e6
        for event in p.key_averages()
        if event.key.startswith("aten::")
    }


def of_jax(run, folder):
    """Seconds in each of XLA's operations, named after what they were in JAX."""
    import jax

    with jax.profiler.trace(str(folder)):
        run()
    programs = (folder / "hlo").glob("*_after_optimizations.txt")
    names = {}
    for program in programs:
        names |= operations_of(program.read_text())
    seconds = collections.Counter()
    for event in events(folder):
        if event.name in names:
            seconds[names[event.name]] += event.duration_ns / 1e9
    return seconds


def of_tensorflow(run, folder):
    """Seconds in each kind of TensorFlow's operations."""
    import tensorflow

    tensorflow.profiler.experimental.start(str(folder))
    run()
    tensorflow.profiler.experimental.stop()
    seconds = collections.Counter()
    for event in events(folder):
        _, colon, kind = event.name.rpartition(":")
        if colon and kind.isidentifier() and "/" in event.name:
            seconds[kind] += event.duration_ns / 1e9
    return seconds


def events(folder):
    """All events of the trace in a folder (read by JAX, TensorFlow's too)."""
    from jax.profiler import ProfileData

    for path in Path(folder).rglob("*.xplane.pb"):
        for plane in ProfileData.from_file(str(path)).planes:
            for line in plane.lines:
                yield from line.events


def operations_of(program):
    """What each instruction of a compiled XLA program computes.

    Args:
        program: its text.

    Returns:
        dict from an instruction's name to "dot" where it makes a matrix product, be it
        with others, or else to the last part of the name that JAX gave it. Loops and
        calls, whose parts are instructions themselves, are not in it.
    """
    called, holds_product, names = {}, set(), {}
    computation = None
    for line in program.splitlines():
        if begin := re.match(r"(?:ENTRY )?%?([\w.\-]+) \(.*\{$", line):
            computation = begin[1]
        instruction = re.match(
            r"\s+(?:ROOT )?%?([\w.\-]+) = (?:\([^=]*\)|\S+) ([\w\-]+)\(", line
        )
        if not instruction:
            continue
        name, code = instruction.groups()
        if code == "dot":
            holds_product.add(computation)
        if code in ("while", "call", "conditional"):
            continue
        calls = re.search(r"calls=%?([\w.\-]+)", line)
        label = re.search(r'op_name="[^"]*?([^/"]+)"', line)
        called[name] = calls[1] if calls else None
        names[name] = "dot" if code == "dot" else label[1] if label else code
    products = {name for name, inner in called.items() if inner in holds_product}
    return {**names, **dict.fromkeys(products, "dot")}


def table(records):
    """Markdown: a row for each system, its parts in milliseconds and per cent."""
    rows = []
    for record in sorted(records, key=lambda r: (r["batch_size"], r["dtype_policy"])):
        whole = record["ms_per_step"]
        system = ", ".join(filter(None, (record["system"], record.get("variant", ""))))
        cells = [str(record["batch_size"]), system, *(record[k] for k in KEYS[1:3])]
        cells.append(f"{whole:.3g}")
        for part in ("products", "others", "python"):
            ms = record[f"ms_of_{part}"]
            cells.append(f"{ms:.3g} ({100 * ms / whole:.0f} %)")
        others = record["others"].items()
        cells.append(", ".join(f"{name} {value:.2g}" for name, value in others))
        cells.append(record["machine"])
        rows.append(cells)
    header = ["batch", "system", "backend", "policy", "ms a step", "matrix products"]
    header += ["other operations", "Python", "the largest of the others, ms", "machine"]
    return timing.markdown(header, rows)


if __name__ == "__main__":
    app.run(main)
