"""How verdicts compare with the labels that a file brings along."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

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
