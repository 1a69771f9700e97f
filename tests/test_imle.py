"""A decoder fitted by its own samples."""

import family
import keras
import numpy as np
import pytest
import tiny
from keras import layers, ops

import keras_saae as saae
from keras_saae.imle import _nearest


def plain_decoder(use_bias):
    """Pixels that are linear in the code."""
    return keras.Sequential(
        [
            keras.Input((tiny.Z_DIM,)),
            layers.Dense(16, use_bias=use_bias, name="pixels"),
            layers.Reshape(tiny.IMAGE_SHAPE),
        ]
    )


def aae(codes, use_bias=True):
    """An AAE whose samples are black, and whose prior draws the given codes."""
    prior, decoder = tiny.Fixed(codes), plain_decoder(use_bias)
    model = family.model("aae", prior=prior, decoder=decoder)
    for weight in decoder.weights:
        weight.assign(np.zeros(weight.shape))
    return model


def test_each_image_is_given_the_sample_nearest_to_it():
    drawn = np.array([[0.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
    x = np.array([[0.1, 0.0], [0.2, 1.0], [0.9, 1.0], [1.0, 0.8]])
    one_class = np.zeros(4, "int64"), np.zeros(3, "int64")
    nearest, distance = _nearest(x, one_class[0], drawn, one_class[1])
    assert nearest.tolist() == [0, 2, 1, 1]
    assert distance == pytest.approx((0.01 + 0.04 + 0.01 + 0.04) / 4)


def test_an_image_is_given_no_sample_of_another_class():
    drawn, x = np.array([[0.0], [1.0]]), np.array([[0.1], [0.1]])
    nearest, distance = _nearest(x, np.array([0, 1]), drawn, np.array([0, 1]))
    assert nearest.tolist() == [0, 1]
    assert distance == pytest.approx((0.01 + 0.81) / 2)


def test_blocks_give_what_one_block_gives(monkeypatch):
    rng = tiny.random()
    x, drawn = rng.random((7, 4)), rng.random((5, 4))
    arguments = (x, np.arange(7) % 2, drawn, np.arange(5) % 2)
    expected = _nearest(*arguments)
    monkeypatch.setattr("keras_saae.imle.BLOCK_VALUES", 6)
    nearest, distance = _nearest(*arguments)
    assert nearest.tolist() == expected[0].tolist()
    assert distance == pytest.approx(expected[1])


def test_adam_moves_a_black_sample_by_the_learning_rate_towards_a_white_image():
    model = aae(np.zeros((64, tiny.Z_DIM)))
    x = np.ones((3, *tiny.IMAGE_SHAPE), "float32")
    distances = saae.fit_imle(model, x, passes=2, samples=2, learning_rate=0.1)
    # Sixteen pixels, each 1 away and then 0.9: Adam's first step is its rate.
    np.testing.assert_allclose(distances[:2], [16.0, 16 * 0.9**2], rtol=1e-5)
    assert len(distances) == 3  # before each pass, and after the last


def test_uint8_images_are_as_far_as_the_same_in_floats():
    black = aae(np.zeros((64, tiny.Z_DIM)))
    x = np.full((3, *tiny.IMAGE_SHAPE), 51, "uint8")  # 0.2 away at sixteen pixels
    distances = saae.fit_imle(black, x, passes=1, samples=2)
    assert distances[0] == pytest.approx(16 * 0.2**2, rel=1e-5)


def test_classes_are_drawn_as_often_as_among_the_labels(monkeypatch):
    model, drawn = family.model("supervised"), []
    draw = model.draw_codes

    def watched(n, label, seed):
        drawn.append(np.bincount(label, minlength=tiny.NUM_CLASSES))
        return draw(n, label, seed)

    monkeypatch.setattr(model, "draw_codes", watched)
    y = np.array([0, 0, 0, 0, 0, 0, 2, 2])  # three to one, and none of class 1
    saae.fit_imle(model, tiny.images(8), y, passes=1, samples=2_000)
    np.testing.assert_allclose(drawn[0] / 2_000, [0.75, 0.0, 0.25], atol=0.04)


def test_verbose_prints_the_distance(capsys):
    model, x = family.model("aae"), tiny.images(6)
    saae.fit_imle(model, x, passes=1, samples=4)
    assert capsys.readouterr().out == ""
    saae.fit_imle(model, x, passes=1, samples=4, verbose=1)
    first, last = capsys.readouterr().out.splitlines()
    assert first.startswith("pass 0 of 1: nearest samples at ")
    assert last.startswith("pass 1 of 1: ")


def test_only_the_sample_that_is_nearest_moves():
    codes = np.tile(np.eye(tiny.Z_DIM), (32, 1))  # the first draw [1, 0], then [0, 1]
    model = aae(codes, use_bias=False)
    pixels = model.decoder.get_layer("pixels")
    kernel = np.zeros((tiny.Z_DIM, 16), "float32")
    kernel[1] = 0.9  # the second sample is nearly white, the first black
    pixels.kernel.assign(kernel)
    x = np.ones((2, *tiny.IMAGE_SHAPE), "float32")
    saae.fit_imle(model, x, passes=1, samples=2, learning_rate=0.01)
    first, second = model.decode_codes(np.eye(tiny.Z_DIM))
    np.testing.assert_allclose(first, 0.0, atol=1e-7)
    np.testing.assert_allclose(second, 0.91, rtol=1e-3)


@pytest.mark.parametrize("name", ["aae", "supervised", "m1", "semi_supervised"])
def test_samples_come_nearer_and_the_encoder_stays(name):
    model = tiny.aae() if name == "semi_supervised" else family.model(name)
    x, y = tiny.images(24), tiny.labels(24)
    before = [ops.convert_to_numpy(w) for w in model.encoder.weights]
    classes = None if name in ("aae", "m1") else y
    distances = saae.fit_imle(
        model, x, classes, passes=5, samples=12, learning_rate=0.05, batch_size=8
    )
    assert distances[-1] < 0.9 * distances[0]
    for weight, value in zip(model.encoder.weights, before):
        np.testing.assert_array_equal(ops.convert_to_numpy(weight), value)


def test_the_same_seed_gives_the_same_run():
    runs = [
        saae.fit_imle(family.model("aae"), tiny.images(24), passes=2, samples=9, seed=s)
        for s in (0, 0, 1)
    ]
    np.testing.assert_allclose(runs[0], runs[1], rtol=1e-6)
    assert runs[0] != runs[2]


def test_bad_input_is_refused():
    model, x = family.model("aae"), tiny.images(6)
    with pytest.raises(TypeError, match="draws images from a prior.*NeuralNetwork"):
        saae.fit_imle(tiny.neural_network(), x)
    with pytest.raises(ValueError, match="passes"):
        saae.fit_imle(model, x, passes=0)
    with pytest.raises(ValueError, match="learning_rate"):
        saae.fit_imle(model, x, learning_rate=0.0)
    with pytest.raises(ValueError, match="batch_size"):
        saae.fit_imle(model, x, batch_size=0)
    with pytest.raises(ValueError, match="classes own no parts of Gaussian"):
        saae.fit_imle(model, x, tiny.labels(6))
    with pytest.raises(ValueError, match=r"4, 4"):
        saae.fit_imle(model, x[:, :3])
    supervised = family.model("supervised")
    with pytest.raises(ValueError, match="have a class.*Pass labels"):
        saae.fit_imle(supervised, x)
    with pytest.raises(ValueError, match="`samples` must be .* at least 3"):
        saae.fit_imle(supervised, x, tiny.labels(6), samples=2)
    with pytest.raises(ValueError, match="`y`"):
        saae.fit_imle(supervised, x, tiny.labels(5))
    with pytest.raises(ValueError, match="-1"):
        saae.fit_imle(supervised, x, np.full(6, -1))


def test_samples_that_became_nan_end_the_run():
    model = family.model("aae")
    bias = model.decoder.weights[-1]
    bias.assign(np.full(bias.shape, np.nan))
    with pytest.raises(FloatingPointError, match="NaN after 0 passes"):
        saae.fit_imle(model, tiny.images(6), passes=1)
    model = family.model("aae")  # and after the last step of all
    with pytest.raises(FloatingPointError, match="NaN after 1 passes"):
        saae.fit_imle(model, tiny.images(6), passes=1, learning_rate=3e38)
