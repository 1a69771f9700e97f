"""Several seeds in one program, on JAX."""

import keras
import numpy as np
import pytest
import tiny

import keras_saae as saae
from keras_saae.callbacks import LearningRateDrops

on_jax = keras.backend.backend() == "jax"
needs_jax = pytest.mark.skipif(not on_jax, reason="vmap is JAX's")


def runs(n=3):
    """Models and data sets of several seeds."""
    datasets = [tiny.dataset(seed=seed) for seed in range(n)]
    models = [tiny.aae(seed=seed, vat_weight=1.0, averaging=0.9) for seed in range(n)]
    for seed, model in enumerate(models):
        tiny.set_weights(model, seed)
        model.compile(tiny.sgd())
    return models, datasets


@needs_jax
def test_models_trained_together_end_as_each_by_itself():
    models, datasets = runs()
    histories = saae.fit_together(models, datasets, epochs=2)
    for model, dataset, history, alone in zip(models, datasets, histories, runs()[0]):
        expected = alone.fit(dataset, epochs=2, verbose=0).history
        assert history.keys() == expected.keys()
        for key in history:
            np.testing.assert_allclose(history[key], expected[key], rtol=1e-4)
        tiny.assert_equal(tiny.state(model), tiny.state(alone), atol=1e-4)


@needs_jax
def test_callbacks_of_each_model_are_called_around_epochs():
    models, datasets = runs(2)
    drops = [[LearningRateDrops((1,))], []]
    saae.fit_together(models, datasets, epochs=2, callbacks=drops)
    rates = [float(m.optimizer["classification"].learning_rate) for m in models]
    assert rates[0] == pytest.approx(rates[1] / 10)


@needs_jax
def test_what_is_not_alike_is_told_apart():
    models, datasets = runs(2)
    with pytest.raises(ValueError, match="2 models and 1 data sets"):
        saae.fit_together(models, datasets[:1])
    with pytest.raises(ValueError, match="a list for each model"):
        saae.fit_together(models, datasets, callbacks=[[]])
    with pytest.raises(ValueError, match=r"in datasets\[1\]"):
        saae.fit_together(models, [datasets[0], tiny.dataset(batch_size=4)])
    other = tiny.aae(averaging=None)
    other.compile(tiny.sgd())
    with pytest.raises(ValueError, match=r"models\[1\] is not built"):
        saae.fit_together([models[0], other], datasets)
    with pytest.raises(ValueError, match=r"models\[0\] is not compiled"):
        saae.fit_together([tiny.aae()], datasets[:1])


@pytest.mark.skipif(on_jax, reason="JAX can")
def test_other_backends_say_that_they_cannot():
    models, datasets = runs(2)
    with pytest.raises(NotImplementedError, match="choose KERAS_BACKEND=jax"):
        saae.fit_together(models, datasets)
