"""The program that compares steps with and without means: who takes turns, and when."""

import json

import keras
import pytest
import tiny
from absl.testing import flagsaver

BACKEND = keras.backend.backend()
RECORD = {
    "recipe": "paper",
    "backend": BACKEND,
    "dtype_policy": "float32",
    "batch_size": 100,
    "machine": "m",
    "percent_of_step": 1.25,
    "lower_quartile": -0.5,
    "upper_quartile": 2.0,
    "turns": 20,
    "ms_per_step": 25.04,
}


@pytest.fixture(scope="module")
def program():
    with tiny.program("benchmarks/metrics.py") as module:
        yield module


def test_each_turn_is_compared_with_its_neighbour(program, monkeypatch):
    update_state, turns = keras.metrics.Mean.update_state, []
    seconds = {True: [9.0, 0.004, 0.008, 0.004], False: [9.0, 0.003, 0.004, 0.002]}

    def of_fit(model, dataset, blocks, block):
        means = keras.metrics.Mean.update_state is update_state
        turns.append((means, id(model)))
        median = seconds[means].pop(0)  # the first compiles and does not count
        return [median, median, median]

    monkeypatch.setattr(program.timing, "seconds_per_step_of_fit", of_fit)
    with flagsaver.flagsaver(turns=3, images=200):
        found = program.measure("default_small", "float32", 20)
    # 1 - 3/4, 1 - 4/8 and 1 - 2/4; the median of 4, 8 and 4 ms
    assert (found["percent_of_step"], found["turns"]) == (50.0, 3)
    assert (found["lower_quartile"], found["upper_quartile"]) == (37.5, 50.0)
    assert found["ms_per_step"] == 4.0
    assert [means for means, _ in turns[2:]] == [True, False, False, True, True, False]
    assert len(set(turns)) == 2  # one model has means, and the other has none
    assert keras.metrics.Mean.update_state is update_state


def test_it_measures_steps_of_fit(program):
    with flagsaver.flagsaver(turns=1, blocks=1, block=1, images=200):
        found = program.measure("default_small", "float32", 20)
    assert found["ms_per_step"] > 0.0


def test_records_that_are_there_are_not_made_again(
    program, tmp_path, monkeypatch, capsys
):
    path = tmp_path / "records.jsonl"
    monkeypatch.setattr(program, "RECORDS", path)
    there = {**RECORD, "machine": program.timing.machine()}
    path.write_text(json.dumps(there) + "\n")
    with flagsaver.flagsaver(backends=[BACKEND], recipes=["paper"], batch_sizes=[100]):
        program.main(["metrics"])
    assert path.read_text().count("\n") == 1
    assert capsys.readouterr().out.splitlines()[-1].startswith("| 100 | paper |")


def test_table_has_a_row_for_each_record(program):
    assert program.table([RECORD]).splitlines()[-1] == (
        f"| 100 | paper | {BACKEND} | float32 | 1.2 | -0.5 to 2.0 | 25 | 20 | m |"
    )
