"""Numbers of the models beside the semi-supervised one, over several seeds.

    python benchmarks/family.py --table=family --rows=clustering_16 --seeds=0,1,2
    python benchmarks/family.py --table=variational --seeds=

Each run is one of an example; its results.json, once finished, becomes a line of
benchmarks/results/<table>.jsonl. Runs that are there are skipped, and one that was cut
off goes on: call the same command again. With `--seeds=` nothing runs, and the table is
rendered from the records.
"""

import collections
import dataclasses
import itertools
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

from absl import app, flags

sys.path.insert(0, str(Path(__file__).parent))

import timing  # noqa: E402

ROOT = Path(__file__).resolve().parents[1]
RESULTS = Path(__file__).parent / "results"

_TABLE = flags.DEFINE_enum("table", "family", ["family", "variational"], "Which table.")
_ROWS = flags.DEFINE_list("rows", None, "Its rows; all if not given.")
_SEEDS = flags.DEFINE_list("seeds", ["0", "1", "2"], "Seeds; each draws its labels.")
_DATASET = flags.DEFINE_enum(
    "dataset", "mnist", ["mnist", "fashion_mnist", "digits"], "Images to learn."
)
_DATA_DIR = flags.DEFINE_string("data_dir", None, "As of the examples.")
_RUNS = flags.DEFINE_string("runs", "runs/family", "Folder of the runs' own folders.")


@dataclasses.dataclass(frozen=True)
class Row:
    """A row of a table.

    Attributes:
        title: what is measured.
        example: name of a program in `examples/`.
        flags: its flags, without dashes.
        metrics: fields of its results.json.
        published: what others report for MNIST, as text.
    """

    title: str
    example: str
    flags: tuple = ()
    metrics: tuple = ("test_error",)
    published: str = "–"


TABLES = {
    "family": {
        "clustering_10": Row(
            "one-to-one accuracy, 10 clusters, no labels, %",
            "clustering",
            ("clusters=10",),
            ("one_to_one_accuracy", "normalized_mutual_information"),
            "94.46 (VaDE)",
        ),
        "clustering_16": Row(
            "clustering error, the paper's protocol, 16 clusters, %",
            "clustering",
            ("clusters=16",),
            ("paper_error", "majority_error"),
            "9.55 ± 2.05",
        ),
        "clustering_30": Row(
            "clustering error, the paper's protocol, 30 clusters, %",
            "clustering",
            ("clusters=30",),
            ("paper_error", "majority_error"),
            "4.10 ± 1.13",
        ),
        **{
            f"plane_{labels}": Row(
                f"error in 2-D, {labels} labels, %",
                "dimensionality_reduction",
                (f"labels={labels}",),
                published=published,
            )
            for labels, published in (("100", "6.08"), ("1000", "4.20"))
        },
        "plane_0": Row(
            "error in 2-D, no labels, 20 heads, %",
            "dimensionality_reduction",
            ("labels=0", "clusters=20"),
            published="13.18",
        ),
        "ten_dimensions_100": Row(
            "error in 10-D, 100 labels, %",
            "dimensionality_reduction",
            ("labels=100", "dimensions=10"),
            published="3.90",
        ),
        "likelihood": Row(
            "Parzen log-likelihood, 10,000 samples, nats",
            "likelihood",
            metrics=("log_likelihood",),
            published="340 ± 2",
        ),
        "label_informed": Row(
            "test codes in their own mode, 10,000 labels, %",
            "label_informed",
            metrics=("own_mode_share",),
        ),
        "supervised": Row(
            "class fidelity, style leakage, %",
            "supervised_style",
            metrics=("class_fidelity", "style_leakage"),
        ),
    },
    "variational": {
        "m1": Row(
            "classifiers on the codes of M1, 100 labels, error in %",
            "m1_m2",
            ("model=m1", "labels=100"),
            ("nearest_neighbour_error", "linear_svm_error", "label_spreading_error"),
            "11.82 (TSVM)",
        ),
        **{
            f"{model}_{labels}": Row(
                f"{title}, {labels} labels, error in %",
                "m1_m2",
                (f"model={model}", f"labels={labels}"),
                published=published,
            )
            for model, title, labels, published in (
                ("m2", "M2", "100", "11.97 ± 1.71"),
                ("m2", "M2", "1000", "3.60"),
                ("m1_m2", "M1+M2", "100", "3.33 ± 0.14"),
                ("m1_m2", "M1+M2", "1000", "2.40"),
            )
        },
        **{
            f"m2_{name}": Row(
                f"M2 {title}, 100 labels, error in %",
                "m1_m2",
                ("model=m2", "labels=100", *arguments),
            )
            for name, title, arguments in (
                ("sampled", "with drawn classes", ("unlabelled=sampled",)),
                (
                    "bound_alone",
                    "without the cross-entropy",
                    ("classification_weight=0",),
                ),
            )
        },
        **{
            f"mixture_{labels}": Row(
                f"mixture VAE, {labels} labels: error on what it accepts, rejected, %",
                "mixture_vae",
                (f"labels={labels}",),
                ("accepted_error", "rejected"),
                published,
            )
            for labels, published in (("all", "0.22 / 1.81"), ("100", "–"))
        },
        "attacks": Row(
            "attacks on the mixture VAE: the worst share accepted and wrong, %",
            "attacks",
            metrics=("worst_undetected", "reclassified_right", "clean_rejected"),
        ),
        **{
            f"two_steps_{beta}_{gamma}": Row(
                f"two-step VAE, β = {beta}, γ = {gamma}: class kept in %, sharpness",
                "adversarial_vae",
                (f"beta={beta}", f"gamma={gamma}"),
                ("class_kept", "relative_sharpness"),
            )
            for beta in ("0", "0.003", "0.005", "0.0075", "0.01", "0.1")
            for gamma in ("0", "0.1")
        },
    },
}


