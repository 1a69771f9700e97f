"""Omniglot's 28x28 images, from drawings as TensorFlow Datasets stores them."""

import numpy as np
import pytest

from keras_saae import data
from keras_saae.data.omniglot import ALPHABETS, shrink

NUM_DRAWERS = 20


def drawing(number):
    """Black ink on white: the first `number` of 21 bands of 5 rows each."""
    image = np.full((105, 105), 255, "uint8")
    image[: 5 * number] = 0
    return image


def number_of(images):
    """What `drawing` was asked for: each band is 1/21 of an image."""
    return np.rint(21 * images.mean(axis=(1, 2)) / 255).astype(int).tolist()


@pytest.fixture
def prepared(tmp_path, monkeypatch):
    """Stores characters, `{split: [(alphabet, character, label)]}`, 20 drawings each.

    Drawer k inks k bands. The keys are those of TensorFlow Datasets' own Omniglot.
    """
    tfds = pytest.importorskip("tensorflow_datasets")
    monkeypatch.delenv("KERAS_SAAE_DATA", raising=False)

    def store(characters, drawers=range(1, NUM_DRAWERS + 1)):
        features = tfds.features.FeaturesDict(
            {
                "image": tfds.features.Image(shape=(105, 105, 3)),
                "alphabet": tfds.features.ClassLabel(names=sorted(ALPHABETS)),
                "alphabet_char_id": np.int64,
                "label": tfds.features.ClassLabel(num_classes=1623),
            }
        )
        examples = {
            split: [
                (
                    f"{alphabet}_{character}_{label + 1:04d}_{drawer:02d}.png",
                    {
                        "image": np.repeat(drawing(drawer)[..., None], 3, axis=-1),
                        "alphabet": alphabet,
                        "alphabet_char_id": character,
                        "label": label,
                    },
                )
                for alphabet, character, label in part
                for drawer in drawers
            ]
            for split, part in characters.items()
        }
        tfds.dataset_builders.store_as_tfds_dataset(
            "omniglot", "3.0.0", features, examples, data_dir=tmp_path
        )
        return tmp_path

    return store


def test_drawers_1_to_15_are_for_training_whatever_their_split(prepared):
    folder = prepared({"train": [("Greek", 1, 700)], "test": [("Greek", 0, 699)]})
    omniglot = data.load("omniglot", folder)
    assert number_of(omniglot.x_train) == [*range(1, 16)] * 2
    assert number_of(omniglot.x_test) == [*range(16, 21)] * 2
    assert omniglot.class_names[omniglot.y_test[0]] == "Greek"


def test_images_are_ordered_by_alphabet(prepared):
    folder = prepared({"train": [("ULOG", 0, 3), ("Angelic", 0, 964)]})
    assert data.load("omniglot", folder).y_test.tolist() == [0] * 5 + [49] * 5


def test_glagolitic_goes_without_its_drawer_12(prepared):
    omniglot = data.load("omniglot", prepared({"small1": [("Glagolitic", 0, 5)]}))
    assert number_of(omniglot.x_train) == [*range(1, 12), *range(13, 17)]
    assert number_of(omniglot.x_test) == [*range(17, 21)]


def test_characters_without_all_their_drawers_are_refused(prepared):
    folder = prepared({"train": [("Greek", 0, 699)]}, drawers=range(1, 20))
    with pytest.raises(ValueError, match="cannot be read .*each character by 20"):
        data.load("omniglot", folder)


def test_ink_becomes_bright_on_black():
    np.testing.assert_array_equal(shrink(drawing(0)), np.zeros((28, 28)))
    np.testing.assert_array_equal(shrink(drawing(21)), np.full((28, 28), 255))


def bicubic_matrix():
    """Weights `(28, 105)` of MATLAB's imresize: a cubic with a = -1/2, made 105/28
    times wider, whose overhang falls on the mirror image."""
    scale = 105 / 28
    weights = np.zeros((28, 105))
    for row in range(28):
        centre = (row + 0.5) * scale - 0.5
        for k in range(int(centre) - 9, int(centre) + 11):
            t = abs(k - centre) / scale
            near = 1.5 * t**3 - 2.5 * t**2 + 1
            far = -0.5 * t**3 + 2.5 * t**2 - 4 * t + 2
            mirrored = -1 - k if k < 0 else 209 - k if k > 104 else k
            weights[row, mirrored] += near if t < 1 else far if t < 2 else 0
    return weights / weights.sum(axis=1, keepdims=True)


def test_images_are_shrunk_as_by_matlab():
    image = np.where(np.random.default_rng(0).random((105, 105)) < 0.2, 0, 255)
    weights = bicubic_matrix()
    expected = 255 * np.clip(weights @ (1 - image / 255) @ weights.T, 0, 1)
    found = shrink(image.astype("uint8"))
    np.testing.assert_allclose(found, expected, atol=0.51)  # half a level: rounding
