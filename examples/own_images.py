"""Images of your own, in folders, and a classifier of your choice.

    python examples/own_images.py --folder=pets --image_size=64
    python examples/own_images.py --folder=pets --encoder=MobileNet --weights=imagenet
    KERAS_BACKEND=jax python examples/own_images.py

A folder holds one folder for each class and one named "unlabelled". Without --folder
the example makes one itself: scikit-learn's digits, coloured, as PNG files of several
sizes. A fifth of the labelled images is held out, to be tested on at the end. Number:
the error there, in percent, beside that of the same network trained on the labels
alone. Figure: held-out images by predicted class.
"""

import contextlib
import dataclasses
import hashlib
import sys
import tempfile
from pathlib import Path

import common
from absl import flags

common.define_flags(
    "Settings: vat_small, vat, labels_only or another recipe of a classifier."
)
for name in ("data_dir", "validation"):  # of images that have a name
    delattr(flags.FLAGS, name)
_FOLDER = flags.DEFINE_string("folder", None, "The folder; digits if not given.")
_IMAGE_SIZE = flags.DEFINE_integer(
    "image_size", 32, "Height and width that images are brought to.", lower_bound=8
)
_ENCODER = flags.DEFINE_string(
    "encoder",
    "conv",
    "conv, or a class of keras.applications, such as MobileNet or VGG16.",
)
_WEIGHTS = flags.DEFINE_enum(
    "weights", None, ["imagenet"], "Weights of the application; random if not given."
)

TEST_STEP = 5  # one in so many labelled images is held out
DEMONSTRATION = 300  # updates on the digits
SIZES = (24, 32, 48)  # of the digits' files


def main(argv):
    """Reads a folder, trains with and without unlabelled images, and scores both."""
    del argv
    import numpy as np

    from keras_saae import data, evaluation, plotting

    named = flags.FLAGS["dataset"]
    if named.present and named.value != "digits":
        common.sys.exit(
            f"--dataset={named.value}: this example takes a --folder, or makes one of "
            "the digits. The others take images by their name."
        )
    if _WEIGHTS.value and _ENCODER.value == "conv":
        common.sys.exit("--weights are of an application: pass --encoder=VGG16, say.")
    common.set_up_keras()
    with contextlib.ExitStack() as stack:
        path = _FOLDER.value
        if path is None:
            path = stack.enter_context(tempfile.TemporaryDirectory())
            make_folder(Path(path), 200 if common.FLAGS.smoke else 1_000)
        with common.message_alone(ValueError, OSError):
            images, y, names = data.image_folder(path, _IMAGE_SIZE.value)
            x = images[:]  # decoded once; leave them on disk if they are too many
    labelled = np.flatnonzero(y >= 0)
    test = labelled[::TEST_STEP]
    train = np.setdiff1d(np.arange(len(x)), test)
    about = {
        "setting": _ENCODER.value,
        "dataset": _FOLDER.value or "digits",
        "dataset_sha256": hashlib.sha256(x.tobytes() + y.tobytes()).hexdigest(),
        "labels": str(int((y[train] >= 0).sum())),
        "validation": 0,
    }
    with common.message_alone(ValueError):
        recipe = common.choose_recipe("vat_small")
        if _FOLDER.value is None:
            recipe = dataclasses.replace(recipe, updates=DEMONSTRATION)
        if recipe.batch_size > len(train):
            recipe = dataclasses.replace(recipe, batch_size=len(train))
        dataset = recipe.dataset(x[train], y[train], len(names), common.FLAGS.seed)
    parts = {"encoder": encoder(x.shape[1:])}
    run = common.Run(*common.fit(recipe, dataset, about, parts))
    baseline = dataclasses.replace(recipe, name="baseline", vat_weight=0.0)
    alone = common.Run(
        *common.fit(baseline, dataset, about, {"encoder": encoder(x.shape[1:])}, run)
    )
    predicted = run.model.predict(x[test], verbose=0)
    common.finish(
        run,
        {
            "test_error": evaluation.error_rate(y[test], predicted),
            "labels_only_test_error": evaluation.error_rate(
                y[test], alone.model.predict(x[test], verbose=0)
            ),
        },
        {
            "predicted": plotting.predicted_columns(
                x[test], predicted.argmax(axis=1), y[test], len(names)
            )
        },
    )


def encoder(image_shape):
    """Images to features: convolutions, or an application without its classes."""
    import keras
    from keras import layers

    from keras_saae.networks import conv_encoder

    if _ENCODER.value == "conv":
        size = image_shape[0]
        if size % 8:
            common.sys.exit(
                f"conv needs an --image_size of 8, 16, ... Received: {size}"
            )
        return conv_encoder(
            image_shape,
            filters=(16, 32, 64),
            kernel_size=3,
            batch_normalization=True,
            seed=common.FLAGS.seed,
        )
    make = getattr(keras.applications, _ENCODER.value, None)
    if not callable(make):
        common.sys.exit(
            f"--encoder={_ENCODER.value} is neither conv nor a class of "
            "keras.applications, such as MobileNet."
        )
    with common.message_alone(Exception):  # Keras raises that where it cannot download
        backbone = make(
            include_top=False, weights=_WEIGHTS.value, input_shape=image_shape
        )
    return keras.Sequential(
        [
            keras.Input(image_shape),
            own_scale(make),
            backbone,
            layers.GlobalAveragePooling2D(),
        ]
    )


def own_scale(application):
    """A layer from pixels in [0, 1] to what an application's weights were trained on.

    Its `preprocess_input` is linear in the channels: [-1, 1], or means taken off and
    the channels turned round. What it makes of black and pure colours tells all.
    """
    import numpy as np
    from keras import layers

    rescale = sys.modules[application.__module__].preprocess_input
    black = np.asarray(rescale(np.zeros((1, 1, 1, 3), "float32")))
    colours = np.asarray(rescale(255 * np.eye(3, dtype="float32").reshape(3, 1, 1, 3)))
    layer = layers.Conv2D(3, 1, name="own_scale", trainable=False)
    layer.build((None, None, None, 3))
    layer.set_weights([(colours - black).reshape(1, 1, 3, 3), black.reshape(3)])
    return layer


def make_folder(path, count):
    """The digits in colour, as PNG files of several sizes; a quarter is labelled."""
    import numpy as np
    from PIL import Image

    from keras_saae import data

    digits = data.load("digits")
    rng = np.random.default_rng(0)
    for k, (image, label) in enumerate(zip(digits.x_train[:count], digits.y_train)):
        folder = path / (f"digit_{label}" if k % 8 < 2 else "unlabelled")
        folder.mkdir(exist_ok=True)
        shade = image[..., None] / 255.0
        ink, paper = rng.uniform(0.6, 1.0, 3), rng.uniform(0.0, 0.3, 3)
        colour = (255 * (shade * ink + (1 - shade) * paper)).astype("uint8")
        size = int(rng.choice(SIZES))
        Image.fromarray(colour).resize((size, size)).save(folder / f"{k}.png")


if __name__ == "__main__":
    common.start(main)
