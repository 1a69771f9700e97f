"""The semi-supervised adversarial autoencoder: training, saving, using, bad input.

`pytest tests/models --update-golden` rewrites the golden files, from whichever backend
it runs on; say in the commit why the numbers changed.
"""

import importlib.util
import io
import json
import math
import os
import pathlib
import subprocess
import sys
import zipfile

import h5py
import keras
import numpy as np
import pytest
import tiny
from keras import layers, ops

from keras_saae import losses
from keras_saae.backend import value_and_grad
from keras_saae.networks import RandomAffine, mlp_decoder, mlp_discriminator
from keras_saae.priors import Categorical, Gaussian

LOG2 = np.log(2)
X, Y = tiny.images(10, seed=3), tiny.labels(10)
LOGS = {"loss", *tiny.PHASES, "discriminator_accuracy", "error"}


def to_numpy(tensor):
    return np.asarray(ops.convert_to_numpy(tensor))


def softmax(logits):
    p = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return p / p.sum(axis=-1, keepdims=True)


def fit(model, data, epochs=1, **kwargs):
    return model.fit(data, epochs=epochs, verbose=0, **kwargs).history


def compiled(model, optimizer=None, **kwargs):
    model.compile(optimizer or tiny.sgd(), **kwargs)
    return model


@pytest.fixture(scope="module")
def trained():
    """A model after two epochs of `fit` with noise, its history, its state before."""
    model = compiled(tiny.aae())
    before = tiny.values(model.trainable_variables)
    history = fit(model, tiny.dataset(), epochs=2, validation_data=(X, Y))
    return model, history, before


# --- training ---------------------------------------------------------------------


def test_logs_hold_the_losses_of_all_phases_accuracy_and_error(trained):
    _, history, _ = trained
    assert set(history) == LOGS | {f"val_{name}" for name in LOGS}
    for values in history.values():
        assert len(values) == 2
        assert np.all(np.isfinite(values))
    assert np.all(0 <= np.array(history["discriminator_accuracy"]))
    assert np.all(np.array(history["discriminator_accuracy"]) <= 1)


@pytest.mark.parametrize("prefix", ["", "val_"])
def test_loss_is_the_sum_of_the_phases(trained, prefix):
    _, history, _ = trained
    total = np.sum([history[prefix + phase] for phase in tiny.PHASES], axis=0)
    np.testing.assert_allclose(history[prefix + "loss"], total, rtol=1e-5)


def test_every_trainable_weight_moves_in_training(trained):
    model, _, before = trained
    for one, other in zip(before, tiny.values(model.trainable_variables)):
        assert np.any(one != other)


def test_reconstruction_and_classification_improve_in_training():
    model = compiled(tiny.quiet_aae(), tiny.adam(0.03))
    whole = tiny.dataset(batch_size=24, labelled_batch_size=9)
    history = fit(model, whole, epochs=50)
    assert history["reconstruction"][-1] < 0.5 * history["reconstruction"][0]
    assert history["classification"][-1] < 0.5 * history["classification"][0]


