"""Numbers of the models beside the semi-supervised one, over several seeds.

    python benchmarks/family.py --table=family --rows=clustering_16 --seeds=0,1,2
    python benchmarks/family.py --table=variational --seeds=
    python benchmarks/family.py --table=two_steps --dataset=omniglot --seeds=0

Each run is one of an example; its results.json, once finished, becomes a line of
benchmarks/results/family.jsonl or variational.jsonl. Runs that are there are skipped,
and one that was cut off goes on: call the same command again. With `--seeds=` nothing
runs, and the table is rendered from the records.
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
sys.path.insert(0, str(Path(__file__).parents[1] / "examples"))

import machine  # noqa: E402
import timing  # noqa: E402

ROOT = Path(__file__).resolve().parents[1]
RESULTS = Path(__file__).parent / "results"
RECORDS = {"two_steps": "variational"}  # those of a table, if not of its own name

_TABLE = flags.DEFINE_enum(
    "table", "family", ["family", "variational", "two_steps"], "Which table."
)
_ROWS = flags.DEFINE_list("rows", None, "Its rows; all if not given.")
_SEEDS = flags.DEFINE_list("seeds", ["0", "1", "2"], "Seeds; each draws its labels.")
_DATASET = flags.DEFINE_enum(
    "dataset",
    "mnist",
    [
        "mnist",
        "fashion_mnist",
        "digits",
        "omniglot",
        "caltech101_silhouettes",
        "cifar10",
    ],
    "Images to learn, of those that the row's example takes.",
)
_DATA_DIR = flags.DEFINE_string("data_dir", None, "As of the examples.")
_RUNS = flags.DEFINE_string("runs", "runs/family", "Folder of the runs' own folders.")


@dataclasses.dataclass(frozen=True)
class Number:
    """A number that a run gives, and what it stands beside: a line of the table.

    Attributes:
        metric: field of results.json.
        title: what it is.
        published: what others report for MNIST, as text.
        must, aim: what we want to reach at least, and would like to.
        decimals: that are shown.
    """

    metric: str
    title: str
    published: str = "–"
    must: str = "–"
    aim: str = "–"
    decimals: int = 2


@dataclasses.dataclass(frozen=True)
class Row:
    """A setting, which is a run for each seed.

    Attributes:
        example: name of a program in `examples/`.
        flags: its flags, without dashes.
        numbers: what its results.json is read for, the first the row's own.
        first_step: name of the row whose first step it takes, if that ran before.
    """

    example: str
    flags: tuple
    numbers: tuple
    first_step: str | None = None


def clustering(clusters, *numbers):
    """A row of that many heads."""
    return Row("clustering", (f"clusters={clusters}",), numbers)


def paper_error(clusters, *beside):
    """The error by the paper's protocol."""
    return Number(
        "paper_error",
        f"clustering error by the paper's protocol, {clusters} heads, %",
        *beside,
    )


def likelihood(title, *beside):
    """The log-likelihood of test images under samples."""
    return Number(
        "log_likelihood",
        f"Parzen log-likelihood, 10,000 samples, {title}, nats",
        "340 ± 2",
        *beside,
    )


def plane(flags_, title, *beside):
    """A row of dimensionality reduction."""
    number = Number("test_error", f"error {title}, %", *beside)
    return Row("dimensionality_reduction", flags_, (number,))


def to_prior(title, *flags_):
    """A row of an AAE without labels."""
    numbers = (
        Number(
            "latent_mmd",
            f"AAE, {title}: discrepancy of codes and prior, MMD²",
            decimals=4,
        ),
        Number(
            "test_half_squared_error", f"AAE, {title}: half the squared error, pixel²"
        ),
    )
    return Row("priors", flags_, numbers)


def shortened(example, recipe, epochs, of, numbers, *flags_):
    """A row of the paper's own settings, for as many epochs as a CPU can take."""
    how_long = f"; {epochs} of the paper's {of} epochs"
    return Row(
        example,
        (f"recipe={recipe}", f"epochs={epochs}", *flags_),
        tuple(dataclasses.replace(n, title=n.title + how_long) for n in numbers),
    )


