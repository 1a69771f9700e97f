"""The program that times a step: its counts, records and table, not its times."""

import json

import keras
import pytest
import tiny
from absl.testing import flagsaver

from keras_saae import recipes

BACKEND = keras.backend.backend()
SMALL = {"blocks": 2, "block": 2, "hidden": ["5"], "images": 240, "rounds": 1}


@pytest.fixture(scope="module")
def program():
    with tiny.program("benchmarks/step_time.py") as module:
        yield module


@pytest.fixture
def records(program, tmp_path, monkeypatch):
    path = tmp_path / "results" / "step_time.jsonl"
    monkeypatch.setattr(program, "RECORDS", path)
    return path


def record(system, ms, backend="jax", **changes):
    return {
        "system": system,
        "backend": backend,
        "dtype_policy": "float32",
        "batch_size": 100,
        "ms_per_step": ms,
        "lower_quartile": ms,
        "upper_quartile": ms,
        "limit_share": 0.5,
        "round": 0,
        "machine": "m",
        **changes,
    }


def test_products_of_a_network_are_those_of_its_gradients(program):
    count = program.arithmetic.network_products
    forward = {(7, 4, 3): 1, (7, 3, 2): 1}
    assert count(7, (4, 3, 2)) == forward
    by_weights = {(4, 7, 3): 1, (3, 7, 2): 1, (7, 2, 3): 1}  # the input has no gradient
    assert count(7, (4, 3, 2), weights=True) == {**forward, **by_weights}
    by_inputs = {(7, 2, 3): 1, (7, 3, 4): 1}
    assert count(7, (4, 3, 2), inputs=True) == {**forward, **by_inputs}


def test_paper_step_makes_seven_billion_operations(program):
    products = program.arithmetic.step_products(
        recipes.get("paper"), 784, 10, batch_size=100, labelled_batch_size=100
    )
    # Half of it, in millions, by 100 rows: encoder 1.804 and decoder 1.804 with their
    # gradients 10.04; draws and codes 12.1; generator 6.9 with the encoder's pass 1.8;
    # classification 4.6.
    assert program.arithmetic.operations(products) == pytest.approx(7.1e9, rel=0.01)


def test_reproduction_makes_half_as_many_operations_again(program):
    count = program.arithmetic.reproduction_products
    products = count(recipes.get("paper"), 784, 10, 100, labelled_batch_size=100)
    # Thousands of weights: trunk 1784, of which 1000 beyond the first layer; heads 10
    # each; decoder 20 + 1784; discriminators 1011 each. Passes of 100 rows:
    reconstruction = 2 * (2 * 1784 + 1000 + 3 * (10 + 10 + 1804))
    discriminators = 2 * (1784 + 20 + 2 * (2 * 1011 + 1001))
    generators = 2 * (2 * 1784 + 1000 + 10 + 3 * (10 + 1011))
    classification = 2 * 1784 + 1000 + 3 * 10
    passes = reconstruction + discriminators + generators + classification
    assert program.arithmetic.operations(products) == 2 * 100 * 1000 * passes


def test_default_step_adds_the_passes_of_its_regularizers(program):
    def count(recipe):
        return program.arithmetic.operations(
            program.arithmetic.step_products(recipe, 784, 10, 250, 100)
        )

    vat = count(recipes.get("default")) - count(recipes.get("without_vat"))
    # Weights in thousands: trunk 772, of which 380 beyond the first layer, y head 2.
    # Two passes forward; back once to the image, once to the weights.
    assert vat == 2 * 250 * 1000 * (2 * (772 + 2) + (772 + 2) + 772 + 380 + 2 * 2)


SYSTEMS = {
    "jax": ["plain loop", "paper", "products of paper"],
    "tensorflow": ["paper", "products of paper"],
    "torch": ["plain loop", "paper", "products of default", "2025 reproduction"],
}[BACKEND]


@pytest.mark.parametrize("system", [*SYSTEMS, "batches"])
def test_every_system_is_measured_in_quartiles(program, policy, system):
    policy("float32")  # as it was, afterwards
    with flagsaver.flagsaver(**SMALL):
        lower, middle, upper = program.measure(system, "float32", 24)
    assert 0 < lower <= middle <= upper


