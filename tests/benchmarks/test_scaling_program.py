"""The program that varies sizes: what it trains on, its records and table."""

import keras
import numpy as np
import pytest
import tiny
from absl.testing import flagsaver

BACKEND = keras.backend.backend()


@pytest.fixture(scope="module")
def program():
    with tiny.program("benchmarks/scaling.py") as module:
        yield module


def test_images_in_a_file_are_those_in_memory(program, tmp_path):
    in_memory, y = program.made_up(120)
    in_file, y_again = program.made_up(120, tmp_path)
    assert isinstance(in_file, np.memmap)
    np.testing.assert_array_equal(in_file, in_memory)
    np.testing.assert_array_equal(y, y_again)
    assert in_memory.shape == (120, 28, 28) and in_memory.dtype == np.uint8
    assert y[:12].tolist() == [*range(10), 0, 1] and set(y[100:]) == {-1}


def test_phases_that_do_the_same_are_as_many_as_asked_for(program):
    x, y = program.made_up(20)
    model, _ = program.with_phases(x, y, 3, {"hidden": 4, "batch_size": 10})
    assert [phase.name for phase in model.phases()] == ["phase_1", "phase_2", "phase_3"]


@pytest.mark.parametrize(
    ("axis", "value"),
    [
        ("images", 300),
        ("phases", 2),
        *([("models", 2)] if BACKEND == "jax" else []),
    ],
)
def test_measurement_has_times_and_memory(program, monkeypatch, policy, axis, value):
    policy("float32")  # as it was, afterwards
    monkeypatch.setattr(program, "BASE", {"batch_size": 20, "hidden": 4, "images": 300})
    with flagsaver.flagsaver(blocks=2, block=2):
        found = program.measure(axis, value, "float32")
    assert 0 < found["lower_quartile"] <= found["ms_per_step"]
    assert found["ms_per_step"] <= found["upper_quartile"]
    assert 0 < found["memory_before_mib"] <= found["peak_memory_mib"]


def test_table_has_a_row_for_each_size_and_a_column_for_each_backend(program):
    records = [
        {
            **{"axis": axis, "value": value, "backend": backend},
            **{"dtype_policy": "float32", "ms_per_step": 5.0, "peak_memory_mib": 99.6},
            "machine": "m",
        }
        for axis, value, backend in (
            *(("images", 1000, "jax"), ("batch_size", 25, "jax")),
            ("images", 1000, "torch"),
        )
    ]
    header, _, first, second = program.table(records).splitlines()
    assert header == "| what varies | size | jax, float32, m | torch, float32, m |"
    assert first == "| batch_size | 25 | 5 ms, 100 MiB | – |"
    assert second == "| images | 1,000 | 5 ms, 100 MiB | 5 ms, 100 MiB |"


def test_unknown_axes_are_refused(program):
    with flagsaver.flagsaver(axes=["width"]):
        with pytest.raises(SystemExit, match="--axes knows .*Received: width"):
            program.main(["scaling"])
