"""Item analysis: statistics agree with hand-worked examples and simulations, and no item is flagged by chance."""

import csv
import io
import itertools
import json
import random
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import f, pointbiserialr

from quiz import item_analysis, load_bank
from quiz.__main__ import main
from quiz.bank import Bank, draw_instance
from quiz.estimates import estimate_reliability
from quiz.grading import DO_NOT_KNOW
from quiz.item_analysis import Confidence, Flag, ItemReport, Measures, Report, analyze_items
from quiz.records import ATTEMPT_COLUMNS, Attempt, Feedback, Period, attempts_csv, attempts_json, feedback_csv, to_line
from quiz.report_table import format_table
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


def test_numbers_typed_for_drawn_questions_are_grouped_by_the_mistake() -> None:
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


def test_the_statistics_agree_with_a_calculation_by_hand() -> None:
    """For item a, x = 1 five times and 0 five times, and y = 1 1 1 1 .5 .5 0 0 0 0: r = .2 / (.5 * sqrt(.2))."""
    attempts = [*tries("1111100000", "a"), *tries("1111110000", "b"), *tries("1111000000", "c")]
    statistics = measures(attempts)
    assert statistics.facility == statistics.mean_credit == 0.5
    # Wilson: (p + q / 2n +- z sqrt(p q / n + z^2 / 4n^2)) / (1 + z^2 / n), with z = 1.959964
    assert statistics.facility_interval.low == pytest.approx(0.236593, abs=1e-6)
    assert statistics.facility_interval.high == pytest.approx(0.763407, abs=1e-6)
    found = statistics.discrimination
    assert found
    assert found.value == pytest.approx(0.2 / (0.5 * 0.2**0.5))
    half = 1.959964 / 7**0.5
    assert found.interval.low == pytest.approx(np.tanh(np.arctanh(found.value) - half), abs=1e-6)
    assert found.interval.high == pytest.approx(np.tanh(np.arctanh(found.value) + half), abs=1e-6)
    assert measures(attempts, "c").discrimination is None  # only four are right


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
    assert discrimination
    assert discrimination.value == pytest.approx(np.corrcoef(x, y)[0, 1])
    assert discrimination.p_value == pytest.approx(pointbiserialr(x, y).pvalue)


def test_an_item_without_variance_has_no_discrimination() -> None:
    assert measures([*tries("1" * 20, "a"), *tries("10" * 10, "b")]).discrimination is None
    assert measures([*tries("10" * 10, "a"), *tries("1" * 20, "b")]).discrimination is None
    assert measures(tries("10" * 10, "a")).discrimination is None  # and one without a rest has none


def test_perfect_agreement_has_an_interval_of_one_point() -> None:
    found = measures([*tries("10" * 10, "a"), *tries("10" * 10, "b")]).discrimination
    assert found
    assert (found.value, found.interval.low, found.interval.high) == pytest.approx((1, 1, 1))


def test_fewer_than_thirty_first_tries_are_a_small_sample() -> None:
    few, enough = tries("10" * 14 + "1", "a"), tries("10" * 15, "a")
    assert item(few).small
    assert not item(enough).small
    assert "29 (small sample)  52% (34 to 69%)" in format_table(analyze_items(few, BANK), BANK)
    assert "small sample" not in format_table(analyze_items(enough, BANK), BANK)


