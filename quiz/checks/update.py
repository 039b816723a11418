"""Checks of the topic Update gate."""

from typing import Any

import torch

from .cells import Layer
from .measurement import Measurement


def range_of_mix(cell: Any, old: float, candidate: float) -> Measurement:
    """Move the update gate of one unit from 0 to 1, its old state and candidate being given."""
    layer = Layer(cell, hidden=1)
    pre_activation = torch.tensor(candidate).double().atanh().item()
    h = torch.tensor([old]).double()
    states = torch.stack([layer.fixed(n=pre_activation).gated(z=step / 20).step(h=h) for step in range(21)]).flatten()
    names = {"lowest": states.min(), "highest": states.max(), "values": float(states.unique().numel())}
    return Measurement("one step for each of 21 values of the update gate", names)
