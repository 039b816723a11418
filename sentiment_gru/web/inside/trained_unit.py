"""One unit of the trained model while it reads a text, as the same `Step` that the sliders make."""

from dataclasses import dataclass, replace
from math import tanh

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...classifier import SentimentClassifier
from ...explanation.gates import hidden_states
from ...results import Array, Token
from .gru_cell import PYTORCH, Convention, Step

MOVED = 0.5  # a change of h that counts as one


@dataclass(frozen=True, eq=False)
class TrainedUnits:
    """All units of a trained GRU over the T tokens of a text.

    Attributes:
        tokens: what was read.
        directions: 1, or 2 if a second set of units reads from the end.
        from_input: (D, 3, T, H) what r, z and n get from the layer's input, its biases included.
        from_past: (D, 3, T, H) what they get from the state before, its biases included.
        reset_first: (D, T, H) what n would get from the state before, if r came before the product.
        before, after: (D, T, H) the states before and after each token; `after` is that of torch.nn.GRU.
    """

    tokens: tuple[Token, ...]
    directions: int
    from_input: Array
    from_past: Array
    reset_first: Array
    before: Array
    after: Array

    def step(self, direction: int, token: int, unit: int, convention: Convention = PYTORCH) -> Step:
        """Return what a unit does at a token, with z in the sense of a convention; r stands where the model has it."""
        place = (slice(None), token, unit)
        read, past = self.from_input[direction][place].tolist(), self.from_past[direction][place].tolist()
        if not convention.z_keeps:
            read[1], past[1] = -read[1], -past[1]
        written = replace(convention, reset_after=True)
        return Step(float(self.before[direction, token, unit]), tuple(read), tuple(past), written)

    def other_candidate(self, direction: int, token: int, unit: int) -> float:
        """Return what n would be if the same weights were used with r before the product."""
        return tanh(self.from_input[direction, 2, token, unit] + self.reset_first[direction, token, unit])

    def trace(self, direction: int, unit: int) -> dict[str, Array]:
        """Return r, z, n and h of a unit over the tokens, each (T,), as PyTorch means z."""
        steps = [self.step(direction, token, unit) for token in range(len(self.tokens))]
        found = {name: np.array([getattr(one, name) for one in steps]) for name in "rzn"}
        return found | {"h": self.after[direction, :, unit]}

    def most_moved(self, direction: int, token: int) -> int:
        """Return the unit that a token changes most."""
        return int(np.abs(self._moves(token)[direction]).argmax())

    def moved(self, token: int) -> tuple[int, int]:
        """Return how many units a token changes by more than `MOVED`, and how many there are."""
        moves = self._moves(token)
        return int((np.abs(moves) > MOVED).sum()), moves.size

    def _moves(self, token: int) -> Array:
        return self.after[:, token] - self.before[:, token]


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
