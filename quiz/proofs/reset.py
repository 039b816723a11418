"""Checks for the topic Reset gate: what r does, and what it leaves to z."""

from itertools import product
from typing import Any

import torch
from torch import nn

from .cells import Layer
from .expressions import Measurement


def shut(cell: Any) -> Measurement:
    """Shut the reset gate, and compare the candidate from two different old states."""
    layer = Layer(cell).gated(r=0)
    quantities = {
        "h": layer.h,
        "n": layer.candidate(),
        "n_from_another_h": layer.candidate(h=-layer.h),
        "new": layer.step(),
    }
    return Measurement("a step with the reset gate at 0, from h and from another state", quantities)


def mix(cell: Any, r: float, z: float) -> Measurement:
    """Hold both gates at given values for one step."""
    layer = Layer(cell)
    quantities = {"h": layer.h, "n": layer.gated(r=r).candidate(), "answer": layer.gated(r=r, z=z).step()}
    return Measurement(f"one step with r = {r} and z = {z}", quantities)


def reduced(cell: Any, r: float, z: float) -> Measurement:
    """Hold both gates at given values, and give a plain RNN the candidate's weights."""
    layer, plain = Layer(cell), Layer(nn.RNN)
    w, u, b, c = layer.weights("n")
    for own, taken in zip(plain.weights("n"), (w, u, b, c), strict=True):
        own.copy_(taken)
    quantities = {
        "h": layer.h,
        "from_input": w @ layer.x + b,
        "from_state": u @ layer.h + c,
        "rnn": plain.step(layer.x, layer.h),
        "answer": layer.gated(r=r, z=z).step(),
    }
    return Measurement(f"one step with r = {r} and z = {z}, and one of nn.RNN with the same weights", quantities)


def forgetting(cell: Any) -> Measurement:
    """Find the pairs of constant gates at which two old states lead to the same new state."""
    layer = Layer(cell)

    def memory(r: float, z: float) -> float:
        held = layer.gated(r=r, z=z)
        return float((held.step() - held.step(h=-layer.h)).abs().max())

    pairs = tuple(pair for pair in product((0, 1), repeat=2) if memory(*pair) < 1e-9)
    return Measurement("one step from two old states for each pair of gates", {"answer": pairs[0] if pairs else ()})


def memory_left(cell: Any) -> Measurement:
    """Shut the reset gate, let the update gate keep nothing, half or all, and see what is left of the old state."""
    layer = Layer(cell).gated(r=0)
    keep = layer.keeping_value()

    def left(share: float) -> torch.Tensor:
        held = layer.gated(z=share if keep == 1 else 1 - share)
        return (held.step() - held.step(h=-layer.h)).abs().max() / (2 * layer.h).abs().max()

    quantities = {"left_of_0": left(0), "left_of_half": left(0.5), "left_of_1": left(1)}
    return Measurement(
        "a step with r = 0 from two old states, the update gate keeping 0, 0.5 and 1 of them", quantities
    )


def scaled(cell: Any, r: float) -> Measurement:
    """Find what shrinks to r times its size when the reset gate goes from 1 to r."""
    layer = Layer(cell)
    zero_x, zero_h = torch.zeros_like(layer.x), torch.zeros_like(layer.h)

    def share(part: str, value: float) -> torch.Tensor:
        held = layer.gated(r=value, z=0.5)
        before_tanh = held.candidate().atanh()
        return {
            "input": before_tanh - held.candidate(x=zero_x).atanh(),
            "state": before_tanh - held.candidate(h=zero_h).atanh(),
            "candidate": held.candidate(),
            "new": held.step(),
        }[part]

    quantities: dict[str, Any] = {"r": r}
    for part in ("input", "state", "candidate", "new"):
        quantities |= {f"{part}_open": share(part, 1), f"{part}_dimmed": share(part, r)}
    return Measurement(f"contributions to the candidate at r = 1 and at r = {r}", quantities)
