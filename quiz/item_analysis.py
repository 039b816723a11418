"""Item analysis: statistics of the first tries at each item, with 95% confidence intervals.

Facility is the share of correct answers, shown beside the mean credit. Discrimination is the correlation of an item
with the rest of the quiz, corrected as in Henrysson (1963), "Correction of item-total correlations in item analysis",
Psychometrika 28, 211-218: Pearson's r, over runs, between x and y, where

    x = 1 if the item was answered correctly, else 0
    y = share of correct answers among the other first tries of the same run

The rest is a share and not a sum because runs draw different items. The same y divides the runs into three ability
groups, whose choices are compared, and is correlated with the choice of each wrong answer.

An item is flagged only if an interval excludes the harmless value and the p-value, adjusted for all tests of the report
(Benjamini and Hochberg 1995), is at most 0.05. Items with fewer than `SMALL_SAMPLE` first tries are never flagged.
"""

import statistics
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from .bank import Bank, Item, make_instance
from .bank.formulas import ClaimError
from .errors import SessionError
from .estimates import (
    Correlation,
    Interval,
    Reliability,
    adjust_p_values,
    correlate,
    estimate_reliability,
    share_interval,
    share_p_value,
)
from .grading import DO_NOT_KNOW, grade
from .records import Attempt

SMALL_SAMPLE = 30
"""Fewer first tries are called a small sample."""
FALSE_DISCOVERIES = 0.05
NOT_KNOWN = "I don't know"
RIGHT_NUMBER = "the right number"
OTHER_NUMBER = "another number"
_NUMBERS_SHOWN = 5
_GROUPS = 3


