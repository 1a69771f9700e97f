"""The examples of the family on a few digits.

They run in the tests' own process, which has Keras and the rest imported; one of them
also runs as a user runs it.
"""

import dataclasses
import json
import os
import pathlib
import subprocess
import sys
import time

import keras
import numpy as np
import pytest
import tiny
from absl import flags
from absl.testing import flagsaver
from matplotlib import image

from keras_saae import data

ROOT = pathlib.Path(__file__).parents[2]
DEADLINE = 900  # seconds; a run takes 15 on an idle machine

# By example: flags, scores, figures.
EXAMPLES = {
    "priors": (
        (
            "--prior=swiss_roll",
            "--posterior=universal",
            "--discriminator_loss=wasserstein",
        ),
        {"latent_mmd", "test_half_squared_error"},
        {"codes", "plane"},
    ),
    "likelihood": (
        ("--samples=100",),
        {"log_likelihood", "standard_error", "training_images_log_likelihood"},
        {"samples"},
    ),
    "likelihood alone": (
        ("--samples=100", "--recipe=likelihood"),
        {"log_likelihood"},
        {"samples"},
    ),
    "label_informed": (("--labels=all",), {"own_mode_share"}, {"codes", "samples"}),
    "supervised_style": (
        (),
        {"class_fidelity", "style_leakage", "judge_test_error"},
        {"styles"},
    ),
    "clustering": (
        ("--clusters=12",),
        {
            "paper_error",
            "majority_error",
            "one_to_one_accuracy",
            "normalized_mutual_information",
            "adjusted_rand_index",
        },
        {"clusters"},
    ),
    "dimensionality_reduction": (
        ("--labels=50", "--dimensions=3"),
        {"test_error"},
        {"planes"},
    ),
    "dimensionality_reduction unlabelled": (
        ("--labels=0",),
        {"test_error"},
        {"planes"},
    ),
    "m1_m2": (
        ("--labels=50",),
        {
            "test_error",
            "nearest_neighbour_error",
            "linear_svm_error",
            "label_spreading_error",
        },
        {"class_style_grid"},
    ),
    "m1_m2 m1": (
        ("--labels=50", "--model=m1"),
        {
            *("nearest_neighbour_error", "linear_svm_error", "label_spreading_error"),
            *("chosen_classifier", "chosen_error"),
        },
        {"samples"},
    ),
    "m1_m2 m2, ablated": (
        (
            *("--labels=50", "--model=m2"),
            *("--unlabelled=sampled", "--classification_weight=0"),
        ),
        {"test_error"},
        {"class_style_grid"},
    ),
    "mixture_vae": (
        ("--coverage=0.7",),
        {"accepted_error", "rejected", "test_error", "calibration_error"},
        {"risk_coverage", "class_style_grid", "refused", "accepted"},
    ),
    "attacks": (
        (),
        {
            "fgsm_undetected",
            "iterated_undetected",
            "aware_undetected",
            "transfer_excess",
            "losses_that_do_not_grow",
            "loss_does_not_grow",
            "reclassified_right",
            "unguided_reclassified_right",
            "reclassified_wrong",
            "fooling_accepted",
            "clean_rejected",
            "clean_attacked_rejected",
        },
        {"undetected", "images"},
    ),
    "adversarial_vae": (
        ("--z_dim=2", "--gamma=0.1"),
        {"class_kept", "relative_sharpness", "code_error", "test_error"},
        {"reconstructions", "samples", "plane"},
    ),
    "subclasses": (
        (),
        {"main_error", "sub_error"},
        {"confusion"},
    ),
    "subclasses main": (("--labels_are=main",), {"main_error"}, set()),
    "own_images": (
        ("--image_size=16",),
        {"test_error", "labels_only_test_error"},
        {"predicted"},
    ),
}


TAKE_NO_LABELS = (
    "priors",
    "likelihood",
    "likelihood alone",
    "clustering",
    "dimensionality_reduction unlabelled",
)


