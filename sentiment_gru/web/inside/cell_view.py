"""A step of a GRU unit as a drawing, as equations and as a sentence; a sequence of steps as curves and as a table.

The drawing shows the old state as a road whose width is the share that is copied. It is as wide as a phone screen, so
that its text stays readable there without scaling.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from ...errors import InputError
from ...results import Array
from ..charts import Line, render_line_chart
from ..rendering import render, render_table
from .gru_cell import Step

MOST_STEPS, STEPS_AROUND = 20, 5
LARGEST_INPUT = 3  # the bound of the slider of x
LETTERS = "rznh"

WIDTH, TOP, HEIGHT = 360, 22, 250
ROAD, BRANCH = 62, 176  # y of the road for h and of the branch through the candidate
OLD, SPLIT, FIRST, SECOND, CANDIDATE, MERGE, NEW = 26, 63, 100, 171, 242, 302, 334  # x, from left to right
NARROWEST, WIDEST = 1.5, 20.0


@dataclass(frozen=True)
class Path:
    """A line of the drawing, `width` wide, in the colour of a symbol."""

    symbol: str
    d: str
    width: float = NARROWEST


@dataclass(frozen=True)
class Node:
    """A box of the drawing centred at (x, y), with an emphasized variable and a text."""

    symbol: str
    x: float
    y: float
    width: float
    variable: str
    text: str

    @property
    def left(self) -> float:
        """The left edge of the box, moved into the drawing where the box would leave it."""
        return min(max(self.x - self.width / 2, 1), WIDTH - self.width - 1)


@dataclass(frozen=True)
class Label:
    """A text of the drawing centred at (x, y), in the colour of a symbol."""

    symbol: str
    x: float
    y: float
    text: str


def format_number(value: float, digits: int = 2) -> str:
    """Return a number with U+2212 as its minus sign, and without a sign if it rounds to 0.

    >>> format_number(-1.5), format_number(-0.001)
    ('−1.50', '0.00')
    """
    text = f"{value:.{digits}f}"
    return text.replace("-", "−") if float(text) else text.lstrip("-")


def format_share(value: float) -> str:
    """Return a share in percent, with one decimal if whole percents would round it to all or nothing.

    >>> format_share(0.5), format_share(0.998)
    ('50%', '99.8%')
    """
    return f"{value:.1%}" if 0 < value < 0.005 or 0.995 <= value < 1 else f"{value:.0%}"


def describe_step(step: Step) -> str:
    """Return a step as two sentences; they also serve as the text alternative of the drawing."""
    return (
        f"Old state {format_number(step.h)}, reset gate {format_number(step.r)}, update gate {format_number(step.z)}, "
        f"candidate {format_number(step.n)}. The new state is {format_number(step.new)}: {format_share(step.copied)} "
        f"of the old state is copied, and {format_share(1 - step.copied)} of the candidate is written."
    )


def render_drawing(step: Step) -> Markup:
    """Return the drawing of a step as SVG, in the colours of the page."""
    product, reset = (FIRST, SECOND) if step.convention.reset_after else (SECOND, FIRST)
    return render(
        "inside/cell.html",
        description=describe_step(step),
        view_box=f"0 {TOP} {WIDTH} {HEIGHT - TOP}",
        paths=_paths(step, reset),
        nodes=_nodes(step, product, reset),
        labels=_labels(step, product),
    )


def render_equations(step: Step) -> Markup:
    """Return the four equations of the step's convention as a list, each with the numbers of the step."""
    return render("inside/equations.html", step=step, number=format_number, bracketed=_bracketed)


def _paths(step: Step, reset: int) -> list[Path]:
    merging = f"M{CANDIDATE} {BRANCH}H{MERGE - 16}Q{MERGE} {BRANCH} {MERGE} {BRANCH - 16}V{ROAD}"
    return [
        Path("h", f"M{SPLIT} {ROAD}V{BRANCH}H{reset}"),
        Path("r", f"M{reset} {BRANCH}H{CANDIDATE}", _width(step.r)),
        Path("x", f"M{CANDIDATE} {HEIGHT - 26}V{BRANCH}"),
        Path("n", merging, _width(1 - step.copied)),
        Path("h", f"M{OLD} {ROAD}H{NEW}", _width(step.copied)),
    ]


