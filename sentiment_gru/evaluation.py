"""Evaluate a checkpoint on a split of a dataset, or on a hand-written list.

    python -m sentiment_gru.evaluation --model MODEL --dataset DATASET --split test --json
    python -m sentiment_gru.evaluation --list benchmarks/frozen/facts.csv --json

A list is a CSV file with the columns kind, text and expected.
"""

import csv
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from .classifier import Prediction, SentimentClassifier
from .data.columns import Reading, find_columns, read_label_sets, read_rows
from .data.sources import check_named, load_splits
from .data.splits import TextSplit
from .errors import DatasetError, OptionsError, SentimentError, run_command
from .label_set_metrics import evaluate_label_sets
from .labels import parse_label_map
from .metrics import check_labels, evaluate

NO_FEELING = "no feeling"
COLUMNS = ("kind", "text", "expected")


@dataclass(frozen=True)
class Outcome:
    """Results of a model on the texts of one kind; rates are shares between 0 and 1."""

    texts: int
    met: float  # share of texts with the expected verdict
    uncertain: float


def check_list(classifier: SentimentClassifier, path: Path) -> dict[str, Outcome]:
    """Return the outcome for each kind, and for all kinds together under "all".

    Raises:
        DatasetError: The file cannot be read, or lacks a column.
    """
    rows = _read_list(path)
    predictions = classifier([row["text"] for row in rows])
    kinds = list(dict.fromkeys(row["kind"] for row in rows))
    outcomes = {}
    for kind in [*kinds, "all"]:
        chosen = [
            (row["expected"], p) for row, p in zip(rows, predictions, strict=True) if kind in (row["kind"], "all")
        ]
        outcomes[kind] = Outcome(
            texts=len(chosen),
            met=sum(meets(prediction, expected) for expected, prediction in chosen) / len(chosen),
            uncertain=sum(prediction.uncertain for _, prediction in chosen) / len(chosen),
        )
    return outcomes


def meets(prediction: Prediction, expected: str) -> bool:
    """Return whether a verdict meets an expectation: a label, or `NO_FEELING` for neutral or uncertain."""
    if expected == NO_FEELING:
        return prediction.label == "neutral" or prediction.uncertain
    return prediction.label == expected


def _read_list(path: Path) -> list[dict[str, str]]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            columns, rows = reader.fieldnames, list(reader)
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"the list {path} cannot be read: {error}") from error
    if tuple(columns or ()) != COLUMNS or not rows:
        raise DatasetError(f"the list {path} needs rows under the columns {', '.join(COLUMNS)}")
    return rows


command = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@command.command(help="Evaluate a checkpoint on one split of a dataset, or on a list, and print the figures.")
def print_figures(
    model: Annotated[str | None, typer.Option(help="checkpoint folder or Hub id; by default the shipped one")] = None,
    dataset: Annotated[str | None, typer.Option(help="Hub id, local folder or file")] = None,
    expectations: Annotated[
        Path | None, typer.Option("--list", help="CSV file with the columns kind, text, expected")
    ] = None,
    split: Annotated[str | None, typer.Option(help="split to evaluate; by default test, or else the only one")] = None,
    text_column: Annotated[str | None, typer.Option(help="column of the texts; detected if not given")] = None,
    label_column: Annotated[str | None, typer.Option(help="column of the labels; detected if not given")] = None,
    label_map: Annotated[str, typer.Option(help="as in '1,2=negative;3=neutral;4,5=positive'")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
) -> None:
    """Evaluate and print; the options are those of the command line."""
    if (dataset is None) == (expectations is None):
        raise typer.BadParameter("give either --dataset or --list")
    try:
        mapping = parse_label_map(label_map)
        classifier = SentimentClassifier.from_pretrained(model)
        figures: dict[str, Any]
        if expectations is not None:
            if classifier.config.multi_label:
                raise OptionsError("--list expects one verdict a text, but this model gives several; use --dataset")
            figures = {kind: asdict(outcome) for kind, outcome in check_list(classifier, expectations).items()}
        else:
            reading = Reading(text_column, label_column, label_map=mapping, multi_label=classifier.config.multi_label)
            figures = _evaluate_split(classifier, str(dataset), split, reading)
    except SentimentError as error:
        print(f"error: {error}", file=sys.stderr)
        raise typer.Exit(1) from error
    if as_json:
        print(json.dumps(figures))
    else:
        labels = figures.pop("by_label", {})  # of a model that gives a text several
        print("\n".join(f"{name:30} {show(value)}" for name, value in {**figures, **labels}.items()))


def show(value: object) -> str:
    """Return a figure as text, with three decimals.

    >>> show(2 / 3), show((0.5, 1.0)), show(["a", "b"]), show({"texts": 3, "met": 1 / 3}), show(None)
    ('0.667', '0.500 to 1.000', 'a, b', 'texts 3, met 0.333', 'none')
    """
    if isinstance(value, float):
        return f"{value:.3f}"
    if isinstance(value, tuple):
        return " to ".join(map(show, value))
    if isinstance(value, list):
        return ", ".join(map(show, value))
    if isinstance(value, dict):
        return ", ".join(f"{name} {show(part)}" for name, part in value.items()) or "none"
    return "none" if value is None else str(value)


def _evaluate_split(
    classifier: SentimentClassifier, dataset: str, split_name: str | None, reading: Reading
) -> dict[str, Any]:
    splits = load_splits(dataset)
    name = split_name or ("test" if "test" in splits or len(splits) > 1 else next(iter(splits)))
    if name not in splits:
        raise DatasetError(
            f"dataset {dataset!r} has no split {name!r}, only {', '.join(splits)}; name one with --split"
        )
    check_named({dataset: {name: splits[name]}}, reading)
    read = read_label_sets if reading.multi_label else read_rows
    rows = read(splits[name], find_columns(splits[name], reading), reading.label_map)
    if not rows.texts:
        raise DatasetError(f"split {name!r} of {dataset!r} has no labels")
    split = TextSplit(rows.texts, rows.labels, reading.multi_label)
    check_labels(split, classifier.labels)  # before all texts are classified
    start = time.perf_counter()
    logits = classifier.logits(split.texts)
    seconds = time.perf_counter() - start
    result = (
        evaluate_label_sets(classifier.scores(logits), split, classifier.labels, classifier.config.label_threshold)
        if split.multi_label
        else evaluate(logits, split, classifier.labels, classifier.config.uncertain_below)
    )
    return {
        "dataset": dataset,
        "split": name,
        "left_out": {reason: count for reason, count in rows.removed.items() if count},
        **asdict(result),
        "texts_per_second": round(len(split) / seconds, 1),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    return run_command(command, "python -m sentiment_gru.evaluation", arguments)


if __name__ == "__main__":
    sys.exit(main())
