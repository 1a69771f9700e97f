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

import common
from absl import flags

_DATASET = flags.DEFINE_enum(
    "dataset",
    "auto",
    ["auto", "mnist", "fashion_mnist", "digits"],
    "Images to learn; auto is MNIST if it can be had, else scikit-learn's digits.",
)
_DATA_DIR = flags.DEFINE_string(
    "data_dir",
    None,
    "Folder with <dataset>.npz or a prepared TensorFlow Datasets folder; "
    "the variable KERAS_SAAE_DATA otherwise.",
)
_LABELS = flags.DEFINE_string("labels", "100", "Number of labelled images, or 'all'.")
_RECIPE = flags.DEFINE_string(
    "recipe",
    "default",
    "Settings: default, augmented, paper, adamw, vat or another name in "
    "keras_saae.recipes.RECIPES.",
)
_EPOCHS = flags.DEFINE_integer(
    "epochs",
    None,
    "Passes over the unlabelled images; the recipe's own if not given.",
    lower_bound=1,
)
_BATCH_SIZE = flags.DEFINE_integer(
    "batch_size",
    None,
    "Unlabelled images per step; the recipe's own if not given.",
    lower_bound=1,
)
_VALIDATION = flags.DEFINE_integer(
    "validation",
    None,
    "Training images held out, to choose settings on; 10,000 (300 of the digits) "
    "if not given, 0 to train on all.",
    lower_bound=0,
)
_SEED = flags.DEFINE_integer(
    "seed",
    0,
    "Seeds the draw of the labels, the weights, the batches and the noise.",
    lower_bound=0,
)
_DTYPE_POLICY = flags.DEFINE_string(
    "dtype_policy", "float32", "float32 or mixed_bfloat16."
)
flags.DEFINE_string(
    "output_dir", None, "Folder for results; runs/<dataset>_<labels>_<recipe>_<seed>."
)
_RESUME = flags.DEFINE_bool(
    "resume", False, "Go on where an interrupted run in the output folder stopped."
)
_CHECKPOINT_EVERY = flags.DEFINE_integer(
    "checkpoint_every",
    None,
    "Epochs between checkpoints; 20 in a run if not given.",
    lower_bound=1,
)
_SMOKE = flags.DEFINE_bool("smoke", False, "Two epochs on few images, to try it out.")

NUM_SHOWN = 12  # images in a row of the figures


