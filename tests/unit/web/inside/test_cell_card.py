"""The events of the card of one cell, and the views that it renders, without a browser."""

import re

import numpy as np
import pytest

from sentiment_gru.errors import InputError
from sentiment_gru.web.inside.cell_card import WEIGHT_NAMES, render_cell, set_preset, switch_convention, take_step
from sentiment_gru.web.inside.cell_view import (
    describe_step,
    format_number,
    format_share,
    parse_sequence,
    render_drawing,
    render_equations,
    render_trace,
)
from sentiment_gru.web.inside.gru_cell import (
    CHO,
    CHUNG,
    CONVENTIONS,
    PRESETS,
    PYTORCH,
    Convention,
    Step,
    Weights,
    convert,
    run,
    step,
)

from .conftest import extract_numbers

WEIGHTS = PRESETS[0].weights
NUMBERS = [getattr(WEIGHTS, name) for name in WEIGHT_NAMES]
SEQUENCE = "0, 1.5, -1"


def strip_tags(html: str) -> str:
    return re.sub(r"<[^>]*>", "", html)


@pytest.mark.parametrize("convention", CONVENTIONS.values(), ids=CONVENTIONS)
def test_drawing_equations_and_description_show_the_same_step(convention: Convention) -> None:
    shown = step(convert(WEIGHTS, PYTORCH, convention), 1, -0.5, convention)
    assert format_number(shown.new) in render_drawing(shown)
    assert format_number(shown.new, 3) in render_equations(shown)
    expected = {format_number(value) for value in (shown.h, shown.r, shown.z, shown.n, shown.new)}
    assert expected <= extract_numbers(describe_step(shown))


def test_the_equations_are_those_of_the_convention() -> None:
    pytorch, cho, chung = (
        strip_tags(render_equations(step(WEIGHTS, 1, -0.5, convention))) for convention in (PYTORCH, CHO, CHUNG)
    )
    assert "n = tanh(Wnx + bn + r · (Unh + c))" in pytorch
    assert "n = tanh(Wnx + bn + Un(r · h) + c)" in cho
    assert "h′ = z · h + (1 − z) · n" in pytorch
    assert "h′ = z · h + (1 − z) · n" in cho
    assert "h′ = (1 − z) · h + z · n" in chung


def test_the_drawing_names_the_shares_and_the_product_of_the_convention() -> None:
    pytorch, cho, chung = (
        re.findall(r"<tspan>(.*?)</tspan>", render_drawing(step(WEIGHTS, 1, -0.5, convention)))
        for convention in (PYTORCH, CHO, CHUNG)
    )
    assert pytorch == cho == ["h", "h′", "z", "1 − z", "r", "n"]
    assert chung == ["h", "h′", "1 − z", "z", "r", "n"]
    assert ">U h + c<" in render_drawing(step(WEIGHTS, 1, -0.5, PYTORCH))
    assert ">U(rh) + c<" in render_drawing(step(WEIGHTS, 1, -0.5, CHO))


def test_the_product_stands_before_the_reset_gate_only_in_pytorch() -> None:
    def positions(convention: Convention, *texts: str) -> list[float]:
        drawing = render_drawing(step(WEIGHTS, 1, -0.5, convention))
        return [float(re.search(rf'x="([\d.]+)" y="[\d.]+">{text}', drawing)[1]) for text in texts]

    product, reset = positions(PYTORCH, r"U h", "<tspan>r</tspan>")
    assert product < reset
    product, reset = positions(CHO, r"U\(rh", "<tspan>r</tspan>")
    assert product > reset


def test_a_road_is_as_wide_as_its_share() -> None:
    def widths(z_bias: float) -> list[float]:
        drawing = render_drawing(step(Weights(b_z=z_bias), 0, 0.5))
        return [float(width) for width in re.findall(r"stroke-width: ([\d.]+)", drawing)]

    *_, candidate, road = widths(20)
    assert (candidate, road) == (1.5, 20.0)
    *_, candidate, road = widths(-20)
    assert (candidate, road) == (20.0, 1.5)


def test_switching_the_convention_preserves_the_new_state() -> None:
    *numbers, name, _, _, equations, _, _ = switch_convention("chung2014", "pytorch", SEQUENCE, 0, 1.0, -0.5, *NUMBERS)
    assert name == "chung2014"
    assert step(Weights(*numbers), 1, -0.5, CHUNG).new == pytest.approx(step(WEIGHTS, 1, -0.5).new)
    assert format_number(step(WEIGHTS, 1, -0.5).new, 3) in equations


def test_a_bias_that_cannot_be_converted_is_reported_with_the_difference() -> None:
    weights = [*NUMBERS[:-1], 1.0]
    note = switch_convention("cho2014", "pytorch", SEQUENCE, 0, 1.0, -0.5, *weights)[len(WEIGHT_NAMES) + 1]
    difference = step(Weights(*weights), 1, -0.5, CHO).new - step(Weights(*weights), 1, -0.5).new
    assert f"{abs(difference):.3f}" in extract_numbers(note)


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_a_preset_sets_the_same_cell_in_every_convention(convention: str) -> None:
    for preset in PRESETS:
        x, h, *rest = set_preset(preset, convention, SEQUENCE)
        shown = step(Weights(*rest[: len(WEIGHT_NAMES)]), x, h, CONVENTIONS[convention])
        assert shown.new == pytest.approx(step(preset.weights, preset.x, preset.h).new)


def test_steps_walk_through_the_sequence_and_start_again() -> None:
    expected = run(WEIGHTS, parse_sequence(SEQUENCE))
    position, taken = 0, []
    for _ in range(4):
        x, h, position, _, _, description, trace, has_more = take_step("pytorch", SEQUENCE, position, *NUMBERS)
        taken.append((x, h, position, has_more))
        assert format_number(expected[position - 1].new) in extract_numbers(description)
        assert f"▸ {position}" in trace
    assert taken == [
        (0.0, expected[0].h, 1, True),
        (1.5, expected[1].h, 2, True),
        (-1.0, expected[2].h, 3, False),
        (0.0, 0.0, 1, True),
    ]


@pytest.mark.parametrize("text", ["", "a, b", "1 2 nan", "4", "-3.1", "1 " * 21])
def test_an_invalid_sequence_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        parse_sequence(text)
    assert 'role="alert"' in render_cell("pytorch", text, 0, 0, 0, *NUMBERS)[-1]
    *_, trace, has_more = take_step("pytorch", text, 0, *NUMBERS)
    assert 'role="alert"' in trace
    assert has_more is False


def test_a_sequence_may_contain_a_typographic_minus_sign() -> None:
    assert parse_sequence(" 0, 1.5 −1 ") == (0, 1.5, -1)


def test_a_long_sequence_shows_only_the_steps_around_the_chosen_one() -> None:
    values = {letter: np.linspace(-1, 1, 500) for letter in "rznh"}
    html = render_trace(values, [f"<w{index}>" for index in range(500)], 250)
    assert html.count("<tr>") == 12
    assert "&lt;w250&gt;" in html
    assert "<w" not in html


def test_a_share_that_is_nearly_all_is_not_rounded_to_all() -> None:
    assert [format_share(value) for value in (0, 0.001, 0.5, 0.998, 1)] == ["0%", "0.1%", "50%", "99.8%", "100%"]
    assert [format_number(value) for value in (-0.001, -1, 0.5)] == ["0.00", "−1.00", "0.50"]
    assert {"99.8%", "0.2%"} <= extract_numbers(describe_step(Step(0.5, (0, 6, 0), (0, 0, 0))))