def start(name, *arguments):
    python_path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    return subprocess.Popen(
        [sys.executable, str(ROOT / "examples" / f"{name}.py"), *arguments],
        env={**os.environ, "PYTHONPATH": python_path.rstrip(os.pathsep)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(name, *arguments):
    """Exit code, and what was printed on stdout and on stderr."""
    process = start(name, *arguments)
    out, err = process.communicate(timeout=DEADLINE)
    return process.returncode, out, err


def run_here(name, *arguments):
    """Runs an example on the digits in this process."""
    program = f"examples/{name}.py"
    with tiny.program(program, "--dataset=digits", *arguments) as module:
        module.main([name])


def results(folder):
    return json.loads((folder / "results.json").read_text())


# Of label spreading, on the codes of a model that is hardly trained.
@pytest.mark.filterwarnings("ignore:max_iter=300 was reached without convergence")
@pytest.mark.slow
@pytest.mark.parametrize("name", EXAMPLES)
def test_example_leaves_its_number_and_its_figures(name, tmp_path, capsys):
    arguments, scores, figures = EXAMPLES[name]
    folder = tmp_path / "run"
    run_here(name.split()[0], "--smoke", f"--output_dir={folder}", *arguments)
    assert capsys.readouterr().out.strip().endswith("(DIGITS, not MNIST)")
    found = results(folder)
    assert scores <= set(found)
    assert found["setting"] and (found["labels"] == "0") == (name in TAKE_NO_LABELS)
    assert found["metric"] in scores
    assert found["value"] == found[found["metric"]]
    assert found["backend"] == keras.backend.backend()
    assert found["updates"] > 0 and found["train_seconds"] > 0
    assert len(found["dataset_sha256"]) == 64 and found["validation"] >= 0
    if name == "likelihood":
        assert found["recipe"] == "likelihood_imle_small"
        assert found["first_step"]["recipe"] == "clustering_small"
    for figure in (*figures, "learning_curves"):
        picture = image.imread(folder / "figures" / f"{figure}.png")
        assert picture.min() < picture.max(), figure
    assert (folder / "model.keras").exists()


@pytest.mark.slow
def test_categorical_prior_has_a_corner_for_each_of_ten_classes(tmp_path):
    folder = tmp_path / "run"
    run_here("priors", "--prior=categorical", "--smoke", f"--output_dir={folder}")
    assert keras.saving.load_model(folder / "model.keras").z_dim == 10
    assert (folder / "figures" / "plane.png").exists()


# What reads images is the same on all backends: the others on the fastest to start.
on_one_backend = pytest.mark.skipif(
    keras.backend.backend() != "torch", reason="supervised_style stands for the rest"
)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("example", "recipe"),
    [
        ("supervised_style", "supervised"),
        pytest.param("priors", "aae", marks=on_one_backend),
        pytest.param("label_informed", "label_informed", marks=on_one_backend),
        pytest.param("clustering", "clustering", marks=on_one_backend),
        pytest.param(
            "dimensionality_reduction",
            "dimensionality_reduction",
            marks=on_one_backend,
        ),
        pytest.param("likelihood", "likelihood_imle", marks=on_one_backend),
    ],
)
def test_images_of_full_size_come_from_the_folder_that_is_named(
    tmp_path, example, recipe
):
    """And take the recipe for them, and the convolutional judge."""
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 255, (300, 28, 28), "uint8"), np.arange(300) % 10
    parts = {"x_train": x, "y_train": y, "x_test": x[:50], "y_test": y[:50]}
    np.savez(tmp_path / "fashion_mnist.npz", **parts)
    flags_ = ("--dataset=fashion_mnist", f"--data_dir={tmp_path}", "--validation=20")
    flags_ += {
        "likelihood": ("--samples=100",),
        "label_informed": ("--labels=100",),
    }.get(example, ())
    run_here(example, "--smoke", *flags_, f"--output_dir={tmp_path / 'run'}")
    found = results(tmp_path / "run")
    assert found["recipe"] == recipe and found["dataset"] == "fashion_mnist"


