"""The table's program: what it runs, what it skips, what it makes of the records."""

import json
import pathlib
import re

import pytest
import tiny
from absl.testing import flagsaver

from keras_saae import recipes

ROOT = pathlib.Path(__file__).parents[2]


@pytest.fixture(scope="module")
def program():
    with tiny.program("examples/reproduce_table2.py") as module:
        yield module


def record(recipe, seed, error, labels="100", backend="jax", alone=20.0, bits="32"):
    return {
        "dtype_policy": {"32": "float32", "16": "mixed_bfloat16"}[bits],
        "dataset": "mnist",
        "recipe": recipe,
        "labels": labels,
        "seed": seed,
        "backend": backend,
        "test_error": error,
        "labels_only_test_error": alone,
        "train_seconds": 90.0,
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


def test_bfloat16_has_rows_of_its_own(program):
    records = [*RECORDS, record("default", 0, 2.5, bits="16")]
    assert (
        "`default`: ours, pixels in any order (jax, mixed_bfloat16) | 2.50 (1) |"
        in (program.table(records, "mnist"))
    )
    assert "| default | jax, mixed_bfloat16 | 0 | 2.50 (1) |" in program.summary(
        records
    )
    (run,) = asked(program, [])
    with flagsaver.flagsaver(dtype_policy="mixed_bfloat16"):
        (other,) = asked(program, [run.identity])
        assert other.identity["dtype_policy"] == "mixed_bfloat16"
        assert asked(program, [other.identity]) == []


def asked(program, records):
    """What is missing of one run of the digits."""
    one = {"systems": ["labels_only"], "labels": ["100"], "seeds": ["0"]}
    with flagsaver.flagsaver(dataset="digits", **one):
        return program.missing_runs(records)


def test_table_shows_published_rows_of_mnist_only(program):
    assert "| *published* | 25.80 | 8.73 |" in program.table(RECORDS, "mnist")
    fashion = [{**record, "dataset": "fashion_mnist"} for record in RECORDS]
    assert "published" not in program.table(fashion, "fashion_mnist")


def test_what_was_wanted_is_below_the_last_row_of_its_recipe(program):
    records = [{**RECORDS[0], "recipe": "augmented", "labels": c} for c in ("50", "7")]
    lines = program.table(records, "mnist").splitlines()
    assert lines[-1] == "| *must, aim* | – | ≤ 2.00, ≤ 1.00 |"


def test_paired_difference_has_the_interval_of_students_t(program):
    # Differences -18 and -20: mean -19, standard error 1, t(0.975, 1) = 12.706.
    assert program.difference({0: 2.0, 1: 4.0}, {0: 20.0, 1: 24.0, 2: 9.0}) == (
        "-19.00 ± 12.71"
    )
    assert program.difference({0: 2.0}, {0: 20.0}) == "-18.00"
    assert program.difference({0: 2.0}, {1: 20.0}) == ""


def test_a_row_without_the_baseline_is_set_against_its_own_labels_alone(program):
    records = [record("default", 0, 2.0, alone=20.0), record("default", 1, 4.0)]
    lines = program.table(records, "mnist").splitlines()
    assert lines[3].startswith("| minus labels alone | -17.00 ± ")
    records = [{**each, "labels_only_test_error": None} for each in records]
    assert "minus" not in program.table(records, "mnist")


def test_what_others_report_is_shown_without_a_run_of_ours(program):
    records = [*RECORDS, record("default", 0, 1.0, labels="3000")]
    title = "*the 2019 classifier, on images held out* (`classifier2019`: not run)"
    lines = program.table(records, "mnist").splitlines()
    assert f"| {title} | – | – | 3.00 |" in lines
    assert "classifier2019" not in program.table(RECORDS, "mnist")


def test_program_without_smoke_runs_starts(program, monkeypatch):
    started = []
    monkeypatch.setattr(program.common.app, "run", lambda run: run(["the program"]))
    program.common.start(started.append)
    assert started == [["the program"]]


def test_dry_run_lists_what_is_missing_and_its_time(program, tmp_path, capsys):
    path = tmp_path / "records.jsonl"
    peer = {**record("self_training", 5, 9.0), "dataset": "digits"}
    path.write_text(json.dumps(peer) + "\n")
    asked = {
        "systems": ["labels_only", "self_training", "label_spreading"],
        **{"labels": ["100"], "seeds": ["0"], "dataset": "digits"},
    }
    with flagsaver.flagsaver(dry_run=True, records=str(path), **asked):
        program.main(["reproduce_table2"])
    first, second, third, last = capsys.readouterr().out.splitlines()
    assert first.startswith("labels_only, 100 labels, seed 0: ")
    assert float(first.split(": ")[1].removesuffix(" minutes")) >= 0
    assert second == "self_training, 100 labels, seed 0: 1.5 minutes"
    assert third.endswith("not known, no run of it is recorded")
    assert re.match(r"3 runs, about \d+\.\d hours ", last)
    assert len(path.read_text().splitlines()) == 1  # nothing was run


def test_summary_shows_median_worst_and_minutes(program):
    peer = record("label_spreading", 0, 20.0, backend="scikit-learn", alone=None)
    lines = program.summary([*RECORDS, peer]).splitlines()
    assert (
        "| mnist, 100 | default | jax | 0, 1 | 3.00 ± 1.41 (2) | 3.00, 4.00 "
        "| 20.00 ± 0.00 (2) | 1.5 |"
    ) in lines
    (line,) = [line for line in lines if "label_spreading" in line]
    assert line.endswith("| 20.00 (1) | 20.00, 20.00 | – | 1.5 |")


@pytest.mark.parametrize(
    ("block", "file", "baseline"),
    [("results", "table2", "nn"), ("ablation", "ablation", "default")],
)
def test_readme_shows_what_the_records_say(program, block, file, baseline, shows):
    records = program.read(ROOT / "benchmarks" / "results" / f"{file}.jsonl")
    with flagsaver.flagsaver(baseline=baseline):
        shows("README.md", block, program.report(records))


@pytest.mark.parametrize("file", ["table2", "ablation"])
def test_records_are_of_the_settings_that_the_recipes_have_now(program, file):
    for record in program.read(ROOT / "benchmarks" / "results" / f"{file}.jsonl"):
        if program.system_of(record["recipe"]).peer:
            continue
        recipe = recipes.get(record["recipe"]).of_length(record["updates"])
        settings = json.loads(json.dumps(recipe.settings()))
        found = {**program.later_settings(recipe.name), **record["settings"]}
        of_record = json.loads(json.dumps(found))
        del settings["source"], of_record["source"]  # may be told in other words
        assert of_record == settings, record["recipe"]


def test_only_records_of_the_very_run_let_it_be_skipped(program):
    asked = {"systems": ["labels_only"], "labels": ["100"], "seeds": ["0", "0", "1"]}
    with flagsaver.flagsaver(dataset="digits", **asked):
        first, second = program.missing_runs([])
        assert (first.seed, second.seed) == (0, 1)
        settings = first.identity["settings"]
        assert settings["updates"] >= 1000
        for change in (
            {"epochs": 1},
            {"backend": "other"},
            {"settings": {**settings, "hidden": [7]}},
        ):
            other = {**first.identity, **change}
            assert program.missing_runs([other]) == [first, second]
        assert program.missing_runs([first.identity]) == [second]
        retold = {**settings, "source": "The same, in other words."}
        assert program.missing_runs([{**first.identity, "settings": retold}]) == [
            second
        ]
        older = {k: v for k, v in settings.items() if k != "augmentation"}
        assert program.missing_runs([{**first.identity, "settings": older}]) == [second]


def test_a_run_that_another_process_makes_is_left_to_it(program, tmp_path):
    with program.locked(tmp_path / "lock"):
        with pytest.raises(RuntimeError, match="another process"):
            with program.locked(tmp_path / "lock"):
                pass
    with program.locked(tmp_path / "lock"):
        pass


def test_the_digits_have_a_default_of_their_own(program):
    with flagsaver.flagsaver(dataset="digits", systems=["default", "nn"]):
        assert program.names_of_systems() == ["default_small", "nn"]
    with flagsaver.flagsaver(dataset="digits", systems=["ablations"]):
        with pytest.raises(SystemExit, match="made for MNIST"):
            program.names_of_systems()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"systems": ["mine"]}, "there is no mine"),
        ({"labels": ["few"]}, "few"),
        ({"seeds": ["all"]}, "seeds are numbers: all"),
        ({"labels": ["5000"]}, "5,?000"),
    ],
)
def test_unknown_systems_and_numbers_are_refused(program, values, message):
    values = {"dataset": "digits", "systems": ["nn"], **values}
    with flagsaver.flagsaver(**values), pytest.raises(SystemExit, match=message):
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


def test_a_run_that_fails_is_named_and_the_others_go_on(program, tmp_path, capsys):
    path = tmp_path / "records.jsonl"
    with flagsaver.flagsaver(
        dataset="digits",
        systems=["label_spreading"],
        labels=["100", "5000"],  # there are not so many
        seeds=["0"],
        records=str(path),
    ):
        with pytest.raises(SystemExit, match="1 runs failed: .*5000 labels"):
            program.main([])
    assert len(path.read_text().splitlines()) == 1
    assert "median" in capsys.readouterr().out


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
