"""The program that times runs until they are good: what "until" means, its records."""

import json

import keras
import pytest
import tiny
from absl.testing import flagsaver

BACKEND = keras.backend.backend()


@pytest.fixture(scope="module")
def program():
    with tiny.program("benchmarks/time_to_accuracy.py") as module:
        yield module


def test_threshold_is_reached_where_the_error_goes_below_it_for_good(program):
    found = program.reached([10, 20, 30, 40, 50], [4.0, 6.0, 2.9, 1.9, 2.0])
    assert found == {
        "seconds_under_5": 30,
        "seconds_under_3": 30,
        "seconds_under_2": None,  # 2.0 is not under 2
    }


def test_run_that_is_good_from_the_start_has_its_first_epoch(program):
    assert set(program.reached([10, 20], [1.0, 1.5]).values()) == {10}


def test_measurement_has_the_time_and_error_of_every_epoch(program, policy):
    policy("float32")  # as it was, afterwards
    with flagsaver.flagsaver(recipe="labels_only", dataset="digits", epochs=3):
        curve = program.measure("float32", seed=0, started=0.0)
    assert len(curve["seconds"]) == len(curve["validation_error"]) == 3
    assert curve["seconds"] == sorted(curve["seconds"])
    assert all(0 <= error <= 100 for error in curve["validation_error"])


def record(seed, seconds, **changes):
    return {
        "dataset": "mnist",
        "recipe": "default",
        "labels": 100,
        "backend": "jax",
        "dtype_policy": "float32",
        "seed": seed,
        "machine": "m",
        "seconds_under_5": seconds,
        "seconds_under_3": None,
        "seconds_under_2": None,
        "seconds": [7.0, 8.0],
        "validation_error": [50.0, 4.0],
        **changes,
    }


def test_table_has_medians_over_seeds_and_counts_who_got_there(program):
    text = program.table([record(0, 30.0), record(1, None), record(2, 40.0)])
    assert text.splitlines()[-1] == (
        "| mnist, 100 | default | jax | float32 | 40 (2 of 3) | never (0 of 3) "
        "| never (0 of 3) | 7 | m |"
    )


def test_runs_that_are_there_are_not_made_again(program, tmp_path, monkeypatch, capsys):
    path = tmp_path / "records.jsonl"
    monkeypatch.setattr(program, "RECORDS", path)
    key = {"backend": BACKEND, "machine": program.timing.machine()}
    path.write_text(json.dumps(record(0, 30.0, **key)) + "\n")
    with flagsaver.flagsaver(backends=[BACKEND], seeds=["0"]):
        program.main(["time_to_accuracy"])
    assert len(path.read_text().splitlines()) == 1
    assert "30 (1 of 1)" in capsys.readouterr().out
