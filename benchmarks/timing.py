"""What the speed benchmarks share: a clock, processes of their own, records."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "examples"))

from machine import machine, peak_memory_mib  # noqa: E402, F401


def quartiles(values):
    """First quartile, median and third quartile, a list of three numbers."""
    return np.quantile(values, [0.25, 0.5, 0.75]).tolist()


def seconds_per_step(step, wait, blocks, block):
    """Quartiles of the seconds that `step()` takes, over blocks of steps.

    Args:
        step: makes one step; what it returns goes to `wait`.
        wait: returns when that result is there.
        blocks: number of blocks that count, after one that does not.
        block: steps in a block.
    """
    seconds = []
    for _ in range(blocks + 1):
        start = time.perf_counter()
        for _ in range(block):
            result = step()
        wait(result)
        seconds.append((time.perf_counter() - start) / block)
    return quartiles(seconds[1:])


def seconds_per_step_of_fit(model, dataset, blocks, block, callbacks=()):
    """The same of `model.fit`: batches, callbacks and logs are counted in.

    `fit` ends by itself. For the clock Keras reads the logs of each step, and so waits
    for each.
    """
    import keras

    class Clock(keras.callbacks.Callback):
        def __init__(self):
            super().__init__()
            self.stops = []  # pairs of steps done and time

        def on_epoch_begin(self, epoch, logs=None):
            self.before = epoch * len(dataset)

        def on_train_batch_end(self, batch, logs=None):
            done = self.before + min(batch + 1, len(dataset))
            if done >= block + (self.stops[-1][0] if self.stops else 0):
                float(logs["loss"])  # waits for the step
                self.stops.append((done, time.perf_counter()))
                self.model.stop_training = len(self.stops) == blocks + 2

    clock = Clock()
    model.fit(
        dataset,
        epochs=1 + (blocks + 2) * (block + model.steps_per_execution) // len(dataset),
        verbose=0,
        callbacks=[*callbacks, clock],
    )
    # The first block, in which the step is compiled, ends at the first stop; the second
    # may still warm up.
    stops = clock.stops[1:]
    return quartiles(
        [(t - s) / (m - n) for (n, s), (m, t) in zip(stops[:-1], stops[1:])]
    )


def run_alone(program, arguments, backend, **environment):
    """Runs a program in a process of its own; returns the JSON of its last line."""
    environment |= {"KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, str(program), *arguments]
    done = subprocess.run(
        command,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{' '.join(command)} on {backend} failed:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def read_records(path):
    """The records of a file, a list of dicts; empty where there is no file."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text().splitlines()]


def add_record(path, record):
    """Appends a record to a file, and prints it."""
    path.parent.mkdir(exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(record) + "\n")
    print(json.dumps(record), flush=True)


def markdown(header, rows):
    """A Markdown table."""
    rule = ["---"] * len(header)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [header, rule, *rows])
