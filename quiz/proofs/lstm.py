"""Checks for the topic GRU and LSTM: the parts of the two that correspond."""

from typing import Any

import torch
from torch import Tensor, nn

from . import Measurement
from .cells import OPEN, Layer

_VALUE = 0.3


def coupled_gates(cell: Any) -> Measurement:
    """Set the update gate, then one gate of an LSTM at a time, to 0.3, and measure both terms of the memory."""
    layer = Layer(cell, hidden=1).gated(z=_VALUE)
    one, zero = torch.ones(1, dtype=torch.double), torch.zeros(1, dtype=torch.double)
    quantities = {
        "gru_old": layer.fixed(n=0).step(h=one),
        "gru_new": layer.fixed(n=OPEN).step(h=zero),  # a candidate of 1
    }
    for gate in ("input", "forget", "output"):
        quantities[f"{gate}_old"] = _lstm_memory(gate, memory=1, content=0)
        quantities[f"{gate}_new"] = _lstm_memory(gate, memory=0, content=1)
    return Measurement("shares of the old memory (1) and of new content (1) that one step keeps", quantities)


def extra_state(cell: Any) -> Measurement:
    """Resume the cell and an LSTM halfway, with everything they returned and with the last output alone."""
    lstm = Layer(nn.LSTM, scale=6).module
    inputs = torch.randn(12, 1, 3, dtype=torch.double, generator=torch.Generator().manual_seed(1))
    whole = lstm(inputs)[0][6:]
    _, (h, c) = lstm(inputs[:6])
    own = Layer(cell, scale=6).module
    own_returns = own(inputs)[1]
    quantities = {
        "states_of_gru": len(own_returns) if isinstance(own_returns, tuple) else 1,
        "gap_with_both": (lstm(inputs[6:], (h, c))[0] - whole).abs().max(),
        "gap_with_h_alone": (lstm(inputs[6:], (h, torch.zeros_like(c)))[0] - whole).abs().max(),
        "largest_extra": _count_up(20).abs().max(),
        "directions": 2 if lstm.bidirectional else 1,
    }
    return Measurement("12 steps of an LSTM, resumed after 6; and its cell state after counting to 20", quantities)


def exposure(cell: Any) -> Measurement:
    """Compare what the layer shows with what it remembers."""
    layer = Layer(cell)
    output, carried = layer.module(layer.x[None, None])
    state = carried[-1] if isinstance(carried, tuple) else carried
    quantities = {"output": output[0], "state": state[0], "largest_output": output.abs().max()}
    return Measurement("one step; output and remembered state compared", quantities)


def counting(cell: Any, n: int) -> Measurement:
    """Build an LSTM that adds 1 for a and subtracts 1 for b, and see how far the state of the GRU can go."""
    layer = Layer(cell, hidden=1)
    top = max(
        float(held.states(torch.zeros(n, 1, 3, dtype=torch.double), torch.zeros(1, dtype=torch.double)).max())
        for held in (layer.fixed(n=OPEN).gated(z=z) for z in (0, 0.5, 1))
    )
    counts = _count_up(n, then_down=n)
    quantities = {"n": n, "lstm_after_a": counts[n - 1], "lstm_after_b": counts[-1], "gru_highest": top}
    return Measurement(f"{n} times a, then {n} times b", quantities)


def step_by_hand(forget: float, write: float, show: float, content: float, memory: float) -> Measurement:
    """Give one unit of an LSTM the gates, the content and the memory of the stem, and take a step."""
    logits = {"forget": forget, "input": write, "output": show}
    before = {gate: float(torch.tensor(value).double().logit()) for gate, value in logits.items()}
    module = _unit(**before, content=float(torch.tensor(content).double().atanh()))
    start = torch.full((1, 1, 1), memory, dtype=torch.double)
    output, (_, c) = module(torch.zeros(1, 1, 1).double(), (torch.zeros_like(start), start))
    quantities = {"cell_state": float(c), "answer": float(output)}
    return Measurement("one step of a layer with one unit", quantities, subject="torch.nn.LSTM")


def memory_by_hand(forget: float, write: float, content: float, memory: float) -> Measurement:
    """Give one unit of an LSTM the gates, the content and the memory of the stem, and read its memory after a step."""
    state = step_by_hand(forget, write, 1.0, content, memory).quantities["cell_state"]
    return Measurement("one step of a layer with one unit, and its memory", {"answer": state}, subject="torch.nn.LSTM")


def returned(cell: Any) -> Measurement:
    """Compare what the cell and an LSTM return besides their output."""

    def kind(layer: Any) -> str:
        final = layer(torch.zeros(2, 1, 3))[1]
        return "pair" if isinstance(final, tuple) else "tensor"

    return Measurement("both layers run", {"answer": (kind(cell(3, 4)), kind(nn.LSTM(3, 4)))})


def _lstm_memory(gate: str, memory: float, content: float) -> Tensor:
    """Return c after one step of an LSTM unit, with one gate at 0.3 and the others open."""
    logits = dict.fromkeys(("input", "forget", "output"), OPEN)
    logits[gate] = float(torch.tensor(_VALUE).double().logit())
    module = _unit(**logits, content=OPEN * content)
    start = torch.full((1, 1, 1), memory, dtype=torch.double)
    return module(torch.zeros(1, 1, 1).double(), (torch.zeros_like(start), start))[1][1][0, 0]


def _count_up(up: int, then_down: int = 0) -> Tensor:
    """Return the cell states of an LSTM unit with open gates that reads +1s and then -1s."""
    module = _unit(input=OPEN, forget=OPEN, content=0, output=OPEN)
    module.all_weights[0][0][2] = OPEN  # the content becomes the sign of the input
    state = (torch.zeros(1, 1, 1).double(), torch.zeros(1, 1, 1).double())
    counts = []
    for number in torch.cat([torch.ones(up), -torch.ones(then_down)]).double():
        _, state = module(number.reshape(1, 1, 1), state)
        counts.append(state[1].flatten())
    return torch.cat(counts)


def _unit(**pre_activations: float) -> nn.LSTM:
    """Return an LSTM with one unit whose pre-activations are constant."""
    module = nn.LSTM(1, 1).double().requires_grad_(False)
    for weights in module.parameters():
        weights.zero_()
    for row, block in enumerate(("input", "forget", "content", "output")):
        module.all_weights[0][2][row] = pre_activations[block]
    return module