GOLDEN = {
    "sgd": ({}, {}),
    "vat_normalized_averaged": (
        {"batch_normalization": True},
        {"vat_weight": 1.0, "averaging": 0.9, "labelled_reconstruction": "one_hot"},
    ),
    "style_consistency_warm_up": ({}, {"style_consistency_weight": 1.0, "warm_up": 4}),
    "mean_teacher": (
        {"batch_normalization": True},
        {"vat_weight": 1.0, "averaging": 0.9, "mean_teacher": True},
    ),
    "simultaneous": ({}, {}),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_history_and_weights_are_the_same_on_all_backends(name, golden, fixed_normal):
    networks, settings = GOLDEN[name]
    model = compiled(
        tiny.quiet_aae(tiny.networks(**networks), **settings),
        simultaneous=name == "simultaneous",
    )
    history = fit(model, tiny.dataset(), epochs=3, validation_data=(X, Y))
    numbers = {key: [float(v) for v in values] for key, values in history.items()}
    for i, weight in enumerate(tiny.values(model.weights)):
        wave = np.cos(np.arange(weight.size))  # tells an exchange of two entries
        numbers[f"weight_{i}"] = [
            float(np.linalg.norm(weight)),
            float(wave @ weight.ravel()),
        ]
    golden(f"semi_supervised_aae_{name}", numbers)


def test_eager_and_compiled_training_come_to_the_same():
    histories, weights = [], []
    for run_eagerly in (True, False):
        model = compiled(tiny.aae(), run_eagerly=run_eagerly)
        histories.append(fit(model, tiny.dataset()))
        weights.append(model.get_weights())
    for key in LOGS:
        np.testing.assert_allclose(histories[0][key], histories[1][key], rtol=1e-4)
    tiny.assert_equal(*weights, atol=1e-5)


def test_same_seed_repeats_a_run(trained):
    model = compiled(tiny.aae())
    history = fit(model, tiny.dataset(), epochs=2)
    assert history == {key: trained[1][key] for key in history}
    tiny.assert_equal(model.get_weights(), trained[0].get_weights())


def test_another_seed_draws_other_noise():
    noisy = [
        to_numpy(tiny.aae(seed=seed).prepare(tiny.batch(), training=True)["x_noisy"])
        for seed in (1, 2)
    ]
    assert np.any(noisy[0] != noisy[1])


def test_vat_probes_move_no_batch_statistics_within_a_compiled_step():
    """Momentum 0.9: a step's statistics follow from its forward passes alone.

    All rates are zero, so the encoder sees one batch with one set of weights. Passes in
    training: reconstruction, discriminator and generator on `x`, classification on
    `x_labelled` and, for VAT, on `x` and on `x` + r; its probe is not among them. r of
    length 1e-6 leaves `x` as it is.
    """
    model = tiny.quiet_aae(
        tiny.networks(batch_normalization=True), vat_weight=1.0, vat_radius=1e-6
    )
    compiled(model, tiny.sgd(0.0))
    seeds = tiny.values([model.seeds.state])[0]
    batch = tiny.batch()
    model.train_on_batch(batch)
    first = keras.Model(
        model.encoder.trunk.input, model.encoder.trunk.get_layer("hidden_1").output
    )
    on_x, on_labelled = (
        to_numpy(first(ops.cast(batch[key], "float32") / 255)).mean(axis=0)
        for key in ("x", "x_labelled")
    )
    mean = 0.0
    for batch_mean in (on_x, on_x, on_x, on_labelled, on_x, on_x):
        mean = 0.9 * mean + 0.1 * batch_mean
    moving_mean = model.encoder.trunk.get_layer("normalization_1").moving_mean
    np.testing.assert_allclose(moving_mean.numpy(), mean, rtol=1e-4)
    # One draw, the direction, moved the seed by one, the same in both passes.
    moved = tiny.values([model.seeds.state])[0].astype(int) - seeds.astype(int)
    np.testing.assert_array_equal(moved, [0, 1])


# --- evaluating -------------------------------------------------------------------


def test_evaluation_is_repeatable_and_changes_nothing(trained):
    model, _, _ = trained
    before = tiny.state(model)
    first, second = (
        model.evaluate(X, Y, return_dict=True, verbose=0) for _ in range(2)
    )
    assert first == second
    assert set(first) == LOGS
    tiny.assert_equal(tiny.state(model), before)


def test_error_is_the_share_of_wrong_predictions_in_percent(trained):
    model, _, _ = trained
    logs = model.evaluate(X, Y, return_dict=True, verbose=0)
    wrong = model.predict(X, verbose=0).argmax(axis=-1) != Y
    np.testing.assert_allclose(logs["error"], 100 * wrong.mean(), rtol=1e-5)


def test_validation_during_fit_is_that_of_evaluate(trained):
    model, history, _ = trained
    logs = model.evaluate(X, Y, return_dict=True, verbose=0)
    for name in LOGS:
        np.testing.assert_allclose(history[f"val_{name}"][-1], logs[name], rtol=1e-5)


def test_losses_of_evaluation_are_means_over_batches_of_any_size(trained):
    model, _, _ = trained
    whole = model.evaluate(X, Y, return_dict=True, verbose=0)
    parts = model.evaluate(X, Y, batch_size=4, return_dict=True, verbose=0)
    for name in ("reconstruction", "generator", "classification", "error"):
        np.testing.assert_allclose(parts[name], whole[name], rtol=1e-5)


@pytest.mark.parametrize("labelled", ["soft", "one_hot"])
def test_evaluation_counts_each_image_once(labelled):
    plain, joined = (
        compiled(tiny.quiet_aae(**settings)).evaluate(X, Y, return_dict=True, verbose=0)
        for settings in (
            {},
            {"labelled_reconstruction": labelled, "labelled_adversarial": True},
        )
    )
    for name in LOGS:
        np.testing.assert_allclose(joined[name], plain[name], rtol=1e-6)


# --- saving -----------------------------------------------------------------------


def stochastic_model(**settings):
    """All that has a state: noise, dropout, normalization, average, VAT, momenta."""
    parts = tiny.networks(
        batch_normalization=True, dropout=0.3, discriminator_noise=0.3
    )
    model = tiny.aae(parts, averaging=0.9, vat_weight=1.0, **settings)
    return compiled(model, tiny.adam())


def test_saved_and_loaded_run_continues_exactly(tmp_path):
    model = stochastic_model()
    fit(model, tiny.dataset())
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    tiny.assert_equal(tiny.state(loaded), tiny.state(model))
    histories = [
        fit(m, tiny.dataset(), initial_epoch=1, epochs=2) for m in (model, loaded)
    ]
    assert histories[0] == histories[1]
    tiny.assert_equal(tiny.state(loaded), tiny.state(model))


def test_file_holds_each_number_once(tmp_path):
    model = stochastic_model()
    model.save(tmp_path / "model.keras")
    with zipfile.ZipFile(tmp_path / "model.keras") as archive:
        weights = h5py.File(io.BytesIO(archive.read("model.weights.h5")))
    sizes = []
    weights.visititems(lambda name, item: sizes.append(getattr(item, "size", 0)))
    assert sum(sizes) == sum(array.size for array in tiny.state(model))


def test_every_seed_is_among_the_saved_state():
    """The model's, two Dropouts and two noises, and the average's Dropout."""
    model, again = stochastic_model(), stochastic_model()
    batch = model.prepare(tiny.batch(), training=True)
    for phase in model.phases():
        phase.loss(batch, training=True)  # draws
    store = {}
    model.save_own_variables(store)
    assert len(store) == 6
    again.load_own_variables({key: np.asarray(value) for key, value in store.items()})
    saved, loaded = (
        [
            v
            for v in tiny.values(m.variables)
            if v.shape == (2,) and v.dtype.kind in "iu"
        ]
        for m in (model, again)
    )
    assert len(saved) == 6
    tiny.assert_equal(loaded, saved)


def test_settings_survive_saving(tmp_path):
    settings = {
        "head_initializer": keras.initializers.RandomNormal(stddev=0.01),
        "head_batch_normalization": True,
        "reconstruction_loss": "binary_crossentropy_mean",
        "generator_loss": "saturating",
        "generator_y_weight": 0.5,
        "generator_z_weight": 2.0,
        "style_given_class": True,
        "input_noise": 0.2,
        "augmentation_weight": 0.5,
        "noisy_phases": ("reconstruction",),
        "labelled_reconstruction": "soft",
        "reconstruction_trains_y": False,
        "labelled_adversarial": True,
        "vat_weight": 0.5,
        "vat_radius": 2.0,
        "style_consistency_weight": 3.0,
        "style_consistency_scale": 0.5,
        "warm_up": 10,
        "averaging": 0.99,
        "mean_teacher": True,
        "seed": 5,
        "name": "mine",
        "prior_y": Categorical(3, [0.5, 0.25, 0.25]),
        "prior_z": Gaussian(2, stddev=5.0),
    }
    model = tiny.aae(**given_class(**settings))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    found = tiny.plain_settings(loaded)
    assert found == tiny.plain_settings(model)
    plain = {key: v for key, v in settings.items() if key in found}
    assert len(plain) == 21
    assert found == {**found, **plain, "noisy_phases": ["reconstruction"]}
    assert loaded.prior_z.stddev == 5.0
    assert loaded.prior_y.weights == [0.5, 0.25, 0.25]
    assert loaded.encoder.kernel_initializer.stddev == 0.01
    assert loaded.noisy_phases == ("reconstruction",)
    assert not loaded.compiled
    np.testing.assert_array_equal(
        loaded.predict(X, verbose=0), model.predict(X, verbose=0)
    )


OTHER_BACKEND = {"tensorflow": "jax", "jax": "torch", "torch": "tensorflow"}
TRAIN_ELSEWHERE = """
import json, sys, tiny
model = tiny.quiet_aae(
    tiny.networks(batch_normalization=True, discriminator_noise=0.0),
    averaging=0.9, labelled_reconstruction="one_hot",
)
model.compile(tiny.sgd())
model.fit(tiny.dataset(), verbose=0)
model.save(sys.argv[1])
history = model.fit(tiny.dataset(), initial_epoch=1, epochs=2, verbose=0).history
probabilities = model.predict(tiny.images(10, seed=3), verbose=0).tolist()
json.dump({"history": history, "probabilities": probabilities}, open(sys.argv[2], "w"))
"""


@pytest.mark.slow
def test_run_begun_on_another_backend_continues_here(tmp_path):
    other = OTHER_BACKEND[keras.backend.backend()]
    if importlib.util.find_spec(other) is None:
        pytest.skip(f"{other} is not installed")
    paths = (str(tmp_path / "model.keras"), str(tmp_path / "after.json"))
    tests = pathlib.Path(tiny.__file__).parent
    path = os.pathsep.join([str(tests), str(tests.parent)])
    subprocess.run(
        [sys.executable, "-c", TRAIN_ELSEWHERE, *paths],
        env={**os.environ, "KERAS_BACKEND": other, "PYTHONPATH": path},
        check=True,
    )
    expected = json.loads(pathlib.Path(paths[1]).read_text(encoding="utf-8"))
    model = keras.saving.load_model(paths[0])
    assert int(model.optimizer.iterations.numpy()) == 3
    history = fit(model, tiny.dataset(), initial_epoch=1, epochs=2)
    for key in LOGS:
        np.testing.assert_allclose(history[key], expected["history"][key], rtol=1e-4)
    np.testing.assert_allclose(
        model.predict(X, verbose=0), expected["probabilities"], atol=1e-5
    )


# --- using ------------------------------------------------------------------------


def test_predictions_are_probabilities_of_the_classes():
    probabilities = tiny.aae().predict(X, verbose=0)
    assert probabilities.shape == (10, 3)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0, rtol=1e-5)


