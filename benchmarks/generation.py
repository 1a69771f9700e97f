"""Scores of class and style of trained models, judged by a classifier of its own.

    python benchmarks/generation.py runs/table2/*/model.keras   scores, then prints
    python benchmarks/generation.py --figures=docs <model.keras>   draws as well,
                                                the first model of each recipe
    python benchmarks/generation.py                             prints what is there

Beside each model.keras lies the results.json of its run. The judge is that of the
examples, trained on all labels of the data set, once, and kept in --judge; it must err
on at most 0.8 % of the test images. The records are kept in
benchmarks/results/generation.jsonl, one model a line; a run that is there is replaced.
--figures takes a folder: every class in ten styles, in walks over a square of 2.0 x 2.0
in the plane of the first two style dimensions, and reconstructions of test images.
"""

import collections
import json
import os
import statistics
import sys
from pathlib import Path

from absl import app, flags

sys.path.insert(0, str(Path(__file__).parents[1] / "examples"))

import common  # noqa: E402

RECORDS = Path(__file__).parent / "results" / "generation.jsonl"
NUM_VARIETY = 3_000  # images, drawn and real, whose distances are compared
NUM_MMD = 2_000  # codes and draws from the prior
NUM_WALKED = 7  # images along a walk
IDENTITY = ("dataset", "labels", "recipe", "backend", "dtype_policy", "updates", "seed")
# Of `default` or, where accuracy and drawing ask for different settings, `generative`.
WANTED = "| *must (aim), 100 labels* | | | | ≥ 97 (99.5) | ≤ 25 | 0.6 to 1.2 | – | – |"
SCORES = ("class_fidelity", "style_leakage", "style_variety", "latent_mmd")

_DATASET = flags.DEFINE_string("dataset", "mnist", "Images that the models know.")
_DATA_DIR = flags.DEFINE_string("data_dir", None, "As of mnist_semisup.py.")
_JUDGE = flags.DEFINE_string(
    "judge", None, "The classifier's file; runs/judge_<dataset>.keras if not given."
)
_UPDATES = flags.DEFINE_integer("judge_updates", 6_000, "Updates of its training.")
_FIGURES = flags.DEFINE_string("figures", None, "Folder to draw figures to.")
_MAX_ERROR = flags.DEFINE_float("max_error", 0.8, "Test error that it may have, in %.")


def main(argv):
    """Scores the models of the command line and prints the table of all records."""
    paths = [Path(path) for path in argv[1:]]
    for path in paths:
        if not (path.exists() and (path.parent / "results.json").exists()):
            sys.exit(f"{path}: there is no finished run with a model.keras there.")
    runs = [json.loads((path.parent / "results.json").read_text()) for path in paths]
    for path, run in zip(paths, runs):
        if run["dataset"] != _DATASET.value:
            sys.exit(f"{path} was trained on {run['dataset']}: pass --dataset.")
    if paths:
        import keras

        from keras_saae import data

        images = data.load(_DATASET.value, _DATA_DIR.value)
        judge, judge_error = find_or_train_judge(images)
        drawn = set()
        for path, run in zip(paths, runs):
            model = keras.saving.load_model(path)
            if not hasattr(model, "sample"):
                print(f"{path}: {run['recipe']} draws no images, skipped.")
                continue
            record = {name: run[name] for name in (*IDENTITY, "test_error")}
            record.update(scores(model, images, judge, run["seed"]))
            record["judge_error"] = judge_error
            keep(record)
            if _FIGURES.value and run["recipe"] not in drawn:
                drawn.add(run["recipe"])
                draw(model, images, Path(_FIGURES.value), f"{run['recipe']}_")
            print(path, {name: round(record[name], 4) for name in SCORES}, flush=True)
    print(table(read()))


def read():
    """The records kept so far."""
    if not RECORDS.exists():
        return []
    return [json.loads(line) for line in RECORDS.read_text().splitlines()]


def keep(record):
    """Adds a record, in the place of an earlier one of the same run."""
    records = {key(each): each for each in [*read(), record]}
    RECORDS.parent.mkdir(exist_ok=True)
    partial = RECORDS.with_suffix(".partial")
    partial.write_text(
        "".join(json.dumps(records[each]) + "\n" for each in sorted(records))
    )
    os.replace(partial, RECORDS)


def key(record):
    """What makes a run the same run."""
    return tuple(str(record[name]) for name in IDENTITY)


