"""What holds for each model of the family: phases, histories, saving, bad input.

`pytest tests/models --update-golden` rewrites the golden files, from whichever backend
it runs on; say in the commit why the numbers changed.
"""

import importlib.util
import json
import os
import pathlib
import subprocess
import sys
import types

import family
import keras
import numpy as np
import pytest
import tiny
from keras import ops

from keras_saae import losses
from keras_saae.data import LazyImages
from keras_saae.networks import RandomAffine, mlp_discriminator
from keras_saae.priors import (
    Categorical,
    Gaussian,
    GaussianMixture,
    SwissRoll,
    Uniform,
)

SMOOTH = {"vat_weight": 1.0, "style_consistency_weight": 1.0}
HEADS = {"head_batch_normalization": True, "averaging": 0.9, "warm_up": 4}

# Each model in the variants that list other phases or play another game.
VARIANTS = {
    "aae": ("aae", {}),
    "aae gaussian": ("aae", {"posterior": "gaussian"}),
    "aae universal": ("aae", {"posterior": "universal"}),
    "aae wasserstein": (
        "aae",
        {"discriminator_loss": "wasserstein", "gradient_penalty_weight": 0.1},
    ),
    "label_informed": ("label_informed", {}),
    "supervised": ("supervised", {"discriminator_loss": "least_squares"}),
    "supervised_given_class": ("supervised_given_class", {}),
    "clustering": ("clustering", {}),
    "clustering smooth": ("clustering", {**SMOOTH, **HEADS, "shares_weight": 1.0}),
    "clustering y alone": (
        "clustering",
        {"vat_weight": 1.0, "vat_probe": 5.0, "reconstruction_trains_y": False},
    ),
    "dimensionality_reduction": ("dimensionality_reduction", SMOOTH),
    "dimensionality_reduction y alone": (
        "dimensionality_reduction",
        {"reconstruction_trains_y": False},
    ),
    "dimensionality_reduction_unlabelled": (
        "dimensionality_reduction_unlabelled",
        {**SMOOTH, "discriminator_loss": "hinge"},
    ),
    "m1": ("m1", {}),
    "m1 gaussian": ("m1", {"likelihood": "gaussian"}),
    "m2": ("m2", {"labelled_weight": 0.5}),
    "m2 averaged": ("m2", {"averaging": 0.9, "classification_weight": 2.0}),
    "m2 sampled": ("m2", {"unlabelled": "sampled"}),
    "m2 grouped": ("m2", {"groups": [0, 1, 1]}),
    "stacked_m2": ("stacked_m2", {}),
    "gaussian_mixture_vae": ("gaussian_mixture_vae", {"divergence_weight": 0.5}),
    "gaussian_mixture_vae smooth": ("gaussian_mixture_vae", {"vat_weight": 1.0}),
    "variational_encoder_classifier": ("variational_encoder_classifier", {}),
    "semi_supervised_adversarial_vae": (
        "semi_supervised_adversarial_vae",
        {"beta": 0.1, "gamma": 0.1},
    ),
    "semi_supervised_adversarial_vae least squares": (
        "semi_supervised_adversarial_vae",
        {"beta": 0.1, "discriminator_loss": "least_squares"},
    ),
}
# Those that begin from a trained encoder, and see images as they are.
FROM_TRAINED = ("stacked_m2", "semi_supervised_adversarial_vae")
# Those with a decoder.
DRAWING = [name for name in family.NAMES if name != "variational_encoder_classifier"]
PRIORS_OF_CHOICE = family.PRIORS_BY_DRAWS
WITHOUT_LOGITS = ("aae", "label_informed", "supervised", "supervised_given_class", "m1")
CLASSIFYING = [name for name in family.NAMES if name not in WITHOUT_LOGITS]
ALL = pytest.mark.parametrize("variant", VARIANTS)


def fit(model, epochs=1, **kwargs):
    data = family.dataset(model)
    return model.fit(data, epochs=epochs, verbose=0, **kwargs).history


# --- phases -----------------------------------------------------------------------


