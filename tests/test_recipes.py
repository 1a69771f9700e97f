"""Named settings: the published values, printing, and what they build."""

import dataclasses
import json

import keras
import numpy as np
import pytest
import tiny

from keras_saae import callbacks, recipes
from keras_saae.models.semi_supervised_aae import PHASES
from keras_saae.networks import RandomAffine
from keras_saae.priors import Categorical

NO_ABLATIONS = [name for name in recipes.RECIPES if not name.startswith("without")]
NARROW = {
    "hidden": (6,),
    "discriminator_z_hidden": (6,),
    "discriminator_y_hidden": (6,),
    "discriminator_hidden": (6,),
    "head_hidden": (6,),
    "filters": None,
    "z_dim": 2,
    "batch_size": 8,
    "labelled_batch_size": 6,
}
MNIST_UPDATES = 60_000 // 100  # in an epoch of all training images


def narrow(name, **changes):
    recipe = recipes.get(name)
    sizes = {key: value for key, value in NARROW.items() if hasattr(recipe, key)}
    if name in ("paper_mixture_vae", "mixture_vae", "mixture_vae_small"):
        del sizes["z_dim"]  # one for each class
    return dataclasses.replace(recipe, **{**sizes, **changes})


def trained_parts(name):
    """What the recipes of a second step want of the first."""
    if "m1_m2" in name:
        m1 = narrow("m1").build((4, 4))
        return {"code_encoder": m1.encoder, "code_decoder": m1.decoder, "kept": [1]}
    if name.removesuffix("_small") == "adversarial_vae":
        first = narrow("encoder_classifier").build((4, 4), 3)
        return {"encoder": first.encoder, "y_head": first.y_head}
    return {}


def narrow_model(name, epochs=2000, **changes):
    return narrow(name, **changes).model(tiny.dataset(num_classes=3), epochs)


def rate(optimizer):
    return float(keras.ops.convert_to_numpy(optimizer.learning_rate))


# Published values


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("hidden", (1000, 1000)),
        ("discriminator_z_hidden", (1000, 1000)),
        ("discriminator_y_hidden", (1000, 1000)),
        ("activation", "relu"),
        ("z_dim", 10),
        ("reconstruction_loss", "half_squared_error_sum"),
        ("input_noise", 0.3),
        ("discriminator_noise", 0.0),
        ("dropout", 0.0),
        ("encoder_batch_normalization", False),
        ("head_batch_normalization", False),
        ("decoder_batch_normalization", False),
        ("discriminator_batch_normalization", False),
        ("vat_weight", 0.0),
        ("averaging", None),
        ("drop_epochs", (50, 1000)),
        ("decay_from", None),
        ("batch_size", 100),
        ("updates", 5000 * MNIST_UPDATES),
    ],
)
def test_paper_recipe_holds_the_papers_settings(setting, value):
    assert getattr(recipes.get("paper"), setting) == value


def test_paper_recipe_names_its_sections():
    source = recipes.get("paper").source
    assert "1511.05644" in source and "appendix A" in source


def test_paper_recipe_builds_the_papers_optimizers():
    optimizer = narrow_model("paper").optimizer
    rates = {phase: (rate(o), o.momentum) for phase, o in optimizer.by_phase.items()}
    assert rates == {
        "reconstruction": (pytest.approx(0.01), 0.9),
        "discriminator": (pytest.approx(0.1), 0.1),
        "generator": (pytest.approx(0.1), 0.1),
        "classification": (pytest.approx(0.1), 0.9),
    }
    assert all(isinstance(o, keras.optimizers.SGD) for o in optimizer.optimizers)


def test_paper_recipe_draws_all_weights_from_a_normal_of_width_001():
    model = narrow("paper", hidden=(100, 100), z_dim=10).build((8, 8), 10)
    for network in (model.encoder, model.decoder):
        for weight in network.trainable_weights:
            values = keras.ops.convert_to_numpy(weight)
            if values.ndim == 1:
                assert not values.any(), weight.path  # offsets
            else:
                assert np.std(values) == pytest.approx(0.01, rel=0.15), weight.path


def test_paper_recipe_drops_all_rates_at_epochs_50_and_1000():
    (drops,) = recipes.get("paper").callbacks()
    assert isinstance(drops, callbacks.LearningRateDrops)
    assert (drops.epochs, drops.updates, drops.factor) == ([50, 1000], None, 0.1)
    assert drops.phases is None


