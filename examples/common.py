"""What the examples share: flags, training, folders of runs, results.json."""

import contextlib
import dataclasses
import json
import os
import platform
import sys
import tempfile
import warnings
from pathlib import Path

import compiling
from absl import app, flags
from machine import machine, peak_memory_mib

FLAGS = flags.FLAGS
flags.disclaim_key_flags()  # those defined here are the example's: --help shows them


# --- examples of the family -------------------------------------------------------


def define_flags(
    recipe_help, recipe=None, dataset="mnist", more_datasets=(), second_recipe_help=None
):
    """Defines the flags that every example has.

    Args:
        recipe_help: what --recipe chooses among.
        recipe: its default.
        second_recipe_help: what --second_recipe does, of an example with two steps.
        dataset: the default of --dataset.
        more_datasets: names that it takes beside the usual ones.
    """
    auto = " auto is MNIST if it can be had, else the digits."
    flags.DEFINE_enum(
        "dataset",
        dataset,
        ["mnist", "fashion_mnist", "digits", *more_datasets],
        "Images to learn; the digits are scikit-learn's and need no download."
        + (auto if "auto" in more_datasets else ""),
    )
    flags.DEFINE_string(
        "data_dir",
        None,
        "Folder with <dataset>.npz or a prepared TensorFlow Datasets folder; "
        "the variable KERAS_SAAE_DATA otherwise.",
    )
    flags.DEFINE_string("recipe", recipe, recipe_help)
    of_each = ", in each of the two steps" if second_recipe_help else ""
    if second_recipe_help:
        flags.DEFINE_string("second_recipe", None, second_recipe_help)
    flags.DEFINE_integer(
        "epochs",
        None,
        f"Passes over the images{of_each}; the recipe's own if not given.",
        lower_bound=1,
    )
    flags.DEFINE_integer(
        "batch_size",
        None,
        f"Unlabelled images per update{of_each}; the recipe's own if not given.",
        lower_bound=1,
    )
    flags.DEFINE_integer(
        "validation",
        None,
        "Training images held out, to choose settings on; 10,000 (300 of the digits) "
        "if not given, 0 to train on all.",
        lower_bound=0,
    )
    flags.DEFINE_integer(
        "seed",
        0,
        "Seeds the draw of the labels, the weights, the batches and the noise.",
        lower_bound=0,
    )
    flags.DEFINE_string("dtype_policy", "float32", "float32 or mixed_bfloat16.")
    flags.DEFINE_string(
        "output_dir",
        None,
        "Folder for results; in runs/, named after what runs, if not given.",
    )
    flags.DEFINE_bool(
        "resume", False, "Go on where an interrupted run in the output folder stopped."
    )
    flags.DEFINE_integer(
        "checkpoint_every",
        None,
        "Epochs between checkpoints; 20 in a run if not given.",
        lower_bound=1,
    )
    flags.DEFINE_bool("smoke", False, "Two epochs on few images, to try it out.")


@dataclasses.dataclass(frozen=True)
class Run:
    """A trained model, what it was trained on, and where its results go.

    Attributes:
        model: the trained model.
        folder: the output folder.
        results: fields of results.json, without the scores.
        history: dict from name to one number per epoch.
        images: the `Dataset`, where it has a name.
        split: its `Split`; `x_validation` and `y_validation` are the part held out, or
            the data set's own.
    """

    model: object
    folder: Path
    results: dict
    history: dict
    images: object = None
    split: object = None

    @property
    def x_validation(self):
        if self.images.x_validation is not None:
            return self.images.x_validation
        return self.images.x_train[self.split.validation]

    @property
    def y_validation(self):
        if self.images.y_validation is not None:
            return self.images.y_validation
        return self.images.y_train[self.split.validation]