STACKED_AUGMENTED = ("recipe=m1_augmented", "second_recipe=m1_m2_augmented")
STACKED_DEEP = ("recipe=m1_normalized", "second_recipe=m1_m2_deep")


def m1_m2(model, labels, title, *beside, flags_=()):
    """A row of Kingma's models."""
    number = Number("test_error", f"{title}, {labels} labels, error in %", *beside)
    return Row("m1_m2", (f"model={model}", f"labels={labels}", *flags_), (number,))


def mixture(labels, accepted, rejected):
    """A row of the mixture VAE."""
    title = f"mixture VAE, {labels} labels"
    return Row(
        "mixture_vae",
        (f"labels={labels}",),
        (
            Number(
                "accepted_error", f"{title}: error on what it accepts, %", *accepted
            ),
            Number("rejected", f"{title}: rejected, %", *rejected),
        ),
    )


WIDTHS, GAMMAS = ("2", "100"), ("0", "0.1")  # of the two-step model
BETAS = ("0", "0.003", "0.005", "0.0075", "0.01", "0.1")


def two_steps(z_dim, beta, gamma):
    """A row of the two-step VAE."""
    title = f"two-step VAE, {z_dim}-D, β = {beta}, γ = {gamma}"
    return Row(
        "adversarial_vae",
        (f"z_dim={z_dim}", f"beta={beta}", f"gamma={gamma}"),
        (
            Number("class_kept", f"{title}: class kept, %"),
            Number("relative_sharpness", f"{title}: sharpness"),
        ),
        first_step=f"two_steps_{z_dim}_0_0",
    )


def subclasses(labels_are):
    """A row of labels in two levels."""
    told = {"main": "main classes", "sub": "sub-classes", "both": "either"}[labels_are]
    title = f"1,000 labels that tell {told}, 10 epochs: error of the"
    numbers = [Number("main_error", f"{title} main class, %")]
    if labels_are != "main":
        numbers.append(Number("sub_error", f"{title} class, %"))
    return Row(
        "subclasses",
        ("labels=1000", f"labels_are={labels_are}", "epochs=10"),
        tuple(numbers),
    )


# The only two-step runs on CIFAR-10, and of beta = 0.0075, if no rows are named.
ON_CIFAR10 = ("two_steps_100_0_0", "two_steps_100_0.0075_0")

