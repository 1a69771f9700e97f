"""One optimizer per phase, in one object that Keras can carry."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_saae import ConstantThenLinear, Phase, PhaseOptimizers


@pytest.fixture
def w():
    return keras.Variable([1.0, 2.0], name="w")


def two_phases(w, **optimizers):
    """Two phases that share w, each with momentum of its own."""
    optimizers = optimizers or {
        "first": keras.optimizers.SGD(0.1, momentum=0.5),
        "second": keras.optimizers.SGD(1.0, momentum=0.9),
    }
    bundle = PhaseOptimizers(optimizers)
    phases = [Phase(name, None, (w,)) for name in ("first", "second")]
    bundle.build_phases(phases)
    return bundle, phases


def gradient(*values):
    return [ops.convert_to_tensor(np.array(values, "float32"))]


def test_each_phase_updates_with_its_own_rate_and_momentum(w):
    bundle, (first, second) = two_phases(w)
    bundle.apply_phase(first, gradient(1.0, 0.0))  # w = 0.9, 2
    bundle.apply_phase(second, gradient(0.0, 1.0))  # w = 0.9, 1
    np.testing.assert_allclose(w.numpy(), [0.9, 1.0], rtol=1e-6)
    bundle.apply_phase(first, gradient(0.0, 0.0))  # half of the step before: -0.05, 0
    np.testing.assert_allclose(w.numpy(), [0.85, 1.0], rtol=1e-6)
    bundle.apply_phase(second, gradient(0.0, 0.0))  # 0.9 of it: 0, -0.9
    np.testing.assert_allclose(w.numpy(), [0.85, 0.1], rtol=1e-5)


def test_optimizers_are_found_by_phase_and_named_after_it(w):
    bundle, _ = two_phases(w)
    assert [o.name for o in bundle.optimizers] == ["first", "second"]
    assert bundle["second"] is bundle.optimizers[1]
    with pytest.raises(KeyError):
        bundle["third"]


def test_variables_hold_the_step_count_and_the_state_of_all(w):
    bundle, _ = two_phases(w)
    expected = [bundle.iterations, *bundle["first"].variables]
    expected += bundle["second"].variables
    assert [id(v) for v in bundle.variables] == [id(v) for v in expected]


def test_optimizers_take_the_order_of_the_phases(w):
    bundle, _ = two_phases(w, second="sgd", first="adam")
    assert list(bundle.by_phase) == ["first", "second"]
    assert isinstance(bundle["first"], keras.optimizers.Adam)


def test_building_again_keeps_the_state(w):
    bundle, phases = two_phases(w)
    bundle.apply_phase(phases[0], gradient(1.0, 0.0))
    before = [v.numpy() for v in bundle.variables]
    bundle.build_phases(phases)
    for one, variable in zip(before, bundle.variables):
        np.testing.assert_array_equal(one, variable.numpy())


def test_steps_are_counted(w):
    bundle, _ = two_phases(w)
    bundle.count_step()
    bundle.count_step()
    assert int(bundle.iterations.numpy()) == 2


def test_initial_rates_outlive_drops_and_saving(w):
    bundle, _ = two_phases(w)
    bundle["first"].learning_rate = 0.01
    config = keras.saving.serialize_keras_object(bundle)
    again = keras.saving.deserialize_keras_object(config)
    assert again.initial_learning_rates == pytest.approx({"first": 0.1, "second": 1.0})
    assert float(again["first"].learning_rate.numpy()) == pytest.approx(0.01)
    assert again["first"].momentum == 0.5


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW", "RMSprop"])
def test_configuration_names_no_class_of_one_backend(name):
    """Keras on PyTorch has classes of its own, which fail on the others."""
    bundle = PhaseOptimizers({"first": getattr(keras.optimizers, name)(0.1)})
    config = bundle.get_config()["optimizers"]["first"]
    assert (config["module"], config["class_name"]) == ("keras.optimizers", name)


def test_rate_that_follows_a_schedule_has_no_initial_number():
    bundle = PhaseOptimizers(
        {"first": keras.optimizers.SGD(ConstantThenLinear(1.0, 9))}
    )
    assert bundle.initial_learning_rates == {"first": None}


def test_update_of_all_phases_at_once_is_refused(w):
    bundle, _ = two_phases(w)
    with pytest.raises(NotImplementedError, match="apply_phase"):
        bundle.apply(gradient(1.0, 1.0), [w])


def test_optimizers_that_are_no_dict_are_refused():
    with pytest.raises(TypeError, match="dict from phase name"):
        PhaseOptimizers([keras.optimizers.SGD()])


def test_no_optimizer_at_all_is_refused():
    with pytest.raises(ValueError, match="optimizer of its own"):
        PhaseOptimizers({})


def test_one_optimizer_for_two_phases_is_refused():
    shared = keras.optimizers.SGD()
    with pytest.raises(ValueError, match="2|1 optimizer object.*Create one per phase"):
        PhaseOptimizers({"first": shared, "second": shared})


def test_optimizer_with_its_own_averages_is_refused():
    with pytest.raises(ValueError, match="'first' has use_ema=True.*`averaging`"):
        PhaseOptimizers({"first": keras.optimizers.SGD(use_ema=True, ema_momentum=0.9)})


def test_other_names_than_those_of_the_phases_are_refused(w):
    with pytest.raises(
        ValueError, match=r"\['first', 'second'\], the optimizer \['x'\]"
    ):
        two_phases(w, x="sgd")


@pytest.mark.parametrize(
    ("step", "rate"), [(0, 0.2), (50, 0.2), (75, 0.1), (99, 0.004), (100, 0), (120, 0)]
)
def test_rate_is_constant_and_then_falls_to_zero(step, rate):
    schedule = ConstantThenLinear(0.2, updates=100, decay_from=0.5)
    np.testing.assert_allclose(schedule(step), rate, atol=1e-7)


def test_schedule_counts_the_updates_of_its_phase(w):
    schedule = ConstantThenLinear(1.0, updates=2, decay_from=0.0)
    bundle, (first, _) = two_phases(
        w, first=keras.optimizers.SGD(schedule), second="sgd"
    )
    for _ in range(3):
        bundle.apply_phase(first, gradient(1.0, 0.0))  # rates 1, 1/2, 0
    np.testing.assert_allclose(w.numpy(), [1.0 - 1.5, 2.0], rtol=1e-6)


def test_schedule_is_rebuilt_from_its_configuration():
    config = keras.saving.serialize_keras_object(ConstantThenLinear(0.2, 100, 0.3))
    again = keras.saving.deserialize_keras_object(config)
    assert again.get_config() == {
        "learning_rate": 0.2,
        "updates": 100,
        "decay_from": 0.3,
    }


@pytest.mark.parametrize("decay_from", [-0.1, 1.0])
def test_schedule_refuses_to_fall_outside_the_run(decay_from):
    with pytest.raises(ValueError, match="at least 0 and below 1"):
        ConstantThenLinear(0.1, 10, decay_from)
