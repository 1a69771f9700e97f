"""The attack that aims at both thresholds, on codes read off the pixels.

Images have two pixels: the first is the code, the second is lost in the reconstruction.
"""

import family
import numpy as np
import pytest
import tiny
from keras import ops

from keras_saae.evaluation import SelectiveClassifier, attacks, evasion_loss

MEANS = np.array([[0.25], [0.75]])


class Plain:
    """z is the first pixel; the nearest mean says the class."""

    def encode(self, x):
        return x[:, 0, :1]

    def reconstruct(self, x):
        return x * np.array([1.0, 0.0], "float32")

    def encoder(self, x, training=False):
        return x[:, 0, :1]

    def decoder(self, z, training=False):
        return ops.stack([z, ops.zeros_like(z)], axis=-1)


def images(codes, errors):
    return np.stack([codes, errors], axis=-1)[:, None].astype("float32")


@pytest.fixture
def classifier():
    """tau_enc 0.1 and 0.2; tau_dec 0.4 and 0.5."""
    x = images([0.15, 0.25, 0.55, 0.75], [0.4, 0.1, 0.5, 0.1])
    found = SelectiveClassifier(Plain(), MEANS)
    return found.calibrate(x, [0, 0, 1, 1], quantile=1.0)


def loss_at(classifier, code, error, y):
    x, y = ops.convert_to_tensor(images([code], [error])), ops.convert_to_tensor([y])
    return float(ops.convert_to_numpy(evasion_loss(classifier)(x, y))[0])


@pytest.mark.parametrize(
    ("code", "error", "slack"),
    [
        # Slack of class 1: (|z - 0.75| - |z - 0.25|, |z - 0.75| / 0.2 - 1, e / 0.5 - 1)
        (0.70, 0.1, (-0.4, -0.75, -0.8)),  # accepted as class 1
        (0.50, 0.1, (0.0, 0.25, -0.8)),
        (0.40, 0.6, (0.2, 0.75, 0.2)),
    ],
)
def test_loss_is_the_worst_slack_and_all_that_is_missed(classifier, code, error, slack):
    missed = sum(max(0.0, s) for s in slack)
    found = loss_at(classifier, code, error, 0)
    np.testing.assert_allclose(found, -max(slack) - missed, atol=1e-4)


@pytest.mark.parametrize("code", [0.2, 0.3, 0.5, 0.6, 0.7, 0.9])
@pytest.mark.parametrize("error", [0.1, 0.45, 0.6])
@pytest.mark.parametrize("y", [0, 1])
def test_loss_is_positive_exactly_where_an_error_is_accepted(
    classifier, code, error, y
):
    decided = classifier.predict(images([code], [error]))
    evades = decided.accepted[0] and decided.label[0] != y
    assert (loss_at(classifier, code, error, y) > 0) == evades


def test_attack_on_the_class_alone_is_refused_and_one_on_the_thresholds_is_not(
    classifier,
):
    x, y = images([0.3], [0.45]), np.array([0])
    margin = attacks.pgd(
        Plain(), x, y, 0.4, restarts=1, loss=lambda x, y: x[:, 0, 0] + x[:, 0, 1]
    )
    decided = classifier.predict(margin)
    assert decided.label.tolist() == [1] and decided.accepted.tolist() == [False]
    aware = attacks.pgd(Plain(), x, y, 0.4, restarts=1, loss=evasion_loss(classifier))
    decided = classifier.predict(aware)
    assert decided.label.tolist() == [1] and decided.accepted.tolist() == [True]


def test_class_that_accepts_nothing_is_no_goal():
    x = images([0.15, 0.25], [0.4, 0.1])
    classifier = SelectiveClassifier(Plain(), MEANS)
    classifier.calibrate(x, [0, 0], quantile=1.0)
    assert loss_at(classifier, 0.75, 0.1, 0) < -1e6


def test_mixture_vae_is_attacked_through_its_own_networks():
    model = family.model("gaussian_mixture_vae")
    x, y = tiny.images(12), tiny.labels(12)
    classifier = SelectiveClassifier(model, model.means).calibrate(x, y, coverage=0.9)
    # As if images had been taken for every class, which weights from NumPy do not.
    classifier.tau_enc, classifier.tau_dec = np.full((2, tiny.NUM_CLASSES), 1.0)
    loss = evasion_loss(classifier)
    attacked = attacks.pgd(model, x, y, 0.3, steps=5, restarts=1, loss=loss)
    before, after = (
        ops.convert_to_numpy(loss(ops.convert_to_tensor(images), y))
        for images in (x.astype("float32") / 255, attacked)
    )
    assert np.all(after[before < 0] > before[before < 0])


@pytest.mark.parametrize(
    "name", ["gaussian_mixture_vae", "semi_supervised_adversarial_vae"]
)
def test_loss_follows_the_decision_of_a_model_whose_means_were_measured(name):
    model = family.model(name)
    x, y = tiny.images(60, seed=5), tiny.labels(60)
    classifier = SelectiveClassifier(model).calibrate(x, y, coverage=0.9)
    classifier.tau_enc, classifier.tau_dec = np.full((2, tiny.NUM_CLASSES), 1.5)
    x = tiny.random(3).random((60, *tiny.IMAGE_SHAPE), "float32")
    decided = classifier.predict(x)
    loss = evasion_loss(classifier)(ops.convert_to_tensor(x), ops.convert_to_tensor(y))
    evades = decided.accepted & (decided.label != y)
    assert 0 < evades.sum() < 60
    np.testing.assert_array_equal(ops.convert_to_numpy(loss) > 0, evades)


@pytest.mark.parametrize("name", ["m2", "dimensionality_reduction"])
def test_model_whose_decoder_takes_more_than_the_code_needs_a_measure(name):
    x, y = tiny.images(60, seed=5), tiny.labels(60)
    classifier = SelectiveClassifier(family.model(name)).calibrate(x, y, coverage=0.9)
    classifier.tau_enc, classifier.tau_dec = np.full((2, tiny.NUM_CLASSES), 1.5)
    with pytest.raises(ValueError, match="Pass `measure`"):
        evasion_loss(classifier)


def test_codes_and_scores_of_ones_own_are_taken(classifier):
    def measure(x):
        z = x[:, 0, :1]
        return ops.concatenate([1.0 - z, z], axis=-1), z, x

    loss = evasion_loss(classifier, measure)
    x = ops.convert_to_tensor(images([0.7], [0.9]))  # whose error is not looked at
    found = ops.convert_to_numpy(loss(x, ops.convert_to_tensor([0])))
    np.testing.assert_allclose(found, [0.4], atol=1e-5)  # 0.7 - 0.3, the least slack


def test_thresholds_are_needed():
    with pytest.raises(ValueError, match="Call `calibrate"):
        evasion_loss(SelectiveClassifier(Plain(), MEANS))


def test_thresholds_of_zero_are_refused():
    x = images([0.25, 0.75], [0.1, 0.1])
    classifier = SelectiveClassifier(Plain(), MEANS)
    classifier.calibrate(x, [0, 1], quantile=1.0)
    with pytest.raises(ValueError, match="must not be 0"):
        evasion_loss(classifier)
