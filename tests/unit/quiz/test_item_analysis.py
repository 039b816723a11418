"""Item analysis: the statistics agree with a hand-worked example, numpy and scipy, and small samples are withheld."""

import csv
import io
import itertools
import json
import random
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import pointbiserialr

from quiz import item_analysis, load_bank
from quiz.__main__ import main
from quiz.bank import Bank, draw_instance
from quiz.item_analysis import Confidence, ItemReport, Measures, analyze_items, feedback_csv, format_table
from quiz.records import Attempt, Feedback, to_line
from quiz.store import Store
from sentiment_gru.files.writers import open_writer
from tests.databases import attempt

BANK = load_bank()
SINGLE = BANK.items[0]
NUMERIC = replace(next(item for item in BANK.items if item.id == "gru-update-003"), template={}, version=1)


def tries(rights: str, item_id: str, **changes: object) -> list[Attempt]:
    """Return an attempt of each of several runs: 1 is right, 0 is wrong."""
    return [
        attempt(f"run {run}", item_id, correct=right == "1", credit=float(right), **changes)
        for run, right in enumerate(rights)
    ]


def item(attempts: list[Attempt], item_id: str = "a", bank: Bank = BANK) -> ItemReport:
    return next(entry for entry in analyze_items(attempts, bank).items if entry.item_id == item_id)


def measures(attempts: list[Attempt], item_id: str = "a") -> Measures:
    statistics = item(attempts, item_id).measures
    assert statistics
    return statistics


@pytest.fixture
def four_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(item_analysis, "MIN_FIRST_TRIES", 4)


def test_numbers_typed_for_drawn_questions_are_grouped_by_the_mistake(four_are_enough: None) -> None:
    template = next(item for item in BANK.items if item.id == "gru-update-003")
    attempts = []
    for number, mistake in enumerate(["right", "(1 - z) * h + z * n", "(1 - z) * h + z * n", "", "right", "right"]):
        drawn = draw_instance(template, str(number))
        assert drawn.numeric
        claims = {wrong.claim: wrong.value for wrong in drawn.numeric.anticipated}
        typed = drawn.numeric.value if mistake == "right" else claims.get(mistake, 77)
        as_percent = f"{100 * typed:.6g} %"  # any form that the quiz accepts
        written = as_percent if number % 2 else str(typed).replace(".", ",")
        values = {"answer": (written,), "correct": mistake == "right", "parameters": drawn.drawn}
        attempts.append(attempt(f"run {number}", template.id, item_version=template.version, **values))
    statistics = item(attempts, template.id).measures
    assert statistics
    assert [(choice.answer, choice.correct, choice.count) for choice in statistics.choices] == [
        ("the right number", True, 3), ("(1 - z) * h + z * n", False, 2), ("another number", False, 1),
    ]  # fmt: skip


def test_the_statistics_agree_with_a_calculation_by_hand(four_are_enough: None) -> None:
    """For item a, x = 1 1 0 0 and y = 1 .5 .5 0: the covariance is .5 / 4, the variances 1 / 4 and .5 / 4."""
    attempts = [*tries("1100", "a"), *tries("1110", "b"), *tries("1000", "c")]
    statistics = measures(attempts)
    assert statistics.facility == statistics.mean_credit == 0.5
    assert statistics.discrimination == pytest.approx(0.5 / 0.5**0.5)
    assert measures(attempts, "b").facility == 0.75
    assert measures(attempts, "c").discrimination == pytest.approx(np.corrcoef([1, 0, 0, 0], [1, 1, 0.5, 0])[0, 1])


@given(seed=st.integers(0, 1000))
def test_discrimination_agrees_with_numpy_and_scipy(seed: int) -> None:
    """Runs have different items, and so different rests."""
    chance = random.Random(seed)
    right = {
        (run, number): chance.random() < 0.2 + 0.06 * (run % 10)
        for run, number in itertools.product(range(40), range(6))
        if number == 0 or chance.random() < 0.7
    }
    attempts = [attempt(str(run), str(number), correct=correct) for (run, number), correct in right.items()]
    x, y = [], []
    for run in range(40):
        others = [correct for (other, number), correct in right.items() if other == run and number]
        if others:
            x.append(float(right[run, 0]))
            y.append(np.mean(others))
    discrimination = measures(attempts, "0").discrimination
    if len(x) >= item_analysis.MIN_FIRST_TRIES and len(set(x)) > 1:
        assert discrimination == pytest.approx(np.corrcoef(x, y)[0, 1])
        assert discrimination == pytest.approx(pointbiserialr(x, y).statistic)
    else:
        assert discrimination is None


def test_an_item_without_variance_has_no_discrimination(four_are_enough: None) -> None:
    assert measures([*tries("1111", "a"), *tries("1100", "b")]).discrimination is None
    assert measures([*tries("1100", "a"), *tries("1111", "b")]).discrimination is None
    assert measures(tries("1100", "a")).discrimination is None  # and one without a rest has none


