"""Checks for the topic State dynamics: how large the state becomes, and how long it lasts."""

import math
from typing import Any

import torch

from .cells import Layer
from .expressions import Measurement


def reach(cell: Any, start: float, steps: int) -> Measurement:
    """Look for the largest and smallest state over strong weights, both extremes of z, and many steps."""
    lowest, highest = math.inf, -math.inf
    for seed in range(4):
        layer = Layer(cell, hidden=8, seed=seed, scale=20)
        inputs = torch.randn(steps, 1, 3, dtype=torch.double, generator=torch.Generator().manual_seed(seed))
        for held in (layer, layer.gated(z=0), layer.gated(z=1)):
            states = held.states(inputs, torch.full((8,), start, dtype=torch.double))
            lowest, highest = min(lowest, float(states.min())), max(highest, float(states.max()))
    quantities = {"start": start, "steps": steps, "lowest": lowest, "highest": highest, "answer": highest}
    return Measurement(f"{steps} steps from {start} with four draws of strong weights, and z free, 0 and 1", quantities)


def half_life(cell: Any, z: float) -> Measurement:
    """Count the steps until half of the old state is left, the candidate being held at 0."""
    shares = _shares(cell, z, steps=100)
    after = next(step for step, share in enumerate(shares) if share <= 0.5)
    before = shares[after - 1]
    # Between two whole steps the share falls by the same factor throughout.
    answer = after - 1 + math.log(0.5 / before) / math.log(shares[after] / before)
    return Measurement(f"steps with z = {z} and a candidate of 0", {"z": z, "answer": answer})


def share_left(cell: Any, z: float, steps: int) -> Measurement:
    """Measure what is left of the old state after some steps, the candidate being held at 0."""
    quantities = {"z": z, "steps": steps, "answer": _shares(cell, z, steps)[-1]}
    return Measurement(f"{steps} steps with z = {z} and a candidate of 0", quantities)


def reset_effect(cell: Any) -> Measurement:
    """Move the reset gate from 0 to 1 while the update gate is held, and see how far the new state moves."""
    layer = Layer(cell)

    def effect(z: float) -> torch.Tensor:
        return (layer.gated(r=1, z=z).step() - layer.gated(r=0, z=z).step()).abs().max()

    quantities = {"effect_at_z_0": effect(0), "effect_at_z_half": effect(0.5), "effect_at_z_1": effect(1)}
    return Measurement("pairs of steps with r = 0 and r = 1", quantities)


def _shares(cell: Any, z: float, steps: int) -> list[float]:
    layer = Layer(cell).gated(z=z).fixed(n=0)
    inputs = torch.zeros(steps, 1, 3, dtype=torch.double)
    shares = layer.states(inputs, layer.h) / layer.h  # (steps, H)
    return [1.0, *shares[:, 0].tolist()]
