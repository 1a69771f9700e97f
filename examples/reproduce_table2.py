"""Test error by system and number of labels, beside table 2 of the paper.

    python examples/reproduce_table2.py --dry_run
    python examples/reproduce_table2.py --systems=nn,default --labels=100 --seeds=0,1,2
    python examples/reproduce_table2.py --systems= --figure=docs/error_by_labels.png
    python examples/reproduce_table2.py --systems=default,ablations --baseline=default \
        --labels=100 --seeds=0,1,2,3 --epochs=10 \
        --records=benchmarks/results/ablation.jsonl

Each run is one of `examples/mnist_semisup.py` (or of scikit-learn) and, once finished,
one line of the records. What is there already is skipped, and a run that was cut off
goes on where it stopped: call the same command again. The third line above runs nothing
and renders the table and the figure from the records; the last is the ablation.
"""

import collections
import concurrent.futures
import contextlib
import dataclasses
import functools
import hashlib
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

import common
import machine
from absl import flags

try:
    import fcntl
except ImportError:  # not on Windows: do not start the same run twice there
    fcntl = None

ROOT = Path(__file__).resolve().parents[1]
SCRIPT = ROOT / "examples" / "mnist_semisup.py"

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
_DATASET_NAMES = ["mnist", "fashion_mnist", "digits"]
_DATASET = flags.DEFINE_enum("dataset", "mnist", _DATASET_NAMES, "Images to learn.")
_DTYPE_POLICY = flags.DEFINE_enum(
    "dtype_policy", "float32", ["float32", "mixed_bfloat16"], "Of the runs."
)
_DATA_DIR = flags.DEFINE_string("data_dir", None, "As of mnist_semisup.py.")
_RECORDS = flags.DEFINE_string(
    "records", str(ROOT / "benchmarks/results/table2.jsonl"), "Finished runs, appended."
)
_RUNS = flags.DEFINE_string("runs", "runs/table2", "Folder of the runs' own folders.")
_JOBS = flags.DEFINE_integer(
    "jobs", 1, "Runs side by side, each on its share of the cores.", lower_bound=1
)
_BASELINE = flags.DEFINE_string(
    "baseline", "nn", "Row that the others are set against, draw by draw."
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
        wanted: what we set out to reach at least, and hope for, by number of labels.
        epochs: length of its runs, where it is not the recipe's own.
        validation: training images held out, where it is not the usual number.
        peer: whether it is scikit-learn's, and has no recipe.
    """

    title: str
    published: dict = dataclasses.field(default_factory=dict)
    source: str = "published"
    wanted: dict = dataclasses.field(default_factory=dict)
    epochs: int | None = None
    validation: int | None = None
    peer: bool = False


SYSTEMS = {
    "nn": System(
        "labels only, the paper's layers",
        {"100": 25.80, "1000": 8.73, "all": 1.25},
    ),
    "labels_only": System("labels only, the encoder of `default`"),
    "vat": System(
        "virtual adversarial training alone",
        {"100": 2.33, "1000": 1.36, "all": 0.64},
    ),
    "paper": System(
        "AAE, the paper's settings, 50 epochs",
        {"100": 3.40, "1000": 2.40, "all": 1.25},
        "the paper's curve at 50 epochs",
        # All 60,000 images: 50 epochs are the paper's 30,000 updates.
        epochs=50,
        validation=0,
    ),
    "adamw": System("AAE, the second preset of Latała (2025)"),
    "default": System(
        "ours, pixels in any order",
        {"100": 1.90, "1000": 1.60, "all": 0.85},
        "the paper's AAE, 5,000 epochs",
        {"100": (1.90, 1.06), "1000": (1.60, 0.84), "all": (0.85, 0.57)},
    ),
    "default_small": System("ours, for small data"),
    "augmented": System(
        "ours, images turned, shifted and slanted a little",
        wanted={
            **{"20": (5, 2), "50": (2, 1)},
            **{"100": (1.00, 0.60), "1000": (0.80, 0.50), "all": (0.60, 0.35)},
        },
    ),
    "convolutional": System("ours, the same with convolutions, for many labels"),
    "generative": System("ours, style apart from class"),
    "simultaneous": System("ours, all phases of a step at once"),
    "latala2025": System(
        "AAE on the schedule of Latała (2025), 500 epochs",
        {"100": 23.50, "1000": 6.90, "all": 1.04},
        epochs=500,
    ),
    "classifier2019": System(
        "adversarial-autoencoder-classifier (2019)",
        {"3000": 3.0},
        "the 2019 classifier, on images held out",
    ),
    "label_spreading": System("scikit-learn's LabelSpreading", peer=True),
    "self_training": System("scikit-learn's SelfTrainingClassifier", peer=True),
}


def main(argv):
    """Runs what is missing, then renders what is there."""
    del argv
    runs = missing_runs(read(Path(_RECORDS.value)))
    if _DRY_RUN.value:
        list_runs(runs)
        return
    failed = run_all(runs) if runs else []
    records = read(Path(_RECORDS.value))
    print(report(records))
    if _FIGURE.value:
        draw(records, _DATASET.value, _FIGURE.value)
    if failed:
        sys.exit(f"{len(failed)} runs failed: {'; '.join(failed)}")


# --- what to run ------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Run:
    """One run: a row, a column and a seed. Its identity is what a record must share."""

    system: str
    labels: str
    seed: int

    def __str__(self):
        return f"{self.system}, {self.labels} labels, seed {self.seed}"

    @functools.cached_property
    def identity(self):
        """What the record of this very run holds."""
        found = {
            "dataset": _DATASET.value,
            "recipe": self.system,
            "labels": self.labels,
            "seed": self.seed,
            "backend": "scikit-learn",
        }
        if system_of(self.system).peer:
            return found
        recipe, epochs, updates = plan(self.system, self.labels)
        settings = recipe.of_length(updates).settings()
        del settings["source"]  # may be told in other words
        return {
            **found,
            "backend": _backend(),
            "dtype_policy": _DTYPE_POLICY.value,
            "validation": self.validation,
            "epochs": epochs,
            "settings": json.loads(json.dumps(settings)),
        }

    @property
    def validation(self):
        """Number of training images held out."""
        return len(_split(self.labels, system_of(self.system).validation).validation)

    def is_in(self, records):
        """Whether one of the records is of this run."""
        identity = self.identity
        later = {} if system_of(self.system).peer else later_settings(self.system)

        def of_record(record, key):
            value = record.get(key)
            if key == "settings" and later:
                value = {**later, **value}
                value.pop("source", None)
            return value

        return any(
            all(of_record(record, key) == identity[key] for key in identity)
            for record in records
        )


@functools.cache
def later_settings(system):
    """Defaults, for settings that a recipe did not have yet when a record was made."""
    from keras_saae import recipes

    return {
        field.name: field.default
        for field in dataclasses.fields(recipes.get(system))
        if field.default is not dataclasses.MISSING
    }


@functools.cache
def plan(system, labels):
    """The recipe of a row, and the epochs and updates of its runs."""
    recipe, dataset = recipe_and_dataset(system, labels)
    epochs = _EPOCHS.value or system_of(system).epochs or recipe.epochs(dataset)
    return recipe, epochs, dataset.updates(epochs)


def recipe_and_dataset(system, labels):
    """The recipe of a row, and the data that its first seed trains on."""
    from keras_saae import recipes

    recipe = recipes.get(system)
    images, split = _images(), _split(labels, system_of(system).validation)
    x, y = images.x_train[split.train], split.mask_labels(images.y_train)
    return recipe, recipe.dataset(x, y, images.num_classes)


@functools.cache
def _images():
    from keras_saae import data

    return data.load(_DATASET.value, _DATA_DIR.value)


@functools.cache
def _split(labels, validation, seed=0):
    from keras_saae import data

    number = labels if labels == "all" else int(labels)
    return data.split_labels(_images().y_train, number, seed, validation)


def _backend():
    import keras

    return keras.backend.backend()


def missing_runs(records):
    """The runs asked for that the records lack."""
    systems = names_of_systems()
    for name, values, word in (
        ("seeds", _SEEDS.value, None),
        ("labels", _LABELS.value, "all"),
    ):
        for value in values:
            if not value.isdecimal() and value != word:
                sys.exit(f"--{name} are numbers{' or all' * bool(word)}: {value}")
    asked = itertools.product(_SEEDS.value, _LABELS.value, systems)
    runs = dict.fromkeys(
        Run(system, labels, int(seed)) for seed, labels, system in asked
    )
    with common.message_alone(ValueError, OSError):  # such as more labels than images
        return [run for run in runs if not run.is_in(records)]


def names_of_systems():
    """The rows asked for; "ablations" stands for `default` without each ingredient."""
    from keras_saae import recipes

    ablations = [name for name in recipes.RECIPES if name.startswith("without_")]
    names = []
    for name in _SYSTEMS.value:
        names += ablations if name == "ablations" else [name]
    for_mnist = {"augmented", "convolutional", "generative", *ablations}
    for_mnist &= set(names)
    if for_mnist and _DATASET.value == "digits":
        sys.exit(f"--systems: {', '.join(sorted(for_mnist))} are made for MNIST.")
    unknown = sorted(set(names) - SYSTEMS.keys() - recipes.RECIPES.keys())
    if unknown:
        known = ", ".join([*SYSTEMS, "ablations", *ablations])
        sys.exit(f"--systems: there is no {', '.join(unknown)}, but {known}.")
    return [
        recipes.get(name, _DATASET.value).name if name in recipes.RECIPES else name
        for name in names
    ]


def system_of(name):
    """The row of that name; a recipe without a row of its own has one of its name."""
    return SYSTEMS.get(name, System(""))


def list_runs(runs):
    """Prints the runs with the minutes each will take here."""
    import keras

    keras.config.set_dtype_policy(_DTYPE_POLICY.value)
    seconds, total = {}, 0.0
    for run in runs:
        if system_of(run.system).peer:
            cost = recorded_seconds(run.system)
            if cost is None:
                print(f"{run}: not known, no run of it is recorded")
                continue
        else:
            if run.system not in seconds:
                seconds[run.system] = seconds_per_update(run.system, run.labels)
            cost = seconds[run.system] * plan(run.system, run.labels)[-1]
        total += cost
        print(f"{run}: {cost / 60:.1f} minutes")
    print(
        f"{len(runs)} runs, about {total / 3600:.1f} hours one after another; images "
        "held out and the labels-only baseline of each run take a little more."
    )


def recorded_seconds(system):
    """Mean length of the recorded runs of a peer, on whichever machine, or None."""
    records = read(Path(_RECORDS.value))
    seconds = [
        record["train_seconds"]
        for record in records
        if (record["recipe"], record["dataset"]) == (system, _DATASET.value)
    ]
    return statistics.mean(seconds) if seconds else None


def seconds_per_update(system, labels, count=20):
    """Seconds an update takes here: the median of three short rounds."""
    recipe, dataset = recipe_and_dataset(system, labels)
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


# --- running ----------------------------------------------------------------------


def run_all(runs):
    """Runs all, some side by side, and appends the record of each that ends well."""
    path = Path(_RECORDS.value)
    path.parent.mkdir(parents=True, exist_ok=True)
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    shares = queue.Queue()
    for job in range(_JOBS.value):
        shares.put(cores[job :: _JOBS.value])

    def work(run):
        share = shares.get()
        try:
            peer = system_of(run.system).peer
            return run_peer(run) if peer else run_recipe(run, share)
        finally:
            shares.put(share)

    failed, code = [], machine.commit()
    pool = concurrent.futures.ThreadPoolExecutor(_JOBS.value)
    futures = {pool.submit(work, run): run for run in runs}
    try:
        for number, future in enumerate(concurrent.futures.as_completed(futures), 1):
            run, place = futures[future], f"[{number}/{len(runs)}]"
            try:
                record = future.result()
            except Exception as error:  # of one run: the others go on
                failed.append(str(run))
                print(f"{place} {run} FAILED: {error}", flush=True)
                continue
            if not run.is_in(read(path)):
                with open(path, "a") as file:
                    file.write(json.dumps({**record, "commit": code}) + "\n")
            minutes = record["train_seconds"] / 60
            print(
                f"{place} {run}: {record['test_error']:.2f} % in {minutes:.1f} minutes",
                flush=True,
            )
    finally:  # after Ctrl-C, which also reaches the runs, none is started any more
        pool.shutdown(cancel_futures=True)
    return failed


def run_recipe(run, cores):
    """A run of mnist_semisup.py in a process of its own; returns its results."""
    identity = json.dumps(run.identity, sort_keys=True).encode()
    name = f"{_DATASET.value}_{run.labels}_{run.system}_{run.seed}_{_backend()}"
    folder = Path(_RUNS.value) / f"{name}_{hashlib.sha256(identity).hexdigest()[:8]}"
    folder.mkdir(parents=True, exist_ok=True)
    arguments = [
        f"--dataset={_DATASET.value}",
        f"--recipe={run.system}",
        f"--labels={run.labels}",
        f"--seed={run.seed}",
        f"--epochs={run.identity['epochs']}",
        f"--validation={run.validation}",
        f"--dtype_policy={_DTYPE_POLICY.value}",
        f"--output_dir={folder}",
        "--resume",
    ]
    if _DATA_DIR.value:
        arguments.append(f"--data_dir={_DATA_DIR.value}")
    with locked(folder / "lock") as lock:
        if not (folder / "results.json").exists():
            with open(folder / "log.txt", "a") as log:
                process = subprocess.Popen(
                    [sys.executable, str(SCRIPT), *arguments],
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env={**os.environ, "KERAS_BACKEND": _backend()},
                    pass_fds=lock,  # held as long as the run lives, whoever started it
                )
                if cores:
                    with contextlib.suppress(OSError):
                        os.sched_setaffinity(process.pid, cores)
                if process.wait():
                    raise RuntimeError(f"see {folder / 'log.txt'}")
    return json.loads((folder / "results.json").read_text())


@contextlib.contextmanager
def locked(path):
    """Holds a file's lock, so that no run is made twice at once; gives its descriptor.

    Raises:
        RuntimeError: if another process holds it.
    """
    if fcntl is None:
        yield ()
        return
    with open(path, "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise RuntimeError("it runs already, in another process") from None
        yield (file.fileno(),)


def run_peer(run):
    """What a user of scikit-learn would run on the same split."""
    import sklearn
    from sklearn import linear_model, semi_supervised

    import keras_saae
    from keras_saae import evaluation

    images, split = _images(), _split(run.labels, None, run.seed)

    def flat(x):
        return (x.reshape(len(x), -1) / 255.0).astype("float32")

    classifier = {
        # The other kernel, rbf, holds all pairs of images: 29 GB of MNIST.
        "label_spreading": lambda: semi_supervised.LabelSpreading(kernel="knn"),
        "self_training": lambda: semi_supervised.SelfTrainingClassifier(
            linear_model.LogisticRegression(max_iter=200)
        ),
    }[run.system]()
    start = time.perf_counter()
    classifier.fit(flat(images.x_train[split.train]), split.mask_labels(images.y_train))
    seconds = time.perf_counter() - start
    predicted = classifier.predict(flat(images.x_test))
    return {
        "version": keras_saae.__version__,
        "python": platform.python_version(),
        "machine": machine.machine(),
        **run.identity,
        "dataset_sha256": images.sha256,
        "validation": len(split.validation),
        "dtype_policy": "float32",
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


def computed_by(record):
    """The backend of a run, and the dtype policy where it is not float32."""
    policy = record["dtype_policy"]
    return ", ".join([record["backend"], *[policy] * (policy != "float32")])


def rows_of(records, dataset, error="test_error"):
    """Errors of one data set: {(recipe, backend): {labels: {seed: error}}}."""
    found = collections.defaultdict(lambda: collections.defaultdict(dict))
    for record in records:
        if record["dataset"] == dataset and record[error] is not None:
            row = found[record["recipe"], computed_by(record)]
            row[record["labels"]][record["seed"]] = record[error]
    order = list(SYSTEMS)

    def place(item):
        (recipe, by), _ = item
        known = recipe in order
        return not known, order.index(recipe) if known else 0, recipe, by

    return dict(sorted(found.items(), key=place))


def report(records):
    """Markdown: a table for each data set, and the runs behind them."""
    found = {record["dataset"] for record in records}
    names = sorted(found, key=_DATASET_NAMES.index)
    return "\n\n".join([*(table(records, name) for name in names), summary(records)])


def number_of(labels):
    """For sorting columns: `all` comes last."""
    return float("inf") if labels == "all" else int(labels)


def table(records, dataset):
    """Markdown: a row per system and backend, a column per number of labels.

    A cell holds mean ± sample standard deviation (number of runs); below it, where the
    row --baseline has the same seeds, the paired difference to it with its 95 %
    interval. In the place of `nn` a row takes the errors of its own networks on the
    labels alone, where it has them and `nn` was not run like it.
    """
    rows = rows_of(records, dataset)
    alone = rows_of(records, dataset, "labels_only_test_error")
    columns = sorted({c for row in rows.values() for c in row}, key=number_of)
    lines = [
        [f"{dataset}, test error in %", *(f"{c} labels" for c in columns)],
        ["---"] * (1 + len(columns)),
    ]
    last = {recipe: by for recipe, by in rows}  # of a recipe's rows
    for (recipe, by), row in rows.items():
        system = system_of(recipe)
        title = f"`{recipe}`" + (f": {system.title}" if system.title else "")
        cells = [spread(row[c].values()) if c in row else "–" for c in columns]
        lines.append([f"{title} ({by})", *cells])
        # With other images held out, the same seed draws other labels. What is not
        # Keras' has the baseline of whichever backend.
        name = _BASELINE.value
        same = [
            other
            for (system_name, by_too), other in rows.items()
            if system_name == name and (by_too == by or system.peer)
        ]
        against = f"minus `{name}`"
        baseline = same[0] if same and system.validation is None else {}
        if not baseline and name == "nn" and recipe != "labels_only":
            baseline, against = alone.get((recipe, by), {}), "minus labels alone"
        gains = [difference(row.get(c, {}), baseline.get(c, {})) for c in columns]
        if recipe != name and any(gains):
            lines.append([against, *(gain or "–" for gain in gains)])
        if dataset != "mnist" or by != last[recipe]:
            continue
        if system.published:
            lines.append([f"*{system.source}*", *published(system, columns)])
        if system.wanted and recipe != name:  # not of an ablation's shorter runs
            pairs = [system.wanted.get(c) for c in columns]
            cells = [
                "–" if p is None else "≤ {:.2f}, ≤ {:.2f}".format(*p) for p in pairs
            ]
            lines.append(["*must, aim*", *cells])
    not_run = set(SYSTEMS).difference(recipe for recipe, _ in rows)
    for recipe in [name for name in SYSTEMS if name in not_run]:
        system = SYSTEMS[recipe]
        cells = published(system, columns)
        if dataset == "mnist" and _BASELINE.value == "nn" and set(cells) != {"–"}:
            title = f"*{system.source}* (`{recipe}`: not run)"
            lines.append([title, *cells])
    return markdown(lines)


def published(system, columns):
    """What others report for MNIST, a cell for each number of labels."""
    numbers = [system.published.get(column) for column in columns]
    return ["–" if number is None else f"{number:.2f}" for number in numbers]


def summary(records):
    """Markdown: the runs behind the table, all data sets: seeds, spread, minutes."""
    names = ("dataset", "labels", "recipe")
    groups = collections.defaultdict(list)
    for record in records:
        key = (*(record[name] for name in names), computed_by(record))
        groups[key].append(record)
    lines = [
        [
            *("data, labels", "recipe", "backend", "seeds", "test error, %"),
            *("median, worst", "labels only, %", "minutes a run"),
        ],
        ["---"] * 8,
    ]
    for key in sorted(groups, key=lambda k: (k[0], number_of(k[1]), k[2:])):
        group = sorted(groups[key], key=lambda record: record["seed"])
        errors = [record["test_error"] for record in group]
        alone = [record["labels_only_test_error"] for record in group]
        minutes = statistics.mean(record["train_seconds"] for record in group) / 60
        dataset, labels, recipe, by = key
        lines.append(
            [
                *(f"{dataset}, {labels}", recipe, by),
                ", ".join(str(record["seed"]) for record in group),
                spread(errors),
                f"{statistics.median(errors):.2f}, {max(errors):.2f}",
                "–" if None in alone else spread(alone),
                f"{minutes:.1f}",
            ]
        )
    return markdown(lines)


def markdown(lines):
    """Lines of a table from lists of cells."""
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


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
    """The figure: error by number of labels, in float32, published values beside."""
    from keras_saae import plotting

    records = [record for record in records if record["dtype_policy"] == "float32"]
    rows = rows_of(records, dataset)
    sizes = {"mnist": 60_000, "fashion_mnist": 60_000, "digits": 1_500}

    def number(labels):
        return sizes[dataset] if labels == "all" else int(labels)

    ours = {
        f"{recipe} ({by})": {
            number(labels): list(seeds.values()) for labels, seeds in row.items()
        }
        for (recipe, by), row in rows.items()
    }
    published = {
        system.title if system.source == "published" else system.source: {
            number(labels): error for labels, error in system.published.items()
        }
        for system in SYSTEMS.values()
        if system.published
    }
    figure = plotting.error_by_labels(ours, published if dataset == "mnist" else {})
    plotting.save(figure, path)


if __name__ == "__main__":
    common.start(main)