def main(argv):
    """Trains, evaluates on the test images once, and writes everything down."""
    del argv
    check_dtype_policy(_DTYPE_POLICY.value)

    import keras  # the flags are checked before the seconds that this takes

    from keras_saae import callbacks, data, evaluation, recipes

    keras.config.set_dtype_policy(_DTYPE_POLICY.value)
    keras.utils.set_random_seed(_SEED.value)
    with common.message_alone(ValueError, OSError):
        name = choose_dataset(data)
        recipe = choose_recipe(recipes, name)
        labels_only = dataclasses.replace(recipes.LABELS_ONLY, hidden=recipe.hidden)
        images = data.load(name, _DATA_DIR.value)
        if _SMOKE.value:
            images = shrink(images)
        split = data.split_labels(
            images.y_train, number_of_labels(), _SEED.value, _VALIDATION.value
        )
        x, y = images.x_train[split.train], split.mask_labels(images.y_train)
        dataset = recipe.dataset(x, y, images.num_classes, seed=_SEED.value)
        epochs = _EPOCHS.value or (2 if _SMOKE.value else recipe.epochs(dataset))
        recipe = recipe.of_length(dataset.updates(epochs))
        settings = {
            "dataset": name,
            "dataset_sha256": images.sha256,
            "labels": _LABELS.value,
            "seed": _SEED.value,
            "validation": len(split.validation),
            "smoke": _SMOKE.value,
            "backend": keras.backend.backend(),
            "dtype_policy": _DTYPE_POLICY.value,
            "recipe": recipe.name,
            "settings": recipe.settings(),
            "labels_only_settings": labels_only.settings(),
            "epochs": epochs,
            "updates": dataset.updates(epochs),
        }
        folder = common.open_folder(
            settings, f"{name}_{_LABELS.value}_{_RECIPE.value}_{_SEED.value}"
        )
    print(recipe, end="\n\n")
    print(
        f"{name}: {len(x):,} unlabelled images, {dataset.num_labelled:,} of them also "
        f"with a label, {len(split.validation):,} held out; {epochs:,} epochs of "
        f"{len(dataset):,} updates on {keras.backend.backend()}.\n"
    )

    checkpoint_path = folder / "checkpoint.keras"
    model, done, history = common.begin_or_resume(
        checkpoint_path, lambda: recipe.model(dataset, epochs, seed=_SEED.value)
    )

    test_error = evaluation.error_rate
    labels_only_path = folder / "labels_only.json"
    if _RESUME.value and labels_only_path.exists():
        labels_only_error = json.loads(labels_only_path.read_text())["test_error"]
    else:
        alone = labels_only.dataset(x, y, images.num_classes, seed=_SEED.value)
        baseline = labels_only.model(alone, seed=_SEED.value)
        baseline.fit(alone, epochs=labels_only.epochs(alone), verbose=0)
        labels_only_error = test_error(
            images.y_test, baseline.predict(images.x_test, verbose=0)
        )
        common.write_json({"test_error": labels_only_error}, labels_only_path)

    checkpoint = callbacks.Checkpoint(
        checkpoint_path,
        every=_CHECKPOINT_EVERY.value or max(1, epochs // 20),
        history=history,
    )
    x_validation, y_validation = (
        images.x_train[split.validation],
        images.y_train[split.validation],
    )
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

    probabilities = model.predict(images.x_test, verbose=0)
    results = {
        **common.what_ran(),
        **settings,
        "train_seconds": round(sum(history["seconds"]), 1),
        "peak_memory_mib": common.peak_memory_mib(),
        "validation_error": history["val_error"][-1]
        if "val_error" in history
        else None,
        "test_error": test_error(images.y_test, probabilities),
        "labels_only_test_error": labels_only_error,
    }
    model.save(folder / "model.keras")
    callbacks.write_history(history, folder / "history.csv")
    draw_figures(folder / "figures", model, history, images, probabilities)
    common.write_json(results, folder / "results.json")  # last: its presence means done
    closing = "" if name == "mnist" else f" ({name.upper()}, not MNIST)"
    print(
        f"\nEverything is in {folder}\n"
        f"test error with {_LABELS.value} labels only: {labels_only_error:.2f} %\n"
        f"test error with the {len(x):,} unlabelled images too: "
        f"{results['test_error']:.2f} %{closing}"
    )


def epochs_to_validate(epochs, images_per_epoch, num_validation):
    """Numbers of the epochs after which validation images are scored, from 1.

    The last, and as many before it as score no more images than training has seen: an
    epoch of a single update, as with 100 labels and `epoch="labelled"`, is over in a
    thirtieth of the time that 10,000 validation images take.
    """
    every = max(1, -(-num_validation // images_per_epoch))
    return sorted({*range(every, epochs, every), epochs})


def check_dtype_policy(policy):
    """Refuses policies that the models do not train under."""
    if policy == "mixed_float16":
        sys.exit(
            "--dtype_policy=mixed_float16 is not supported: Keras would wrap the "
            "phases' optimizers in one LossScaleOptimizer, which knows a single loss. "
            "Use mixed_bfloat16 or float32."
        )
    if policy not in ("float32", "mixed_bfloat16"):
        sys.exit(
            f"--dtype_policy must be float32 or mixed_bfloat16. Received: {policy}"
        )


def choose_dataset(data):
    """The data set's name; MNIST where it can be had, else the digits, said loudly."""
    if _DATASET.value != "auto":
        return _DATASET.value
    if data.available("mnist", _DATA_DIR.value):
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
    recipe = recipes.get(_RECIPE.value, name)
    kinds = (recipes.SemiSupervisedAAERecipe, recipes.NeuralNetworkRecipe)
    if not isinstance(recipe, kinds):
        sys.exit(
            f"--recipe={_RECIPE.value} is of another model of the family, which has an "
            "example of its own in examples/."
        )
    changes = {"batch_size": _BATCH_SIZE.value} if _BATCH_SIZE.value else {}
    return dataclasses.replace(recipe, **changes)


def number_of_labels():
    """The value of --labels as `split_labels` takes it."""
    if _LABELS.value == "all":
        return "all"
    try:
        return int(_LABELS.value)
    except ValueError:
        sys.exit(f"--labels must be a number or 'all'. Received: {_LABELS.value}")


def shrink(images):
    """A few hundred images, for --smoke; more where the labels need them."""
    labels = number_of_labels()
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
