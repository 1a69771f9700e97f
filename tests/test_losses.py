"""Losses against values computed by hand."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_saae import losses
from keras_saae.backend import value_and_grad

LOG2 = np.log(2)
# Two images of four pixels. Squared errors: 0.25 + 0 + 1 + 0 and 0 + 0 + 0 + 0.25.
X = np.array([[[1.0, 0.0], [1.0, 0.0]], [[0.0, 0.0], [0.0, 0.5]]], "float32")
X_AGAIN = np.array([[[0.5, 0.0], [0.0, 0.0]], [[0.0, 0.0], [0.0, 0.0]]], "float32")


def value(tensor):
    return np.asarray(ops.convert_to_numpy(tensor), "float64")


def column(*scores):
    return ops.convert_to_tensor(np.array(scores, "float32")[:, None])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("half_squared_error_sum", (1.25 + 0.25) / 4),
        ("squared_error_sum", (1.25 + 0.25) / 2),
        ("squared_error_mean", (1.25 + 0.25) / 8),
    ],
)
def test_squared_errors_reduce_as_their_names_say(name, expected):
    loss = losses.RECONSTRUCTION_LOSSES[name](
        ops.convert_to_tensor(X), ops.convert_to_tensor(X_AGAIN)
    )
    np.testing.assert_allclose(value(loss), expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("binary_crossentropy_sum", -(np.log(0.9) + np.log(0.5) + 6 * np.log(0.8)) / 2),
        (
            "binary_crossentropy_mean",
            -(np.log(0.9) + np.log(0.5) + 6 * np.log(0.8)) / 8,
        ),
    ],
)
def test_binary_crossentropies_reduce_as_their_names_say(name, expected):
    x = np.array([[1, 0, 0, 0], [0.5, 0, 0, 0]], "float32")
    x_again = np.array([[0.9, 0.2, 0.2, 0.2], [0.5, 0.2, 0.2, 0.2]], "float32")
    loss = losses.RECONSTRUCTION_LOSSES[name](
        ops.convert_to_tensor(x), ops.convert_to_tensor(x_again)
    )
    np.testing.assert_allclose(value(loss), expected, rtol=1e-5)


def test_binary_crossentropy_of_a_sure_mistake_is_large_but_finite():
    loss = losses.binary_crossentropy_sum(ops.ones((1, 1)), ops.zeros((1, 1)))
    np.testing.assert_allclose(value(loss), -np.log(1e-7), rtol=1e-3)


@pytest.mark.parametrize("name", losses.RECONSTRUCTION_LOSSES)
def test_reconstructions_of_another_shape_are_refused(name):
    with pytest.raises(ValueError, match="same shape"):
        losses.RECONSTRUCTION_LOSSES[name](ops.zeros((2, 4)), ops.zeros((2, 2, 2)))


def test_blind_discriminator_scores_two_log_two():
    loss = losses.discriminator_loss(ops.zeros((8, 1)), ops.zeros((5, 1)))
    np.testing.assert_allclose(value(loss), 2 * LOG2, rtol=1e-6)


def test_discriminator_loss_is_minus_log_of_what_it_gives_the_truth():
    # sigmoid(log 3) = 3/4 on the prior; sigmoid(-log 4) = 1/5, so 4/5 on the code.
    loss = losses.discriminator_loss(column(np.log(3)), column(-np.log(4)))
    np.testing.assert_allclose(value(loss), -np.log(3 / 4) - np.log(4 / 5), rtol=1e-6)


def test_discriminator_loss_averages_each_side_by_itself():
    loss = losses.discriminator_loss(column(0.0, 0.0, 0.0), column(np.log(3)))
    np.testing.assert_allclose(value(loss), LOG2 - np.log(1 / 4), rtol=1e-6)


def test_generator_losses_are_minus_log_d_and_log_of_one_minus_d():
    logits = column(np.log(3), 0.0)  # D = 3/4 and 1/2
    np.testing.assert_allclose(
        value(losses.non_saturating_generator_loss(logits)),
        -(np.log(3 / 4) + np.log(1 / 2)) / 2,
        rtol=1e-6,
    )
    np.testing.assert_allclose(
        value(losses.saturating_generator_loss(logits)),
        (np.log(1 / 4) + np.log(1 / 2)) / 2,
        rtol=1e-6,
    )


def test_adversarial_losses_of_extreme_logits_are_finite():
    logits = column(1e4, -1e4)
    np.testing.assert_allclose(value(losses.discriminator_loss(logits, logits)), 1e4)
    np.testing.assert_allclose(
        value(losses.non_saturating_generator_loss(logits)), 5e3, rtol=1e-6
    )


@pytest.mark.parametrize("shape", [(4,), (4, 2), (4, 1, 1)])
@pytest.mark.parametrize(
    "loss",
    [
        losses.non_saturating_generator_loss,
        losses.saturating_generator_loss,
        lambda logits: losses.discriminator_loss(logits, ops.zeros((4, 1))),
        lambda logits: losses.discriminator_loss(ops.zeros((4, 1)), logits),
    ],
)
def test_logits_that_are_not_one_per_sample_are_refused(loss, shape):
    with pytest.raises(ValueError, match=r"one logit per sample.*Dense\(1\)"):
        loss(ops.zeros(shape))


@pytest.mark.parametrize("loss", losses.GENERATOR_LOSSES.values())
def test_adversarial_losses_are_float32_of_bfloat16_logits(loss):
    logits = ops.cast(column(1.0, 2.0), "bfloat16")
    for scalar in (loss(logits), losses.discriminator_loss(logits, logits)):
        assert keras.backend.standardize_dtype(scalar.dtype) == "float32"


# --- other games: scores of two draws and one code --------------------------------


@pytest.mark.parametrize(
    ("name", "on_discriminator", "on_generator"),
    [
        # draws score 2 and -1, the code 0.5
        ("least_squares", (1 + 4) / 4 + 1.5**2 / 2, 0.5**2 / 2),
        ("hinge", (0 + 2) / 2 + 1.5, -0.5),
        ("wasserstein", 0.5 - 0.5, -0.5),
        (
            "cross_entropy",
            (np.log1p(np.exp(-2)) + np.log1p(np.exp(1))) / 2 + np.log1p(np.exp(0.5)),
            np.log1p(np.exp(-0.5)),
        ),
    ],
)
def test_games_score_as_worked_out_by_hand(name, on_discriminator, on_generator):
    discriminator_loss, generator_loss = losses.ADVERSARIAL_LOSSES[name]
    found = value(discriminator_loss(column(2.0, -1.0), column(0.5)))
    np.testing.assert_allclose(found, on_discriminator, atol=1e-6)
    np.testing.assert_allclose(
        value(generator_loss(column(0.5))), on_generator, rtol=1e-6
    )


@pytest.mark.parametrize("name", losses.ADVERSARIAL_LOSSES)
def test_every_game_teaches_the_discriminator_to_score_draws_above_codes(name):
    discriminator_loss, generator_loss = losses.ADVERSARIAL_LOSSES[name]
    high, low = column(0.5), column(-0.5)
    right, wrong = discriminator_loss(high, low), discriminator_loss(low, high)
    assert value(right) < value(wrong)
    assert value(generator_loss(column(-0.2))) < value(generator_loss(column(-0.5)))


DRAWS = ops.convert_to_tensor([[1.0, 0.0], [0.0, 2.0]])
CODES = ops.convert_to_tensor([[0.0, 1.0], [3.0, 1.0]])


def test_gradient_penalty_of_a_linear_critic_is_that_of_its_slope():
    def critic(x):  # slope (3, 4), of length 5
        return ops.matmul(x, ops.convert_to_tensor([[3.0], [4.0]]))

    found = losses.gradient_penalty(critic, DRAWS, CODES, seed=0)
    np.testing.assert_allclose(value(found), (5 - 1) ** 2, rtol=1e-5)


def test_gradient_penalty_looks_between_draws_and_codes(monkeypatch):
    quarter = ops.convert_to_tensor([[0.25], [0.25]])
    monkeypatch.setattr(keras.random, "uniform", lambda *args, **kwargs: quarter)
    found = losses.gradient_penalty(
        lambda x: ops.sum(x**2, axis=-1, keepdims=True) / 2, DRAWS, CODES, seed=0
    )
    slope = value(0.25 * DRAWS + 0.75 * CODES)  # of half a square: x itself
    lengths = np.linalg.norm(slope, axis=1)
    np.testing.assert_allclose(value(found), np.mean((lengths - 1) ** 2), rtol=1e-5)


def test_gradient_penalty_has_a_gradient_by_the_critics_weights():
    w = keras.Variable([[3.0], [4.0]])
    _, (gradient,) = value_and_grad(
        lambda: losses.gradient_penalty(lambda x: ops.matmul(x, w), DRAWS, CODES, 0),
        [w],
        [w],
    )
    # d (|w| - 1)^2 / dw = 2 (|w| - 1) w / |w|
    np.testing.assert_allclose(
        value(gradient), 2 * 4 * np.array([[0.6], [0.8]]), rtol=1e-5
    )


def test_classification_loss_is_minus_log_of_the_true_class():
    # softmax of (log 2, log 1, log 1) = (1/2, 1/4, 1/4)
    y_logits = np.log([[2, 1, 1], [2, 1, 1]]).astype("float32")
    loss = losses.classification_loss(
        ops.convert_to_tensor([0, 2]), ops.convert_to_tensor(y_logits)
    )
    np.testing.assert_allclose(value(loss), (LOG2 + np.log(4)) / 2, rtol=1e-6)


def test_errors_are_a_hundred_where_the_largest_logit_is_not_the_label():
    y_logits = ops.convert_to_tensor([[3.0, 1.0], [3.0, 1.0], [-1.0, 0.0]])
    errors = losses.errors(ops.convert_to_tensor([0, 1, 1]), y_logits)
    np.testing.assert_array_equal(value(errors), [0.0, 100.0, 0.0])


def test_kl_of_equal_distributions_is_zero_whatever_the_logits_offset():
    p = ops.convert_to_tensor([[1.0, 2.0, -1.0]])
    np.testing.assert_allclose(value(losses.categorical_kl(p, p + 5.0)), 0, atol=1e-6)


def test_kl_is_that_of_the_formula_and_not_symmetric():
    p = np.array([[0.5, 0.5], [0.9, 0.1]])
    q = np.array([[0.75, 0.25], [0.5, 0.5]])

    def kl(p, q):
        return np.mean(np.sum(p * np.log(p / q), axis=1))

    tensors = [ops.convert_to_tensor(np.log(a).astype("float32")) for a in (p, q)]
    np.testing.assert_allclose(
        value(losses.categorical_kl(*tensors)), kl(p, q), rtol=1e-5
    )
    np.testing.assert_allclose(
        value(losses.categorical_kl(*tensors[::-1])), kl(q, p), rtol=1e-5
    )


# --- virtual adversarial training, on the classifier softmax(x W) -----------------

WEIGHTS = np.random.Generator(np.random.PCG64(0)).normal(size=(4, 3))
IMAGES = np.random.Generator(np.random.PCG64(1)).random((5, 2, 2))
START = np.random.Generator(np.random.PCG64(2)).normal(size=(5, 2, 2))


def softmax(logits):
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    return p / p.sum(axis=1, keepdims=True)


def vat_in_numpy(radius, probe, power_iterations):
    x, d = IMAGES.reshape(5, 4), START.reshape(5, 4)
    p = softmax(x @ WEIGHTS)
    for _ in range(power_iterations):
        d = probe * d / np.linalg.norm(d, axis=1, keepdims=True)
        # The gradient of KL(p || softmax(l)) by l is softmax(l) - p.
        d = (softmax((x + d) @ WEIGHTS) - p) @ WEIGHTS.T
    r = radius * d / np.linalg.norm(d, axis=1, keepdims=True)
    q = softmax((x + r) @ WEIGHTS)
    return np.mean(np.sum(p * np.log(p / q), axis=1)), r


@pytest.fixture
def classify():
    seen = []
    weights = ops.convert_to_tensor(WEIGHTS.astype("float32"))

    def classify(x):
        seen.append(x)
        return ops.matmul(ops.reshape(x, (-1, 4)), weights)

    classify.seen = seen
    return classify


@pytest.fixture
def start(monkeypatch):
    """The first direction is random; here it is START, of any length."""
    monkeypatch.setattr(
        keras.random,
        "normal",
        lambda shape, seed: ops.convert_to_tensor(START.astype("float32")),
    )


@pytest.mark.parametrize(
    ("radius", "probe", "power_iterations"),
    [(1.0, 0.1, 1), (2.0, 0.1, 1), (1.0, 2.0, 1), (1.0, 0.1, 3)],
)
def test_virtual_adversarial_loss_is_that_of_the_formula(
    classify, start, radius, probe, power_iterations
):
    loss = losses.virtual_adversarial_loss(
        classify,
        ops.convert_to_tensor(IMAGES.astype("float32")),
        0,
        radius,
        probe,
        power_iterations,
    )
    expected, r = vat_in_numpy(radius, probe, power_iterations)
    np.testing.assert_allclose(value(loss), expected, rtol=1e-3)
    perturbed = value(classify.seen[-1])
    np.testing.assert_allclose(
        perturbed - IMAGES, r.reshape(IMAGES.shape), atol=2e-3 * radius
    )


def test_virtual_adversarial_direction_is_worse_than_a_random_one(classify):
    x = ops.convert_to_tensor(IMAGES.astype("float32"))
    loss = value(losses.virtual_adversarial_loss(classify, x, 0, radius=0.5))
    p_logits = classify(x)
    rng = np.random.Generator(np.random.PCG64(3))
    for _ in range(20):
        r = rng.normal(size=(5, 4))
        r = 0.5 * r / np.linalg.norm(r, axis=1, keepdims=True)
        moved = classify(x + ops.convert_to_tensor(r.reshape(5, 2, 2), "float32"))
        assert loss > value(losses.categorical_kl(p_logits, moved))


def test_virtual_adversarial_loss_of_a_constant_classifier_is_zero():
    loss = losses.virtual_adversarial_loss(
        lambda x: 0.0 * ops.reshape(x, (-1, 4)), ops.ones((5, 2, 2)), 0
    )
    np.testing.assert_allclose(value(loss), 0.0, atol=1e-7)


def test_virtual_adversarial_loss_repeats_from_its_seed(classify):
    x = ops.convert_to_tensor(IMAGES.astype("float32"))
    for seed in (3, 3, 4):
        losses.virtual_adversarial_loss(classify, x, seed)
    perturbed = [value(seen) for seen in classify.seen[2::3]]
    np.testing.assert_array_equal(perturbed[0], perturbed[1])
    assert np.any(perturbed[0] != perturbed[2])


def test_virtual_adversarial_loss_takes_the_logits_that_are_there_already(
    classify, start
):
    x = ops.convert_to_tensor(IMAGES.astype("float32"))
    alone = value(losses.virtual_adversarial_loss(classify, x, 0))
    passes = len(classify.seen)
    logits = classify(x)
    given = value(losses.virtual_adversarial_loss(classify, x, 0, y_logits=logits))
    np.testing.assert_allclose(given, alone, rtol=1e-6)
    assert len(classify.seen) == passes + 1 + (passes - 1)


# --- style consistency, with the decoder sigmoid-free: decode(y, z) = [y, z] V ------

DECODER = np.random.Generator(np.random.PCG64(4)).normal(size=(3 + 2, 4))
STYLES = np.random.Generator(np.random.PCG64(5)).normal(size=(5, 2))
STEPS = np.random.Generator(np.random.PCG64(6)).normal(size=(5, 2))


def decode(y, z):
    code = ops.concatenate([y, z], axis=-1)
    flat = ops.matmul(code, ops.convert_to_tensor(DECODER.astype("float32")))
    return ops.reshape(flat, (-1, 2, 2))


@pytest.mark.parametrize("scale", [0.0, 0.5, 2.0])
def test_style_consistency_loss_is_that_of_the_formula(classify, monkeypatch, scale):
    steps = ops.convert_to_tensor(STEPS.astype("float32"))
    monkeypatch.setattr(keras.random, "normal", lambda shape, seed: steps)
    x, z = (ops.convert_to_tensor(a.astype("float32")) for a in (IMAGES, STYLES))
    loss = losses.style_consistency_loss(classify, decode, x, classify(x), z, 0, scale)
    flat = IMAGES.reshape(5, 4)
    p = softmax(flat @ WEIGHTS)
    q = softmax((flat + scale * STEPS @ DECODER[3:]) @ WEIGHTS)
    expected = np.mean(np.sum(p * np.log(p / q), axis=1))
    np.testing.assert_allclose(value(loss), expected, rtol=1e-4, atol=1e-6)


def test_augmentation_consistency_is_the_divergence_from_the_changed_image(classify):
    def shift(x, seed):
        assert seed == 5
        return x + 1.0

    x = ops.convert_to_tensor(IMAGES.astype("float32"))
    loss = losses.augmentation_consistency_loss(classify, shift, x, classify(x), 5)
    flat = IMAGES.reshape(5, 4)
    p, q = softmax(flat @ WEIGHTS), softmax((flat + 1.0) @ WEIGHTS)
    expected = np.mean(np.sum(p * np.log(p / q), axis=1))
    np.testing.assert_allclose(value(loss), expected, rtol=1e-4)


def test_style_consistency_costs_nothing_where_the_decoder_ignores_the_style(classify):
    x, z = (ops.convert_to_tensor(a.astype("float32")) for a in (IMAGES, STYLES))
    loss = losses.style_consistency_loss(
        classify, lambda y, z: decode(y, 0.0 * z), x, classify(x), z, seed=0
    )
    np.testing.assert_allclose(value(loss), 0.0, atol=1e-7)


# --- heads that keep their distance -----------------------------------------------


def test_shares_loss_is_the_cross_entropy_of_the_priors_and_the_batchs_shares():
    logits = ops.convert_to_tensor(np.log([[0.5, 0.5], [0.25, 0.75]]))
    drawn = ops.convert_to_tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    found = losses.shares_loss(logits, drawn)
    expected = -(2 / 3 * np.log(0.375) + 1 / 3 * np.log(0.625))
    np.testing.assert_allclose(value(found), expected, rtol=1e-5)


def test_shares_loss_of_equal_shares_is_log_of_their_number():
    logits = ops.convert_to_tensor(100.0 * np.eye(4, dtype="float32"))
    found = losses.shares_loss(logits, ops.eye(4))
    np.testing.assert_allclose(value(found), np.log(4), rtol=1e-5)


def test_shares_loss_draws_images_to_a_class_that_none_is_anywhere_near():
    """Where q itself, exp(-200), is zero in float32."""
    logits = keras.Variable(np.array([[0.0, 0.0, -200.0]] * 5, "float32"))
    _, (gradient,) = value_and_grad(
        lambda: losses.shares_loss(logits, ops.eye(3)), [logits], [logits]
    )
    # d/dl of -1/3 log mean q_k is -1/15 for the lost class of each of the 5 images.
    np.testing.assert_allclose(value(gradient)[:, 2], -1 / 15, rtol=1e-5)


def test_heads_pay_for_what_each_pair_is_missing_to_the_distance():
    heads = ops.convert_to_tensor([[0.0, 0.0], [3.0, 4.0], [0.0, 12.0]])
    # Distances 5, 12 and sqrt(73) = 8.544; missing to 10: 5, 0 and 1.456.
    found = losses.head_distance_penalty(heads, 10.0)
    np.testing.assert_allclose(value(found), 5 + (10 - np.sqrt(73)), rtol=1e-5)
    np.testing.assert_allclose(value(losses.head_distance_penalty(heads, 5.0)), 0.0)


def test_heads_on_one_spot_have_a_finite_gradient():
    heads = keras.Variable(np.zeros((3, 2)))
    _, (gradient,) = value_and_grad(
        lambda: losses.head_distance_penalty(heads, 1.0), [heads], [heads]
    )
    assert np.isfinite(value(gradient)).all()
