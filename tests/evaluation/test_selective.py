"""Refusing images, on a model whose codes and reconstructions are read off the pixels.

Images have two pixels. The first is the code, near 0.25 in class 0 and near 0.75 in
class 1; the second is lost in the reconstruction, and so is its error.
"""

from types import SimpleNamespace

import family
import numpy as np
import pytest
import tiny
from keras import ops

from keras_saae.evaluation import (
    SelectiveClassifier,
    descent,
    fingerprints,
    risk_coverage,
    selective,
)
from keras_saae.priors import ClassGaussians


def images(codes, errors=0.0):
    codes = np.asarray(codes, "float32")
    pixels = np.stack([codes, np.broadcast_to(errors, codes.shape)], axis=-1)
    return pixels[:, None, :].astype("float32")


class Plain:
    """Its code z is the first pixel; y says on which side of 0.5 it is."""

    def encode(self, x):
        z = x[:, 0, :1]
        return np.concatenate([z < 0.5, z >= 0.5], axis=1).astype("float32"), z

    def reconstruct(self, x):
        return x * np.array([1.0, 0.0], "float32")


class WithoutClasses(Plain):
    def encode(self, x):
        return x[:, 0, :1]


class Fooled(Plain):
    """Takes each image for one of the other class, as after an attack."""

    def encode(self, x):
        return super().encode(1.0 - x)


def decode(z):
    """Images `(n, 1, 2)` of codes `(n, 1)`."""
    return ops.stack([z, ops.zeros_like(z)], axis=-1)


# Four of each class; the means are 0.25 and 0.75. Distances 0.03, 0.01, 0.01, 0.03 and
# 0.06, 0.02, 0.02, 0.06; errors 0.1, 0.2, 0.3, 0.4 in both.
X = images([0.22, 0.24, 0.26, 0.28, 0.69, 0.73, 0.77, 0.81], [0.1, 0.2, 0.3, 0.4] * 2)
Y = np.repeat([0, 1], 4)


@pytest.fixture
def classifier():
    return SelectiveClassifier(Plain()).calibrate(X, Y, quantile=1.0)


# --- thresholds -------------------------------------------------------------------


def test_thresholds_are_quantiles_of_each_class():
    found = SelectiveClassifier(Plain()).calibrate(X, Y, quantile=0.5)
    np.testing.assert_allclose(found.means, [[0.25], [0.75]], atol=1e-6)
    np.testing.assert_allclose(found.tau_enc, [0.01, 0.02], atol=1e-6)
    np.testing.assert_allclose(found.tau_dec, [0.2, 0.2], rtol=1e-6)


def test_quantile_of_one_accepts_all_it_was_calibrated_on(classifier):
    assert classifier.predict(X).accepted.all()
    np.testing.assert_allclose(classifier.tau_enc, [0.03, 0.06], atol=1e-6)


@pytest.mark.parametrize("coverage", [0.01, 0.25, 0.3, 0.75, 1.0])
def test_coverage_is_reached_by_the_smallest_quantile_that_does(coverage):
    def accepted_share(**how):
        classifier = SelectiveClassifier(Plain()).calibrate(X, Y, **how)
        return classifier.predict(X).accepted.mean()

    shares = [accepted_share(quantile=q) for q in (0.25, 0.5, 0.75, 1.0)]
    found = accepted_share(coverage=coverage)
    assert found == min(share for share in shares if share >= coverage)


def test_coverage_counts_images_not_rounded_shares():
    # 49 images of class 0, the k-th further off than k - 1 others, and one of class 1.
    unusual = 0.001 * np.arange(1, 50)
    x, y = images([*(0.1 + unusual), 0.9], [*unusual, 0.0]), [0] * 49 + [1]
    for wanted in range(2, 51):
        classifier = SelectiveClassifier(Plain(), [[0.1], [0.9]])
        classifier.calibrate(x, y, coverage=wanted / 50)
        assert classifier.predict(x).accepted.sum() == wanted


def test_given_means_take_the_place_of_those_of_the_images():
    means = [[0.2], [0.7]]
    found = SelectiveClassifier(Plain(), means).calibrate(X, Y, quantile=1.0)
    np.testing.assert_allclose(found.tau_enc, [0.08, 0.11], atol=1e-6)


