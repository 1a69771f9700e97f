"""docs/speed.md shows what the records say."""

import pathlib

import pytest
import tiny

ROOT = pathlib.Path(__file__).parents[2]


@pytest.mark.parametrize(
    "name",
    ["profile_step", "step_time", "metrics", "start_up", "time_to_accuracy", "scaling"],
)
def test_table_of_the_records_is_in_the_notes(name):
    notes = (ROOT / "docs" / "speed.md").read_text(encoding="utf-8")
    with tiny.program(f"benchmarks/{name}.py") as program:
        table = program.table(program.timing.read_records(program.RECORDS))
    assert f"\n\n{table}\n" in notes
