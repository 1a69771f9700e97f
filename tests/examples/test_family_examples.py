"""The examples of the family, run as a user runs them, on a few digits."""

import json
import os
import pathlib
import subprocess
import sys

import keras
import pytest
from matplotlib import image

ROOT = pathlib.Path(__file__).parents[2]
DEADLINE = 900  # seconds; a run takes 15 on an idle machine

# By example: flags, scores, figures.
EXAMPLES = {
    "priors": (
        ("--posterior=gaussian",),
        {"latent_mmd", "test_half_squared_error"},
        {"codes", "plane"},
    ),
    "label_informed": ((), {"own_mode_share"}, {"codes", "samples"}),
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
    "dimensionality_reduction": (("--labels=0",), {"test_error"}, {"planes"}),
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
    "mixture_vae": (
        ("--coverage=0.7",),
        {"accepted_error", "rejected", "test_error", "calibration_error"},
        {"risk_coverage", "class_style_grid", "refused", "accepted"},
    ),
    "attacks": (
        ("--images=20", "--epsilons=0.1,0.3", "--steps=3", "--restarts=1"),
        {"worst_undetected", "reclassified_right", "clean_rejected"},
        {"undetected", "images"},
    ),
    "adversarial_vae": (
        ("--z_dim=2", "--gamma=0.1"),
        {"class_kept", "relative_sharpness", "code_error", "test_error"},
        {"reconstructions", "samples", "plane"},
    ),
    "subclasses": (
        ("--labels=50",),
        {"main_error", "sub_error"},
        {"confusion"},
    ),
    "own_images": (
        ("--image_size=16",),
        {"test_error", "labels_only_test_error"},
        {"predicted"},
    ),
}


def run(name, *arguments):
    python_path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    process = subprocess.run(
        [sys.executable, str(ROOT / "examples" / f"{name}.py"), *arguments],
        env={**os.environ, "PYTHONPATH": python_path.rstrip(os.pathsep)},
        capture_output=True,
        text=True,
        timeout=DEADLINE,
    )
    return process


@pytest.mark.slow
@pytest.mark.parametrize("name", EXAMPLES)
def test_example_leaves_its_number_and_its_figures(name, tmp_path):
    arguments, scores, figures = EXAMPLES[name]
    folder = tmp_path / "run"
    arguments = ("--dataset=digits", "--smoke", f"--output_dir={folder}", *arguments)
    process = run(name, *arguments)
    assert process.returncode == 0, process.stderr
    assert process.stdout.strip().endswith("(DIGITS, not MNIST)")
    results = json.loads((folder / "results.json").read_text())
    assert scores <= set(results)
    assert results["metric"] in scores
    assert results["value"] == results[results["metric"]]
    assert results["backend"] == keras.backend.backend()
    assert results["updates"] > 0 and results["train_seconds"] > 0
    for figure in (*figures, "learning_curves"):
        picture = image.imread(folder / "figures" / f"{figure}.png")
        assert picture.min() < picture.max(), figure
    assert (folder / "model.keras").exists()


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("clustering", ("--clusters=1",), "--clusters must be at least 2. Received: 1"),
        ("mixture_vae", ("--labels=some",), "--labels is a number or 'all'. Received"),
        ("attacks", ("--epsilons=0.1,30",), "--epsilons lie in [0, 1]. Received"),
        ("own_images", ("--folder=nowhere",), "There is no folder nowhere."),
        ("priors", ("--recipe=aea",), "Received: 'aea'. Did you mean 'aae'?"),
    ],
)
def test_bad_flag_ends_in_one_message(name, arguments, message, tmp_path):
    process = run(name, "--dataset=digits", f"--output_dir={tmp_path}", *arguments)
    assert process.returncode == 1
    assert message in process.stderr.strip().splitlines()[-1]
    assert "Traceback" not in process.stderr