def test_class_that_no_image_is_taken_for_is_never_accepted():
    means = [[0.25], [0.75]]
    classifier = SelectiveClassifier(Plain(), means)
    classifier.calibrate(X[:4], Y[:4], quantile=1.0)
    assert classifier.tau_enc[1] == classifier.tau_dec[1] == -np.inf
    found = classifier.predict(images([0.25, 0.75]))
    assert found.accepted.tolist() == [True, False]
    assert found.confidence[1] == 0


def test_cross_entropy_weighs_grey_where_black_is_expected():
    """Of pixels 1 and 0.3, reconstructed as 1 and 0, or as 0.7 and 0.3."""
    x, other = images([1.0], [0.3]), np.array([[[0.7, 0.3]]], "float32")
    cut = 1e-3  # as close as a reconstruction comes to 0 and 1
    found = SelectiveClassifier(Plain(), [[0.25], [0.75]], "cross_entropy")
    found.calibrate(x, [1], quantile=1.0)
    lost = -np.log(1 - cut) - 0.3 * np.log(cut) - 0.7 * np.log(1 - cut)
    np.testing.assert_allclose(found.tau_dec[1], lost, rtol=1e-5)
    kept = -np.log(0.7) - 0.3 * np.log(0.3) - 0.7 * np.log(0.7)
    errors = selective.RECONSTRUCTION_ERRORS
    np.testing.assert_allclose(
        ops.convert_to_numpy(errors["cross_entropy"](*map(ops.array, (x, other)))),
        [kept],
        rtol=1e-5,
    )
    assert lost > kept  # though both are 0.3 away
    euclidean = ops.convert_to_numpy(
        errors["euclidean"](ops.array(x), ops.array(other))
    )
    np.testing.assert_allclose(euclidean, [0.3], rtol=1e-6)


# --- decisions --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "error", "accepted"),
    [
        (0.25, 0.0, True),
        (0.25, 0.45, False),  # ill reconstructed
        (0.31, 0.0, False),  # 0.06 from the mean of class 0
        (0.69, 0.0, True),  # as far from that of class 1
        (0.5, 0.0, False),  # between the classes
    ],
)
def test_an_image_is_refused_by_either_threshold_of_its_class(
    classifier, code, error, accepted
):
    found = classifier.predict(images([code], error))
    assert found.accepted.tolist() == [accepted]
    assert found.label.tolist() == [int(code >= 0.5)]
    np.testing.assert_allclose(found.reconstruction_error, error, rtol=1e-6)
    mean = 0.75 if code >= 0.5 else 0.25
    np.testing.assert_allclose(found.distance, abs(code - mean), atol=1e-6)


def test_confidence_is_the_share_of_more_unusual_images_of_the_class(classifier):
    # Errors of class 0 are 0.1 to 0.4, distances 0.01, 0.01, 0.03, 0.03.
    x = images([0.25, 0.25, 0.27, 0.25], [0.0, 0.25, 0.0, 0.5])
    np.testing.assert_allclose(classifier.predict(x).confidence, [1, 0.5, 0.5, 0])


def test_classes_without_y_are_those_of_the_nearest_means():
    classifier = SelectiveClassifier(WithoutClasses()).calibrate(X, Y, quantile=1.0)
    found = classifier.predict(images([0.1, 0.49, 0.51, 0.9]))
    assert found.label.tolist() == [0, 0, 1, 1]


def test_uint8_images_are_decided_like_float_ones(classifier):
    grey = (255 * images([0.25, 0.25], [0.1, 0.6])).astype("uint8")
    # The toy model does not divide by 255; a package's model does.
    model = SimpleNamespace(
        encode=lambda x: Plain().encode(x / 255),
        reconstruct=lambda x: Plain().reconstruct(x / 255),
    )
    classifier = SelectiveClassifier(model)
    classifier.calibrate((255 * X).astype("uint8"), Y, quantile=1.0)
    assert classifier.predict(grey).accepted.tolist() == [True, False]


def test_scores_count_errors_among_the_accepted_and_undetected_ones(classifier):
    # Accepted and right, accepted and wrong, refused and wrong, refused and right.
    x = images([0.25, 0.26, 0.75, 0.75], [0.0, 0.15, 0.5, 0.6])
    scores = classifier.evaluate(x, [0, 1, 0, 1])
    assert scores["error"] == 50.0
    assert scores["rejected"] == 50.0
    assert scores["accepted_error"] == 50.0
    assert scores["undetected"] == 25.0
    found = classifier.predict(x)
    _, risk = risk_coverage([0, 1, 0, 1], found.label, found.confidence)
    assert scores["area_under_risk_coverage"] == pytest.approx(risk.mean())


