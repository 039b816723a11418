"""The stage of the tab "Inside the GRU": its numbers against torch, its tasks, and its place beside its controls."""

import random
import re
from collections.abc import Callable
from dataclasses import fields
from typing import Any

import pytest
import torch
from playwright.sync_api import Locator, Page, expect
from torch import nn

from quiz.proofs import cells
from sentiment_gru import SentimentClassifier
from sentiment_gru.web.examples import EXAMPLES
from sentiment_gru.web.inside.cards import CARDS
from sentiment_gru.web.inside.gru_cell import PRESETS, SEQUENCE, Weights
from sentiment_gru.web.inside.sentence_card import SENTENCE
from sentiment_gru.web.inside.stage_view import TASKS, Opening, format_number
from tests.browser.checks import wait_until, watch_events
from tests.browser.test_inside import STAGES, open_card
from tests.unit.web.inside.test_gru_cell import set_weights

pytestmark = pytest.mark.browser

TOKENS = 100
ASK = "fetch('/config').then((answer) => answer.text())"
VIEWPORTS = ((1280, 800), (390, 844))


def states_of_torch(text: str) -> list[torch.Tensor]:
    """Return the (T, H) states of both nn.GRU cells of the shipped model, run here on the embeddings of a text."""
    classifier = SentimentClassifier.from_pretrained(threads=1)
    ids = torch.tensor([classifier.read(text).ids])
    layer = classifier.model.layers[0]
    with torch.inference_mode():
        x = classifier.model.embedding(ids)
        return [layer.forward_cell(x)[0][0], layer.backward_cell(x.flip(1))[0][0].flip(0)]


def set_slider(page: Page, name: str, value: float) -> None:
    """Move a slider of the visible stage as a visitor would, with an input event."""
    slider = page.locator(f".stage:visible [name={name}]")
    slider.evaluate(
        "(slider, value) => { slider.value = value; slider.dispatchEvent(new Event('input', { bubbles: true })) }",
        value,
    )


