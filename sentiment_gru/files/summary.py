"""What a scored file looks like as a whole, gathered row by row in little memory."""

import heapq
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..labels import balance, plain_label
from .scoring import ScoredRow

MOST_WITHOUT = 10


@dataclass(frozen=True)
class Bin:
    """Verdicts of similar score: their mean score, the share that is right, and how many they are."""

    score: float
    right: float
    rows: int


@dataclass(frozen=True)
class Grading:
    """Verdicts against the K labels of a file; every rate is a share between 0 and 1.

    Attributes:
        rows: those compared: scored, and with a label that the model knows.
        without: what most often stands there in the other scored rows ("" for nothing), and how often.
        labels: the K labels the file has, in the model's order.
        verdicts: the model's C labels.
        confusion: (K, C) counts, the file's label by the model's.
        accuracy, macro_f1: of the verdicts as they are written; None without rows.
        among_present: the accuracy if only the file's own labels could be verdicts; None where they are all there.
        calibration_error: expected calibration error (15 bins); None without rows.
        bins: of the calibration plot, without the empty ones, by score.
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
    """Compare the label of each row (None for none) with its scores (N, C) of the model's C labels.

    Imports scikit-learn and scipy, which takes a second or two the first time.
    """
    import numpy as np

    spelt = {label.casefold(): place for place, label in enumerate(labels)}
    found = [spelt.get(name.casefold()) if name else None for name in truth]
    known = [(place, row) for place, row in zip(found, scores, strict=True) if place is not None]
    missing = Counter(name or "" for name, place in zip(truth, found, strict=True) if place is None)
    without = dict(missing.most_common(MOST_WITHOUT))
    if not known:
        return Grading(0, without, [], list(labels), [])

    from sklearn.metrics import confusion_matrix, f1_score

    from ..evaluation import calibration_error, restrict

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
    from ..evaluation import BINS

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


@dataclass(frozen=True)
class Histogram:
    """How many rows got which score.

    Attributes:
        balanced: the scores are positive less negative, from -1 to 1; otherwise those of the verdict, from 0 to 1.
        counts: of each label, the rows in each of `BINS` bins of equal width.
    """

    balanced: bool
    counts: dict[str, list[int]]


@dataclass(frozen=True)
class Report:
    """What came of a file.

    Attributes:
        rows: all of them.
        labels: of the scored ones, how many got each label; every label of the model is there.
        uncertain: how many verdicts are marked uncertain.
        errors: how many rows were not scored, for each kind of reason.
        grading: how the verdicts compare with the file's own labels; None without a label column.
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
        """How many rows got a verdict."""
        return sum(self.labels.values())


@dataclass
class Tally:
    """Counts scored rows. `label_column` is the position of the file's own labels."""

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
        for one in scored:
            self._rows += 1
            if one.prediction is None:
                self._errors[re.split("[:;]", one.error)[0]] += 1
            else:
                self._add_verdict(one)

    def _add_verdict(self, one: ScoredRow) -> None:
        prediction = one.prediction
        assert prediction is not None
        top = prediction.scores[prediction.label]
        value = balance(prediction.scores)
        place = top if value is None else (value + 1) / 2
        self._counts[prediction.label][min(int(place * BINS), BINS - 1)] += 1
        self._uncertain += prediction.uncertain
        if len(self._doubtful) < LEAST_CERTAIN or -top > self._doubtful[0][0]:
            text = one.text if len(one.text) <= EXCERPT else one.text[:EXCERPT] + "…"
            entry = (-top, -one.row.number, Doubtful(one.row.number, text, prediction.label, top))
            push = heapq.heappush if len(self._doubtful) < LEAST_CERTAIN else heapq.heappushpop
            push(self._doubtful, entry)
        if self.label_column is not None:
            self._truth.append(self._true_label(one.row.cells[self.label_column]))
            self._scores.append([prediction.scores[label] for label in self.labels])

    def _true_label(self, cell: object) -> str | None:
        name = plain_label(cell)
        return self.label_map.get(name.casefold(), name) if name else None

    def report(self) -> Report:
        """Return what was counted; with a label column this imports scikit-learn."""
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
