"""The analysis of a study: scores are read from the file of a class, and the effect agrees with a regression."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from benchmarks.study import (
    PLANTED,
    Learner,
    analyse,
    count_required,
    estimate_effects,
    find_failures,
    find_shift,
    main,
    read_learners,
    simulate,
    simulate_scores,
)
from quiz.class_records import POST, PRE, STAGE, TEXT, ClassRun
from quiz.records import class_attempts_csv
from tests.databases import attempt

NOW = datetime.now(UTC)


def csv_of(credits: dict[tuple[str, str, int, str], list[float]]) -> str:
    """Return the CSV file of runs with these credits, by nickname, test, number of the attempt, and condition."""
    rows = []
    for (nickname, phase, number, condition), earned in credits.items():
        time = NOW + timedelta(days=number)
        run = ClassRun(f"{nickname}{phase}{number}", "K7M2XQ4D", nickname, number, phase, time, condition)
        rows += [(run, time, attempt(run.run, str(item), credit=credit)) for item, credit in enumerate(earned)]
    return class_attempts_csv(rows)


def read(text: str, questions: int = 4) -> list[Learner]:
    return read_learners(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))), questions)


def test_the_scores_of_a_learner_are_those_of_the_tests() -> None:
    text = csv_of(
        {
            ("=Ada", PRE, 1, STAGE): [1, 0.5, 0, 0],
            ("=ada", POST, 1, STAGE): [1, 1, 1, 0],
            ("=ADA", POST, 2, STAGE): [1, 1],  # a week later, with two answers missing
            ("Bob", PRE, 1, TEXT): [0, 0, 0, 0],
            ("Bob", PRE, 2, TEXT): [1, 1, 1, 1],  # a second attempt at the pre-test does not count
        }
    )
    assert read(text) == [Learner(STAGE, 0.375, 0.75, 0.5), Learner(TEXT, 0.0, None, None)]
    at_once = text.replace(f"{NOW + timedelta(days=2):%Y-%m-%d}", f"{NOW + timedelta(days=1):%Y-%m-%d}")
    assert read(at_once)[0] == Learner(STAGE, 0.375, 0.75, None)
    with pytest.raises(ValueError, match="not randomized"):
        read(csv_of({("Ada", PRE, 1, ""): [1]}))


def test_the_effect_is_that_of_a_regression_on_condition_and_pretest() -> None:
    generator = np.random.default_rng(5)
    is_stage = np.arange(60) % 3 == 0
    before = generator.normal(size=(2, 60))
    after = 0.5 * before + 0.7 * is_stage + generator.normal(size=(2, 60))
    effects = estimate_effects(is_stage, before, after)
    for study in range(2):
        design = np.column_stack([np.ones(60), is_stage, before[study]])
        solution, residual, _, _ = np.linalg.lstsq(design, after[study], rcond=None)
        error = np.sqrt(residual[0] / 57 * np.linalg.inv(design.T @ design)[1, 1])
        groups = [after[study, is_stage], after[study, ~is_stage]]
        deviation = np.sqrt(sum(((group - group.mean()) ** 2).sum() for group in groups) / 58)
        correction = 1 - 3 / (4 * 58 - 1)
        assert effects.value[study] == pytest.approx(correction * solution[1] / deviation)
        assert effects.high[study] - effects.low[study] > 2 * 2.0 * correction * error / deviation
        assert (effects.p[study] < 0.05) == (abs(solution[1] / error) > 2.0025)  # the quantile of t with 57 degrees


def test_a_planted_effect_is_found_as_often_as_stated() -> None:
    result = simulate(2000, 100, PLANTED, seed=9)
    assert result["mean_estimate"] == pytest.approx(PLANTED, abs=0.02)
    assert 0.93 <= result["coverage"] <= 0.97
    none = simulate(2000, 100, 0.0, seed=9)
    assert 0.03 <= none["significant"] <= 0.07
    required = simulate(2000, count_required(PLANTED, result["correlation"]), PLANTED, seed=9)
    assert required["significant"] == pytest.approx(0.8, abs=0.03)


def test_the_planted_effect_is_that_of_the_scores() -> None:
    is_stage = np.arange(40_000) % 2 == 1
    _, after = simulate_scores(1, is_stage, find_shift(0.4), np.random.default_rng(3))
    groups = [after[0, is_stage], after[0, ~is_stage]]
    difference = groups[0].mean() - groups[1].mean()
    assert difference / np.sqrt((groups[0].var() + groups[1].var()) / 2) == pytest.approx(0.4, abs=0.03)


def test_the_report_is_of_those_who_took_both_tests() -> None:
    learners = [
        Learner(condition, 0.25 * (n % 4), 0.2 * (n % 5), None) for n in range(20) for condition in (TEXT, STAGE)
    ]
    report = analyse([*learners, Learner(TEXT, 0.5, None, None), Learner(STAGE, None, 0.5, 0.5)])
    assert report["learners"] == {TEXT: 21, STAGE: 21}
    assert report["post"]["learners"] == {TEXT: 20, STAGE: 20}
    assert report["post"]["effect"]["value"] == pytest.approx(0)
    assert report["later"] == {"learners": {TEXT: 0, STAGE: 0}}


def test_the_file_of_a_class_is_analysed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    credits = {
        (f"learner {number}", phase, 1, (TEXT, STAGE)[number % 2]): [1.0] * (number % (3 if phase == PRE else 4))
        + [0.0]
        for number in range(20)
        for phase in (PRE, POST)
    }
    file = tmp_path / "answers.csv"
    file.write_text(csv_of(credits), encoding="utf-8", newline="")
    monkeypatch.setattr("sys.argv", ["study.py", "analyse", str(file), "--questions", "4"])
    assert main() == 0
    assert json.loads(capsys.readouterr().out)["post"]["learners"] == {TEXT: 10, STAGE: 10}


def test_a_missed_goal_is_named() -> None:
    good = {"planted": 0.4, "mean_estimate": 0.41, "coverage": 0.95, "significant": 0.8}
    result = {"planted_effect": good, "no_effect": good, "required_number": good}
    assert find_failures(result) == []
    for change, message in [
        ({"mean_estimate": 0.43}, "bias 0.030"),
        ({"coverage": 0.92}, "coverage 0.920"),
        ({"significant": 0.7}, "power 0.700"),
    ]:
        assert find_failures(result | {"required_number": good | change}) == [message]
