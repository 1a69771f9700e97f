"""The table's program: what it runs, what it skips, what it makes of the records."""

import importlib.util
import json
import pathlib

import pytest
from absl.testing import flagsaver

ROOT = pathlib.Path(__file__).parents[2]


@pytest.fixture(scope="module")
def program():
    path = ROOT / "examples" / "reproduce_table2.py"
    spec = importlib.util.spec_from_file_location("reproduce_table2", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.flags.FLAGS.mark_as_parsed()
    return module


def record(recipe, seed, error, labels="100", backend="jax", dataset="mnist"):
    return {
        "dataset": dataset,
        "recipe": recipe,
        "labels": labels,
        "seed": seed,
        "backend": backend,
        "test_error": error,
    }


RECORDS = [
    record("nn", 0, 20.0),
    record("nn", 1, 24.0),
    record("default", 0, 2.0),
    record("default", 1, 4.0),
    record("default", 0, 1.5, labels="1000"),
    record("default", 0, 3.0, backend="torch"),
]


def test_table_shows_mean_deviation_and_number_of_runs(program):
    lines = program.table(RECORDS, "mnist").splitlines()
    assert lines[0] == "| mnist, test error in % | 100 labels | 1000 labels |"
    (ours,) = [x for x in lines if x.startswith("| `default`") and "(jax)" in x]
    assert ours.endswith("| 3.00 ± 1.41 (2) | 1.50 (1) |")
    (other,) = [x for x in lines if x.startswith("| `default`") and "(torch)" in x]
    assert other.endswith("| 3.00 (1) | – |")


def test_table_shows_published_rows_of_mnist_only(program):
    assert "| *published* | 25.80 | 8.73 |" in program.table(RECORDS, "mnist")
    fashion = [{**r, "dataset": "fashion_mnist"} for r in RECORDS]
    assert "published" not in program.table(fashion, "fashion_mnist")


def test_paired_difference_has_the_interval_of_students_t(program):
    # Differences -18 and -20: mean -19, standard error 1, t(0.975, 1) = 12.706.
    assert program.difference({0: 2.0, 1: 4.0}, {0: 20.0, 1: 24.0, 2: 9.0}) == (
        "-19.00 ± 12.71"
    )
    assert program.difference({0: 2.0}, {0: 20.0}) == "-18.00"
    assert program.difference({0: 2.0}, {1: 20.0}) == ""


def test_runs_whose_records_are_there_are_skipped(program, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    flags = {"systems": ["nn", "default"], "labels": ["100"], "seeds": ["0", "1", "2"]}
    with flagsaver.flagsaver(dataset="mnist", **flags):
        assert program.missing_runs(RECORDS) == [
            ("nn", "100", 2),
            ("default", "100", 2),
        ]


@pytest.mark.parametrize(
    ("flags", "message"),
    [({"systems": ["mine"]}, "there is no mine"), ({"labels": ["few"]}, "few")],
)
def test_unknown_systems_and_numbers_are_refused(program, flags, message):
    with flagsaver.flagsaver(**flags), pytest.raises(SystemExit, match=message):
        program.missing_runs([])


def test_ablations_are_default_without_each_ingredient(program):
    with flagsaver.flagsaver(systems=["default", "ablations"]):
        names = program.names_of_systems()
    assert names[0] == "default" and len(names) > 10
    assert all(name.startswith("without_") for name in names[1:])


def test_every_row_has_a_recipe(program):
    from keras_saae import recipes

    for name, system in program.SYSTEMS.items():
        assert system.peer or name in recipes.RECIPES


@pytest.mark.slow
def test_a_run_leaves_a_record_and_the_next_call_has_nothing_to_do(
    program, tmp_path, monkeypatch, capsys
):
    path = tmp_path / "records.jsonl"
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    systems = ["label_spreading", "labels_only"]
    with flagsaver.flagsaver(
        dataset="digits",
        systems=systems,
        labels=["100"],
        seeds=["0"],
        epochs=1,
        records=str(path),
        runs=str(tmp_path / "runs"),
        figure=str(tmp_path / "table.png"),
        jobs=2,
    ):
        program.main([])
        records = [json.loads(line) for line in path.read_text().splitlines()]
        assert program.missing_runs(records) == []
    assert {r["recipe"] for r in records} == set(systems)
    assert all(0 < r["test_error"] < 50 for r in records)
    assert len({r["dataset_sha256"] for r in records}) == 1
    assert (tmp_path / "table.png").stat().st_size > 10_000
    assert "| `label_spreading`" in capsys.readouterr().out