@ALL
def test_phase_moves_exactly_the_weights_it_lists(variant):
    """So each of them gets a gradient, too: SGD moves by it alone."""
    name, settings = VARIANTS[variant]
    model = family.model(name, **settings)
    model.compile({p.name: keras.optimizers.SGD(0.0) for p in model.phases()})
    for phase in model.phases():
        for other in model.phases():
            rate = 1.0 if other.name == phase.name else 0.0
            model.optimizer[other.name].learning_rate = rate
        tiny.set_weights(model)
        model.optimizer.iterations.assign(10)  # past the warm-up
        before = tiny.values(model.trainable_variables)
        model.train_on_batch(family.batch(model))
        moved = {
            id(variable): variable.path
            for variable, value in zip(model.trainable_variables, before)
            if np.abs(tiny.values([variable])[0] - value).max() > 1e-7
        }
        listed = {id(v): v.path for v in phase.variables}
        if settings.get("discriminator_loss") in ("wasserstein", "hinge"):
            # An offset of all scores cancels; its gradient is there, and zero.
            moved, listed = without_offset(moved), without_offset(listed)
        assert moved == listed, phase.name


def without_offset(paths):
    return {key: path for key, path in paths.items() if path != "logit/bias"}


# --- the same everywhere ----------------------------------------------------------


@ALL
def test_history_and_weights_are_the_same_on_all_backends(variant, golden, fixed_draws):
    name, settings = VARIANTS[variant]
    model = family.compiled(family.quiet(name, **settings))
    x, *y = family.evaluation(model)
    history = fit(model, epochs=2, validation_data=(x, *y) if y else x)
    numbers = {key: [float(v) for v in values] for key, values in history.items()}
    for i, weight in enumerate(tiny.values(model.weights)):
        wave = np.cos(np.arange(weight.size))  # tells an exchange of two entries
        numbers[f"weight_{i}"] = [
            float(np.linalg.norm(weight)),
            float(wave @ weight.ravel()),
        ]
    golden("family_" + variant.replace(" ", "_"), numbers)


# --- saving -----------------------------------------------------------------------


@ALL
def test_saved_and_loaded_run_continues_exactly(variant, tmp_path):
    name, settings = VARIANTS[variant]
    augmented = {"input_noise": 0.1, "augmentation": RandomAffine()}
    if name in FROM_TRAINED:
        augmented = {}
    model = family.model(name, **{**settings, **augmented})
    family.compiled(
        model,
        lambda: keras.optimizers.Adam(0.01),
        run_eagerly=tiny.FEW_STEPS_RUN_EAGERLY,
    )
    fit(model)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    tiny.assert_equal(tiny.state(loaded), tiny.state(model))
    assert tiny.plain_settings(loaded) == tiny.plain_settings(model)
    histories = [fit(m, initial_epoch=1, epochs=2) for m in (model, loaded)]
    assert histories[0] == histories[1]
    tiny.assert_equal(tiny.state(loaded), tiny.state(model))


OTHER_BACKEND = {"tensorflow": "jax", "jax": "torch", "torch": "tensorflow"}
TRAIN_ELSEWHERE = """
import json, pathlib, sys, family, keras, tiny
keras.random.normal, keras.random.uniform = tiny.fixed_normal, tiny.fixed_uniform
for name in family.NAMES:
    model = family.compiled(family.quiet(name))
    data = family.dataset(model)
    model.fit(data, verbose=0)
    model.save(pathlib.Path(sys.argv[1], f"{name}.keras"))
    history = model.fit(data, initial_epoch=1, epochs=2, verbose=0).history
    outputs = model.predict(family.evaluation(model)[0], verbose=0).tolist()
    expected = {"history": history, "outputs": outputs}
    pathlib.Path(sys.argv[1], f"{name}.json").write_text(json.dumps(expected))
"""


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory):
    """Where another backend has left each model after an epoch, and what came next."""
    other = OTHER_BACKEND[keras.backend.backend()]
    if importlib.util.find_spec(other) is None:
        pytest.skip(f"{other} is not installed")
    folder = tmp_path_factory.mktemp(other)
    tests = pathlib.Path(tiny.__file__).parent
    path = os.pathsep.join([str(tests), str(tests.parent)])
    subprocess.run(
        [sys.executable, "-c", TRAIN_ELSEWHERE, str(folder)],
        env={**os.environ, "KERAS_BACKEND": other, "PYTHONPATH": path},
        check=True,
    )
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("name", family.NAMES)
def test_run_begun_on_another_backend_continues_here(name, elsewhere, fixed_draws):
    expected = json.loads((elsewhere / f"{name}.json").read_text(encoding="utf-8"))
    model = keras.saving.load_model(elsewhere / f"{name}.keras")
    assert int(model.optimizer.iterations.numpy()) == 3
    history = fit(model, initial_epoch=1, epochs=2)
    assert history.keys() == expected["history"].keys()
    for key, values in expected["history"].items():
        np.testing.assert_allclose(history[key], values, rtol=1e-4, err_msg=key)
    outputs = model.predict(family.evaluation(model)[0], verbose=0)
    np.testing.assert_allclose(outputs, expected["outputs"], atol=1e-5)