def test_codes_are_those_of_the_networks():
    model = tiny.aae()
    y, z = model.encode(X)
    y_logits, expected_z = model.encoder(ops.convert_to_tensor(X / 255, "float32"))
    np.testing.assert_allclose(y, softmax(to_numpy(y_logits)), atol=1e-6)
    np.testing.assert_allclose(z, to_numpy(expected_z), atol=1e-6)
    np.testing.assert_allclose(y, model.predict(X, verbose=0), atol=1e-6)


def test_decoder_gets_y_beside_z():
    model = tiny.aae()
    y, z = np.eye(3, dtype="float32"), np.array([[1, 2], [3, 4], [5, 6]], "float32")
    expected = model.decoder(ops.convert_to_tensor(np.hstack([y, z])))
    np.testing.assert_allclose(model.decode(y, z), to_numpy(expected), atol=1e-6)


def test_reconstruction_decodes_the_codes():
    model = tiny.aae()
    again = model.reconstruct(X)
    assert again.shape == X.shape
    np.testing.assert_array_equal(again, model.decode(*model.encode(X)))


def test_uint8_and_float_images_give_the_same():
    runs = []
    for convert in (lambda x: x, lambda x: (x / 255).astype("float32")):
        model = compiled(tiny.quiet_aae())
        history = fit(model, tiny.dataset(convert(tiny.images(24))))
        x = convert(X)
        runs.append(
            [
                np.array([history[key] for key in sorted(LOGS)]).ravel(),
                np.array(model.evaluate(x, Y, verbose=0)),
                model.predict(x, verbose=0),
                *model.encode(x),
                model.reconstruct(x),
            ]
        )
    tiny.assert_equal(*runs, rtol=1e-5, atol=1e-6)


def test_samples_repeat_from_their_seed():
    model = tiny.aae()
    images = model.sample(5, seed=1)
    assert images.shape == (5, 4, 4)
    np.testing.assert_array_equal(images, model.sample(5, seed=1))
    assert np.any(images != model.sample(5, seed=2))
    assert np.any(model.sample(5) != model.sample(5))


def test_samples_come_from_the_priors():
    model = tiny.quiet_aae()
    y, z = (to_numpy(p.sample(4)) for p in (model.prior_y, model.prior_z))
    np.testing.assert_array_equal(model.sample(4), model.decode(y, z))


