"""The script that recomputes a class's figures agrees with the report, and finds a figure that is wrong."""

import json
import random
from datetime import UTC, datetime
from typing import Any

import pytest

from benchmarks.class_figures import compare, compute_alpha, read_rows
from quiz.class_records import ClassRun
from quiz.class_report import analyze_class, report_json
from quiz.classes import ClassOptions, items_of_run, make_class
from quiz.estimates import estimate_reliability
from quiz.records import class_attempts_csv
from tests.databases import attempt
from tests.unit.quiz.test_session import BANK, LIVE, right, wrong

NOW = datetime.now(UTC)
QUESTIONS = 6


@pytest.fixture(scope="module")
def files() -> tuple[str, str]:
    """Return the CSV file and the report of a class of 40 learners, as the teacher's page gives them."""
    chance = random.Random(5)
    options = ClassOptions("Week 3", item_ids=tuple(item.id for item in LIVE[:QUESTIONS]), pre_post=True)
    quiz_class, _ = make_class(BANK, options)
    runs, attempts = [], []
    for learner in range(40):
        for phase, known in (("pre", 0.3), ("post", 0.7)):
            run = ClassRun(f"{phase} {learner}", quiz_class.code, f"=learner {learner}", 1, phase, NOW)
            runs.append(run)
            ability = chance.gauss(known, 0.2)
            for item in items_of_run(BANK, quiz_class, run)[: 4 if learner == 7 else QUESTIONS]:
                is_right = chance.random() < ability
                values: dict[str, Any] = {"answer": right(item) if is_right else wrong(item), "correct": is_right}
                values |= {"credit": chance.choice([1.0, 0.75]) if is_right else 0.0, "hints": chance.randint(0, 1)}
                values |= {"milliseconds": chance.randint(500, 60_000), "parameters": item.drawn}
                record = attempt(run.run, item.id, item_version=item.version, **values)
                attempts.append((run, NOW, record))
    report = analyze_class(quiz_class, runs, attempts, BANK, NOW)
    return class_attempts_csv(attempts), report_json(report)


def test_the_report_is_what_the_answers_give(files: tuple[str, str]) -> None:
    rows, report = read_rows(files[0]), json.loads(files[1])
    for test in report["tests"]:
        test["items"]["reliability"] = None  # which is recomputed for complete runs only
    comparison = compare(rows, report, QUESTIONS)
    assert comparison.differences == []
    assert comparison.compared > 500


def test_alpha_is_that_of_cronbach_for_complete_runs(files: tuple[str, str]) -> None:
    rows, report = read_rows(files[0]), json.loads(files[1])
    complete = [row for row in rows if row["nickname"] != "'=learner 7"]
    items = [test["items"] for test in report["tests"]]
    for phase, entry in zip(("pre", "post"), items, strict=True):
        own = [row for row in complete if row["test"] == phase]
        numbers = {row["run"]: number for number, row in enumerate(own[::QUESTIONS])}
        columns = {row["item"]: number for number, row in enumerate(own[:QUESTIONS])}
        found = estimate_reliability(
            [numbers[row["run"]] for row in own],
            [columns[row["item"]] for row in own],
            [float(row["correct"] == "yes") for row in own],
        )
        assert found is not None
        assert compute_alpha(own) == pytest.approx(found.alpha, abs=1e-9)
        assert entry["reliability"] is not None
    with pytest.raises(ValueError, match="complete runs only"):
        compute_alpha(rows)


@pytest.mark.parametrize(
    "path", [("gain", "value"), ("scores", 0, "score"), ("tests", 1, "mean"), ("tests", 0, "interval", "low")]
)
def test_a_figure_that_is_wrong_is_found(files: tuple[str, str], path: tuple[Any, ...]) -> None:
    rows, report = read_rows(files[0]), json.loads(files[1])
    for test in report["tests"]:
        test["items"]["reliability"] = None
    place = report
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] += 1e-8
    assert len(compare(rows, report, QUESTIONS).differences) == 1


def test_an_answer_that_is_lost_is_found(files: tuple[str, str]) -> None:
    rows, report = read_rows(files[0]), json.loads(files[1])
    for test in report["tests"]:
        test["items"]["reliability"] = None
    assert compare(rows[1:], report, QUESTIONS).differences
