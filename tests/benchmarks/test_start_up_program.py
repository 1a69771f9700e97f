"""The program that times the way to the first step: its stages, records and table."""

import json

import keras
import pytest
import tiny
from absl.testing import flagsaver

BACKEND = keras.backend.backend()


@pytest.fixture(scope="module")
def program():
    with tiny.program("benchmarks/start_up.py") as module:
        yield module


def test_stages_follow_one_another(program):
    with flagsaver.flagsaver(recipe="labels_only", dataset="digits"):
        found = program.measure(started=0.0)
    for what in ("seconds_to", "mib_at"):
        values = [found[f"{what}_{stage}"] for stage in program.STAGES]
        assert values == sorted(values) and values[0] > 0


def record(number, seconds):
    stages = {f"seconds_to_{stage}": seconds for stage in ("keras", "keras_saae")}
    return {
        "recipe": "default",
        "dataset": "mnist",
        "backend": BACKEND,
        "round": number,
        "machine": "m",
        "seconds_to_images": 5.0,
        "seconds_to_model": 6.0,
        "seconds_to_first_step": 9.0,
        **stages,
        **dict.fromkeys(("mib_at_keras", "mib_at_keras_saae", "mib_at_images"), 200.0),
        **dict.fromkeys(("mib_at_model", "mib_at_first_step"), 400.0),
    }


def test_table_has_medians_over_rounds(program):
    text = program.table([record(0, 1.0), record(1, 2.0), record(2, 4.0)])
    assert text.splitlines()[-1] == (
        f"| {BACKEND} | default | mnist | 2.0 s, 200 MiB | 2.0 s, 200 MiB "
        "| 5.0 s, 200 MiB | 6.0 s, 400 MiB | 9.0 s, 400 MiB | 3 | m |"
    )


def test_rounds_that_are_there_are_not_made_again(
    program, tmp_path, monkeypatch, capsys
):
    path = tmp_path / "records.jsonl"
    monkeypatch.setattr(program, "RECORDS", path)
    there = {**record(0, 1.0), "machine": program.timing.machine()}
    path.write_text(json.dumps(there) + "\n")
    with flagsaver.flagsaver(backends=[BACKEND], rounds=1):
        program.main(["start_up"])
    assert len(path.read_text().splitlines()) == 1
    assert "9.0 s, 400 MiB" in capsys.readouterr().out