def test_samples_of_given_labels_and_styles_are_those_codes():
    model = tiny.aae()
    styles = np.array([[1, 2], [3, 4]], "float32")
    np.testing.assert_array_equal(
        model.sample(2, label=[2, 0], style=styles),
        model.decode(np.eye(3)[[2, 0]], styles),
    )
    np.testing.assert_array_equal(
        model.sample(2, label=1, style=[3, 4]),
        model.decode(np.eye(3)[[1, 1]], styles[[1, 1]]),
    )


def test_grid_has_classes_in_rows_and_styles_in_columns():
    model = tiny.aae()
    styles = np.array([[1, 2], [3, 4], [5, 6], [7, 8]], "float32")
    grid = model.class_style_grid(styles)
    assert grid.shape == (3, 4, 4, 4)
    for c in range(3):
        np.testing.assert_allclose(
            grid[c], model.sample(4, label=c, style=styles), atol=1e-6
        )


def test_grid_of_a_number_of_styles_is_the_same_at_each_call():
    model = tiny.aae()
    assert model.class_style_grid(2).shape == (3, 2, 4, 4)
    np.testing.assert_array_equal(
        model.class_style_grid(2), model.class_style_grid(np.int64(2))
    )


# --- averaged weights -------------------------------------------------------------


@pytest.fixture(scope="module")
def averaged():
    model = compiled(tiny.aae(tiny.networks(batch_normalization=True), averaging=0.9))
    fit(model, tiny.dataset())
    return model


def test_average_follows_the_formula_step_by_step():
    model = compiled(tiny.aae(averaging=0.5))
    expected = model.averaged_encoder.get_weights()
    for step in range(1, 7):
        model.train_on_batch(tiny.batch())
        d = min(0.5, (1 + step) / (10 + step))
        expected = [
            d * mean + (1 - d) * weight
            for mean, weight in zip(expected, model.encoder.get_weights())
        ]
    tiny.assert_equal(model.averaged_encoder.get_weights(), expected, atol=1e-5)


def test_augmentation_changes_the_labelled_images_of_training_alone():
    model = tiny.aae(augmentation=RandomAffine(rotation=30.0), input_noise=0.0)
    for training in (True, False):
        batch = model.prepare(tiny.batch(), training=training)
        for key in ("x", "x_labelled"):
            clean = to_numpy(tiny.batch()[key]) / 255
            far = np.abs(to_numpy(batch[key]) - clean).max()
            assert far > 0.1 if training and key == "x_labelled" else far < 1e-6
            np.testing.assert_array_equal(
                to_numpy(batch[key]), to_numpy(batch[f"{key}_noisy"])
            )


def test_augmentation_weight_adds_that_share_of_its_consistency():
    def darker(x, seed):
        del seed
        return x / 2

    *_, without, _ = losses_of(augmentation=darker, augmentation_weight=0.0)
    model, batch, found, _ = losses_of(augmentation=darker, augmentation_weight=3.0)
    codes = [model.encoder(x)[0] for x in (batch["x"], batch["x"] / 2)]
    term = to_numpy(losses.categorical_kl(*codes))
    assert term > 1e-4
    np.testing.assert_allclose(
        found["classification"], without["classification"] + 3.0 * term, rtol=1e-5
    )


def test_a_mean_teacher_says_where_changed_images_belong():
    model = tiny.aae(
        augmentation=lambda x, seed: x / 2, averaging=0.9, mean_teacher=True
    )
    teacher, x = model.averaged_encoder, model.prepare(tiny.batch(), True)["x"]
    teacher.set_weights([2.0 * weight for weight in teacher.get_weights()])
    codes = teacher(x)[0], model.encoder(x / 2)[0]
    np.testing.assert_allclose(
        to_numpy(model.smoothness_loss(x)),
        to_numpy(losses.categorical_kl(*codes)),
        rtol=1e-5,
    )


def test_a_mean_teacher_needs_an_average():
    with pytest.raises(ValueError, match="give `averaging`"):
        tiny.aae(mean_teacher=True)


def test_augmentation_is_saved_with_the_model(tmp_path):
    tiny.aae(augmentation=RandomAffine(rotation=30.0)).save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.augmentation.rotation == 30.0


def test_average_is_what_evaluate_predict_and_encode_use(averaged):
    before = averaged.encoder.get_weights()
    used = [
        averaged.predict(X, verbose=0),
        *averaged.encode(X),
        np.array(averaged.evaluate(X, Y, verbose=0)),
    ]
    averaged.encoder.set_weights([w + 1.0 for w in before])  # should not matter
    again = [
        averaged.predict(X, verbose=0),
        *averaged.encode(X),
        np.array(averaged.evaluate(X, Y, verbose=0)),
    ]
    averaged.encoder.set_weights(before)
    tiny.assert_equal(again, used)
    y_logits, _ = averaged.averaged_encoder(ops.convert_to_tensor(X / 255, "float32"))
    np.testing.assert_allclose(used[0], softmax(to_numpy(y_logits)), atol=1e-5)


def test_average_includes_batch_statistics_and_takes_no_gradients(averaged):
    mean = averaged.averaged_encoder.trunk.get_layer("normalization_1").moving_mean
    assert np.any(mean.numpy() != 0)
    listed = {id(v) for v in averaged.trainable_variables}
    assert not listed & {id(v) for v in averaged.averaged_encoder.variables}


def test_both_sets_of_weights_are_saved(averaged, tmp_path):
    averaged.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    for part in ("encoder", "averaged_encoder"):
        one, other = (getattr(m, part).get_weights() for m in (averaged, loaded))
        tiny.assert_equal(one, other)
    assert np.any(
        averaged.encoder.get_weights()[0] != averaged.averaged_encoder.get_weights()[0]
    )


# --- own networks -----------------------------------------------------------------


