"""Metrics of scores against sets of labels, for models that give a text any number of labels.

Letters in shapes: B texts, C labels of the model, K labels that are compared.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import binomtest
from sklearn.metrics import precision_recall_fscore_support

from .metrics import SIMULATIONS, check_labels, folds_of
from .results import independent

if TYPE_CHECKING:  # reading datasets needs a package that computing metrics does not
    from .data.splits import JoinedSplit, TextSplit

THRESHOLDS = np.arange(0.05, 0.96, 0.01)
USUAL_THRESHOLD = 0.5


@dataclass(frozen=True)
class LabelFigures:
    """Figures of one label: its texts, the texts that the model gives it, precision, recall and F1."""

    texts: int
    given: int
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True)
class LabelSetEvaluation:
    """Metrics of one set of texts; rates are shares between 0 and 1.

    Micro averages count all pairs of a text and a label; macro averages are means over the labels that occur.
    """

    texts: int
    labels: list[str]  # that are compared
    threshold: float
    micro_f1: float
    micro_f1_interval: tuple[float, float]  # 95%, bootstrap over texts
    micro_precision: float
    micro_recall: float
    macro_f1: float
    subset_accuracy: float  # share of texts whose labels are all right, with none too many
    subset_accuracy_interval: tuple[float, float]  # 95%, Wilson
    labels_per_text: float
    labels_given_per_text: float
    by_label: dict[str, LabelFigures]


def to_matrix(sets: Sequence[Collection[str]], labels: Sequence[str]) -> np.ndarray:
    """Return the (B, K) boolean matrix of which texts have which of K labels."""
    return np.array([[label in row for label in labels] for row in sets], dtype=bool).reshape(-1, len(labels))


def evaluate_label_sets(
    scores: np.ndarray, split: "TextSplit", labels: Sequence[str], threshold: float, compared: Collection[str] = ()
) -> LabelSetEvaluation:
    """Compare the (B, C) scores of a split's texts with their sets of labels.

    Args:
        scores: Scores from 0 to 1, each label's own.
        split: Texts and their labels.
        labels: The model's C labels.
        threshold: Score from which a text has a label.
        compared: Labels that the dataset knows; by default all of the model.

    Raises:
        DatasetError: The split has a label that the model lacks.
    """
    check_labels(split, labels)
    names = [label for label in labels if label in (compared or labels)]
    truth = to_matrix(split.label_sets, names)
    verdicts = scores[:, [labels.index(name) for name in names]] >= threshold
    micro = precision_recall_fscore_support(truth, verdicts, average="micro", zero_division=0)
    each = precision_recall_fscore_support(truth, verdicts, average=None, zero_division=0)
    right = int((truth == verdicts).all(axis=1).sum())
    interval = binomtest(right, len(truth)).proportion_ci(method="wilson")
    by_label = {
        name: LabelFigures(int(texts), int(verdicts[:, k].sum()), float(precision), float(recall), float(f1))
        for k, (name, precision, recall, f1, texts) in enumerate(zip(names, *each, strict=True))
        if texts or verdicts[:, k].any()
    }
    return LabelSetEvaluation(
        texts=len(split),
        labels=names,
        threshold=threshold,
        micro_f1=float(micro[2]),
        micro_f1_interval=micro_f1_interval(verdicts, truth),
        micro_precision=float(micro[0]),
        micro_recall=float(micro[1]),
        macro_f1=float(np.mean([figures.f1 for figures in by_label.values() if figures.texts] or [0.0])),
        subset_accuracy=right / len(truth),
        subset_accuracy_interval=(interval.low, interval.high),
        labels_per_text=float(truth.sum(axis=1).mean()),
        labels_given_per_text=float(verdicts.sum(axis=1).mean()),
        by_label=by_label,
    )


def micro_f1_interval(verdicts: np.ndarray, truth: np.ndarray, seed: int = 0) -> tuple[float, float]:
    """Return the 95% bootstrap interval of the micro F1 of (B, K) verdicts, resampling texts."""
    hits, sizes = (verdicts & truth).sum(axis=1), verdicts.sum(axis=1) + truth.sum(axis=1)
    draws = np.random.default_rng(seed)
    values = []
    for _ in range(SIMULATIONS):
        rows = draws.integers(len(hits), size=len(hits))
        values.append(2 * hits[rows].sum() / max(1, sizes[rows].sum()))
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)


def scored_sets(
    joined: "JoinedSplit", logits: np.ndarray, labels: Sequence[str], train: "JoinedSplit"
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return, for each dataset, the (B, K) scores and truth of the labels that its training texts have.

    Args:
        joined: Texts of the datasets, in the order of the logits.
        logits: (B, C) logits.
        labels: The model's C labels.
        train: Training texts of the same datasets.
    """
    scores, sets = independent(logits), joined.split.label_sets
    found = []
    for name, rows in joined.rows.items():
        known = train.labels_of(name)
        columns = np.array([k for k, label in enumerate(labels) if label in known])
        truth = to_matrix([sets[row] for row in rows], [labels[k] for k in columns])
        found.append((scores[np.ix_(rows, columns)], truth))
    return found


def mean_micro_f1(sets: Sequence[tuple[np.ndarray, np.ndarray]], threshold: float) -> float:
    """Return the mean over datasets of the micro F1 of (B, K) scores against truths, at a threshold."""
    values = []
    for scores, truth in sets:
        verdicts = scores >= threshold
        values.append(2 * (verdicts & truth).sum() / max(1, verdicts.sum() + truth.sum()))
    return float(np.mean(values))


def find_threshold(sets: Sequence[tuple[np.ndarray, np.ndarray]]) -> tuple[float, float]:
    """Return the threshold with the highest mean micro F1 over the datasets, and that F1.

    One threshold serves all labels: with few texts, thresholds of rare labels would fit noise. Of several that are
    equally good, it is the median.
    """
    values = np.array([mean_micro_f1(sets, threshold) for threshold in THRESHOLDS])
    best = np.flatnonzero(values >= values.max() - 1e-12)
    return round(float(THRESHOLDS[best[len(best) // 2]]), 2), float(values.max())


def threshold_helps(sets: Sequence[tuple[np.ndarray, np.ndarray]]) -> bool:
    """Return whether thresholds found on four fifths are better than 0.5 in the fifth that is left out.

    Fewer than two rows a fold in all give False.
    """
    gains = []
    for kept, left_out in folds_of(sets):
        threshold, _ = find_threshold(kept)
        gains.append(mean_micro_f1(left_out, threshold) - mean_micro_f1(left_out, USUAL_THRESHOLD))
    return bool(gains) and float(np.mean(gains)) > 0
