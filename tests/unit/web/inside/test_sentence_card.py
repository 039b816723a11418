"""The card of a sentence, without a browser."""

from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import pytest

from sentiment_gru import SentimentClassifier
from sentiment_gru.explanation.gates import gates
from sentiment_gru.results import MAX_CHARACTERS
from sentiment_gru.web.inside.sentence_card import (
    EMPTY,
    KINDS,
    LOADING,
    SENTENCE,
    SentenceEvents,
    list_changes,
    list_stories,
    unit_terms,
)
from sentiment_gru.web.inside.stage_view import format_number
from sentiment_gru.web.model_loader import ClassifierLoader

from .conftest import extract_numbers
from .test_gru_cell import sigmoid
from .test_stage_view import values_of

TEXT = "this film was great"


@pytest.fixture(scope="module")
def events(tiny_checkpoint: Path) -> SentenceEvents:
    return SentenceEvents(ClassifierLoader(tiny_checkpoint))


@pytest.fixture(scope="module")
def shipped() -> SentimentClassifier:
    return SentimentClassifier.from_pretrained(threads=1)


def test_the_terms_give_the_gates_of_the_explanation(shipped: SentimentClassifier) -> None:
    reading = shipped.read(SENTENCE)
    expected, _ = gates(reading)
    for direction in (0, 1):
        for unit, terms in zip((0, 7), unit_terms(reading, direction, [0, 7]), strict=True):
            from_input, from_past = np.array(terms["input"]), np.array(terms["past"])
            r, z = ([sigmoid(value) for value in from_input[gate] + from_past[gate]] for gate in (0, 1))
            assert r == pytest.approx(expected.reset[direction, :, unit], abs=1e-5)
            assert z == pytest.approx(expected.update[direction, :, unit], abs=1e-5)
            n = np.tanh(from_input[2] + np.array(r) * from_past[2])
            assert n == pytest.approx(expected.candidate[direction, :, unit], abs=1e-5)
            assert terms["hidden"] == pytest.approx(expected.hidden[direction, :, unit], abs=1e-6)


def test_the_first_sentence_has_all_stories_and_each_names_its_number(shipped: SentimentClassifier) -> None:
    label = shipped([SENTENCE])[0].label
    for direction in (0, 1):
        found = list_stories(shipped.read(SENTENCE), direction, label, list(shipped.labels))
        assert [one.title for one in found] == [title for title, _ in KINDS.values()]
        for one in found:
            assert one.tokens
            assert f"the logit of {label} changes by" in one.test
            assert len(extract_numbers(one.claim + one.test)) >= 4


def test_what_is_held_was_written_by_the_word_before(shipped: SentimentClassifier) -> None:
    reading = shipped.read(SENTENCE)
    expected, _ = gates(reading)
    for direction, after in ((0, 1), (1, -1)):
        hold = list_stories(reading, direction, "positive", list(shipped.labels))[0]
        assert np.diff(hold.tokens).tolist() == [after] * (len(hold.tokens) - 1)
        written = expected.hidden[direction, hold.tokens[0], hold.unit]
        assert f"“{reading.tokens[hold.tokens[0]].text}” makes its state {format_number(written)}" in hold.claim
        copied = expected.update[direction, list(hold.tokens[1:]), hold.unit].prod()
        assert f"{copied:.0%}" in hold.claim


def test_a_text_without_turn_and_negation_has_no_such_units(events: SentenceEvents) -> None:
    stage = events.show(TEXT)
    for kind in ("reset", "flip"):
        title, missing = KINDS[kind]
        assert f"<b>{title}</b> {missing}" in stage


def test_the_unit_of_a_token_is_the_one_that_changes_most(events: SentenceEvents) -> None:
    hidden = events.loader.classifier().explain(TEXT, methods=()).hidden[0]  # (T, H)
    values = values_of(events.show(TEXT, token=3))
    assert values["token"] == 3
    assert values["units"][values["chosen"]]["unit"] == np.abs(hidden[3] - hidden[2]).argmax()
    reading = events.loader.classifier().read(TEXT)
    most = list_changes(reading, 0, None, None)[0]
    changes = np.abs(np.diff(hidden, axis=0, prepend=0))
    assert (most.tokens[0], most.unit) == np.unravel_index(changes.argmax(), changes.shape)


def test_any_unit_can_be_asked_for_and_one_out_of_range_is_replaced_by_the_nearest(events: SentenceEvents) -> None:
    def chosen(unit: float) -> Any:
        values = values_of(events.show(TEXT, 1, unit=unit))
        return values["units"][values["chosen"]]["unit"]

    assert (chosen(3), chosen(1e6), chosen(-2)) == (3, 7, 0)
    assert values_of(events.show(TEXT, token=99))["token"] == 3


def test_the_running_verdict_ends_at_the_verdict(events: SentenceEvents) -> None:
    values = values_of(events.show(TEXT))
    scores = events.loader.classifier()([TEXT])[0].scores
    assert values["labels"] == list(scores)
    assert len(values["running"]) == 5
    assert values["running"][-1] == pytest.approx(list(scores.values()), abs=1e-3)
    assert (values["backward"], values_of(events.show(TEXT, 1))["backward"]) == (False, True)


def test_the_picture_of_the_chapter_is_drawn_once(events: SentenceEvents) -> None:
    picture = events.picture(LOADING)
    assert picture.count('class="road-step"') == len(events.loader.classifier().read(SENTENCE).tokens)
    assert events.picture(str(picture)) == gr.skip()
    assert events.picture(LOADING) is picture


def test_an_empty_and_a_too_long_text_are_refused(events: SentenceEvents) -> None:
    assert EMPTY in events.show("  ")
    assert 'role="alert"' in events.show("x" * (MAX_CHARACTERS + 1))


def test_markup_in_a_text_is_escaped(events: SentenceEvents) -> None:
    stage = events.show("<img src=x onerror=alert(1)> but not", token=2)
    assert "<img" not in stage
    assert "“img”" in stage or ">img<" in stage