def own_networks():
    """Convolutions for images with a channel, a decoder and discriminators by hand."""
    return {
        "encoder": keras.Sequential(
            [
                keras.Input((4, 4, 1)),
                layers.Conv2D(3, 3, activation="relu"),
                layers.Dropout(0.2, seed=1),
            ]
        ),
        "decoder": keras.Sequential(
            [
                keras.Input((5,)),
                layers.Dense(4 * 4 * 2, activation="tanh"),
                layers.Reshape((4, 4, 2)),
                layers.Conv2DTranspose(1, 1, activation="sigmoid"),
            ]
        ),
        "discriminator_z": keras.Sequential([keras.Input((2,)), layers.Dense(1)]),
        "discriminator_y": keras.Sequential([keras.Input((3,)), layers.Dense(1)]),
    }


@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
def test_own_networks_train_save_and_sample(dtype, policy, tmp_path):
    policy(dtype)
    settings = {"vat_weight": 1.0, "style_consistency_weight": 1.0, "averaging": 0.9}
    model = compiled(tiny.aae(own_networks(), **settings))
    x = tiny.images(24)[..., None]
    history = fit(model, tiny.dataset(x))
    assert np.all(np.isfinite(history["loss"]))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(
        loaded.predict(x, verbose=0), model.predict(x, verbose=0)
    )
    y, z = model.encode(x)
    images = model.sample(2, label=1, seed=0)
    assert images.shape == (2, 4, 4, 1)
    assert y.dtype == z.dtype == images.dtype == "float32"


# --- mixed precision --------------------------------------------------------------


def test_mixed_bfloat16_trains_with_weights_and_losses_in_float32(policy):
    policy("mixed_bfloat16")
    parts = tiny.networks(batch_normalization=True)
    model = compiled(tiny.aae(parts, vat_weight=1.0, averaging=0.9), tiny.adam(0.03))
    batch = model.prepare(tiny.batch(), training=True)
    for phase in model.phases():
        loss = phase.loss(batch, training=True)
        assert keras.backend.standardize_dtype(loss.dtype) == "float32", phase.name
    assert {v.dtype for v in model.weights} == {"float32"}
    assert model.encoder.trunk.layers[-1].compute_dtype == "bfloat16"
    history = fit(model, tiny.dataset(), epochs=8)
    for phase in ("reconstruction", "classification"):
        assert history[phase][-1] < history[phase][0]
    assert model.predict(X, verbose=0).dtype == "float32"


def test_mixed_bfloat16_finds_nearly_the_direction_of_float32(policy, fixed_normal):
    directions = []
    for dtype in ("float32", "mixed_bfloat16"):
        policy(dtype)
        model = tiny.aae()
        x = ops.convert_to_tensor(X / 255, "float32")
        seen = []

        def classify(x, model=model, seen=seen):
            seen.append(x)
            return model.encoder.classify(x)

        losses.virtual_adversarial_loss(classify, x, 0, probe=model.encoder.vat_probe)
        directions.append((to_numpy(seen[-1]) - to_numpy(x)).reshape(len(X), -1))
    cosines = np.sum(directions[0] * directions[1], axis=1)  # both have length 1
    assert cosines.mean() > 0.8  # a random direction: 0 +- 1/4


# --- settings ---------------------------------------------------------------------


def losses_of(batch=None, **settings):
    """The losses of a quiet model's phases on a batch, and what it computed them on."""
    model = tiny.quiet_aae(**settings)
    prepared = model.prepare(batch or tiny.batch(), training=True)
    found = {p.name: float(to_numpy(p.loss(prepared, True))) for p in model.phases()}
    codes = {}
    for key in ("x", "x_labelled"):
        y_logits, z = model.encoder(prepared[key])
        codes[key] = softmax(to_numpy(y_logits)), to_numpy(z)
    return model, prepared, found, codes


def half_distance(model, x, y, z):
    return 0.5 * np.sum((to_numpy(x) - model.decode(y, z)) ** 2, axis=(1, 2))


def score(discriminator, code):
    return to_numpy(discriminator(ops.convert_to_tensor(np.asarray(code, "float32"))))


@pytest.mark.parametrize("labelled", [None, "soft", "one_hot"])
def test_labelled_images_join_the_reconstruction_as_asked(labelled):
    model, batch, found, codes = losses_of(labelled_reconstruction=labelled)
    distances = half_distance(model, batch["x"], *codes["x"])
    if labelled:
        y, z = codes["x_labelled"]
        y = np.eye(3)[to_numpy(batch["y_labelled"])] if labelled == "one_hot" else y
        joined = half_distance(model, batch["x_labelled"], y, z)
        distances = np.concatenate([distances, joined])
    np.testing.assert_allclose(found["reconstruction"], distances.mean(), rtol=1e-4)


@pytest.mark.parametrize("labelled", [False, True])
def test_labelled_images_join_the_game_as_asked(labelled):
    model, _, found, codes = losses_of(labelled_adversarial=labelled)
    y, z = codes["x"]
    if labelled:
        y, z = (np.concatenate(pair) for pair in zip((y, z), codes["x_labelled"]))
    generator = discriminator = 0.0
    for network, prior, code in (
        (model.discriminator_z, model.prior_z, z),
        (model.discriminator_y, model.prior_y, y),
    ):
        on_code, on_prior = (
            score(network, code),
            score(network, prior.rows[: len(code)]),
        )
        generator += np.mean(np.log1p(np.exp(-on_code)))
        discriminator += np.mean(np.log1p(np.exp(on_code)))
        discriminator += np.mean(np.log1p(np.exp(-on_prior)))
    np.testing.assert_allclose(found["generator"], generator, rtol=1e-4)
    np.testing.assert_allclose(found["discriminator"], discriminator, rtol=1e-4)


