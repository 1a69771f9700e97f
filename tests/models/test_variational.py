"""Models with a variational bound: its value by hand, what users call, bad input."""

import family
import keras
import numpy as np
import pytest
import tiny
from keras import layers, ops

from keras_saae import losses
from keras_saae.data import SemiSupervisedDataset
from keras_saae.evaluation import SelectiveClassifier
from keras_saae.networks import StochasticEncoder, mlp_encoder, with_linear_head
from keras_saae.priors import Categorical, ClassGaussians

K, Z = tiny.NUM_CLASSES, tiny.Z_DIM
X, Y = tiny.images(12), tiny.labels(12)
GROUPS = [0, 1, 1]


def tensor(values):
    return ops.convert_to_tensor(np.asarray(values, "float32"))


def array(values):
    return np.asarray(ops.convert_to_numpy(values), "float64")


def prepared(model, batch=None):
    """The batch as the losses see it, at rest."""
    return model.prepare(batch or family.batch(model), training=False)


def loss_of(model, batch):
    (phase,) = model.phases()
    return float(array(phase.loss(batch, training=False)))


def normal_kl(mean, log_variance, prior_mean=0.0):
    terms = np.exp(log_variance) + (mean - prior_mean) ** 2 - 1 - log_variance
    return 0.5 * terms.sum(axis=-1)


def bernoulli(x, again):
    x, again = x.reshape(len(x), -1), again.reshape(len(x), -1)
    return -(x * np.log(again) + (1 - x) * np.log(1 - again)).sum(axis=1)


# --- M1 ---------------------------------------------------------------------------


def test_bound_of_m1_is_the_error_of_a_draw_and_its_divergence():
    model = family.model("m1")
    batch = prepared(model)
    mean, log_variance = map(array, model.encoder.moments(batch["x"]))
    z = mean + np.exp(log_variance / 2) * array(batch["noise"])
    again = array(model.decoder(tensor(z)))
    expected = bernoulli(array(batch["x"]), again) + normal_kl(mean, log_variance)
    np.testing.assert_allclose(loss_of(model, batch), expected.mean(), rtol=1e-5)


def test_features_of_m1_are_the_means_of_its_codes():
    model = family.model("m1")
    mean, _ = model.encoder.moments(tensor(X / 255.0))
    np.testing.assert_allclose(model.transform(X), array(mean), atol=1e-6)


def test_dimensions_in_use_are_those_whose_means_spread():
    model = family.model("m1")
    kernel, bias = model.encoder.head.trainable_variables
    moments = array(kernel)
    moments[:, 1] = 0.0  # the second mean is the same for every image
    kernel.assign(moments.astype("float32"))
    assert model.used_dimensions(X, spread=1e-3) == [0]
    with pytest.raises(ValueError, match="No dimension.*spread of 9.*largest is"):
        model.used_dimensions(X, spread=9)


# --- M2 ---------------------------------------------------------------------------


def bounds_by_hand(encoder, decoder, nll, shares, x, noise):
    """L(x, y) of each image and class, one class at a time."""
    columns = []
    for k in range(K):
        y = np.tile(np.eye(K)[k], (len(x), 1))
        features = encoder.trunk(tensor(x))
        mean, log_variance = map(array, encoder.moments(features, tensor(y)))
        z = mean + np.exp(log_variance / 2) * noise
        again = array(decoder(tensor(np.concatenate([y, z], axis=1))))
        bound = nll(x, again) - np.log(shares[k]) + normal_kl(mean, log_variance)
        columns.append(bound)
    return np.stack(columns, axis=1)


def bounds_of_m2(model, x, noise):
    shares = [0.5, 0.25, 0.25]
    return bounds_by_hand(model.encoder, model.decoder, bernoulli, shares, x, noise)


def m2_terms(**settings):
    """Model, its loss, and by hand: all L of both kinds, q(y|x) of both kinds."""
    model = family.model("m2", **settings)
    batch = prepared(model)
    terms = []
    for key in ("x", "x_labelled"):
        x = array(batch[key])
        bounds = bounds_of_m2(model, x, array(batch[f"{key}_noise"]))
        q = array(ops.softmax(model.encoder.classify(tensor(x))))
        terms.append((bounds, q))
    return loss_of(model, batch), terms, array(batch["y_labelled"]).astype(int)


