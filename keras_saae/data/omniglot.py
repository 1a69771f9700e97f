"""Omniglot's 28x28 images, rebuilt from the published drawings of 105x105 pixels.

Source: Lake, Salakhutdinov and Tenenbaum (2015); size and split as in Burda, Grosse
and Salakhutdinov, arXiv:1509.00519, whose own file was made from an earlier set of
drawings: a few images of the alphabet Angelic differ.
"""

import hashlib

import numpy as np

SIDE, DRAWN_SIDE = 28, 105
NUM_DRAWERS, NUM_TRAIN_DRAWERS = 20, 15
LEFT_OUT = (
    "Glagolitic",
    12,
)  # of this alphabet, drawers 1-11 and 13-16 are for training

ALPHABETS = tuple(
    """
    Angelic Arcadian Armenian Asomtavruli_(Georgian) Atemayar_Qelisayer Atlantean
    Aurek-Besh Avesta Balinese Bengali Blackfoot_(Canadian_Aboriginal_Syllabics) Braille
    Cyrillic Early_Aramaic Syriac_(Estrangelo) Anglo-Saxon_Futhorc Futurama Ge_ez
    Glagolitic Grantha Greek Gujarati Gurmukhi Hebrew Japanese_(hiragana)
    Inuktitut_(Canadian_Aboriginal_Syllabics) Malay_(Jawi_-_Arabic) Kannada
    Japanese_(katakana) Keble Korean Latin Alphabet_of_the_Magi Malayalam Manipuri
    Mkhedruli_(Georgian) Mongolian Burmese_(Myanmar) N_Ko
    Ojibwe_(Canadian_Aboriginal_Syllabics) Old_Church_Slavonic_(Cyrillic) Oriya Sanskrit
    Syriac_(Serto) Sylheti Tagalog Tengwar Tibetan Tifinagh ULOG
    """.split()
)


def read_drawings(splits):
    """The arrays of the 28x28 data set, ordered by alphabet, character and drawer.

    Args:
        splits: dict from the name of each split of TensorFlow Datasets to its examples,
            in its order: dicts with the `image` `(105, 105, 3)`, the name of the
            `alphabet`, `alphabet_char_id` and `label`, both from 0.

    Returns:
        dict of `x_train`, `y_train`, `x_test`, `y_test` and `class_names`.

    Raises:
        ValueError: if the examples are not drawings of whole characters by 20 drawers.
    """
    parts = {"train": {}, "test": {}}
    for split, examples in splits.items():
        images, characters = [], []
        for example in examples:
            images.append(shrink(example["image"][..., 0]))
            character = int(example["alphabet_char_id"]), int(example["label"])
            characters.append((example["alphabet"], *character))
        for image, key in zip(images, _keys(split, characters)):
            (alphabet, character, _), drawer = key
            place = (ALPHABETS.index(alphabet), character, drawer)
            part = _part(alphabet, drawer)
            if part:
                parts[part][place] = image
    arrays = {"class_names": ALPHABETS}
    for part, images in parts.items():
        places = sorted(images)
        arrays[f"x_{part}"] = np.stack([images[place] for place in places])
        arrays[f"y_{part}"] = np.array([alphabet for alphabet, _, _ in places])
    return arrays


def shrink(drawing):
    """Bright ink on 0 `(28, 28)`, from black ink on white `(105, 105)`, both uint8.

    A bicubic filter as wide as the larger pixels, on an image continued by its mirror
    image, as MATLAB's `imresize` does it.
    """
    from PIL import Image

    margin = 8  # the filter reaches 2 * 105 / 28 = 7.5 pixels
    ink = np.pad(1 - drawing.astype("float32") / 255, margin, mode="symmetric")
    inside = (margin, margin, margin + DRAWN_SIDE, margin + DRAWN_SIDE)
    small = Image.fromarray(ink).resize((SIDE, SIDE), Image.Resampling.BICUBIC, inside)
    return np.rint(255 * np.clip(np.asarray(small), 0, 1)).astype("uint8")


def _keys(split, characters):
    """The character and the drawer of each example.

    The drawer is part of the key by whose hash TensorFlow Datasets sorts examples, and
    is not stored: hash all keys, sort them, and lay them beside the examples.
    Source: tensorflow_datasets/image_classification/omniglot.py.
    """
    keys = [
        (character, drawer)
        for character in set(characters)
        for drawer in range(1, NUM_DRAWERS + 1)
    ]

    def by_hash(key):
        (alphabet, character, label), drawer = key
        name = f"{split}{alphabet}_{character}_{label + 1:04d}_{drawer:02d}.png"
        return hashlib.md5(name.encode()).digest()

    keys.sort(key=by_hash)
    if [character for character, _ in keys] != characters:
        raise ValueError(
            f"The split {split!r} of Omniglot does not hold each character by "
            f"{NUM_DRAWERS} drawers in the order of TensorFlow Datasets."
        )
    return keys


def _part(alphabet, drawer):
    """The part, "train" or "test", of a drawing; None for the one that is left out."""
    if alphabet == LEFT_OUT[0]:
        if drawer == LEFT_OUT[1]:
            return None
        drawer -= drawer > LEFT_OUT[1]
    return "train" if drawer <= NUM_TRAIN_DRAWERS else "test"