def scores(model, images, judge, seed):
    """The four scores of a model, and the shares of the classes in its codes."""
    import numpy as np
    from keras import ops

    from keras_saae import evaluation

    y_drawn = np.arange(common.JUDGED_IMAGES) % images.num_classes
    drawn = model.sample(common.JUDGED_IMAGES, label=y_drawn, seed=seed)
    _, z_train = model.encode(images.x_train[: common.PROBED_CODES])
    y_codes, z_test = model.encode(images.x_test)
    prior = ops.convert_to_numpy(model.prior_z.sample(NUM_MMD, seed=seed))
    return {
        "class_fidelity": evaluation.class_fidelity(
            y_drawn, judge.predict(drawn, verbose=0)
        ),
        "style_leakage": evaluation.style_leakage(
            z_train, images.y_train[: common.PROBED_CODES], z_test, images.y_test
        ),
        "style_variety": evaluation.style_variety(
            drawn[:NUM_VARIETY],
            y_drawn[:NUM_VARIETY],
            images.x_test[:NUM_VARIETY],
            images.y_test[:NUM_VARIETY],
        ),
        "latent_mmd": evaluation.latent_mmd(z_test[:NUM_MMD], prior),
        "class_shares": evaluation.class_shares(y_codes).round(4).tolist(),
    }


def draw(model, images, folder, prefix):
    """The figures that go with the scores."""
    import numpy as np

    from keras_saae import plotting

    walk = np.linspace(-1.0, 1.0, NUM_WALKED)
    styles = np.zeros((2 * NUM_WALKED, model.z_dim))
    styles[:NUM_WALKED, 0], styles[NUM_WALKED:, 1 % model.z_dim] = walk, walk
    x = images.x_test[:12]
    figures = {
        "grid": plotting.class_style_grid(model.class_style_grid(10)),
        "walks": plotting.image_grid(
            model.class_style_grid(styles),
            "Two walks through styles, 2.0 long",
            "class y",
            "z[0] from −1 to 1, z[1] at 0; then z[1] from −1 to 1, z[0] at 0",
        ),
        "reconstructions": plotting.reconstructions(x, model.reconstruct(x)),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, figure in figures.items():
        plotting.save(figure, folder / f"{prefix}{name}.png")


def find_or_train_judge(images):
    """The classifier and its test error in %, trained now or found in its file."""
    import keras

    from keras_saae import evaluation

    path = Path(_JUDGE.value or f"runs/judge_{_DATASET.value}.keras")
    found = path.exists()
    if found:
        judge = keras.saving.load_model(path)
    else:
        judge = common.trained_judge(
            images.x_train, images.y_train, images.num_classes, updates=_UPDATES.value
        )
    error = evaluation.error_rate(
        images.y_test, judge.predict(images.x_test, verbose=0)
    )
    print(f"The judge errs on {error:.2f} % of the test images.", flush=True)
    if error > _MAX_ERROR.value:
        remedy = f"Remove {path}" if found else "Raise --judge_updates"
        sys.exit(f"That is over {_MAX_ERROR.value} %. {remedy}.")
    if not found:
        path.parent.mkdir(parents=True, exist_ok=True)
        judge.save(path)
    return judge, error


def table(records):
    """Markdown: mean over the seeds of each score, by recipe and number of labels."""
    groups = collections.defaultdict(list)
    for record in records:
        groups[key(record)[:-1]].append(record)
    lines = [
        "| data, labels | recipe | backend | seeds | class fidelity, % "
        "| style leakage, % | style variety | latent fit (MMD²) "
        "| classes in y, smallest to largest, % |",
        "|---|---|---|---|---|---|---|---|---|",
        WANTED,
    ]
    for (dataset, labels, recipe, backend, policy, _), group in groups.items():
        by = backend if policy == "float32" else f"{backend}, {policy}"
        texts = []
        for name, digits in zip(SCORES, (2, 1, 2, 4)):
            values = [record[name] for record in group]
            text = f"{statistics.mean(values):.{digits}f}"
            if len(values) > 1:
                text += f" ± {statistics.stdev(values):.{digits}f}"
            texts.append(text)
        shares = [100 * share for record in group for share in record["class_shares"]]
        texts.append(f"{min(shares):.1f} to {max(shares):.1f}")
        seeds = ", ".join(str(record["seed"]) for record in group)
        cells = [f"{dataset}, {labels}", recipe, by, seeds, *texts]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    app.run(main)
