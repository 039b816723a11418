"""Cards inside a question: they open with its numbers, and lead to its answer."""

import math
from dataclasses import asdict

import pytest

from quiz.bank import Item, draw_instance, load_bank
from sentiment_gru.web.inside.figure_cards import LIVE_FIGURES, make_opening, make_preset, render_live_card
from sentiment_gru.web.inside.gru_cell import CHUNG, CONVENTIONS, Convention, Weights, blend, step
from sentiment_gru.web.inside.measurements import read_measured
from sentiment_gru.web.inside.stage_view import Opening

from .test_stage_view import values_of

ITEMS = {item.id: item for item in load_bank().items}
IN_CARDS = [item for item in ITEMS.values() if item.live and item.live.panel in ("cell", "weights", *LIVE_FIGURES)]


def drawn_instances(item: Item) -> list[Item]:
    return [item, *(draw_instance(item, str(seed)) for seed in range(20))] if item.template else [item]


@pytest.mark.parametrize("item", IN_CARDS, ids=lambda item: item.id)
def test_every_question_with_a_card_gets_it_with_its_numbers(item: Item) -> None:
    for instance in drawn_instances(item):
        assert instance.live
        assert instance.live.panel
        card = render_live_card(instance.live.panel, instance.live.values)
        assert card
        if instance.live.panel == "cell":
            shown = values_of(card)
            names = instance.live.values.keys() & shown.keys()
            assert {name: shown[name] for name in names} == {name: instance.live.values[name] for name in names}


@pytest.mark.parametrize(
    ("item_id", "quantity"),
    [
        ("gru-reset-007", "candidate"),
        ("gru-reset-008", "candidate"),
        ("gru-update-003", "new"),
        ("gru-update-008", "new"),
        ("gru-update-009", "z"),
        ("gru-update-011", "new"),
        ("gru-update-012", "new"),
        ("gru-dynamics-006", "new"),
    ],
)
def test_the_two_sliders_open_at_the_answer_of_the_question(item_id: str, quantity: str) -> None:
    for item in drawn_instances(ITEMS[item_id]):
        assert item.live
        assert item.numeric
        shown = values_of(render_live_card("cell", item.live.values) or "")
        h, keep = shown["h"], shown["z"] if shown["zKeeps"] else 1 - shown["z"]
        for _ in range(shown["steps"] if item_id == "gru-dynamics-006" else 1):
            candidate = math.tanh(shown["input"] + shown["r"] * shown["weight"] * h)
            h = keep * h + (1 - keep) * candidate
        reached = {"new": h, "candidate": candidate, "z": shown["z"]}[quantity]
        assert reached == pytest.approx(item.numeric.value, abs=item.numeric.tolerance)


def test_the_weights_open_at_the_answer_of_the_question() -> None:
    for item in drawn_instances(ITEMS["gru-update-010"]):
        assert item.live
        assert item.numeric
        preset = values_of(render_live_card("weights", item.live.values) or "")["presets"][0]
        taken = step(Weights(**preset["weights"]), preset["x"], preset["h"])
        assert taken.new == pytest.approx(item.numeric.value, abs=item.numeric.tolerance)


@pytest.mark.parametrize("convention", CONVENTIONS, ids=lambda convention: convention.name)
def test_weights_make_the_gates_of_a_question_in_its_convention(convention: Convention) -> None:
    preset = make_preset({"z": 0.3, "r": 0.8, "n": -0.4, "h": 0.5}, convention)
    taken = step(preset.weights, preset.x, preset.h)  # presets have PyTorch's weights
    assert (taken.r, taken.n) == pytest.approx((0.8, -0.4))
    assert taken.new == pytest.approx(blend(0.3, 0.5, -0.4, convention))


def test_gates_at_their_ends_stay_within_the_sliders() -> None:
    weights = make_preset({"z": 1, "r": 0, "n": 1}, CHUNG).weights
    assert max(map(abs, asdict(weights).values())) < 6
    assert make_opening({"n": -1}).input > -6


def test_a_card_without_numbers_opens_as_in_its_tab_but_without_tasks() -> None:
    card = render_live_card("cell", {}) or ""
    assert values_of(card) == asdict(Opening()) | {"zKeeps": True}
    assert "data-task" not in card
    weights = render_live_card("weights", {"convention": "chung2014"}) or ""
    assert values_of(weights)["presets"][0]["title"] == "A mixture"
    assert values_of(weights)["conventions"][0]["name"] == "chung2014"
    assert 'name="inside-convention"' not in weights  # the radio buttons of the tab have this name


def test_figures_are_shown_with_what_they_answer_and_a_chapter_is_not() -> None:
    gradients, speed = read_measured().gradients, read_measured().speed
    assert gradients
    assert speed
    assert gradients.source.script in (render_live_card("gradient", {}) or "")
    assert speed.source.script in (render_live_card("compare", {}) or "")
    for name in ("chapter", "unit", "train", "unknown"):
        assert render_live_card(name, {}) is None
