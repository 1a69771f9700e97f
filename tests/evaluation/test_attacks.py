"""Attacks on linear models, whose worst change is known, and on the package's own."""

from functools import partial

import keras
import numpy as np
import pytest
import tiny
from keras import ops

from keras_saae.evaluation import ascent, attacks, error_rate

# Logits of three classes of images of 2x2 pixels: x @ WEIGHTS.
WEIGHTS = np.array(
    [[1.0, -2.0, 0.5], [0.0, 3.0, -1.0], [-2.0, 0.5, 1.0], [4.0, 1.0, -3.0]], "float32"
)
X = np.array([[0.5, 0.4, 0.95, 0.5], [0.05, 0.5, 0.6, 0.5]], "float32")
X = X.reshape(2, 2, 2)
Y = np.array([0, 1])
EVERY_ATTACK = [attacks.fgsm, attacks.bim, attacks.pgd, attacks.mim]
every_attack = pytest.mark.parametrize(
    "attack", EVERY_ATTACK, ids=[attack.__name__ for attack in EVERY_ATTACK]
)


def linear_logits(x, scale=1.0):
    return scale * ops.matmul(ops.reshape(x, (-1, 4)), WEIGHTS)


def linear(x):
    return ops.softmax(linear_logits(x))


def worst_signs(x, y):
    """Signs of the cross-entropy's gradient, W (p - onehot), by hand."""
    logits = x.reshape(-1, 4).astype("float64") @ WEIGHTS
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return np.sign((p - np.eye(3)[y]) @ WEIGHTS.T).reshape(x.shape)


def one_pixel(*values):
    return np.array(values, "float32").reshape(-1, 1, 1)


def peak_at(place):
    """A loss of images of one pixel that is highest where the pixel is `place`."""
    return lambda x, y: -ops.square(ops.reshape(x, (-1,)) - place)


# --- one step ---------------------------------------------------------------------


def test_fgsm_of_a_linear_softmax_is_its_closed_form():
    expected = np.clip(X + 0.1 * worst_signs(X, Y), 0, 1)
    assert np.any(expected == 0) or np.any(expected == 1)  # one pixel meets the edge
    np.testing.assert_allclose(attacks.fgsm(linear, X, Y, 0.1), expected, atol=1e-6)


def test_logits_and_probabilities_are_attacked_alike():
    np.testing.assert_array_equal(
        attacks.fgsm(linear, X, Y, 0.1),
        attacks.fgsm(linear_logits, X, Y, 0.1, from_logits=True),
    )


def test_a_model_that_is_sure_is_attacked_like_another():
    weights = 30.0 * np.array([[1.0, 0.0], [-1.0, 0.0], [0.5, 0.0], [2.0, 0.0]])

    def sure(x):  # its first class has 45 and 60 nats more
        return ops.softmax(ops.matmul(ops.reshape(x, (-1, 4)), weights.astype("f4")))

    x = np.array([[0.9, 0.4, 0.0, 0.5], [0.8, 0.3, 0.6, 0.6]], "float32")
    x = x.reshape(2, 2, 2)
    # In float32 the cross-entropy, -log p_0, is 0 and has no gradient.
    assert np.all(ops.convert_to_numpy(sure(x))[:, 0] == 1)
    against_class_0 = 0.1 * np.array([[-1, 1], [-1, -1]])
    found = attacks.fgsm(sure, x, [0, 0], 0.1)
    np.testing.assert_allclose(found, np.clip(x + against_class_0, 0, 1), atol=1e-6)


def test_probabilities_that_round_to_0_and_1_are_warned_of():
    def rounded(x):
        return ops.softmax(linear_logits(x, scale=1000.0))

    y = ops.convert_to_numpy(rounded(X)).argmax(axis=1)
    with pytest.warns(UserWarning, match="no gradient at 2 of 2 starts.*from_logits"):
        unmoved = attacks.fgsm(rounded, X, y, 0.1)
    np.testing.assert_array_equal(unmoved, X)


def test_log_odds_are_the_logarithm_of_the_odds_against_the_class():
    loss = attacks.log_odds_loss(lambda x: x)
    p = ops.convert_to_tensor([[0.2, 0.5, 0.3]], "float32")
    found = ops.convert_to_numpy(loss(p, ops.convert_to_tensor([0])))
    np.testing.assert_allclose(found, np.log(0.8 / 0.2), rtol=1e-5)


# --- many steps -------------------------------------------------------------------


def test_bim_in_one_step_of_epsilon_is_fgsm():
    np.testing.assert_array_equal(
        attacks.bim(linear, X, Y, 0.1, steps=1, step_size=0.1),
        attacks.fgsm(linear, X, Y, 0.1),
    )


