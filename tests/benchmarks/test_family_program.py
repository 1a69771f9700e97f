"""The program that runs the family's examples over seeds: its rows, records, table."""

import json
import subprocess

import keras
import pytest
import tiny
from absl.testing import flagsaver

BACKEND = keras.backend.backend()


@pytest.fixture
def program():
    with tiny.program("benchmarks/family.py") as module:
        yield module


def record(seed, error, **changes):
    return {
        "row": "m1_m2_100",
        "dataset": "mnist",
        "seed": seed,
        "backend": BACKEND,
        "recipe": "m1_m2",
        "train_seconds": 90.0,
        "metric": "something_else",
        "test_error": error,
        **changes,
    }


def test_table_has_mean_deviation_and_number_of_runs(program):
    rows = program.TABLES["variational"]
    found = [record(1, 3.0), record(0, 5.0), record(0, 9.0, dataset="digits")]
    text = program.table(found, rows, "mnist")
    assert text.splitlines()[2:] == [
        "| `m1_m2_100` | M1+M2, 100 labels, error in % | 3.33 ± 0.14 (2.80) | ≤ 5.0 "
        f"| ≤ 2.80 | 4.00 ± 1.41 (2) | `m1_m2` | – | {BACKEND} | 0, 1 | 1.5 |"
    ]
    assert "| – | – | – | 9.00 (1) |" in program.table(found, rows, "digits")


def test_each_number_of_a_row_has_a_line_of_its_own(program):
    found = [record(0, 0.0, row="supervised", class_fidelity=99.0, style_leakage=12.0)]
    lines = program.table(found, program.TABLES["family"], "mnist").splitlines()[2:]
    assert [(line.split(" | ")[1], line.split(" | ")[5]) for line in lines] == [
        ("class fidelity, %", "99.00 (1)"),
        ("style leakage, %", "12.00 (1)"),
    ]


def test_small_numbers_have_more_decimals(program):
    found = [record(0, 0.0, row="loss_hinge", latent_mmd=0.00314)]
    lines = program.table(found, program.TABLES["family"], "mnist").splitlines()[2:]
    assert lines[0].split(" | ")[5] == "0.0031 (1)"


def test_a_number_that_a_run_lacks_is_left_out(program):
    sizes = {"class_kept": 90.0, "relative_sharpness": None}  # nothing was sharp
    found = [record(0, 0.0, row="two_steps_2_0_0", **sizes)]
    lines = program.table(found, program.TABLES["two_steps"], "mnist").splitlines()
    assert [line.split(" | ")[5] for line in lines[2:]] == ["90.00 (1)", "–"]


def test_two_step_rows_stand_side_by_side_over_beta(program):
    def run(row, kept, sharpness, seed=0, **changes):
        sizes = {"class_kept": kept, "relative_sharpness": sharpness}
        return record(seed, 0.0, row=row, **sizes, **changes)

    found = [
        run("two_steps_2_0_0.1", 92.0, 0.5),
        run("two_steps_2_0_0.1", 94.0, 0.7, seed=1),
        run("two_steps_2_0.1_0.1", 80.0, None),  # nothing was sharp
        run("two_steps_100_0.1_0", 99.96, 1.0, dataset="omniglot"),
        record(0, 3.0),  # of another model
    ]
    assert program.table_over_beta(found).splitlines()[2:] == [
        "| mnist | 2 | 0.1 | 93.0 ± 1.4 (2), 0.60 | – | – | – | – | – |",
        "| omniglot | 100 | 0 | – | – | – | – | – | 100.0, 1.00 |",
    ]
    assert len(program.table_over_beta(found, ["100"]).splitlines()) == 3


def test_attacks_stand_side_by_side_over_epsilon(program):
    def run(seed, *attacks, **changes):
        names = ("attack", "epsilon", "undetected", "rejected")
        rows = [dict(zip(names, attack)) for attack in attacks]
        return record(seed, 0.0, row="attacks", attacks=rows, **changes)

    found = [
        run(0, ("fgsm", 0.05, 1.0, 2.0), ("fgsm", 0.3, 4.0, 90.0)),
        run(1, ("fgsm", 0.3, 5.0, 91.0), ("pgd", 0.3, 0.0, 100.0)),
        run(0, ("pgd", 0.1, 7.0, 7.0), dataset="digits"),
    ]
    assert program.table_of_attacks(found).splitlines()[2:] == [
        "| fgsm | 1.0, 2.0 | 4.5, 90.5 |",
        "| pgd | – | 0.0, 100.0 |",
    ]


def test_row_names_the_invariances_of_either_step(program):
    first = {"settings": {"augmentation": {"rotation": 10.0}, "vat_weight": 0.0}}
    second = {"augmentation": None, "vat_weight": 1.0}
    two_steps = record(0, 3.0, settings=second, first_step=first)
    assert program.invariances(two_steps) == ["augmentation", "VAT"]
    assert program.invariances(record(0, 3.0)) == []


@pytest.mark.parametrize("table", ["family", "variational", "two_steps"])
def test_readme_shows_what_the_records_say(program, table, shows):
    records = program.timing.read_records(program.records_of(table))
    if table == "two_steps":
        expected = program.table_over_beta(records, ["100"])
    else:
        expected = program.table(records, program.TABLES[table], "mnist")
    shows("README.md", table, expected)


