"""The main example, run as a user runs it.

Results are compared exactly: on one machine and one backend, a run on the CPU repeats
itself to the last bit, without restricting threads.
"""

import csv
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
import zipfile

import keras
import numpy as np
import pytest
import tiny
from absl.testing import flagsaver
from matplotlib import image

from keras_saae import data, phases

ROOT = pathlib.Path(__file__).parents[2]
SCRIPT = ROOT / "examples" / "mnist_semisup.py"
EPOCHS = 6
FLAGS = ("--smoke", f"--epochs={EPOCHS}", "--checkpoint_every=1")
PHASES = ("reconstruction", "discriminator", "generator", "classification")
COSTS = ("train_seconds", "callback_seconds", "peak_memory_mib")
DEADLINE = 900  # seconds; a run takes 20 on an idle machine


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """No data at hand and no network, also on a machine that has both."""
    nothing = str(tmp_path_factory.mktemp("nothing"))
    nowhere = "http://127.0.0.1:9"  # the discard port: nobody answers
    proxies = dict.fromkeys(("http_proxy", "https_proxy", "HTTPS_PROXY"), nowhere)
    python_path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    return {
        **proxies,
        "no_proxy": "",
        "NO_PROXY": "",
        "KERAS_SAAE_DATA": nothing,
        "TFDS_DATA_DIR": nothing,
        "PYTHONPATH": python_path.rstrip(os.pathsep),
        "MPLBACKEND": "Agg",
    }