def test_saturating_generator_loss_is_log_of_one_minus_d():
    model, _, found, codes = losses_of(generator_loss="saturating")
    y, z = codes["x"]
    expected = -sum(
        np.mean(np.log1p(np.exp(score(network, code))))
        for network, code in ((model.discriminator_y, y), (model.discriminator_z, z))
    )
    np.testing.assert_allclose(found["generator"], expected, rtol=1e-4)


def test_generator_weighs_its_two_codes():
    *_, both, _ = losses_of()
    *_, y, _ = losses_of(generator_z_weight=0.0)
    *_, z, _ = losses_of(generator_y_weight=0.0)
    *_, weighed, _ = losses_of(generator_y_weight=3.0, generator_z_weight=0.5)
    y, z = y["generator"], z["generator"]
    np.testing.assert_allclose(both["generator"], y + z, rtol=1e-5)
    np.testing.assert_allclose(weighed["generator"], 3.0 * y + 0.5 * z, rtol=1e-5)


def given_class(**settings):
    """Parts and settings of a model whose discriminator of z sees y too."""
    width = tiny.Z_DIM + tiny.NUM_CLASSES
    discriminator = mlp_discriminator(width, "on_z_and_y", hidden=(6,), seed=0)
    return {
        "parts": {"discriminator_z": discriminator},
        "style_given_class": True,
        **settings,
    }


def test_style_given_class_shows_the_discriminator_of_z_the_class_too():
    model, _, found, codes = losses_of(**given_class(generator_y_weight=0.0))
    y, z = codes["x"]
    on_code = score(model.discriminator_z, np.concatenate([z, y], axis=1))
    np.testing.assert_allclose(
        found["generator"], np.mean(np.log1p(np.exp(-on_code))), rtol=1e-4
    )
    draws = np.concatenate([model.prior_z.rows[: len(y)], y], axis=1)
    told = np.concatenate([score(model.discriminator_z, draws), -on_code])
    on_y = np.concatenate(
        [
            score(model.discriminator_y, model.prior_y.rows[: len(y)]),
            -score(model.discriminator_y, y),
        ]
    )
    expected = 2 * sum(np.mean(np.log1p(np.exp(-s))) for s in (told, on_y))
    np.testing.assert_allclose(found["discriminator"], expected, rtol=1e-4)


def test_style_given_class_does_not_change_the_class():
    """The encoder has to fit z to y, not y to z."""
    model = tiny.quiet_aae(**given_class(generator_y_weight=0.0))
    batch = model.prepare(tiny.batch(), training=True)
    y_head = model.encoder.y_head.trainable_variables
    _, gradients = value_and_grad(
        lambda: model.generator_loss(batch, training=True),
        [*y_head, *model.encoder.z_head.trainable_variables],
        [*model.variables],
    )
    for gradient in gradients[: len(y_head)]:
        assert gradient is None or not np.any(to_numpy(gradient))
    assert np.any(to_numpy(gradients[-1]))


def test_style_given_class_needs_a_discriminator_of_both_codes():
    with pytest.raises(ValueError, match="discriminator_z"):
        tiny.aae(style_given_class=True)


def test_reconstruction_loss_is_the_one_named():
    model, batch, found, codes = losses_of(reconstruction_loss="squared_error_mean")
    distances = half_distance(model, batch["x"], *codes["x"])
    np.testing.assert_allclose(found["reconstruction"], distances.mean() / 8, rtol=1e-4)


def test_classification_loss_is_minus_log_of_the_labels_probability():
    _, batch, found, codes = losses_of()
    y = codes["x_labelled"][0][np.arange(6), to_numpy(batch["y_labelled"])]
    np.testing.assert_allclose(found["classification"], -np.log(y).mean(), rtol=1e-4)


def test_vat_weight_adds_that_share_of_the_virtual_adversarial_loss(fixed_normal):
    *_, without, _ = losses_of()
    model, batch, one, _ = losses_of(vat_weight=1.0, vat_radius=2.0)
    *_, three, _ = losses_of(vat_weight=3.0, vat_radius=2.0)
    term = to_numpy(
        losses.virtual_adversarial_loss(model.encoder.classify, batch["x"], 0, 2.0)
    )
    assert term > 1e-4
    for found, weight in ((one, 1.0), (three, 3.0)):
        np.testing.assert_allclose(
            found["classification"],
            without["classification"] + weight * term,
            rtol=1e-5,
        )


def test_vat_looks_for_its_direction_at_the_probe_that_is_given(fixed_normal):
    *_, without, _ = losses_of()
    settings = {"vat_weight": 1.0, "vat_radius": 2.0}
    model, batch, far, _ = losses_of(**settings, vat_probe=5.0)
    *_, near, _ = losses_of(**settings)
    classify, x = model.encoder.classify, batch["x"]
    term = losses.virtual_adversarial_loss(classify, x, 0, radius=2.0, probe=5.0)
    expected = without["classification"] + to_numpy(term)
    np.testing.assert_allclose(far["classification"], expected, rtol=1e-5)
    assert abs(far["classification"] - near["classification"]) > 1e-6


def test_style_consistency_weight_adds_that_share_of_its_loss(fixed_normal):
    *_, without, _ = losses_of()
    model, batch, found, _ = losses_of(
        style_consistency_weight=3.0, style_consistency_scale=2.0
    )
    y_logits, z = model.encoder(batch["x"])
    term = losses.style_consistency_loss(
        model.encoder.classify,
        lambda y, z: model.decoder(ops.concatenate([y, z], axis=-1)),
        batch["x"],
        y_logits,
        z,
        seed=0,
        scale=2.0,
    )
    assert to_numpy(term) > 1e-4
    np.testing.assert_allclose(
        found["classification"],
        without["classification"] + 3.0 * to_numpy(term),
        rtol=1e-5,
    )