def test_attacks_are_summed_up_and_doubted():
    rows = [
        {"attack": name, "epsilon": epsilon, "undetected": found, "log_odds": odds}
        for name, *pairs in (
            ("fgsm", (4.0, 1.0), (3.0, 2.0)),
            ("bim", (6.0, 1.0), (2.0, 2.0)),
            ("mim", (1.0, 1.0), (1.0, 0.5)),  # masked: its loss falls
            ("pgd", (2.0, 1.0), (2.5, 3.0)),
            ("transfer", (0.0, 0.0), (0.0, 0.0)),
            ("aware", (9.0, 1.0), (8.0, 1.0)),  # climbs another loss
        )
        for epsilon, (found, odds) in zip((0.1, 0.3), pairs)
    ]
    for row in rows:
        row["error"] = {"transfer": 50.0, "pgd": 60.0}.get(row["attack"], 0.0)
        row["evasion"] = row["epsilon"]
    rows.append({**rows[0], "epsilon": 0.4, "undetected": 3.5, "log_odds": 3.0})
    with tiny.program("examples/attacks.py") as module:
        found = module.summary(rows)
        rows[8]["error"] = 70.0  # transfer at 0.1, where PGD has 60
        assert module.summary(rows)["transfer_excess"] == 10.0
        rows[8] |= {"error": 0.0, "undetected": 2.1}  # where PGD has 2.0 accepted
        assert module.summary(rows)["transfer_excess"] == pytest.approx(0.1)
    assert found == {
        "fgsm_undetected": 4.0,
        "iterated_undetected": 2.5,
        "aware_undetected": 8.0,
        "transfer_excess": -2.0,
        "losses_that_do_not_grow": 1,
        "loss_does_not_grow": ["mim"],
    }


@pytest.mark.slow
def test_attacks_are_on_the_model_of_the_run_that_is_named(tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    run_here("mixture_vae", "--smoke", f"--output_dir={one}")
    flags_ = ("--dataset=digits", "--smoke", f"--output_dir={two}")
    with tiny.program("examples/attacks.py", *flags_) as module:
        taken, _ = module.mixture_vae.train_selective(one)
    trained = keras.saving.load_model(one / "model.keras")
    for own, of_run in zip(taken.model.get_weights(), trained.get_weights()):
        np.testing.assert_array_equal(own, of_run)
    assert not (two / "checkpoint.keras").exists()  # nothing was trained


def test_shared_flags_reach_the_run(tmp_path, policy):
    flags_ = ("--smoke", "--epochs=1", "--batch_size=50", f"--output_dir={tmp_path}")
    run_here("clustering", *flags_, "--dtype_policy=mixed_bfloat16")
    found = results(tmp_path)
    assert found["dtype_policy"] == "mixed_bfloat16"
    assert found["settings"]["batch_size"] == 50
    assert found["recipe"] == "clustering_small" and found["setting"] == "K=10"


@pytest.mark.filterwarnings("ignore:max_iter=300 was reached without convergence")
def test_each_of_two_steps_has_the_recipe_asked_for(tmp_path):
    chosen = ("--recipe=m1_augmented", "--second_recipe=m1_m2_augmented")
    run_here("m1_m2", "--smoke", *chosen, f"--output_dir={tmp_path}")
    found = results(tmp_path)
    assert found["first_step"]["recipe"] == "m1_augmented"
    assert found["recipe"] == "m1_m2_augmented"


@pytest.mark.slow
def test_second_steps_share_a_first_step_and_its_judge(tmp_path, capsys):
    smoke = ("adversarial_vae", "--smoke", "--z_dim=2")
    one, two = tmp_path / "one", tmp_path / "two"
    run_here(*smoke, "--beta=0", f"--output_dir={one}")
    run_here(*smoke, "--beta=0.1", f"--first_step={one}", f"--output_dir={two}")
    assert results(one)["first_step"] == results(two)["first_step"]
    assert results(one)["judge_test_error"] == results(two)["judge_test_error"]
    assert results(one)["test_error"] == results(two)["test_error"]
    assert results(one)["code_error"] != results(two)["code_error"]
    for folder, flag, message in (
        (one, "--z_dim=3", "has another first step, by its settings. Pass the flags"),
        (two, "--z_dim=2", "took its first step from another run: name that."),
        (tmp_path, "--z_dim=2", "is no output folder of a run that is done."),
    ):
        again = (f"--first_step={folder}", f"--output_dir={tmp_path / 'three'}")
        with pytest.raises(SystemExit, match=message):
            run_here("adversarial_vae", "--smoke", flag, *again)
    assert not (tmp_path / "three").exists()


@pytest.mark.slow
def test_killed_run_resumes_to_the_results_of_an_unbroken_run(tmp_path, capsys):
    """Of one example: all train by `common.train`, and saving is each model's test."""
    arguments = ("--smoke", "--epochs=6")
    unbroken, killed = tmp_path / "unbroken", tmp_path / "killed"
    run_here("clustering", *arguments, f"--output_dir={unbroken}")
    arguments = (*arguments, f"--output_dir={killed}")
    process = start("clustering", "--dataset=digits", *arguments)
    give_up = time.monotonic() + DEADLINE
    while not (killed / "checkpoint.keras").exists() and time.monotonic() < give_up:
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.002)
    process.kill()
    process.communicate()
    assert not (killed / "results.json").exists()
    run_here("clustering", *arguments, "--resume")
    assert "Resuming after epoch " in capsys.readouterr().out
    costs = dict.fromkeys(("train_seconds", "peak_memory_mib"))
    assert {**results(killed), **costs} == {**results(unbroken), **costs}