def test_loss_of_m2_adds_both_bounds_and_the_cross_entropy():
    settings = {"labelled_weight": 0.5, "classification_weight": 3.0}
    loss, ((bounds, q), (of_labelled, q_labelled)), labels = m2_terms(**settings)
    unlabelled = (q * (bounds + np.log(q))).sum(axis=1).mean()
    rows = np.arange(len(labels))
    labelled = of_labelled[rows, labels].mean()
    cross_entropy = -np.log(q_labelled[rows, labels]).mean()
    expected = unlabelled + 0.5 * labelled + 3.0 * cross_entropy
    np.testing.assert_allclose(loss, expected, rtol=1e-5)


def darker(x, seed):
    del seed
    return 0.5 * x


def test_consistency_of_m2_compares_the_classes_of_two_views():
    model = family.model("m2", augmentation=darker, consistency_weight=3.0)
    batch = model.prepare(tiny.batch(), training=True)
    images = array(tiny.batch()["x"]) / 255
    np.testing.assert_allclose(array(batch["x_again"]), images / 2, atol=1e-6)
    batch["x_again"] = ops.ones_like(batch["x_again"])
    q, of_ones = (
        array(ops.softmax(model.encoder.classify(batch[key])))
        for key in ("x_noisy", "x_again")
    )
    with_term = loss_of(model, batch)
    del batch["x_again"]
    expected = 3 * (q * np.log(q / of_ones)).sum(axis=1).mean()
    assert with_term - loss_of(model, batch) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize(("label", "classes"), [(1, [1]), (3, [0]), (4, [1, 2])])
def test_image_of_a_main_class_is_bounded_over_its_sub_classes(label, classes):
    model = family.model("m2", groups=GROUPS, classification_weight=0.0)
    batch = {**tiny.batch(), "y_labelled": ops.full((6,), label, dtype="int32")}
    batch = prepared(model, batch)
    x, noise = array(batch["x_labelled"]), array(batch["x_labelled_noise"])
    bounds = bounds_of_m2(model, x, noise)[:, classes]
    q = array(ops.softmax(model.encoder.classify(tensor(x))))[:, classes]
    q = q / q.sum(axis=1, keepdims=True)
    expected = (q * (bounds + np.log(q))).sum(axis=1)
    found = model.labelled_bounds(
        model.encoder, batch, model.encoder.classify(tensor(x)), training=False
    )
    np.testing.assert_allclose(array(found), expected, rtol=1e-5)


def test_sampled_class_has_the_enumerated_bound_on_average():
    """Over many draws of y, for one image and one e."""
    model = family.model("m2", unlabelled="sampled", classification_weight=0.0)
    n = 4000
    x = np.repeat(tiny.images(1, seed=1), n, axis=0)
    noise = np.repeat([[0.3, -0.5]], n, axis=0)
    batch = {"x": tensor(x / 255.0), "x_noisy": tensor(x / 255.0)}
    batch["x_noise"] = tensor(noise)
    y_logits = model.encoder.classify(batch["x_noisy"])
    drawn, exact = (
        array(model.unlabelled_bounds(model.encoder, batch, y_logits, training))
        for training in (True, False)
    )
    assert len(np.unique(drawn.round(3))) == K
    error = drawn.std() / np.sqrt(n)
    np.testing.assert_allclose(drawn.mean(), exact[0], atol=4 * error)


def test_sampled_class_trains_the_classifier():
    settings = {"classification_weight": 0.0, "labelled_weight": 0.0}
    model = family.compiled(family.model("m2", unlabelled="sampled", **settings))
    before = tiny.values(model.encoder.classifier.trainable_variables)
    model.train_on_batch(family.batch(model))
    after = tiny.values(model.encoder.classifier.trainable_variables)
    assert all(np.abs(one - other).max() > 1e-6 for one, other in zip(before, after))


@pytest.mark.parametrize("name", ["m2", "stacked_m2"])
def test_style_of_an_image_is_that_of_its_likeliest_class(name):
    model = family.model(name)
    y, z = model.encode(X)
    np.testing.assert_allclose(y, model.predict(X, verbose=0), atol=1e-6)
    assert y.shape == (12, K) and z.shape == (12, Z)
    np.testing.assert_allclose(y.sum(axis=1), 1, atol=1e-5)
    assert model.class_style_grid(2).shape == (K, 2, *tiny.IMAGE_SHAPE)


