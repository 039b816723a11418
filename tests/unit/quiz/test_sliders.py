"""Items with sliders: the server computes the result of the positions, and running the cell proves the formula."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quiz.__main__ import main
from quiz.bank import (
    SHIPPED_BANK,
    Bank,
    Goal,
    Item,
    draw_instance,
    find_bank_faults,
    load_bank,
    public_view,
    sample_positions,
)
from quiz.bank.formulas import ClaimError
from quiz.errors import SessionError
from quiz.grading import DO_NOT_KNOW, MAX_CHARACTERS, grade
from quiz.item_analysis import analyze_items
from quiz.proofs import prove
from quiz.records import Attempt
from quiz.views import correct_answer, given_answer, slider_positions, sliders_html, verdict

BANK = load_bank()
BY_ID = {item.id: item for item in BANK.items}
SLIDERS = [item for item in BANK.items if item.sliders]
MIX = BY_ID["gru-update-011"]  # z * 0.8 + (1 - z) * -0.4 should become -0.1
BOTH = BY_ID["gru-update-012"]
each_item = pytest.mark.parametrize("item", SLIDERS, ids=lambda item: item.id)


def solution(item: Item) -> tuple[str, ...]:
    assert item.goal
    return tuple(str(item.goal.solution[slider.name]) for slider in item.sliders)


# Grading


@each_item
@pytest.mark.parametrize("seed", range(5))
def test_the_solution_is_right_and_the_start_is_wrong(item: Item, seed: int) -> None:
    drawn = draw_instance(item, str(seed))
    right = grade(drawn, solution(drawn))
    assert (right.correct, right.credit) == (True, 1)
    start = grade(drawn, [str(slider.start) for slider in drawn.sliders])
    assert (start.correct, start.credit) == (False, 0)


@pytest.mark.parametrize(
    ("position", "reached", "correct"),
    [("0.25", -0.1, True), ("0.266", -0.0808, True), ("0.27", -0.076, False), ("1/4", -0.1, True), ("0", -0.4, False)],
)
def test_the_result_is_computed_from_the_position_and_right_within_the_tolerance(
    position: str, reached: float, correct: bool
) -> None:
    graded = grade(MIX, [position])
    assert graded.number == pytest.approx(reached)
    assert graded.correct is correct


def test_a_known_mistake_is_recognized_by_its_result() -> None:
    assert grade(MIX, ["0.75"]).misconceptions == ("m-conventions-swapped",)
    assert grade(MIX, ["0.4"]).misconceptions == ()
    assert grade(BOTH, ["0", "1"]).misconceptions == ("m-two-ways",)
    assert grade(BOTH, ["1", "0"]).misconceptions == ("m-two-ways",)


def test_who_does_not_know_has_no_result() -> None:
    graded = grade(MIX, [DO_NOT_KNOW])
    assert (graded.number, graded.correct, graded.positions) == (None, False, {})


@pytest.mark.parametrize(
    ("given_answer", "message"),
    [
        ([], "Set every slider"),
        (["0.5", "0.5"], "Set every slider"),
        (["1.01"], "Update gate z: only 0 to 1 can be set"),
        (["-0.1"], "only 0 to 1 can be set"),
        ([""], "Type a number"),
        (["nan"], "not a number"),
        (["inf"], "not a number"),
        (["1e309"], "too large"),
        (["__import__('os')"], "not a number"),
        (["0" * (MAX_CHARACTERS + 1)], "longer than"),
        ([0.5], "cannot be read"),
    ],
)
def test_positions_that_no_slider_has_are_refused(given_answer: list[Any], message: str) -> None:
    with pytest.raises(SessionError, match=message):
        grade(MIX, given_answer)


def test_a_formula_without_a_result_at_a_position_is_refused() -> None:
    hole = replace(MIX, goal=Goal("h", "1 / (z - 0.35)", {"z": 0.25}))
    with pytest.raises(SessionError, match="cannot be computed"):
        grade(hole, ["0.35"])
    assert hole.goal
    with pytest.raises(ClaimError):
        hole.goal.result({"z": 0.35})


def test_positions_beyond_those_asked_for_are_not_read() -> None:
    assert slider_positions(public_view(MIX), ";" * 10_000) == ["", ""]


@given(st.text(max_size=100))
def test_whatever_the_page_sends_is_graded_or_refused(chosen: str) -> None:
    for item in (MIX, BOTH):
        positions = slider_positions(public_view(item), chosen)
        assert len(positions) <= len(item.sliders) + 1
        try:
            graded = grade(item, positions)
        except SessionError:
            continue
        assert graded.given == (DO_NOT_KNOW,) or graded.number is not None


# Proofs


@each_item
def test_the_formula_is_proved_by_running_the_cell(item: Item) -> None:
    for seed in ("a", "b"):
        drawn = draw_instance(item, seed)
        proof = prove(drawn)
        assert proof.proved, proof.trace
        assert "other positions" in proof.trace


@pytest.mark.parametrize(
    "formula",
    [
        "(1 - z) * (0.8) + z * (-0.4)",  # the other sign of z
        "z * (0.8) + (1 - z) * (-0.4) + 0.001",
        "z * (0.8) + (1 - z) * (-0.4) + z * (z - 0.25)",  # right at the solution only
    ],
)
def test_a_formula_that_the_cell_does_not_follow_is_not_proved(formula: str) -> None:
    assert MIX.goal
    assert not prove(replace(MIX, goal=replace(MIX.goal, formula=formula))).proved


def test_a_wrong_solution_or_value_is_not_proved() -> None:
    assert MIX.goal
    assert MIX.numeric
    bare = replace(MIX, numeric=replace(MIX.numeric, anticipated=()))
    assert prove(bare).proved
    assert not prove(replace(bare, goal=replace(MIX.goal, solution={"z": 0.75}))).proved
    assert not prove(replace(bare, numeric=replace(MIX.numeric, value=0.2, anticipated=()))).proved


def test_positions_are_sampled_all_over_the_range() -> None:
    positions = sample_positions(BOTH.sliders)
    assert len(positions) == 9
    assert {"r": 0, "z": 1} in positions
    assert {"r": 0.5, "z": 0.5} in positions


# The page


def test_the_page_gets_the_range_and_the_tolerance_but_neither_formula_nor_solution() -> None:
    public = public_view(BOTH)
    text = repr(public) + sliders_html(public)
    assert "0.02" in text
    assert BOTH.goal
    assert "formula" not in text
    assert "solution" not in text
    assert "tanh" not in repr(public.sliders) + sliders_html(public)
    assert BOTH.goal.name not in repr(public.sliders)


def test_each_slider_has_a_label_a_range_and_its_start() -> None:
    html = sliders_html(public_view(BOTH))
    assert html.count('type="range"') == html.count("<label") == html.count("<output") == 2
    assert '<label for="quiz-slider-r">Reset gate r</label>' in html
    assert 'id="quiz-slider-r" min="0" max="1" step="0.1" value="0.5">' in html
    assert "disabled" not in html
    assert sliders_html(public_view(BY_ID["gru-anatomy-001"])) == ""


def test_an_answered_slider_stays_where_the_learner_left_it() -> None:
    html = sliders_html(public_view(BOTH), grade(BOTH, ["0.3", "1"]))
    assert 'value="0.3" disabled' in html
    assert 'value="1" disabled' in html


def test_a_label_is_escaped() -> None:
    evil = replace(MIX, sliders=(replace(MIX.sliders[0], label="<img src=x>", name='z" onfocus="x'),))
    assert "<img" not in sliders_html(public_view(evil))
    assert 'onfocus="x"' not in sliders_html(public_view(evil))


def test_the_feedback_says_what_was_reached_and_how_it_is_done() -> None:
    wrong, right = grade(MIX, ["0.75"]), grade(MIX, ["0.25"])
    assert verdict(wrong).startswith("**✗ Not right.** You reached $h_t$ = 0.5.")
    assert "**Correct answer:** Update gate z = 0.25, which leads to $h_t$ = −0.1" in verdict(wrong)
    assert verdict(right).startswith("**✓ Right.** You reached $h_t$ = −0.1.")
    assert given_answer(wrong).startswith("**You set:** Update gate z = 0.75, which leads to $h_t$ = 0.5. The weights")
    assert "Reset gate r = 0, Update gate z = 0" in correct_answer(BOTH)


# Statistics and other programs


def test_statistics_count_the_positions_together() -> None:
    item = replace(BOTH, template={}, drawn={})
    attempts = [
        Attempt("r" + str(n), item.id, 1, ("1", "1") if n else ("0", "0"), not n, float(not n), True, 0, None, None)
        for n in range(3)
    ]
    (report,) = analyze_items(attempts, Bank((item,))).items
    assert report.measures
    assert {choice.answer: choice.count for choice in report.measures.choices} == {"1; 1": 2, "0; 0": 1}


def test_an_export_says_that_sliders_are_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = json.loads(SHIPPED_BANK.read_text(encoding="utf-8"))
    keep = [raw for raw in data["items"] if raw["id"] in ("gru-anatomy-001", MIX.id)]
    for raw in keep:
        raw.pop("enemies", None)
        raw.pop("prereq", None)
    bank = tmp_path / "bank.json"
    bank.write_text(json.dumps(data | {"items": keep}), encoding="utf-8")
    for name in ("moodle", "gift", "qti2.1", "csv"):
        file = tmp_path / f"out.{name}"
        assert main(["export", "--format", name, "--bank", str(bank), str(file)]) == 0
        printed = capsys.readouterr().out
        assert f"not exported: {MIX.id}, whose sliders are to be set" in printed
        assert "1 items written" in printed
        assert MIX.stem.encode()[:40] not in file.read_bytes()


# The bank


def test_the_bank_has_sliders_in_four_topics() -> None:
    assert len(SLIDERS) == 5
    assert len({item.topic for item in SLIDERS}) == 4


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda raw: raw.pop("sliders"), "the field 'sliders' is missing"),
        (lambda raw: raw.update(type="numeric"), "does not exist"),
        (lambda raw: raw["key"].pop("solution"), "the field 'solution' is missing"),
        (lambda raw: raw["key"].update(tolerance=0), "tolerance"),
        (lambda raw: raw["key"].update(solution={"y": "z"}), "must have a position for each slider: z"),
        (lambda raw: raw["key"].update(solution={"z": "z + 0.01"}), "the solution 0.26 is not one of its positions"),
        (lambda raw: raw["key"].update(solution={"z": "z + 1"}), "the solution 1.25 is not one of its positions"),
        (lambda raw: raw["key"].update(solution={"z": "1 - z"}), "the solution leads to 0.5, not to -0.1"),
        (lambda raw: raw["key"].update(formula="y * 2"), "the formula cannot be computed"),
        (lambda raw: raw["key"].update(formula="1 / z"), "the formula cannot be computed"),
        (lambda raw: raw["sliders"][0].update(start=0.25), "right before they are moved"),
        (lambda raw: raw["sliders"][0].update(start=0.52), "the start 0.52 is not one of its positions"),
        (lambda raw: raw["sliders"][0].update(to=0.99), "the end 0.99 is not one of its positions"),
        (lambda raw: raw["sliders"].append(raw["sliders"][0]), "two sliders have the same name"),
        (lambda raw: raw["sliders"][0].update(step=0), "step"),
        (lambda raw: raw["sliders"][0].update(name="z z"), "should be its name in the formula, of letters"),
    ],
)
def test_a_slider_item_with_a_fault_is_refused(change: Callable[[dict[str, Any]], object], message: str) -> None:
    data = json.loads(SHIPPED_BANK.read_text(encoding="utf-8"))
    raw = next(raw for raw in data["items"] if raw["id"] == MIX.id)
    change(raw)
    assert message in " ".join(f"{fault.text} ({fault.item_id})" for fault in find_bank_faults(data))