def main(argv):
    """Makes the runs that are missing, then prints the table."""
    del argv
    rows = TABLES[_TABLE.value]
    names = _ROWS.value or list(rows)
    unknown = sorted(set(names) - set(rows))
    if unknown:
        sys.exit(f"--rows: there is no {', '.join(unknown)}, but {', '.join(rows)}.")
    path = RESULTS / f"{_TABLE.value}.jsonl"
    failed = []
    for seed, name in itertools.product(map(int, _SEEDS.value), names):
        key = {
            "row": name,
            "dataset": _DATASET.value,
            "seed": seed,
            "backend": os.environ.get("KERAS_BACKEND", "tensorflow"),
        }
        if any(key.items() <= record.items() for record in timing.read_records(path)):
            continue
        results = run(rows[name], key)
        if results is None:
            failed.append(f"{name}, seed {seed}")
        else:
            timing.add_record(path, {**key, **results})
    print(table(timing.read_records(path), rows, _DATASET.value))
    if failed:
        sys.exit(f"{len(failed)} runs failed: {'; '.join(failed)}")


def run(row, key):
    """The results.json of one run, or None if it failed; its log is in its folder."""
    folder = Path(_RUNS.value, "_".join(str(value) for value in key.values()))
    folder.mkdir(parents=True, exist_ok=True)
    arguments = [
        f"--dataset={key['dataset']}",
        f"--seed={key['seed']}",
        f"--output_dir={folder}",
        "--resume",
        *(f"--{flag}" for flag in row.flags),
        *([f"--data_dir={_DATA_DIR.value}"] if _DATA_DIR.value else []),
    ]
    command = [sys.executable, str(ROOT / "examples" / f"{row.example}.py"), *arguments]
    with (folder / "log.txt").open("a") as log:
        done = subprocess.run(
            command, stdout=log, stderr=subprocess.STDOUT, check=False
        )
    if done.returncode:
        print(f"{' '.join(command)} failed: see {folder / 'log.txt'}", file=sys.stderr)
        return None
    return json.loads((folder / "results.json").read_text())


def table(records, rows, dataset):
    """Markdown: mean ± sample standard deviation (number of runs) of each number."""
    groups = collections.defaultdict(list)
    for record in records:
        if record["dataset"] == dataset and record["row"] in rows:
            groups[record["row"], record["backend"]].append(record)
    lines = []
    for (name, backend), group in sorted(
        groups.items(), key=lambda item: list(rows).index(item[0][0])
    ):
        row = rows[name]
        numbers = [_spread([record[m] for record in group]) for m in row.metrics]
        seeds = sorted(record["seed"] for record in group)
        minutes = statistics.mean(record["train_seconds"] for record in group) / 60
        lines.append(
            [
                row.title,
                row.published if dataset == "mnist" else "–",
                " / ".join(numbers),
                ", ".join(sorted({f"`{record['recipe']}`" for record in group})),
                backend,
                ", ".join(map(str, seeds)),
                f"{minutes:.1f}",
            ]
        )
    header = [dataset, "published", "measured", "recipe", "backend", "seeds"]
    return timing.markdown([*header, "minutes a run"], lines)


def _spread(values):
    mean = f"{statistics.mean(values):.2f}"
    if len(values) > 1:
        mean += f" ± {statistics.stdev(values):.2f}"
    return f"{mean} ({len(values)})"


if __name__ == "__main__":
    app.run(main)