def test_m2_learns_from_labels_of_both_levels():
    model = family.compiled(
        family.model("m2", groups=GROUPS, classification_weight=20.0),
        lambda: keras.optimizers.Adam(0.03),
    )
    labels = np.array([0, 1, 2, 3, 4, 4, 0, 1, 2, -1, -1, -1])
    dataset = SemiSupervisedDataset(X, labels, 12, 10, groups=GROUPS)
    history = model.fit(dataset, epochs=60, verbose=0, validation_data=(X, Y)).history
    assert history["error"][-1] == 0.0
    assert history["val_error"][-1] < 100 / 3


def test_main_labels_are_refused_without_groups():
    model = family.compiled(family.model("m2"))
    dataset = SemiSupervisedDataset(X, np.where(Y == 2, 4, Y), 8, 6, groups=GROUPS)
    with pytest.raises(ValueError, match=r"`y_labelled` must hold classes 0\.\.2"):
        model.fit(dataset, verbose=0)


# --- M1 + M2 ----------------------------------------------------------------------


def test_stacked_model_sees_the_codes_that_it_keeps():
    model = family.model("stacked_m2")
    batch = prepared(model)
    mean, _ = model.code_encoder.moments(tensor(array(family.batch(model)["x"]) / 255))
    np.testing.assert_allclose(array(batch["x"]), array(mean)[:, [3, 0, 1]], atol=1e-6)


def test_stacked_model_draws_its_codes_afresh_in_training():
    model = family.model("stacked_m2")
    first, second = (
        array(model.prepare(family.batch(model), training=True)["x"]) for _ in range(2)
    )
    assert np.all(first != second)


def gaussian(x, moments):
    mean, log_variance = np.split(moments, 2, axis=1)
    squares = (x - mean) ** 2 / np.exp(log_variance)
    return 0.5 * (np.log(2 * np.pi) + log_variance + squares).sum(axis=1)


def test_loss_of_the_stacked_model_adds_the_bounds_of_its_codes():
    settings = {"labelled_weight": 0.5, "classification_weight": 3.0}
    model = family.model("stacked_m2", **settings)
    batch = prepared(model)
    unlabelled, labelled = (
        bounds_by_hand(
            model.given_class,
            model.code_given_class,
            gaussian,
            np.full(K, 1 / K),
            array(batch[key]),
            array(batch[f"{key}_noise"]),
        )
        for key in ("x", "x_labelled")
    )
    q, q_labelled = (
        array(ops.softmax(model.given_class.classify(batch[key])))
        for key in ("x", "x_labelled")
    )
    labels = array(batch["y_labelled"]).astype(int)
    rows = np.arange(len(labels))
    expected = (
        (q * (unlabelled + np.log(q))).sum(axis=1).mean()
        + 0.5 * labelled[rows, labels].mean()
        - 3.0 * np.log(q_labelled[rows, labels]).mean()
    )
    np.testing.assert_allclose(loss_of(model, batch), expected, rtol=1e-5)


def test_stacked_model_compares_the_codes_of_two_views():
    settings = {"augmentation": darker, "consistency_weight": 1.0}
    model = family.model("stacked_m2", **settings)
    batch = model.prepare(family.batch(model), training=True)
    assert batch["x_again"].shape == batch["x"].shape
    assert np.all(array(batch["x_again"]) != array(batch["x"]))  # drawn for itself
    assert "x_again" not in prepared(model)


def test_stacked_model_draws_images_through_both_decoders():
    model = family.model("stacked_m2")
    y, z = np.eye(K), np.full((K, Z), 0.5)
    moments = array(model.code_given_class(tensor(np.concatenate([y, z], axis=1))))
    codes = np.zeros((K, 4))
    codes[:, [3, 0, 1]] = moments[:, :3]
    expected = array(model.code_decoder(tensor(codes)))
    np.testing.assert_allclose(model.decode(y, z), expected, atol=1e-6)


@pytest.mark.parametrize("kept", [[], [0, 0, 1], [0, 1, 4]])
def test_codes_that_cannot_be_kept_are_refused(kept):
    with pytest.raises(ValueError, match="`kept` names dimensions 0 to 3.*Received"):
        family.model("stacked_m2", kept=kept)


