"""The units of the trained model while it reads a text, each as the same `Step` that the sliders of the cell make."""

from dataclasses import dataclass, replace
from math import tanh

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...classifier import SentimentClassifier
from ...explanation.gates import gate_terms, gate_values, layer_states
from ...results import Array, Token
from .gru_cell import PYTORCH, Convention, Step


@dataclass(frozen=True, eq=False)
class TrainedUnits:
    """All H units of a trained GRU over the T tokens of a text, in D layers and directions.

    Attributes:
        tokens: The T tokens of the text.
        directions: 1, or 2 if a second set of units reads from the end.
        from_input: (D, 3, T, H) terms of r, z and n that come from the layer's input, including its biases.
        from_past: (D, 3, T, H) terms that come from the previous state, including its biases.
        reset_first: (D, T, H) terms of n from the previous state if r were applied before the matrix product.
        previous: (D, T, H) states before each token.
        hidden: (D, T, H) states after each token, as `torch.nn.GRU` computes them.
    """

    tokens: tuple[Token, ...]
    directions: int
    from_input: Array
    from_past: Array
    reset_first: Array
    previous: Array
    hidden: Array

    def step(self, direction: int, token: int, unit: int, convention: Convention = PYTORCH) -> Step:
        """Return the step of a unit at a token.

        z has the meaning of the convention; r is applied after the matrix product, as in the trained model.
        """
        index = (direction, slice(None), token, unit)
        from_input, from_past = self.from_input[index].tolist(), self.from_past[index].tolist()
        if not convention.z_keeps:
            from_input[1], from_past[1] = -from_input[1], -from_past[1]
        h = float(self.previous[direction, token, unit])
        return Step(h, tuple(from_input), tuple(from_past), replace(convention, reset_after=True))

    def candidate_with_reset_first(self, direction: int, token: int, unit: int) -> float:
        """Return n as the same weights would give it if r were applied before the matrix product."""
        return tanh(self.from_input[direction, 2, token, unit] + self.reset_first[direction, token, unit])

    def trace(self, direction: int, unit: int) -> dict[str, Array]:
        """Return r, z, n and h of a unit over the tokens, each (T,), with z as in PyTorch."""
        steps = [self.step(direction, token, unit) for token in range(len(self.tokens))]
        gates = {letter: np.array([getattr(step, letter) for step in steps]) for letter in "rzn"}
        return gates | {"h": self.hidden[direction, :, unit]}

    def most_changed_unit(self, direction: int, token: int) -> int:
        """Return the unit that changes most at a token."""
        return int(self._changes(token)[direction].argmax())

    def count_changed(self, token: int, threshold: float) -> tuple[int, int]:
        """Return the number of units whose h changes by more than a threshold at a token, and the number of units."""
        changes = self._changes(token)
        return int((changes > threshold).sum()), changes.size

    def _changes(self, token: int) -> Array:
        """Return the (D, H) absolute changes of h at a token."""
        changes: Array = np.abs(self.hidden[:, token] - self.previous[:, token])
        return changes


@torch.inference_mode()
def read_units(classifier: SentimentClassifier, text: str) -> TrainedUnits:
    """Return the units of a classifier over a text; its cells must be GRUs, and the text must have a token."""
    reading = classifier.read(text)
    parts: list[tuple[Tensor, ...]] = []
    for cell, inputs, previous, hidden in layer_states(reading):
        reset, _, _ = gate_values(cell, inputs, previous)
        terms = gate_terms(cell, inputs, previous)
        parts.append((*terms, _candidate_term(cell, reset * previous), previous, hidden))
    arrays = (torch.stack(tensors).double().cpu().numpy() for tensors in zip(*parts, strict=True))
    return TrainedUnits(reading.tokens, 2 if reading.model.config.bidirectional else 1, *arrays)


def _candidate_term(cell: nn.Module, states: Tensor) -> Tensor:
    """Return the (T, H) term U_n h + c of n for (T, H) states."""
    weights = dict(cell.named_parameters())
    return F.linear(states, weights["weight_hh_l0"].chunk(3)[2], weights["bias_hh_l0"].chunk(3)[2])