def test_help_shows_the_flags_that_all_examples_share_and_those_of_its_own():
    code, out, _ = run("clustering", "--help")
    assert code == 1  # as Abseil has it
    for flag in ("--clusters:", "--dataset:", "--seed:", "--[no]resume:"):
        assert flag in out


def test_programs_loaded_one_after_another_have_their_own_flags():
    found = []
    for name in ("mnist_semisup", "clustering", "priors", "mnist_semisup"):
        with tiny.program(f"examples/{name}.py") as module:
            found.append((module.common.FLAGS.dataset, "clusters" in flags.FLAGS))
        assert "dataset" not in flags.FLAGS
    assert found == [
        ("auto", False),
        ("mnist", True),
        ("mnist", False),
        ("auto", False),
    ]


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("clustering", {"clusters": "1"}, "--clusters must be at least 2. Received: 1"),
        ("likelihood", {"validation": "0"}, "--validation=0 leaves no images"),
        (
            "mixture_vae",
            {"labels": "some"},
            "--labels is a number from 1 up, or 'all'. Received: some",
        ),
        ("attacks", {"epsilons": "0.1,30"}, "--epsilons lie in [0, 1]. Received"),
        (
            "attacks",
            {"epsilons": "0.1,0.3", "iterated_epsilons": "0.2"},
            "--iterated_epsilons are some of --epsilons=",
        ),
        ("own_images", {"folder": "nowhere"}, "There is no folder nowhere."),
        ("own_images", {"dataset": "mnist"}, "--dataset=mnist: this example takes a "),
        ("own_images", {"weights": "imagenet"}, "--weights are of an application"),
        ("priors", {"recipe": "aea"}, "Received: 'aea'. Did you mean 'aae'?"),
        (
            "priors",
            {"recipe": "likelihood_small", "prior": "mixture", "smoke": "true"},
            "A ring of Gaussians lies in the plane, width=2. Received width=8.",
        ),
        ("clustering", {"dtype_policy": "float8"}, "must be float32 or mixed_bfloat16"),
        (
            "dimensionality_reduction",
            {"labels": "0", "validation": "0"},
            "--validation=0 leaves no images to name the clusters by",
        ),
        (
            "dimensionality_reduction",
            {"labels": "0", "recipe": "paper_dimensionality_reduction"},
            "--recipe=paper_dimensionality_reduction learns with labels. Received "
            "--labels=0. Try --recipe=dimensionality_reduction_unlabelled.",
        ),
        (
            "dimensionality_reduction",
            {"clusters": "30"},
            "--clusters are of --labels=0",
        ),
        ("mixture_vae", {"validation": "0"}, "--validation=0 leaves no images"),
        (
            "dimensionality_reduction",
            {"recipe": "dimensionality_reduction_unlabelled_small"},
            "learns without labels. Received --labels=100.",
        ),
        (
            "supervised_style",
            {"recipe": "default"},
            "--recipe=default is of another model than this example takes: "
            "try supervised_small.",
        ),
        (
            "m1_m2",
            {"second_recipe": "m2"},
            "--second_recipe=m2 is of another model than this example takes: try m1_m2",
        ),
        (
            "m1_m2",
            {"model": "m2", "second_recipe": "m1_m2"},
            "--second_recipe=m1_m2 is of a second step, and this run has but one",
        ),
        (
            "m1_m2",
            {"model": "m1", "unlabelled": "sampled"},
            "--unlabelled is of M2, and --model=m1 trains none.",
        ),
        (
            "likelihood",
            {"recipe": "likelihood", "second_recipe": "supervised"},
            "--second_recipe=supervised is of a second step, and this run has but one",
        ),
        (
            "adversarial_vae",
            {"second_recipe": "adversarial_veA"},
            "Received: 'adversarial_veA'. Did you mean 'adversarial_vae",
        ),
    ],
)
def test_bad_flag_ends_in_one_message(name, arguments, message, tmp_path):
    """The program exits by it, and before it trains: see `test_mnist_semisup`."""
    values = {"dataset": "digits", "output_dir": str(tmp_path), **arguments}
    with tiny.program(f"examples/{name}.py") as module:
        with flagsaver.as_parsed(**values), pytest.raises(SystemExit) as ending:
            module.main([name])
    assert isinstance(ending.value.code, str)  # printed on stderr, exit code 1
    assert message in ending.value.code


