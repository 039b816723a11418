"""Summary of a scored file, collected row by row in little memory."""

import heapq
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..labels import balance, plain_label
from ..results import Prediction
from .table import ScoredRow

MAX_UNMATCHED_LABELS = 10


@dataclass(frozen=True)
class Bin:
    """Verdicts of similar score: mean score, share of correct verdicts, and number of rows."""

    score: float
    right: float
    rows: int


@dataclass(frozen=True)
class Grading:
    """Comparison of verdicts with the K labels of a file; rates are shares between 0 and 1.

    Attributes:
        rows: number of compared rows, which are scored and have a label of the model.
        without: most frequent values of the label column in the other scored rows ("" if empty), with their counts.
        labels: the K labels that occur in the file, in the model's order.
        verdicts: the model's C labels.
        confusion: (K, C) counts, the file's label by the model's.
        accuracy, macro_f1: metrics of the verdicts as written; None without rows.
        among_present: accuracy of verdicts restricted to the K labels; None if K equals C.
        calibration_error: expected calibration error (15 bins); None without rows.
        bins: non-empty bins of the calibration plot, by score.
    """

    rows: int
    without: dict[str, int]
    labels: list[str]
    verdicts: list[str]
    confusion: list[list[int]]
    accuracy: float | None = None
    macro_f1: float | None = None
    among_present: float | None = None
    calibration_error: float | None = None
    bins: tuple[Bin, ...] = ()


def grade(truth: Sequence[str | None], scores: Sequence[Sequence[float]], labels: Sequence[str]) -> Grading:
    """Compare labels with scores.

    The first call imports scikit-learn and scipy, which takes a second or two.

    Args:
        truth: Label of each of N rows, or None.
        scores: (N, C) scores.
        labels: The model's C labels.
    """
    import numpy as np

    ids = {label.casefold(): index for index, label in enumerate(labels)}
    matches = [ids.get(name.casefold()) if name else None for name in truth]
    known = [(match, row) for match, row in zip(matches, scores, strict=True) if match is not None]
    missing = Counter(name or "" for name, match in zip(truth, matches, strict=True) if match is None)
    without = dict(missing.most_common(MAX_UNMATCHED_LABELS))
    if not known:
        return Grading(0, without, [], list(labels), [])

    from sklearn.metrics import confusion_matrix, f1_score

    from ..metrics import calibration_error, restrict

    targets = np.array([target for target, _ in known])
    table = np.array([row for _, row in known])
    verdicts = table.argmax(axis=1)
    present = sorted(set(targets.tolist()))
    names = [labels[i] for i in present]
    among = np.array(present)[restrict(table, labels, names).argmax(axis=1)] == targets
    return Grading(
        rows=len(targets),
        without=without,
        labels=names,
        verdicts=list(labels),
        confusion=confusion_matrix(targets, verdicts, labels=range(len(labels)))[present].tolist(),
        accuracy=float((verdicts == targets).mean()),
        macro_f1=float(f1_score(targets, verdicts, labels=present, average="macro", zero_division=0)),
        among_present=float(among.mean()) if len(present) < len(labels) else None,
        calibration_error=calibration_error(table, targets),
        bins=tuple(_bins(table.max(axis=1).tolist(), (verdicts == targets).tolist())),
    )


def _bins(scores: Sequence[float], right: Sequence[bool]) -> list[Bin]:
    from ..metrics import BINS

    members: dict[int, list[tuple[float, bool]]] = {}
    for score, hit in zip(scores, right, strict=True):
        members.setdefault(min(int(score * BINS), BINS - 1), []).append((score, hit))
    return [
        Bin(sum(s for s, _ in pairs) / len(pairs), sum(h for _, h in pairs) / len(pairs), len(pairs))
        for _, pairs in sorted(members.items())
    ]


BINS = 20
LEAST_CERTAIN = 10
EXCERPT = 200  # characters


