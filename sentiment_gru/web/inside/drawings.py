"""One step of one unit as a picture: a road for h, as wide as the share that is copied, and what joins it.

It is as wide as a telephone, so that it can be read there without being scaled down.
"""

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np

from ...errors import InputError
from ...results import Array, Token
from ..charts import Line, render_line_chart
from .figures import table
from .gru_cell import Convention, Step
from .trained_unit import TrainedUnits

WIDTH, TOP, HEIGHT = 360, 22, 250
ROAD, BRANCH = 62, 176  # heights of the road for h and of the way through the candidate
OLD, SPLIT, FIRST, SECOND, CANDIDATE, MERGE, NEW = 26, 63, 100, 171, 242, 302, 334  # from left to right
THIN, WIDEST = 1.5, 20.0


def number(value: float, digits: int = 2) -> str:
    """Return a number with a true minus sign, and with none before 0."""
    text = f"{value:.{digits}f}"
    return text.replace("-", "−") if float(text) else text.lstrip("-")


def share(value: float) -> str:
    """Return a share in percent; what is nearly all or nothing keeps a digit that says so."""
    return f"{value:.1%}" if 0 < value < 0.005 or 0.995 <= value < 1 else f"{value:.0%}"


def told(step: Step) -> str:
    """Return the step in words, for those who do not see the picture."""
    return (
        f"Old state {number(step.h)}, reset gate {number(step.r)}, update gate {number(step.z)}, candidate "
        f"{number(step.n)}. The new state is {number(step.new)}: {share(step.kept)} of the old state is copied, and "
        f"{share(1 - step.kept)} of the candidate is written."
    )


def drawing(step: Step) -> str:
    """Return the picture as SVG, in the colours of the page."""
    convention = step.convention
    product, reset = (FIRST, SECOND) if convention.reset_after else (SECOND, FIRST)
    ways = (
        _way(f"M{SPLIT} {ROAD}V{BRANCH}H{reset}", "h", THIN)
        + _way(f"M{reset} {BRANCH}H{CANDIDATE}", "r", _width(step.r))
        + _way(f"M{CANDIDATE} {HEIGHT - 26}V{BRANCH}", "x", THIN)
        + _way(
            f"M{CANDIDATE} {BRANCH}H{MERGE - 16}Q{MERGE} {BRANCH} {MERGE} {BRANCH - 16}V{ROAD}",
            "n",
            _width(1 - step.kept),
        )
        + _way(f"M{OLD} {ROAD}H{NEW}", "h", _width(step.kept))
    )
    nodes = (
        _node(OLD, ROAD, "h", f"<tspan>h</tspan> {number(step.h)}", 58)
        + _node(NEW, ROAD, "h", f"<tspan>h′</tspan> {number(step.new)}", 62)
        + _gate((SPLIT + MERGE) / 2, ROAD, "z", convention.keep_share, step.kept)
        + _gate(MERGE, (ROAD + BRANCH) / 2, "z", convention.write_share, 1 - step.kept)
        + _gate(reset, BRANCH, "r", "r", step.r)
        + _gate(CANDIDATE, BRANCH, "n", "n", step.n)
        + _node(product, BRANCH, "h", "U h + c" if convention.reset_after else "U(rh) + c", 60)
    )
    words = (
        _words((SPLIT + MERGE) / 2, ROAD - 24, f"copies {share(step.kept)} of the old state", "z")
        + _words(MERGE + 4, BRANCH + 26, f"writes {share(1 - step.kept)}", "z")
        + _words(CANDIDATE, HEIGHT - 12, f"from the input: {number(step.from_input[2])}", "x")
        + _words(product, BRANCH + 28, number(step.from_past[2]), "h")
    )
    return (
        f'<svg class="cell" viewBox="0 {TOP} {WIDTH} {HEIGHT - TOP}" role="img" aria-label="{escape(told(step))}">'
        f"{ways}{nodes}{words}</svg>"
    )


def _width(part: float) -> float:
    return THIN + (WIDEST - THIN) * part


def _way(path: str, symbol: str, width: float) -> str:
    return f'<path class="cell-way sym-{symbol}" d="{path}" style="stroke-width: {width:.1f}"/>'


def _gate(x: float, y: float, symbol: str, name: str, value: float) -> str:
    return _node(x, y, symbol, f"<tspan>{name}</tspan> {number(value)}", 60 if len(name) == 1 else 80)


def _node(x: float, y: float, symbol: str, words: str, width: float) -> str:
    left = min(max(x - width / 2, 1), WIDTH - width - 1)
    return (
        f'<g class="cell-node sym-{symbol}"><rect x="{left:.1f}" y="{y - 14:.1f}" width="{width}" height="28" rx="14"/>'
        f'<text x="{left + width / 2:.1f}" y="{y + 4:.1f}">{words}</text></g>'
    )


def _words(x: float, y: float, words: str, symbol: str) -> str:
    return f'<text class="cell-words sym-{symbol}" x="{x:.1f}" y="{y:.1f}">{escape(words)}</text>'


def symbol(name: str) -> str:
    """Return a letter of the equations in its colour; h′ is the new state."""
    return f'<var class="sym-{name[0]}">{name}</var>'


