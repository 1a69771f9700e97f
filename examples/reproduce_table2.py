"""Test error by system and number of labels, beside table 2 of the paper.

    python examples/reproduce_table2.py --dry_run
    python examples/reproduce_table2.py --systems=nn,default --labels=100 --seeds=0,1,2
    python examples/reproduce_table2.py --systems=

Each run is one of `examples/mnist_semisup.py` (or of scikit-learn) and, once finished,
one line of the records. What is there already is skipped, and a run that was cut off
goes on where it stopped: call the same command again. The last line above runs nothing
and renders the table and the figure from the records.
"""

import collections
import concurrent.futures
import contextlib
import dataclasses
import itertools
import json
import os
import platform
import queue
import statistics
import subprocess
import sys
import time
from pathlib import Path

from absl import app, flags

ROOT = Path(__file__).resolve().parents[1]

_SYSTEMS = flags.DEFINE_list(
    "systems", ["nn", "vat", "default", "augmented"], "Rows of the table to run."
)
_LABELS = flags.DEFINE_list(
    "labels", ["100", "1000"], "Columns: numbers of labels, or all."
)
_SEEDS = flags.DEFINE_list("seeds", ["0", "1", "2"], "Seeds; each draws its labels.")
_EPOCHS = flags.DEFINE_integer(
    "epochs", None, "Passes over the images; the system's own if not given."
)
_DATASET = flags.DEFINE_enum(
    "dataset", "mnist", ["mnist", "fashion_mnist", "digits"], "Images to learn."
)
_DATA_DIR = flags.DEFINE_string("data_dir", None, "As of mnist_semisup.py.")
_RECORDS = flags.DEFINE_string(
    "records", str(ROOT / "benchmarks/results/table2.jsonl"), "Finished runs, appended."
)
_RUNS = flags.DEFINE_string("runs", "runs/table2", "Folder of the runs' own folders.")
_JOBS = flags.DEFINE_integer(
    "jobs", 1, "Runs side by side, each on its share of the cores.", lower_bound=1
)
_FIGURE = flags.DEFINE_string("figure", None, "File to draw the figure to.")
_DRY_RUN = flags.DEFINE_bool("dry_run", False, "List the runs and their time, no more.")


@dataclasses.dataclass(frozen=True)
class System:
    """A row of the table.

    Attributes:
        title: what the row is called.
        published: error in % by number of labels, as others report it for MNIST.
        source: who reports it.
        flags: of mnist_semisup.py, beside the recipe of the system's name.
        peer: whether it is scikit-learn's, and has no recipe.
    """

    title: str
    published: dict = dataclasses.field(default_factory=dict)
    source: str = "published"
    flags: tuple = ()
    peer: bool = False


SYSTEMS = {
    "nn": System(
        "labels only, the paper's network",
        {"100": 25.80, "1000": 8.73, "all": 1.25},
    ),
    "labels_only": System("labels only, the encoder of default"),
    "vat": System(
        "virtual adversarial training alone",
        {"100": 2.33, "1000": 1.36, "all": 0.64},
    ),
    "paper": System(
        "AAE, the paper's settings, 50 epochs",
        {"100": 3.40, "1000": 2.40, "all": 1.25},
        # All 60,000 images: 50 epochs are the paper's 30,000 updates.
        flags=("--epochs=50", "--validation=0"),
    ),
    "adamw": System("AAE, the second preset of Latała (2025)"),
    "default": System(
        "ours, pixels in any order",
        {"100": 1.90, "1000": 1.60, "all": 0.85},
        "the paper's AAE, 5,000 epochs",
    ),
    "augmented": System("ours, images turned and shifted a little"),
    "latala2025": System(
        "AAE on the schedule of Latała (2025), 500 epochs",
        {"100": 23.50, "1000": 6.90, "all": 1.04},
        flags=("--epochs=500",),
    ),
    "classifier2019": System(
        "adversarial-autoencoder-classifier (2019)", {"3000": 3.0}
    ),
    "label_spreading": System("scikit-learn's LabelSpreading", peer=True),
    "self_training": System("scikit-learn's SelfTrainingClassifier", peer=True),
}