def test_reconstruction_may_leave_the_class_alone_and_costs_the_same():
    *_, found, _ = losses_of()
    model, batch, alone, _ = losses_of(reconstruction_trains_y=False)
    assert alone == found
    (phase,) = [p for p in model.phases() if p.name == "reconstruction"]
    y_head = {id(v) for v in model.encoder.y_head.trainable_variables}
    assert not y_head & {id(v) for v in phase.variables}
    assert {id(v) for v in model.encoder.trainable_variables} - y_head <= {
        id(v) for v in phase.variables
    }


def test_style_consistency_leaves_the_decoder_and_the_style_head_alone():
    shape, width = tiny.IMAGE_SHAPE, tiny.NUM_CLASSES + tiny.Z_DIM
    decoder = mlp_decoder(shape, width, hidden=(6,), batch_normalization=True)
    model = tiny.quiet_aae({"decoder": decoder}, style_consistency_weight=1.0)
    batch = model.prepare(tiny.batch(), training=True)
    still = [*decoder.trainable_variables, *model.encoder.z_head.trainable_variables]
    statistics = tiny.values(decoder.non_trainable_variables)
    _, gradients = value_and_grad(
        lambda: model.classification_loss(batch, training=True),
        [*still, *model.encoder.y_head.trainable_variables],
        [*model.variables, *model.error.variables],
    )
    for gradient in gradients[: len(still)]:
        assert gradient is None or not np.any(to_numpy(gradient))
    tiny.assert_equal(tiny.values(decoder.non_trainable_variables), statistics)


def test_the_regularizers_weights_rise_over_the_warm_up():
    model = compiled(tiny.quiet_aae(vat_weight=1.0, warm_up=4))
    shares = []
    for _ in range(6):
        prepared = model.prepare(tiny.batch(), training=True)
        shares.append(float(to_numpy(prepared["warmth"])))
        model.optimizer.count_step()
    assert shares == [0.0, 0.25, 0.5, 0.75, 1.0, 1.0]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("warm_up", -1),
        ("generator_y_weight", -1.0),
        ("generator_z_weight", float("nan")),
        ("vat_weight", -1.0),
        ("vat_radius", float("nan")),
        ("vat_probe", -1.0),
        ("vat_probe", 0.0),
        ("style_consistency_weight", -1.0),
        ("style_consistency_scale", float("inf")),
        ("input_noise", -0.1),
        ("averaging", 1.5),
        ("augmentation", {"rotation": 10.0}),
    ],
)
def test_settings_out_of_range_are_refused(name, value):
    with pytest.raises((TypeError, ValueError), match=f"`{name}`"):
        tiny.aae(**{name: value})


def test_blind_discriminators_score_four_log_two_and_half_right():
    model = compiled(tiny.quiet_aae())
    for network in (model.discriminator_z, model.discriminator_y):
        network.set_weights([0.0 * w for w in network.get_weights()])
    logs = model.evaluate(X, Y, return_dict=True, verbose=0)
    np.testing.assert_allclose(logs["discriminator"], 4 * LOG2, rtol=1e-5)
    np.testing.assert_allclose(logs["generator"], 2 * LOG2, rtol=1e-5)
    assert logs["discriminator_accuracy"] == 0.0  # a tie is not right


def test_discriminator_accuracy_is_the_share_of_draws_and_codes_told_right():
    model = compiled(tiny.quiet_aae())
    for network, bias in ((model.discriminator_z, 5.0), (model.discriminator_y, -5.0)):
        weights = [0.0 * w for w in network.get_weights()]
        network.set_weights([*weights[:-1], np.array([bias])])
    # z: all "prior", right on the draws; y: all "code", right on the codes.
    logs = model.evaluate(X, Y, return_dict=True, verbose=0)
    np.testing.assert_allclose(logs["discriminator_accuracy"], 0.5)


def seen_by(model, training=True):
    """For each phase, whether its images carry noise."""
    prepared = model.prepare(tiny.batch(), training=training)
    return {
        (phase, key): bool(
            np.any(
                to_numpy(model._view(prepared, key, phase)) != to_numpy(prepared[key])
            )
        )
        for phase in tiny.PHASES
        for key in ("x", "x_labelled")
    }


@pytest.mark.parametrize("noisy", [(), ("reconstruction",), tiny.PHASES])
def test_noise_is_seen_by_the_phases_named(noisy):
    seen = seen_by(tiny.aae(input_noise=0.3, noisy_phases=noisy))
    assert seen == {(phase, key): phase in noisy for phase, key in seen}


def test_noise_is_added_in_training_only():
    assert not any(seen_by(tiny.aae(input_noise=0.3), training=False).values())


def test_noise_has_the_stddev_it_was_given_and_the_phases_share_it():
    model = tiny.aae(input_noise=0.3)
    prepared = model.prepare(tiny.batch(n=2000), training=True)
    noise = to_numpy(prepared["x_noisy"]) - to_numpy(prepared["x"])
    np.testing.assert_allclose(noise.std(), 0.3, rtol=0.03)
    np.testing.assert_allclose(noise.mean(), 0.0, atol=0.01)


def test_target_of_the_reconstruction_is_clean():
    """A decoder that paints black is off by half the clean image's squared length."""
    model = tiny.aae(input_noise=0.3)
    black = [0.0 * w for w in model.decoder.get_weights()]
    model.decoder.set_weights([*black[:-1], np.full(16, -50.0)])
    prepared = model.prepare(tiny.batch(), training=True)
    loss = to_numpy(model.reconstruction_loss(prepared, training=True))
    clean = tiny.images(8, seed=1) / 255
    np.testing.assert_allclose(loss, 0.5 * np.sum(clean**2) / 8, rtol=1e-5)


# --- bad input --------------------------------------------------------------------


