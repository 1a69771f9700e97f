"""The baselines: labels alone, and virtual adversarial training."""

import keras
import numpy as np
import pytest
import tiny
from keras import layers, ops

from keras_saae import NeuralNetwork, losses

X, Y = tiny.images(10, seed=3), tiny.labels(10)


def compiled(optimizer="sgd", networks=None, **settings):
    model = tiny.neural_network(tiny.networks(**(networks or {})), **settings)
    model.compile({"classification": optimizer})
    return model


def fit(model, epochs=1, **kwargs):
    return model.fit(tiny.dataset(), epochs=epochs, verbose=0, **kwargs).history


@pytest.fixture(scope="module")
def trained():
    model = compiled(keras.optimizers.Adam(0.05), averaging=0.5, input_noise=0.1)
    return model, fit(model, epochs=12, validation_data=(X, Y))


def test_network_learns_the_labels(trained):
    _, history = trained
    assert history["classification"][-1] < 0.5 * history["classification"][0]
    assert history["val_error"][-1] < 100 * 2 / 3


def test_logs_hold_loss_classification_and_error(trained):
    _, history = trained
    names = {"loss", "classification", "error"}
    assert set(history) == names | {f"val_{name}" for name in names}
    np.testing.assert_allclose(history["loss"], history["classification"], rtol=1e-6)


def test_evaluation_is_repeatable_and_agrees_with_predict(trained):
    model, _ = trained
    before = tiny.state(model)
    logs = model.evaluate(X, Y, return_dict=True, verbose=0)
    assert model.evaluate(X, Y, return_dict=True, verbose=0) == logs
    probabilities = model.predict(X, verbose=0)
    np.testing.assert_allclose(
        logs["error"], 100 * np.mean(probabilities.argmax(axis=1) != Y), rtol=1e-5
    )
    np.testing.assert_allclose(
        logs["loss"], -np.log(probabilities[np.arange(10), Y]).mean(), rtol=1e-4
    )
    tiny.assert_equal(tiny.state(model), before)


def test_all_trainable_weights_belong_to_the_one_phase():
    model = tiny.neural_network()
    (phase,) = model.phases()
    assert phase.batch_key == "x_labelled"
    assert [id(v) for v in phase.variables] == [
        id(v) for v in model.trainable_variables
    ]


def test_without_vat_unlabelled_images_make_no_difference():
    weights = []
    for x in (tiny.images(24), np.concatenate([tiny.images(9), tiny.images(15, 9)])):
        model = compiled()
        model.fit(tiny.dataset(x), verbose=0)
        weights.append(model.get_weights())
    tiny.assert_equal(*weights)


def test_vat_adds_its_share_of_the_virtual_adversarial_loss(fixed_normal):
    def loss(**settings):
        model = tiny.neural_network(**settings)
        batch = model.prepare(tiny.batch(), training=True)
        return model, batch, model.classification_loss(batch, training=True)

    model, batch, with_vat = loss(vat_weight=2.0, vat_radius=1.5)
    *_, without = loss()
    term = losses.virtual_adversarial_loss(model.encoder.classify, batch["x"], 0, 1.5)
    with_vat, without, term = tiny.values([with_vat, without, term])
    assert term > 1e-4
    np.testing.assert_allclose(with_vat, without + 2.0 * term, rtol=1e-5)


def test_noise_is_added_to_labelled_images_in_training_only():
    model = tiny.neural_network(input_noise=0.3)
    clean, noisy = (
        ops.convert_to_numpy(model.prepare(tiny.batch(6, 3000), t)["x_labelled"])
        for t in (False, True)
    )
    np.testing.assert_allclose((noisy - clean).std(), 0.3, rtol=0.03)


def test_normalized_scores_are_on_average_the_offsets_of_the_classes():
    model = tiny.neural_network(head_batch_normalization=True)
    x = ops.convert_to_tensor(tiny.images(20) / 255, "float32")
    y_logits = ops.convert_to_numpy(model.encoder(x, training=True)[0])
    offsets = ops.convert_to_numpy(model.encoder.y_head.layers[-1].beta)
    np.testing.assert_allclose(y_logits.mean(axis=0), offsets, atol=1e-5)


def test_history_and_weights_are_the_same_on_all_backends(golden, fixed_normal):
    model = compiled(
        keras.optimizers.SGD(0.1, momentum=0.9),
        networks={"batch_normalization": True},
        vat_weight=1.0,
        averaging=0.9,
    )
    history = fit(model, epochs=3, validation_data=(X, Y))
    numbers = {key: [float(v) for v in values] for key, values in history.items()}
    numbers["weights"] = [float(np.linalg.norm(w)) for w in model.get_weights()]
    golden("neural_network", numbers)


def test_saved_and_loaded_run_continues_exactly(tmp_path):
    model = compiled(
        keras.optimizers.Adam(0.01),
        networks={"batch_normalization": True, "dropout": 0.3},
        input_noise=0.2,
        vat_weight=1.0,
        averaging=0.9,
    )
    fit(model)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert tiny.plain_settings(loaded) == tiny.plain_settings(model)
    histories = [fit(m, initial_epoch=1, epochs=2) for m in (model, loaded)]
    assert histories[0] == histories[1]
    tiny.assert_equal(tiny.state(loaded), tiny.state(model))


def test_average_is_what_predict_uses(trained):
    model, _ = trained
    before = model.predict(X, verbose=0)
    weights = model.encoder.get_weights()
    model.encoder.set_weights([w + 1.0 for w in weights])
    np.testing.assert_array_equal(model.predict(X, verbose=0), before)
    model.encoder.set_weights(weights)


def test_uint8_and_float_images_give_the_same():
    model = tiny.neural_network()
    np.testing.assert_allclose(
        model.predict(X, verbose=0), model.predict(X / 255, verbose=0), atol=1e-6
    )


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((None, 3), TypeError, "`encoder` must be a Keras model"),
        ((keras.Sequential([layers.Dense(2)]), 3), ValueError, "must be built"),
        ((tiny.networks()["encoder"], 1), ValueError, "`num_classes` .* at least 2"),
        ((tiny.networks()["encoder"], 2.5), TypeError, "`num_classes` .* integer"),
    ],
)
def test_parts_that_do_not_fit_are_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        NeuralNetwork(*arguments)


def test_probe_without_a_length_is_refused():
    with pytest.raises(ValueError, match="`vat_probe` is a length above 0"):
        tiny.neural_network(vat_probe=0.0)


def test_labels_outside_its_classes_are_refused():
    with pytest.raises(ValueError, match=r"classes 0..2.*Received 5"):
        compiled().evaluate(X, np.full(10, 5))