TABLES = {
    "family": {
        "prior_mixture": to_prior("mixture in the plane"),
        "prior_swiss_roll": to_prior("Swiss roll", "prior=swiss_roll"),
        **{
            f"posterior_{name}": to_prior(
                f"mixture, {name} posterior", f"posterior={name}"
            )
            for name in ("gaussian", "universal")
        },
        **{
            f"loss_{name}": to_prior(
                f"mixture, {name.replace('_', ' ')} loss", f"discriminator_loss={name}"
            )
            for name in ("least_squares", "hinge", "wasserstein")
        },
        "clustering_10": clustering(
            10,
            Number(
                "one_to_one_accuracy",
                "one-to-one accuracy, 10 heads, no labels, %",
                "94.46 (VaDE)",
                "≥ 94.5",
                "≥ 98.0",
            ),
            Number(
                "normalized_mutual_information", "their normalized mutual information"
            ),
            Number("adjusted_rand_index", "their adjusted Rand index"),
        ),
        **{
            f"clustering_{clusters}": clustering(
                clusters,
                paper_error(clusters, *beside),
                Number(
                    "majority_error",
                    f"the same {clusters} heads by majority, %",
                ),
            )
            for clusters, *beside in (
                (16, "9.55 ± 2.05", "≤ 9.55", "≤ 4.0"),
                (30, "4.10 ± 1.13", "≤ 4.10", "≤ 2.5"),
            )
        },
        "plane_100": plane(
            ("labels=100",), "in 2-D, 100 labels", "6.08", "≤ 6.08", "≤ 2.5"
        ),
        "plane_1000": plane(
            ("labels=1000",), "in 2-D, 1,000 labels", "4.20", "≤ 4.20", "≤ 1.8"
        ),
        "plane_0": plane(
            ("labels=0", "clusters=20"),
            "in 2-D by the paper's protocol, no labels, 20 heads",
            "13.18",
            "≤ 13.18",
            "≤ 5.0",
        ),
        "ten_dimensions_100": plane(
            ("labels=100", "dimensions=10"),
            "in 10-D, 100 labels",
            "3.90",
            "≤ 3.90",
            "≤ 1.9",
        ),
        "likelihood": Row(
            "likelihood",
            ("validation=1000",),
            (likelihood("in clusters, IMLE", "≥ 378", "≥ 420"),),
        ),
        "likelihood_without_imle": Row(
            "likelihood",
            ("validation=1000", "imle_passes=0"),
            (likelihood("in clusters, as the game leaves them"),),
        ),
        "likelihood_alone": Row(
            "likelihood",
            ("recipe=likelihood", "imle_passes=0"),
            (likelihood("no clusters, as the game leaves them"),),
        ),
        "label_informed": Row(
            "label_informed",
            (),
            (
                Number(
                    "own_mode_share",
                    "test codes in their own mode, 10,000 labels, %",
                    "–",
                    "≥ 97",
                    "≥ 99",
                ),
            ),
        ),
        "label_informed_swiss_roll": Row(
            "label_informed",
            ("prior=swiss_roll",),
            (
                Number(
                    "own_mode_share",
                    "test codes in their own stretch of a Swiss roll, 10,000 labels, %",
                ),
            ),
        ),
        "supervised": Row(
            "supervised_style",
            (),
            (
                Number("class_fidelity", "class fidelity, %", "–", "≥ 99", "≥ 99.8"),
                Number("style_leakage", "style leakage, %", "–", "≤ 25", "≤ 15"),
            ),
        ),
        **{
            f"paper_clustering_{clusters}": shortened(
                "clustering",
                "paper_clustering",
                2,
                "1,500",
                (paper_error(clusters, published),),
                f"clusters={clusters}",
            )
            for clusters, published in ((16, "9.55 ± 2.05"), (30, "4.10 ± 1.13"))
        },
        **{
            f"paper_{row}": shortened(
                "dimensionality_reduction",
                f"paper_dimensionality_reduction{kind}",
                2,
                "5,000",
                (Number("test_error", f"error in {title}, %", published),),
                *flags_,
            )
            for row, title, published, kind, *flags_ in (
                ("plane_100", "2-D, 100 labels", "6.08", "", "labels=100"),
                ("plane_1000", "2-D, 1,000 labels", "4.20", "", "labels=1000"),
                (
                    *("plane_0", "2-D by the paper's protocol, no labels, 20 heads"),
                    *("13.18", "_unlabelled", "labels=0"),
                ),
                (
                    *("ten_dimensions_100", "10-D, 100 labels", "3.90", ""),
                    *("labels=100", "dimensions=10"),
                ),
            )
        },
        "paper_likelihood": shortened(
            "likelihood",
            "paper_likelihood",
            2,
            "5,000",
            (likelihood("the paper's model"),),
            "imle_passes=0",
        ),
        "paper_label_informed": shortened(
            "label_informed",
            "paper_label_informed",
            2,
            "5,000",
            (
                Number(
                    "own_mode_share", "test codes in their own mode, 10,000 labels, %"
                ),
            ),
        ),
        "paper_supervised": shortened(
            "supervised_style",
            "paper_supervised",
            2,
            "5,000",
            (
                Number("class_fidelity", "class fidelity, %"),
                Number("style_leakage", "style leakage, %"),
            ),
        ),
    },
    "variational": {
        "m1": Row(
            "m1_m2",
            ("model=m1", "labels=100"),
            tuple(
                Number(
                    f"{name}_error", f"M1 with {title}, 100 labels, error in %", *more
                )
                for name, title, *more in (
                    ("nearest_neighbour", "nearest neighbours"),
                    ("linear_svm", "a linear SVM", "11.82 (TSVM)", "≤ 11.8", "≤ 6"),
                    ("label_spreading", "label spreading", "–", "≤ 11.8", "≤ 6"),
                    (
                        *("chosen", "that of these which validation images choose"),
                        *("–", "≤ 11.8", "≤ 6"),
                    ),
                )
            ),
        ),
        "m2_100": m1_m2("m2", "100", "M2", "11.97 ± 1.71 (7.15)", "≤ 11.97", "≤ 7.15"),
        "m2_1000": m1_m2("m2", "1000", "M2", "3.60 (3.28)", "≤ 3.60", "≤ 3.0"),
        "m2_long_1000": m1_m2(
            *("m2", "1000", "M2", "3.60 (3.28)", "≤ 3.60", "≤ 3.0"),
            flags_=("recipe=m2_long",),
        ),
        **{
            f"m2_augmented_{labels}": m1_m2(
                "m2", labels, "M2", "–", must, aim, flags_=("recipe=m2_augmented",)
            )
            for labels, must, aim in (
                ("100", "≤ 11.97", "≤ 7.15"),
                ("1000", "≤ 3.60", "≤ 3.0"),
            )
        },
        "m1_m2_100": m1_m2(
            "m1_m2", "100", "M1+M2", "3.33 ± 0.14 (2.80)", "≤ 5.0", "≤ 2.80"
        ),
        "m1_m2_1000": m1_m2("m1_m2", "1000", "M1+M2", "2.40 (2.45)", "≤ 3.0", "≤ 2.0"),
        "m1_m2_deep_1000": m1_m2(
            *("m1_m2", "1000", "M1+M2", "2.40 (2.45)", "≤ 3.0", "≤ 2.0"),
            flags_=STACKED_DEEP,
        ),
        "m1_m2_augmented_100": m1_m2(
            "m1_m2", "100", "M1+M2", "–", "≤ 5.0", "≤ 2.80", flags_=STACKED_AUGMENTED
        ),
        "m1_m2_augmented_1000": m1_m2(
            "m1_m2", "1000", "M1+M2", "–", "≤ 3.0", "≤ 2.0", flags_=STACKED_AUGMENTED
        ),
        "m2_sampled": m1_m2(
            "m2", "100", "M2 with drawn classes", flags_=("unlabelled=sampled",)
        ),
        "m2_bound_alone": m1_m2(
            "m2",
            "100",
            "M2 without the cross-entropy",
            flags_=("classification_weight=0",),
        ),
        "mixture_all": mixture(
            "all", ("0.22", "≤ 0.5", "≤ 0.22"), ("1.81", "≤ 3", "≤ 1.8")
        ),
        "mixture_100": mixture("100", ("–", "≤ 3", "≤ 1"), ("–", "≤ 10", "≤ 5")),
        "attacks": Row(
            "attacks",
            (
                *("images=500", "epsilons=0.05,0.1,0.15,0.2,0.25,0.3"),
                "iterated_epsilons=0.05,0.1,0.3",
            ),
            (
                Number(
                    "fgsm_undetected",
                    "FGSM on the mixture VAE, worst ε: accepted and wrong, %",
                    "< 4",
                    "< 8",
                    "< 4",
                ),
                Number(
                    "iterated_undetected",
                    "worst of BIM, MIM, PGD, ε = 0.3: accepted and wrong, %",
                    "0",
                    "< 5",
                    "< 1",
                ),
                Number(
                    "aware_undetected",
                    "PGD that knows the thresholds, ε = 0.3: accepted and wrong, %",
                ),
                Number(
                    "reclassified_right",
                    "FGSM, ε = 0.3: reclassified right under the prior, accepted, %",
                    "87",
                    "≥ 60",
                    "≥ 87",
                ),
                Number(
                    "unguided_reclassified_right",
                    "the same without the prior, as published, %",
                    "87",
                ),
                Number("clean_undetected", "clean images: accepted and wrong, %"),
                Number("clean_rejected", "clean images: rejected, %"),
                Number(
                    "transfer_excess",
                    "what a transferred PGD makes more of than PGD (above 0: gradients "
                    "are masked), points",
                ),
                Number(
                    "losses_that_do_not_grow",
                    "attacks whose loss does not grow with ε (above 0: the same)",
                ),
                Number(
                    "fooling_accepted",
                    "images of noise driven to a class: accepted, %",
                ),
            ),
            first_step="mixture_all",
        ),
        "attacks_euclidean": Row(
            "attacks",
            ("reconstruction_error=euclidean", "images=200", "epsilons=0.1,0.3"),
            (
                Number(
                    "iterated_undetected",
                    "the second threshold of the Euclidean error, as published: worst "
                    "of BIM, MIM, PGD, ε = 0.3: accepted and wrong, %",
                    "0",
                ),
                Number(
                    "fgsm_undetected",
                    "the same: FGSM, worst ε: accepted and wrong, %",
                    "< 4",
                ),
                Number("clean_rejected", "the same: clean images: rejected, %"),
            ),
            first_step="mixture_all",
        ),
        **{
            f"subclasses_{labels_are}": subclasses(labels_are)
            for labels_are in ("main", "sub", "both")
        },
    },
    "two_steps": {
        f"two_steps_{z_dim}_{beta}_{gamma}": two_steps(z_dim, beta, gamma)
        for z_dim, gamma, beta in itertools.product(WIDTHS, GAMMAS, BETAS)
    },
}