def network(take, give):
    x = keras.Input(take)
    return keras.Model(x, layers.Reshape(give)(layers.Dense(math.prod(give))(x)))


class NoSample:
    pass


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"encoder": "mlp"}, TypeError, "`encoder` must be a Keras model"),
        (
            {"encoder": keras.Sequential([layers.Dense(3)])},
            ValueError,
            "`encoder` must be built",
        ),
        (
            {"decoder": network((4,), (4, 4))},
            ValueError,
            r"`decoder` must take inputs of one fixed shape, \(None, 5\).*\(None, 4\)",
        ),
        (
            {"decoder": network((5,), (3, 3))},
            ValueError,
            r"`decoder` must give outputs .*\(None, 4, 4\).*\(None, 3, 3\)",
        ),
        (
            {"discriminator_z": network((3,), (1,))},
            ValueError,
            r"`discriminator_z` must take inputs .*\(None, 2\)",
        ),
        (
            {"discriminator_y": network((3,), (2,))},
            ValueError,
            r"`discriminator_y` must give outputs .*\(None, 1\)",
        ),
        ({"prior_z": NoSample()}, TypeError, "`prior_z` must have a method `sample"),
        (
            {"prior_y": tiny.Fixed([1.0, 2.0, 3.0])},
            ValueError,
            r"`prior_y.sample\(2\)` returned shape \(2,\)",
        ),
        (
            {"reconstruction_loss": "squared_error_means"},
            ValueError,
            "Did you mean 'squared_error_mean'",
        ),
        ({"generator_loss": "wgan"}, ValueError, "`generator_loss` must be one of"),
        (
            {"labelled_reconstruction": "onehot"},
            ValueError,
            "Did you mean 'one_hot'",
        ),
        (
            {"noisy_phases": ("reconstruct",)},
            ValueError,
            "`noisy_phases` must be one of .*Did you mean 'reconstruction'",
        ),
    ],
)
def test_parts_that_do_not_fit_are_refused(settings, error, message):
    with pytest.raises(error, match=message):
        tiny.aae(**settings)


def test_optimizers_of_other_phases_are_refused():
    with pytest.raises(ValueError, match=r"The model has \['reconstruction', "):
        tiny.aae().compile({"reconstruction": "sgd"})


def test_mixed_float16_is_refused_with_its_reason():
    with pytest.raises(ValueError, match="LossScaleOptimizer.*mixed_bfloat16"):
        tiny.aae(dtype="mixed_float16").compile(tiny.sgd())


def test_fit_before_compile_is_refused():
    with pytest.raises(ValueError, match="compile"):
        fit(tiny.aae(), tiny.dataset())


@pytest.mark.parametrize("y", [None, Y])
def test_fit_on_arrays_is_refused_with_the_way_out(y):
    model = compiled(tiny.aae())
    with pytest.raises(ValueError, match=r"SemiSupervisedDataset\(x, y\)"):
        model.fit(X, y)


class Changed(keras.utils.PyDataset):
    """One batch with entries changed."""

    def __init__(self, **entries):
        super().__init__()
        self.batch = {**tiny.dataset()[0], **entries}

    def __len__(self):
        return 1

    def __getitem__(self, index):
        return {key: value for key, value in self.batch.items() if value is not None}


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"y_labelled": None}, r"entries.*Received a batch with \['x', 'x_labelled'\]"),
        (
            {"x_labelled": np.zeros((6, 5, 5))},
            r"batch\['x_labelled'\] with images of shape \(5, 5\)",
        ),
        ({"y_labelled": np.full(6, 3)}, r"must hold classes 0..2.*Received 3"),
        ({"y_labelled": np.full(6, -1)}, r"must hold classes 0..2.*Received -1"),
        ({"y_labelled": np.eye(6)}, "One-hot labels"),
        ({"y_labelled": np.zeros(5, int)}, "6 images and 5 labels"),
    ],
)
def test_batches_that_do_not_fit_are_refused(entries, message):
    with pytest.raises((TypeError, ValueError), match=message):
        fit(compiled(tiny.aae()), Changed(**entries))


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (None, "y=None"),
        (Y[:5], "10 images and 5 labels"),
        (np.where(Y == 2, -1, Y), r"classes 0..2.*Received -1"),
        (Y + 1, r"classes 0..2.*Received 3"),
        (np.eye(3)[Y], "One-hot labels"),
    ],
)
def test_labels_that_do_not_fit_are_refused_in_evaluation(y, message):
    with pytest.raises(ValueError, match=message):
        compiled(tiny.aae()).evaluate(X, y)


@pytest.mark.parametrize("what", ["predict", "encode", "reconstruct"])
def test_images_that_do_not_fit_are_refused(what):
    with pytest.raises(ValueError, match=r"images of shape \(4, 4\)"):
        getattr(tiny.aae(), what)(np.zeros((2, 5, 5)))
    with pytest.raises(ValueError, match="divide by 255"):
        getattr(tiny.aae(), what)(np.full((2, 4, 4), 255.0))


@pytest.mark.parametrize(
    ("y", "z"), [(np.eye(4), np.zeros((4, 2))), (np.eye(3), np.zeros((2, 2)))]
)
def test_codes_that_do_not_fit_are_refused(y, z):
    with pytest.raises(
        ValueError, match=r"y of shape \(n, 3\) and z of shape \(n, 2\)"
    ):
        tiny.aae().decode(y, z)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"label": 3}, r"`label` must hold classes 0..2"),
        ({"label": [0, 1]}, "4 images and 2 labels in `label`"),
        ({"style": [1.0, 2.0, 3.0]}, r"`style`.*\(2,\)"),
    ],
)
def test_labels_and_styles_that_do_not_fit_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        tiny.aae().sample(4, **arguments)