def train(
    recipe,
    labels="all",
    setting="",
    after=None,
    parts=None,
    relabel=None,
    taken_from=None,
    **changes,
):
    """Loads the data, trains by a recipe, or resumes, and returns the `Run`.

    Args:
        recipe: name of the recipe, unless --recipe names another; its small sibling is
            taken for small data.
        labels: number of labelled images, or "all"; 0 for a model that takes none.
        setting: names the variant of the model in results.json; text, or a function of
            the recipe that makes it.
        after: the `Run` of a first step; this one is its second, whose results take
            the first's place, and --second_recipe its recipe.
        parts: function from the images' shape to arguments of the model.
        relabel: function from labels (-1 for none) and the classes' names to labels,
            number of classes and main classes (or None).
        taken_from: as of `fit`.
        **changes: settings of the recipe to replace, where not None.
    """
    from keras_saae import data

    set_up_keras()
    with message_alone(ValueError, OSError):
        changes = {name: new for name, new in changes.items() if new is not None}
        recipe = dataclasses.replace(choose_recipe(recipe, after), **changes)
        images = data.load(FLAGS.dataset, FLAGS.data_dir)
        if FLAGS.smoke:
            images = shrink(images)
        own = images.x_validation  # of the data set, or None
        held_out = FLAGS.validation if own is None else 0
        split = data.split_labels(images.y_train, labels or "all", FLAGS.seed, held_out)
        x, y = images.x_train[split.train], split.mask_labels(images.y_train)
        num_classes, grouped = images.num_classes, {}
        if relabel is not None:
            y, num_classes, groups = relabel(y, images.class_names)
            grouped = {} if groups is None else {"groups": groups}  # not all take it
        dataset = recipe.dataset(x, y, num_classes, seed=FLAGS.seed, **grouped)
    about = {
        "setting": setting(recipe) if callable(setting) else setting,
        "dataset": FLAGS.dataset,
        "dataset_sha256": images.sha256,
        "labels": str(labels),
        "validation": len(split.validation if own is None else own),
    }
    parts = parts(x.shape[1:]) if parts else {}
    trained = fit(recipe, dataset, about, parts, after, taken_from)
    run = Run(*trained, images=images, split=split)
    return dataclasses.replace(run, folder=after.folder) if after else run


def number_of_labels(text, least=1):
    """The value of --labels as `train` takes it: a number, or "all"."""
    if text == "all":
        return text
    if not text.isdecimal() or int(text) < least:
        sys.exit(f"--labels is a number from {least} up, or 'all'. Received: {text}")
    return int(text)


def choose_recipe(name, after=None):
    """The recipe of --recipe (--second_recipe after a first step), or of that name.

    For small data it is its small sibling, if there is one. It has --batch_size.
    """
    from keras_saae import recipes

    recipe = own = recipes.get(name, FLAGS.dataset)
    flag = "second_recipe" if after else "recipe"
    if FLAGS[flag].value:
        recipe = recipes.get(FLAGS[flag].value, FLAGS.dataset)
    if type(recipe) is not type(own):
        sys.exit(
            f"--{flag}={FLAGS[flag].value} is of another model than this example "
            f"takes: try {own.name}."
        )
    changes = {"batch_size": FLAGS.batch_size} if FLAGS.batch_size else {}
    return dataclasses.replace(recipe, **changes)


def check_second_recipe(name):
    """Ends the program if --second_recipe is wrong: before the first step trains.

    Args:
        name: recipe of the second step; None where the run has but one.
    """
    if name:
        with message_alone(ValueError):
            choose_recipe(name, after=True)
    elif FLAGS.second_recipe:
        sys.exit(
            f"--second_recipe={FLAGS.second_recipe} is of a second step, and this run "
            "has but one: leave it out."
        )


def choose_prior(name, prior):
    """Changes of that recipe, as of `train`, that give it the prior named, if any."""
    with message_alone(ValueError):
        recipe = choose_recipe(name)
    if prior in (None, recipe.prior):
        return {}
    return {"prior": prior, "prior_settings": {}}  # not those of another prior


