"""A sequence of steps as curves of r, z and h, and as a table of numbers."""

from collections.abc import Mapping, Sequence

import numpy as np
from markupsafe import Markup

from ...errors import InputError
from ...results import Array
from ..charts import Line, render_line_chart
from ..rendering import render
from .cell_view import format_number
from .figures import render_table

MOST_STEPS, STEPS_AROUND = 20, 5
LARGEST_INPUT = 3  # the bound of the slider of x
LETTERS = "rznh"


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