def test_error_among_none_accepted_is_nan(classifier):
    scores = classifier.evaluate(images([0.5]), [0])
    assert scores["rejected"] == 100.0 and scores["undetected"] == 0.0
    assert np.isnan(scores["accepted_error"])


# --- reclassification -------------------------------------------------------------


def test_images_are_reclassified_by_the_code_that_reconstructs_them():
    classifier = SelectiveClassifier(Fooled())
    classifier.calibrate(X, 1 - Y, quantile=1.0)  # the means lie where it puts them
    x = images([0.26, 0.5, 0.74], [0.2, 0.0, 0.0])
    assert classifier.predict(x).label[[0, 2]].tolist() == [1, 0]
    found = classifier.reclassify(x, decode)
    assert found.label[[0, 2]].tolist() == [0, 1]
    assert found.accepted.tolist() == [True, False, True]
    np.testing.assert_allclose(found.distance, [0.01, 0.25, 0.01], atol=1e-3)
    np.testing.assert_allclose(found.reconstruction_error, [0.2, 0, 0], atol=1e-3)


def test_descent_from_the_means_leaves_the_encoder_s_valley():
    def two_valleys(z):  # black at z = -1, at z = 2 the darkest grey around
        bump = ops.minimum(ops.square(z + 1.0), ops.square(z - 2.0) + 0.3)
        return ops.stack([bump, ops.zeros_like(z)], axis=-1)

    model = SimpleNamespace(
        encode=lambda x: np.full((len(x), 1), 2.0), reconstruct=lambda x: x
    )
    classifier = SelectiveClassifier(model, means=[[-0.9], [2.0]])
    classifier.calibrate(X, Y, quantile=1.0)
    found = classifier.reclassify(images([0.0]), two_valleys)
    assert found.label.tolist() == [0]
    np.testing.assert_allclose(found.distance, 0.1, atol=0.01)


def test_prior_draws_the_code_to_a_mean():
    """Of (z - 0.6)^2 / 2 + w z^2 / 2, the other mean being far, 0.6 / (1 + w)."""
    classifier = SelectiveClassifier(Plain(), means=[[0.0], [100.0]])
    classifier.calibrate(X, Y, quantile=1.0)
    for weight, code in ((0.0, 0.6), (1.0, 0.3), (2.0, 0.2)):
        found = classifier.reclassify(images([0.6]), decode, prior_weight=weight)
        np.testing.assert_allclose(found.code, [[code]], atol=1e-3)
        np.testing.assert_allclose(found.reconstruction_error, 0.6 - code, atol=1e-3)
    with pytest.raises(ValueError, match="prior_weight"):
        classifier.reclassify(images([0.6]), decode, prior_weight=-1.0)


def test_batches_of_reclassification_make_no_difference(monkeypatch):
    classifier = SelectiveClassifier(Plain()).calibrate(X, Y, quantile=1.0)
    x = images([0.26, 0.5, 0.74])
    whole = classifier.reclassify(x, decode, steps=20)
    monkeypatch.setattr(descent, "BATCH_SIZE", 2)
    for one, other in zip(classifier.reclassify(x, decode, steps=20), whole):
        np.testing.assert_allclose(one, other, atol=1e-6)


# --- the models of the package ----------------------------------------------------


def test_adversarial_autoencoder_is_wrapped():
    model = tiny.aae()
    x, y = tiny.images(60), tiny.labels(60)
    classifier = SelectiveClassifier(model).calibrate(x[:30], y[:30], coverage=0.9)
    found = classifier.predict(x[:30])
    assert found.accepted.mean() >= 0.9
    np.testing.assert_array_equal(found.label, model.predict(x[:30]).argmax(axis=1))
    difference = x[:30] / 255 - model.reconstruct(x[:30])
    np.testing.assert_allclose(
        found.reconstruction_error,
        np.sqrt((difference**2).sum(axis=(1, 2))),
        rtol=1e-4,
    )
    assert 0 <= classifier.evaluate(x[30:], y[30:])["rejected"] <= 100


