"""The program that times whole runs of the examples: what it runs, and its table."""

import json

import keras
import pytest
import tiny
from absl.testing import flagsaver

BACKEND = keras.backend.backend()


@pytest.fixture(scope="module")
def program():
    with tiny.program("benchmarks/example_times.py") as module:
        yield module


@pytest.fixture
def records(program, tmp_path, monkeypatch):
    monkeypatch.setattr(program, "RECORDS", tmp_path / "records.jsonl")
    return program.RECORDS


def record(example, kind, backend, seconds):
    key = {"example": example, "kind": kind, "backend": backend, "machine": "m"}
    return {**key, "seconds": seconds}


def test_examples_are_those_that_make_a_run(program):
    assert {"mnist_semisup", "attacks", "own_images"} <= set(program.names())
    assert not {"common", "machine", "reproduce_table2"} & set(program.names())


def test_run_is_timed_and_not_made_again(program, records, monkeypatch, capsys):
    made = []
    monkeypatch.setattr(program, "seconds_of", lambda *run: made.append(run) or 1.26)
    with flagsaver.flagsaver(examples=["priors"], kinds=["smoke"], backends=[BACKEND]):
        program.main(["example_times"])
        program.main(["example_times"])
    assert made == [("priors", "smoke", BACKEND)]
    assert json.loads(records.read_text())["seconds"] == 1.3
    assert "`priors.py` | 1 |" in capsys.readouterr().out


def test_run_that_fails_stops_the_program(program, monkeypatch):
    monkeypatch.setitem(program.KINDS, "smoke", ("--no_such_flag",))
    with pytest.raises(SystemExit, match="no_such_flag"):
        program.seconds_of("priors", "smoke", BACKEND)


@pytest.mark.parametrize(
    ("flag", "value"), [("examples", ["prior"]), ("kinds", ["brief"])]
)
def test_unknown_runs_are_refused(program, records, flag, value):
    with flagsaver.flagsaver(**{flag: value}):
        with pytest.raises(SystemExit, match=f"Received: {value[0]}"):
            program.main(["example_times"])
    assert not records.exists()


def test_table_has_a_row_for_each_example_and_medians(program):
    made = [
        record("priors", "smoke", "jax", 9.0),
        record("attacks", "smoke", "jax", 20.0),
        record("attacks", "smoke", "jax", 22.0),
        record("attacks", "digits", "torch", 50.0),
    ]
    assert program.table(made).splitlines() == [
        "| seconds | digits, torch, m | smoke, jax, m |",
        "| --- | --- | --- |",
        "| `attacks.py` | 50 | 21 |",
        "| `priors.py` | – | 9 |",
    ]


def test_docs_show_what_the_records_say(program, shows):
    records = program.timing.read_records(program.RECORDS)
    shows("docs/speed.md", "example times", program.table(records))