def test_the_states_on_the_stage_equal_those_of_torch(open_page: Callable[..., Page], address: str) -> None:
    text, draws = EXAMPLES["A long review"], random.Random(0)
    expected = states_of_torch(text)
    page = open_card(open_page, address, "unit", text=text)
    compared = 0
    for direction in (0, 1):
        if direction:
            page.get_by_role("button", name="Other units").click()
            page.get_by_role("radio", name="Backward").check()
            page.wait_for_function("document.querySelector('gru-sentence')?.data?.backward")
        stages: list[dict[str, Any]] = page.evaluate(
            """() => {
                const stage = document.querySelector("gru-sentence");
                return stage.data.units.map((unit, index) => {
                    stage.choose(index);
                    return { unit: unit.unit, states: stage.steps.map((taken) => taken.new) };
                });
            }"""
        )
        for _ in range(TOKENS // 2):
            shown, token = draws.choice(stages), draws.randrange(len(expected[direction]))
            assert shown["states"][token] == pytest.approx(expected[direction][token, shown["unit"]].item(), abs=1e-5)
            compared += 1
    assert compared == TOKENS


def test_the_weights_give_what_the_cells_of_each_convention_give(open_page: Callable[..., Page], address: str) -> None:
    page = open_card(open_page, address, "weights")
    draws = random.Random(0)
    names = [field.name for field in fields(Weights)]
    for convention in ("pytorch", "cho2014", "chung2014"):
        page.locator(f"[value={convention}]").check()
        for _ in range(20):
            numbers = {name: round(draws.uniform(-6, 6), 2) for name in names}
            x, h = round(draws.uniform(-3, 3), 2), round(draws.uniform(-1, 1), 2)
            shown = page.evaluate(
                """([numbers, x, h]) => {
                    const stage = document.querySelector("gru-weights");
                    stage.set(numbers);
                    return stage.take(x, h).new;
                }""",
                [numbers, x, h],
            )
            layer = set_weights(cells.CONVENTIONS[convention](1, 1), Weights(**numbers), "_l0")
            start = torch.tensor([[[h]]], dtype=torch.double)
            expected = layer(torch.tensor([[[x]]], dtype=torch.double), start)[0].item()
            assert shown == pytest.approx(expected, abs=1e-9)


def test_a_convention_turns_the_weights_of_z_and_a_preset_sets_the_same_unit_in_each(
    open_page: Callable[..., Page], address: str
) -> None:
    page = open_card(open_page, address, "weights")
    stage = page.locator("gru-weights")
    for preset in PRESETS:
        cell = set_weights(nn.GRUCell(1, 1), preset.weights)
        x, h = (torch.tensor([[value]], dtype=torch.double) for value in (preset.x, preset.h))
        new = format_number(cell(x, h).item())
        for name in ("PyTorch", "Cho et al. 2014", "Chung et al. 2014"):
            stage.get_by_label(name).check()
            stage.get_by_role("button", name=preset.title, exact=True).click()
            expect(stage.locator(".stage-caption")).to_contain_text(f"give {new}.")
            expect(stage.locator("ul[data-convention]:visible")).to_have_count(1)
    stage.get_by_role("button", name="Keep", exact=True).click()
    expect(stage.locator("[name=b_z]")).to_have_value("-6")
    stage.get_by_label("PyTorch").check()
    expect(stage.locator("[name=b_z]")).to_have_value("6")
    expect(stage).to_contain_text("so that the unit computes the same")
    set_slider(page, "c_n", 2)
    stage.get_by_label("Cho et al. 2014").check()
    expect(stage).to_contain_text("no weights make the two agree")


def test_a_sequence_is_played_to_its_end_and_an_invalid_one_is_refused(
    open_page: Callable[..., Page], address: str
) -> None:
    page = open_card(open_page, address, "weights")
    stage = page.locator("gru-weights")
    layer = set_weights(nn.GRU(1, 1), PRESETS[0].weights, "_l0")
    states = layer(torch.tensor(SEQUENCE, dtype=torch.double).view(-1, 1, 1))[0].flatten().tolist()
    stage.get_by_role("button", name="Next step").click()
    expect(stage.locator(".stage-caption")).to_contain_text(f"give {format_number(states[0])}.")
    for _ in SEQUENCE[2:]:
        stage.get_by_role("button", name="Next step").click()
    stage.get_by_role("button", name="Play").click()  # the last step, as each takes a second
    expect(stage.locator(".stage-position")).to_have_text(f"Step {len(SEQUENCE)} of {len(SEQUENCE)}")
    expect(stage.locator(".stage-caption")).to_contain_text(f"give {format_number(states[-1])}.")
    expect(stage.locator(".road-step[aria-current]")).to_have_text("0.0")
    for wrong in ("1, two", "", "4", "1 " * 21):
        stage.get_by_label("A sequence of inputs").fill(wrong)
        expect(stage.get_by_role("alert")).to_contain_text("Give 1 to 20 numbers")
        expect(stage.locator(".road-step")).to_have_count(0)
    stage.get_by_label("A sequence of inputs").fill("0, 1.5 −1")
    expect(stage.get_by_role("alert")).to_be_empty()
    expect(stage.locator(".road-word")).to_have_text(["0.0", "1.5", "−1.0"])


def test_the_tasks_check_themselves_and_only_when_they_are_done(open_page: Callable[..., Page], address: str) -> None:
    page = open_card(open_page, address, "cell")
    stage = page.locator("gru-sliders")
    done = stage.locator(".stage-tasks .done")
    expect(stage.locator(".stage-tasks li")).to_have_count(len(TASKS))
    set_slider(page, "z", 0.9)
    expect(done).to_have_count(0)
    for _ in range(4):  # from step 1 of 5
        stage.locator("[data-do=step]").click()
    expect(stage.locator("[data-task=keep]")).to_contain_text(f"Done: {0.9**5:.0%} is left.")
    expect(stage.locator("[data-trail] li")).to_have_text([f"{0.9**step:.0%}" for step in range(6)])
    expect(done).to_have_count(1)
    set_slider(page, "z", 0.5)
    set_slider(page, "r", 0)
    expect(stage.locator("[data-task=ignore]")).to_contain_text("With r = 0 the candidate is −0.40")
    expect(done).to_have_count(2)
    stage.get_by_role("button", name="From the start").click()
    set_slider(page, "z", 1)
    expect(stage.locator("[data-task=both]")).to_contain_text(f"h′ = {format_number(Opening().h)}.")
    set_slider(page, "z", 0)
    expect(stage.locator("[data-task=forget]")).to_contain_text("It takes both gates to forget.")
    expect(done).to_have_count(4)
    page.get_by_role("radio", name="The chapter").check()
    page.get_by_role("radio", name="Two gates").check()
    expect(done).to_have_count(4)


def test_no_step_asks_the_server(open_page: Callable[..., Page], address: str) -> None:
    page = open_card(open_page, address, "cell")
    pending = watch_events(page)
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    for card in STAGES:
        page.get_by_role("radio", name=next(one.title for one in CARDS if one.name == card), exact=True).check()
        stage = page.locator(f"#inside-{card} .stage")
        position = stage.locator(".stage-position")
        expect(position).to_be_visible()
        before = position.inner_text()
        wait_until(page, lambda: not pending)  # the events that fill the card have been answered
        page.evaluate(ASK)
        sent.clear()
        stage.locator(".stage-play").click()
        expect(position).not_to_have_text(before)
        stage.locator(".stage-play").click()
        stage.locator("[data-do=step]").click()
        page.evaluate(ASK)  # long enough for an event of the stage to be sent
        assert sent == []


def test_a_word_a_key_and_a_found_unit_move_the_stage(open_page: Callable[..., Page], address: str) -> None:
    page = open_card(open_page, address, "unit")
    stage = page.locator("gru-sentence")
    current = stage.locator(".road-step[aria-current]")
    words = stage.locator(".road-word").all_text_contents()
    assert "".join(words) == "".join(SENTENCE.split())
    stage.get_by_text("Flips at the negation").click()
    expect(stage.locator(".road-found")).to_have_count(1)
    expect(stage.locator(".road-found[aria-current]")).to_have_count(1)
    stage.get_by_text("beautiful", exact=True).click()
    expect(current).to_have_text("beautiful")
    stage.get_by_label("Word", exact=True).press("ArrowRight")
    expect(current).to_have_text("that")
    stage.get_by_label("Word", exact=True).press("Home")
    expect(stage.locator(".stage-drawing")).to_have_attribute("aria-label", re.compile("Old state 0.00,"))
    expect(current).to_have_text(words[0])
    before = stage.locator("[data-text=verdict]").inner_text()
    stage.get_by_label("Word", exact=True).press("End")
    expect(stage.locator("[data-text=verdict]")).not_to_have_text(before)
    expect(stage.locator("[data-text=verdict]")).to_have_text(f"positive {score_of_the_sentence():.0%}")


def score_of_the_sentence() -> float:
    return SentimentClassifier.from_pretrained(threads=1)([SENTENCE])[0].scores["positive"]


def test_any_unit_can_be_looked_at(open_page: Callable[..., Page], address: str) -> None:
    page = open_card(open_page, address, "unit")
    page.get_by_role("button", name="Other units").click()
    page.get_by_label("range slider for Any unit").press("ArrowRight")
    expect(page.locator("gru-sentence .stage-units")).to_contain_text("The unit you chose Unit 1.")
    expect(page.locator("gru-sentence [data-text=unit]")).to_have_text("unit 1")


def assert_both_in_sight(drawing: Locator, control: Locator, size: tuple[int, int]) -> None:
    """Check that drawing and control are whole in the window, and that nothing covers the control."""
    control.evaluate("(control) => control.scrollIntoView({ block: 'center' })")
    for element in (drawing, control):
        box = element.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["y"] >= 0
        assert box["x"] + box["width"] <= size[0]
        assert box["y"] + box["height"] <= size[1]
    assert control.evaluate(
        """(control) => {
            const box = control.getBoundingClientRect();
            const top = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
            return control === top || control.contains(top) || top.contains(control);
        }"""
    )


def assert_each_in_sight(page: Page, drawing: Locator, controls: list[Locator]) -> None:
    for size in VIEWPORTS:
        page.set_viewport_size({"width": size[0], "height": size[1]})
        for control in controls:
            assert_both_in_sight(drawing, control, size)


@pytest.mark.parametrize("card", STAGES)
def test_the_drawing_and_each_control_that_moves_it_are_in_one_viewport(
    open_page: Callable[..., Page], address: str, card: str
) -> None:
    page = open_card(open_page, address, card)
    drawing = page.locator(f"#inside-{card} .stage-drawing")
    page.locator(f"#inside-{card} details").evaluate_all("(all) => all.forEach((details) => (details.open = true))")
    controls = page.locator(f"#inside-{card} .stage").locator("input[type=range], input[type=radio], button").all()
    assert len(controls) >= 5
    assert_each_in_sight(page, drawing, controls)
    if card == "unit":
        page.get_by_role("button", name="Other units").click()
        slider = page.get_by_label("range slider for Any unit")
        expect(slider).to_be_visible()
        assert_each_in_sight(page, drawing, [slider, page.locator("gru-sentence .road-step").last])


def test_nothing_moves_by_itself_where_motion_is_not_wanted(open_page: Callable[..., Page], address: str) -> None:
    page = open_card(open_page, address, "cell")
    durations = "() => getComputedStyle(document.querySelector('.stage-flow')).transitionDuration"
    assert page.evaluate(durations) != "0s"
    page.emulate_media(reduced_motion="reduce")
    assert page.evaluate(durations) == "0s"


def test_a_stage_that_is_hidden_stops_playing(open_page: Callable[..., Page], address: str) -> None:
    page = open_card(open_page, address, "unit")
    page.locator("gru-sentence .stage-play").click()
    page.get_by_role("tab", name="Quiz").click()
    page.wait_for_function("!document.querySelector('gru-sentence')?.timer")
