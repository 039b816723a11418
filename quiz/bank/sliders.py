"""Slider items: the learner sets numbers until a quantity, computed from them on the server, has the wanted value.

{"sliders": [{"name": "z", "label": "Update gate z", "from": 0, "to": 1, "step": 0.05, "start": 0.5}],
 "key": {"name": "h′", "formula": "z * 0.8 + (1 - z) * -0.4", "solution": {"z": 0.25}, "value": -0.1, ...}}
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from .formulas import ClaimError, evaluate_claim


@dataclass(frozen=True)
class Slider:
    """A control that the learner sets to a number.

    Attributes:
        name: Its name in the formula, and in the proof.
        label: Its name in the page.
        low: The smallest value.
        high: The largest value.
        step: The distance of its positions.
        start: The value before the learner moves it.
    """

    name: str
    label: str
    low: float
    high: float
    step: float
    start: float


@dataclass(frozen=True)
class Goal:
    """The quantity that the sliders of an item control.

    Attributes:
        name: Name of the quantity in the page.
        formula: The quantity, computed from the sliders.
        solution: For each slider, by name, the position that reaches the wanted value.
    """

    name: str
    formula: str
    solution: Mapping[str, float]

    def __hash__(self) -> int:
        """Hash the fields; a mapping alone has no hash."""
        return hash((self.name, self.formula, tuple(self.solution.items())))

    def result(self, positions: Mapping[str, float]) -> float:
        """Return the quantity at positions of the sliders.

        Raises:
            ClaimError: The formula cannot be computed from them.
        """
        return float(evaluate_claim(self.formula, positions))


def make_slider(raw: Mapping[str, Any]) -> Slider:
    """Return the slider of a JSON value."""
    return Slider(raw["name"], raw["label"], raw["from"], raw["to"], raw["step"], raw["start"])


def sample_positions(sliders: Sequence[Slider]) -> list[dict[str, float]]:
    """Return positions all over the range: every combination of both ends, the middle, and the start of each slider."""
    values = [dict.fromkeys([slider.low, slider.start, _middle(slider), slider.high]) for slider in sliders]
    names = [slider.name for slider in sliders]
    return [dict(zip(names, combination, strict=True)) for combination in product(*values)]


def _middle(slider: Slider) -> float:
    steps = round((slider.high - slider.low) / slider.step)
    return round(slider.low + steps // 2 * slider.step, 9)


def find_slider_faults(raw: Mapping[str, Any]) -> Iterator[str]:
    """Yield the faults of the sliders and the goal of an item whose structure the schema has accepted."""
    sliders, key = [make_slider(slider) for slider in raw["sliders"]], raw["key"]
    names = [slider.name for slider in sliders]
    if len(set(names)) < len(names):
        yield "two sliders have the same name"
        return
    if set(names) != set(key["solution"]):
        yield f"the solution must have a position for each slider: {', '.join(names)}"
        return
    for slider in sliders:
        for name, value in (("end", slider.high), ("start", slider.start), ("solution", key["solution"][slider.name])):
            if not (slider.low <= value <= slider.high and _is_on_grid(value, slider)):
                yield f"slider {slider.name!r}: the {name} {value} is not one of its positions"
    goal = Goal(key["name"], key["formula"], key["solution"])
    try:
        reached = {name: goal.result(positions) for name, positions in _cases(sliders, goal)}
    except (ClaimError, TypeError, ValueError) as error:
        yield f"the formula cannot be computed: {error}"
        return
    if abs(reached["solution"] - key["value"]) > key["tolerance"]:
        yield f"the solution leads to {reached['solution']:g}, not to {key['value']:g}"
    if abs(reached["start"] - key["value"]) <= key["tolerance"]:
        yield "the sliders are right before they are moved"


def _cases(sliders: Sequence[Slider], goal: Goal) -> Iterator[tuple[str, Mapping[str, float]]]:
    yield from (("elsewhere", positions) for positions in sample_positions(sliders))
    yield "start", {slider.name: slider.start for slider in sliders}
    yield "solution", goal.solution


def _is_on_grid(value: float, slider: Slider) -> bool:
    steps = (value - slider.low) / slider.step
    return abs(steps - round(steps)) < 1e-6
