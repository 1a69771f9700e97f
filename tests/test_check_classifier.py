"""The door for classifiers of the user's own."""

import keras
import pytest
from keras import layers

from keras_saae.checks import check_classifier


def network(*last, image_shape=(4, 4, 3)):
    return keras.Sequential([keras.Input(image_shape), layers.Flatten(), *last])


def test_class_logits_pass():
    check_classifier("classifier", network(layers.Dense(5)), (4, 4, 3), 5)


@pytest.mark.parametrize(
    "last",
    [
        [layers.Dense(5, activation="softmax", name="end")],
        [layers.Dense(5, activation="sigmoid", name="end")],
        [layers.Dense(5), layers.Softmax(name="end")],
        [layers.Dense(5), layers.Activation("softmax", name="end")],
        [
            keras.Sequential(  # an application behind a layer of one's own
                [keras.Input((48,)), layers.Dense(5, activation="softmax", name="end")]
            )
        ],
    ],
)
def test_probabilities_are_refused(last):
    with pytest.raises(
        ValueError, match="'end' gives prob.*classifier_activation=None"
    ):
        check_classifier("classifier", network(*last), (4, 4, 3), 5)


def test_features_in_the_place_of_logits_are_refused():
    with pytest.raises(ValueError, match=r"give outputs .* \(None, 5\).*\(None, 48\)"):
        check_classifier("classifier", network(), (4, 4, 3), 5)


def test_classifiers_of_other_images_are_refused():
    with pytest.raises(ValueError, match=r"take inputs .* \(None, 8, 8, 3\)"):
        check_classifier("classifier", network(layers.Dense(5)), (8, 8, 3), 5)


def test_classifiers_of_images_of_any_size_are_refused():
    any_size = keras.Sequential(
        [keras.Input((None, None, 3)), layers.GlobalMaxPooling2D(), layers.Dense(5)]
    )
    with pytest.raises(ValueError, match="one fixed shape"):
        check_classifier("classifier", any_size, (4, 4, 3), 5)