def test_classes_of_codes_alone_are_those_that_the_model_predicts():
    prior = ClassGaussians(3, distance=0.1, weights=[0.05, 0.05, 0.9])  # one wins
    model = family.model("gaussian_mixture_vae", prior=prior)
    x, y = tiny.images(30), np.arange(30) % 3
    classifier = SelectiveClassifier(model, model.means)
    classifier.calibrate(x, y, quantile=1.0)
    predicted = model.predict(x, verbose=0).argmax(axis=1)
    nearest = selective._distances(model.encode(x), model.means).argmin(axis=1)
    assert np.any(predicted != nearest)
    np.testing.assert_array_equal(classifier.predict(x).label, predicted)


def test_points_of_the_plane_are_the_codes_of_dimensionality_reduction():
    model = family.model("dimensionality_reduction", head_distance=8.0)
    x, y = tiny.images(30), np.arange(30) % 3
    classifier = SelectiveClassifier(model).calibrate(x, y, quantile=1.0)
    points = model.transform(x)
    np.testing.assert_allclose(classifier.means[1], points[y == 1].mean(0), rtol=1e-4)
    again = classifier.reclassify(x[:3], steps=1)
    assert np.isfinite(again.reconstruction_error).all()


@pytest.mark.parametrize(
    "name",
    [
        "aae",
        "label_informed",
        "m1",
        "m2",
        "stacked_m2",
        "dimensionality_reduction",
        "gaussian_mixture_vae",
        "semi_supervised_adversarial_vae",
    ],
)
def test_models_with_a_code_and_a_reconstruction_are_taken(name):
    model = family.model(name)
    x, y = tiny.images(30), np.arange(30) % 3
    classifier = SelectiveClassifier(model).calibrate(x, y, quantile=1.0)
    found = classifier.predict(x)
    assert found.accepted.all()  # by thresholds that let all of them through
    off = x.astype("float32") / 255 - model.reconstruct(x)
    errors = np.sqrt(np.square(off).reshape(30, -1).sum(axis=1))
    np.testing.assert_allclose(found.reconstruction_error, errors, rtol=1e-4)


def test_model_whose_reconstructions_need_the_class_is_refused():
    with pytest.raises(TypeError, match="SupervisedAAE.reconstruct needs x, y"):
        SelectiveClassifier(family.model("supervised"))


def test_model_without_reconstruction_is_refused():
    with pytest.raises(TypeError, match="NeuralNetwork has no `encode`"):
        SelectiveClassifier(tiny.neural_network())


def test_decoder_of_class_and_style_is_refused_where_a_style_is_descended():
    classifier = SelectiveClassifier(tiny.aae())
    classifier.calibrate(tiny.images(30), tiny.labels(30), quantile=1.0)
    with pytest.raises(ValueError, match=r"`decode` must take inputs.*\(None, 2\)"):
        classifier.reclassify(tiny.images(30))


# --- validation images and test images --------------------------------------------


def test_more_classes_than_means_are_refused_and_nothing_is_changed():
    classifier = SelectiveClassifier(Plain(), [[0.25], [0.75]])
    thresholds = classifier.calibrate(X, Y, quantile=1.0).tau_enc
    with pytest.raises(ValueError, match=r"classes 0..1\. Received 2"):
        classifier.calibrate(X, np.where(Y, 2, 0), quantile=0.5)
    assert classifier.tau_enc is thresholds


@pytest.mark.parametrize("as_uint8", [False, True])
def test_images_calibrated_on_are_not_evaluated_on(as_uint8):
    x = (255 * X).astype("uint8")
    classifier = SelectiveClassifier(Plain(), [[0.25], [0.75]])
    classifier.calibrate(x if as_uint8 else x / 255, Y, quantile=1.0)
    mixed = np.concatenate([images([0.3, 0.4]), x[:1] / 255])
    with pytest.raises(ValueError, match="`evaluate` received 1 of 3 images.*calibra"):
        classifier.evaluate(mixed, [0, 0, 0])


def test_few_images_in_both_parts_are_warned_of(monkeypatch, classifier):
    monkeypatch.setattr(fingerprints, "SHARED", 0.5)
    mixed = np.concatenate([images([0.3]), X[:1]])
    with pytest.warns(UserWarning, match="`evaluate` received 1 of 2 images"):
        classifier.evaluate(mixed, [0, 0])


