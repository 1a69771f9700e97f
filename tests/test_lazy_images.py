"""Models on images that stay on disk: the same results, a batch at a time."""

import numpy as np
import pytest
import tiny

from keras_saae import door
from keras_saae.data import LazyImages

X, Y = tiny.images(10, seed=3), tiny.labels(10)


@pytest.fixture
def lazy(monkeypatch):
    """The images of X in batches of 4, and the numbers read, batch by batch."""
    monkeypatch.setattr(door, "EVALUATION_BATCH_SIZE", 4)
    read = []

    def note(k):
        read.append(k)
        return X[k]

    return LazyImages(range(10), note, tiny.IMAGE_SHAPE), read


@pytest.fixture(scope="module")
def model():
    model = tiny.neural_network(input_noise=0.0)
    model.compile({"classification": "sgd"})
    return model


def test_predictions_are_those_of_an_array(model, lazy):
    np.testing.assert_allclose(
        model.predict(lazy[0], verbose=0), model.predict(X, verbose=0), atol=1e-6
    )


def test_predictions_read_each_image_once(model, lazy):
    images, read = lazy
    model.predict(images, verbose=0)
    # Keras looks at the first batches beforehand, to learn their shapes.
    assert sorted(set(read)) == list(range(10)) and len(read) <= 10 + 4 * 4


def test_evaluation_is_that_of_an_array(model, lazy):
    found = model.evaluate(lazy[0], Y, return_dict=True, verbose=0)
    expected = model.evaluate(X, Y, return_dict=True, verbose=0)
    assert found == pytest.approx(expected, rel=1e-5)


def test_validation_is_that_of_an_array(lazy):
    logs = []
    for x in (lazy[0], X):
        model = tiny.neural_network(input_noise=0.0)
        model.compile({"classification": "sgd"})
        history = model.fit(tiny.dataset(), validation_data=(x, Y), verbose=0)
        logs.append({key: value[0] for key, value in history.history.items()})
    assert {"val_loss", "val_error"} <= set(logs[0])
    assert logs[0] == pytest.approx(logs[1], rel=1e-5)


def test_codes_are_those_of_an_array_and_read_a_batch_at_a_time(lazy):
    images, read = lazy
    model = tiny.aae()
    for found, expected in zip(model.encode(images), model.encode(X)):
        np.testing.assert_allclose(found, expected, atol=1e-6)
    assert sorted(set(read)) == list(range(10)) and len(read) <= 10 + 4 * 4


def test_lazy_images_of_another_shape_are_refused(model):
    images = LazyImages([0], lambda k: np.zeros((5, 5), "uint8"), (5, 5))
    with pytest.raises(ValueError, match=r"shape \(4, 4\), as the model"):
        model.predict(images)
