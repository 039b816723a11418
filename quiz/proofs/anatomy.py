"""Checks for the topic Anatomy: the parts of a step, their inputs and their values."""

import copy
from typing import Any

import torch
from torch import Tensor

from . import Measurement
from .cells import Layer


def parts(cell: Any) -> Measurement:
    """Open and shut each part of the cell, and measure how far the step changes."""
    layer = Layer(cell)
    output, carried = layer.module(layer.x[None, None])
    states = carried if isinstance(carried, tuple) else (carried,)
    quantities = {
        "update_effect": (layer.gated(z=0).step() - layer.gated(z=1).step()).abs().max(),
        "reset_effect": (layer.gated(r=0).step() - layer.gated(r=1).step()).abs().max(),
        "candidate_effect": (layer.fixed(n=-1).step() - layer.fixed(n=1).step()).abs().max(),
        # A gate on the output would make what the layer shows differ from what it remembers.
        "output_gate_effect": (output[-1] - states[-1][0]).abs().max(),
    }
    return Measurement("steps with each gate shut and open, and with two other candidates", quantities)


def gate_function(cell: Any) -> Measurement:
    """Compare the measured update gate with functions of its weighted sum a."""
    layer = Layer(cell)
    w, u, b, c = layer.weights("z")
    a = w @ layer.x + b + u @ layer.h + c
    return Measurement("one step; the update gate is read off the kept share", {"a": a, "answer": layer.gate("z")})


def new_gate(cell: Any) -> Measurement:
    """Measure the candidate n at many inputs, and what a step makes of it and the old state."""
    layer = Layer(cell)
    inputs = torch.randn(50, 3, dtype=torch.double, generator=torch.Generator().manual_seed(1))
    n = torch.stack([layer.candidate(x) for x in inputs])  # (50, H)
    new = torch.stack([layer.step(x) for x in inputs])
    r = torch.stack([layer.gate("r", x) for x in inputs])
    shown = torch.stack([layer.module(x[None, None], layer.h[None, None])[0][0, 0] for x in inputs])
    return Measurement("50 steps from one state", {"r": r, "h": layer.h, "n": n, "new": new, "shown": shown})


def gate_inputs(cell: Any) -> Measurement:
    """Change the input, the old state, or the candidate alone, and see which changes move both gates."""
    layer = Layer(cell)
    other_candidate = copy.deepcopy(layer)
    other_candidate.weights("n")[2].add_(1)
    moved = {
        "x": [layer.gate(gate, x=layer.x + 1) - layer.gate(gate) for gate in "rz"],
        "h": [layer.gate(gate, h=layer.h / 2) - layer.gate(gate) for gate in "rz"],
        "candidate": [other_candidate.gate(gate) - layer.gate(gate) for gate in "rz"],
    }
    answer = tuple(source for source, shifts in moved.items() if all(shift.abs().max() > 1e-6 for shift in shifts))
    return Measurement("both gates, before and after a change of each source", {"answer": answer})


def gate_values(cell: Any, inputs: int, hidden: int) -> Measurement:
    """Count the values of the update gate that differ from each other at one step."""
    gate = Layer(cell, inputs, hidden).gate("z")
    quantities = {"E": inputs, "H": hidden, "answer": float(gate.unique().numel())}
    return Measurement("one step; different values of the update gate counted", quantities)


def carried_state(cell: Any) -> Measurement:
    """Resume from the last output alone: on a layer that has read nothing, and after steps with other gates."""
    layer = Layer(cell)
    inputs = torch.randn(6, 1, 3, dtype=torch.double, generator=torch.Generator().manual_seed(1))
    module, rest = copy.deepcopy(layer).module, inputs[3:]
    output, carried = module(inputs[:3])
    h = output[-1, 0]

    def resumed_after(r: float) -> Tensor:
        """Return the states that follow a step which keeps the state, while the reset gate has a given value."""
        other = copy.deepcopy(layer)
        held = layer.gated(r=r, z=layer.keeping_value())
        other.module.load_state_dict(held.module.state_dict())
        other.states(inputs[:1], h)
        other.module.load_state_dict(layer.module.state_dict())
        return other.states(rest, h)

    quantities = {
        "states_returned": len(carried) if isinstance(carried, tuple) else 1,
        "gap_no_past": (copy.deepcopy(layer).states(rest, h) - module(rest, carried)[0][:, 0]).abs().max(),
        "gap_other_gates": (resumed_after(0) - resumed_after(1)).abs().max(),
    }
    return Measurement("six steps, resumed after three from the last output alone", quantities)