def test_adamw_recipe_holds_the_second_preset():
    recipe = recipes.get("adamw")
    assert recipe.optimizers.keys() == set(PHASES)
    for settings in recipe.optimizers.values():
        assert settings == {"class_name": "AdamW", "learning_rate": 0.001}
    assert recipe.input_noise == 0.3
    assert (recipe.drop_epochs, recipe.decay_from) == (None, None)
    assert recipe.updates == 40_000
    (drops,) = recipe.callbacks()
    assert (drops.epochs, drops.updates, drops.factor) == (None, [1000, 20_000], 0.1)


# Every recipe


@pytest.mark.parametrize("name", recipes.RECIPES)
def test_printing_shows_every_setting_and_the_source(name):
    recipe = recipes.get(name)
    assert recipe.name == name
    printed = str(recipe)
    assert recipe.source in printed
    lines = {line.split("  ")[1]: line for line in printed.splitlines()[1:]}
    settings = recipe.settings()
    for phase, optimizer in settings.pop("optimizers").items():
        line = lines.pop(f"optimizer of {phase}")
        for key, value in optimizer.items():
            assert str(value) in line, key
    for key in set(settings) - {"name", "source"}:
        assert key in lines
    assert f"{recipe.updates}" in lines["updates"]


@pytest.mark.parametrize("name", recipes.RECIPES)
def test_settings_are_json_with_one_entry_per_field(name):
    recipe = recipes.get(name)
    settings = json.loads(json.dumps(recipe.settings()))
    assert settings.keys() == {field.name for field in dataclasses.fields(recipe)}
    assert settings["hidden"] == list(recipe.hidden)


@pytest.mark.parametrize("name", [*NO_ABLATIONS, "without_reconstruction"])
def test_recipe_builds_a_model_that_trains(name):
    recipe = narrow(name, drop_epochs=None, drop_updates=None)
    dataset = recipe.dataset(tiny.images(24), tiny.dataset().y, seed=3)
    assert dataset.batch_size == 8
    assert getattr(dataset, "labelled_batch_size", 6) == 6
    assert dataset.seed == 3
    model = recipe.model(dataset, epochs=1, **trained_parts(name))
    model.run_eagerly = True  # each model's compiled steps have their own tests
    history = model.fit(dataset, epochs=1, callbacks=recipe.callbacks(), verbose=0)
    assert all(np.isfinite(history.history[phase][0]) for phase in recipe.optimizers)


def test_unknown_recipe_is_refused_with_a_suggestion():
    with pytest.raises(ValueError, match="Received: 'papper'. Did you mean 'paper'?"):
        recipes.get("papper")


def test_recipe_has_the_prior_that_it_names():
    prior = narrow("aae", prior="categorical").build((6, 6)).prior
    assert isinstance(prior, Categorical) and prior.width == NARROW["z_dim"]


@pytest.mark.parametrize("name", ["aae", "label_informed"])
def test_unknown_prior_is_refused_with_a_suggestion(name):
    with pytest.raises(ValueError, match="'swissroll'. Did you mean 'swiss_roll'"):
        narrow(name, prior="swissroll").build((6, 6), 3)


@pytest.mark.parametrize("name", ["clustering", "dimensionality_reduction_unlabelled"])
def test_fewer_than_two_clusters_are_refused(name):
    with pytest.raises(ValueError, match="`num_clusters`.*at least 2. Received 1"):
        narrow(name, num_clusters=1).build((6, 6))


@pytest.mark.parametrize("name", ["label_informed", "supervised", "default"])
def test_missing_labels_are_named(name):
    with pytest.raises(ValueError, match="Labels are missing: pass y"):
        recipes.get(name).dataset(tiny.images(200), None)


@pytest.mark.parametrize(
    ("name", "dataset", "found"),
    [
        ("default", "digits", "default_small"),
        ("clustering", "digits", "clustering_small"),
        ("default", "mnist", "default"),
        ("default", None, "default"),
        ("default_small", "digits", "default_small"),
        ("paper", "digits", "paper"),  # it has no sibling
    ],
)
def test_small_data_gets_the_small_sibling_where_there_is_one(name, dataset, found):
    assert recipes.get(name, dataset) is recipes.get(found)


# Length of a run


def test_epochs_are_as_many_as_the_updates_need():
    dataset = tiny.dataset()  # 3 updates an epoch
    assert narrow("paper", updates=9, passes=0).epochs(dataset) == 3
    assert narrow("paper", updates=10, passes=0).epochs(dataset) == 4


def test_falling_rates_reach_zero_at_the_end_of_the_run():
    model = narrow_model("paper", epochs=4, drop_epochs=None, decay_from=0.5)
    optimizer = model.optimizer["classification"]
    for update, expected in ((0, 0.1), (6, 0.1), (9, 0.05), (12, 0.0)):
        optimizer.iterations.assign(update)
        assert rate(optimizer) == pytest.approx(expected)


