"""Classifiers that learn from labels of sub-classes and of main classes alike."""

import keras
import numpy as np
import pytest
import tiny
from keras import ops

from keras_saae import losses, recipes
from keras_saae.data import SemiSupervisedDataset, group_probabilities

GROUPS = [0, 1, 1]  # sub-class 0 | sub-classes 1 and 2
X, Y = tiny.images(24), tiny.labels(24)
LABELS = np.array([0, 1, 2, 3, 4, 4] * 2 + [-1] * 12)  # 3 and 4 are main classes
MODELS = {"neural_network": tiny.neural_network, "aae": tiny.quiet_aae}
EVERY = pytest.mark.parametrize("make", MODELS.values(), ids=MODELS.keys())


def dataset():
    return SemiSupervisedDataset(X, LABELS, 12, 12, groups=GROUPS)


def compiled(model):
    model.compile({p.name: keras.optimizers.Adam(0.03) for p in model.phases()})
    return model


@EVERY
def test_loss_is_the_grouped_cross_entropy(make):
    model = make(groups=GROUPS)
    labels = ops.convert_to_tensor(np.array([0, 1, 2, 3, 4, 4], "int32"))
    batch = model.prepare({**tiny.batch(), "y_labelled": labels}, training=False)
    found = model.classification_loss(batch, training=False)
    y_logits, _ = model.encoder(batch["x_labelled"])
    expected = losses.grouped_classification_loss(labels, y_logits, GROUPS)
    np.testing.assert_allclose(
        ops.convert_to_numpy(found), ops.convert_to_numpy(expected), rtol=1e-5
    )


@EVERY
def test_both_levels_are_learnt(make):
    model = compiled(make(groups=GROUPS))
    history = model.fit(dataset(), epochs=60, verbose=0, validation_data=(X, Y))
    assert history.history["classification"][-1] < history.history["classification"][0]
    probabilities = model.predict(X, verbose=0)
    main = group_probabilities(probabilities, GROUPS).argmax(axis=1)
    assert np.mean(main != np.array(GROUPS)[Y]) < 0.1


@EVERY
def test_groups_are_saved(make, tmp_path):
    model = compiled(make(groups=GROUPS))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.groups == GROUPS
    loaded.fit(dataset(), verbose=0)


@EVERY
def test_main_labels_are_refused_without_groups(make):
    with pytest.raises(ValueError, match=r"`y_labelled` must hold classes 0\.\.2"):
        compiled(make()).fit(dataset(), verbose=0)


@EVERY
@pytest.mark.parametrize("groups", [[0, 1], [0, 2, 2], [0.0, 1.0, 1.0]])
def test_groups_that_leave_a_class_out_are_refused(make, groups):
    with pytest.raises(ValueError, match="`groups` must hold one main class for each"):
        make(groups=groups)


def test_main_class_has_no_one_hot_code_to_reconstruct_from():
    with pytest.raises(ValueError, match="have no one-hot code"):
        tiny.aae(groups=GROUPS, labelled_reconstruction="one_hot")


def test_recipe_hands_the_model_the_groups_of_its_data():
    model = recipes.get("default_small").model(dataset(), epochs=1)
    assert model.groups == GROUPS


def test_model_of_classes_alone_refuses_data_with_main_classes():
    recipe = recipes.get("mixture_vae_small")
    with pytest.raises(TypeError, match="GaussianMixtureVAE .* cannot use `groups`"):
        recipe.model(dataset(), epochs=1)


def test_data_set_deals_main_classes_like_classes():
    found = dataset()
    assert found.num_classes == 3
    assert found.labelled_counts.tolist() == [2, 2, 2, 2, 4]
    assert sorted(set(found[0]["y_labelled"].tolist())) == [0, 1, 2, 3, 4]


def test_data_set_refuses_labels_beyond_its_main_classes():
    with pytest.raises(ValueError, match=r"`y` must hold classes 0\.\.4"):
        SemiSupervisedDataset(X, LABELS + 1, 12, 12, groups=GROUPS)


@pytest.mark.parametrize(("logits", "error"), [([0, 0, 9], 0), ([9, 0, 0], 100)])
def test_any_sub_class_of_the_main_class_is_right(logits, error):
    y_logits = ops.convert_to_tensor(np.array([logits], "float32"))
    found = losses.errors(ops.convert_to_tensor([4]), y_logits, GROUPS)
    assert ops.convert_to_numpy(found).tolist() == [error]