def test_statistics_of_fewer_than_thirty_first_tries_are_withheld() -> None:
    assert item_analysis.MIN_FIRST_TRIES == 30
    few, enough = tries("10" * 14 + "1", "a"), tries("10" * 15, "a")
    assert item(few) == ItemReport("a", 1, False, 29, None)
    assert item(enough).first_tries == 30
    assert measures(enough).facility == 0.5
    assert "withheld under 30" in format_table(analyze_items(few, BANK))
    assert "withheld" not in format_table(analyze_items(enough, BANK))


def test_only_first_tries_count(four_are_enough: None) -> None:
    again = [attempt(f"later {run}", "a", first_try=False) for run in range(10)]
    report = analyze_items([*tries("1000", "a"), *again], BANK)
    assert (report.runs, report.attempts, report.first_tries) == (14, 14, 4)
    assert measures([*tries("1000", "a"), *again]).facility == 0.25


def test_every_option_is_listed_even_if_nobody_chose_it(four_are_enough: None) -> None:
    right, wrong = SINGLE.correct_option.oid, next(option.oid for option in SINGLE.options if not option.correct)
    attempts = [*tries("111", SINGLE.id, answer=(right,)), attempt("r", SINGLE.id, answer=(wrong, "gone"))]
    choices = measures(attempts, SINGLE.id).choices
    assert [choice.answer for choice in choices] == [*(option.oid for option in SINGLE.options), "gone"]
    by_answer = {choice.answer: (choice.correct, choice.count, choice.share) for choice in choices}
    assert by_answer[right] == (True, 3, 0.75)
    assert by_answer[wrong] == (False, 1, 0.25)
    assert by_answer["gone"] == (None, 1, 0.25)
    assert 0 in [choice.count for choice in choices]


def test_the_most_frequent_numbers_are_listed(four_are_enough: None) -> None:
    typed = ["1", "1", "2", "3", "4", "5", "6"]
    attempts = [attempt(f"run {run}", NUMERIC.id, answer=(number,)) for run, number in enumerate(typed)]
    statistics = item(attempts, NUMERIC.id, Bank((NUMERIC,))).measures
    assert statistics
    assert [choice.answer for choice in statistics.choices] == ["1", "2", "3", "4", "5"]


def test_time_hints_and_confidence(four_are_enough: None) -> None:
    times = [1000, 3000, 5000, 100_000, None]
    attempts = [
        attempt(str(run), "a", milliseconds=time, hints=run % 3, confidence=sure, correct=right)
        for run, (time, sure, right) in enumerate(
            zip(times, [50, 50, 100, 100, None], [True, False, True, True, False], strict=True)
        )
    ]
    statistics = measures(attempts)
    assert statistics.median_seconds == 4
    assert statistics.hint_share == pytest.approx(3 / 5)
    assert statistics.confidence == (Confidence(50, 2, 0.5), Confidence(100, 2, 1.0))
    assert analyze_items(attempts, BANK).confidence == statistics.confidence
    assert measures(tries("1010", "a")).median_seconds is None


def test_items_and_versions_that_the_bank_does_not_have_are_marked(four_are_enough: None) -> None:
    attempts = [*tries("1010", SINGLE.id, item_version=99), *tries("1010", "gone")]
    reports = {(entry.item_id, entry.version): entry for entry in analyze_items(attempts, BANK).items}
    assert reports[SINGLE.id, SINGLE.version] == ItemReport(SINGLE.id, SINGLE.version, True, 0, None)
    assert not reports[SINGLE.id, 99].in_bank
    assert not reports["gone", 1].in_bank
    assert len(reports) == len(BANK.items) + 2
    assert "gone v1 (not in the bank)" in format_table(analyze_items(attempts, BANK))


@given(text=st.text(), run=st.text())
def test_feedback_as_csv_keeps_every_text(text: str, run: str) -> None:
    content = feedback_csv([(datetime(2026, 1, 2, tzinfo=UTC), Feedback(run, None, text))])
    assert content[0] == "\ufeff"
    _, cells = csv.reader(io.StringIO(content[1:], newline=""))
    assert cells[0] == "2026-01-02 00:00:00"
    for cell, written in [(cells[1], run), (cells[3], text)]:
        assert cell.removeprefix("'") == written.removeprefix("'")


def quiz_cell(text: str, _: Path) -> str:
    """Return the last cell of feedback with this text."""
    content = feedback_csv([(datetime(2026, 1, 2, tzinfo=UTC), Feedback(None, None, text))])
    return list(csv.reader(io.StringIO(content, newline="")))[1][3]