@dataclass(frozen=True)
class Choice:
    """The count of an option that was chosen, or of a number that was typed.

    Attributes:
        answer: Id of the option, or the number as typed; for options to order or match, a place that is right; for an
            item with parameters the right number, the formula of an anticipated mistake, or another number; or
            `NOT_KNOWN`.
        correct: Whether the option is correct; None for numbers, and for options that the bank no longer has.
        count: Number of first tries with this answer.
        share: Share of all first tries.
        by_group: Share in each ability group, lowest first; None where `Measures.groups` is.
        correlation: Correlation of choosing it with the rest of the run, or None.
    """

    answer: str
    correct: bool | None
    count: int
    share: float
    by_group: tuple[float, ...] | None
    correlation: Correlation | None


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
        facility_interval: Its interval.
        mean_credit: Mean credit, from 0 to 1.
        discrimination: The correlation described above. None if it is undefined or too few runs are right or wrong.
        groups: Number of first tries in each ability group, lowest first; None if `SMALL_SAMPLE` is not reached or the
            rests of the runs do not differ enough.
        choices: All options, or the most frequent numbers.
        seconds: Quartiles of the time from question to answer, or None if no time was recorded.
        hint_share: Share of first tries with a hint.
        confidence: One entry for each stated confidence.
    """

    facility: float
    facility_interval: Interval
    mean_credit: float
    discrimination: Correlation | None
    groups: tuple[int, ...] | None
    choices: tuple[Choice, ...]
    seconds: tuple[float, float, float] | None
    hint_share: float
    confidence: tuple[Confidence, ...]


@dataclass(frozen=True)
class Flag:
    """A finding that asks the teacher to look at an item.

    Attributes:
        kind: "discrimination": those who do well elsewhere answer it wrongly. "distractor": those who do well elsewhere
            choose a wrong answer. "guessing": fewer are right than by guessing.
        answer: The wrong answer, for a distractor.
        p_value: Adjusted p-value.
    """

    kind: str
    answer: str | None
    p_value: float


@dataclass(frozen=True)
class ItemReport:
    """The report on one version of an item.

    Attributes:
        item_id: Id of the item.
        version: Version of the item.
        in_bank: Whether the bank has this version.
        first_tries: Number of first tries.
        measures: Their statistics, or None without first tries.
        flags: Signs that the item needs a look.
    """

    item_id: str
    version: int
    in_bank: bool
    first_tries: int
    measures: Measures | None
    flags: tuple[Flag, ...] = ()

    @property
    def small(self) -> bool:
        """True if the sample is small."""
        return self.first_tries < SMALL_SAMPLE


@dataclass(frozen=True)
class Misconception:
    """Frequency of a misconception among the answers.

    Attributes:
        name: Its id.
        statement: The sentence that puts it right, or nothing.
        count: Number of first tries that show it.
        chances: Number of first tries at items with a wrong answer that would show it.
        share: Their quotient.
        interval: Interval of the share.
        items: Ids of the items that showed it, the most frequent first.
    """

    name: str
    statement: str
    count: int
    chances: int
    share: float
    interval: Interval
    items: tuple[str, ...]


@dataclass(frozen=True)
class Report:
    """The report on all items.

    Attributes:
        runs: Number of runs with a recorded answer.
        attempts: Number of recorded answers.
        first_tries: Number of first tries.
        reliability: Reliability of the share of correct first tries of a run, or None if too few answers tell it.
        misconceptions: Those found in first tries, by the lower end of the interval of their share, largest first.
        items: Items of the bank in its order, then items and versions that the bank does not have, sorted by id.
        confidence: One entry for each stated confidence, over all items; empty if fewer than `SMALL_SAMPLE` first
            attempts state one.
    """

    runs: int
    attempts: int
    first_tries: int
    reliability: Reliability | None
    misconceptions: tuple[Misconception, ...]
    items: tuple[ItemReport, ...]
    confidence: tuple[Confidence, ...]


@dataclass(frozen=True)
class _Try:
    """A first try with the rest of its run.

    Attributes:
        attempt: The attempt.
        rest: Share of correct answers among the other first tries of the run, or None if there are none.
        answers: Ids of the chosen options, or the name of the number.
        misconceptions: The misconceptions that the answer shows.
    """

    attempt: Attempt
    rest: float | None
    answers: tuple[str, ...]
    misconceptions: tuple[str, ...]


def analyze_items(attempts: Iterable[Attempt], bank: Bank) -> Report:
    """Return the report on the recorded attempts at a bank's items."""
    attempts = list(attempts)
    first_tries = [attempt for attempt in attempts if attempt.first_try]
    items = {(item.id, item.version): item for item in bank.items}
    by_item: dict[tuple[str, int], list[_Try]] = {key: [] for key in items}
    answered = Counter(attempt.run for attempt in first_tries)
    correct = Counter(attempt.run for attempt in first_tries if attempt.correct)
    for attempt in sorted(first_tries, key=lambda attempt: (attempt.item_id, attempt.item_version)):
        key, others = (attempt.item_id, attempt.item_version), answered[attempt.run] - 1
        rest = (correct[attempt.run] - attempt.correct) / others if others else None
        by_item.setdefault(key, []).append(_Try(attempt, rest, *_read_answer(attempt, items.get(key))))
    reports = [
        ItemReport(*key, key in items, len(tries), _measure(tries, items.get(key)) if tries else None)
        for key, tries in by_item.items()
    ]
    with_confidence = sum(attempt.confidence is not None for attempt in first_tries)
    return Report(
        runs=len({attempt.run for attempt in attempts}),
        attempts=len(attempts),
        first_tries=len(first_tries),
        reliability=_measure_reliability([attempt for attempt in first_tries if answered[attempt.run] > 1]),
        misconceptions=tuple(_rank_misconceptions(by_item, items, bank)),
        items=tuple(_flag_items(reports, items)),
        confidence=_group_by_confidence(first_tries) if with_confidence >= SMALL_SAMPLE else (),
    )


