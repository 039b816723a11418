"""Checks for the topic Update gate: what z mixes, and which of the two it weights."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from .cells import CONVENTIONS, ChungSignGRU, Layer
from .expressions import Measurement


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

    def inside(layer: Layer) -> Tensor:
        new, n = layer.step(), layer.candidate()
        return ((new - n) * (new - layer.h) <= 0).all()

    quantities = {
        "z1_keeps": share(lambda layer: (layer.gated(z=1).step() - layer.h).abs().max() < 1e-9),
        "z0_keeps": share(lambda layer: (layer.gated(z=0).step() - layer.h).abs().max() < 1e-9),
        "r0_forgets": share(lambda layer: (layer.gated(r=0, z=0.5).step() - layer.candidate()).abs().max() < 1e-9),
        "new_lies_between": share(inside),
    }
    return Measurement(
        f"one step in each of {len(layers)} cells; shares of the cells in which each statement is true", quantities
    )


def _before_tanh(value: float) -> float:
    return float(torch.tensor(value, dtype=torch.double).atanh())
