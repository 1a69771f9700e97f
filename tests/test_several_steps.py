"""Several steps in one call: the same weights and logs as steps made one by one."""

import keras
import numpy as np
import pytest
import tiny

from keras_saae import AAE
from keras_saae.networks import mlp_decoder, mlp_discriminator, mlp_encoder
from keras_saae.priors import Gaussian

BACKEND = keras.backend.backend()
several = pytest.mark.skipif(BACKEND == "torch", reason="one step at a time")


def trained(steps_per_execution):
    """A model with noise and all statistics, trained for two epochs of five steps."""
    model = tiny.neural_network(
        tiny.networks(batch_normalization=True, dropout=0.2),
        input_noise=0.1,
        averaging=0.9,
    )
    optimizer = {"classification": keras.optimizers.SGD(0.01, 0.9)}
    model.compile(optimizer, steps_per_execution=steps_per_execution)
    dataset = tiny.dataset(tiny.images(40))
    history = model.fit(dataset, epochs=2, verbose=0).history
    return model, history


@several
def test_pairs_of_steps_leave_the_weights_seeds_and_logs_of_single_steps():
    one, expected = trained(1)
    two, found = trained(2)
    assert int(two.optimizer.iterations.numpy()) == 2 * 5
    tiny.assert_equal(tiny.state(two), tiny.state(one), rtol=1e-4, atol=1e-5)
    assert found.keys() == expected.keys()
    for key in expected:
        np.testing.assert_allclose(found[key], expected[key], rtol=1e-4, err_msg=key)


@several
def test_shorter_last_batches_run_on_their_own():
    model = AAE(
        mlp_encoder(tiny.IMAGE_SHAPE, hidden=(3,)),
        mlp_decoder(tiny.IMAGE_SHAPE, tiny.Z_DIM, hidden=(3,)),
        mlp_discriminator(tiny.Z_DIM, hidden=(3,)),
        Gaussian(tiny.Z_DIM),
    )
    phases = [phase.name for phase in model.phases()]
    model.compile({name: "sgd" for name in phases}, steps_per_execution=2)
    history = model.fit(tiny.images(7), batch_size=2, verbose=0).history
    assert np.all(np.isfinite([history[name] for name in phases]))
    assert int(model.optimizer.iterations.numpy()) == 4


@several
def test_callbacks_are_called_once_for_all_steps_of_a_call():
    seen = []
    callback = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: seen.append((batch, float(logs["loss"])))
    )
    model = tiny.aae()
    model.compile(tiny.sgd(0.01), steps_per_execution=3)
    history = model.fit(
        tiny.dataset(tiny.images(48)), callbacks=callback, verbose=0
    ).history
    assert [batch for batch, _ in seen] == [2, 5]
    np.testing.assert_allclose(seen[-1][1], history["loss"], rtol=1e-6)


@pytest.mark.skipif(BACKEND != "jax", reason="Keras does it on TensorFlow")
def test_steps_of_a_call_are_one_loop_of_the_compiler():
    import jax

    model = tiny.aae()
    model.compile(tiny.sgd(), steps_per_execution=2)
    model.make_train_function()
    groups = (
        *(model.trainable_variables, model.non_trainable_variables),
        *(model.optimizer.variables, model.metrics_variables),
    )
    state = tuple([variable.value for variable in group] for group in groups)
    dataset = tiny.dataset()
    batches = [dataset[0], dataset[1]]
    program = jax.make_jaxpr(lambda s: model.train_function(s, iter(batches)))(state)
    assert str(program).count("scan[") >= 1
    assert "length=2" in str(program)


@pytest.mark.skipif(BACKEND != "torch", reason="other backends make several steps")
def test_several_steps_are_refused_with_the_way_out():
    with pytest.raises(ValueError, match="one step at a time.*=5.*Leave it at 1"):
        tiny.aae().compile(tiny.sgd(), steps_per_execution=5)


def test_model_saved_with_several_steps_is_compiled_on_every_backend():
    model = tiny.aae()
    model.compile(tiny.sgd())
    config = {**model.get_compile_config(), "steps_per_execution": 4}
    again = tiny.aae()
    again.compile_from_config(config)
    assert again.steps_per_execution == (1 if BACKEND == "torch" else 4)