def _measure(tries: Sequence[_Try], item: Item | None) -> Measures:
    attempts = [entry.attempt for entry in tries]
    right = [attempt.correct for attempt in attempts]
    groups = _group_by_ability(tries)
    return Measures(
        facility=statistics.fmean(right),
        facility_interval=share_interval(sum(right), len(right)),
        mean_credit=statistics.fmean(attempt.credit for attempt in attempts),
        discrimination=_correlate([(entry.attempt.correct, entry.rest) for entry in tries]),
        groups=tuple(map(len, groups)) if groups else None,
        choices=tuple(_count_choices(tries, groups, item)),
        seconds=_quartiles([attempt.milliseconds / 1000 for attempt in attempts if attempt.milliseconds is not None]),
        hint_share=statistics.fmean(attempt.hints > 0 for attempt in attempts),
        confidence=_group_by_confidence(attempts),
    )


def _correlate(pairs: Iterable[tuple[bool, float | None]]) -> Correlation | None:
    known = [(flag, rest) for flag, rest in pairs if rest is not None]
    return correlate([flag for flag, _ in known], [rest for _, rest in known]) if known else None


def _group_by_ability(tries: Sequence[_Try]) -> list[list[_Try]] | None:
    """Return the tries in three groups by the rest of their runs; equal rests are in the same group."""
    rests = sorted(entry.rest for entry in tries if entry.rest is not None)
    if len(rests) < SMALL_SAMPLE:
        return None
    limits = statistics.quantiles(rests, n=_GROUPS, method="inclusive")
    groups: list[list[_Try]] = [[] for _ in range(_GROUPS)]
    for entry in tries:
        if entry.rest is not None:
            groups[sum(entry.rest > limit + 1e-9 for limit in limits)].append(entry)
    return groups if all(groups) else None


def _quartiles(values: Sequence[float]) -> tuple[float, float, float] | None:
    if not values:
        return None
    if len(values) == 1:
        return (values[0],) * 3
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, middle, high


def _count_choices(tries: Sequence[_Try], groups: list[list[_Try]] | None, item: Item | None) -> Iterator[Choice]:
    counts = Counter(answer for entry in tries for answer in entry.answers)
    key: dict[str, bool] = {}
    if item and item.options:
        if item.arrangement:
            key = {f"place {place}": True for place, _ in enumerate(item.arrangement.correct, start=1)}
        else:
            key = {option.oid: option.correct for option in item.options}
        answers = [*key, *sorted(counts.keys() - key.keys())]
    elif item and item.template:
        answers = [RIGHT_NUMBER, *(name for name, _ in counts.most_common() if name != RIGHT_NUMBER)]
        key = {answer: answer == RIGHT_NUMBER for answer in answers if answer != NOT_KNOWN}
    else:
        answers = [answer for answer, _ in counts.most_common(_NUMBERS_SHOWN if item else None)]
    for answer in answers:
        yield Choice(
            answer,
            key.get(answer),
            counts[answer],
            counts[answer] / len(tries),
            tuple(statistics.fmean(answer in entry.answers for entry in group) for group in groups) if groups else None,
            _correlate([(answer in entry.answers, entry.rest) for entry in tries]),
        )


