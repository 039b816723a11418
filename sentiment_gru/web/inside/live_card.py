"""Cards of the tab inside a question of the quiz, which open with its numbers."""

import math
from collections.abc import Mapping
from dataclasses import fields
from functools import cache

from markupsafe import Markup

from ..rendering import render
from .cards import CARDS
from .figure_cards import find_answer, list_figures
from .gru_cell import CONVENTIONS, PYTORCH, Convention, Preset, Weights
from .measurements import read_measured
from .stage_view import Opening, render_sliders, render_weights

FIGURES = ("compare", "gradient")
Values = Mapping[str, float | str]
_NEAREST = 0.0025  # distance of a gate from 0 and 1 at the ends of the sliders of biases


def render_live_card(name: str, values: Values) -> Markup | None:
    """Return a card for a question, or None if it cannot be shown outside of its tab.

    Args:
        name: Name of the card.
        values: Numbers of the question. "cell" takes the fields of `Opening`, "weights" those of `Weights`, the input x
            and the gates r and z, and both take the old state h, the candidate n, and the name of a `convention`.
    """
    numbers = {key: value for key, value in values.items() if not isinstance(value, str)}
    convention = next((one for one in CONVENTIONS if one.name == values.get("convention")), PYTORCH)
    if name == "cell":
        body = render_sliders(make_opening(numbers), convention, tasks=())
    elif name == "weights":
        body = render_weights(make_preset(numbers, convention) if numbers else None, convention, group="live")
    elif name in FIGURES:
        body = _render_figures(name)
    else:
        return None
    lead = next(card.lead for card in CARDS if card.name == name)
    return render("inside/live_card.html", lead=lead, body=body)


def make_opening(numbers: Mapping[str, float]) -> Opening:
    """Return the numbers of the card of two sliders; a candidate n is one that only the input makes."""
    known = {field.name: numbers[field.name] for field in fields(Opening) if field.name in numbers}
    if "n" in numbers:
        known |= {"input": _atanh(numbers["n"]), "weight": 0.0}
    return Opening(**known)  # type: ignore[arg-type]


def make_preset(numbers: Mapping[str, float], convention: Convention) -> Preset:
    """Return a preset whose weights lead to these numbers; gates and candidate are made by their biases alone."""
    weights = {field.name: numbers[field.name] for field in fields(Weights) if field.name in numbers}
    if "z" in numbers:
        weights["b_z"] = _logit(numbers["z"] if convention.z_keeps else 1 - numbers["z"])
    if "r" in numbers:
        weights["b_r"] = _logit(numbers["r"])
    if "n" in numbers:
        weights["b_n"] = _atanh(numbers["n"])
    return Preset(
        "The question", "The numbers of the question.", Weights(**weights), numbers.get("x", 0.0), numbers.get("h", 0.0)
    )


@cache
def _render_figures(name: str) -> Markup:
    """Return the figures of a card without those that plotly draws, and the answer to its question."""
    measured = read_measured()
    figures = [figure.make(False) for figure in list_figures(name, measured) if not figure.is_plot]
    answer = find_answer(name, measured)
    return render("inside/live_figures.html", figures=figures, explanation=answer.explanation if answer else "")


def _logit(share: float) -> float:
    share = min(max(share, _NEAREST), 1 - _NEAREST)
    return math.log(share / (1 - share))


def _atanh(value: float) -> float:
    return math.atanh(min(max(value, _NEAREST - 1), 1 - _NEAREST))
