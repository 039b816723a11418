"""The step of a unit against PyTorch, and what the presets do."""

from dataclasses import fields

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from sentiment_gru.web.inside.gru_cell import (
    CHUNG,
    PRESETS,
    PYTORCH,
    SEQUENCE,
    Step,
    Weights,
    blend,
    sigmoid,
    step,
)

values = st.floats(-6, 6)
states = st.floats(-1, 1)
all_weights = st.builds(Weights, **{field.name: values for field in fields(Weights)})
PRESETS_BY_TITLE = {preset.title: preset for preset in PRESETS}


def set_weights(module: nn.Module, weights: Weights, suffix: str = "") -> nn.Module:
    """Give these weights to a GRU or GRU cell of one input and one unit."""
    rows = {
        "weight_ih": (weights.w_r, weights.w_z, weights.w_n),
        "weight_hh": (weights.u_r, weights.u_z, weights.u_n),
        "bias_ih": (weights.b_r, weights.b_z, weights.b_n),
        "bias_hh": (0.0, 0.0, weights.c_n),
    }
    module = module.double()
    for name, numbers in rows.items():
        parameter = getattr(module, name + suffix)
        parameter.requires_grad_(False).copy_(torch.tensor(numbers, dtype=torch.double).view_as(parameter))
    return module


@given(all_weights, values, states)
def test_a_step_equals_that_of_the_gru_cell_of_torch(weights: Weights, x: float, h: float) -> None:
    cell = set_weights(nn.GRUCell(1, 1), weights)
    expected = cell(torch.tensor([[x]], dtype=torch.double), torch.tensor([[h]], dtype=torch.double)).item()
    assert step(weights, x, h).new == pytest.approx(expected, abs=1e-6)


@given(all_weights, values, states)
def test_the_new_state_lies_between_the_old_state_and_the_candidate(weights: Weights, x: float, h: float) -> None:
    taken = step(weights, x, h)
    assert min(taken.h, taken.n) - 1e-12 <= taken.new <= max(taken.h, taken.n) + 1e-12
    assert 0 <= taken.r <= 1
    assert taken.new == pytest.approx(taken.z * taken.h + (1 - taken.z) * taken.n)


def test_each_preset_does_what_its_title_says() -> None:
    def step_at(title: str, h: float | None = None) -> Step:
        preset = PRESETS_BY_TITLE[title]
        return step(preset.weights, preset.x, preset.h if h is None else h)

    assert step_at("Keep").new == pytest.approx(step_at("Keep").h, abs=0.01)
    assert step_at("Overwrite").new == pytest.approx(step_at("Overwrite").n, abs=0.01)
    assert abs(step_at("Overwrite", 0.9).new - step_at("Overwrite", -0.9).new) > 0.1
    assert step_at("Ignore the past", 0.9).new == pytest.approx(step_at("Ignore the past", -0.9).new, abs=0.01)
    assert abs(step_at("Reset only", 0.9).new - step_at("Reset only", -0.9).new) > 1


def test_the_latch_holds_the_input_that_it_wrote() -> None:
    h, states = 0.0, []
    for x in SEQUENCE:
        h = step(PRESETS_BY_TITLE["A latch"].weights, x, h).new
        states.append(h)
    assert states[SEQUENCE.index(max(SEQUENCE))] > 0.9
    assert states[-1] > 0.7


def test_the_sigmoid_does_not_overflow() -> None:
    assert (sigmoid(-1e4), sigmoid(0), sigmoid(1e4)) == (0, 0.5, 1)


def test_z_is_the_share_of_the_old_state_in_pytorch_and_of_the_candidate_in_chung() -> None:
    assert blend(0.25, 0.8, -0.4, PYTORCH) == pytest.approx(-0.1)
    assert blend(0.25, 0.8, -0.4, CHUNG) == pytest.approx(0.5)
