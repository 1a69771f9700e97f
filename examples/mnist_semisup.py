"""Semi-supervised MNIST: 100 labels, the rest of the images without.

    python examples/mnist_semisup.py
    KERAS_BACKEND=jax python examples/mnist_semisup.py --labels=1000 --seed=1
    python examples/mnist_semisup.py --output_dir=runs/mine --resume

Leaves results.json, model.keras, history.csv and figures/ in the output folder, and
says the test error with the labels only and with the unlabelled images too.
"""

import dataclasses
import json
import sys
import time

import common
from absl import flags

FLAGS = flags.FLAGS
common.define_flags(
    "Settings: default, augmented, paper, adamw, vat or another name in "
    "keras_saae.recipes.RECIPES.",
    recipe="default",
    dataset="auto",
    more_datasets=("auto",),
)
_LABELS = flags.DEFINE_string("labels", "100", "Number of labelled images, or 'all'.")

NUM_SHOWN = 12  # images in a row of the figures


def main(argv):
    """Trains, evaluates on the test images once, and writes everything down."""
    del argv
    common.set_up_keras()

    import keras

    from keras_saae import callbacks, data, evaluation, recipes

    with common.message_alone(ValueError, OSError):
        name = choose_dataset(data)
        recipe = choose_recipe(recipes, name)
        labels_only = dataclasses.replace(recipes.LABELS_ONLY, hidden=recipe.hidden)
        images = data.load(name, FLAGS.data_dir)
        if FLAGS.smoke:
            images = shrink(images)
            labels_only = dataclasses.replace(labels_only, updates=20, passes=0)
        split = data.split_labels(
            images.y_train,
            common.number_of_labels(_LABELS.value),
            FLAGS.seed,
            FLAGS.validation,
        )
        x, y = images.x_train[split.train], split.mask_labels(images.y_train)
        dataset = recipe.dataset(x, y, images.num_classes, seed=FLAGS.seed)
        epochs = FLAGS.epochs or (2 if FLAGS.smoke else recipe.epochs(dataset))
        recipe = recipe.of_length(dataset.updates(epochs))
        settings = {
            "dataset": name,
            "dataset_sha256": images.sha256,
            "labels": _LABELS.value,
            "seed": FLAGS.seed,
            "validation": len(split.validation),
            "smoke": FLAGS.smoke,
            "backend": keras.backend.backend(),
            "dtype_policy": FLAGS.dtype_policy,
            "recipe": recipe.name,
            "settings": recipe.settings(),
            "labels_only_settings": labels_only.settings(),
            "epochs": epochs,
            "updates": dataset.updates(epochs),
        }
        folder = common.open_folder(
            settings, f"{name}_{_LABELS.value}_{FLAGS.recipe}_{FLAGS.seed}"
        )
    print(recipe, end="\n\n")
    print(
        f"{name}: {len(x):,} unlabelled images, {dataset.num_labelled:,} of them also "
        f"with a label, {len(split.validation):,} held out; {epochs:,} epochs of "
        f"{len(dataset):,} updates on {keras.backend.backend()}.\n"
    )

    checkpoint_path = folder / "checkpoint.keras"
    model, done, history = common.begin_or_resume(
        checkpoint_path, lambda: recipe.model(dataset, epochs, seed=FLAGS.seed)
    )

    checkpoint = callbacks.Checkpoint(
        checkpoint_path,
        every=FLAGS.checkpoint_every or max(1, epochs // 20),
        history=history,
    )
    x_validation, y_validation = (
        images.x_train[split.validation],
        images.y_train[split.validation],
    )
    before, start = sum(history.get("seconds", [])), time.perf_counter()
    if done < epochs:
        with common.message_alone(FloatingPointError, OSError):
            model.fit(
                dataset,
                epochs=epochs,
                initial_epoch=done,
                validation_data=(
                    (x_validation, y_validation) if len(x_validation) else None
                ),
                validation_freq=epochs_to_validate(
                    epochs, len(dataset) * dataset.batch_size, len(x_validation)
                ),
                callbacks=[
                    *recipe.callbacks(),
                    callbacks.StopOnNonFinite(),
                    checkpoint,
                    *sample_grids(model, folder, callbacks, max(1, epochs // 4)),
                    callbacks.TrainingSummary(every=max(1, epochs // 20)),
                ],
            )
    history = checkpoint.history
    train_seconds = sum(history["seconds"])
    # An epoch is over when its checkpoint is due: what `fit` took beyond its epochs.
    callback_seconds = time.perf_counter() - start - (train_seconds - before)
    with_labels_only = error_with_labels_only(labels_only, x, y, images, folder)

    probabilities = model.predict(images.x_test, verbose=0)
    results = {
        **common.what_ran(),
        "model": type(model).__name__,
        **settings,
        "train_seconds": round(train_seconds, 1),
        "callback_seconds": round(callback_seconds, 1),  # since the last start
        "peak_memory_mib": common.peak_memory_mib(),
        "validation_error": history["val_error"][-1]
        if "val_error" in history
        else None,
        "test_error": evaluation.error_rate(images.y_test, probabilities),
        "labels_only_test_error": with_labels_only,
    }
    results.update(metric="test_error", value=results["test_error"])
    model.save(folder / "model.keras")
    callbacks.write_history(history, folder / "history.csv")
    draw_figures(folder / "figures", model, history, images, probabilities)
    common.write_json(results, folder / "results.json")  # last: its presence means done
    closing = "" if name == "mnist" else f" ({name.upper()}, not MNIST)"
    print(
        f"\nEverything is in {folder}\n"
        f"test error with {_LABELS.value} labels only: {with_labels_only:.2f} %\n"
        f"test error with the {len(x):,} unlabelled images too: "
        f"{results['test_error']:.2f} %{closing}"
    )


def error_with_labels_only(recipe, x, y, images, folder):
    """Test error of the baseline, from its file in the folder if it was trained."""
    from keras_saae import evaluation

    path = folder / "labels_only.json"
    if FLAGS.resume and path.exists():
        return json.loads(path.read_text())["test_error"]
    dataset = recipe.dataset(x, y, images.num_classes, seed=FLAGS.seed)
    model = recipe.model(dataset, seed=FLAGS.seed)
    model.fit(dataset, epochs=recipe.epochs(dataset), verbose=0)
    probabilities = model.predict(images.x_test, verbose=0)
    error = evaluation.error_rate(images.y_test, probabilities)
    common.write_json({"test_error": error}, path)
    return error


def epochs_to_validate(epochs, images_per_epoch, num_validation):
    """Numbers of the epochs after which validation images are scored, from 1.

    The last, and as many before it as score no more images than training has seen: an
    epoch of a single update, as with 100 labels and `epoch="labelled"`, is over in a
    thirtieth of the time that 10,000 validation images take.
    """
    every = max(1, -(-num_validation // images_per_epoch))
    return sorted({*range(every, epochs, every), epochs})


def choose_dataset(data):
    """The data set's name; MNIST where it can be had, else the digits, said loudly."""
    if FLAGS.dataset != "auto":
        return FLAGS.dataset
    if data.available("mnist", FLAGS.data_dir):
        return "mnist"
    print(
        "*" * 79 + "\n"
        "MNIST IS NOT AT HAND: NO mnist.npz, NO TENSORFLOW DATASETS, NO NETWORK.\n"
        "USING THE DIGITS OF SCIKIT-LEARN INSTEAD: 1,797 IMAGES OF 8 x 8 PIXELS.\n"
        "For MNIST, pass --data_dir or set KERAS_SAAE_DATA.\n" + "*" * 79 + "\n"
    )
    return "digits"


def choose_recipe(recipes, name):
    """The recipe with the flags' changes, for small data its small sibling."""
    recipe = recipes.get(FLAGS.recipe, name)
    kinds = (recipes.SemiSupervisedAAERecipe, recipes.NeuralNetworkRecipe)
    if not isinstance(recipe, kinds):
        sys.exit(
            f"--recipe={FLAGS.recipe} is of another model of the family, which has an "
            "example of its own in examples/."
        )
    changes = {"batch_size": FLAGS.batch_size} if FLAGS.batch_size else {}
    return dataclasses.replace(recipe, **changes)


def shrink(images):
    """A few hundred images, for --smoke; more where the labels need them."""
    labels = common.number_of_labels(_LABELS.value)
    return common.shrink(images, 700 if labels == "all" else max(700, 2 * labels))


def sample_grids(model, folder, callbacks, every):
    """The callback that draws samples, where the model can."""
    if not hasattr(model, "class_style_grid"):
        return []
    return [callbacks.SampleGrid(folder / "figures", every=every)]


def draw_figures(folder, model, history, images, probabilities):
    """All figures that the model allows, from the test images."""
    from keras_saae import plotting

    x, y = images.x_test, images.y_test
    figures = {
        "learning_curves": plotting.learning_curves(history),
        "confidence": plotting.confidence_histogram(probabilities, y),
        "predicted_columns": plotting.predicted_columns(
            x, probabilities.argmax(axis=-1), y
        ),
    }
    if hasattr(model, "decode"):
        figures.update(figures_of_codes(model, x))
    for name, figure in figures.items():
        plotting.save(figure, folder / f"{name}.png")


def figures_of_codes(model, x):
    """What the codes hold: reconstructions, samples, the first style dimension."""
    import numpy as np

    from keras_saae import plotting

    _, z = model.encode(x)
    sweep = np.linspace(-2.0, 2.0, NUM_SHOWN - 1)
    styles = np.zeros((len(sweep), model.z_dim), "float32")
    styles[:, 0] = sweep
    return {
        "reconstructions": plotting.reconstructions(
            x[:NUM_SHOWN], model.reconstruct(x[:NUM_SHOWN])
        ),
        "class_style_grid": plotting.class_style_grid(model.class_style_grid(10)),
        "style_sweep": plotting.style_sweep(model.class_style_grid(styles), sweep),
        "style_histogram": plotting.style_histogram(z),
    }


if __name__ == "__main__":
    common.start(main)