# --- mixed precision --------------------------------------------------------------


@pytest.mark.parametrize("name", family.NAMES)
def test_mixed_bfloat16_trains_with_weights_and_losses_in_float32(name, policy):
    policy("mixed_bfloat16")
    model = family.compiled(family.model(name), lambda: keras.optimizers.Adam(0.03))
    batch = model.prepare(family.batch(model), training=True)
    for phase in model.phases():
        loss = phase.loss(batch, training=True)
        assert keras.backend.standardize_dtype(loss.dtype) == "float32", phase.name
    assert {v.dtype for v in model.weights} == {"float32"}
    trunk = getattr(model.encoder, "trunk", model.encoder)
    assert "bfloat16" in {layer.compute_dtype for layer in trunk.layers}
    history = fit(model, epochs=4)
    fitted = model.phases()[0].name  # the reconstruction, a bound or the labels
    assert history[fitted][-1] < history[fitted][0]
    assert np.isfinite([values[-1] for values in history.values()]).all()
    drawn = [model.sample(2)] if hasattr(model, "sample") else []
    for images_or_codes in (model.predict(tiny.images(5), verbose=0), *drawn):
        assert images_or_codes.dtype == "float32"


# --- using ------------------------------------------------------------------------


@pytest.mark.parametrize("name", DRAWING)
def test_reconstructions_and_samples_are_images(name):
    model = family.model(name)
    x = tiny.images(5)
    y = (tiny.labels(5),) if name.startswith("supervised") else ()
    again = model.reconstruct(x, *y)
    drawn = model.sample(5, seed=1)
    assert again.shape == drawn.shape == x.shape
    assert 0 <= min(again.min(), drawn.min()) <= max(again.max(), drawn.max()) <= 1
    np.testing.assert_array_equal(drawn, model.sample(5, seed=1))
    assert np.any(drawn != model.sample(5, seed=2))


@pytest.mark.parametrize("name", CLASSIFYING)
def test_logits_of_images_are_what_their_probabilities_are_made_of(name):
    model = family.model(name)
    x = tiny.images(4).astype("float32") / 255.0
    logits = to_numpy(model.classify(ops.convert_to_tensor(x)))
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities = exponentials / exponentials.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(model.predict(x, verbose=0), probabilities, atol=1e-5)


@keras.saving.register_keras_serializable("tests")
class OnTheUnitCircle:
    """A prior that a user may write."""

    def sample(self, n, labels=None, seed=None):
        angle = 2 * np.pi * keras.random.uniform((n,), seed=seed)
        return ops.stack([ops.cos(angle), ops.sin(angle)], axis=-1)

    def get_config(self):
        return {}

    @classmethod
    def from_config(cls, config):
        return cls()


# --- bad input --------------------------------------------------------------------


class NoSample:
    pass


class KnowsNoLabels:
    def sample(self, n, seed=None):
        return keras.random.normal((n, 2), seed=seed)


class DrawsNumPy:
    def sample(self, n, labels=None, seed=None):
        return np.random.default_rng(seed).normal(size=(n, 2)).astype("float32")


