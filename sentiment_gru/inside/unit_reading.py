"""The trained model's units over a text, read off torch: what enters every gate, and the states before and after."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..classifier import SentimentClassifier
from ..explanation.gates import hidden_states
from .unit import TrainedUnits


@torch.inference_mode()
def read_units(classifier: SentimentClassifier, text: str) -> TrainedUnits:
    """Return the units of a classifier, whose cells are GRUs, over a text that has a token at least."""
    reading = classifier.read(text)
    states, hidden = hidden_states(reading), reading.model.config.hidden_size
    found: list[tuple[Tensor, ...]] = []
    for layer, inputs, outputs in zip(reading.model.layers, states, states[1:], strict=False):
        for direction, (cell, h) in enumerate(zip(layer.children(), outputs.split(hidden, dim=-1), strict=True)):
            start = torch.zeros_like(h[:1])
            before = torch.cat([h[1:], start] if direction else [start, h[:-1]])  # (T, H)
            found.append((*_sums(cell, inputs, before), before, h))
    parts = (torch.stack(arrays).double().cpu().numpy() for arrays in zip(*found, strict=True))
    return TrainedUnits(reading.tokens, 2 if reading.model.config.bidirectional else 1, *parts)


def _sums(cell: nn.Module, inputs: Tensor, before: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the (3, T, H) sums from (T, *) inputs and from (T, H) states, and (T, H) U (r * h) + c."""
    weights = dict(cell.named_parameters())
    from_input = F.linear(inputs, weights["weight_ih_l0"], weights["bias_ih_l0"])
    from_past = F.linear(before, weights["weight_hh_l0"], weights["bias_hh_l0"])
    input_parts, past_parts = (torch.stack(sums.chunk(3, dim=-1)) for sums in (from_input, from_past))
    reset = torch.sigmoid(input_parts[0] + past_parts[0])
    matrix, bias = weights["weight_hh_l0"].chunk(3)[2], weights["bias_hh_l0"].chunk(3)[2]
    return input_parts, past_parts, F.linear(reset * before, matrix, bias)
