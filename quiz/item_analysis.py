"""Item analysis: statistics of the first tries at each item.

Facility is the share of correct answers, shown beside the mean credit. Discrimination is the correlation of an item
with the rest of the quiz, corrected as in Henrysson (1963), "Correction of item-total correlations in item analysis",
Psychometrika 28, 211-218: Pearson's r, over runs, between x and y, where

    x = 1 if the item was answered correctly, else 0
    y = share of correct answers among the other first tries of the same run

The rest is a share and not a sum because runs draw different items. For an item that good learners answer correctly,
r is well above 0. If it is below 0, the key or the wording may be wrong. Statistics of fewer than `MIN_FIRST_TRIES`
first tries are withheld, as they would mostly reflect chance.
"""

import csv
import io
import re
import statistics
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from .bank import Bank, Item, make_instance
from .bank.formulas import ClaimError
from .errors import SessionError
from .grading import grade
from .records import Attempt, Feedback

MIN_FIRST_TRIES = 30
HEADINGS = ("item", "first tries", "facility", "credit", "discr.", "seconds", "hints", "answers")
LEGEND = (
    "facility: share of correct answers; discr.: correlation with the rest of the run; seconds: median; "
    "hints: share that took one; *: correct."
)
NO_ATTEMPTS = "Nothing has been answered yet."
RIGHT_NUMBER = "the right number"
OTHER_NUMBER = "another number"
_NUMBERS_SHOWN = 5
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_NUMBER = re.compile(r"[+-]?(\d+([.,]\d+)*|[.,]\d+)([eE][+-]?\d+)?\s?%?")


@dataclass(frozen=True)
class Choice:
    """The count of an option that was chosen, or of a number that was typed.

    Attributes:
        answer: Id of the option, or the number as typed; for an item with parameters the right number, the formula of
            an anticipated mistake, or another number.
        correct: Whether the option is correct; None for numbers, and for options that the bank no longer has.
        count: Number of first tries with this answer.
        share: Share of all first tries.
    """

    answer: str
    correct: bool | None
    count: int
    share: float


@dataclass(frozen=True)
class Confidence:
    """First tries with the same stated confidence.

    Attributes:
        stated: The confidence in percent.
        count: Number of first tries.
        right: Share of correct answers.
    """

    stated: int
    count: int
    right: float


@dataclass(frozen=True)
class Measures:
    """Statistics of the first tries at an item.

    Attributes:
        facility: Share of correct answers.
        mean_credit: Mean credit, from 0 to 1.
        discrimination: The correlation described above. None if it is undefined, because all answers or all rests are
            equal, or if too few runs have other answers.
        choices: All options, or the most frequent numbers.
        median_seconds: Median time from question to answer, or None if no time was recorded.
        hint_share: Share of first tries with a hint.
        confidence: One entry for each stated confidence.
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
    """The report on one version of an item.

    Attributes:
        item_id: Id of the item.
        version: Version of the item.
        in_bank: Whether the bank has this version.
        first_tries: Number of first tries.
        measures: Their statistics, or None if there are fewer than `MIN_FIRST_TRIES`.
    """

    item_id: str
    version: int
    in_bank: bool
    first_tries: int
    measures: Measures | None


@dataclass(frozen=True)
class Report:
    """The report on all items.

    Attributes:
        runs: Number of runs with a recorded answer.
        attempts: Number of recorded answers.
        first_tries: Number of first tries.
        items: Items of the bank in its order, then items and versions that the bank does not have, sorted by id.
        confidence: One entry for each stated confidence, over all items; empty if fewer than `MIN_FIRST_TRIES` first
            attempts state one.
    """

    runs: int
    attempts: int
    first_tries: int
    items: tuple[ItemReport, ...]
    confidence: tuple[Confidence, ...]


def analyze_items(attempts: Iterable[Attempt], bank: Bank) -> Report:
    """Return the report on the recorded attempts at a bank's items."""
    attempts = list(attempts)
    first_tries = [attempt for attempt in attempts if attempt.first_try]
    by_item: dict[tuple[str, int], list[Attempt]] = {(item.id, item.version): [] for item in bank.items}
    for attempt in sorted(first_tries, key=lambda attempt: (attempt.item_id, attempt.item_version)):
        by_item.setdefault((attempt.item_id, attempt.item_version), []).append(attempt)
    items = {(item.id, item.version): item for item in bank.items}
    rests = _RestScores(first_tries)
    with_confidence = sum(attempt.confidence is not None for attempt in first_tries)
    return Report(
        runs=len({attempt.run for attempt in attempts}),
        attempts=len(attempts),
        first_tries=len(first_tries),
        items=tuple(
            ItemReport(
                *key,
                in_bank=key in items,
                first_tries=len(tries),
                measures=_measure(tries, items.get(key), rests) if len(tries) >= MIN_FIRST_TRIES else None,
            )
            for key, tries in by_item.items()
        ),
        confidence=_group_by_confidence(first_tries) if with_confidence >= MIN_FIRST_TRIES else (),
    )