def test_bim_goes_its_steps_and_stops_at_epsilon():
    x, y = one_pixel(0.2, 0.2), [0, 0]
    after = [
        attacks.bim(None, x, y, 0.25, steps, 0.1, loss=peak_at(1.0))[0, 0, 0]
        for steps in (1, 2, 3, 9)
    ]
    np.testing.assert_allclose(after, [0.3, 0.4, 0.45, 0.45], rtol=1e-6)


def test_momentum_carries_past_the_place_where_the_gradient_turns():
    # From 0.5 to 0.6, beyond the peak at 0.58. The gradients, 0.16 and -0.04, count as
    # 1 and -1.
    after = [
        attacks.mim(None, one_pixel(0.5), [0], 0.3, 2, 0.1, decay, loss=peak_at(0.58))
        for decay in (0.0, 1.0, 2.0)
    ]
    np.testing.assert_allclose(np.ravel(after), [0.5, 0.6, 0.7], rtol=1e-5)


def test_pgd_of_a_linear_model_reaches_the_corner_that_fgsm_finds():
    expected = attacks.fgsm(linear, X, [0, 0], 0.1)
    found = attacks.pgd(linear, X, [0, 0], 0.1)
    np.testing.assert_allclose(found, expected, atol=1e-6)


def two_peaks(x, y):  # a low one at 0.3, a high one at 0.7
    v = ops.reshape(x, (-1,))
    return ops.exp(-50 * (v - 0.3) ** 2) + 3 * ops.exp(-50 * (v - 0.7) ** 2)


def test_pgd_keeps_of_its_restarts_each_image_s_highest_loss():
    x, y = np.full((20, 1, 1), 0.4, "float32"), np.zeros(20, int)
    settings = {"epsilon": 0.4, "steps": 30, "step_size": 0.01, "loss": two_peaks}
    once = attacks.pgd(None, x, y, restarts=1, **settings).ravel()
    often = attacks.pgd(None, x, y, restarts=8, **settings).ravel()
    assert 0 < np.mean(np.abs(once - 0.7) < 0.05) < 1
    np.testing.assert_allclose(often, 0.7, atol=0.02)


@pytest.mark.parametrize("attack", [attacks.bim, attacks.mim])
def test_first_start_is_the_image_and_the_others_are_random(attack):
    x, y = one_pixel(*20 * [0.4]), np.zeros(20, int)
    settings = {"epsilon": 0.4, "steps": 30, "step_size": 0.02, "loss": two_peaks}
    once = attack(None, x, y, **settings).ravel()
    often = attack(None, x, y, restarts=20, **settings).ravel()
    assert np.all(once < 0.5) and np.all(often > 0.5)


def test_of_several_step_sizes_each_image_keeps_that_of_the_highest_loss():
    def to_its_label(x, y):
        return -ops.abs(ops.reshape(x, (-1,)) - ops.cast(y, "float32"))

    def between(x, y):  # 0.6 for class 0, 0.9 for class 1
        return to_its_label((x - 0.6) / 0.3, y)

    x = one_pixel(0.5, 0.5)
    found = attacks.bim(
        None, x, [0, 1], 0.5, steps=1, step_size=[0.1, 0.4], loss=between
    )
    np.testing.assert_allclose(found.ravel(), [0.6, 0.9], rtol=1e-5)


@pytest.mark.parametrize(
    "attack", [attacks.bim, partial(attacks.mim, decay=0.0), attacks.pgd]
)
def test_an_end_that_succeeds_is_kept_before_one_that_climbed_higher(attack):
    x, y = np.full((20, 1, 1), 0.4, "float32"), np.arange(20)

    def succeeds(x, y):  # the lower peak, and for the first ten images alone
        return (np.abs(x.ravel() - 0.3) < 0.05) & (y < 10)

    settings = {"epsilon": 0.4, "steps": 30, "step_size": 0.02, "restarts": 20}
    found = attack(None, x, y, **settings, loss=two_peaks, succeeds=succeeds)
    np.testing.assert_allclose(found.ravel()[:10], 0.3, atol=0.03)
    assert np.all(found.ravel()[10:] > 0.5)


def test_pgd_is_repeatable_by_its_seed():
    def attack(seed):
        return attacks.pgd(linear, X, Y, 0.3, steps=1, step_size=0.01, seed=seed)

    np.testing.assert_array_equal(attack(3), attack(3))
    assert np.any(attack(3) != attack(4))


# --- what holds for all -----------------------------------------------------------


@every_attack
def test_images_stay_within_epsilon_and_within_0_and_1(attack):
    x = tiny.random(1).random((30, 2, 2)).astype("float32")
    attacked = attack(linear, x, np.arange(30) % 3, 0.3)
    assert attacked.dtype == np.float32
    assert attacked.min() == 0 and attacked.max() == 1
    np.testing.assert_allclose(np.abs(attacked - x).max(), 0.3, atol=1e-6)


