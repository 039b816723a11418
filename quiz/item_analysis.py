"""What a teacher can learn of each item from the first tries at it.

Facility: the share of right answers, beside the mean credit. Discrimination: the correlation of an item with the rest
of the quiz, corrected as in Henrysson (1963), "Correction of item-total correlations in item analysis", Psychometrika
28, 211-218: Pearson's r, over runs, between x and y, where

    x = 1 if the item was answered right, else 0
    y = share of right answers among the other first tries of the same run

The rest is a share and no sum, as runs draw different items. An item that good learners get right has r well above 0;
below 0, its key or wording is worth a look. Under `ENOUGH` first tries all that is withheld: it would be chance.
"""

import csv
import io
import statistics
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from .bank import Bank, Item
from .records import Attempt, Feedback

ENOUGH = 30
_NUMBERS_SHOWN = 5


@dataclass(frozen=True)
class Choice:
    """How often an option was chosen, or a number typed.

    Attributes:
        answer: The option's id, or the number as typed.
        correct: Whether it is right; None if the bank no longer has it, and for numbers.
        count: How many first tries had it.
        share: That of all first tries.
    """

    answer: str
    correct: bool | None
    count: int
    share: float


@dataclass(frozen=True)
class Confidence:
    """How many first tries came with a degree of confidence, in percent, and the share of them that were right."""

    stated: int
    count: int
    right: float


@dataclass(frozen=True)
class Measures:
    """What the first tries at an item show.

    Attributes:
        facility: Share of right answers.
        mean_credit: Mean credit, from 0 to 1.
        discrimination: The correlation described above; None if it is not defined, as all answers or all rests are
            alike, or too few runs have a rest.
        choices: Every option, and for numbers the most frequent ones.
        median_seconds: Median time from question to answer, or None if none was taken.
        hint_share: Share of first tries with a hint.
        confidence: By the confidence stated.
    """

    facility: float
    mean_credit: float
    discrimination: float | None
    choices: tuple[Choice, ...]
    median_seconds: float | None
    hint_share: float
    confidence: tuple[Confidence, ...]


@dataclass(frozen=True)
class ItemReport:
    """One version of an item.

    Attributes:
        item_id: Its id.
        version: Its version.
        in_bank: Whether the bank still has this version.
        first_tries: How many there are.
        measures: What they show, or None if there are fewer than `ENOUGH`.
    """

    item_id: str
    version: int
    in_bank: bool
    first_tries: int
    measures: Measures | None


@dataclass(frozen=True)
class Report:
    """All items: those of the bank in its order, then versions and items that it no longer has, by name.

    Attributes:
        runs: How many runs have a recorded answer.
        attempts: How many answers are recorded.
        first_tries: How many of them were first tries.
        items: A report for each.
        confidence: By the confidence stated, over all items; empty under `ENOUGH` first tries that state one.
    """

    runs: int
    attempts: int
    first_tries: int
    items: tuple[ItemReport, ...]
    confidence: tuple[Confidence, ...]


def report(attempts: Iterable[Attempt], bank: Bank) -> Report:
    """Return what the attempts show of the items of a bank."""
    attempts = list(attempts)
    tries = [one for one in attempts if one.first_try]
    by_item: dict[tuple[str, int], list[Attempt]] = {(item.id, item.version): [] for item in bank.items}
    for one in sorted(tries, key=lambda one: (one.item_id, one.item_version)):
        by_item.setdefault((one.item_id, one.item_version), []).append(one)
    items = {(item.id, item.version): item for item in bank.items}
    rests = _Rests(tries)
    return Report(
        runs=len({one.run for one in attempts}),
        attempts=len(attempts),
        first_tries=len(tries),
        items=tuple(
            ItemReport(
                *key,
                in_bank=key in items,
                first_tries=len(those),
                measures=_measures(those, items.get(key), rests) if len(those) >= ENOUGH else None,
            )
            for key, those in by_item.items()
        ),
        confidence=_confidence(tries) if sum(one.confidence is not None for one in tries) >= ENOUGH else (),
    )


class _Rests:
    """How each run did apart from one of its answers."""

    def __init__(self, tries: list[Attempt]) -> None:
        self._answered = Counter(one.run for one in tries)
        self._right = Counter(one.run for one in tries if one.correct)

    def of(self, one: Attempt) -> float | None:
        others = self._answered[one.run] - 1
        return (self._right[one.run] - one.correct) / others if others else None


