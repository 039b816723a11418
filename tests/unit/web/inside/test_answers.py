"""The answers to the questions of the cards follow the figures, which are computed again here."""

import json
from dataclasses import replace
from pathlib import Path
from statistics import fmean

import pytest

from sentiment_gru.web.inside import cards
from sentiment_gru.web.inside import cards as answers
from sentiment_gru.web.inside.cards import QUESTIONS, Answer, render_answer
from sentiment_gru.web.inside.figures import variant_name
from sentiment_gru.web.inside.gru_cell import RESET_ONLY, step
from sentiment_gru.web.inside.measurements import COMPARED_DISTANCE, Measured, format_left, read_measured
from sentiment_gru.web.inside.stage_view import format_number
from tests.made_up_results import write_results

from .conftest import extract_numbers


def test_a_closed_reset_gate_forgets_only_if_the_update_gate_copies_nothing() -> None:
    taken = step(RESET_ONLY.weights, RESET_ONLY.x, RESET_ONLY.h)
    answer = answers.answer_chapter(taken)
    assert answer.correct == [QUESTIONS["chapter"].options[1]]
    assert extract_numbers(answer.explanation) == {format_number(v) for v in (taken.r, taken.z, taken.h, taken.new)}


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
    index = result["distances"].index(COMPARED_DISTANCE)
    answer = answers.answer_gradient(measured.gradients)
    trained = {}
    for cell in ("gru", "lstm", "rnn"):
        curves = result["models"][f"{cell}-last"]
        for stage in ("pytorch", "start", "trained"):
            median = curves[stage]["c" if cell == "lstm" else "h"]["median"]
            left = median[index] / median[0]
            assert f"{cell.upper()} {format_left(left)}" in answer.explanation
        trained[cell] = left
    assert answer.correct == [max(trained, key=trained.__getitem__).upper()]


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
    assert [card.name for card in cards.list_cards(nothing, is_gru=True)] == [
        "chapter",
        "cell",
        "weights",
        "unit",
        "train",
        "compare",
    ]
    assert [card.name for card in cards.list_cards(nothing, is_gru=False)] == [
        "chapter",
        "cell",
        "weights",
        "train",
        "compare",
    ]
    assert cards.find_question("compare", nothing) is None
    assert cards.find_question("recall", nothing) is None