def test_an_epsilon_of_0_changes_nothing():
    np.testing.assert_array_equal(attacks.pgd(linear, X, Y, 0, restarts=2), X)


def test_batches_make_no_difference(monkeypatch):
    x = tiny.random(1).random((5, 2, 2)).astype("float32")
    whole = attacks.bim(linear, x, np.arange(5) % 3, 0.1)
    monkeypatch.setattr(ascent, "BATCH_SIZE", 3)
    found = attacks.bim(linear, x, np.arange(5) % 3, 0.1)
    np.testing.assert_allclose(found, whole, atol=1e-6)


@every_attack
def test_a_loss_of_one_s_own_is_climbed_instead(attack):
    def brightness(x, y):  # darker for class 1
        sign = 1.0 - 2.0 * ops.cast(y, "float32")
        return sign * ops.sum(ops.reshape(x, (-1, 4)), axis=1)

    attacked = attack(linear, X, [0, 1], 0.02, loss=brightness)
    np.testing.assert_allclose(attacked[0], X[0] + 0.02, atol=1e-6)
    np.testing.assert_allclose(attacked[1], X[1] - 0.02, atol=1e-6)


def test_attacks_on_a_compiled_loss_share_it_and_find_the_same():
    own, traced = attacks.log_odds_loss(linear), []

    def loss(x, y):
        traced.append(x)
        return own(x, y)

    shared = attacks.CompiledLoss(loss)
    for epsilon in (0.1, 0.2):
        for attack in (attacks.pgd, attacks.mim, attacks.fgsm):
            np.testing.assert_array_equal(
                attack(None, X, Y, epsilon, loss=shared), attack(linear, X, Y, epsilon)
            )
            if keras.backend.backend() != "torch":  # which compiles nothing
                assert len(traced) == 1  # the step, which tells the loss too
    for attack in (attacks.pgd, attacks.mim, attacks.fgsm):
        np.testing.assert_array_equal(
            attack(None, X, Y, 0.1, loss=-shared),
            attack(None, X, Y, 0.1, loss=lambda x, y: -own(x, y)),
        )
    if keras.backend.backend() != "torch":
        assert len(traced) == 1  # the way back is not compiled


def test_noise_is_made_to_pass_for_the_class_asked_for():
    noise = tiny.random(1).random((30, 2, 2)).astype("float32")
    asked, away = np.arange(30) % 3, attacks.log_odds_loss(linear)
    fooling = attacks.pgd(None, noise, asked, 1.0, loss=-attacks.CompiledLoss(away))
    assert error_rate(asked, ops.convert_to_numpy(linear(noise))) > 50
    assert error_rate(asked, ops.convert_to_numpy(linear(fooling))) == 0


@pytest.mark.parametrize("make", [tiny.neural_network, tiny.aae])
def test_models_are_likelier_to_err_as_epsilon_grows_and_stay_themselves(make):
    model = make(tiny.networks(batch_normalization=True, dropout=0.3))
    x, y = tiny.images(60), tiny.labels(60)
    before = tiny.values(model.variables)
    cross_entropies = []
    for epsilon in (0.0, 0.1, 0.3):
        attacked = attacks.bim(model, x, y, epsilon, steps=3)
        p = ops.convert_to_numpy(model(attacked))
        cross_entropies.append(-np.log(p[np.arange(60), y]).mean())
    assert cross_entropies[0] < cross_entropies[1] < cross_entropies[2]
    tiny.assert_equal(tiny.values(model.variables), before)


def test_uint8_images_are_divided_by_255():
    x = (255 * X).astype("uint8")
    np.testing.assert_allclose(
        attacks.fgsm(linear, x, Y, 0.1), attacks.fgsm(linear, x / 255, Y, 0.1)
    )


foolbox_may_warn = pytest.mark.filterwarnings(
    "ignore:Please import `gaussian_filter`:DeprecationWarning"
)


def foolbox_judge(logits):
    """A function in `keras.ops` as foolbox takes models; elsewhere the test is over."""
    if keras.backend.backend() != "torch":
        pytest.skip("foolbox differentiates PyTorch models")
    import foolbox
    import torch

    class Logits(torch.nn.Module):
        def forward(self, x):
            return logits(x)

    return foolbox.PyTorchModel(Logits().eval(), bounds=(0, 1), device="cpu")


def assert_as_foolbox(our_x, attack, judge, x=X, y=Y):
    import torch

    _, their_x, _ = attack(judge, torch.tensor(x), torch.tensor(y), epsilons=0.1)
    np.testing.assert_allclose(our_x, their_x.numpy(), atol=1e-6)


