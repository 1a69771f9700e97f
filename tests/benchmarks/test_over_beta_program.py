"""The program that lays runs of the two-step VAE side by side."""

import json

import numpy as np
import pytest
import tiny
from absl.testing import flagsaver
from matplotlib import image


@pytest.fixture
def program():
    with tiny.program("benchmarks/over_beta.py") as module:
        yield module


@pytest.mark.slow
def test_runs_are_drawn_in_the_order_of_beta(tmp_path, monkeypatch):
    folders = []
    for beta in (0.1, 0.0):
        folders.append(str(tmp_path / f"beta_{beta}"))
        arguments = ("--smoke", f"--beta={beta}", f"--output_dir={folders[-1]}")
        with tiny.program(
            "examples/adversarial_vae.py", "--dataset=digits", *arguments
        ) as example:
            example.main(["adversarial_vae"])
    from keras_saae import plotting

    drawn = {}

    def watched(images, title, row_names):
        drawn.update(images=images, row_names=row_names)
        return plotting.reconstructions(images[0], images[0])

    monkeypatch.setattr(plotting, "image_grid", watched)
    with tiny.program("benchmarks/over_beta.py") as program:
        with flagsaver.flagsaver(figure=str(tmp_path / "over_beta.png")):
            program.main(["over_beta", *folders])
    assert np.shape(drawn["images"])[:2] == (3, 2 * program.NUM_SHOWN)
    names = [name.splitlines()[0] for name in drawn["row_names"]]
    assert names == ["images", "β 0, γ 0", "β 0.1, γ 0"]
    assert image.imread(tmp_path / "over_beta.png").ndim == 3


def test_folders_of_other_runs_are_refused(program, tmp_path):
    with pytest.raises(SystemExit, match="no output folder of adversarial_vae.py"):
        program.main(["over_beta", str(tmp_path)])
    with pytest.raises(SystemExit, match="Received runs on none"):
        program.main(["over_beta"])
    for name in ("digits", "mnist"):
        (tmp_path / name).mkdir()
        found = {"dataset": name, "class_kept": 1.0}
        (tmp_path / name / "results.json").write_text(json.dumps(found))
    with pytest.raises(SystemExit, match="Received runs on digits, mnist"):
        program.main(["over_beta", str(tmp_path / "digits"), str(tmp_path / "mnist")])
