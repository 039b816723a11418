"""How good a model is on labelled texts, and how far its scores can be believed.

Run as a script on any split of a dataset:

    python -m sentiment_gru.evaluation --model MODEL --dataset DATASET --split test --json

or on a hand-written list (see `expectations`):

    python -m sentiment_gru.evaluation --list benchmarks/frozen/facts.csv --json
"""

import argparse
import csv
import json
import sys
import time
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax
from scipy.stats import binomtest
from sklearn.metrics import f1_score, recall_score

from .classifier import Prediction, SentimentClassifier
from .configuration import length_factor
from .data.columns import Reading, check_named, find_columns, read_rows
from .data.sources import load_splits
from .data.splits import JoinedSplit, TextSplit
from .errors import DatasetError, SentimentError
from .labels import parse_label_map

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


BINS = 15
SIMULATIONS = 1_000
EXPONENT_PENALTY = 1e-3
MOST_UNCERTAIN = 0.14  # of a dev set that lacks a label, such as sentences that all take a side
BAND_ERROR = 0.4  # verdicts just inside the uncertain band are wrong at least this often on dev


@dataclass(frozen=True)
class Evaluation:
    """Measured on one set of texts; every rate is a share between 0 and 1.

    Scores are renormalised over the labels the set has: a set without neutral texts asks for positive against
    negative. `uncertain` and `uncertain_error` look at all of the model's labels, as a user does.
    """

    texts: int
    labels: list[str]
    accuracy: float
    accuracy_interval: tuple[float, float]  # 95%, Wilson
    macro_recall: float
    macro_recall_interval: tuple[float, float]  # 95%, bootstrap within each label
    macro_f1: float
    calibration_error: float  # expected calibration error, 15 bins of equal width
    calibration_error_if_perfect: float  # 95th percentile of that error for a perfectly calibrated model
    uncertain: float  # share of texts whose verdict is marked uncertain
    uncertain_error: float | None  # share of those verdicts that are wrong
    certain_error: float | None


def restrict(logits: np.ndarray, labels: Sequence[str], present: Sequence[str]) -> np.ndarray:
    """Return logits (B, K) of the K labels present in a set, out of (B, C)."""
    return logits[:, [labels.index(name) for name in present]]


def labels_to_compare(labels: Sequence[str], present: Collection[str]) -> list[str]:
    """Return the labels of the model that a set has; all of them if it has only one, which would always be right."""
    found = [label for label in labels if label in present]
    return found if len(found) > 1 else list(labels)