def equations(step: Step) -> str:
    """Return the four equations of the step's convention as a list, the numbers under each."""
    convention = step.convention
    r, z, n, h, x = (symbol(name) for name in "rznhx")
    if convention.reset_after:
        past, past_number = f"{r} · (U<sub>n</sub>{h} + c)", f"{_in('r', step.r)} × {_bracketed(step.from_past[2])}"
    else:
        past, past_number = f"U<sub>n</sub>({r} · {h}) + c", _bracketed(step.from_past[2])
    keep, write = convention.keep_share.replace("z", z), convention.write_share.replace("z", z)
    if "−" in keep:
        keep = f"({keep})"
    if "−" in write:
        write = f"({write})"
    lines = [
        (f"{r} = σ(W<sub>r</sub>{x} + U<sub>r</sub>{h} + b<sub>r</sub>)", _sum("σ", step, 0), "r", step.r),
        (f"{z} = σ(W<sub>z</sub>{x} + U<sub>z</sub>{h} + b<sub>z</sub>)", _sum("σ", step, 1), "z", step.z),
        (
            f"{n} = tanh(W<sub>n</sub>{x} + b<sub>n</sub> + {past})",
            f"tanh({number(step.from_input[2])} + {past_number})",
            "n",
            step.n,
        ),
        (
            f"{symbol('h′')} = {keep} · {h} + {write} · {n}",
            f"{_in('z', step.kept)} × {_in('h', step.h)} + {_in('z', 1 - step.kept)} × {_in('n', step.n)}",
            "h",
            step.new,
        ),
    ]
    rows = "".join(
        f'<li><span class="equation">{formula}</span>'
        f'<span class="equation-numbers">= {numbers} = {_result(name, value)}</span></li>'
        for formula, numbers, name, value in lines
    )
    return f'<ul class="equations">{rows}</ul>'


def _result(name: str, value: float) -> str:
    return f'<strong class="sym-{name}">{number(value, 3)}</strong>'


def _sum(function: str, step: Step, gate: int) -> str:
    return f"{function}({number(step.from_input[gate])} + {_bracketed(step.from_past[gate])})"


def _in(name: str, value: float) -> str:
    return f'<span class="sym-{name}">{_bracketed(value)}</span>'


def _bracketed(value: float) -> str:
    text = number(value)
    return f"({text})" if text.startswith("−") else text


MOST_STEPS, STEPS_AROUND = 20, 5
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
    notes = [number(float(values[letter][chosen])) if chosen is not None else "" for letter in "hzr"]
    lines = [
        Line(letter, f"line gate-{letter}", np.pad(values[letter], 1, mode="edge"), note=note)
        for letter, note in zip("hzr", notes, strict=True)
    ]
    about = f"Reset gate r, update gate z and state h over {count} steps{', read from the end' if backward else ''}"
    mark = "" if chosen is None else f' style="--at: {chosen / count:.4f}; --step: {1 / count:.4f}"'
    drawn = render_line_chart(lines, places, (-1, 1), ("−1", "1"), about, on_tokens=False)
    return (
        f'<div class="inside-trace{"" if chosen is None else " inside-marked"}"{mark}>'
        f"{drawn}</div>{_table(values, inputs, chosen)}"
    )


def _table(values: Mapping[str, Array], inputs: Sequence[str], chosen: int | None) -> str:
    middle = chosen or 0
    shown = (
        range(len(inputs))
        if len(inputs) <= MOST_STEPS
        else range(max(0, middle - STEPS_AROUND), min(len(inputs), middle + STEPS_AROUND + 1))
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


MARGIN = 400  # characters of the text that are shown on each side of the token


def reading_html(text: str, tokens: tuple[Token, ...], chosen: int) -> str:
    """Return the text around a token, with the token marked."""
    token = tokens[chosen]
    before, after = (
        text[max(0, token.start - MARGIN) : token.start],
        text[token.end : token.end + MARGIN],
    )
    lead, rest = "… " * (token.start > MARGIN), " …" * (len(text) > token.end + MARGIN)
    return f'<p class="inside-reading">{lead}{escape(before)}<mark>{escape(token.text)}</mark>{escape(after)}{rest}</p>'


def unit_drawing(units: TrainedUnits, direction: int, token: int, unit: int, convention: Convention) -> str:
    """Return the picture of a unit at a token."""
    return drawing(units.step(direction, token, unit, convention))


def unit_html(units: TrainedUnits, direction: int, token: int, unit: int, convention: Convention) -> str:
    """Return the equations of a unit at a token, what the convention changes in them, and the unit's course."""
    step = units.step(direction, token, unit, convention)
    names = [one.text for one in units.tokens]
    backward = units.directions == 2 and direction % 2 == 1
    course = trace_html(units.trace(direction, unit), names, token, backward)
    return (
        f"{equations(step)}"
        f'<p class="inside-note">{_note(units, direction, token, unit, convention)}</p>'
        f"<h3>Unit {unit} over the text, z as PyTorch means it</h3>{course}"
    )


def unit_told(units: TrainedUnits, direction: int, token: int, unit: int, convention: Convention) -> str:
    """Return the same in a sentence."""
    word = escape(units.tokens[token].text)
    return f"Unit {unit} at “{word}”: {told(units.step(direction, token, unit, convention))}"


def _note(units: TrainedUnits, direction: int, token: int, unit: int, convention: Convention) -> str:
    step = units.step(direction, token, unit, convention)
    gap = abs(step.new - float(units.after[direction, token, unit]))
    proof = f"The new state computed from these numbers and that of torch.nn.GRU differ by {gap:.0e}.".replace("-", "−")
    vectors = "W and U are rows of weights: the sums over all inputs and units are shown, biases included."
    if convention.reset_after:
        return f"{vectors} {proof}"
    other = units.other_candidate(direction, token, unit)
    sense = "" if convention.z_keeps else f"z has {convention.title}'s sense here, {share(step.z)} new. "
    return (
        f"{sense}The model was trained with r after the product, so it stands there in any convention: with r before "
        f"it, the same weights would give the candidate {number(other, 3)} in place of {number(step.n, 3)}. {proof}"
    )
