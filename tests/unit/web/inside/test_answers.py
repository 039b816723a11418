"""The answers to the questions of the cards follow the figures, which are computed again here."""

import json
from dataclasses import replace
from pathlib import Path
from statistics import fmean

import pytest

from sentiment_gru.web.inside import answers, cards
from sentiment_gru.web.inside.answers import Answer, render_answer
from sentiment_gru.web.inside.cards import QUESTIONS
from sentiment_gru.web.inside.cell_view import format_number
from sentiment_gru.web.inside.figures import variant_name
from sentiment_gru.web.inside.gru_cell import RESET_ONLY, step
from sentiment_gru.web.inside.measurements import Measured, read_measured
from tests.made_up_results import write_results

from .conftest import extract_numbers


def test_a_closed_reset_gate_forgets_only_if_the_update_gate_copies_nothing() -> None:
    taken = step(RESET_ONLY.weights, RESET_ONLY.x, RESET_ONLY.h)
    answer = answers.answer_chapter(taken)
    assert answer.correct == [QUESTIONS["chapter"].options[1]]
    assert extract_numbers(answer.explanation) == {format_number(v) for v in (taken.r, taken.z, taken.h, taken.new)}


def test_the_answer_on_the_cell_is_that_of_its_step() -> None:
    exercise = cards.EXERCISE_STEP
    answer = answers.answer_cell(exercise)
    assert answer.correct == [QUESTIONS["cell"].options[1]]
    new = exercise.z * exercise.h + (1 - exercise.z) * exercise.n
    assert format_number(new) in extract_numbers(answer.explanation)
    asked = {format_number(value) for value in (exercise.h, exercise.n, exercise.z)}
    assert asked == extract_numbers(QUESTIONS["cell"].text)
    near_old = answers.answer_cell(step(replace(cards.EXERCISE.weights, b_z=3.0), 0.0, 0.8))
    assert near_old.correct == [QUESTIONS["cell"].options[0]]


@pytest.mark.parametrize(("changed", "option"), [(3, 2), (50, 1), (99, 0)])
def test_the_answer_on_the_units_follows_their_number(changed: int, option: int) -> None:
    answer = answers.answer_unit(changed, 100, "<b>")
    assert answer.correct == [QUESTIONS["unit"].options[option]]
    assert {str(changed), "100", f"{changed}%"} <= extract_numbers(answer.explanation)
    assert "&lt;b&gt;" in render_answer(None, answer)


@pytest.mark.parametrize(
    ("torch_one", "word", "correct"),
    [
        ((10.0, 3.0, 4.0), "fails", ["LSTM"]),
        ((3.0, 10.0, 4.0), "holds", ["GRU"]),
        ((4.0, 4.05, 9.0), "equally", ["GRU", "LSTM"]),
    ],
)
def test_the_answer_on_speed_follows_the_times(
    tmp_path: Path, torch_one: tuple[float, float, float], word: str, correct: list[str]
) -> None:
    answer = answers.answer_compare(read_measured(write_results(tmp_path, torch_one)).speed)
    assert word in answer.explanation
    assert answer.correct == correct
    assert {f"{time:.1f}" for time in torch_one} <= extract_numbers(answer.explanation)


def test_the_gradients_are_those_of_the_result_file(folder: Path, measured: Measured) -> None:
    result = json.loads((folder / "cell_gradients.json").read_text())
    index = result["distances"].index(cards.COMPARED_DISTANCE)
    answer = answers.answer_gradient(measured.gradients)
    before = {}
    for cell in ("gru", "lstm", "rnn"):
        curves = result["models"][f"{cell}-last"]
        medians = {stage: curves[stage]["c" if cell == "lstm" else "h"]["median"] for stage in ("start", "trained")}
        before[cell] = medians["start"][index]
        for values in medians.values():
            assert f"{values[index] / values[0]:.0e}".replace("-", "−") in extract_numbers(answer.explanation)
    assert answer.correct == [max(before, key=before.__getitem__).upper()]


def test_the_recall_is_that_of_the_result_file(folder: Path, measured: Measured) -> None:
    result = json.loads((folder / "recall.json").read_text())
    answer = answers.answer_recall(measured.recall)
    for variant, by_lag in result["variants"].items():
        assert f"{variant_name(variant)} {fmean(by_lag['200']['accuracy']):.0%}" in answer.explanation
    assert answer.correct == ["GRU", "LSTM, forget bias 1"]


def test_the_recall_is_compared_over_a_delay_at_which_the_cells_differ(measured: Measured) -> None:
    far = {variant: by_lag | {200: (0.1, 0.15)} for variant, by_lag in measured.recall.accuracies.items()}
    near = far | {"rnn": far["rnn"] | {50: (0.1, 0.1)}}
    recall = replace(measured.recall, accuracies=near)
    assert cards.compared_lag(recall) == 50
    assert "50" in extract_numbers(cards.recall_question(recall).text)
    answer = answers.answer_recall(recall)
    assert "RNN" not in answer.correct
    assert {"10%", "200", "12%"} <= extract_numbers(answer.explanation)  # RNN over 50, and the best of all over 200


def test_a_guess_is_shown_as_correct_or_not() -> None:
    answer = Answer(["GRU"], "So.")
    assert "As you said." in render_answer("GRU", answer)
    assert "Not so." in render_answer("RNN", answer)
    assert render_answer(None, answer) == "<p>So.</p>"


def test_cards_and_questions_without_a_measurement_are_left_out(tmp_path: Path) -> None:
    nothing = read_measured(tmp_path)
    assert nothing == Measured({}, None, None, None)
    assert [card.name for card in cards.list_cards(nothing, is_gru=True)] == ["chapter", "cell", "unit", "compare"]
    assert [card.name for card in cards.list_cards(nothing, is_gru=False)] == ["chapter", "cell", "compare"]
    assert cards.find_question("compare", nothing) is None
    assert cards.find_question("recall", nothing) is None
