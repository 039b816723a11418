"""Checks for the topics Reset gate and Update gate: the terms that r scales and z weights."""

from collections.abc import Callable
from itertools import product
from typing import Any

import torch
from torch import Tensor, nn

from . import Measurement
from .cells import CONVENTIONS, ChoGRU, ChungGRU, ChungSignGRU, Layer


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
    return Measurement("one step from two old states for each pair of gates (r, z)", {"answer": pairs})


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


def held(cell: Any, z: float) -> Measurement:
    """Hold the update gate at a value for one step."""
    layer = Layer(cell)
    quantities = {"h": layer.h, "n": layer.candidate(), "answer": layer.gated(z=z).step()}
    return Measurement(f"one step with z = {z} in every unit", quantities)


def mixed_numbers(cell: Any, z: float, h: float, n: float) -> Measurement:
    """Give one unit the numbers of the stem: its update gate, old state and candidate."""
    layer = Layer(cell, hidden=1).gated(z=z).fixed(n=_before_tanh(n))
    quantities = {"z": z, "h": h, "n": n, "answer": float(layer.step(h=torch.tensor([h]).double()))}
    return Measurement("one step of a layer with one unit", quantities)


def gate_of_step(cell: Any, h: float, n: float, new: float) -> Measurement:
    """Search by bisection the gate value at which a step of one unit leads to the new state."""
    layer, start = Layer(cell, hidden=1).fixed(n=_before_tanh(n)), torch.tensor([h]).double()

    def distance(z: float) -> float:
        return float(layer.gated(z=z).step(h=start)) - new

    low, high = 0.0, 1.0
    for _ in range(12):
        middle = (low + high) / 2
        if (distance(middle) < 0) == (distance(0) < 0):
            low = middle
        else:
            high = middle
    return Measurement("one step, repeated with 12 values of the update gate", {"new": new, "answer": (low + high) / 2})


def candidate_by_hand(cell: Any, a: float, r: float, u: float, h: float, c: float) -> Measurement:
    """Give one unit the numbers of the stem, and let a step write its candidate."""
    layer = Layer(cell, hidden=1).gated(r=r).fixed(n=a)
    recurrent, bias = layer.weights("n")[1], layer.weights("n")[3]
    recurrent.fill_(u)
    bias.fill_(c)
    n = layer.candidate(h=torch.tensor([h]).double())
    return Measurement(f"one step of a layer with one unit, r = {r}, writing its candidate", {"answer": float(n)})


def step_by_hand(cell: Any, r: float, z: float, a: float, u: float, h: float) -> Measurement:
    """Give one unit the gates and numbers of the stem, and take a step."""
    layer = Layer(cell, hidden=1).gated(r=r, z=z).fixed(n=a)
    layer.weights("n")[1].fill_(u)
    new = layer.step(h=torch.tensor([h]).double())
    return Measurement(f"one step of a layer with one unit, r = {r} and z = {z}", {"answer": float(new)})


def range_of_mix(cell: Any, old: float, candidate: float) -> Measurement:
    """Move the update gate of one unit from 0 to 1, its old state and candidate being given."""
    layer = Layer(cell, hidden=1).fixed(n=_before_tanh(candidate))
    h = torch.tensor([old]).double()
    states = torch.cat([layer.gated(z=step / 20).step(h=h) for step in range(21)])
    quantities = {"lowest": states.min(), "highest": states.max(), "values": float(states.unique().numel())}
    return Measurement("one step for each of 21 values of the update gate", quantities)


def ported(cell: Any) -> Measurement:
    """Load weights trained with the other sign of z after each surgery, and compare 20 steps with the original."""
    original, rows = Layer(ChungSignGRU), Layer(cell).rows
    r, z, n = rows("r"), rows("z"), rows("n")

    def negate(*blocks: slice, biases: bool = True) -> Callable[[str, Tensor], None]:
        def change(name: str, weights: Tensor) -> None:
            for block in blocks if biases or name.startswith("weight") else ():
                weights[block] *= -1

        return change

    def swap(_: str, weights: Tensor) -> None:
        weights[r], weights[z] = weights[z].clone(), weights[r].clone()

    inputs = torch.randn(20, 1, 3, dtype=torch.double, generator=torch.Generator().manual_seed(1))

    def error(surgery: Callable[[str, Tensor], None]) -> Tensor:
        layer = Layer(cell)
        layer.module.load_state_dict(original.module.state_dict())
        for name, weights in layer.module.named_parameters():
            surgery(name, weights)
        return (layer.module(inputs)[0] - original.module(inputs)[0]).abs().max()

    quantities = {
        "error_unchanged": error(lambda name, weights: None),
        "error_swap_r_z": error(swap),
        "error_negate_z": error(negate(z)),
        "error_negate_n": error(negate(n)),
        "error_negate_z_weights_only": error(negate(z, biases=False)),
    }
    return Measurement("20 steps after each surgery on the weights, compared with the original", quantities)


def every_convention(cell: Any) -> Measurement:
    """Hold the update gate at 0, 0.5 and 1 in every convention, and measure how often each statement is true."""
    layers = [Layer(kind) for kind in {cell, *CONVENTIONS.values()}]

    def share(statement: Callable[[Layer], Tensor]) -> float:
        return sum(float(statement(layer)) for layer in layers) / len(layers)

    def forgets(layer: Layer) -> Tensor:
        held = layer.gated(r=0, z=0.5)
        return (held.step() - held.step(h=-layer.h)).abs().max() < 1e-9

    def inside(layer: Layer) -> Tensor:
        new, n = layer.step(), layer.candidate()
        return ((new - n) * (new - layer.h) <= 0).all()

    quantities = {
        "z1_keeps": share(lambda layer: (layer.gated(z=1).step() - layer.h).abs().max() < 1e-9),
        "z0_keeps": share(lambda layer: (layer.gated(z=0).step() - layer.h).abs().max() < 1e-9),
        "r0_forgets": share(forgets),
        "new_lies_between": share(inside),
    }
    return Measurement(
        f"one step in each of {len(layers)} cells; shares of the cells in which each statement is true", quantities
    )


def large_gate(cell: Any, z: float) -> Measurement:
    """Hold the update gate at a large value in both papers' cells and in the cell, and see which of them write."""
    layers = {"cho2014": Layer(ChoGRU), "chung2014": Layer(ChungGRU), "pytorch": Layer(cell)}

    def written(layer: Layer) -> Tensor:
        return ((layer.gated(z=z).step() - layer.h) / (layer.candidate() - layer.h)).mean()

    shares = {f"written_{name}": written(layer) for name, layer in layers.items()}
    answer = tuple(name for name in layers if shares[f"written_{name}"] > 0.5)
    return Measurement(
        f"one step with z = {z} in three cells; shares of the state replaced", shares | {"answer": answer}
    )


def _before_tanh(value: float) -> float:
    return float(torch.tensor(value, dtype=torch.double).atanh())
