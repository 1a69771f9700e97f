"""Seconds that whole runs of the examples take: on the digits, and brief ones.

    python benchmarks/example_times.py --kinds=smoke --backends=tensorflow,jax,torch
    python benchmarks/example_times.py --kinds=digits --examples=clustering
    python benchmarks/example_times.py --backends=

Each run is a process of its own, timed from its start to its end; nothing else should
run on the machine. It must end well, and its folder is thrown away. Records go to
benchmarks/results/example_times.jsonl; what is there is not run again. `--backends=`
prints the table of the records alone.
"""

import collections
import itertools
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from absl import app, flags

sys.path.insert(0, str(Path(__file__).parent))

import timing  # noqa: E402

ROOT = Path(__file__).resolve().parents[1]
RECORDS = Path(__file__).parent / "results" / "example_times.jsonl"
KEYS = ("example", "kind", "backend", "machine")
KINDS = {"smoke": ("--dataset=digits", "--smoke"), "digits": ("--dataset=digits",)}
NOT_RUNS = ("common", "machine", "compiling", "reproduce_table2")  # the last makes many

_EXAMPLES = flags.DEFINE_list("examples", None, "Programs; all if not given.")
_KINDS = flags.DEFINE_list("kinds", list(KINDS), "Of runs: smoke, digits.")
_BACKENDS = flags.DEFINE_list("backends", ["tensorflow", "jax", "torch"], "Of Keras.")


def main(argv):
    """Makes the runs that are missing, and prints the table."""
    del argv
    known = names()
    for given, choices in ((_EXAMPLES.value or known, known), (_KINDS.value, KINDS)):
        if not set(given) <= set(choices):
            sys.exit(f"Choose of {', '.join(choices)}. Received: {', '.join(given)}")
    todo = itertools.product(
        _KINDS.value, _BACKENDS.value, _EXAMPLES.value or known, [timing.machine()]
    )
    for kind, backend, example, machine in todo:
        key = dict(zip(KEYS, (example, kind, backend, machine)))
        if not any(key.items() <= r.items() for r in timing.read_records(RECORDS)):
            seconds = round(seconds_of(example, kind, backend), 1)
            timing.add_record(RECORDS, {**key, "seconds": seconds})
    print(table(timing.read_records(RECORDS)))


def names():
    """The examples, in alphabetical order."""
    found = sorted(path.stem for path in (ROOT / "examples").glob("*.py"))
    return [name for name in found if name not in NOT_RUNS]


def seconds_of(example, kind, backend):
    """Seconds that a run takes, from the start of Python to its end."""
    environment = {**os.environ, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, str(ROOT / "examples" / f"{example}.py")]
        command += [*KINDS[kind], f"--output_dir={folder}/run"]
        begin = time.perf_counter()
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False
        )
        seconds = time.perf_counter() - begin
    if done.returncode:
        sys.exit(f"{' '.join(command)} on {backend} failed:\n{done.stderr}")
    return seconds


def table(records):
    """Markdown: a row for each example, a column for kind, backend and machine."""
    cells = collections.defaultdict(list)
    for record in records:
        column = tuple(record[key] for key in KEYS[1:])
        cells[record["example"], column].append(record["seconds"])
    columns = sorted({column for _, column in cells})
    rows = [
        [
            f"`{example}.py`",
            *(
                f"{statistics.median(cells[example, column]):.0f}"
                if (example, column) in cells
                else "–"
                for column in columns
            ),
        ]
        for example in sorted({example for example, _ in cells})
    ]
    return timing.markdown(["seconds", *map(", ".join, columns)], rows)


if __name__ == "__main__":
    app.run(main)
