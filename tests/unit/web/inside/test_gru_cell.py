"""The cell by hand against PyTorch, and the conventions against one another and against the quiz's cells."""

from dataclasses import fields

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from quiz.proofs import cells
from sentiment_gru.web.inside.gru_cell import (
    CHO,
    CHUNG,
    CONVENTIONS,
    PRESETS,
    PYTORCH,
    SEQUENCE,
    Convention,
    Weights,
    blend,
    convert,
    converts_exactly,
    run,
    sigmoid,
    step,
)

values = st.floats(-6, 6)
states = st.floats(-1, 1)
weights = st.builds(Weights, **{field.name: values for field in fields(Weights)})
conventions = st.sampled_from(list(CONVENTIONS.values()))
PRESET = {preset.title: preset for preset in PRESETS}


def fill(module: nn.Module, found: Weights, suffix: str = "") -> nn.Module:
    """Give a GRU or GRU cell of one input and one unit these weights."""
    rows = {
        "weight_ih": (found.w_r, found.w_z, found.w_n),
        "weight_hh": (found.u_r, found.u_z, found.u_n),
        "bias_ih": (found.b_r, found.b_z, found.b_n),
        "bias_hh": (0.0, 0.0, found.c_n),
    }
    module = module.double()
    for name, numbers in rows.items():
        parameter = getattr(module, name + suffix)
        parameter.requires_grad_(False).copy_(torch.tensor(numbers, dtype=torch.double).view_as(parameter))
    return module


@given(weights, values, states)
def test_the_sliders_compute_what_the_gru_cell_of_torch_computes(found: Weights, x: float, h: float) -> None:
    cell = fill(nn.GRUCell(1, 1), found)
    expected = cell(torch.tensor([[x]], dtype=torch.double), torch.tensor([[h]], dtype=torch.double)).item()
    assert step(found, x, h).new == pytest.approx(expected, abs=1e-6)


@settings(max_examples=30)
@given(weights, st.lists(values, min_size=1, max_size=6), st.sampled_from(["pytorch", "cho2014", "chung2014"]))
def test_a_sequence_runs_as_in_the_cells_that_the_quiz_is_proved_on(found: Weights, inputs: list[float], name: str):
    layer = fill(cells.CONVENTIONS[name](1, 1), found, "_l0")
    expected = layer(torch.tensor(inputs, dtype=torch.double).view(-1, 1, 1))[0].flatten().tolist()
    assert [one.new for one in run(found, inputs, CONVENTIONS[name])] == pytest.approx(expected, abs=1e-9)


@given(weights, st.lists(values, max_size=8), states, conventions, conventions)
def test_the_conventions_agree_after_conversion(
    found: Weights, inputs: list[float], h: float, source: Convention, target: Convention
) -> None:
    if not converts_exactly(found, source, target):
        found = Weights(**{field.name: getattr(found, field.name) for field in fields(Weights) if field.name != "c_n"})
    converted = convert(found, source, target)
    before, after = run(found, inputs, source, h), run(converted, inputs, target, h)
    assert [one.new for one in after] == pytest.approx([one.new for one in before], abs=1e-9)
    assert [one.kept for one in after] == pytest.approx([one.kept for one in before], abs=1e-9)
    assert convert(converted, target, source) == found


def test_a_recurrent_bias_cannot_be_converted() -> None:
    found = Weights(u_n=1, c_n=1)
    assert not converts_exactly(found, PYTORCH, CHO)
    assert converts_exactly(found, CHO, CHUNG)
    assert abs(step(found, 0, 0.5, PYTORCH).new - step(found, 0, 0.5, CHO).new) > 0.1


@given(weights, values, states, conventions)
def test_the_new_state_lies_between_the_old_one_and_the_candidate(
    found: Weights, x: float, h: float, convention: Convention
) -> None:
    one = step(found, x, h, convention)
    assert min(one.h, one.n) - 1e-12 <= one.new <= max(one.h, one.n) + 1e-12
    assert 0 <= one.r <= 1
    assert one.new == pytest.approx(one.kept * one.h + (1 - one.kept) * one.n)


@pytest.mark.parametrize("convention", CONVENTIONS.values(), ids=CONVENTIONS)
def test_each_preset_does_what_it_is_called(convention: Convention) -> None:
    def at(title: str, **changes: float):
        preset = PRESET[title]
        place = {"x": preset.x, "h": preset.h} | changes
        return step(convert(preset.weights, PYTORCH, convention), **place, convention=convention)

    assert at("Keep").new == pytest.approx(at("Keep").h, abs=0.01)
    assert at("Overwrite").new == pytest.approx(at("Overwrite").n, abs=0.01)
    assert abs(at("Overwrite", h=0.9).new - at("Overwrite", h=-0.9).new) > 0.1
    assert at("Ignore the past", h=0.9).new == pytest.approx(at("Ignore the past", h=-0.9).new, abs=0.01)
    assert abs(at("Reset only", h=0.9).new - at("Reset only", h=-0.9).new) > 1


def test_the_latch_holds_what_the_sequence_wrote() -> None:
    reached = [one.new for one in run(PRESET["A latch"].weights, SEQUENCE)]
    written = SEQUENCE.index(max(SEQUENCE))
    assert reached[written] > 0.9
    assert reached[-1] > 0.7


def test_a_gate_is_never_out_of_bounds() -> None:
    assert (sigmoid(-1e4), sigmoid(0), sigmoid(1e4)) == (0, 0.5, 1)


def test_the_sign_of_z_decides_what_a_blend_is() -> None:
    assert blend(0.25, 0.8, -0.4, PYTORCH) == pytest.approx(-0.1)
    assert blend(0.25, 0.8, -0.4, CHUNG) == pytest.approx(0.5)