@dataclass(frozen=True)
class Doubtful:
    """A row whose verdict is among the least certain; `row` is its number, counted from 1."""

    row: int
    text: str
    label: str
    score: float
    uncertain: bool = False


@dataclass(frozen=True)
class Histogram:
    """Histogram of scores.

    Attributes:
        balanced: the scores are positive minus negative, from -1 to 1; otherwise scores of the verdict, from 0 to 1.
        counts: number of rows in each of `BINS` bins of equal width, by label.
    """

    balanced: bool
    counts: dict[str, list[int]]


@dataclass(frozen=True)
class Report:
    """Results of scoring a file.

    Attributes:
        rows: number of rows.
        labels: number of scored rows with each label of the model; of a model that gives a text several labels, a row
            may count under none or several.
        uncertain: number of verdicts marked uncertain.
        errors: number of rows that were not scored, by reason.
        histogram: distribution of the scores.
        least_certain: rows with the lowest scores.
        grading: comparison with the file's own labels; None without a label column.
    """

    rows: int
    labels: dict[str, int]
    uncertain: int
    errors: dict[str, int]
    histogram: Histogram
    least_certain: list[Doubtful]
    grading: Grading | None

    @property
    def scored(self) -> int:
        """Number of rows with a verdict."""
        return self.rows - sum(self.errors.values())


@dataclass
class Tally:
    """Counts of scored rows; `label_column` is the position of the file's own labels."""

    labels: Sequence[str]
    label_column: int | None = None
    label_map: Mapping[str, str | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._rows = self._uncertain = 0
        self._errors: Counter[str] = Counter()
        self._counts = {label: [0] * BINS for label in self.labels}
        self._doubtful: list[tuple[float, int, Doubtful]] = []
        self._truth: list[str | None] = []
        self._scores: list[list[float]] = []

    def add(self, scored: Sequence[ScoredRow]) -> None:
        """Count one chunk."""
        for row in scored:
            self._rows += 1
            if row.prediction is None:
                self._errors[re.split("[:;]", row.error)[0]] += 1
            else:
                self._add_verdict(row, row.prediction)

    def _add_verdict(self, scored: ScoredRow, prediction: Prediction) -> None:
        top = prediction.scores[prediction.label]
        value = balance(prediction.scores)
        for label in prediction.labels:
            position = prediction.scores[label] if value is None else (value + 1) / 2
            self._counts[label][min(int(position * BINS), BINS - 1)] += 1
        self._uncertain += prediction.uncertain
        if len(self._doubtful) < LEAST_CERTAIN or -top > self._doubtful[0][0]:
            text = scored.text if len(scored.text) <= EXCERPT else scored.text[:EXCERPT] + "…"
            number = scored.row.number
            entry = (-top, -number, Doubtful(number, text, prediction.label, top, prediction.uncertain))
            push = heapq.heappush if len(self._doubtful) < LEAST_CERTAIN else heapq.heappushpop
            push(self._doubtful, entry)
        if self.label_column is not None:
            self._truth.append(self._true_label(scored.row.cells[self.label_column]))
            self._scores.append([prediction.scores[label] for label in self.labels])

    def _true_label(self, cell: object) -> str | None:
        name = plain_label(cell)
        return self.label_map.get(name.casefold(), name) if name else None

    def report(self) -> Report:
        """Return the report; with a label column this imports scikit-learn."""
        grading = None if self.label_column is None else grade(self._truth, self._scores, self.labels)
        balanced = balance(dict.fromkeys(self.labels, 0.0)) is not None
        return Report(
            rows=self._rows,
            labels={label: sum(counts) for label, counts in self._counts.items()},
            uncertain=self._uncertain,
            errors=dict(self._errors.most_common()),
            histogram=Histogram(balanced, self._counts),
            least_certain=[entry for _, _, entry in sorted(self._doubtful, reverse=True)],
            grading=grading,
        )