@pytest.mark.parametrize(
    "name", ["VGG16", "MobileNet", "DenseNet121", "EfficientNetB0"]
)
def test_pixels_are_brought_to_the_scale_of_an_application_s_weights(name):
    application = getattr(keras.applications, name)
    x = tiny.random().random((2, 4, 4, 3), "float32")
    expected = sys.modules[application.__module__].preprocess_input(255.0 * x)
    with tiny.program("examples/own_images.py") as module:
        found = keras.ops.convert_to_numpy(module.own_scale(application)(x))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-3)


@pytest.mark.slow
def test_a_data_set_s_own_validation_part_spares_the_training_images(
    tmp_path, monkeypatch
):
    digits = data.load("digits")
    part = {
        **{"x_validation": digits.x_test[:50], "y_validation": digits.y_test[:50]},
        **{"x_test": digits.x_test[50:], "y_test": digits.y_test[50:]},
    }
    with_part = dataclasses.replace(digits, **part)
    monkeypatch.setattr(data, "load", lambda *_: with_part)
    run_here("mixture_vae", "--smoke", "--labels=all", f"--output_dir={tmp_path}")
    found = results(tmp_path)
    assert found["validation"] == 50
    model = keras.saving.load_model(tmp_path / "model.keras")
    assert model.predict(part["x_validation"], verbose=0).shape == (50, 10)


def test_a_share_of_none_is_null_in_json(tmp_path):
    scores = {"share": float("nan"), "rows": [{"share": float("nan")}, 0.5]}
    with tiny.program("examples/priors.py") as module:
        module.common.write_json(scores, tmp_path / "results.json")
    assert results(tmp_path) == {"share": None, "rows": [{"share": None}, 0.5]}
