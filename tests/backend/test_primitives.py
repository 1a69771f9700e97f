"""The two primitives that differ by backend: gradients by weights and by inputs."""

import pathlib
import runpy

import keras
import numpy as np
import pytest
from keras import ops

from keras_saae import backend
from keras_saae.backend import compiled, fuse, input_gradient, value_and_grad

to_numpy = ops.convert_to_numpy


@pytest.fixture
def w():
    return keras.Variable([1.0, 2.0], name="w")


@pytest.fixture
def counter():
    return keras.Variable(0.0, trainable=False, name="counter")


@pytest.fixture
def normalized():
    """Batch normalization, noise and a weight: all that a forward pass can move."""
    x = keras.Input((3,))
    h = keras.layers.BatchNormalization(momentum=0.5)(x)
    h = keras.layers.GaussianNoise(0.5, seed=3)(h)
    return keras.Model(x, keras.layers.Dense(1)(h))


X = np.array([[1.0, 2.0, 3.0], [3.0, 6.0, 9.0]], "float32")


def test_value_and_grad_of_a_square_is_the_square_and_its_slope(w):
    loss, (gradient,) = value_and_grad(lambda: ops.sum(3 * w * w), [w], [w])
    np.testing.assert_allclose(to_numpy(loss), 15.0)
    np.testing.assert_allclose(to_numpy(gradient), [6.0, 12.0])
    np.testing.assert_array_equal(to_numpy(w), [1.0, 2.0])


def test_gradients_come_in_the_order_of_the_variables(w):
    v = keras.Variable(5.0)
    _, (by_v, by_w) = value_and_grad(lambda: v * ops.sum(w), [v, w], [w, v])
    np.testing.assert_allclose(to_numpy(by_v), 3.0)
    np.testing.assert_allclose(to_numpy(by_w), [5.0, 5.0])


def test_value_and_grad_leaves_out_variables_it_is_not_asked_for(w):
    v = keras.Variable(5.0)
    _, gradients = value_and_grad(lambda: v * ops.sum(w), [v], [w, v])
    assert len(gradients) == 1


def test_untouched_variable_has_no_gradient(w):
    v = keras.Variable(5.0)
    _, (gradient, _) = value_and_grad(lambda: ops.sum(w), [v, w], [w, v])
    assert gradient is None or not np.any(to_numpy(gradient))


def test_value_and_grad_keeps_what_the_loss_assigns(w, counter):
    def loss():
        counter.assign_add(7.0)
        return ops.sum(w)

    value_and_grad(loss, [w], [w, counter])
    np.testing.assert_allclose(to_numpy(counter), 7.0)


def test_value_and_grad_moves_batch_statistics_and_seeds(normalized):
    before = [to_numpy(v) for v in normalized.non_trainable_variables]
    value_and_grad(
        lambda: ops.sum(normalized(ops.convert_to_tensor(X), training=True)),
        normalized.trainable_variables,
        normalized.variables,
    )
    after = [to_numpy(v) for v in normalized.non_trainable_variables]
    assert len(after) == 3  # mean, variance, seed
    for one, other in zip(before, after):
        assert np.any(one != other)


def test_input_gradient_of_a_cube_is_three_squares():
    gradient = input_gradient(lambda x: ops.sum(x**3), ops.convert_to_tensor(X))
    np.testing.assert_allclose(to_numpy(gradient), 3 * X**2, rtol=1e-6)


def test_input_gradient_hands_out_what_comes_beside_the_scalar():
    gradient, cubes = input_gradient(
        lambda x: (ops.sum(x**3), x**3), ops.convert_to_tensor(X), has_aux=True
    )
    np.testing.assert_allclose(to_numpy(gradient), 3 * X**2, rtol=1e-6)
    np.testing.assert_allclose(to_numpy(cubes), X**3, rtol=1e-6)


def test_input_gradient_moves_no_batch_statistics_and_no_seeds(normalized):
    before = [to_numpy(v) for v in normalized.variables]
    gradient = input_gradient(
        lambda x: ops.sum(normalized(x, training=True) ** 2), ops.convert_to_tensor(X)
    )
    assert np.any(to_numpy(gradient) != 0)
    for one, variable in zip(before, normalized.variables):
        np.testing.assert_array_equal(one, to_numpy(variable))


