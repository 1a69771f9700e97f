"""Implicit maximum likelihood estimation: a decoder fitted by its own samples.

An autoencoder learns to decode the codes of images; it is then asked to decode draws
from the prior, which lie between those codes. Here the decoder learns from draws: each
image pulls at the sample that lies nearest to it.
"""

import keras
import numpy as np

from keras_saae import checks
from keras_saae.losses import squared_error_sum

BLOCK_VALUES = 2**24  # float32 numbers in a block of image-sample pairs: 64 MiB


def fit_imle(
    model,
    x,
    y=None,
    passes=100,
    samples=10_000,
    learning_rate=1e-3,
    batch_size=250,
    seed=0,
    verbose=0,
):
    """Moves a trained model's samples to the images, whichever is nearest to each.

        min over the decoder of   sum_x  min_i |x - decoder(c_i)|^2,   c_i ~ prior

    A pass draws new codes, finds for each image the sample nearest to it, and takes a
    step for each full batch of images, towards them from there. Encoder and prior stay
    as they are, so reconstructions become worse as samples become better: on MNIST a
    squared error of 16.4 in the place of 13.9, for a nearest sample at 17.6 instead of
    18.4 (validation images, 40 passes; docs/experiments.md).

    Args:
        model: a trained model that has a decoder and a prior, such as `AAE`, `M1` or
            `SupervisedAAE`.
        x: images `(n, *image_shape)`, uint8 or float in [0, 1], to be near to.
        y: integer labels `(n,)`, for a model whose samples have a class: an image then
            pulls at samples of its own class, which are drawn as often as in `y`. Where
            few labels are known, those that the model predicts.
        passes: passes over the images. Typical: 30 to 150.
        samples: codes drawn in a pass; as many as will be asked of the model later.
        learning_rate: Adam's, which falls to zero over the run. Typical: 1e-3 to 2e-3.
        batch_size: images a step.
        seed: seeds draws and order.
        verbose: 1 prints the distance ten to twenty times.

    Returns:
        The mean squared distance of an image and the sample nearest to it, summed over
        the pixels, in squared pixel units: before each pass, and after the last.

    Raises:
        TypeError, ValueError: for a model that draws nothing, for images or labels that
            do not fit it or are missing, and for settings that are not positive.
        FloatingPointError: if the samples became NaN; lower the learning rate.

    All of `model.decoder` learns; in `StackedM2` that is M1's decoder too. The images
    are held in memory as float32.

    Example:
        >>> model.fit(dataset, epochs=40)
        >>> fit_imle(model, x_train, passes=30)

    Source: Li and Malik, arXiv:1809.09087, algorithm 1, with one nearest sample.
    """
    if not callable(getattr(model, "draw_codes", None)):
        raise TypeError(
            "`fit_imle` needs a model that draws images from a prior, such as AAE. "
            f"Received {type(model).__name__}."
        )
    x = checks.check_images(x, image_shape=model.image_shape)
    if y is None and hasattr(model, "prior_y"):
        raise ValueError(
            f"Samples of {type(model).__name__} have a class, and an image must not "
            "pull at those of another. Pass labels `y`, known ones or "
            "model.predict(x).argmax(axis=-1)."
        )
    if y is not None:
        num_classes = getattr(model, "num_classes", None)
        y = checks.check_labels(y, len(x), num_classes, allow_unlabelled=False)
    passes = checks.check_count(passes, "passes")
    x = x.astype("float32") / (255.0 if x.dtype == np.uint8 else 1.0)
    classes = np.zeros(len(x), "int32") if y is None else y
    samples = checks.check_count(samples, "samples", len(np.unique(classes)))
    checks.check_positive(learning_rate, "learning_rate")
    batch_size = min(checks.check_count(batch_size, "batch_size"), len(x))
    rng = np.random.default_rng(seed)
    steps = len(x) // batch_size
    decoder = _compiled(model.decoder, learning_rate, passes * steps)
    distances = []
    for done in range(passes + 1):
        drawn = np.concatenate([np.unique(classes), rng.choice(classes, samples)])
        drawn = drawn[:samples]  # each class once, and then as often as in y
        codes = model.draw_codes(
            samples, label=None if y is None else drawn, seed=int(rng.integers(2**31))
        )
        nearest, distance = _nearest(x, classes, model.decode_codes(codes), drawn)
        if not np.isfinite(distance):
            raise FloatingPointError(
                f"The samples are NaN after {done} passes. Lower "
                f"learning_rate={learning_rate}."
            )
        distances.append(distance)
        if verbose and done % max(1, passes // 10) == 0:
            print(f"pass {done} of {passes}: nearest samples at {distance:.4g}")
        if done == passes:
            return distances
        order = rng.permutation(len(x))[: steps * batch_size]
        decoder.fit(
            codes[nearest[order]],
            x[order],
            batch_size=batch_size,
            shuffle=False,
            verbose=0,
        )


def _compiled(decoder, learning_rate, steps):
    """The decoder as a model of its own, whose optimizer is for this alone."""
    code = keras.Input((decoder.input_shape[-1],))
    alone = keras.Model(code, decoder(code))
    rate = keras.optimizers.schedules.PolynomialDecay(learning_rate, steps, 0.0)
    alone.compile(keras.optimizers.Adam(rate), loss=squared_error_sum)
    return alone


def _nearest(x, classes, drawn, drawn_classes):
    """For each image the sample of its class nearest to it, and the mean distance."""
    x, drawn = x.reshape(len(x), -1), drawn.reshape(len(drawn), -1)
    half_norms = 0.5 * np.einsum("ij,ij->i", drawn, drawn)
    nearest, distances = np.empty(len(x), "int64"), np.empty(len(x))
    for label in np.unique(classes):
        candidates = np.flatnonzero(drawn_classes == label)
        images = np.flatnonzero(classes == label)
        own, own_norms = drawn[candidates].T, half_norms[candidates]
        size = max(1, BLOCK_VALUES // len(candidates))
        for start in range(0, len(images), size):
            block = images[start : start + size]
            # -|x - s|^2 / 2 = x.s - |s|^2 / 2 - |x|^2 / 2
            scores = x[block] @ own
            scores -= own_norms
            nearest[block] = candidates[scores.argmax(axis=1)]
            norms = np.einsum("ij,ij->i", x[block], x[block])
            distances[block] = norms - 2.0 * scores.max(axis=1)
    return nearest, float(distances.mean())