def simulate(seed: int, runs: int, items: int, discriminating: bool) -> list[Attempt]:
    """Return answers to single-choice items of four options, each run at a random half of the items.

    Of discriminating items, the right option is chosen with a probability that rises with the ability of the run.
    Otherwise all choices are random, with the same probabilities for every run: one in four is right.
    """
    chance = np.random.default_rng(seed)
    attempts = []
    for run in range(runs):
        ability = chance.normal()
        for number in chance.permutation(items)[: items // 2]:
            right = 1 / (1 + np.exp(-1.5 * ability)) if discriminating else 0.25
            oid = "a" if chance.random() < right else str(chance.choice(["b", "c", "d"]))
            attempts.append(attempt(str(run), f"item-{number}", answer=(oid,), correct=oid == "a"))
    return attempts


def made_up_bank(items: int) -> Bank:
    options = tuple(replace(SINGLE.options[0], oid=oid, correct=oid == "a", misconception=None) for oid in "abcd")
    blank = replace(SINGLE, version=1, options=options)
    return Bank(tuple(replace(blank, id=f"item-{number}") for number in range(items)))


def flagged(report: Report) -> dict[str, tuple[Flag, ...]]:
    return {entry.item_id: entry.flags for entry in report.items if entry.flags}


def test_of_two_hundred_null_items_at_most_five_percent_are_flagged() -> None:
    shares = [len(flagged(analyze_items(simulate(seed, 80, 200, False), made_up_bank(200)))) / 200 for seed in range(2)]
    assert max(shares) <= 0.05
    assert sum(shares) <= 0.01  # as all are null, a flag anywhere has a probability of 5% a simulation


def test_without_the_control_null_items_would_be_flagged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(item_analysis, "adjust_p_values", list)
    assert len(flagged(analyze_items(simulate(0, 80, 200, False), made_up_bank(200)))) > 10


def test_a_wrong_key_is_flagged_and_sound_items_are_not() -> None:
    """The key of the first item names b, while able learners answer a."""
    attempts = simulate(1, 200, 20, True)
    bank = made_up_bank(20)
    first = replace(
        bank.items[0],
        options=tuple(replace(option, correct=option.oid == "b") for option in bank.items[0].options),
    )
    marked = [
        replace(entry, correct=entry.answer == ("b",)) if entry.item_id == first.id else entry for entry in attempts
    ]
    report = analyze_items(marked, replace(bank, items=(first, *bank.items[1:])))
    assert set(flagged(report)) == {first.id}
    kinds = [(flag.kind, flag.answer) for flag in flagged(report)[first.id]]
    assert ("distractor", "a") in kinds
    assert "Those who do well elsewhere choose this wrong answer more often" in format_table(report, bank)


def test_fewer_right_answers_than_by_guessing_are_flagged() -> None:
    attempts = [attempt(f"run {run}", "item-0", answer=("b",), correct=False) for run in range(40)]
    report = analyze_items(attempts, made_up_bank(1))
    assert [flag.kind for flag in flagged(report)["item-0"]] == ["guessing"]
    assert not flagged(analyze_items(attempts[:29], made_up_bank(1)))  # a small sample


def test_choices_are_counted_in_ability_groups() -> None:
    """Of 45 runs, 15 have none of two other items right, 15 one and 15 both."""
    attempts = []
    for run in range(45):
        group = run // 15
        attempts += [attempt(f"run {run}", f"other {number}", correct=group > number) for number in range(2)]
        oid = "abcd"[run % 15 % (group + 2)]
        attempts.append(attempt(f"run {run}", "item-0", answer=(oid,), correct=oid == "a"))
    statistics = item(attempts, "item-0", made_up_bank(1)).measures
    assert statistics
    assert statistics.groups == (15, 15, 15)
    shares = {choice.answer: choice.by_group for choice in statistics.choices}
    assert shares["a"] == pytest.approx((8 / 15, 5 / 15, 4 / 15))
    assert shares["d"] == pytest.approx((0, 0, 3 / 15))
    alike = [entry for entry in attempts if entry.item_id == "item-0"]
    statistics = item(alike, "item-0", made_up_bank(1)).measures
    assert statistics
    assert statistics.groups is None  # without other answers there is no ability


def test_alpha_of_complete_runs_agrees_with_its_definition() -> None:
    chance = np.random.default_rng(3)
    right = chance.random((60, 12)) < 1 / (1 + np.exp(-chance.normal(size=(60, 1))))
    attempts = [attempt(str(run), str(number), correct=bool(right[run, number])) for run, number in np.ndindex(60, 12)]
    found = analyze_items(attempts, BANK).reliability
    assert found
    facility, totals = right.mean(0), right.sum(1)
    kr20 = 12 / 11 * (1 - (facility * (1 - facility)).sum() / totals.var())
    assert found.alpha == pytest.approx(kr20, abs=1e-9)
    assert found.standard_error == pytest.approx((totals / 12).std(ddof=1) * (1 - kr20) ** 0.5, abs=1e-9)
    low, high = (1 - (1 - kr20) * f.ppf(level, 59, 59 * 11) for level in (0.975, 0.025))
    assert (found.interval.low, found.interval.high) == pytest.approx((low, high), abs=1e-9)
    assert (found.runs, found.items_per_run) == (60, 12)


def test_alpha_of_runs_with_different_items_is_without_bias() -> None:
    """Scores are an ability of variance .16, an item effect, and an error of variance 1; 10 of 40 items a run."""
    chance, found = np.random.default_rng(4), []
    for _ in range(100):
        runs = np.repeat(np.arange(80), 10)
        items = np.concatenate([chance.permutation(40)[:10] for _ in range(80)])
        scores = chance.normal(0, 0.4, 80)[runs] + chance.normal(0, 1, 40)[items] + chance.normal(size=800)
        estimate = estimate_reliability(runs.tolist(), items.tolist(), scores.tolist())
        assert estimate
        found.append(estimate)
    truth = 1.6 / 2.6
    assert np.mean([estimate.alpha for estimate in found]) == pytest.approx(truth, abs=0.02)
    assert 90 <= sum(estimate.interval.low <= truth <= estimate.interval.high for estimate in found) <= 100


def test_too_few_answers_have_no_reliability() -> None:
    for attempts in (tries("1010", "a"), [*tries("11", "a"), *tries("11", "b")], [attempt("run", "a")]):
        assert analyze_items(attempts, BANK).reliability is None


def test_misconceptions_are_ranked_by_what_is_certain() -> None:
    bank = replace(made_up_bank(2), misconceptions={"m-often": "Often.", "m-seldom": "Seldom."})
    names = {"b": "m-often", "c": "m-seldom"}
    options = tuple(replace(option, misconception=names.get(option.oid)) for option in bank.items[0].options)
    bank = replace(bank, items=tuple(replace(entry, options=options) for entry in bank.items))
    attempts = [
        attempt(f"run {run}", f"item-{number}", answer=(oid,), correct=oid == "a")
        for number, answers in enumerate(["aabbbc", "aaaabb"])
        for run, oid in enumerate(answers)
    ]
    found = analyze_items(attempts, bank).misconceptions
    assert [(entry.name, entry.count, entry.chances, entry.items) for entry in found] == [
        ("m-often", 5, 12, ("item-0", "item-1")), ("m-seldom", 1, 12, ("item-0",)),
    ]  # fmt: skip
    assert found[0].statement == "Often."
    assert found[0].interval.low == pytest.approx(0.1933, abs=1e-4)
    assert "m-often: 5 of 12 (19 to 68%); item-0, item-1" in format_table(analyze_items(attempts, bank), bank)


def test_a_typed_number_shows_its_misconception() -> None:
    template = next(item for item in BANK.items if item.id == "gru-update-003")
    drawn = draw_instance(template, "1")
    assert drawn.numeric
    wrong = next(wrong for wrong in drawn.numeric.anticipated if wrong.misconception)
    values = {"answer": (str(wrong.value),), "correct": False, "parameters": drawn.drawn}
    report = analyze_items([attempt("run", template.id, item_version=template.version, **values)], BANK)
    assert [(entry.name, entry.count) for entry in report.misconceptions] == [(wrong.misconception, 1)]
    assert report.misconceptions[0].statement == BANK.misconceptions[wrong.misconception or ""]


def test_of_options_to_order_the_right_places_are_counted() -> None:
    ordered = next(item for item in BANK.items if item.type == "order" and item.arrangement.misconception)
    correct = ordered.arrangement.correct
    swapped = (correct[1], correct[0], *correct[2:])
    given = [correct, correct, swapped, (DO_NOT_KNOW,)]
    attempts = [
        attempt(f"run {n}", ordered.id, item_version=ordered.version, answer=answer, correct=answer == correct)
        for n, answer in enumerate(given)
    ]
    report = analyze_items(attempts, BANK)
    found = next(item for item in report.items if item.item_id == ordered.id)
    assert [(choice.answer, choice.count) for choice in found.measures.choices] == [
        ("place 1", 2),
        ("place 2", 2),
        *((f"place {place}", 3) for place in range(3, len(correct) + 1)),
        ("I don't know", 1),
    ]
    (misconception,) = report.misconceptions
    assert (misconception.name, misconception.count) == (ordered.arrangement.misconception, 1)
    assert misconception.chances == 4


def test_only_first_tries_count() -> None:
    again = [attempt(f"later {run}", "a", first_try=False) for run in range(10)]
    report = analyze_items([*tries("1000", "a"), *again], BANK)
    assert (report.runs, report.attempts, report.first_tries) == (14, 14, 4)
    assert measures([*tries("1000", "a"), *again]).facility == 0.25


def test_every_option_is_listed_even_if_nobody_chose_it() -> None:
    right, wrong = SINGLE.correct_option.oid, next(option.oid for option in SINGLE.options if not option.correct)
    attempts = [*tries("111", SINGLE.id, answer=(right,)), attempt("r", SINGLE.id, answer=(wrong, "gone"))]
    choices = measures(attempts, SINGLE.id).choices
    assert [choice.answer for choice in choices] == [*(option.oid for option in SINGLE.options), "gone"]
    by_answer = {choice.answer: (choice.correct, choice.count, choice.share) for choice in choices}
    assert by_answer[right] == (True, 3, 0.75)
    assert by_answer[wrong] == (False, 1, 0.25)
    assert by_answer["gone"] == (None, 1, 0.25)
    assert 0 in [choice.count for choice in choices]


def test_the_most_frequent_numbers_are_listed() -> None:
    typed = ["1", "1", "2", "3", "4", "5", "6"]
    attempts = [attempt(f"run {run}", NUMERIC.id, answer=(number,)) for run, number in enumerate(typed)]
    statistics = item(attempts, NUMERIC.id, Bank((NUMERIC,))).measures
    assert statistics
    assert [choice.answer for choice in statistics.choices] == ["1", "2", "3", "4", "5"]


def test_time_hints_and_confidence() -> None:
    times = [1000, 3000, 5000, 100_000, None]
    attempts = [
        attempt(str(run), "a", milliseconds=time, hints=run % 3, confidence=sure, correct=right)
        for run, (time, sure, right) in enumerate(
            zip(times, [50, 50, 100, 100, None], [True, False, True, True, False], strict=True)
        )
    ]
    statistics = measures(attempts)
    assert statistics.seconds == (2.5, 4, 28.75)
    assert statistics.hint_share == pytest.approx(3 / 5)
    assert statistics.confidence == (Confidence(50, 2, 0.5), Confidence(100, 2, 1.0))
    assert analyze_items(attempts, BANK).confidence == ()  # of a small sample
    again = [replace(entry, run=f"{entry.run} {copy}") for entry in attempts for copy in range(8)]
    assert analyze_items(again, BANK).confidence == (Confidence(50, 16, 0.5), Confidence(100, 16, 1.0))
    assert measures(tries("1010", "a")).seconds is None
    assert measures([attempt(milliseconds=2000, item_id="a")]).seconds == (2, 2, 2)


def test_items_and_versions_that_the_bank_does_not_have_are_marked() -> None:
    attempts = [*tries("1010", SINGLE.id, item_version=99), *tries("1010", "gone")]
    reports = {(entry.item_id, entry.version): entry for entry in analyze_items(attempts, BANK).items}
    assert reports[SINGLE.id, SINGLE.version] == ItemReport(SINGLE.id, SINGLE.version, True, 0, None)
    assert not reports[SINGLE.id, 99].in_bank
    assert not reports["gone", 1].in_bank
    assert len(reports) == len(BANK.items) + 2
    assert "gone v1 (not in the bank)" in format_table(analyze_items(attempts, BANK), BANK)


MOMENT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_every_figure_can_be_recomputed_from_the_csv_file() -> None:
    attempts = simulate(2, 90, 12, True)
    attempts = [replace(entry, milliseconds=1000 + 7 * place) for place, entry in enumerate(attempts)]
    report = analyze_items(attempts, made_up_bank(12))
    table = pd.read_csv(io.StringIO(attempts_csv((MOMENT, entry) for entry in attempts).removeprefix("\ufeff")))
    table["right"] = (table["correct"] == "yes").astype(float)
    by_run = table.groupby("run")["right"]
    table["rest"] = (by_run.transform("sum") - table["right"]) / (by_run.transform("count") - 1)
    for entry in report.items:
        rows = table[table["item"] == entry.item_id]
        statistics = entry.measures
        assert statistics
        assert statistics.discrimination
        assert entry.first_tries == len(rows)
        assert statistics.facility == pytest.approx(rows["right"].mean(), abs=1e-9)
        assert statistics.discrimination.value == pytest.approx(rows["right"].corr(rows["rest"]), abs=1e-9)
        assert statistics.seconds == pytest.approx(rows["milliseconds"].quantile([0.25, 0.5, 0.75]) / 1000, abs=1e-9)
        for choice in statistics.choices:
            assert choice.share == pytest.approx((rows["answer"] == choice.answer).mean(), abs=1e-9)
            assert choice.by_group
            assert statistics.groups
            chosen = sum(share * size for share, size in zip(choice.by_group, statistics.groups, strict=True))
            assert chosen == pytest.approx(choice.count, abs=1e-9)


def test_attempts_as_csv_and_json() -> None:
    values = {"answer": ("=1+1", "b"), "credit": 0.75, "confidence": 60, "parameters": {"z": 0.5}, "correct": False}
    record = attempt("@run", "-item", milliseconds=1234, hints=1, **values)
    header, row = csv.reader(io.StringIO(attempts_csv([(MOMENT, record)]).removeprefix("\ufeff")))
    assert header == list(ATTEMPT_COLUMNS)
    assert row == [
        "2026-01-02 03:04:05", "'@run", "'-item", "1", "'=1+1; b", "no", "0.75", "yes", "1", "60", "1234", '{"z": 0.5}',
    ]  # fmt: skip
    (read,) = json.loads(attempts_json([(MOMENT, record)]))
    assert datetime.fromisoformat(read.pop("at")) == MOMENT
    assert Attempt(**read | {"answer": tuple(read["answer"])}) == record


def test_a_period_includes_both_of_its_days() -> None:
    days = [date(2026, 1, day) for day in (1, 2, 3)]
    assert MOMENT in Period()
    assert [MOMENT in Period(day, None) for day in days] == [True, True, False]
    assert [MOMENT in Period(None, day) for day in days] == [False, True, True]


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
    assert output.startswith("4 answers in 4 runs. Only first tries count: 4.")
    assert f"{SINGLE.id} v{SINGLE.version}" in output
    assert f"Items of the bank without a first try: {len(BANK.items) - 1}." in output
    assert main(["stats", "--json"]) == 0
    first = json.loads(capsys.readouterr().out)["items"][0]
    assert (first["item_id"], first["first_tries"], first["measures"]["facility"]) == (SINGLE.id, 4, 0.5)
    assert main(["stats", "--until", "2020-01-01"]) == 0
    assert capsys.readouterr().out == "Nothing has been answered yet.\n"
    assert main(["stats", "--since", "soon"]) == 2


def test_attempts_of_a_period_are_written(stored: Store, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    early, late = datetime(2026, 1, 1, 23, 59, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)
    stored.add_missing([(early, attempt("early")), (late, attempt("late"))])
    assert main(["attempts", "--since", "2026-01-02", "--json"]) == 0
    assert [record["run"] for record in json.loads(capfdbinary.readouterr().out)] == ["late"]
    assert main(["attempts", "--until", "2026-01-01"]) == 0
    assert capfdbinary.readouterr().out.splitlines()[1:] == [
        b"2026-01-01 23:59:00,early,item,1,a,yes,1.0,yes,0,,,{}",
    ]


@pytest.mark.parametrize("command", [["stats"], ["attempts"], ["feedback", "--csv"]])
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
