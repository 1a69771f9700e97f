"""The program that scores generators: what it keeps, what it skips, its table."""

import dataclasses
import json
import pathlib

import pytest
import tiny
from absl.testing import flagsaver

from keras_saae import data, recipes

ROOT = pathlib.Path(__file__).parents[2]


@pytest.fixture(scope="module")
def program():
    with tiny.program("benchmarks/generation.py") as module:
        yield module


def record(seed, fidelity, labels="100"):
    return {
        **{"dataset": "mnist", "recipe": "default", "backend": "jax"},
        **{"dtype_policy": "float32", "class_shares": [0.4, 0.6 - seed / 10]},
        **{"labels": labels, "updates": 10, "seed": seed, "class_fidelity": fidelity},
        **{"style_leakage": 30.0, "style_variety": 0.9, "latent_mmd": 0.01},
    }


def test_table_has_a_row_for_each_recipe_and_number_of_labels(program):
    records = [record(0, 97.0), record(1, 99.0), record(0, 95.0, labels="1000")]
    assert program.table(records).splitlines()[3:] == [
        "| mnist, 100 | default | jax | 0, 1 | 98.00 ± 1.41 | 30.0 ± 0.0 | 0.90 ± 0.00 "
        "| 0.0100 ± 0.0000 | 40.0 to 60.0 |",
        "| mnist, 1000 | default | jax | 0 | 95.00 | 30.0 | 0.90 | 0.0100 "
        "| 40.0 to 60.0 |",
    ]


def test_table_names_another_dtype_policy(program):
    found = {**record(0, 97.0), "dtype_policy": "mixed_bfloat16"}
    line = program.table([found]).splitlines()[-1]
    assert line.startswith("| mnist, 100 | default | jax, mixed_bfloat16 | 0 | 97.00")


def test_a_path_without_a_finished_run_ends_in_one_message(program, tmp_path):
    (tmp_path / "model.keras").touch()
    for path in (tmp_path / "model.keras", "runs/*/model.keras"):
        with pytest.raises(SystemExit, match="there is no finished run"):
            program.main(["generation", str(path)])


def test_readme_shows_what_the_records_say(program, shows):
    shows("README.md", "generation", program.table(program.read()))


def test_a_record_takes_the_place_of_an_earlier_one_of_its_run(
    program, tmp_path, monkeypatch
):
    monkeypatch.setattr(program, "RECORDS", tmp_path / "results" / "generation.jsonl")
    for each in (record(0, 1.0), record(1, 2.0), record(0, 3.0)):
        program.keep(each)
    assert program.read() == [record(0, 3.0), record(1, 2.0)]


@pytest.mark.slow
def test_models_of_digits_are_scored_and_baselines_skipped(
    program, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(program, "RECORDS", tmp_path / "generation.jsonl")
    images = data.load("digits")
    split = data.split_labels(images.y_train, labels=100, seed=0)
    x, y = images.x_train[split.train], split.mask_labels(images.y_train)
    paths = []
    for name in ("default_small", "labels_only"):
        recipe = dataclasses.replace(recipes.get(name), hidden=(20,))
        dataset = recipe.dataset(x, y)
        model = recipe.model(dataset, epochs=1)
        model.fit(dataset, epochs=1, verbose=0)
        run = {"dataset": "digits", "recipe": name, "labels": "100", "seed": 0}
        run.update(backend="any", dtype_policy="float32", updates=len(dataset))
        run["test_error"] = 50.0
        folder = tmp_path / name
        folder.mkdir()
        model.save(folder / "model.keras")
        (folder / "results.json").write_text(json.dumps(run))
        paths.append(str(folder / "model.keras"))
    judge = str(tmp_path / "judge.keras")
    flags = {"dataset": "digits", "judge": judge, "judge_updates": 20}
    with flagsaver.flagsaver(max_error=0.0, **flags):
        with pytest.raises(SystemExit, match="Raise --judge_updates"):
            program.main(["generation", *paths])
    with flagsaver.flagsaver(max_error=100.0, figures=str(tmp_path / "f"), **flags):
        program.main(["generation", *paths])
    (kept,) = program.read()
    assert kept["recipe"] == "default_small"
    assert 0 <= kept["class_fidelity"] <= 100 and 10 <= kept["style_leakage"] <= 100
    assert sum(kept["class_shares"]) == pytest.approx(1, abs=1e-3)
    assert "labels_only draws no images, skipped" in capsys.readouterr().out
    drawn = {path.name for path in (tmp_path / "f").iterdir()}
    names = ("grid", "walks", "reconstructions")
    assert drawn == {f"default_small_{name}.png" for name in names}