class _RestScores:
    """The share of correct answers in the rest of a run."""

    def __init__(self, first_tries: list[Attempt]) -> None:
        self._answered = Counter(attempt.run for attempt in first_tries)
        self._correct = Counter(attempt.run for attempt in first_tries if attempt.correct)

    def rest_of(self, attempt: Attempt) -> float | None:
        others = self._answered[attempt.run] - 1
        return (self._correct[attempt.run] - attempt.correct) / others if others else None


def _measure(tries: list[Attempt], item: Item | None, rests: _RestScores) -> Measures:
    seconds = [attempt.milliseconds / 1000 for attempt in tries if attempt.milliseconds is not None]
    return Measures(
        facility=statistics.fmean(attempt.correct for attempt in tries),
        mean_credit=statistics.fmean(attempt.credit for attempt in tries),
        discrimination=_discrimination(tries, rests),
        choices=_count_choices(tries, item),
        median_seconds=statistics.median(seconds) if seconds else None,
        hint_share=statistics.fmean(attempt.hints > 0 for attempt in tries),
        confidence=_group_by_confidence(tries),
    )


def _discrimination(tries: list[Attempt], rests: _RestScores) -> float | None:
    pairs = [(float(attempt.correct), rest) for attempt in tries if (rest := rests.rest_of(attempt)) is not None]
    if len(pairs) < MIN_FIRST_TRIES:
        return None
    correct, rest_scores = zip(*pairs, strict=True)
    if len(set(correct)) == 1 or len(set(rest_scores)) == 1:
        return None
    return statistics.correlation(correct, rest_scores)


def _count_choices(tries: list[Attempt], item: Item | None) -> tuple[Choice, ...]:
    if item and item.numeric and item.template:
        counts = Counter(_name_number(attempt, item) for attempt in tries)
        answers = [RIGHT_NUMBER, *(name for name, _ in counts.most_common() if name != RIGHT_NUMBER)]
        return tuple(Choice(name, name == RIGHT_NUMBER, counts[name], counts[name] / len(tries)) for name in answers)
    counts = Counter(answer for attempt in tries for answer in set(attempt.answer))
    if item and item.options:
        key = {option.oid: option.correct for option in item.options}
        answers = [*key, *sorted(counts.keys() - key.keys())]
    else:
        key = {}
        answers = [answer for answer, _ in counts.most_common(_NUMBERS_SHOWN if item else None)]
    return tuple(Choice(answer, key.get(answer), counts[answer], counts[answer] / len(tries)) for answer in answers)