def test_constant_rates_stay_where_the_others_fall():
    optimizers = dict(recipes.get("paper").optimizers)
    optimizers["discriminator"] = {**optimizers["discriminator"], "constant": True}
    changes = {"drop_epochs": None, "decay_from": 0.5, "optimizers": optimizers}
    model = narrow_model("paper", epochs=4, **changes)
    for phase in PHASES:
        model.optimizer[phase].iterations.assign(12)
    found = {phase: rate(model.optimizer[phase]) for phase in PHASES}
    assert found == pytest.approx({**dict.fromkeys(PHASES, 0.0), "discriminator": 0.1})


def test_recipe_without_drops_needs_no_callback():
    assert narrow("paper", drop_epochs=None).callbacks() == []


@pytest.mark.parametrize(
    "drops",
    [{"drop_epochs": (1, 5)}, {"drop_epochs": None, "drop_updates": (3, 17)}],
)
def test_drops_that_the_run_never_reaches_are_warned_of(drops):
    with pytest.warns(UserWarning, match="milestones at epoch 5 are never reached"):
        narrow_model("paper", epochs=5, **drops)
    narrow_model("paper", epochs=6, **drops)


def test_two_schedules_at_once_are_refused():
    with pytest.raises(ValueError, match="drop_epochs and decay_from: choose one"):
        dataclasses.replace(recipes.get("default"), drop_epochs=(10,))


def test_a_changed_copy_leaves_the_recipe_as_it_was():
    def rate_of_default():
        return recipes.get("default").optimizers["classification"]["learning_rate"]

    before = rate_of_default()
    narrow("default").optimizers["classification"]["learning_rate"] = 7.0
    assert rate_of_default() == before


# Seeds


def test_seed_decides_the_weights_of_every_network():
    def kernels(seed):
        model = narrow("paper").build((4, 4), 3, seed)
        return tiny.values(w for w in model.trainable_weights if len(w.shape) == 2)

    first, again, other = kernels(0), kernels(0), kernels(1)
    tiny.assert_equal(first, again)
    assert not any(np.array_equal(a, b) for a, b in zip(first, other))
    assert not any(np.array_equal(a, b) for i, a in enumerate(first) for b in first[:i])


# The labels alone


def test_labels_only_recipe_learns_the_labels():
    recipe = dataclasses.replace(
        recipes.LABELS_ONLY, hidden=(16,), input_noise=0.0, batch_size=30, updates=200
    )
    x, y = tiny.images(30), tiny.labels(30)
    dataset = recipe.dataset(x, y)
    model = recipe.model(dataset)
    model.fit(dataset, epochs=recipe.epochs(dataset), verbose=0)
    assert np.mean(model.predict(x, verbose=0).argmax(axis=-1) == y) > 0.9


@pytest.mark.parametrize(
    ("passes", "updates"),
    # 9 labelled images in batches of 3: a pass is 3 updates.
    [(1, 12), (4, 12), (5, 15)],
)
def test_a_run_on_many_labels_is_as_long_as_the_passes_need(passes, updates):
    dataset = tiny.dataset(batch_size=24, labelled_batch_size=3)  # 1 update an epoch
    recipe = dataclasses.replace(recipes.LABELS_ONLY, updates=12, passes=passes)
    assert recipe.epochs(dataset) == updates


# Parts of one's own


def test_parts_of_ones_own_take_the_place_of_the_recipes():
    parts = tiny.networks()
    prior = Categorical(3, weights=[0.5, 0.25, 0.25])
    model = narrow("default").model(
        tiny.dataset(num_classes=3),
        epochs=1,
        encoder=parts["encoder"],
        prior_y=prior,
        vat_weight=0.5,
    )
    assert model.encoder.trunk is parts["encoder"]
    assert model.prior_y is prior
    assert model.vat_weight == 0.5
    assert model.vat_radius == recipes.get("default").vat_radius
    model.fit(tiny.dataset(num_classes=3), epochs=1, verbose=0)


def test_a_part_that_does_not_fit_is_refused():
    wide = tiny.networks()["decoder"]  # made for another z_dim
    with pytest.raises(ValueError, match="decoder"):
        narrow("default", z_dim=4).build((4, 4), 3, decoder=wide)