def main(argv):
    """Makes the runs that are missing, then prints the table."""
    del argv
    rows = TABLES[_TABLE.value]
    names = _ROWS.value or rows_on(_TABLE.value, _DATASET.value)
    unknown = sorted(set(names) - set(rows))
    if unknown:
        sys.exit(f"--rows: there is no {', '.join(unknown)}, but {', '.join(rows)}.")
    path = records_of(_TABLE.value)
    failed, there = [], 0
    for seed, name in itertools.product(map(int, _SEEDS.value), names):
        key = {
            "row": name,
            "dataset": _DATASET.value,
            "seed": seed,
            "backend": os.environ.get("KERAS_BACKEND", "tensorflow"),
        }
        if any(key.items() <= record.items() for record in timing.read_records(path)):
            there += 1
            continue
        code = machine.commit()
        results = run(rows[name], key)
        if results is None:
            failed.append(f"{name}, seed {seed}")
            continue
        own = rows[name].numbers[0].metric
        own = {"metric": own, "value": results[own], "commit": code}
        timing.add_record(path, {**key, **results, **own})
    if there:
        print(f"{there} runs are in {path.name}: take a line out to run it again.")
    records = timing.read_records(path)
    if _TABLE.value == "two_steps":
        print(table_over_beta(records))
    else:
        print(table(records, rows, _DATASET.value))
    if failed:
        sys.exit(f"{len(failed)} runs failed: {'; '.join(failed)}")