@foolbox_may_warn
def test_attacks_on_a_linear_model_agree_with_foolbox():
    judge = foolbox_judge(linear_logits)
    from foolbox import attacks as theirs

    ours = {"steps": 7, "step_size": 0.03}
    same = {"steps": 7, "abs_stepsize": 0.03}
    for our_x, attack in (
        (attacks.fgsm(linear, X, Y, 0.1), theirs.LinfFastGradientAttack()),
        (
            attacks.bim(linear, X, Y, 0.1, **ours),
            theirs.LinfBasicIterativeAttack(**same),
        ),
        # From whatever start: the model is linear and has one worst corner.
        (attacks.pgd(linear, X, Y, 0.1, **ours), theirs.LinfPGD(**same)),
        # Theirs does not scale the gradients that it sums; here their signs agree.
        (
            attacks.mim(linear, X, Y, 0.1, **ours),
            theirs.LinfMomentumIterativeFastGradientMethod(**same),
        ),
    ):
        assert_as_foolbox(our_x, attack, judge)


@foolbox_may_warn
def test_each_step_on_a_curved_model_agrees_with_foolbox():
    def logits(x):  # its gradient turns round within the ball
        return linear_logits(ops.sin(20.0 * x))

    judge = foolbox_judge(logits)
    from foolbox import attacks as theirs

    x = tiny.random().uniform(0.1, 0.9, (20, 2, 2)).astype("float32")
    y = np.arange(20) % 3
    found = []
    for steps in (1, 2, 3, 6):
        our_x = attacks.bim(logits, x, y, 0.1, steps, 0.04, from_logits=True)
        attack = theirs.LinfBasicIterativeAttack(steps=steps, abs_stepsize=0.04)
        assert_as_foolbox(our_x, attack, judge, x, y)
        found.append(our_x)
    one_step = attacks.fgsm(logits, x, y, 0.1, from_logits=True)
    assert_as_foolbox(one_step, theirs.LinfFastGradientAttack(), judge, x, y)
    changes = [np.abs(a - b).max() for a, b in zip(found, [*found[1:], one_step])]
    assert min(changes) > 0.01  # none is another's, as they are on a linear model


# --- bad input --------------------------------------------------------------------


@every_attack
@pytest.mark.parametrize("epsilon", [-0.1, 1.1, 8, np.nan, "0.1", None])
def test_an_epsilon_outside_0_and_1_is_refused(attack, epsilon):
    with pytest.raises(ValueError, match=r"`epsilon` .* in \[0, 1\].*8 / 255"):
        attack(linear, X, Y, epsilon)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model": linear_logits}, "from_logits=False.*no probabilities"),
        ({"from_logits": True}, "from_logits=True.*are probabilities"),
        ({"model": lambda x: x}, r"class probabilities \(n, num_classes\).*2, 2, 2"),
        ({"y": [0, 3]}, "classes 0..2. Received 3"),
        ({"y": [0]}, "equal lengths"),
        ({"x": X * np.nan}, "NaN"),
        ({"x": 200 * X}, "scaled to 0..255"),
        ({"loss": lambda x, y: ops.sum(x)}, r"shape \(n,\).*Do not average"),
        ({"succeeds": lambda x, y: True}, r"`succeeds` .*shape \(n,\)"),
        ({"loss": lambda x, y: ops.sum(x, (1, 2)) * np.nan}, "became NaN"),
        ({"steps": 0}, "`steps`"),
        ({"restarts": 0}, "`restarts`"),
        ({"step_size": 0.0}, "`step_size`"),
        ({"step_size": np.nan}, "`step_size`"),
        ({"step_size": []}, "`step_size`"),
        ({"step_size": [0.1, -0.1]}, "`step_size`"),
    ],
)
def test_bad_input_is_refused_with_a_reason(change, message):
    arguments = {"model": linear, "x": X, "y": Y, "epsilon": 0.1, **change}
    with pytest.raises(ValueError, match=message):
        attacks.pgd(**arguments)


@pytest.mark.parametrize("model", [None, "linear"])
def test_what_is_no_function_of_images_is_refused(model):
    with pytest.raises(TypeError, match="SelectiveClassifier attack its `.model`"):
        attacks.fgsm(model, X, Y, 0.1)


@pytest.mark.parametrize("decay", [-1.0, np.inf, np.nan])
def test_a_decay_that_is_no_number_from_0_up_is_refused(decay):
    with pytest.raises(ValueError, match="`decay`"):
        attacks.mim(linear, X, Y, 0.1, decay=decay)


def test_images_of_another_shape_than_the_model_s_are_refused():
    with pytest.raises(ValueError, match=r"\(4, 4\)"):
        attacks.fgsm(tiny.neural_network(), X, Y, 0.1)