def fit(recipe, dataset, about, parts=None, after=None, taken_from=None):
    """Trains on a data set, or resumes.

    Args:
        recipe: a `Recipe`.
        dataset: what it trains on.
        about: fields of results.json that tell data and variant.
        parts: arguments of the model in the place of the recipe's.
        after: as of `train`.
        taken_from: output folder of another run that began with the same settings,
            whose model is taken where this one is to be trained.

    Returns:
        The trained model, the output folder, fields of results.json, the history.
    """
    import keras

    from keras_saae import callbacks

    with message_alone(ValueError, OSError):
        epochs = FLAGS.epochs or (2 if FLAGS.smoke else recipe.epochs(dataset))
        recipe = recipe.of_length(dataset.updates(epochs))
        settings = {
            **about,
            "seed": FLAGS.seed,
            "smoke": FLAGS.smoke,
            "backend": keras.backend.backend(),
            "dtype_policy": keras.config.dtype_policy().name,
            "recipe": recipe.name,
            "settings": recipe.settings(),
            "epochs": epochs,
            "updates": dataset.updates(epochs),
        }
        name = Path(about["dataset"]).name  # of a folder of images, perhaps
        default = f"{Path(sys.argv[0]).stem}_{name}_{FLAGS.seed}"
        if taken_from:
            check_same(settings, taken_from)
        folder = open_folder(settings, default, after and after.folder / recipe.name)
    print(recipe, end="\n\n")

    path = folder / "checkpoint.keras"
    with message_alone(ValueError):
        model, done, history = begin_or_resume(
            taken_from / path.name if taken_from else path,
            lambda: recipe.model(dataset, epochs, FLAGS.seed, **(parts or {})),
            FLAGS.resume or bool(taken_from),
        )
    every = max(1, epochs // 20)
    checkpoint = callbacks.Checkpoint(
        path, every=FLAGS.checkpoint_every or every, history=history
    )
    if done < epochs:
        with message_alone(FloatingPointError, OSError):
            model.fit(
                dataset,
                epochs=epochs,
                initial_epoch=done,
                verbose=0,
                callbacks=[
                    *recipe.callbacks(),
                    callbacks.StopOnNonFinite(),
                    checkpoint,
                    callbacks.TrainingSummary(every=every),
                ],
            )
    history = checkpoint.history
    seconds = sum(history["seconds"]) + (after.results["train_seconds"] if after else 0)
    results = {
        **what_ran(),
        "model": type(model).__name__,
        **settings,
        "train_seconds": round(seconds, 1),
    }
    if after:
        fields = ("recipe", "settings", "epochs", "updates")
        results["first_step"] = {name: after.results[name] for name in fields}
    return model, folder, results, history


def finish(run, scores, figures):
    """Saves model, history, figures and, last, results.json; prints the scores.

    Args:
        run: the `Run`.
        scores: dict from name to number; the first is the model's number, which the
            fields `metric` and `value` name again.
        figures: dict from file name to figure.
    """
    from keras_saae import callbacks, plotting

    run.model.save(run.folder / "model.keras")
    callbacks.write_history(run.history, run.folder / "history.csv")
    phases = [phase.name for phase in run.model.phases()]
    curves = plotting.learning_curves(run.history, phases, num_discriminators=None)
    for name, figure in {"learning_curves": curves, **figures}.items():
        plotting.save(figure, run.folder / "figures" / f"{name}.png")
    metric, value = next(iter(scores.items()))
    results = {
        **run.results,
        "peak_memory_mib": peak_memory_mib(),
        "metric": metric,
        "value": value,
        **scores,
    }
    write_json(results, run.folder / "results.json")  # its presence means done
    print(f"\nEverything is in {run.folder}")
    for name, value in scores.items():
        print(
            f"{name}: {value:.4g}" if isinstance(value, float) else f"{name}: {value}"
        )
    if run.results["dataset"] != "mnist":
        print(f"({run.results['dataset'].upper()}, not MNIST)")


def judge(run, taken_from=None):
    """A classifier trained on all labels of the train part, to judge drawn images.

    It stays in the run's folder, `judge.keras`, and is taken from there when the run is
    resumed, or from the folder of another run with the same data.
    """
    import keras

    for folder in filter(None, (taken_from, run.folder)):
        if (folder / "judge.keras").exists():
            return keras.saving.load_model(folder / "judge.keras", compile=False)
    x, y = run.images.x_train[run.split.train], run.images.y_train[run.split.train]
    updates = 20 if FLAGS.smoke else None
    model = trained_judge(x, y, run.images.num_classes, FLAGS.seed, updates)
    partial = run.folder / ".partial.keras"
    model.save(partial)
    partial.replace(run.folder / "judge.keras")  # whole, or not there
    return model


# --- judging what a model draws ---------------------------------------------------

JUDGED_IMAGES = 10_000  # drawn for the class fidelity
PROBED_CODES = 20_000  # of training images, for the probe of style leakage


def trained_judge(x, y, num_classes, seed=0, updates=None):
    """A classifier of images `x` with labels `y`, to judge drawn images by.

    A convolutional one, of 3,000 updates, where there are pixels enough, which erred
    on 0.72 % of MNIST's test images (50,000 training images, seed 100). Trained without
    augmentation: docs/experiments.md says why. Smaller images, such as the digits, have
    the MLP of `default_small` and half the updates.
    """
    from keras_saae import networks, recipes

    whole = min(x.shape[1:3]) >= 28
    updates = updates or (3_000 if whole else 1_500)
    recipe = dataclasses.replace(recipes.LABELS_ONLY, updates=updates, passes=1)
    parts = {}
    if whole:
        recipe = dataclasses.replace(
            recipe,
            batch_size=250,
            labelled_batch_size=250,
            input_noise=0.0,
            averaging=0.999 if updates >= 1_000 else None,
            decay_from=0.5,
        )
        parts["encoder"] = networks.conv_encoder(
            x.shape[1:],
            batch_normalization=True,
            hidden=(200,),
            dropout=0.4,
            seed=seed,
        )
    else:
        small = recipes.get("default_small")
        recipe = dataclasses.replace(recipe, hidden=small.hidden)
    dataset = recipe.dataset(x, y, num_classes=num_classes)
    model = recipe.model(dataset, seed=seed, **parts)
    model.fit(dataset, epochs=recipe.epochs(dataset), verbose=0)
    return model


# --- every example ----------------------------------------------------------------


def set_up_keras():
    """Sets the dtype policy and the global seed, once the flags are seen to be right.

    Exits where the policy is one that the models do not train under.
    """
    policy = FLAGS.dtype_policy
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
    import keras  # the flags are checked before the seconds that this takes

    keras.config.set_dtype_policy(policy)
    keras.utils.set_random_seed(FLAGS.seed)


@contextlib.contextmanager
def message_alone(*errors):
    """Ends the program with the error's message: flags, files or data are at fault."""
    try:
        yield
    except errors as error:
        sys.exit(str(error))


def shrink(images, num_images=700, num_test_images=200):
    """A few hundred images, for --smoke."""
    train = evenly(images.x_train, num_images)
    test = evenly(images.x_test, num_test_images)
    return dataclasses.replace(
        images,
        x_train=images.x_train[train],
        y_train=images.y_train[train],
        x_test=images.x_test[test],
        y_test=images.y_test[test],
    )


def evenly(x, number):
    """Indices of so many images, at even distances: some come in order of class."""
    import numpy as np

    return np.linspace(0, len(x) - 1, min(number, len(x)), dtype=int)


def open_folder(settings, default, folder=None):
    """Makes the output folder and writes the settings there, before any training.

    Reads --output_dir, --resume and --smoke.

    Args:
        settings: what makes the run what it is; one that is resumed has the same.
        default: name of the folder in runs/, unless --output_dir names another.
        folder: the folder itself, such as that of a run's second step.

    Returns:
        The folder's `Path`.
    """
    default += "_smoke" if FLAGS.smoke else ""
    folder = folder or Path(FLAGS.output_dir or Path("runs") / default)
    try:
        (folder / "figures").mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        sys.exit(f"--output_dir={folder} cannot be written: {error}")
    path = folder / "settings.json"
    if FLAGS.resume and path.exists():
        changed = changed_since(settings, path)
        if changed:
            sys.exit(
                f"--resume continues the same run, but {', '.join(changed)} changed "
                f"since the run in {folder} began. Pass the flags that it began with, "
                "or another --output_dir."
            )
    elif FLAGS.resume:
        print(f"There is no run in {folder} yet: starting from the beginning.")
    elif (folder / "checkpoint.keras").exists():
        sys.exit(
            f"There is a run in {folder} already. Go on with it by --resume, or choose "
            "another --output_dir."
        )
    write_json(settings, path)
    return folder


def changed_since(settings, path):
    """Names of the settings that differ from those of a settings.json."""
    before = json.loads(path.read_text())
    settings = json.loads(json.dumps(settings))  # tuples as lists
    return [key for key in settings if settings[key] != before.get(key)]


def check_same(settings, folder):
    """Ends the program if `folder` is no run of these settings that is done."""
    path = folder / "settings.json"
    if not (path.exists() and (folder / "results.json").exists()):
        sys.exit(f"--first_step={folder} is no output folder of a run that is done.")
    if not (folder / "checkpoint.keras").exists():
        sys.exit(
            f"--first_step={folder} took its first step from another run: name that."
        )
    changed = changed_since(settings, path)
    if changed:
        sys.exit(
            f"--first_step={folder} has another first step, by its "
            f"{', '.join(changed)}. Pass the flags of that run, or leave it out."
        )


def begin_or_resume(checkpoint, build, resume=None):
    """The model of `build()`, or with --resume that of the checkpoint, if there is one.

    Args:
        checkpoint: its file.
        build: makes the model.
        resume: in the place of --resume.

    Returns:
        The model, the number of epochs it was trained for, and their history.
    """
    from keras_saae import callbacks

    resume = FLAGS.resume if resume is None else resume
    if not (resume and checkpoint.exists()):
        return build(), 0, {}
    with message_alone(ValueError, OSError):
        model, done, history = callbacks.load_checkpoint(checkpoint)
    print(f"Resuming after epoch {done}.\n")
    return model, done, history


def what_ran():
    """The first fields of results.json: versions and machine."""
    import keras

    import keras_saae

    return {
        "version": keras_saae.__version__,
        "keras_version": keras.__version__,
        "python": platform.python_version(),
        "machine": machine(),
    }


def write_json(values, path):
    """Writes JSON beside `path` and renames it into place; NaN becomes null."""
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(json.dumps(_without_nan(values), indent=2) + "\n")
    os.replace(partial, path)


def _without_nan(values):
    if isinstance(values, dict):
        return {key: _without_nan(value) for key, value in values.items()}
    if isinstance(values, (list, tuple)):
        return [_without_nan(value) for value in values]
    return None if isinstance(values, float) and values != values else values


def start(main):
    """Runs an example's `main`."""
    warnings.filterwarnings("ignore", message="Protobuf gencode version")

    def run(argv):
        if "smoke" in FLAGS and FLAGS.smoke:
            compiling.compile_fast()
        main(argv)

    app.run(run)
