"""A unit over a sequence: its curves with a mark at the step that is shown, and the numbers around it as a table."""

from collections.abc import Mapping, Sequence

import numpy as np

from ..charts_html import Line, chart, legend
from ..errors import InputError
from ..explanation.result import Array
from .cell_drawing import number
from .figures import table

MOST_STEPS, AROUND = 20, 5
LETTERS = "rznh"


def parse_sequence(text: str) -> tuple[float, ...]:
    """Return the numbers of a line such as "0, 1.5, −1".

    Raises:
        InputError: what is wrong with it, in one sentence.
    """
    words = text.replace("−", "-").replace(",", " ").split()
    if not 1 <= len(words) <= MOST_STEPS:
        raise InputError(f"Give 1 to {MOST_STEPS} numbers, with spaces or commas between them.")
    try:
        found = tuple(float(word) for word in words)
    except ValueError:
        raise InputError("A sequence is made of numbers, such as 0, 1.5, -1.") from None
    if not all(abs(value) <= 3 for value in found):  # what the slider of x can show; refuses nan, too
        raise InputError("Each number must lie between -3 and 3.")
    return found


def trace_html(values: Mapping[str, Array], inputs: Sequence[str], chosen: int | None, backward: bool = False) -> str:
    """Return curves of r, z and h, and a table of the steps around the chosen one.

    Args:
        values: (T,) arrays of r, z, n and h, by their letter.
        inputs: what enters at each of the T steps.
        chosen: the step to mark, or None.
        backward: whether the steps were taken from the last to the first.
    """
    count = len(inputs)
    places = np.array([0, *(np.arange(count) + 0.5) / count, 1])
    lines = [Line(letter, f"line gate-{letter}", np.pad(values[letter], 1, mode="edge")) for letter in "hzr"]
    told = [number(float(values[letter][chosen])) if chosen is not None else "" for letter in "hzr"]
    about = f"Reset gate r, update gate z and state h over {count} steps{', read from the end' if backward else ''}"
    mark = "" if chosen is None else f' style="--at: {chosen / count:.4f}; --step: {1 / count:.4f}"'
    drawn = chart(lines, places, (-1, 1), ("−1", "1"), about, on_tokens=False)
    return (
        f'<div class="inside-trace{"" if chosen is None else " inside-marked"}"{mark}>'
        f"{legend(zip(lines, told, strict=True))}{drawn}</div>{_table(values, inputs, chosen)}"
    )


def _table(values: Mapping[str, Array], inputs: Sequence[str], chosen: int | None) -> str:
    middle = chosen or 0
    shown = (
        range(len(inputs))
        if len(inputs) <= MOST_STEPS
        else range(max(0, middle - AROUND), min(len(inputs), middle + AROUND + 1))
    )
    rows = [
        [
            f"{'▸ ' if index == chosen else ''}{index + 1}",
            inputs[index],
            *(number(float(values[letter][index])) for letter in LETTERS),
        ]
        for index in shown
    ]
    return table(
        "The steps in numbers: gates r and z, candidate n, and the new state h", ["step", "input", *LETTERS], rows
    )