@pytest.mark.parametrize("name", PRIORS_OF_CHOICE)
def test_custom_prior_that_a_compiled_step_would_draw_once_is_refused(name):
    key = family.prior_argument(name)
    with pytest.raises(TypeError, match=f"`{key}.*NumPy array.*with keras.random"):
        family.model(name, **{key: DrawsNumPy()})


@pytest.mark.parametrize("name", PRIORS_OF_CHOICE)
def test_custom_prior_without_sample_is_refused(name):
    key = family.prior_argument(name)
    with pytest.raises(TypeError, match=f"`{key}` must have a method `sample"):
        family.model(name, **{key: NoSample()})


class DrawsAList:
    def sample(self, n, labels=None, seed=None):
        return [[0.0, 0.0]] * n


class DrawsNaN:
    def sample(self, n, labels=None, seed=None):
        return ops.full((n, 2), np.nan)


class CannotBeSaved:
    def sample(self, n, labels=None, seed=None):
        return keras.random.normal((n, 2), seed=seed)


def test_custom_prior_that_cannot_be_saved_is_told_before_training():
    with pytest.warns(UserWarning, match="CannotBeSaved has no `get_config`"):
        family.model("aae", prior=CannotBeSaved())


class LeavesLabelsAside(GaussianMixture):
    def sample(self, n, labels=None, seed=None):
        return super().sample(n, seed=seed)


def test_custom_prior_that_draws_no_tensor_or_no_numbers_is_refused():
    with pytest.raises(TypeError, match="must return a tensor .* returned a list"):
        family.model("aae", prior=DrawsAList())
    with pytest.raises(ValueError, match="returned NaN or infinity"):
        family.model("aae", prior=DrawsNaN())


def test_prior_that_draws_from_other_parts_than_those_of_the_labels_is_refused():
    with pytest.raises(ValueError, match="does it leave `labels` aside"):
        family.model("label_informed", prior=LeavesLabelsAside(3))


def test_labels_of_a_draw_may_be_a_list():
    for prior in (GaussianMixture(3), SwissRoll(3), Categorical(3)):
        found = prior.class_of(prior.sample(3, labels=[2, 0, 1], seed=0))
        assert to_numpy(found).tolist() == [2, 0, 1]


def test_custom_prior_that_takes_no_labels_is_told_of_them():
    with pytest.raises(TypeError, match="must take these arguments.*'labels'"):
        family.model("aae", prior=KnowsNoLabels())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"posterior": "guassian"}, "'guassian'. Did you mean 'gaussian'"),
        ({"gradient_penalty_weight": -1.0}, "gradient_penalty_weight"),
    ],
)
def test_settings_of_an_aae_are_checked(settings, message):
    with pytest.raises(ValueError, match=message):
        family.model("aae", **settings)


@pytest.mark.parametrize("name", PRIORS_OF_CHOICE)
def test_prior_of_another_width_than_the_code_is_refused(name):
    key = family.prior_argument(name)
    with pytest.raises(ValueError, match=f"the draws of .*`{key}` have width.* 3. "):
        family.model(name, **{key: tiny.Fixed(np.zeros((4, 3)))})


@pytest.mark.parametrize("name", ["clustering", "dimensionality_reduction"])
def test_prior_of_another_number_of_classes_than_the_networks_is_refused(name):
    with pytest.raises(ValueError, match="`prior_y` and `prior_z` have widths 4 and"):
        family.model(name, prior_y=Categorical(4))


@pytest.mark.parametrize("name", ["clustering", "dimensionality_reduction"])
def test_fewer_than_two_clusters_are_refused(name):
    with pytest.raises(ValueError, match="`width of prior_y`.*at least 2. Received 1"):
        family.model(name, prior_y=tiny.Fixed(np.ones((4, 1))))


@pytest.mark.parametrize("name", ["label_informed", "supervised"])
def test_fewer_than_two_classes_are_refused(name):
    with pytest.raises(ValueError, match="`num_classes`.*at least 2. Received 1"):
        family.model(name, num_classes=1)