@pytest.mark.skipif(BACKEND == "torch", reason="which makes one step in a call")
def test_several_steps_in_a_call_are_measured_as_steps(program, policy):
    policy("float32")
    with flagsaver.flagsaver(**SMALL, steps_per_execution=2):
        lower, middle, upper = program.measure("paper", "float32", 24)
        assert "steps_per_execution=2" in program.variant()
    assert 0 < lower <= middle <= upper


def test_round_adds_a_record_of_each_combination_once(program, records, capsys):
    settings = {"backends": [BACKEND], "policies": ["float32"], "batch_sizes": ["24"]}
    systems = ["products of paper"]
    for _ in range(2):  # the second time nothing is missing
        with flagsaver.flagsaver(**SMALL, **settings, systems=systems):
            program.main(["step_time"])
    (line,) = records.read_text().splitlines()
    found = json.loads(line)
    assert set(found) == {*record("any", 1.0), "variant"}
    assert found["variant"] == "hidden=5, images=240"
    assert (found["system"], found["backend"]) == ("products of paper", BACKEND)
    assert found["limit_share"] == 1.0  # there is no faster backend
    out = capsys.readouterr().out
    assert "| 24 | products of paper, hidden=5, images=240 |" in out


@pytest.mark.parametrize("precision", ["tf32", "float32"])
def test_precision_of_products_is_a_setting_of_gpus_and_makes_a_variant(
    program, precision, policy
):
    policy("float32")
    with flagsaver.flagsaver(**SMALL, matmul_precision=precision):
        try:
            assert program.measure("products of paper", "float32", 24)
        finally:
            program.arithmetic.set_matmul_precision(BACKEND, "float32")
        assert f"matmul_precision={precision}" in program.variant()
        assert f"--matmul_precision={precision}" in program.settings()


def test_other_settings_are_other_records(program, records):
    kept = record("products of paper", 1.0, BACKEND, batch_size=24)
    kept["machine"] = program.timing.machine()
    records.parent.mkdir()
    records.write_text(json.dumps(kept) + "\n")
    settings = {"backends": [BACKEND], "policies": ["float32"], "batch_sizes": ["24"]}
    with flagsaver.flagsaver(
        **{**SMALL, **settings, "systems": ["products of paper"], "hidden": ["6"]}
    ):
        program.main(["step_time"])
    first, second = map(json.loads, records.read_text().splitlines())
    assert first == kept and second["variant"] == "hidden=6, images=240"


def test_limit_is_that_of_the_fastest_backend_of_the_round(program):
    records = [
        record("products of paper", 10.0, "jax"),
        record("products of paper", 8.0, "torch"),
        record("products of paper", 4.0, "torch", round=1),
        record("products of paper", 2.0, "torch", batch_size=250),
        record("products of default", 1.0, "torch"),
    ]
    key = ("paper", "jax", "float32", 100, 0, "m", "")
    assert program.limit_share(records, key, 16.0) == 0.5


def test_table_has_medians_over_rounds_and_the_reproduction_beside(program):
    rounds = [record("paper", ms, round=i) for i, ms in enumerate((5.0, 4.0, 9.0))]
    text = program.table([*rounds, record("2025 reproduction", 20.0, "torch")])
    (row,) = [line for line in text.splitlines() if "| paper |" in line]
    assert row == "| 100 | paper | jax | float32 | 5 | 5 to 5 | 50 % | 4.00 | 3 | m |"


def test_figure_has_a_panel_for_each_batch_size(program, tmp_path):
    path = tmp_path / "figure.png"
    program.draw([record("paper", 5.0), record("paper", 9.0, batch_size=250)], path)
    assert path.stat().st_size > 1000


def test_unknown_systems_are_refused(program):
    with flagsaver.flagsaver(systems=["papers"]):
        with pytest.raises(SystemExit, match="--systems knows .*Received: papers"):
            program.main(["step_time"])