def main(argv):
    """Runs what is missing, then renders what is there."""
    del argv
    path = Path(_RECORDS.value)
    records = read(path)
    runs = missing_runs(records)
    if _DRY_RUN.value:
        list_runs(runs)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    run_all(runs, path)
    records = read(path)
    print(table(records, _DATASET.value))
    if _FIGURE.value:
        draw(records, _DATASET.value, _FIGURE.value)


# --- what to run ------------------------------------------------------------------


def missing_runs(records):
    """The runs asked for that the records lack: (system, labels, seed) each."""
    systems = names_of_systems()
    for value in (*_LABELS.value, *_SEEDS.value):
        if not value.isdecimal() and value != "all":
            sys.exit(f"--labels and --seeds are numbers, or all. Received: {value}")
    done = {
        (r["dataset"], r["recipe"], r["labels"], r["seed"], r["backend"])
        for r in records
    }
    asked = itertools.product(_SEEDS.value, _LABELS.value, systems)
    return [
        (system, labels, int(seed))
        for seed, labels, system in asked
        if (_DATASET.value, recipe_name(system), labels, int(seed), backend(system))
        not in done
    ]


def names_of_systems():
    """The rows asked for; "ablations" stands for `default` without each ingredient."""
    if not set(_SYSTEMS.value) - SYSTEMS.keys():
        return _SYSTEMS.value
    from keras_saae import recipes

    ablations = [name for name in recipes.RECIPES if name.startswith("without_")]
    names = []
    for name in _SYSTEMS.value:
        names += ablations if name == "ablations" else [name]
    unknown = sorted(set(names) - SYSTEMS.keys() - recipes.RECIPES.keys())
    if unknown:
        known = ", ".join([*SYSTEMS, "ablations", *ablations])
        sys.exit(f"--systems: there is no {', '.join(unknown)}, but {known}.")
    return names


def system_of(name):
    """The row of that name; a recipe without a row of its own has one of its name."""
    return SYSTEMS.get(name, System(""))


def recipe_name(system):
    """The recipe behind a row; on the digits, `default` is its small sibling."""
    if system == "default" and _DATASET.value == "digits":
        return "default_small"
    return system


def backend(system):
    """What computes a row."""
    if system_of(system).peer:
        return "scikit-learn"
    return os.environ.get("KERAS_BACKEND") or "tensorflow"


def list_runs(runs):
    """Prints the runs with the minutes each will take here."""
    seconds = {}
    for system, labels, seed in runs:
        if system not in seconds and not system_of(system).peer:
            seconds[system] = seconds_per_update(system)
        cost = "not measured"
        if system in seconds:
            cost = f"{seconds[system] * updates(system, labels) / 60:.1f} minutes"
        print(f"{_DATASET.value}, {system}, {labels} labels, seed {seed}: {cost}")
    total = sum(seconds.get(s, 0) * updates(s, n) for s, n, _ in runs) / 3600
    print(f"{len(runs)} runs, about {total:.1f} hours one after another")


def updates(system, labels):
    """Updates of a run."""
    if system_of(system).peer:
        return 0
    recipe, dataset = recipe_and_dataset(system, labels)
    for flag in system_of(system).flags:
        if flag.startswith("--epochs="):
            return dataset.updates(int(flag.removeprefix("--epochs=")))
    return dataset.updates(_EPOCHS.value or recipe.epochs(dataset))


def seconds_per_update(system, count=20):
    """Seconds an update takes here: the median of three short runs."""
    recipe, dataset = recipe_and_dataset(system, "100")
    model = recipe.model(dataset, epochs=10_000)
    batch = dataset[0]
    model.train_on_batch(batch)  # compiles
    rounds = []
    for _ in range(3):
        start = time.perf_counter()
        for _ in range(count):
            logs = model.train_on_batch(batch)
        float(logs[0])  # waits for the last
        rounds.append((time.perf_counter() - start) / count)
    return statistics.median(rounds)


def recipe_and_dataset(system, labels):
    """The recipe of a row and the data of its first seed."""
    from keras_saae import data, recipes

    recipe = recipes.get(recipe_name(system))
    images = data.load(_DATASET.value, _DATA_DIR.value)
    split = data.split_labels(
        images.y_train, labels if labels == "all" else int(labels), seed=0
    )
    x, y = images.x_train[split.train], split.mask_labels(images.y_train)
    return recipe, recipe.dataset(x, y, images.num_classes)


