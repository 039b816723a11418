"""The events of the card of the trained model, without a browser."""

from pathlib import Path

import numpy as np
import pytest

from sentiment_gru import SentimentClassifier
from sentiment_gru.results import MAX_CHARACTERS
from sentiment_gru.web.inside.cell_view import format_number
from sentiment_gru.web.inside.gru_cell import CONVENTIONS
from sentiment_gru.web.inside.unit_card import EMPTY, UnitEvents
from sentiment_gru.web.model_loader import ClassifierLoader

from .conftest import extract_numbers

TEXT = "this film was great"


@pytest.fixture(scope="module")
def events(tiny_checkpoint: Path) -> UnitEvents:
    return UnitEvents(ClassifierLoader(tiny_checkpoint))


def test_a_text_shows_the_unit_that_its_token_changes_most(events: UnitEvents, classifier: SentimentClassifier) -> None:
    slider, unit, reading, drawing, description, _ = events.show_text(TEXT, 4, 0, "pytorch")
    hidden = classifier.explain(TEXT, methods=()).hidden[0]  # (T, H)
    assert unit == np.abs(hidden[3] - hidden[2]).argmax()
    assert (slider.value, slider.maximum) == (4, 4)
    assert "<mark>great</mark>" in reading
    assert format_number(hidden[3, unit]) in extract_numbers(description)
    assert drawing.startswith("<svg")


def test_the_unit_is_compared_with_torch_at_the_chosen_token(events: UnitEvents) -> None:
    *_, equations = events.show_text(TEXT, 4, 0, "pytorch")
    differences = [float(n.replace("−", "-")) for n in extract_numbers(equations) if "e" in n]
    assert differences
    assert max(differences) < 1e-5


def test_a_token_or_unit_out_of_range_is_replaced_by_the_nearest(events: UnitEvents) -> None:
    assert events.show_unit(TEXT, 99, 0, "pytorch", 1e6) == events.show_unit(TEXT, 4, 0, "pytorch", 7)


def test_r_stays_after_the_product_and_the_other_candidate_is_shown(events: UnitEvents) -> None:
    _, drawing, _, equations = events.show_unit(TEXT, 2, 0, "cho2014", 3)
    units = events._read(TEXT)
    step = units.step(0, 1, 3, CONVENTIONS["cho2014"])
    candidates = {format_number(value, 3) for value in (step.n, units.candidate_with_reset_first(0, 1, 3))}
    assert candidates <= extract_numbers(equations)
    assert "U h + c" in drawing
    assert "<tspan>1 − z</tspan>" in events.show_unit(TEXT, 2, 0, "chung2014", 3)[1]


def test_an_empty_and_a_too_long_text_are_refused(events: UnitEvents) -> None:
    assert EMPTY in events.show_text("  ", 1, 0, "pytorch")[2]
    refusal, *rest = events.show_unit("x" * (MAX_CHARACTERS + 1), 1, 0, "pytorch", 0)
    assert 'role="alert"' in refusal
    assert rest == ["", "", ""]
    assert EMPTY in events.answer(None, "", 1)


def test_the_answer_counts_the_units_that_change_at_the_token(events: UnitEvents) -> None:
    changed, units = events._read(TEXT).count_changed(3, 0.5)
    assert {str(changed), str(units)} <= extract_numbers(events.answer(None, TEXT, 4))


def test_markup_in_a_text_is_escaped(events: UnitEvents) -> None:
    shown = "".join(events.show_unit("<img src=x onerror=alert(1)>", 2, 1, "chung2014", 0))
    assert "<img" not in shown
    assert "&lt;<mark>img</mark>" in shown