def restricted_sets(
    dev: JoinedSplit, logits: np.ndarray, labels: Sequence[str]
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return per dataset the logits (B, K) of the K labels it has, and (B,) ids among those."""
    sets = {}
    for name, rows in dev.rows.items():
        present = labels_to_compare(labels, dev.labels_of(name))
        targets = np.array([present.index(dev.split.labels[i]) for i in rows])
        sets[name] = (restrict(logits[rows], labels, present), targets)
    return sets


def calibration_error(scores: np.ndarray, targets: np.ndarray) -> float:
    """Return the expected calibration error of (B, K) scores against (B,) label ids.

    Source: Guo et al. 2017, "On Calibration of Modern Neural Networks", section 2.
    """
    return _calibration_error(scores.max(axis=1), scores.argmax(axis=1) == targets)


def _calibration_error(confidence: np.ndarray, correct: np.ndarray) -> float:
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    gaps = np.bincount(bins, weights=correct - confidence, minlength=BINS)
    return float(np.abs(gaps).sum() / len(confidence))


def calibration_error_if_perfect(scores: np.ndarray, seed: int = 0) -> float:
    """Return the 95th percentile of the calibration error if each verdict were right as often as it says."""
    confidence = scores.max(axis=1)
    draws = np.random.default_rng(seed)
    errors = [_calibration_error(confidence, draws.random(len(confidence)) < confidence) for _ in range(SIMULATIONS)]
    return float(np.quantile(errors, 0.95))


def macro_recall_interval(verdicts: np.ndarray, targets: np.ndarray, seed: int = 0) -> tuple[float, float]:
    """Return the 95% interval of the macro recall when the texts of each label are drawn anew.

    How many of n drawn texts are right is binomial, so no text need really be drawn.
    """
    draws = np.random.default_rng(seed)
    hits = [verdicts[targets == target] == target for target in np.unique(targets)]
    recalls = np.mean([draws.binomial(len(h), h.mean(), SIMULATIONS) / len(h) for h in hits], axis=0)
    low, high = np.quantile(recalls, [0.025, 0.975])
    return float(low), float(high)


def evaluate(logits: np.ndarray, split: TextSplit, labels: Sequence[str], uncertain_below: float) -> Evaluation:
    """Compare calibrated logits (B, C) of the texts of a split with its labels.

    Raises:
        DatasetError: the split has a label the model does not know.
    """
    present = labels_to_compare(labels, set(split.labels))
    if unknown := sorted(set(split.labels) - set(labels)):
        raise DatasetError(f"the model has no label {', '.join(unknown)}, only {', '.join(labels)}")
    scores = softmax(restrict(logits, labels, present).astype(np.float64), axis=1)
    targets = np.array([present.index(name) for name in split.labels])
    verdicts = scores.argmax(axis=1)
    hits = int((verdicts == targets).sum())
    interval = binomtest(hits, len(targets)).proportion_ci(method="wilson")
    full_scores = softmax(logits.astype(np.float64), axis=1)
    wrong = full_scores.argmax(axis=1) != np.array([labels.index(name) for name in split.labels])
    band = full_scores.max(axis=1) < uncertain_below
    return Evaluation(
        texts=len(split),
        labels=present,
        accuracy=hits / len(targets),
        accuracy_interval=(interval.low, interval.high),
        macro_recall=float(recall_score(targets, verdicts, labels=np.unique(targets), average="macro")),
        macro_recall_interval=macro_recall_interval(verdicts, targets),
        macro_f1=float(f1_score(targets, verdicts, labels=np.unique(targets), average="macro")),
        calibration_error=calibration_error(scores, targets),
        calibration_error_if_perfect=calibration_error_if_perfect(scores),
        uncertain=float(band.mean()),
        uncertain_error=float(wrong[band].mean()) if band.any() else None,
        certain_error=float(wrong[~band].mean()) if not band.all() else None,
    )


def fit_temperature(sets: Sequence[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> tuple[float, float]:
    """Return temperature and exponent (see `SentimentGRUConfig`) with the lowest log loss, each set counted alike.

    The temperature is not under 1/2: a small set without a single wrong verdict would ask for certainty. Where texts
    are all about as long, the exponent stays near 0.

    Args:
        sets: of each dataset the logits (B, K), label ids (B,) and lengths (B,) in tokens.
    """

    def loss(parameters: np.ndarray) -> float:
        log_temperature, exponent = parameters
        losses = [
            -log_softmax(logits / (np.exp(log_temperature) * length_factor(lengths, exponent))[:, None], axis=1)[
                np.arange(len(targets)), targets
            ].mean()
            for logits, targets, lengths in sets
        ]
        return float(np.mean(losses)) + EXPONENT_PENALTY * exponent**2

    bounds = [(-np.log(2), 3.0), (-0.5, 0.5)]
    log_temperature, exponent = minimize(loss, np.zeros(2), bounds=bounds).x
    return float(np.exp(log_temperature)), float(exponent)


def find_uncertain_band(sets: Sequence[tuple[np.ndarray, np.ndarray]]) -> float:
    """Return the score under which a verdict is called uncertain.

    It is the upper edge of the highest band of width 0.05 whose verdicts are wrong at least `BAND_ERROR` of the
    time, every set of (scores (B, C), label ids (B,)) counted alike; 0 if there is none. It is lowered until no set
    that lacks one of the labels has more than `MOST_UNCERTAIN` of its texts below it.
    """
    limits = [
        np.quantile(scores.max(axis=1), MOST_UNCERTAIN, method="lower")
        for scores, targets in sets
        if len(np.unique(targets)) < scores.shape[1]
    ]
    confidence = np.concatenate([scores.max(axis=1) for scores, _ in sets])
    wrong = np.concatenate([scores.argmax(axis=1) != targets for scores, targets in sets])
    weight = np.concatenate([np.full(len(targets), 1 / len(targets)) for _, targets in sets])
    for edge in np.arange(0.95, 0.3, -0.01):
        inside = (confidence >= edge - 0.05) & (confidence < edge)
        if inside.sum() >= 20 and np.average(wrong[inside], weights=weight[inside]) >= BAND_ERROR:
            return float(np.floor(100 * min(edge + 1e-9, *limits, 1.0)) / 100)
    return 0.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Evaluate a checkpoint on one split of a dataset, or on a list, and print the figures."""
    parser = argparse.ArgumentParser(prog="python -m sentiment_gru.evaluation", description=main.__doc__)
    parser.add_argument("--model", help="checkpoint folder or Hub id; by default the shipped one")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--dataset", help="Hub id, local folder or file")
    what.add_argument("--list", help="CSV file with the columns kind, text, expected")
    parser.add_argument("--split", default="test", help="split to score (default: test)")
    parser.add_argument("--text-column", help="column of the texts; found if not given")
    parser.add_argument("--label-column", help="column of the labels; found if not given")
    parser.add_argument("--label-map", default="", help="as in '1,2=negative;3=neutral;4,5=positive'")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args(arguments)
    try:
        reading = Reading(options.text_column, options.label_column, label_map=parse_label_map(options.label_map))
        if options.list:
            classifier = SentimentClassifier.from_pretrained(options.model)
            outcomes = check_list(classifier, Path(options.list))
            figures: dict[str, object] = {kind: asdict(outcome) for kind, outcome in outcomes.items()}
        else:
            figures = _evaluate_split(options.model, options.dataset, options.split, reading)
    except SentimentError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if options.json:
        print(json.dumps(figures))
    else:
        print("\n".join(f"{name:30} {value}" for name, value in figures.items()))
    return 0


def _evaluate_split(model: str | None, dataset: str, name: str, reading: Reading) -> dict[str, object]:
    classifier = SentimentClassifier.from_pretrained(model)
    splits = load_splits(dataset)
    if name not in splits:
        raise DatasetError(f"dataset {dataset!r} has no split {name!r}, only {', '.join(splits)}")
    check_named({dataset: {name: splits[name]}}, reading)
    rows = read_rows(splits[name], find_columns(splits[name], reading), reading.label_map)
    if not rows.texts:
        raise DatasetError(f"split {name!r} of {dataset!r} has no labels")
    split = TextSplit(rows.texts, rows.labels)
    start = time.perf_counter()
    logits = classifier.logits(split.texts)
    seconds = time.perf_counter() - start
    result = evaluate(logits, split, classifier.labels, classifier.config.uncertain_below)
    return {
        "dataset": dataset,
        "split": name,
        **asdict(result),
        "texts_per_second": round(len(split) / seconds, 1),
    }


if __name__ == "__main__":
    sys.exit(main())
