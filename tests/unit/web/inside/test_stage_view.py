"""The stages as HTML: what the page computes with is what Python knows, and texts of visitors are escaped."""

import html
import json
import re
from dataclasses import fields
from typing import Any

import pytest

from sentiment_gru.web.inside.gru_cell import CONVENTIONS, PRESETS, Weights
from sentiment_gru.web.inside.stage_view import (
    SLIDER_GROUPS,
    TASKS,
    Opening,
    UnitChoice,
    Word,
    format_number,
    format_share,
    render_sentence,
    render_sliders,
    render_weights,
)
from sentiment_gru.web.rendering import read_static


def values_of(stage: str) -> Any:
    return json.loads(html.unescape(re.search(r'data-values="([^"]*)"', stage)[1]))


def strip_tags(markup: str) -> str:
    return re.sub(r"<[^>]*>", "", markup)


def test_the_page_checks_exactly_the_tasks_that_the_card_lists() -> None:
    script = read_static("stage_cards.js")
    checked = re.search(r"const answers = \{(.*?)\n      \};", script, re.DOTALL)[1]
    assert re.findall(r"^        (\w+):", checked, re.MULTILINE) == [task.name for task in TASKS]
    stage = render_sliders()
    assert re.findall(r'data-task="(\w+)"', stage) == [task.name for task in TASKS]
    assert values_of(stage)["h"] == Opening().h


def test_there_is_a_slider_for_every_weight_and_for_input_and_old_state() -> None:
    names = [slider.name for group in SLIDER_GROUPS for slider in group.sliders]
    assert sorted(names) == sorted([*(field.name for field in fields(Weights)), "x", "h"])
    assert re.findall(r'type="range" name="(\w+)"', render_weights()) == names


def test_the_values_of_presets_lie_within_their_sliders() -> None:
    bounds = {slider.name: slider.bound for group in SLIDER_GROUPS for slider in group.sliders}
    presets = values_of(render_weights())["presets"]
    assert [preset["title"] for preset in presets] == [preset.title for preset in PRESETS]
    for preset in presets:
        for name, value in {**preset["weights"], "x": preset["x"], "h": preset["h"]}.items():
            assert abs(value) <= bounds[name]


def test_the_equations_are_those_of_the_convention() -> None:
    lists = re.findall(r'<ul class="equations" data-convention="(\w+)">(.*?)</ul>', render_weights(), re.DOTALL)
    equations = {name: strip_tags(rows) for name, rows in lists}
    assert list(equations) == [convention.name for convention in CONVENTIONS]
    assert "n = tanh(Wnx + bn + r · (Unh + c))" in equations["pytorch"]
    assert "n = tanh(Wnx + bn + Un(r · h) + c)" in equations["cho2014"]
    assert "h′ = z · h + (1 − z) · n" in equations["pytorch"]
    assert "h′ = z · h + (1 − z) · n" in equations["cho2014"]
    assert "h′ = (1 − z) · h + z · n" in equations["chung2014"]


def test_markup_in_words_labels_and_claims_is_escaped() -> None:
    evil = '"><img src=x onerror=alert(1)>'
    values = {"units": [], "chosen": 0, "token": 0, "running": [], "labels": [evil], "backward": False}
    stage = render_sentence(values, [Word(evil)], [evil], [UnitChoice("a", evil, evil, 0), UnitChoice("b", evil)])
    assert "<img" not in stage
    assert values_of(stage)["labels"] == [evil]


@pytest.mark.parametrize(
    ("value", "expected"), [(0, "0%"), (0.001, "0.1%"), (0.5, "50%"), (0.998, "99.8%"), (1, "100%")]
)
def test_a_share_that_is_nearly_all_is_not_rounded_to_all(value: float, expected: str) -> None:
    assert format_share(value) == expected


def test_a_number_has_a_typographic_minus_sign_and_none_before_0() -> None:
    assert [format_number(value) for value in (-1.5, -0.001, 0.25)] == ["−1.50", "0.00", "0.25"]