def test_images_evaluated_on_are_not_calibrated_on(classifier):
    x = images([0.2, 0.7])
    classifier.evaluate(x, [0, 1])
    with pytest.raises(ValueError, match="`calibrate` received 2 of 2.*evaluated"):
        classifier.calibrate(x, [0, 1], quantile=0.9)


def test_few_test_images_are_found_among_many(classifier):
    x = images([0.2, 0.7])
    classifier.evaluate(x, [0, 1])
    codes, errors = np.meshgrid(np.linspace(0.3, 0.65, 20), np.linspace(0, 0.5, 20))
    many = np.concatenate([images(codes.ravel(), errors.ravel()), x])
    with pytest.raises(ValueError, match="`calibrate` received 2 of 402.*evaluated"):
        classifier.calibrate(many, np.arange(402) % 2, quantile=0.9)


@pytest.mark.parametrize(
    "ask",
    [
        lambda c: c.tau_enc,
        lambda c: c.tau_dec,
        lambda c: c.predict(X),
        lambda c: c.evaluate(X, Y),
        lambda c: c.reclassify(X, decode),
    ],
)
def test_asking_before_calibration_is_refused(ask):
    with pytest.raises(ValueError, match="Call `calibrate"):
        ask(SelectiveClassifier(Plain()))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "either a `quantile` or a `coverage`"),
        ({"quantile": 0.9, "coverage": 0.9}, "either a `quantile` or a `coverage`"),
        ({"quantile": 0.0}, r"share in \(0, 1\].*quantile=0.0"),
        ({"coverage": 98}, r"share in \(0, 1\].*coverage=98"),
        ({"coverage": np.nan}, r"share in \(0, 1\]"),
        ({"coverage": "0.9"}, r"share in \(0, 1\].*coverage=0.9"),
        ({"quantile": 0.9, "y": Y[:4]}, "equal lengths"),
        ({"quantile": 0.9, "y": 0 * Y}, r"labelled images of each.*\[8, 0\]"),
        ({"quantile": 0.9, "y": 2 * Y}, r"and of no other.*\[4, 0, 4\]"),
        ({"quantile": 0.9, "x": np.nan * X}, "NaN"),
    ],
)
def test_calibration_says_what_is_wrong_with_it(settings, message):
    with pytest.raises(ValueError, match=message):
        SelectiveClassifier(Plain()).calibrate(**{"x": X, "y": Y, **settings})


def test_means_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"`means` must have shape \(2, 1\).*\(2, 3\)"):
        SelectiveClassifier(Plain(), np.zeros((2, 3))).calibrate(X, Y, quantile=0.9)


def test_means_that_are_not_finite_are_refused():
    with pytest.raises(ValueError, match=r"one finite code.*with NaN or infinity"):
        SelectiveClassifier(Plain(), [[0.2], [np.nan]]).calibrate(X, Y, quantile=0.9)


@pytest.mark.parametrize("learning_rate", [0.0, -1.0, np.nan, "fast"])
def test_rates_that_do_not_descend_are_refused(classifier, learning_rate):
    with pytest.raises(ValueError, match="`learning_rate` is a number above 0"):
        classifier.reclassify(X, decode, learning_rate=learning_rate)


@pytest.mark.parametrize(
    ("decode", "message"),
    [
        (None, "Plain has no `decoder`"),
        (lambda z: z, r"images of shape \(1, 2\). Received \(1,\)"),
    ],
)
def test_decoders_that_do_not_fit_are_refused(classifier, decode, message):
    with pytest.raises(ValueError, match=message):
        classifier.reclassify(X, decode)


@pytest.mark.parametrize("name", ["clustering", "dimensionality_reduction_unlabelled"])
def test_clusters_are_no_classes(name):
    classifier = SelectiveClassifier(family.model(name))
    with pytest.raises(ValueError, match="trained without labels, are not classes"):
        classifier.calibrate(tiny.images(12), tiny.labels(12), quantile=1.0)


def test_codes_that_were_looked_at_come_with_the_decisions(classifier):
    np.testing.assert_allclose(classifier.predict(images([0.3])).code, [[0.3]])
    found = classifier.reclassify(images([0.3], [0.9]), decode, steps=300)
    np.testing.assert_allclose(found.code, [[0.3]], atol=0.01)  # what decodes to it
