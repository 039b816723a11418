"""The report on a class: scores, means and gain agree with figures computed otherwise; commands print them."""

import csv
import io
import json
import statistics
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import t

from quiz.__main__ import main
from quiz.class_records import AFTER_DEADLINE, POST, PRE, SINGLE_TEST, ClassRun, QuizClass
from quiz.class_report import ClassReport, analyze_class, describe_gain, describe_mean
from quiz.class_store import ClassStore
from quiz.classes import ClassOptions, make_class, read_code
from quiz.estimates import mean_interval, ratio_interval
from quiz.store import Store
from tests.databases import attempt
from tests.unit.quiz.test_session import BANK, LIVE

NOW = datetime.now(UTC)
ITEMS = tuple(item.id for item in LIVE[:4])


def class_of(**options: object) -> QuizClass:
    values = {"title": "Week 3", "item_ids": ITEMS, "pre_post": True, "attempts_allowed": 2} | options
    return make_class(BANK, ClassOptions(**values))[0]  # type: ignore[arg-type]


def report_of(
    quiz_class: QuizClass, credits: dict[tuple[str, str, int], list[float]], now: datetime = NOW
) -> ClassReport:
    """Return the report on runs with these credits, by test, nickname and number of the attempt."""
    runs, attempts = [], []
    for (phase, nickname, number), earned in credits.items():
        run = ClassRun(f"{phase} {nickname} {number}", quiz_class.code, nickname, number, phase, NOW)
        runs.append(run)
        for item_id, credit in zip(ITEMS, earned, strict=False):
            record = attempt(run.run, item_id, credit=credit, correct=credit == 1, milliseconds=2000)
            attempts.append((run, NOW, record))
    return analyze_class(quiz_class, runs, attempts, BANK, now)


def test_the_gain_is_that_of_learners_with_both_tests() -> None:
    report = report_of(
        class_of(),
        {
            (PRE, "Ada", 1): [1, 0, 0, 0],
            (POST, "ada", 1): [1, 1, 1, 0],
            (PRE, "Bob", 1): [1, 1, 0, 0],
            (POST, "Bob", 1): [1, 1, 0.5, 0],
            (POST, "Bob", 2): [1, 1, 1, 1],  # a second attempt does not count
            (PRE, "Cy", 1): [1, 1, 1, 1],  # has no post-test
            (PRE, "Di", 1): [1, 1],  # incomplete
            (POST, "Di", 1): [1, 1, 1, 1],
        },
    )
    assert report.gain is not None
    assert (report.learners, report.gain.learners, report.attempts) == (4, 2, 30)
    assert report.gain.pre == pytest.approx(0.375)
    assert report.gain.post == pytest.approx(0.6875)
    assert report.gain.value == pytest.approx((0.6875 - 0.375) / 0.625)
    pre, post = report.tests
    assert (pre.phase, pre.learners, pre.counted, pre.mean) == (PRE, 4, 3, pytest.approx(1.75 / 3))
    assert (post.learners, post.counted, post.mean) == (3, 3, pytest.approx((0.75 + 0.625 + 1) / 3))
    assert [score.score for score in report.scores][:2] == [0.25, 0.5]
    assert [(score.run.nickname, score.answered, score.right, score.seconds) for score in report.scores][3] == (
        "Di",
        2,
        2,
        4.0,
    )
    assert [entry.first_tries for entry in pre.items.items if entry.measures] == [4, 4, 3, 3]


def test_incomplete_runs_count_once_the_class_is_closed() -> None:
    deadline = NOW + timedelta(days=1)
    quiz_class = class_of(pre_post=False, deadline=deadline, feedback=AFTER_DEADLINE)
    credits: dict[tuple[str, str, int], list[float]] = {
        (SINGLE_TEST, "Ada", 1): [1, 1],
        (SINGLE_TEST, "Bob", 1): [1, 1, 1, 1],
        (SINGLE_TEST, "Cy", 1): [],
    }
    assert report_of(quiz_class, credits).tests[0].mean == 1
    assert report_of(quiz_class, credits, deadline).tests[0].mean == 0.75
    assert report_of(quiz_class, {}).tests[0].mean is None
    assert report_of(quiz_class, credits).gain is None


def test_without_room_to_gain_there_is_no_gain() -> None:
    full = [1.0] * 4
    report = report_of(class_of(), {(phase, name, 1): full for phase in (PRE, POST) for name in ("Ada", "Bob")})
    assert report.gain is not None
    assert (report.gain.value, report.gain.interval) == (None, None)
    assert "not defined" in describe_gain(report.gain)
    one = report_of(class_of(), {(PRE, "Ada", 1): [0.0] * 4, (POST, "Ada", 1): full}).gain
    assert one is not None
    assert (one.value, one.interval) == (1, None)
    assert "Small sample" in describe_gain(one)


def test_the_mean_of_few_runs_is_shown_within_the_scores_that_there_are() -> None:
    credits = {(PRE, "Ada", 1): [1.0] * 4, (PRE, "Bob", 1): [0.0] * 4}
    shown = describe_mean(report_of(class_of(), credits).tests[0])
    assert shown == "mean score 50% (0 to 100%), 2 runs of 2 learners. Small sample: fewer than 30 learners"
    many = {(PRE, f"learner {number}", 1): [1.0, 0.0] * 2 for number in range(30)}
    assert describe_mean(report_of(class_of(), many).tests[0]).endswith("30 runs of 30 learners")