@pytest.mark.parametrize("block", ["two steps", "attacks", "sub-classes"])
def test_docs_show_what_the_records_say(program, block, shows):
    records = program.timing.read_records(program.records_of("variational"))
    expected = {
        "two steps": program.table_over_beta(records),
        "attacks": program.table_of_attacks(records),
        "sub-classes": program.table(records, program.TABLES["variational"], "cifar10"),
    }
    shows("docs/variational.md", block, expected[block])


@pytest.mark.parametrize("table", ["family", "variational", "two_steps"])
def test_every_row_is_of_an_example_with_those_flags(table):
    with tiny.program("benchmarks/family.py") as module:
        rows = module.TABLES[table]
    for name, row in rows.items():
        with tiny.program(f"examples/{row.example}.py"):
            values = dict(flag.split("=") for flag in row.flags)
            with flagsaver.as_parsed(**values):
                assert row.numbers, name


@pytest.mark.parametrize(
    "row", ["clustering_10", "clustering_16", "clustering_30", "paper_clustering_16"]
)
def test_row_of_clusters_trains_as_many_as_its_name_says(program, row):
    clusters = row.split("_")[-1]
    assert f"clusters={clusters}" in program.TABLES["family"][row].flags


def test_run_becomes_a_record_and_is_not_made_again(
    program, tmp_path, monkeypatch, capsys
):
    made = []

    def run(row, key):
        made.append((row.example, key["seed"]))
        return record(key["seed"], 4.0)

    monkeypatch.setattr(program, "run", run)
    monkeypatch.setattr(program.machine, "commit", lambda: "1a2b3c")
    monkeypatch.setattr(program, "RESULTS", tmp_path)
    monkeypatch.setenv("KERAS_BACKEND", BACKEND)
    for _ in range(2):
        asked = {"table": "variational", "rows": ["m1_m2_100"], "seeds": ["0", "1"]}
        with flagsaver.flagsaver(**asked):
            program.main(["family"])
    assert made == [("m1_m2", 0), ("m1_m2", 1)]
    lines = (tmp_path / "variational.jsonl").read_text().splitlines()
    assert [json.loads(line)["seed"] for line in lines] == [0, 1]
    for line in map(json.loads, lines):
        assert (line["metric"], line["value"]) == ("test_error", 4.0)
        assert line["commit"] == "1a2b3c"
    printed = capsys.readouterr().out
    assert "4.00 ± 0.00 (2)" in printed
    assert "2 runs are in variational.jsonl: take a line out" in printed


def test_commit_has_a_plus_once_code_has_changed_but_not_results(
    program, tmp_path, monkeypatch
):
    def git(*arguments):
        name = ("-c", "user.name=a", "-c", "user.email=a@b.c")
        subprocess.run(["git", *name, *arguments], cwd=tmp_path, check=True)

    monkeypatch.setattr(program.machine, "ROOT", tmp_path)
    assert program.machine.commit() is None  # no repository
    (tmp_path / "examples").mkdir()
    (tmp_path / "examples" / "one.py").write_text("")
    (tmp_path / "results.jsonl").write_text("")
    git("init", "-q")
    git("add", "-A")
    git("commit", "-qm", "Begin")
    (tmp_path / "results.jsonl").write_text("{}")
    assert "+" not in program.machine.commit()
    (tmp_path / "examples" / "one.py").write_text("1")
    assert program.machine.commit().endswith("+")


def test_unknown_row_is_refused_with_the_known_ones(program):
    with flagsaver.flagsaver(rows=["clusterin"]):
        with pytest.raises(
            SystemExit, match="there is no clusterin, but prior_mixture"
        ):
            program.main(["family"])


def test_run_that_fails_is_named(program, tmp_path, monkeypatch):
    monkeypatch.setattr(program, "run", lambda row, key: None)
    monkeypatch.setattr(program, "RESULTS", tmp_path)
    with flagsaver.flagsaver(rows=["supervised"], seeds=["3"]):
        with pytest.raises(SystemExit, match="1 runs failed: supervised, seed 3"):
            program.main(["family"])


def test_two_step_rows_without_a_name_are_those_of_the_table(program):
    assert len(program.rows_on("two_steps", "cifar10")) == 2
    on_mnist = program.rows_on("two_steps", "mnist")
    assert len(on_mnist) == 20  # five betas, two gammas, two widths
    assert not any("0.0075" in name for name in on_mnist)
    assert set(on_mnist) < set(program.TABLES["two_steps"])


def test_second_steps_take_the_first_step_of_the_row_without_terms(
    program, tmp_path, monkeypatch
):
    commands = []

    def as_if_run(command, **_):
        commands.append(command)
        return subprocess.CompletedProcess(command, returncode=1)

    monkeypatch.setattr(program.subprocess, "run", as_if_run)
    rows = program.TABLES["two_steps"]
    plain, both = "two_steps_2_0_0", "two_steps_2_0.1_0.1"
    with flagsaver.flagsaver(runs=str(tmp_path)):
        keys = {
            name: {"row": name, "dataset": "mnist", "seed": 0, "backend": "jax"}
            for name in (plain, both)
        }
        folder = program.folder_of(keys[plain])
        program.run(rows[both], keys[both])  # nothing there to take
        program.run(rows[plain], keys[plain])
        (folder / "results.json").write_text("{}")
        program.run(rows[both], keys[both])
    of_first_step = [[a for a in c if "--first_step" in a] for c in commands]
    assert of_first_step == [[], [], [f"--first_step={folder}"]]