def test_input_gradient_within_value_and_grad_sees_the_values_at_hand(w, counter):
    """And its own assignments stay inside it, those around it do not."""

    def slope_times_w():
        counter.assign(3.0)

        def cube(x):
            counter.assign_add(100.0)
            return ops.sum(counter * x)  # its slope by x: the counter, 103

        slope = ops.stop_gradient(input_gradient(cube, ops.ones((2,))))
        return ops.sum(slope * w)

    loss, (gradient,) = value_and_grad(slope_times_w, [w], [w, counter])
    np.testing.assert_allclose(to_numpy(loss), 103 * 3.0)
    np.testing.assert_allclose(to_numpy(gradient), [103.0, 103.0])
    np.testing.assert_allclose(to_numpy(counter), 3.0)


def test_input_gradient_may_be_differentiated_again_by_weights(w):
    """The slope of sum(w x^3) at ones is 3 w, and that of its square 18 w."""

    def squared_slope():
        slope = input_gradient(
            lambda x: ops.sum(w * x**3), ops.ones((2,)), differentiable=True
        )
        return ops.sum(slope**2)

    loss, (gradient,) = value_and_grad(squared_slope, [w], [w])
    np.testing.assert_allclose(to_numpy(loss), 9 * 5.0)
    np.testing.assert_allclose(to_numpy(gradient), [18.0, 36.0])


def test_input_gradient_agrees_with_finite_differences(normalized):
    def score(x):
        return ops.sum(ops.tanh(normalized(x, training=False)))

    x = 0.1 * X
    gradient = to_numpy(input_gradient(score, ops.convert_to_tensor(x)))
    step = np.zeros_like(x)
    step[1, 2] = 0.01
    up, down = (to_numpy(score(ops.convert_to_tensor(x + s))) for s in (step, -step))
    np.testing.assert_allclose(gradient[1, 2], (up - down) / 0.02, rtol=1e-2)


def test_a_compiled_function_gives_what_the_function_gives(w):
    def slope_of_squares(x, scale):
        return input_gradient(lambda v: ops.sum(scale * w * v**2), x), scale

    fast = compiled(slope_of_squares)
    for x in ([3.0, 4.0], [5.0, 6.0]):
        x = ops.convert_to_tensor(x)
        slope, scale = fast(x, ops.convert_to_tensor(10.0))
        np.testing.assert_allclose(to_numpy(slope), 20 * np.array([1, 2]) * to_numpy(x))
        np.testing.assert_allclose(to_numpy(scale), 10.0)


def test_other_backends_are_refused_with_the_list_of_ours(monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "numpy")
    with pytest.raises(ImportError, match="tensorflow, jax and torch.*'numpy'"):
        runpy.run_path(str(pathlib.Path(backend.__file__)))


OPTIMIZERS = {
    "adam": lambda: keras.optimizers.Adam(0.1),
    "large_epsilon": lambda: keras.optimizers.Adam(0.1, 0.5, 0.8, epsilon=0.3),
    "weight_decay": lambda: keras.optimizers.AdamW(0.1, weight_decay=0.2),
    "clipped": lambda: keras.optimizers.Adam(0.1, clipnorm=0.5),
    "amsgrad": lambda: keras.optimizers.Adam(0.1, amsgrad=True),
    "momentum": lambda: keras.optimizers.SGD(0.1, momentum=0.9),
}


@pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_fused_update_is_that_of_keras(make):
    ours, theirs = (keras.Variable([[1.0, 2.0, 3.0]]) for _ in range(2))
    fused, plain = make(), make()
    for optimizer, w in ((fused, ours), (plain, theirs)):
        optimizer.build([w])
    fuse(fused)
    for gradient in ([[1.0, 0.0, -2.0]], [[0.5, 0.1, 0.0]], [[-3.0, 0.0, 0.2]]):
        for optimizer, w in ((fused, ours), (plain, theirs)):
            optimizer.apply([ops.convert_to_tensor(np.array(gradient, "float32"))], [w])
        np.testing.assert_allclose(to_numpy(ours), to_numpy(theirs), rtol=1e-5)
    state = zip(fused.variables, plain.variables)
    for variable, same in state:  # saved by one, it can be continued by the other
        np.testing.assert_allclose(to_numpy(variable), to_numpy(same), rtol=1e-5)


def test_adam_is_fused_on_pytorch_but_for_classes_of_others():
    class Own(keras.optimizers.Adam):
        pass

    optimizers = [keras.optimizers.Adam(), Own(), keras.optimizers.SGD()]
    for optimizer in optimizers:
        optimizer.build([keras.Variable([1.0])])
        fuse(optimizer)
    changed = ["_backend_update_step" in vars(optimizer) for optimizer in optimizers]
    assert changed == [keras.backend.backend() == "torch", False, False]
