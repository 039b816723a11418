"""Hand-written lists of texts, by kind, with what a reader would say of each: how a model does on them.

A list is a CSV file with the columns `kind`, `text` and `expected`: a label, or "no feeling", which is met by the
verdict neutral and by an uncertain one.
"""

import csv
from dataclasses import dataclass
from pathlib import Path

from .classifier import Prediction, SentimentClassifier
from .errors import DatasetError

NO_FEELING = "no feeling"
COLUMNS = ("kind", "text", "expected")


@dataclass(frozen=True)
class Outcome:
    """How a model did on the texts of one kind; rates are shares between 0 and 1."""

    texts: int
    met: float  # the verdict is the one expected, or there is no feeling where none is
    uncertain: float


def check_list(classifier: SentimentClassifier, path: Path) -> dict[str, Outcome]:
    """Return the outcome by kind, and over all kinds as "all".

    Raises:
        DatasetError: the file cannot be read, or is no such list.
    """
    rows = _read(path)
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
    """Return whether a verdict is what is expected."""
    if expected == NO_FEELING:
        return prediction.label == "neutral" or prediction.uncertain
    return prediction.label == expected


def _read(path: Path) -> list[dict[str, str]]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            columns, rows = reader.fieldnames, list(reader)
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"the list {path} cannot be read: {error}") from error
    if tuple(columns or ()) != COLUMNS or not rows:
        raise DatasetError(f"the list {path} needs rows under the columns {', '.join(COLUMNS)}")
    return rows
