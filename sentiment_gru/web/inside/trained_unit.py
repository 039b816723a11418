"""The units of the trained model while it reads a text, and one of them at one token as HTML."""

from dataclasses import dataclass, replace
from math import tanh
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from ...results import Array, Token
from ..rendering import render
from .cell_view import describe_step, format_number, format_share, render_equations, render_trace
from .gru_cell import PYTORCH, Convention, Step

if TYPE_CHECKING:  # torch is imported when a unit is first shown
    from torch import Tensor, nn

    from ...classifier import SentimentClassifier

CONTEXT = 400  # characters of the text that are shown on each side of the token


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


def read_units(classifier: "SentimentClassifier", text: str) -> TrainedUnits:
    """Return the units of a classifier over a text; its cells must be GRUs, and the text must have a token."""
    import torch

    from ...explanation.gates import gate_terms, gate_values, layer_states

    reading = classifier.read(text)
    parts: list[tuple[Tensor, ...]] = []
    with torch.inference_mode():
        for cell, inputs, previous, hidden in layer_states(reading):
            reset, _, _ = gate_values(cell, inputs, previous)
            terms = gate_terms(cell, inputs, previous)
            parts.append((*terms, _candidate_term(cell, reset * previous), previous, hidden))
    arrays = (torch.stack(tensors).double().cpu().numpy() for tensors in zip(*parts, strict=True))
    return TrainedUnits(reading.tokens, 2 if reading.model.config.bidirectional else 1, *arrays)


def _candidate_term(cell: "nn.Module", states: "Tensor") -> "Tensor":
    """Return the (T, H) term U_n h + c of n for (T, H) states."""
    from torch.nn import functional as F

    weights = dict(cell.named_parameters())
    return F.linear(states, weights["weight_hh_l0"].chunk(3)[2], weights["bias_hh_l0"].chunk(3)[2])


@dataclass(frozen=True)
class ChosenUnit:
    """A unit at a token, in one layer and direction, under a convention."""

    units: TrainedUnits
    direction: int
    token: int
    unit: int
    convention: Convention

    @property
    def step(self) -> Step:
        """What the unit computes at the token."""
        return self.units.step(self.direction, self.token, self.unit, self.convention)

    @property
    def candidate_with_reset_first(self) -> float:
        """The candidate that the same weights would give if r were applied before the matrix product."""
        return self.units.candidate_with_reset_first(self.direction, self.token, self.unit)

    @property
    def difference(self) -> float:
        """The distance between the new state of `step` and that of `torch.nn.GRU`."""
        return abs(self.step.new - float(self.units.hidden[self.direction, self.token, self.unit]))


def render_reading(text: str, tokens: tuple[Token, ...], chosen: int) -> Markup:
    """Return the text around a token, with the token marked."""
    token = tokens[chosen]
    return render(
        "inside/reading.html",
        before=text[max(0, token.start - CONTEXT) : token.start],
        token=token.text,
        after=text[token.end : token.end + CONTEXT],
        cut_before=token.start > CONTEXT,
        cut_after=len(text) > token.end + CONTEXT,
    )


def describe_unit(chosen: ChosenUnit) -> Markup:
    """Return the unit, the token and the step as sentences."""
    token = chosen.units.tokens[chosen.token].text
    return Markup("Unit {} at “{}”: {}").format(chosen.unit, token, describe_step(chosen.step))


def render_unit(chosen: ChosenUnit) -> Markup:
    """Return the equations of a unit at a token, a note on the convention, and the unit over the whole text."""
    units = chosen.units
    backward = units.directions == 2 and chosen.direction % 2 == 1
    tokens = [token.text for token in units.tokens]
    return render(
        "inside/unit.html",
        equations=render_equations(chosen.step),
        note=_convention_note(chosen),
        unit=chosen.unit,
        trace=render_trace(units.trace(chosen.direction, chosen.unit), tokens, chosen.token, backward),
    )


def _convention_note(chosen: ChosenUnit) -> str:
    """Return what the numbers include, how the convention changes them, and how they compare with torch."""
    convention, step = chosen.convention, chosen.step
    difference = f"{chosen.difference:.0e}".replace("-", "−")
    check = f"The new state computed from these numbers and that of torch.nn.GRU differ by {difference}."
    if convention.reset_after:
        return f"W and U are rows of weights: the sums over all inputs and units are shown, biases included. {check}"
    meaning = "" if convention.z_keeps else f"z has {convention.title}'s sense here, {format_share(step.z)} new. "
    return (
        f"{meaning}The model was trained with r after the product, so it stands there in any convention: with r before "
        f"it, the same weights would give the candidate {format_number(chosen.candidate_with_reset_first, 3)} in place "
        f"of {format_number(step.n, 3)}. {check}"
    )
