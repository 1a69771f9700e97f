"""The Python snippets of README.md and the sketches of CONTRIBUTING.md run."""

import pathlib
import re

import keras
import numpy as np

ROOT = pathlib.Path(__file__).parents[1]


def python_blocks(markdown):
    """Returns `(line of its first statement, source)` of each Python block."""
    return [
        (markdown.count("\n", 0, match.start(1)) + 1, match.group(1))
        for match in re.finditer(r"^```python\n(.*?)^```$", markdown, re.M | re.S)
    ]


def run(name, session, only=""):
    """Runs the Python blocks of a file that hold `only` in the dict `session`."""
    path = ROOT / name
    for line, source in python_blocks(path.read_text(encoding="utf-8")):
        if only in source:
            padded = "\n" * (line - 1) + source  # tracebacks show the file's lines
            exec(compile(padded, path, "exec"), session)


def test_snippets_of_readme_run_one_after_another(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # they save files
    session = {}
    run("README.md", session)
    assert session["probabilities"].shape == (297, 10)


def test_prior_and_model_of_contributing_train():
    session = {"keras": keras, "ops": keras.ops}
    exec("from keras_saae import *\nfrom keras_saae.networks import *", session)
    exec("from keras_saae.adversary import Adversary", session)
    run("CONTRIBUTING.md", session, only="@keras.saving.register")
    networks = session["networks"]
    model = session["PlainAAE"](
        networks.mlp_encoder((4, 4), hidden=(5, 2)),
        networks.mlp_decoder((4, 4), 2, hidden=(5,)),
        networks.mlp_discriminator(2, hidden=(5,)),
        session["Sphere"](2),
        seed=0,
    )
    model.compile({phase.name: keras.optimizers.SGD(0.1) for phase in model.phases()})
    history = model.fit(np.full((8, 4, 4), 255, "uint8"), epochs=1, verbose=0).history
    # White images, met by grey ones: half of 16 squared errors of about a half.
    np.testing.assert_allclose(history["reconstruction"], 0.5 * 16 * 0.25, rtol=0.5)


def test_blocks_are_found_with_their_lines():
    markdown = "a\n```python\nx = 1\n```\n```bash\nls\n```\n```python\ny = 2\n```\n"
    assert python_blocks(markdown) == [(3, "x = 1\n"), (9, "y = 2\n")]