def rows_on(table_name, dataset):
    """The rows that are run of a data set if none are named."""
    names = list(TABLES[table_name])
    if table_name != "two_steps":
        return names
    if dataset == "cifar10":
        return list(ON_CIFAR10)
    return [name for name in names if "_0.0075_" not in name]


def run(row, key):
    """The results.json of one run, or None if it failed; its log is in its folder."""
    folder = folder_of(key)
    folder.mkdir(parents=True, exist_ok=True)
    first_step = row.first_step and folder_of({**key, "row": row.first_step})
    arguments = [
        f"--dataset={key['dataset']}",
        f"--seed={key['seed']}",
        f"--output_dir={folder}",
        "--resume",
        *(f"--{flag}" for flag in row.flags),
        *([f"--data_dir={_DATA_DIR.value}"] if _DATA_DIR.value else []),
    ]
    if first_step and first_step != folder and (first_step / "results.json").exists():
        arguments.append(f"--first_step={first_step}")
    command = [sys.executable, str(ROOT / "examples" / f"{row.example}.py"), *arguments]
    with (folder / "log.txt").open("a") as log:
        done = subprocess.run(
            command, stdout=log, stderr=subprocess.STDOUT, check=False
        )
    if done.returncode:
        print(f"{' '.join(command)} failed: see {folder / 'log.txt'}", file=sys.stderr)
        return None
    return json.loads((folder / "results.json").read_text())


def records_of(table_name):
    """The file of a table's records."""
    return RESULTS / f"{RECORDS.get(table_name, table_name)}.jsonl"


def folder_of(key):
    """The folder of the run of that row, data set, seed and backend."""
    return Path(_RUNS.value, "_".join(str(value) for value in key.values()))


