"""One unit of the trained model at one token of a text."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from ...results import Token
from ..rendering import render
from .cell_view import describe_step, format_number, format_share, render_equations
from .gru_cell import Convention, Step
from .sequence_view import render_trace

if TYPE_CHECKING:
    from .trained_unit import TrainedUnits

CONTEXT = 400  # characters of the text that are shown on each side of the token


@dataclass(frozen=True)
class ChosenUnit:
    """A unit at a token, in one layer and direction, under a convention."""

    units: "TrainedUnits"
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
