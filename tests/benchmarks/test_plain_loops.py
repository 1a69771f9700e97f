"""The hand-written loops do the package's step: same weights in, same losses out."""

import dataclasses
import functools
import importlib
import pathlib
import sys

import keras
import numpy as np
import pytest
import tiny

from keras_saae import recipes

BENCHMARKS = pathlib.Path(__file__).parents[2] / "benchmarks"
HIDDEN, N, NUM_LABELLED = (6, 5), 8, 6


@pytest.fixture
def loop(monkeypatch):
    """Makes the loop of the framework that Keras runs on, where there is one."""
    backend = keras.backend.backend()
    if backend == "tensorflow":
        pytest.skip("the loops by hand are in PyTorch and JAX")
    monkeypatch.syspath_prepend(BENCHMARKS)
    module = importlib.import_module(f"plain_{backend}")
    made = getattr(module, {"jax": "PlainJax", "torch": "PlainTorch"}[backend])
    sizes = {"num_classes": tiny.NUM_CLASSES, "z_dim": tiny.Z_DIM}
    yield functools.partial(made, 16, HIDDEN, **sizes)
    del sys.modules[module.__name__]


def paper_model():
    """The paper's recipe on small networks, without chance."""
    rng = tiny.random(7)
    recipe = dataclasses.replace(
        recipes.get("paper"),
        hidden=HIDDEN,
        discriminator_z_hidden=HIDDEN,
        discriminator_y_hidden=HIDDEN,
        z_dim=tiny.Z_DIM,
        input_noise=0.0,
    )
    model = recipe.build(
        tiny.IMAGE_SHAPE,
        tiny.NUM_CLASSES,
        prior_z=tiny.Fixed(rng.normal(size=(N, tiny.Z_DIM))),
        prior_y=tiny.Fixed(np.eye(tiny.NUM_CLASSES)[rng.integers(3, size=N)]),
    )
    tiny.set_weights(model)
    model.compile(recipe.phase_optimizers(100))
    return model


def weights_and_draws(model):
    """The model's weights in the loops' order, and a step's draws, without noise."""
    parts = (
        *(model.encoder.trunk, model.encoder.y_head, model.encoder.z_head),
        *(model.decoder, model.discriminator_z, model.discriminator_y),
    )
    priors = [
        keras.ops.convert_to_tensor(prior.rows, "float32")
        for prior in (model.prior_z, model.prior_y)
    ]
    still = [keras.ops.zeros((n, 16)) for n in (N, NUM_LABELLED)]
    return [w for part in parts for w in part.get_weights()], (*still, *priors)


def test_plain_loop_has_the_losses_and_weights_of_the_package(loop):
    model, plain = paper_model(), loop()
    weights, draws = weights_and_draws(model)
    plain.set_weights(weights)
    batch = tiny.batch(N, NUM_LABELLED)
    for _ in range(4):  # momentum shows from the second step on
        logs = model.train_on_batch(batch, return_dict=True)
        found = plain.step(**batch, draws=draws)
        np.testing.assert_allclose(
            keras.ops.convert_to_numpy(found),
            [logs[phase] for phase in tiny.PHASES],
            rtol=2e-5,
        )


def test_plain_loop_in_bfloat16_has_nearly_the_losses_of_float32(loop):
    weights, draws = weights_and_draws(paper_model())
    batch = tiny.batch(N, NUM_LABELLED)
    losses = []
    for bfloat16 in (False, True):
        plain = loop(bfloat16=bfloat16)
        plain.set_weights(weights)
        steps = [plain.step(**batch, draws=draws) for _ in range(4)]
        losses.append(np.array([keras.ops.convert_to_numpy(step) for step in steps]))
    assert np.any(losses[0] != losses[1])  # eight bits of mantissa show
    np.testing.assert_allclose(*losses, rtol=0.02)


def test_plain_loop_draws_its_own_chance(loop):
    plain, batch = loop(), tiny.batch(N, NUM_LABELLED)
    losses = [keras.ops.convert_to_numpy(plain.step(**batch)) for _ in range(2)]
    assert np.all(np.isfinite(losses))
    assert np.any(losses[0] != losses[1])
    # Small weights: discriminators that guess, and a class that does.
    np.testing.assert_allclose(losses[0][1:], np.log([16, 4, 3]), rtol=0.01)