def start(environment, *arguments):
    return subprocess.Popen(
        [sys.executable, str(SCRIPT), *arguments],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(environment, *arguments):
    process = start(environment, *arguments)
    out, err = process.communicate(timeout=DEADLINE)
    assert process.returncode == 0, err
    return out


def results(folder):
    return json.loads((folder / "results.json").read_text())


def figures_of(folder):
    """What a run found out, without what it cost."""
    return {k: v for k, v in results(folder).items() if k not in COSTS}


def history(folder):
    with open(folder / "history.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    return [{k: float(v) for k, v in row.items() if k != "seconds"} for row in rows]


# A run from beginning to end, on the digits because nothing else can be had


@pytest.fixture(scope="module")
def unbroken(environment, tmp_path_factory):
    """The output folder and the printed lines of an undisturbed run."""
    folder = tmp_path_factory.mktemp("unbroken") / "run"
    printed = run(environment, "--dataset=auto", *FLAGS, f"--output_dir={folder}")
    return folder, printed


@pytest.mark.slow
def test_results_hold_every_field(unbroken):
    found = results(unbroken[0])
    digits = data.load("digits")
    expected = {
        "dataset": "digits",
        "dataset_sha256": digits.sha256,
        "labels": "100",
        "seed": 0,
        "backend": keras.backend.backend(),
        "dtype_policy": "float32",
        "recipe": "default_small",
        "epochs": EPOCHS,
        "updates": EPOCHS * 6,  # 560 images in batches of 100
        "validation": 140,
        "keras_version": keras.__version__,
    }
    assert {key: found[key] for key in expected} == expected
    assert found["settings"]["optimizers"].keys() == set(PHASES)
    assert found["train_seconds"] > 0 and found["callback_seconds"] > 0
    assert found["peak_memory_mib"] > 10
    for error in ("validation_error", "test_error", "labels_only_test_error"):
        assert 0 <= found[error] < 60, error  # guessing would be 90


@pytest.mark.slow
def test_run_says_at_both_ends_that_it_is_not_mnist(unbroken):
    lines = unbroken[1].strip().splitlines()
    assert "MNIST IS NOT AT HAND" in lines[1]
    errors = results(unbroken[0])
    assert lines[-2] == (
        f"test error with 100 labels only: {errors['labels_only_test_error']:.2f} %"
    )
    assert lines[-1] == (
        "test error with the 560 unlabelled images too: "
        f"{errors['test_error']:.2f} % (DIGITS, not MNIST)"
    )


@pytest.mark.slow
def test_run_shows_its_recipe_a_progress_bar_and_a_line_per_epoch(unbroken):
    printed = unbroken[1]
    assert "Recipe 'default_small'" in printed
    assert f"Epoch {EPOCHS}/{EPOCHS}" in printed
    assert f"epoch {EPOCHS}/{EPOCHS} | reconstruction" in printed


@pytest.mark.slow
def test_saved_model_has_the_reported_test_error(unbroken):
    folder, _ = unbroken
    model = keras.saving.load_model(folder / "model.keras")
    digits = data.load("digits")
    seen = np.linspace(0, len(digits.x_test) - 1, 200, dtype=int)  # by --smoke
    x, y = digits.x_test[seen], digits.y_test[seen]
    error = 100 * np.mean(model.predict(x, verbose=0).argmax(axis=-1) != y)
    assert results(folder)["test_error"] == pytest.approx(error)


@pytest.mark.slow
def test_history_has_a_row_per_epoch_that_ends_in_the_validation_error(unbroken):
    rows = history(unbroken[0])
    assert [row["epoch"] for row in rows] == list(range(1, EPOCHS + 1))
    for key in ("loss", *PHASES, "discriminator_accuracy", "val_loss", "val_error"):
        assert np.isfinite([row[key] for row in rows]).all(), key
    assert rows[-1]["val_error"] == results(unbroken[0])["validation_error"]


@pytest.mark.slow
def test_all_figures_are_drawn(unbroken):
    folder = unbroken[0] / "figures"
    names = {path.stem for path in folder.iterdir()}
    assert names >= {
        "learning_curves",
        "reconstructions",
        "class_style_grid",
        "style_sweep",
        "style_histogram",
        "confidence",
        "predicted_columns",
        f"samples_{EPOCHS:04d}",
    }
    for path in folder.iterdir():
        picture = image.imread(path)
        assert picture.min() < picture.max(), path.name


# Runs that are killed


@pytest.fixture(scope="module")
def killed_and_resumed(environment, tmp_path_factory):
    """The folder of a run killed in the middle, resumed; and the epochs it had done."""
    folder = tmp_path_factory.mktemp("killed") / "run"
    arguments = ("--dataset=digits", *FLAGS, f"--output_dir={folder}")
    process = start(environment, *arguments)
    checkpoint = folder / "checkpoint.keras"
    give_up = time.monotonic() + DEADLINE
    while not checkpoint.exists() and time.monotonic() < give_up:
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    with zipfile.ZipFile(checkpoint) as archive:
        done = json.loads(archive.read("run.json"))["epochs"]
    assert not (folder / "results.json").exists()
    printed = run(environment, *arguments, "--resume")
    assert f"Resuming after epoch {done}." in printed
    return folder, done


@pytest.mark.slow
def test_killed_run_resumes_to_the_results_of_an_unbroken_run(
    unbroken, killed_and_resumed
):
    folder, done = killed_and_resumed
    assert 1 <= done < EPOCHS
    assert figures_of(folder) == figures_of(unbroken[0])
    assert history(folder) == history(unbroken[0])


@pytest.mark.slow
def test_run_killed_after_its_last_checkpoint_still_ends_with_its_results(
    environment, unbroken, killed_and_resumed
):
    folder, _ = killed_and_resumed
    for name in ("results.json", "model.keras", "history.csv"):
        (folder / name).unlink()
    arguments = ("--dataset=digits", *FLAGS, f"--output_dir={folder}")
    printed = run(environment, *arguments, "--resume")
    assert f"Resuming after epoch {EPOCHS}." in printed
    assert figures_of(folder) == figures_of(unbroken[0])
    assert history(folder) == history(unbroken[0])
    assert (folder / "model.keras").exists()


# What is refused before training, with a message instead of a traceback


@pytest.fixture(scope="module")
def example():
    """The script as a module."""
    with tiny.program("examples/mnist_semisup.py") as module:
        yield module


@pytest.mark.parametrize(
    ("epochs", "images_per_epoch", "num_validation", "validated"),
    [
        (3, 50_000, 10_000, [1, 2, 3]),
        (8, 4_000, 10_000, [3, 6, 8]),
        (250, 100, 10_000, [100, 200, 250]),
        (2, 100, 0, [1, 2]),
    ],
)
def test_validation_scores_no_more_images_than_training_sees_and_the_last_model(
    example, epochs, images_per_epoch, num_validation, validated
):
    assert validated == example.epochs_to_validate(
        epochs, images_per_epoch, num_validation
    )


@pytest.fixture
def refusal(example, environment, monkeypatch, tmp_path):
    """Runs the example until it ends in a message: `refusal(labels="abc")`."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    def train(*args, **kwargs):
        raise AssertionError("training has started")

    monkeypatch.setattr(phases.PhasedModel, "fit", train)
    monkeypatch.chdir(tmp_path)

    def end(**values):
        values = {"dataset": "digits", "output_dir": "run", **values}
        with flagsaver.flagsaver(**values), pytest.raises(SystemExit) as ending:
            example.main(["mnist_semisup"])
        assert isinstance(ending.value.code, str)  # printed on stderr, exit code 1
        return ending.value.code

    return end


def begin(example, **values):
    """Leaves the folder that a run leaves that is stopped as training begins."""
    values = {"dataset": "digits", "output_dir": "run", **values}
    with flagsaver.flagsaver(**values), pytest.raises(AssertionError, match="training"):
        example.main(["mnist_semisup"])


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"labels": "abc"}, "--labels is a number from 1 up, or 'all'. Received: abc"),
        ({"labels": "0"}, "--labels is a number from 1 up, or 'all'. Received: 0"),
        ({"labels": "5000"}, "`labels=5000` is too many for a class-balanced set"),
        ({"recipe": "papper"}, "Received: 'papper'. Did you mean 'paper'?"),
        ({"recipe": "clustering"}, "--recipe=clustering is of another model of the"),
        ({"validation": 9999}, "`validation=9999` leaves none of the 1500 images"),
        ({"batch_size": 9999}, "`batch_size=9999` is larger than the data"),
        ({"dataset": "mnist"}, "'mnist' is not here and https://"),
        ({"dtype_policy": "mixed_float16"}, "wrap the phases' optimizers in one Loss"),
        ({"dtype_policy": "float8"}, "must be float32 or mixed_bfloat16. Received"),
    ],
)
def test_bad_flag_ends_in_one_message_before_training(refusal, values, message):
    found = refusal(**values)
    assert message in found
    assert "\n" not in found
    assert not pathlib.Path("run").exists()


@pytest.mark.parametrize("output_dir", ["file", "file/run"])
def test_output_folder_that_cannot_be_written_is_known_before_training(
    refusal, output_dir
):
    pathlib.Path("file").touch()
    found = refusal(output_dir=output_dir)
    assert found.startswith(f"--output_dir={output_dir} cannot be written")


def test_truncated_data_file_is_named(refusal, tmp_path):
    with open(tmp_path / "mnist.npz", "wb") as file:
        np.savez(file, x_train=np.zeros((20, 28, 28), "uint8"))
        file.truncate(200)
    found = refusal(dataset="mnist", data_dir=str(tmp_path))
    assert found.startswith(f"{tmp_path / 'mnist.npz'} cannot be read: it is truncated")


def test_folder_of_another_run_is_not_written_over(refusal):
    pathlib.Path("run").mkdir()
    pathlib.Path("run/checkpoint.keras").touch()
    assert "There is a run in run already. Go on with it by --resume" in refusal()


@pytest.mark.parametrize(
    ("values", "changed"),
    [
        ({"seed": 1}, "but seed changed"),
        (
            {"labels": "200", "epochs": 3},
            "but labels, settings, epochs, updates changed",
        ),
        ({"batch_size": 50}, "but settings, updates changed"),
    ],
)
def test_resuming_with_other_flags_is_refused(example, refusal, values, changed):
    run_of_the_past = {"smoke": True, "epochs": 2}
    begin(example, **run_of_the_past)
    found = refusal(resume=True, **{**run_of_the_past, **values})
    assert f"--resume continues the same run, {changed}" in found


def test_damaged_checkpoint_is_named(example, refusal):
    begin(example)
    pathlib.Path("run/checkpoint.keras").write_bytes(b"half a file")
    found = refusal(resume=True)
    assert found.startswith("run/checkpoint.keras is not a checkpoint")


def test_digits_are_chosen_without_a_network(example, environment, monkeypatch, capsys):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with flagsaver.flagsaver(dataset="auto"):
        assert example.choose_dataset(data) == "digits"
    assert "USING THE DIGITS" in capsys.readouterr().out


def test_mnist_is_chosen_where_its_file_is(example, tmp_path, capsys):
    (tmp_path / "mnist.npz").touch()
    with flagsaver.flagsaver(dataset="auto", data_dir=str(tmp_path)):
        assert example.choose_dataset(data) == "mnist"
    assert capsys.readouterr().out == ""


@pytest.mark.slow
def test_refusal_leaves_exit_code_one_and_no_traceback(environment, tmp_path):
    process = start(environment, "--dataset=mnist", f"--output_dir={tmp_path / 'run'}")
    out, err = process.communicate(timeout=DEADLINE)
    assert process.returncode == 1
    assert err.strip().splitlines()[-1].startswith("Data set 'mnist' is not here")
    assert "Traceback" not in err
    assert not (tmp_path / "run").exists()