def _width(share: float) -> float:
    return NARROWEST + (WIDEST - NARROWEST) * share


def _nodes(step: Step, product: int, reset: int) -> list[Node]:
    convention = step.convention
    return [
        Node("h", OLD, ROAD, 58, "h", format_number(step.h)),
        Node("h", NEW, ROAD, 62, "h′", format_number(step.new)),
        _share_node((SPLIT + MERGE) / 2, ROAD, convention.keep_share, step.copied),
        _share_node(MERGE, (ROAD + BRANCH) / 2, convention.write_share, 1 - step.copied),
        Node("r", reset, BRANCH, 60, "r", format_number(step.r)),
        Node("n", CANDIDATE, BRANCH, 60, "n", format_number(step.n)),
        Node("h", product, BRANCH, 60, "", "U h + c" if convention.reset_after else "U(rh) + c"),
    ]


def _share_node(x: float, y: float, factor: str, share: float) -> Node:
    return Node("z", x, y, 60 if factor == "z" else 80, factor, format_number(share))


def _labels(step: Step, product: int) -> list[Label]:
    return [
        Label("z", (SPLIT + MERGE) / 2, ROAD - 24, f"copies {format_share(step.copied)} of the old state"),
        Label("z", MERGE + 4, BRANCH + 26, f"writes {format_share(1 - step.copied)}"),
        Label("x", CANDIDATE, HEIGHT - 12, f"from the input: {format_number(step.from_input[2])}"),
        Label("h", product, BRANCH + 28, format_number(step.from_past[2])),
    ]


def _bracketed(value: float) -> str:
    text = format_number(value)
    return f"({text})" if text.startswith("−") else text


def parse_sequence(text: str) -> tuple[float, ...]:
    """Return the numbers of a line such as "0, 1.5, −1".

    Raises:
        InputError: The line has no or too many numbers, or one that is malformed or out of bounds.
    """
    words = text.replace("−", "-").replace(",", " ").split()
    if not 1 <= len(words) <= MOST_STEPS:
        raise InputError(f"Give 1 to {MOST_STEPS} numbers, with spaces or commas between them.")
    try:
        numbers = tuple(float(word) for word in words)
    except ValueError:
        raise InputError("A sequence is made of numbers, such as 0, 1.5, -1.") from None
    if not all(abs(number) <= LARGEST_INPUT for number in numbers):  # false for nan
        raise InputError(f"Each number must lie between -{LARGEST_INPUT} and {LARGEST_INPUT}.")
    return numbers


def render_trace(
    values: Mapping[str, Array], inputs: Sequence[str], chosen: int | None, backward: bool = False
) -> Markup:
    """Return the curves of a sequence, and a table of the steps around the chosen one.

    Args:
        values: (T,) arrays of r, z, n and h, by their letter.
        inputs: The input of each of the T steps, as text.
        chosen: The step to mark, or None.
        backward: True if the steps run from the last input to the first.
    """
    count = len(inputs)
    positions = np.array([0, *(np.arange(count) + 0.5) / count, 1])
    lines = [
        Line(
            letter,
            f"line gate-{letter}",
            np.pad(values[letter], 1, mode="edge"),
            note="" if chosen is None else format_number(float(values[letter][chosen])),
        )
        for letter in "hzr"
    ]
    title = f"Reset gate r, update gate z and state h over {count} steps{', read from the end' if backward else ''}"
    return render(
        "inside/trace.html",
        chosen=chosen,
        count=count,
        chart=render_line_chart(lines, positions, (-1, 1), ("−1", "1"), title, on_tokens=False),
        table=_render_steps(values, inputs, chosen),
    )


def _render_steps(values: Mapping[str, Array], inputs: Sequence[str], chosen: int | None) -> Markup:
    steps = range(len(inputs))
    if len(inputs) > MOST_STEPS:
        middle = chosen or 0
        steps = steps[max(0, middle - STEPS_AROUND) : middle + STEPS_AROUND + 1]
    rows = [
        [
            f"{'▸ ' if step == chosen else ''}{step + 1}",
            inputs[step],
            *(format_number(float(values[letter][step])) for letter in LETTERS),
        ]
        for step in steps
    ]
    caption = "The steps in numbers: gates r and z, candidate n, and the new state h"
    return render_table(caption, ["step", "input", *LETTERS], rows)
