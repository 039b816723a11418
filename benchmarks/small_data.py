"""Small datasets: a training from the shipped checkpoint and one from scratch beside TF-IDF with logistic regression.

    python benchmarks/small_data.py DATA [--sets trec banking77] [--rows 1000 2000] [--seeds 0] [--table]

DATA is a folder with a folder for each dataset (train.parquet, test.parquet or validation.parquet). Each run draws rows
from the training split, of which a tenth is dev, trains with the default options of `train.py`, and measures on the
test split. TF-IDF is trained on the same nine tenths. The checkpoint has read SST-2 and IMDB, so these are trained from
scratch only. Finished runs are kept in the result file, and the same command continues; runs from an earlier shipped
checkpoint do not count. `--table` prints the table alone, and `python benchmarks/readme.py` writes it into README.md.
"""

import argparse
import hashlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is loaded

import numpy as np

REPOSITORY = Path(__file__).parent.parent
sys.path.insert(0, str(REPOSITORY))

import pyarrow as pa  # noqa: E402
import pyarrow.parquet as pq  # noqa: E402
from scipy.stats import t as student  # noqa: E402

from sentiment_gru.checkpoint import PRETRAINED, WEIGHTS  # noqa: E402

if TYPE_CHECKING:  # the table needs neither torch nor datasets
    from sentiment_gru.data.splits import TextSplit

RESULT = REPOSITORY / "benchmarks" / "results" / "small_data.json"
LABEL_COLUMNS = {"trec": "coarse_label"}
SHIPPED = "pretrained"  # as `--init-from` names it
STARTS = (SHIPPED, "scratch")
READ_BY_CHECKPOINT = ("sst2", "imdb")
SETS = ("trec", "banking77", "ag_news", *READ_BY_CHECKPOINT)
ROWS, SEEDS = (200, 1_000, 2_000), (0, 1, 2)
MAX_TEST = 2_000


def read_split(data: Path, name: str, split: str) -> "TextSplit":
    """Return the texts of a Parquet file and their labels, as strings."""
    from sentiment_gru.data.splits import TextSplit

    table = pq.read_table(data / name / f"{split}.parquet")
    text = "text" if "text" in table.column_names else "sentence"
    labels = table[LABEL_COLUMNS.get(name, "label")].to_pylist()
    return TextSplit(table[text].to_pylist(), [f"label {label}" for label in labels])


def write_split(split: "TextSplit", path: Path) -> None:
    """Write texts and labels as Parquet."""
    pq.write_table(pa.table({"text": split.texts, "label": split.labels}), path)


def wanted_runs() -> list[tuple[str, int, int, str]]:
    """Return the dataset, rows, seed and start of every run of the table."""
    return [
        (name, rows, seed, start)
        for seed in SEEDS
        for rows in ROWS
        for name in SETS
        for start in STARTS
        if not (start == SHIPPED and name in READ_BY_CHECKPOINT)
    ]


def shipped_checkpoint() -> str:
    """Return a hash of the shipped checkpoint's weights."""
    return hashlib.sha256((PRETRAINED / WEIGHTS).read_bytes()).hexdigest()[:12]


def read_runs(path: Path) -> list[dict[str, Any]]:
    """Return the runs of a result file, by dataset, rows and seed; none if there is no file.

    Those from an earlier shipped checkpoint are left out.
    """
    runs = json.loads(path.read_text(encoding="utf-8"))["runs"] if path.is_file() else []
    current = shipped_checkpoint()
    runs = [run for run in runs if run["start"] != SHIPPED or run["checkpoint"] == current]
    return sorted(runs, key=lambda run: (SETS.index(run["set"]), run["rows"], run["seed"], STARTS.index(run["start"])))


def write_runs(path: Path, runs: Sequence[dict[str, Any]]) -> None:
    """Write a result file, which is complete at any time."""
    part = path.with_suffix(".part")
    part.write_text(json.dumps({"runs": runs}, indent=1) + "\n", encoding="utf-8")
    part.replace(path)


def key_of(run: dict[str, Any]) -> tuple[str, int, int, str]:
    """Return the dataset, rows, seed and start of a run."""
    return run["set"], run["rows"], run["seed"], run["start"]