def test_stacked_model_needs_a_gaussian_encoder():
    trunk = mlp_encoder(tiny.IMAGE_SHAPE, hidden=(6,))
    with pytest.raises(TypeError, match="`code_encoder` must be a StochasticEncoder"):
        family.model("stacked_m2", code_encoder=StochasticEncoder(trunk, 4))


# --- the mixture VAE --------------------------------------------------------------


def test_labelled_codes_are_pulled_to_their_gaussian_and_others_to_the_mixture():
    model = family.model(
        "gaussian_mixture_vae", divergence_weight=0.5, labelled_divergence_weight=2.0
    )
    batch = prepared(model)
    x = np.concatenate([array(batch["x"]), array(batch["x_labelled"])])
    mean, log_variance = map(array, model.encoder.moments(tensor(x)))
    z = mean + np.exp(log_variance / 2) * array(batch["noise"])
    error = 0.5 * ((x - array(model.decoder(tensor(z)))) ** 2).sum(axis=(1, 2)).mean()
    means = np.sqrt(2) * np.eye(K)  # at distance 2
    each = normal_kl(mean[:, None], log_variance[:, None], means)
    labels = array(batch["y_labelled"]).astype(int)
    labelled = each[8:][np.arange(6), labels].mean()
    mixture = -np.log((np.exp(-each[:8]) * [0.5, 0.25, 0.25]).sum(axis=1)).mean()
    expected = error + 0.5 * mixture + 2.0 * labelled
    np.testing.assert_allclose(loss_of(model, batch), expected, rtol=1e-5)


def test_virtual_adversarial_training_of_the_mixture_vae_is_of_its_posterior():
    found, weights = [], (0.0, 3.0)
    for weight in weights:
        model = family.model("gaussian_mixture_vae", vat_weight=weight, vat_radius=0.5)
        batch = model.prepare(tiny.batch(), training=True)
        direction = int(array(model.seeds.state.value)[-1])  # where the draws stand
        (phase,) = model.phases()
        found.append(float(array(phase.loss(batch, training=True))))
    again = family.model("gaussian_mixture_vae")
    again.prepare(tiny.batch(), training=True)
    assert int(array(again.seeds.state.value)[-1]) == direction
    vat = losses.virtual_adversarial_loss(
        again.classify, batch["x"], again.seeds, radius=0.5, probe=0.1
    )
    assert found[1] - found[0] == pytest.approx(3 * float(array(vat)), rel=1e-2)
    assert float(array(vat)) > 1e-3


def test_class_of_the_mixture_vae_is_the_posterior_of_its_gaussians():
    model = family.model("gaussian_mixture_vae")
    z = model.encode(X)
    distances = ((z[:, None] - model.means) ** 2).sum(axis=-1)
    p = np.exp(-distances / 2) * [0.5, 0.25, 0.25]
    expected = p / p.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(model.predict(X, verbose=0), expected, rtol=1e-4)


def test_selective_classifier_wraps_the_mixture_vae():
    model = family.model("gaussian_mixture_vae", prior=ClassGaussians(K, distance=2.0))
    x, y = tiny.images(30, seed=5), tiny.labels(30)
    classifier = SelectiveClassifier(model, model.means)
    classifier.calibrate(x, y, coverage=0.8)
    found = classifier.predict(x)
    np.testing.assert_array_equal(
        found.label, model.predict(x, verbose=0).argmax(axis=1)
    )
    assert found.accepted.mean() >= 0.8
    again = classifier.reclassify(x[:2], steps=5)
    assert again.label.shape == (2,)


def test_fewer_gaussians_than_classes_are_refused():
    message = "Each class owns a part.*`prior` of 3 parts for num_classes=4"
    with pytest.raises(ValueError, match=message):
        family.model("gaussian_mixture_vae", num_classes=4)


def test_more_classes_than_gaussians_are_refused_by_their_labels():
    model = family.compiled(family.model("gaussian_mixture_vae"))
    with pytest.raises(ValueError, match=r"`y_labelled` must hold classes 0\.\.2"):
        model.fit(SemiSupervisedDataset(X, np.arange(12) % 5, 8, 6), verbose=0)


