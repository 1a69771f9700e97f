"""The program that takes a step apart: what counts as a product, records, table."""

import json

import keras
import pytest
import tiny
from absl import flags
from absl.testing import flagsaver

BACKEND = keras.backend.backend()
PROGRAM = """\
HloModule jit_train_step

%fused_computation.1 (p0: f32[2,3], p1: f32[3,4]) -> f32[2,4] {
  %p0 = f32[2,3]{1,0} parameter(0)
  %p1 = f32[3,4]{1,0} parameter(1)
  ROOT %dot.7 = f32[2,4]{1,0} dot(%p0, %p1), lhs_contracting_dims={1}
}

ENTRY %main.9 (a: f32[2,3], b: f32[3,4]) -> (f32[2,4], f32[2,4]) {
  %a = f32[2,3]{1,0} parameter(0)
  %b = f32[3,4]{1,0} parameter(1)
  %ynn_fusion.1 = f32[2,4]{1,0} fusion(%a, %b), kind=kCustom, \
calls=%fused_computation.1, metadata={op_name="jit(train_step)/jit(relu)/max"}
  %add.3 = f32[2,4]{1,0} add(%ynn_fusion.1, %ynn_fusion.1), \
metadata={op_name="jit(train_step)/encoder/add" stack_frame_id=3}
  %while.4 = (f32[2,4]{1,0}) while(%add.3), condition=%c, body=%d
  ROOT %tuple.5 = (f32[2,4]{1,0}, f32[2,4]{1,0}) tuple(%add.3, %add.3)
}
"""


@pytest.fixture(scope="module")
def program():
    with tiny.program("benchmarks/profile_step.py") as module:
        yield module


def test_instruction_is_a_product_where_one_is_inside(program):
    names = program.operations_of(PROGRAM)
    assert names["ynn_fusion.1"] == names["dot.7"] == "dot"


def test_other_instructions_are_named_by_jax_and_loops_left_out(program):
    names = program.operations_of(PROGRAM)
    assert names["add.3"] == "add"
    assert names["tuple.5"] == "tuple"  # without a name of JAX, its own
    assert "while.4" not in names  # its parts are counted by themselves


def test_parts_of_a_step_are_recorded_once(program, tmp_path, monkeypatch, capsys):
    path = tmp_path / "profile_step.jsonl"
    monkeypatch.setattr(program, "RECORDS", path)
    settings = {"backends": [BACKEND], "policies": ["float32"], "batch_sizes": ["24"]}
    settings |= {"hidden": ["40"], "images": 240, "profiled": ["paper"], "steps": 2}
    for _ in range(2):
        with flagsaver.flagsaver(**settings):
            program.main(["profile_step"])
    (line,) = path.read_text().splitlines()
    record = json.loads(line)
    assert [record[k] for k in program.KEYS[:4]] == ["paper", BACKEND, "float32", 24]
    assert record["ms_of_products"] > 0 and record["ms_of_others"] > 0
    assert len(record["others"]) == 5
    assert (
        f"| 24 | paper, hidden=40, images=240 | {BACKEND} | float32 |"
        in capsys.readouterr().out
    )


def test_flags_that_only_step_time_knows_are_refused(program, monkeypatch):
    monkeypatch.setattr(flags.FLAGS["systems"], "present", 1)
    with pytest.raises(SystemExit, match="--systems is step_time.py's"):
        program.main(["profile_step"])


def test_table_shows_shares(program):
    record = {
        **dict(zip(program.KEYS, ("paper", "jax", "float32", 100, "m", ""))),
        **{"ms_per_step": 20.0, "ms_of_products": 10.0, "ms_of_others": 6.0},
        **{"ms_of_python": 4.0, "others": {"add": 3.0}},
    }
    assert program.table([record]).splitlines()[-1] == (
        "| 100 | paper | jax | float32 | 20 | 10 (50 %) | 6 (30 %) | 4 (20 %) | add 3 "
        "| m |"
    )