def scored_cell(text: str, folder: Path) -> str:
    """Return the cell of a scored file with this text."""
    writer = open_writer(folder / "scored.csv", ".csv", ["text"], [None], marked=False)
    writer.write([[text]])
    writer.close()
    return list(csv.reader(io.StringIO((folder / "scored.csv").read_bytes().decode(), newline="")))[1][0]


@pytest.mark.parametrize("written_cell", [quiz_cell, scored_cell])
@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])
def test_no_cell_of_a_csv_file_can_be_a_formula(start: str, written_cell: Callable[..., str], tmp_path: Path) -> None:
    assert written_cell(f"{start}SUM(A1)", tmp_path) == f"'{start}SUM(A1)"


@pytest.mark.parametrize("written_cell", [quiz_cell, scored_cell])
@pytest.mark.parametrize("text", ["-5", "+0.5", "-1,5", "-3e4", "+7%", "a=1", "5-3", "", "'=1"])
def test_other_cells_of_a_csv_file_are_unchanged(text: str, written_cell: Callable[..., str], tmp_path: Path) -> None:
    assert written_cell(text, tmp_path) == text


@pytest.fixture
def stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'quiz.sqlite3'}")
    store = Store()
    yield store
    store.close()


def test_stats_as_table_and_json(stored: Store, capsys: pytest.CaptureFixture[str]) -> None:
    for record in tries("1100", SINGLE.id):
        stored.record(record)
    assert main(["stats"]) == 0
    output = capsys.readouterr().out
    assert output.startswith("4 answers in 4 runs; the 4 first tries count.")
    assert f"{SINGLE.id} v{SINGLE.version}" in output
    assert f"{len(BANK.items) - 1} items of the bank have no first try yet." in output
    assert main(["stats", "--json"]) == 0
    first = json.loads(capsys.readouterr().out)["items"][0]
    assert (first["item_id"], first["first_tries"], first["measures"]) == (SINGLE.id, 4, None)


@pytest.mark.parametrize("command", [["stats"], ["feedback", "--csv"]])
def test_without_a_database_a_command_fails_and_creates_none(
    command: list[str], stored: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(command) == 1
    assert "There is no database yet" in capsys.readouterr().err
    assert stored.file
    assert not stored.file.exists()


def test_a_database_without_answers_is_reported(stored: Store, capsys: pytest.CaptureFixture[str]) -> None:
    stored.record_feedback(Feedback(None, True, ""))
    assert main(["stats"]) == 0
    assert capsys.readouterr().out == "Nothing has been answered yet.\n"


def test_a_file_that_is_not_a_database_is_reported(stored: Store, capsys: pytest.CaptureFixture[str]) -> None:
    assert stored.file
    stored.file.write_text("not a database " * 100)
    assert main(["stats"]) == 1
    assert "could not be saved or read" in capsys.readouterr().err


def test_feedback_goes_to_a_new_file_or_standard_output(
    stored: Store, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    stored.record_feedback(Feedback("run", True, "=1+1"))
    file = tmp_path / "feedback.csv"
    assert main(["feedback", "--csv", str(file)]) == 0
    written = file.read_bytes()
    assert written.startswith(b"\xef\xbb\xbftime_utc,run,clear,text\r\n")
    assert written.endswith(b",run,yes,'=1+1\r\n")
    assert main(["feedback", "--csv", str(file)]) == 1
    assert file.read_bytes() == written
    capfdbinary.readouterr()
    for command in (["feedback"], ["feedback", "--csv"]):
        assert main(command) == 0
        assert capfdbinary.readouterr().out == written


def test_a_downloaded_copy_is_read_without_a_database(
    tmp_path: Path, stored: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    early, late = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)
    first, second = attempt("run", SINGLE.id, correct=False), attempt("run", SINGLE.id)
    line: Callable[..., bytes] = to_line
    (tmp_path / "b.jsonl").write_bytes(line(first, early) + line(attempt("other", SINGLE.id), early))
    (tmp_path / "a.jsonl").write_bytes(line(second, late) + line(Feedback("run", None, "ok"), late) + b'{"kind": "att')
    (tmp_path / "notes.txt").write_text("not a record")
    assert main(["stats", "--json", "--from", str(tmp_path)]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["runs"], report["attempts"], report["items"][0]["first_tries"]) == (2, 2, 2)
    assert main(["stats", "--from", str(tmp_path / "missing")]) == 1
    assert str(tmp_path / "missing") in capsys.readouterr().err
    assert not (stored.file or tmp_path).exists()


def test_the_database_of_the_readme_is_plain_sql(stored: Store) -> None:
    stored.record(attempt())
    assert stored.file
    with sqlite3.connect(stored.file) as connection:
        assert connection.execute("SELECT run, item_id, correct FROM quiz_attempts").fetchall() == [("run", "item", 1)]
    connection.close()