def test_prior_without_gaussians_of_classes_is_refused():
    prior = tiny.Fixed(np.zeros((4, K)))
    with pytest.raises(TypeError, match="`prior` must tell the log-probability"):
        family.model("gaussian_mixture_vae", prior=prior)
    with pytest.raises(TypeError, match="must have `means`.*Categorical"):
        family.model("gaussian_mixture_vae", prior=Categorical(K))


# --- the two-step adversarial VAE -------------------------------------------------


def test_first_step_classifies_draws_and_pays_for_all_codes():
    model = family.model("variational_encoder_classifier", divergence_weight=0.5)
    batch = prepared(model)
    x = np.concatenate([array(batch["x_labelled"]), array(batch["x"])])
    mean, log_variance = map(array, model.encoder.moments(tensor(x)))
    z = mean[:6] + np.exp(log_variance[:6] / 2) * array(batch["noise"])
    y_logits = model.y_head(tensor(z))
    cross_entropy = array(losses.classification_loss(batch["y_labelled"], y_logits))
    expected = cross_entropy + 0.5 * normal_kl(mean, log_variance).mean()
    np.testing.assert_allclose(loss_of(model, batch), expected, rtol=1e-5)


def test_consistency_of_the_first_step_compares_mean_codes_of_two_views():
    name, losses_found = "variational_encoder_classifier", []
    for weight in (0.0, 3.0):
        model = family.model(name, augmentation=darker, consistency_weight=weight)
        batch = model.prepare(tiny.batch(), training=True)
        (phase,) = model.phases()
        losses_found.append(float(array(phase.loss(batch, training=True))))
    q, of_darker = (
        array(ops.softmax(model.classify(tensor(images))))
        for images in (array(batch["x"]), array(batch["x"]) / 2)
    )
    expected = 3 * (q * np.log(q / of_darker)).sum(axis=1).mean()
    assert losses_found[1] - losses_found[0] == pytest.approx(expected, rel=1e-2)


@pytest.mark.parametrize("name", ["m2", "stacked_m2", "variational_encoder_classifier"])
def test_consistency_needs_an_augmentation(name):
    with pytest.raises(ValueError, match="pass an `augmentation`"):
        family.model(name, consistency_weight=1.0)


def second_step(**settings):
    model = family.model("semi_supervised_adversarial_vae", **settings)
    batch = prepared(model)
    x, z = batch["x"], batch["z"]
    decoded = model.decoder(z)
    hidden = keras.Model(
        model.encoder.trunk.input, model.encoder.trunk.get_layer("hidden_1").output
    )
    features = ((array(hidden(x)) - array(hidden(decoded))) ** 2).mean()
    scores = [array(model.discriminator(images)) for images in (x, decoded)]
    code = ((array(z) - array(model.encoder(decoded))) ** 2).mean()
    losses_ = [float(array(p.loss(batch, training=False))) for p in model.phases()]
    return losses_, features, scores, code


def test_decoder_pays_for_features_surprise_and_code():
    (_, loss), features, (_, on_decoded), code = second_step(beta=0.3, gamma=0.7)
    surprise = np.log1p(np.exp(-on_decoded)).mean()
    expected = features + 0.3 * surprise + 0.7 * code
    np.testing.assert_allclose(loss, expected, rtol=1e-5)


def test_discriminator_tells_images_from_decoded_ones():
    (loss, _), _, (on_real, on_decoded), _ = second_step()
    expected = np.log1p(np.exp(-on_real)).mean() + np.log1p(np.exp(on_decoded)).mean()
    np.testing.assert_allclose(loss, expected, rtol=1e-5)


def test_training_the_decoder_leaves_the_encoder_as_it_was():
    name = "semi_supervised_adversarial_vae"
    trunk = mlp_encoder(tiny.IMAGE_SHAPE, hidden=(6,), batch_normalization=True)
    model = family.model(name, encoder=StochasticEncoder(trunk, Z, "gaussian"))
    family.compiled(model)
    before = tiny.values([*model.encoder.variables, *model.y_head.variables])
    predicted = model.predict(X, verbose=0)
    model.fit(family.dataset(model), verbose=0)
    after = tiny.values([*model.encoder.variables, *model.y_head.variables])
    tiny.assert_equal(after, before)
    np.testing.assert_array_equal(model.predict(X, verbose=0), predicted)