@pytest.mark.parametrize(
    "name",
    [
        "aae",
        "clustering",
        "dimensionality_reduction_unlabelled",
        "m1",
        "semi_supervised_adversarial_vae",
    ],
)
def test_labels_are_refused_by_models_that_take_none(name):
    model = family.compiled(family.model(name))
    with pytest.raises(ValueError, match="takes no labels"):
        model.fit(tiny.images(8), tiny.labels(8))
    with pytest.raises(ValueError, match="takes no labels"):
        model.fit(tiny.dataset())
    with pytest.raises(ValueError, match="takes no labels"):
        model.fit(tiny.images(8), validation_data=tiny.dataset())
    with pytest.raises(ValueError, match="takes no labels"):
        model.evaluate(tiny.dataset())
    with pytest.raises(ValueError, match="takes no labels"):
        model.fit({"x": tiny.images(8), "y_labelled": tiny.labels(8)}, verbose=0)
    pairs = types.SimpleNamespace(element_spec=(None, None))  # as tf.data has it
    with pytest.raises(ValueError, match="takes no labels"):
        model.fit(pairs, verbose=0)


@pytest.mark.parametrize(
    "name",
    [
        "label_informed",
        "supervised",
        "dimensionality_reduction",
        "m2",
        "gaussian_mixture_vae",
    ],
)
def test_missing_labels_are_named_where_a_model_needs_them(name):
    model = family.compiled(family.model(name))
    with pytest.raises(ValueError, match=r"SemiSupervisedDataset\(x, y\)"):
        model.fit(tiny.images(8))
    for batches in (family.dataset(family.model("aae")), {"x": tiny.images(8)}):
        with pytest.raises(ValueError, match="y_labelled.*Received a batch with"):
            model.fit(batches, verbose=0)
    with pytest.raises(ValueError, match="y_labelled.*Received a batch with"):
        model.train_on_batch(tiny.images(8))
    model.predict(tiny.images(2), verbose=0)  # nothing is lost


@pytest.mark.parametrize("name", ["label_informed", "supervised", "m2"])
def test_pairs_of_images_and_labels_are_no_training_batches(name):
    """Where -1 stands for no label, one of them would train the model."""
    x, y = tiny.images(8).astype("float32") / 255.0, np.full(8, -1)
    model = family.compiled(family.model(name))
    with pytest.raises(ValueError, match="dicts with the entries .*tuple"):
        model.fit(((x, y) for _ in "ab"), steps_per_epoch=1, shuffle=False, verbose=0)
    like_tf_data = types.SimpleNamespace(element_spec=(x, y))
    with pytest.raises(ValueError, match="dicts with the entries .*tuple"):
        model.fit(like_tf_data, verbose=0)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("reconstruction_loss", "squared_error_means"),
        ("discriminator_loss", "hinges"),
        ("input_noise", -0.1),
        ("augmentation", {"rotation": 10.0}),
    ],
)
@pytest.mark.parametrize("name", PRIORS_OF_CHOICE)
def test_settings_that_do_not_exist_are_refused(name, setting, value):
    with pytest.raises((TypeError, ValueError), match=f"`{setting}`"):
        family.model(name, **{setting: value})


# --- what each model is about -----------------------------------------------------


def to_numpy(tensor):
    return np.asarray(ops.convert_to_numpy(tensor))


def test_decoder_of_the_supervised_model_gets_the_true_class():
    model = family.quiet("supervised")
    x, y = tiny.images(6), tiny.labels(6)
    expected = model.decode(np.eye(3)[y], model.encode(x))
    np.testing.assert_allclose(model.reconstruct(x, y), expected, atol=1e-6)
    batch = model.prepare(tiny.batch(), training=True)
    loss = to_numpy(model.reconstruction_loss(batch, training=True))
    labelled = tiny.images(6, seed=2)
    distance = model.reconstruct(labelled, y) - labelled / 255
    np.testing.assert_allclose(loss, 0.5 * np.sum(distance**2) / 6, rtol=1e-4)