def _measures(tries: list[Attempt], item: Item | None, rests: _Rests) -> Measures:
    times = [one.milliseconds / 1000 for one in tries if one.milliseconds is not None]
    return Measures(
        facility=statistics.fmean(one.correct for one in tries),
        mean_credit=statistics.fmean(one.credit for one in tries),
        discrimination=_discrimination(tries, rests),
        choices=_choices(tries, item),
        median_seconds=statistics.median(times) if times else None,
        hint_share=statistics.fmean(one.hints > 0 for one in tries),
        confidence=_confidence(tries),
    )


def _discrimination(tries: list[Attempt], rests: _Rests) -> float | None:
    pairs = [(float(one.correct), rest) for one in tries if (rest := rests.of(one)) is not None]
    if len(pairs) < ENOUGH:
        return None
    right, rest_scores = zip(*pairs, strict=True)
    if len(set(right)) == 1 or len(set(rest_scores)) == 1:
        return None
    return statistics.correlation(right, rest_scores)


def _choices(tries: list[Attempt], item: Item | None) -> tuple[Choice, ...]:
    counts = Counter(answer for one in tries for answer in set(one.answer))
    if item and item.options:
        key = {option.oid: option.correct for option in item.options}
        shown = [*key, *sorted(counts.keys() - key.keys())]
    else:
        key = {}
        shown = [answer for answer, _ in counts.most_common(_NUMBERS_SHOWN if item else None)]
    return tuple(Choice(oid, key.get(oid), counts[oid], counts[oid] / len(tries)) for oid in shown)


def _confidence(tries: list[Attempt]) -> tuple[Confidence, ...]:
    stated = sorted((one.confidence, one.correct) for one in tries if one.confidence is not None)
    grouped = [(level, [right for _, right in pairs]) for level, pairs in groupby(stated, key=lambda pair: pair[0])]
    return tuple(Confidence(level, len(rights), statistics.fmean(rights)) for level, rights in grouped)


HEADINGS = ("item", "first tries", "facility", "credit", "discr.", "seconds", "hints", "answers")
LEGEND = (
    "facility: share right; discr.: correlation with the rest of the run; seconds: median; hints: share that took one; "
    "*: right."
)
NO_ATTEMPTS = "Nothing has been answered yet."
_DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def table(report: Report) -> str:
    """Return the report as lines of text, one for each item that was answered."""
    if not report.attempts:
        return NO_ATTEMPTS
    rows = [HEADINGS, *(row(item) for item in report.items if item.first_tries)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([summary(report), "", *lines, "", LEGEND, *notes(report)])


def summary(report: Report) -> str:
    """Return how much was answered."""
    return f"{report.attempts:,} answers in {report.runs:,} runs; the {report.first_tries:,} first tries count."


def row(item: ItemReport) -> tuple[str, ...]:
    """Return the cells of an item under `HEADINGS`."""
    name = f"{item.item_id} v{item.version}" + ("" if item.in_bank else " (not in the bank)")
    if item.measures is None:
        return (name, str(item.first_tries), f"withheld under {ENOUGH}", *[""] * (len(HEADINGS) - 3))
    found = item.measures
    return (
        name,
        str(item.first_tries),
        f"{found.facility:.0%}",
        f"{found.mean_credit:.2f}",
        "" if found.discrimination is None else f"{found.discrimination:.2f}",
        "" if found.median_seconds is None else f"{found.median_seconds:.0f}",
        f"{found.hint_share:.0%}",
        ", ".join(map(_choice, found.choices)),
    )


def _choice(choice: Choice) -> str:
    return f"{choice.answer}{'*' if choice.correct else ''} {choice.share:.0%}"


def notes(report: Report) -> list[str]:
    """Return what holds for all items, a line each."""
    lines = []
    unanswered = sum(not item.first_tries for item in report.items)
    if unanswered:
        lines.append(f"{unanswered} items of the bank have no first try yet.")
    if report.confidence:
        lines.append("How sure, and how often right: " + ", ".join(map(_sureness, report.confidence)) + ".")
    return lines


def _sureness(confidence: Confidence) -> str:
    return f"{confidence.stated}% sure, {confidence.right:.0%} right ({confidence.count})"


def feedback_csv(feedback: Iterable[tuple[datetime, Feedback]]) -> str:
    """Return a CSV file that spreadsheets open as text: cells that would be formulas begin with an apostrophe.

    It begins with a byte order mark, by which they know that it is UTF-8.
    """
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow(["time_utc", "run", "clear", "text"])
    for time, one in feedback:
        clear = {True: "yes", False: "no", None: ""}[one.clear]
        writer.writerow([f"{time:%Y-%m-%d %H:%M:%S}", _safe(one.run or ""), clear, _safe(one.text)])
    return "\ufeff" + buffer.getvalue()


def _safe(cell: str) -> str:
    return "'" + cell if cell.startswith(_DANGEROUS) else cell
