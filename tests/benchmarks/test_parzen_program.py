"""The program that compares Parzen estimates with scikit-learn: its record."""

import json

import pytest
import tiny
from absl.testing import flagsaver


@pytest.fixture(scope="module")
def program():
    with tiny.program("benchmarks/parzen.py") as module:
        yield module


def test_a_run_adds_its_record_and_says_the_ratio(
    program, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(program, "RECORDS", tmp_path / "results" / "parzen.jsonl")
    with flagsaver.flagsaver(samples=60, images=30, pixels=4, timed=5):
        program.main(["parzen"])
        program.main(["parzen"])
    lines = program.RECORDS.read_text().splitlines()
    assert len(lines) == 2
    record = json.loads(lines[0])
    sizes = {
        name: record[name] for name in ("samples", "images", "dimensions", "timed")
    }
    assert sizes == {"samples": 60, "images": 30, "dimensions": 16, "timed": 5}
    assert record["relative_difference"] < 1e-9
    assert record["ratio"] > 0
    assert f"{record['ratio']:.1f} times as fast" in capsys.readouterr().out