def test_styles_given_the_class_play_beside_it():
    discriminator = mlp_discriminator(family.Z + family.K, "wide", hidden=(6,), seed=0)
    model = family.quiet(
        "supervised", discriminator=discriminator, style_given_class=True
    )
    batch = model.prepare(tiny.batch(), training=True)
    y = np.eye(family.K)[tiny.labels(6)]

    def log_loss(z, sign):  # of six rows, each beside its labelled image's class
        logits = to_numpy(discriminator(np.concatenate([z, y], axis=1)))
        return np.mean(np.log1p(np.exp(-sign * logits)))

    z = model.encode(tiny.images(6, seed=2))
    found = to_numpy(model.generator_loss(batch, training=True))
    np.testing.assert_allclose(found, log_loss(z, 1), rtol=1e-4)
    found = to_numpy(model.discriminator_loss(batch, training=True))
    expected = log_loss(model.prior.rows[:6], 1) + log_loss(z, -1)
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_style_given_class_needs_a_discriminator_of_both():
    with pytest.raises(ValueError, match="discriminator"):
        family.model("supervised", style_given_class=True)


@pytest.mark.parametrize("name", ["clustering", "dimensionality_reduction_unlabelled"])
def test_shares_weight_adds_that_share_of_its_loss(name):
    model = family.quiet(name, shares_weight=3.0)
    batch = model.prepare(tiny.batch(), training=True)
    logits, _ = model.encoder(batch["x"], training=True)
    expected = 3.0 * losses.shares_loss(logits, model.prior_y.rows[:8])
    assert to_numpy(expected) > 2.0
    found = model.invariance_loss(batch, training=True)
    np.testing.assert_allclose(to_numpy(found), to_numpy(expected), rtol=1e-5)


def test_label_informed_game_has_unlabelled_images_and_then_labelled_ones():
    model = family.quiet("label_informed")
    batch = model.prepare(tiny.batch(), training=True)
    z, labels = model._codes(batch, training=True)
    expected = [-1] * 8 + tiny.labels(6).tolist()
    np.testing.assert_array_equal(to_numpy(labels), expected)
    x = np.concatenate([tiny.images(8, seed=1), tiny.images(6, seed=2)])
    np.testing.assert_allclose(to_numpy(z), model.encode(x), atol=1e-5)


def test_prior_of_another_number_of_parts_than_classes_is_refused():
    with pytest.raises(ValueError, match="`prior` of 5 parts for num_classes=3"):
        family.model("label_informed", prior=GaussianMixture(5))


def test_classes_own_stretches_of_a_swiss_roll_that_is_saved_with_the_model(tmp_path):
    model = family.compiled(family.model("label_informed", prior=SwissRoll(3)))
    assert np.isfinite(fit(model)["loss"]).all()
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    drawn = model.sample(2, label=1, seed=0)
    np.testing.assert_allclose(again.sample(2, label=1, seed=0), drawn, atol=1e-6)
    assert isinstance(again.prior, SwissRoll)


def test_categorical_prior_of_another_number_of_classes_is_refused():
    with pytest.raises(ValueError, match="`prior` of 2 parts for num_classes=3"):
        family.model("label_informed", prior=Categorical(2))


def test_prior_that_classes_own_no_parts_of_is_refused_where_they_have_to():
    with pytest.raises(TypeError, match=r"part of `prior`.*`class_of\(z\)`"):
        family.model("label_informed", prior=Gaussian(2))


def test_label_chooses_the_class_of_a_categorical_prior():
    model = family.model("aae", prior=Categorical(2))
    drawn = model.sample(2, label=1, seed=0)
    np.testing.assert_allclose(drawn, model.decode([[0, 1], [0, 1]]), atol=1e-6)
    assert to_numpy(model.prior.class_of(np.eye(2))).tolist() == [0, 1]
    with pytest.raises(ValueError, match="`label`.* 5"):
        model.sample(2, label=5)


def test_label_of_a_prior_without_classes_is_refused():
    with pytest.raises(ValueError, match="own no parts of Gaussian"):
        family.model("aae").sample(2, label=1)