def _name_number(attempt: Attempt, item: Item) -> str:
    """Return the right number, the formula of an anticipated mistake, or another number.

    The numbers themselves differ from learner to learner, as the item has parameters.
    """
    if attempt.correct:
        return RIGHT_NUMBER
    try:
        anticipated = grade(make_instance(item.template, attempt.parameters), attempt.answer).anticipated
    except (ClaimError, SessionError):  # the item, or its formulas, have changed since
        return OTHER_NUMBER
    return str(anticipated.claim) if anticipated else OTHER_NUMBER


def _group_by_confidence(tries: list[Attempt]) -> tuple[Confidence, ...]:
    stated = sorted((attempt.confidence, attempt.correct) for attempt in tries if attempt.confidence is not None)
    groups = [(level, [correct for _, correct in pairs]) for level, pairs in groupby(stated, key=lambda pair: pair[0])]
    return tuple(Confidence(level, len(correct), statistics.fmean(correct)) for level, correct in groups)


def format_table(report: Report) -> str:
    """Return the report as lines of text, one for each answered item."""
    if not report.attempts:
        return NO_ATTEMPTS
    rows = [HEADINGS, *(_format_row(item) for item in report.items if item.first_tries)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([format_summary(report), "", *lines, "", LEGEND, *format_notes(report)])


def format_summary(report: Report) -> str:
    """Return the numbers of answers and runs in one sentence."""
    return f"{report.attempts:,} answers in {report.runs:,} runs; the {report.first_tries:,} first tries count."


def format_notes(report: Report) -> list[str]:
    """Return remarks on the report as a whole, one line each."""
    lines = []
    unanswered = sum(not item.first_tries for item in report.items)
    if unanswered:
        lines.append(f"{unanswered} items of the bank have no first try yet.")
    if report.confidence:
        levels = (f"{level.stated}% sure, {level.right:.0%} right ({level.count})" for level in report.confidence)
        lines.append(f"Stated confidence and share of correct answers: {', '.join(levels)}.")
    return lines


def _format_row(item: ItemReport) -> tuple[str, ...]:
    name = f"{item.item_id} v{item.version}" + ("" if item.in_bank else " (not in the bank)")
    if item.measures is None:
        return (name, str(item.first_tries), f"withheld under {MIN_FIRST_TRIES}", *[""] * (len(HEADINGS) - 3))
    measures = item.measures
    return (
        name,
        str(item.first_tries),
        f"{measures.facility:.0%}",
        f"{measures.mean_credit:.2f}",
        "" if measures.discrimination is None else f"{measures.discrimination:.2f}",
        "" if measures.median_seconds is None else f"{measures.median_seconds:.0f}",
        f"{measures.hint_share:.0%}",
        ", ".join(f"{choice.answer}{'*' if choice.correct else ''} {choice.share:.0%}" for choice in measures.choices),
    )


def feedback_csv(feedback: Iterable[tuple[datetime, Feedback]]) -> str:
    """Return feedback as a CSV file in which spreadsheet programs find no formulas.

    It begins with a byte order mark, which tells these programs that it is UTF-8.
    """
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow(["time_utc", "run", "clear", "text"])
    for time, record in feedback:
        clear = {True: "yes", False: "no", None: ""}[record.clear]
        cells = [f"{time:%Y-%m-%d %H:%M:%S}", record.run or "", clear, record.text]
        writer.writerow(map(escape_formula, cells))
    return "\ufeff" + buffer.getvalue()


def escape_formula(text: str) -> str:
    """Return a cell's text, with an apostrophe in front if a spreadsheet program would read it as a formula.

    These are texts that begin with = + - @, their full-width forms, a tab or a line break, unless they are numbers; see
    https://owasp.org/www-community/attacks/CSV_Injection. `sentiment_gru.files.writers` follows the same rule.

    >>> escape_formula("=1+1"), escape_formula("-5"), escape_formula("- no"), escape_formula("5")
    ("'=1+1", '-5', "'- no", '5')
    """
    return "'" + text if text.startswith(_FORMULA_STARTS) and not _NUMBER.fullmatch(text) else text