# --- running ----------------------------------------------------------------------


def run_all(runs, path):
    """Runs all, some side by side, and appends the record of each that ends well."""
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    shares = queue.Queue()
    for job in range(_JOBS.value):
        shares.put(cores[job :: _JOBS.value])

    def run(system, labels, seed):
        share = shares.get()
        try:
            make = run_peer if system_of(system).peer else run_recipe
            return make(system, labels, seed, share)
        finally:
            shares.put(share)

    failed = []
    with concurrent.futures.ThreadPoolExecutor(_JOBS.value) as pool:
        futures = {pool.submit(run, *each): each for each in runs}
        for number, future in enumerate(concurrent.futures.as_completed(futures), 1):
            name = "{}, {} labels, seed {}".format(*futures[future])
            try:
                record = future.result()
            except RuntimeError as error:
                failed.append(name)
                print(f"[{number}/{len(runs)}] {name} FAILED: {error}", flush=True)
                continue
            with open(path, "a") as file:
                file.write(json.dumps(record) + "\n")
            print(
                f"[{number}/{len(runs)}] {name}: {record['test_error']:.2f} % in "
                f"{record['train_seconds'] / 60:.1f} minutes",
                flush=True,
            )
    if failed:
        sys.exit(f"{len(failed)} runs failed: {'; '.join(failed)}")


def run_recipe(system, labels, seed, cores):
    """A run of mnist_semisup.py in a process of its own; returns its results."""
    name = f"{_DATASET.value}_{labels}_{system}_{seed}_{backend(system)}"
    folder = Path(_RUNS.value) / name
    folder.mkdir(parents=True, exist_ok=True)
    arguments = [
        f"--dataset={_DATASET.value}",
        f"--recipe={system}",
        f"--labels={labels}",
        f"--seed={seed}",
        f"--output_dir={folder}",
        "--resume",
        *system_of(system).flags,
    ]
    if _DATA_DIR.value:
        arguments.append(f"--data_dir={_DATA_DIR.value}")
    if _EPOCHS.value:
        arguments.append(f"--epochs={_EPOCHS.value}")
    if not (folder / "results.json").exists():
        with open(folder / "log.txt", "a") as log:
            process = subprocess.Popen(
                [sys.executable, str(ROOT / "examples/mnist_semisup.py"), *arguments],
                stdout=log,
                stderr=subprocess.STDOUT,
            )
            with contextlib.suppress(OSError, AttributeError):
                os.sched_setaffinity(process.pid, cores)
            if process.wait():
                raise RuntimeError(f"see {folder / 'log.txt'}")
    return json.loads((folder / "results.json").read_text())


