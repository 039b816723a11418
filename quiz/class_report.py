"""The report on a class: scores, statistics of its items, and the normalised gain from pre-test to post-test.

The score of a run is its credit divided by its number of items; a question without an answer earns nothing. A run
counts for means and gain once it is complete, or once the class is closed, if it is a learner's first run in its test
and has an answer.

The gain is that of Hake (1998), "Interactive-engagement versus traditional methods", American Journal of Physics 66,
64-74: with the mean scores of the learners who have taken both tests,

    gain = (post - pre) / (1 - pre)
"""

import json
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from .bank import Bank
from .class_records import POST, PRE, ClassRun, QuizClass
from .errors import counted
from .estimates import Interval, mean_interval, ratio_interval
from .item_analysis import SMALL_SAMPLE, Report, analyze_items
from .records import Attempt
from .report_table import format_interval, format_percent


@dataclass(frozen=True)
class RunScore:
    """The result of a run.

    Attributes:
        run: The run.
        answered: Number of questions answered.
        right: Number of right answers.
        score: Credit divided by the number of questions, from 0 to 1.
        seconds: Time from question to answer, in all; None if none was recorded.
        counts: Whether it counts for means and gain.
    """

    run: ClassRun
    answered: int
    right: int
    score: float
    seconds: float | None
    counts: bool


@dataclass(frozen=True)
class TestReport:
    """The results of one test of a class.

    Attributes:
        phase: The test.
        learners: Number of learners, told apart by their nicknames.
        counted: Number of runs that count.
        mean: Their mean score, or None if there are none.
        interval: Its 95% interval, or None for fewer than two runs.
        items: The item analysis of all answers.
    """

    phase: str
    learners: int
    counted: int
    mean: float | None
    interval: Interval | None
    items: Report


@dataclass(frozen=True)
class Gain:
    """The normalised gain of the learners whose runs count in both tests.

    Attributes:
        learners: Their number.
        pre: Their mean score before.
        post: Their mean score afterwards.
        value: The gain, or None if everyone had the full score before.
        interval: Its 95% interval, or None if it is not defined.
    """

    learners: int
    pre: float
    post: float
    value: float | None
    interval: Interval | None


@dataclass(frozen=True)
class ClassReport:
    """The report on a class.

    Attributes:
        learners: Number of learners, told apart by their nicknames.
        attempts: Number of answers.
        scores: The result of each run, by test, nickname and attempt.
        tests: One entry for each test.
        gain: The gain, or None if the class has one test or no learner has taken both.
    """

    learners: int
    attempts: int
    scores: tuple[RunScore, ...]
    tests: tuple[TestReport, ...]
    gain: Gain | None


def analyze_class(
    quiz_class: QuizClass,
    runs: Sequence[ClassRun],
    attempts: Iterable[tuple[ClassRun, datetime, Attempt]],
    bank: Bank,
    now: datetime,
) -> ClassReport:
    """Return the report on a class at a time.

    Args:
        quiz_class: The class.
        runs: Its runs.
        attempts: Its attempts with their runs and times.
        bank: The bank with its items.
        now: The time, which tells whether the class is closed.
    """
    by_run: dict[str, list[Attempt]] = {run.run: [] for run in runs}
    for run, _, attempt in attempts:
        by_run.setdefault(run.run, []).append(attempt)
    order = sorted(runs, key=lambda run: (run.phase != PRE, run.nickname.casefold(), run.attempt_number))
    scores = tuple(_score(run, by_run[run.run], quiz_class, now) for run in order)
    return ClassReport(
        learners=_count_learners(runs),
        attempts=sum(map(len, by_run.values())),
        scores=scores,
        tests=tuple(_report_test(phase, scores, by_run, bank) for phase in quiz_class.phases),
        gain=_measure_gain(scores) if quiz_class.pre_post else None,
    )


def report_json(report: ClassReport) -> str:
    """Return every figure of a report as a JSON object, in which times are texts."""
    return json.dumps(asdict(report), indent=1, default=datetime.isoformat) + "\n"


def describe_test(phase: str) -> str:
    """Return the name of a test of a class."""
    return {PRE: "Pre-test", POST: "Post-test"}.get(phase, "Test")


def describe_mean(test: TestReport) -> str:
    """Return the mean score of a test with its interval, in words."""
    if test.mean is None:
        return f"no complete run yet, {counted(test.learners, 'learner')}"
    interval = ""
    if test.interval:  # that of a small sample may reach beyond the scores that there are
        interval = f" ({format_percent(Interval(max(0.0, test.interval.low), min(1.0, test.interval.high)))})"
    counts = f"{counted(test.counted, 'run')} of {counted(test.learners, 'learner')}"
    return f"mean score {test.mean:.0%}{interval}, {counts}{_describe_small(test.counted)}"


def describe_gain(gain: Gain) -> str:
    """Return the normalised gain with its interval, in words."""
    if gain.value is None:
        return f"not defined, as {counted(gain.learners, 'learner')} had the full score before"
    interval = f" ({format_interval(gain.interval)})" if gain.interval else ""
    learners = counted(gain.learners, "learner") + _describe_small(gain.learners)
    return f"{gain.value:.2f}{interval}, from {gain.pre:.0%} to {gain.post:.0%}, {learners}"


def _describe_small(learners: int) -> str:
    return f". Small sample: fewer than {SMALL_SAMPLE} learners" if learners < SMALL_SAMPLE else ""


def _score(run: ClassRun, attempts: Sequence[Attempt], quiz_class: QuizClass, now: datetime) -> RunScore:
    times = [attempt.milliseconds / 1000 for attempt in attempts if attempt.milliseconds is not None]
    is_over = len(attempts) == quiz_class.item_count or quiz_class.is_closed(now)
    return RunScore(
        run=run,
        answered=len(attempts),
        right=sum(attempt.correct for attempt in attempts),
        score=sum(attempt.credit for attempt in attempts) / quiz_class.item_count,
        seconds=sum(times) if times else None,
        counts=run.attempt_number == 1 and bool(attempts) and is_over,
    )


def _report_test(
    phase: str, scores: Sequence[RunScore], by_run: Mapping[str, Sequence[Attempt]], bank: Bank
) -> TestReport:
    own = [score for score in scores if score.run.phase == phase]
    counted = [score.score for score in own if score.counts]
    return TestReport(
        phase=phase,
        learners=_count_learners([score.run for score in own]),
        counted=len(counted),
        mean=statistics.fmean(counted) if counted else None,
        interval=mean_interval(counted),
        items=analyze_items((attempt for score in own for attempt in by_run[score.run.run]), bank),
    )


def _measure_gain(scores: Sequence[RunScore]) -> Gain | None:
    pre, post = (
        {score.run.learner: score.score for score in scores if score.counts and score.run.phase == phase}
        for phase in (PRE, POST)
    )
    pairs = [(pre[name], post[name]) for name in sorted(pre.keys() & post.keys())]
    if not pairs:
        return None
    before, after = (statistics.fmean(column) for column in zip(*pairs, strict=True))
    room = [1 - one for one, _ in pairs]
    interval = ratio_interval([other - one for one, other in pairs], room)
    return Gain(len(pairs), before, after, (after - before) / (1 - before) if any(room) else None, interval)


def _count_learners(runs: Iterable[ClassRun]) -> int:
    return len({run.learner for run in runs})
