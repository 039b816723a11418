"""What a scored file looks like as a whole, gathered row by row in little memory."""

import heapq
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..labels import plain_label
from ..verdict_html import balance
from .grading import Grading, grade
from .scoring import ScoredRow

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