def measure(data: Path, name: str, rows: int, seed: int, start: str) -> dict[str, Any]:
    """Train once on a draw of rows, and return the accuracy of the model and of the baseline on the test split.

    Args:
        data: Folder of the datasets.
        name: Name of the dataset.
        rows: Number of rows, of which a tenth is dev.
        seed: Seed of the draw and of the training.
        start: "pretrained" or "scratch".
    """
    from sentiment_gru.data.splits import subsample
    from sentiment_gru.training.options import TrainingOptions
    from sentiment_gru.training.run import train

    test = "validation" if name == "sst2" else "test"  # the labels of its test split are withheld
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "drawn"
        source.mkdir()
        write_split(subsample(read_split(data, name, "train"), rows, seed), source / "train.parquet")
        write_split(subsample(read_split(data, name, test), MAX_TEST, seed=0), source / "test.parquet")
        started = time.process_time()  # unlike the time of a clock, the same beside other work
        metrics = train(
            TrainingOptions(
                str(Path(folder) / "out"),
                [str(source)],
                seed=seed,
                init_from=SHIPPED if start == SHIPPED else None,
                from_scratch=start != SHIPPED,
                evaluate_test=True,
                report=False,
            )
        )
        seconds = time.process_time() - started
    assert metrics is not None  # this is the only process
    return {
        "set": name,
        "rows": rows,
        "seed": seed,
        "start": start,
        "checkpoint": shipped_checkpoint() if start == SHIPPED else None,
        "accuracy": metrics["datasets"]["drawn"]["reported"]["accuracy"],
        "baseline": metrics["baseline"]["drawn"]["reported"]["accuracy"],
        "cpu_seconds": round(seconds, 1),
    }


def describe(values: Sequence[float]) -> str:
    """Return the mean in percent, with half the width of its 95% interval (Student's t) if there are several values."""
    mean = f"{100 * float(np.mean(values)):.1f}"
    if len(values) < 2:
        return mean
    half = student.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / np.sqrt(len(values))
    return f"{mean} ± {100 * half:.1f}"


def make_table(runs: Sequence[dict[str, Any]]) -> str:
    """Return a Markdown table of the mean accuracies by dataset and number of rows."""
    lines = [
        "| set | rows | from the shipped checkpoint | from scratch | TF-IDF | CPU seconds | seeds |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, rows in dict.fromkeys((run["set"], run["rows"]) for run in runs):
        found = [run for run in runs if (run["set"], run["rows"]) == (name, rows)]
        cells = [
            describe([run["accuracy"] for run in found if run["start"] == start])
            if any(run["start"] == start for run in found)
            else "–"
            for start in STARTS
        ]
        baseline = {run["seed"]: run["baseline"] for run in found}
        seconds = f"{np.mean([run['cpu_seconds'] for run in found]):.0f}"
        lines.append(
            f"| {name} | {rows:,} | {' | '.join(cells)} | {describe(list(baseline.values()))} | {seconds}"
            f" | {len(baseline)} |"
        )
    return "\n".join(lines)


def describe_missing(runs: Sequence[dict[str, Any]]) -> str:
    """Return a sentence on the runs of the table that were not made; empty if there are none."""
    done = {key_of(run) for run in runs}
    missing = [run for run in wanted_runs() if run not in done]
    if not missing:
        return ""
    wholly = [name for name in SETS if not any(run["set"] == name for run in runs)]
    cells: dict[str, list[str]] = {}
    for name, rows in dict.fromkeys((name, rows) for name, rows, _, _ in missing if name not in wholly):
        cells.setdefault(name, []).append(f"{rows:,}")
    parts = [
        f"{name} ({', '.join(sorted(rows, key=lambda text: (len(text), text)))} rows)" for name, rows in cells.items()
    ]
    return f"Not measured yet, wholly or with some seeds: {', '.join([*parts, *wholly])}."


def main() -> int:
    """Run what is missing in the result file, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="folder of the datasets")
    parser.add_argument("--sets", nargs="+", choices=SETS, default=SETS)
    parser.add_argument("--rows", nargs="+", type=int, default=ROWS)
    parser.add_argument("--seeds", nargs="+", type=int, default=SEEDS)
    parser.add_argument("--starts", nargs="+", choices=STARTS, default=STARTS)
    parser.add_argument("--result", type=Path, default=RESULT)
    parser.add_argument("--table", action="store_true", help="print the table of the result file and run nothing")
    given = parser.parse_args()
    runs = read_runs(given.result)
    done = {key_of(run) for run in runs}
    wanted = [
        run
        for run in wanted_runs()
        if run[0] in given.sets and run[1] in given.rows and run[2] in given.seeds and run[3] in given.starts
    ]
    for run in [] if given.table else wanted:
        if run not in done:
            runs.append(measure(given.data, *run))
            print(runs[-1], file=sys.stderr, flush=True)
            write_runs(given.result, runs)
    runs = read_runs(given.result)
    print("\n\n".join(filter(None, [make_table(runs), describe_missing(runs)])))
    return 0


if __name__ == "__main__":
    sys.exit(main())