def _read_answer(attempt: Attempt, item: Item | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the answers to count, and the misconceptions that they show.

    For options to order or match, these are the places that are right. For an item with parameters, a number is the
    right number, the formula of an anticipated mistake, or another number, as the numbers themselves differ from
    learner to learner.
    """
    given = tuple(dict.fromkeys(attempt.answer))
    if given == (DO_NOT_KNOW,):
        return (NOT_KNOWN,), ()
    if item is None:
        return given, ()
    if item.sliders:
        given = ("; ".join(attempt.answer),)
    if item.arrangement:
        try:
            answered = grade(item, attempt.answer)
        except SessionError:  # the options have changed since
            return (), ()
        places = enumerate(answered.places_right, start=1)
        return tuple(f"place {place}" for place, is_right in places if is_right), answered.misconceptions
    if item.options:
        chosen = {option.oid: option for option in item.options if option.oid in given and not option.correct}
        return given, tuple({option.misconception: None for option in chosen.values() if option.misconception})
    if attempt.correct:
        return ((RIGHT_NUMBER,) if item.template else given), ()
    try:
        instance = make_instance(item.template, attempt.parameters) if item.template else item
        anticipated = grade(instance, attempt.answer).anticipated
    except (ClaimError, SessionError):  # the item, or its formulas, have changed since
        anticipated = None
    name = str(anticipated.claim) if anticipated else OTHER_NUMBER
    shown = (anticipated.misconception,) if anticipated and anticipated.misconception else ()
    return ((name,) if item.template else given), shown


def _measure_reliability(attempts: Sequence[Attempt]) -> Reliability | None:
    runs: dict[str, int] = {}
    items: dict[tuple[str, int], int] = {}
    return estimate_reliability(
        [runs.setdefault(attempt.run, len(runs)) for attempt in attempts],
        [items.setdefault((attempt.item_id, attempt.item_version), len(items)) for attempt in attempts],
        [float(attempt.correct) for attempt in attempts],
    )


def _rank_misconceptions(
    by_item: dict[tuple[str, int], list[_Try]], items: dict[tuple[str, int], Item], bank: Bank
) -> list[Misconception]:
    chances, shown = Counter[str](), Counter[tuple[str, str]]()
    for key, tries in by_item.items():
        for name in items[key].misconceptions if key in items else ():
            chances[name] += len(tries)
        shown.update((name, key[0]) for entry in tries for name in entry.misconceptions)
    found = []
    for name in {name for name, _ in shown}:
        by_name = Counter({item_id: count for (other, item_id), count in shown.items() if other == name})
        count = by_name.total()
        interval = share_interval(count, chances[name])
        statement = bank.misconceptions.get(name, "")
        where = tuple(item_id for item_id, _ in by_name.most_common())
        found.append(Misconception(name, statement, count, chances[name], count / chances[name], interval, where))
    return sorted(found, key=lambda entry: (-entry.interval.low, entry.name))


def _flag_items(reports: Sequence[ItemReport], items: dict[tuple[str, int], Item]) -> list[ItemReport]:
    """Return the reports with their flags.

    The false discovery rate is controlled over all tests together, not within each item.
    """
    tests = [
        (index, test)
        for index, report in enumerate(reports)
        if report.measures and not report.small
        for test in _list_tests(report.first_tries, report.measures, items.get((report.item_id, report.version)))
    ]
    adjusted = adjust_p_values([p_value for _, (_, _, _, p_value) in tests])
    flags: list[list[Flag]] = [[] for _ in reports]
    for (index, (kind, answer, excludes, _)), p_value in zip(tests, adjusted, strict=True):
        if excludes and p_value <= FALSE_DISCOVERIES:
            flags[index].append(Flag(kind, answer, p_value))
    return [replace(report, flags=tuple(found)) for report, found in zip(reports, flags, strict=True)]


def _list_tests(count: int, measures: Measures, item: Item | None) -> Iterator[tuple[str, str | None, bool, float]]:
    """Yield kind, answer, whether the interval excludes the harmless side, and p-value of each test of an item."""
    if found := measures.discrimination:
        yield "discrimination", None, found.interval.high < 0, found.p_value
    for choice in measures.choices:
        if choice.correct is False and choice.correlation:
            yield "distractor", choice.answer, choice.correlation.interval.low > 0, choice.correlation.p_value
    if item and item.type == "single":
        chance, right = 1 / len(item.options), round(measures.facility * count)
        yield "guessing", None, measures.facility_interval.high < chance, share_p_value(right, count, chance)


def _group_by_confidence(attempts: Iterable[Attempt]) -> tuple[Confidence, ...]:
    stated = sorted((attempt.confidence, attempt.correct) for attempt in attempts if attempt.confidence is not None)
    groups = [(level, [correct for _, correct in pairs]) for level, pairs in groupby(stated, key=lambda pair: pair[0])]
    return tuple(Confidence(level, len(correct), statistics.fmean(correct)) for level, correct in groups)