def test_filters_take_the_place_of_all_hidden_layers_but_the_encoders_last():
    model = narrow("default", filters=(2, 3), hidden=(7, 6, 5)).build((4, 4), 3)

    def widths(network, kind):
        return [
            getattr(layer, "filters", None) or layer.units
            for layer in network.layers
            if isinstance(layer, kind)
        ]

    assert widths(model.encoder.trunk, keras.layers.Conv2D) == [2, 3]
    assert widths(model.encoder.trunk, keras.layers.Dense) == [5]
    assert widths(model.decoder, keras.layers.Dense) == [5, 6, 7, 16]


def test_a_decoder_warp_ends_the_decoder():
    def names(**settings):
        decoder = narrow("supervised", **settings).build((4, 4), 3).decoder
        return {layer.name for layer in decoder.layers}

    assert names(decoder_warp=True) - names() >= {"moves", "warp", "retouch"}


def test_augmentation_is_built_from_its_arguments():
    model = narrow("default", augmentation={"rotation": 5.0}).build((4, 4), 3)
    assert model.augmentation.rotation == 5.0
    empty = narrow("default", augmentation={}).build((4, 4), 3)
    assert empty.augmentation.get_config() == RandomAffine().get_config()
    assert narrow("default").build((4, 4), 3).augmentation is None


def test_baselines_take_an_augmentation_too():
    recipe = narrow("vat", augmentation={"rotation": 5.0})
    dataset = tiny.dataset(num_classes=3)
    model = recipe.model(dataset, epochs=1)
    assert model.augmentation.rotation == 5.0
    history = model.fit(dataset, epochs=1, verbose=0)
    assert np.isfinite(history.history["loss"]).all()


def test_a_recipe_prints_its_augmentation():
    assert "(rotation=5.0)" in str(narrow("default", augmentation={"rotation": 5.0}))


def test_a_setting_of_the_recipe_is_no_part_of_the_model():
    with pytest.raises(TypeError, match="no argument z_dim.*dataclasses.replace"):
        narrow("default").build((4, 4), 3, z_dim=2)


def test_default_warms_its_regularizers_up():
    recipe = recipes.get("default")
    model = narrow("default").build((4, 4), 3)
    assert model.warm_up == recipe.warm_up == 500
    assert model.style_consistency_weight == recipe.style_consistency_weight == 2.0


@pytest.mark.parametrize(("epochs", "warm_up"), [(4, 3), (1000, 500)])
def test_a_warm_up_takes_at_most_a_quarter_of_the_run(epochs, warm_up):
    assert narrow_model("default", epochs).warm_up == warm_up  # 3 updates an epoch
    assert narrow("default").model(tiny.dataset(), epochs, warm_up=7).warm_up == 7


def test_an_ablation_is_default_but_for_what_it_names():
    default = recipes.get("default").settings()
    for name in set(recipes.RECIPES) - set(NO_ABLATIONS):
        changed = recipes.get(name).settings()
        assert {k for k in default if changed[k] != default[k]} > {"name", "source"}
    without_vat = recipes.get("without_vat").settings()
    changed = {k for k in default if without_vat[k] != default[k]}
    assert changed == {"name", "source", "vat_weight"}


# Recipes of variational models


@pytest.mark.parametrize("name", ["m1_m2", "adversarial_vae"])
def test_second_step_without_the_first_is_refused(name):
    recipe = narrow(name)
    dataset = recipe.dataset(tiny.images(24), tiny.dataset().y)
    with pytest.raises(TypeError, match="pass (code_)?encoder="):
        recipe.model(dataset)


@pytest.mark.parametrize(("given", "expected"), [(None, 9 / 24), (0.25, 0.25)])
def test_labels_of_m2_weigh_as_many_images_as_they_are(given, expected):
    recipe = narrow("paper_m2", labelled_weight=given)
    dataset = tiny.dataset(num_classes=3)
    assert recipe.model(dataset, epochs=1).labelled_weight == expected


def test_dimensions_kept_of_m1_may_be_an_array():
    parts = {**trained_parts("m1_m2"), "kept": np.array([0, 1])}
    assert narrow("m1_m2").build((4, 4), 3, **parts).kept == [0, 1]


def test_encoder_of_the_mixture_vae_has_four_convolutions_and_two_dense_layers():
    model = dataclasses.replace(
        recipes.get("paper_mixture_vae"), filters=(2, 2, 3, 3), hidden=(6, 5)
    ).build((8, 8), 3)
    for network, kind in (
        (model.encoder.trunk, keras.layers.Conv2D),
        (model.decoder, keras.layers.Conv2DTranspose),
    ):
        kinds = [type(layer) for layer in network.layers]
        assert kinds.count(kind) == 4
    assert model.encoder.trunk.output_shape == (None, 5)
    assert model.decoder.output_shape == (None, 8, 8)
    assert model.z_dim == 3