@pytest.mark.parametrize(
    "prior",
    [Uniform(2), GaussianMixture(3), SwissRoll(3), Categorical(2), OnTheUnitCircle()],
    ids=lambda prior: type(prior).__name__,
)
def test_aae_plays_against_any_prior_and_keeps_it_when_saved(prior, tmp_path):
    model = family.compiled(family.model("aae", prior=prior))
    history = model.fit(family.dataset(model), epochs=1, verbose=0).history
    assert np.isfinite(history["loss"]).all()
    drawn = model.sample(3, seed=0)
    np.testing.assert_allclose(  # the images of the prior's own draws
        drawn, model.decode(to_numpy(prior.sample(3, seed=0))), atol=1e-6
    )
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(again.sample(3, seed=0), drawn, atol=1e-6)


def test_points_of_the_plane_are_head_plus_style():
    model = family.model("dimensionality_reduction", head_distance=2.0)
    x = tiny.images(5)
    y, z = model.encode(x)
    points = y @ to_numpy(model.heads) + z
    np.testing.assert_allclose(model.transform(x), points, atol=1e-5)
    np.testing.assert_allclose(
        model.inverse_transform(points), model.reconstruct(x), atol=1e-5
    )
    with pytest.raises(ValueError, match=r"`points`.*\(n, 2\).*\(5, 3\)"):
        model.inverse_transform(np.zeros((5, 3)))


def test_heads_are_drawn_alike_on_all_backends(monkeypatch):
    monkeypatch.setattr(tiny, "set_weights", lambda model: None)  # not by the test
    model = family.model("dimensionality_reduction", head_distance=3.0, seed=5)
    expected = 3.0 * np.random.default_rng(5).standard_normal((3, 2), "float32")
    np.testing.assert_allclose(to_numpy(model.heads), expected, rtol=1e-6)


def test_heads_that_are_too_close_cost_their_distance_times_its_weight():
    far, near = (
        family.quiet("dimensionality_reduction", head_distance=d) for d in (0.0, 9.0)
    )
    heads = np.array([[0, 0], [3, 4], [0, 12]], "float32")  # 5, 12, 8.544 apart
    losses = []
    for model in (far, near):
        model.heads.assign(heads)
        batch = model.prepare(tiny.batch(), training=True)
        losses.append(to_numpy(model.reconstruction_loss(batch, training=True)))
    missing = (9 - 5) + (9 - np.sqrt(73))
    np.testing.assert_allclose(losses[1] - losses[0], missing, rtol=1e-4)


@pytest.mark.parametrize("posterior", ["deterministic", "gaussian", "universal"])
def test_codes_are_drawn_where_the_posterior_leaves_a_choice(posterior):
    model = family.model("aae", posterior=posterior)
    x = tiny.images(5)
    np.testing.assert_array_equal(model.encode(x), model.encode(x))
    np.testing.assert_array_equal(model.encode(x, seed=1), model.encode(x, seed=1))
    differ = np.any(model.encode(x, seed=1) != model.encode(x, seed=2))
    assert differ == (posterior != "deterministic")


@pytest.mark.parametrize("seed", [None, 1])
def test_codes_of_lazy_images_are_those_of_an_array(seed):
    model = family.model("aae", posterior="universal")
    x = tiny.images(5)
    images = LazyImages(range(5), x.__getitem__, tiny.IMAGE_SHAPE)
    found, expected = model.encode(images, seed=seed), model.encode(x, seed=seed)
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_gaussian_posterior_has_the_mean_and_deviation_of_its_head():
    model = family.model("aae", posterior="gaussian")
    x = np.repeat(tiny.images(1), 4000, axis=0)
    z = model.encode(x, seed=0)
    features = model.encoder.trunk(ops.convert_to_tensor(x[:1] / 255, "float32"))
    mean, log_variance = np.split(to_numpy(model.encoder.head(features))[0], 2)
    deviation = np.exp(log_variance / 2)
    np.testing.assert_allclose(z.mean(axis=0), mean, atol=4 * deviation.max() / 63)
    np.testing.assert_allclose(z.std(axis=0), deviation, rtol=0.05)
    np.testing.assert_allclose(model.encode(x[:1])[0], mean, atol=1e-5)