def run_peer(system, labels, seed, cores):
    """What a user of scikit-learn would run on the same split."""
    del cores
    import sklearn
    from sklearn import linear_model, semi_supervised

    import keras_saae
    from keras_saae import data, evaluation

    images = data.load(_DATASET.value, _DATA_DIR.value)
    number = labels if labels == "all" else int(labels)
    split = data.split_labels(images.y_train, number, seed)
    x = images.x_train[split.train].reshape(len(split.train), -1) / 255.0
    y = split.mask_labels(images.y_train)
    classifier = {
        # The other kernel, rbf, holds all pairs of images: 29 GB of MNIST.
        "label_spreading": lambda: semi_supervised.LabelSpreading(kernel="knn"),
        "self_training": lambda: semi_supervised.SelfTrainingClassifier(
            linear_model.LogisticRegression(max_iter=200)
        ),
    }[system]()
    start = time.perf_counter()
    classifier.fit(x.astype("float32"), y)
    seconds = time.perf_counter() - start
    x_test = images.x_test.reshape(len(images.x_test), -1) / 255.0
    predicted = classifier.predict(x_test.astype("float32"))
    return {
        "version": keras_saae.__version__,
        "python": platform.python_version(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "dataset": _DATASET.value,
        "dataset_sha256": images.sha256,
        "labels": labels,
        "seed": seed,
        "validation": len(split.validation),
        "backend": "scikit-learn",
        "dtype_policy": "float32",
        "recipe": system,
        "settings": {"sklearn_version": sklearn.__version__, "class": repr(classifier)},
        "epochs": None,
        "updates": None,
        "train_seconds": round(seconds, 1),
        "validation_error": None,
        "test_error": evaluation.error_rate(images.y_test, predicted),
        "labels_only_test_error": None,
    }


# --- rendering --------------------------------------------------------------------


def read(path):
    """The records of a JSON-lines file; none if there is no such file."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text().splitlines()]


def cells(records, dataset):
    """Errors of one data set: {(recipe, backend): {labels: {seed: error}}}."""
    found = collections.defaultdict(lambda: collections.defaultdict(dict))
    for record in records:
        if record["dataset"] == dataset:
            row = found[record["recipe"], record["backend"]]
            row[record["labels"]][record["seed"]] = record["test_error"]
    order = list(SYSTEMS)

    def place(item):
        (recipe, computed_by), _ = item
        known = recipe in order
        return not known, order.index(recipe) if known else recipe, computed_by

    return dict(sorted(found.items(), key=place))


def table(records, dataset):
    """Markdown: a row per system and backend, a column per number of labels.

    A cell holds mean ± sample standard deviation (number of runs); below it, where the
    row `nn` has the same seeds, the paired difference to it with its 95 % interval.
    """
    rows = cells(records, dataset)
    columns = sorted(
        {labels for row in rows.values() for labels in row},
        key=lambda labels: float("inf") if labels == "all" else int(labels),
    )
    lines = [
        f"| {dataset}, test error in % | " + " | ".join(f"{c} labels" for c in columns),
        "|---" * (1 + len(columns)),
    ]
    for (recipe, computed_by), row in rows.items():
        system = system_of(recipe)
        texts = [spread(row[c].values()) if c in row else "–" for c in columns]
        title = f"`{recipe}`" + (f": {system.title}" if system.title else "")
        lines.append(f"| {title} ({computed_by}) | {_join(texts)}")
        baseline = rows.get(("nn", computed_by), {})
        gains = [difference(row.get(c, {}), baseline.get(c, {})) for c in columns]
        if recipe != "nn" and any(gains):
            lines.append(f"| minus `nn` | {_join(gain or '–' for gain in gains)}")
        if dataset == "mnist" and system.published:
            numbers = [system.published.get(c) for c in columns]
            texts = ["–" if n is None else f"{n:.2f}" for n in numbers]
            lines.append(f"| *{system.source}* | {_join(texts)}")
    return "\n".join(f"{line} |" for line in lines)


def _join(texts):
    return " | ".join(texts)


def spread(values):
    """Mean ± sample standard deviation (number of values); of one, the value."""
    values = list(values)
    mean = f"{statistics.mean(values):.2f}"
    if len(values) == 1:
        return f"{mean} (1)"
    return f"{mean} ± {statistics.stdev(values):.2f} ({len(values)})"


def difference(errors, baseline):
    """Mean difference on shared seeds with its 95 % interval (Student's t), or ''."""
    from scipy import stats

    pairs = [errors[seed] - baseline[seed] for seed in errors if seed in baseline]
    if not pairs:
        return ""
    mean = statistics.mean(pairs)
    if len(pairs) == 1:
        return f"{mean:+.2f}"
    half = stats.t.ppf(0.975, len(pairs) - 1) * statistics.stdev(pairs)
    return f"{mean:+.2f} ± {half / len(pairs) ** 0.5:.2f}"


def draw(records, dataset, path):
    """The figure: error against the number of labels, published values beside ours."""
    from keras_saae import plotting

    rows = cells(records, dataset)
    sizes = {"mnist": 60_000, "fashion_mnist": 60_000, "digits": 1_500}

    def number(labels):
        return sizes[dataset] if labels == "all" else int(labels)

    ours = {
        f"{recipe} ({computed_by})": {
            number(labels): list(seeds.values()) for labels, seeds in row.items()
        }
        for (recipe, computed_by), row in rows.items()
    }
    published = {
        SYSTEMS[name].title: {
            number(labels): error for labels, error in SYSTEMS[name].published.items()
        }
        for name in ("nn", "vat")
    }
    published["AAE, the paper"] = {
        number(labels): error for labels, error in SYSTEMS["default"].published.items()
    }
    figure = plotting.error_by_labels(ours, published if dataset == "mnist" else {})
    plotting.save(figure, path)


if __name__ == "__main__":
    app.run(main)
