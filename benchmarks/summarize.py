"""Collects results.json files as records and prints them as a Markdown table.

    python benchmarks/summarize.py runs/*/results.json      adds runs, then prints
    python benchmarks/summarize.py                          prints what is there

The records are kept in benchmarks/results/table2.jsonl, one run a line; a run that is
there already (same data, labels, recipe, backend, policy, length and seed) is replaced.
"""

import itertools
import json
import statistics
import sys
from pathlib import Path

RECORDS = Path(__file__).parent / "results" / "table2.jsonl"
ROW = (
    "dataset",
    "labels",
    "recipe",
    "backend",
    "dtype_policy",
    "validation",
    "updates",
)


def main(paths):
    """Adds the runs at `paths` to the records and prints the table of all."""
    records = {}
    lines = RECORDS.read_text().splitlines() if RECORDS.exists() else []
    for text in [*lines, *(Path(path).read_text() for path in paths)]:
        record = json.loads(text)
        records[(*row(record), record["seed"])] = record
    ordered = [records[key] for key in sorted(records, key=str)]
    RECORDS.parent.mkdir(exist_ok=True)
    RECORDS.write_text("".join(json.dumps(record) + "\n" for record in ordered))
    print(table(ordered))


def row(record):
    """What makes two runs repetitions of each other, apart from the seed."""
    return tuple(record[key] for key in ROW)


def table(records):
    """Mean, standard deviation and median of the test error over the seeds."""
    lines = [
        "| data, labels | recipe | backend | seeds | test error, % | median, worst "
        "| labels only, % | minutes a run |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for key, group in itertools.groupby(records, key=row):
        group = list(group)
        dataset, labels, recipe, backend, *_ = key
        errors = [record["test_error"] for record in group]
        minutes = statistics.mean(record["train_seconds"] for record in group) / 60
        baseline = [record["labels_only_test_error"] for record in group]
        lines.append(
            f"| {dataset}, {labels} | {recipe} | {backend} "
            f"| {', '.join(str(record['seed']) for record in group)} "
            f"| {spread(errors)} | {statistics.median(errors):.2f}, {max(errors):.2f} "
            f"| {spread(baseline)} | {minutes:.1f} |"
        )
    return "\n".join(lines)


def spread(values):
    """Mean ± sample standard deviation; of one run, the value."""
    mean = f"{statistics.mean(values):.2f}"
    return f"{mean} ± {statistics.stdev(values):.2f}" if len(values) > 1 else mean


if __name__ == "__main__":
    main(sys.argv[1:])