def table(records, rows, dataset):
    """Markdown: mean ± sample standard deviation (number of runs) of each number."""
    groups = collections.defaultdict(list)
    for record in records:
        if record["dataset"] == dataset and record["row"] in rows:
            groups[record["row"], record["backend"]].append(record)
    names, lines = list(rows), []
    for (name, backend), group in sorted(
        groups.items(), key=lambda item: names.index(item[0][0])
    ):
        for number in rows[name].numbers:
            beside = (number.published, number.must, number.aim)
            lines.append(
                [
                    f"`{name}`",
                    number.title,
                    *(beside if dataset == "mnist" else 3 * ("–",)),
                    _spread(
                        [record.get(number.metric) for record in group],
                        number.decimals,
                    ),
                    ", ".join(sorted({f"`{record['recipe']}`" for record in group})),
                    ", ".join(invariances(group[0])) or "–",
                    backend,
                    ", ".join(map(str, sorted(record["seed"] for record in group))),
                    f"{statistics.mean(r['train_seconds'] for r in group) / 60:.1f}",
                ]
            )
    header = ["row", dataset, "published", "must", "aim", "measured", "recipe"]
    header += ["invariances", "backend", "seeds", "minutes a run"]
    return timing.markdown(header, lines)


def table_over_beta(records, widths=WIDTHS):
    """Markdown: class kept in percent, and sharpness, of the two-step model's rows.

    A line for each data set, width of the code (of `widths`) and gamma; a column for
    each beta; means over the runs, with the sample standard deviation of the first
    number and the number of runs where there are several. 1 is the sharpness of the
    images.
    """
    groups = collections.defaultdict(list)
    for record in records:
        if record["row"] in TABLES["two_steps"]:
            groups[record["dataset"], record["row"]].append(record)

    def cell(group):
        kept, sharpness = (
            [record[metric] for record in group if record[metric] is not None]
            for metric in ("class_kept", "relative_sharpness")
        )
        if not (kept and sharpness):
            return "–"
        spread = ""
        if len(kept) > 1:
            spread = f" ± {statistics.stdev(kept):.1f} ({len(kept)})"
        kept, sharpness = map(statistics.mean, (kept, sharpness))
        return f"{kept:.1f}{spread}, {sharpness:.2f}"

    lines = []
    for dataset in dict.fromkeys(dataset for dataset, _ in list(groups)):
        for z_dim, gamma in itertools.product(widths, GAMMAS):
            cells = [
                cell(groups[dataset, f"two_steps_{z_dim}_{beta}_{gamma}"])
                for beta in BETAS
            ]
            if set(cells) != {"–"}:
                lines.append([dataset, z_dim, gamma, *cells])
    return timing.markdown(
        ["images", "width", "γ", *(f"β = {b}" for b in BETAS)], lines
    )


def table_of_attacks(records):
    """Markdown: accepted and wrong, and rejected, in percent, of the row `attacks`.

    A line for each attack, a column for each epsilon; means over the runs on MNIST.
    """
    found = collections.defaultdict(list)
    for record in records:
        if record["row"] == "attacks" and record["dataset"] == "mnist":
            for one in record["attacks"]:
                found[one["attack"], one["epsilon"]].append(one)
    epsilons = sorted({epsilon for _, epsilon in found})

    def cell(runs):
        wrong, rejected = (
            statistics.mean(run[name] for run in runs)
            for name in ("undetected", "rejected")
        )
        return f"{wrong:.1f}, {rejected:.1f}"

    lines = [
        [name, *(cell(found[name, e]) if (name, e) in found else "–" for e in epsilons)]
        for name in dict.fromkeys(name for name, _ in found)
    ]
    return timing.markdown(["attack", *(f"ε = {e:g}" for e in epsilons)], lines)


INVARIANCES = {
    "augmentation": "augmentation",
    "vat_weight": "VAT",
    "style_consistency_weight": "style consistency",
}


def invariances(record):
    """What a run was told of changes that leave the class alone, in either step."""
    steps = [record, record.get("first_step", {})]
    return [
        name
        for setting, name in INVARIANCES.items()
        if any(step.get("settings", {}).get(setting) for step in steps)
    ]


def _spread(values, decimals=2):
    values = [value for value in values if value is not None]
    if not values:
        return "–"
    mean = f"{statistics.mean(values):.{decimals}f}"
    if len(values) > 1:
        mean += f" ± {statistics.stdev(values):.{decimals}f}"
    return f"{mean} ({len(values)})"


if __name__ == "__main__":
    app.run(main)