def test_layers_to_compare_are_those_with_an_activation_or_those_named():
    name, found = "semi_supervised_adversarial_vae", []
    for settings in ({}, {"feature_layers": ["normalization_1"]}):
        trunk = mlp_encoder(tiny.IMAGE_SHAPE, hidden=(6,), batch_normalization=True)
        encoder = StochasticEncoder(trunk, Z, "gaussian")
        found.append(family.model(name, encoder=encoder, **settings).feature_layers)
    assert found == [["activation_1"], ["normalization_1"]]


def test_rectifiers_of_their_own_count_as_layers_with_an_activation():
    trunk = keras.Sequential(
        [
            keras.Input(tiny.IMAGE_SHAPE),
            layers.Flatten(),
            layers.Dense(4, activation="tanh", name="bent"),
            layers.Dense(4),
            layers.LeakyReLU(name="leaky"),
        ]
    )
    encoder = StochasticEncoder(trunk, Z, "gaussian")
    model = family.model("semi_supervised_adversarial_vae", encoder=encoder)
    assert model.feature_layers == ["bent", "leaky"]


def test_encoder_without_hidden_layers_is_refused():
    trunk = keras.Sequential([keras.Input(tiny.IMAGE_SHAPE), layers.Flatten()])
    encoder = StochasticEncoder(trunk, Z, "gaussian")
    with pytest.raises(ValueError, match="No layer of .* has an activation"):
        family.model("semi_supervised_adversarial_vae", encoder=encoder)


# --- bad input --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "setting", "value"),
    [
        ("m1", "likelihood", "bernouli"),
        ("m2", "likelihood", "bernouli"),
        ("m2", "unlabelled", "summed"),
        ("m2", "labelled_weight", -1.0),
        ("m2", "classification_weight", np.nan),
        ("m2", "averaging", 1.0),
        ("m2", "groups", [0, 1]),
        ("m2", "groups", [0, 2, 2]),
        ("m2", "prior_y", tiny.Fixed(np.eye(3))),
        ("stacked_m2", "unlabelled", "summed"),
        ("gaussian_mixture_vae", "reconstruction_loss", "squared"),
        ("gaussian_mixture_vae", "divergence_weight", -1.0),
        ("gaussian_mixture_vae", "vat_weight", -1.0),
        ("gaussian_mixture_vae", "augmentation", 3),
        ("variational_encoder_classifier", "divergence_weight", -1.0),
        ("variational_encoder_classifier", "z_dim", 0),
        ("semi_supervised_adversarial_vae", "beta", -0.1),
        ("semi_supervised_adversarial_vae", "gamma", np.inf),
        ("semi_supervised_adversarial_vae", "discriminator_loss", "wasserstein"),
    ],
)
def test_settings_that_make_no_sense_are_refused(name, setting, value):
    with pytest.raises((TypeError, ValueError), match=f"`{setting}`"):
        family.model(name, **{setting: value})


def probabilities(shape=tiny.IMAGE_SHAPE, width=K):
    network = with_linear_head(mlp_encoder(shape, hidden=(3,)), width, "classifier")
    return keras.Sequential([network, layers.Softmax()])


def softmax_by_an_operation():
    network = probabilities().layers[0]
    return keras.Model(network.inputs, keras.ops.softmax(network.outputs[0]))


def softmax_before_a_reshape():
    return keras.Sequential([probabilities(), layers.Reshape((K,)), layers.Identity()])


@pytest.mark.parametrize(
    ("classifier", "message"),
    [
        (probabilities(), "`classifier` must end in class logits"),
        (softmax_by_an_operation(), "`classifier` must end in class logits"),
        (softmax_before_a_reshape(), "`classifier` must end in class logits"),
        (
            probabilities(width=4).layers[0],
            r"`classifier` must give outputs.*\(None, 3\)",
        ),
        (
            probabilities((5, 5)).layers[0],
            r"`classifier` must take inputs.*\(None, 4, 4\)",
        ),
    ],
)
def test_classifiers_that_do_not_fit_are_refused(classifier, message):
    with pytest.raises(ValueError, match=message):
        family.model("m2", classifier=classifier)


def test_decoder_without_room_for_a_style_is_refused():
    decoder = with_linear_head(mlp_encoder((K,), hidden=(3,)), 16, "decoder")
    with pytest.raises(
        ValueError, match=r"`decoder` must take codes \(n, 3 \+ z_dim\)"
    ):
        family.model("m2", decoder=decoder)