def test_intervals_cover_what_they_estimate() -> None:
    generator = np.random.default_rng(7)
    hits = [0, 0]
    for _ in range(2000):
        before = generator.uniform(0.1, 0.8, 40)
        after = before + 0.4 * (1 - before) + generator.normal(0, 0.1, 40)
        for number, (interval, truth) in enumerate(
            [
                (ratio_interval(list(after - before), list(1 - before)), 0.4),
                (mean_interval(list(before)), 0.45),
            ]
        ):
            assert interval is not None
            hits[number] += interval.low <= truth <= interval.high
    assert 0.93 <= hits[0] / 2000 <= 0.97
    assert 0.93 <= hits[1] / 2000 <= 0.97
    assert mean_interval([0.5]) is None
    assert ratio_interval([0.0, 0.0], [0.0, 0.0]) is None


def test_a_mean_interval_is_students() -> None:
    values = [0.2, 0.4, 0.9, 0.5]
    interval = mean_interval(values)
    assert interval is not None
    half = t.ppf(0.975, 3) * statistics.stdev(values) / 2
    assert interval.low == pytest.approx(0.5 - half)
    assert interval.high == pytest.approx(0.5 + half)


# Commands


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    url = f"sqlite:///{tmp_path / 'quiz.sqlite3'}"
    monkeypatch.setenv("DATABASE_URL", url)
    return Store(url)


def test_a_class_is_made_listed_shown_exported_and_deleted(
    store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    deadline = f"{NOW + timedelta(days=2):%Y-%m-%d %H:%M}"
    options = ["--topic", "Shapes", "--questions", "3", "--deadline", deadline, "--exam", "--pre-post", "--randomized"]
    assert main(["class", "new", "Week 3", *options, "--attempts", "2"]) == 0
    printed = capsys.readouterr().out
    shown = printed.splitlines()[0].removeprefix("Code: ")
    assert f"#class={shown}-PRE" in printed
    assert f"#class={shown}-POST" in printed
    assert "What is stored" in printed
    classes = ClassStore(store)
    (quiz_class,) = classes.classes()
    assert read_code(shown)[0] == quiz_class.code
    assert (quiz_class.item_count, quiz_class.feedback, quiz_class.attempts_allowed) == (3, AFTER_DEADLINE, 2)
    assert quiz_class.randomized
    run = classes.start_run(quiz_class, "=Ada", PRE)
    for item in quiz_class.items:
        store.record(attempt(run.run, item.item_id, item_version=item.version))
    assert main(["class", "list"]) == 0
    assert f"{shown}  3 questions, pre-test and post-test, 2 attempts" in capsys.readouterr().out
    assert main(["class", "show", shown.lower()]) == 0
    printed = capsys.readouterr().out
    assert "Pre-test: mean score 100%, 1 run of 1 learner" in printed
    assert "=Ada: pre-test, attempt 1, 100%, 3 right of 3 answered" in printed
    assert main(["class", "show", shown, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["scores"][0]["score"] == 1
    today, tomorrow = (f"{run.started_at + timedelta(days=days):%Y-%m-%d}" for days in (0, 1))
    assert main(["class", "show", shown, "--since", tomorrow]) == 0
    assert "0 learners, 0 runs, 0 answers" in capsys.readouterr().out
    file = tmp_path / "answers.csv"
    assert main(["class", "export", shown, str(file), "--since", today, "--until", today]) == 0
    assert main(["class", "export", shown, str(file)]) == 1
    rows = list(csv.DictReader(io.StringIO(file.read_text(encoding="utf-8-sig"))))
    assert [(row["class"], row["test"], row["nickname"], row["attempt"], row["run"]) for row in rows] == [
        (quiz_class.code, "pre", "'=Ada", "1", run.run)
    ] * 3
    assert main(["class", "export", shown, "--until", "2020-01-01", str(tmp_path / "none.csv")]) == 0
    assert len((tmp_path / "none.csv").read_text(encoding="utf-8-sig").splitlines()) == 1
    assert main(["class", "export", shown, "--json"]) == 0
    captured = capsys.readouterr()
    assert "already exists" in captured.err
    assert [row["nickname"] for row in json.loads(captured.out)] == ["=Ada"] * 3
    assert main(["class", "delete", shown, "--yes"]) == 0
    assert classes.classes() == []
    assert list(store.attempts()) == []
    assert main(["class", "show", shown]) == 1
    assert "There is no class with the code" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["new", " "], "Give the class a title"),
        (["new", "Week", "--exam"], "needs a deadline"),
        (["new", "Week", "--topic", "None"], "no topic"),
        (["show", "abc"], "not a class code"),
        (["delete", "22222222", "--yes"], "There is no class"),
    ],
)
def test_a_command_that_cannot_be_done_says_why(
    store: Store, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    assert main(["class", *words]) == 1
    assert message in capsys.readouterr().err
