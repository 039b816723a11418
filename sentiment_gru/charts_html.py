"""Charts that share the axis of tokens: SVG lines that stretch to any width, and words around them in HTML.

Whatever comes from outside goes through `escape`; coordinates are numbers.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from .explanation import Deletion, Explanation
from .explanation.result import Array
from .verdict_html import percent, tone

DASHES = ("0", "7 4", "2 3", "9 3 2 3")  # so that lines differ by more than their colour
MOST_LINES = 4
METHOD_NAMES = {
    "integrated_gradients": "Integrated gradients",
    "leave_one_out": "Leave one out",
    "as_read": "As read",
}


@dataclass(frozen=True)
class Line:
    """One line of a chart: `values` (N,), and its `band`, the (N,) limits below and above it, or None."""

    name: str
    css: str
    values: Array
    band: tuple[Array, Array] | None = None


def chart(
    lines: Sequence[Line],
    x: Array,
    limits: tuple[float, float],
    ends: tuple[str, str],
    about: str,
    on_tokens: bool = True,
) -> str:
    """Return a chart whose width is that of its place.

    Args:
        lines: what to draw.
        x: (N,) places of the values, from 0 to 1.
        limits: values at the bottom and the top.
        ends: words for the two.
        about: what a screen reader says of the picture.
        on_tokens: whether the width is that of all tokens, so that one can be chosen and marked.
    """
    drawn = "".join(_band(line, x, limits) for line in lines) + "".join(
        f'<polyline class="{line.css}" style="stroke-dasharray: {dash}" points="{_points(x, line.values, limits)}"/>'
        for line, dash in zip(lines, _dashes(lines), strict=True)
    )
    return (
        f'<div class="chart"><div class="chart-ends"><span>{escape(ends[1])}</span><span>{escape(ends[0])}</span></div>'
        f'<div class="chart-plot{" on-tokens" if on_tokens else ""}" role="img" aria-label="{escape(about)}">'
        '<svg viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">'
        f'<path class="chart-grid" d="M0 0H100M0 50H100M0 100H100"/>{drawn}</svg>'
        '<i class="chosen-mark"></i></div></div>'
    )


def legend(entries: Iterable[tuple[Line, str]]) -> str:
    """Return the names of lines, each with a piece of it and a word of what it says."""
    items = list(entries)
    return '<ul class="chart-legend">{}</ul>'.format(
        "".join(
            f'<li><svg viewBox="0 0 24 8" aria-hidden="true"><path class="{line.css}" '
            f'style="stroke-dasharray: {dash}" d="M0 4H24"/></svg>'
            f"{escape(line.name)} <b>{escape(value)}</b></li>"
            for (line, value), dash in zip(items, _dashes([line for line, _ in items]), strict=True)
        )
    )


def token_axis(count: int) -> str:
    """Return the ends of the axis of tokens."""
    return f'<div class="chart-axis"><span>token 1</span><span>{count:,}</span></div>'


def running_chart(explanation: Explanation) -> str:
    """Return the calibrated scores after every token: of all labels, or of the highest if there are many."""
    names = list(explanation.prediction.scores)
    labels = sorted(names, key=explanation.prediction.scores.__getitem__, reverse=True)[:MOST_LINES]
    lines = [Line(label, f"line tone-{tone(label)}", explanation.running[:, names.index(label)]) for label in labels]
    count = len(explanation.tokens)
    drawn = chart(
        lines, np.arange(count + 1) / count, (0, 1), ("0%", "100%"), "Probability of each label after every token"
    )
    values = [percent(explanation.prediction.scores[label]) for label in labels]
    return legend(zip(lines, values, strict=True)) + drawn + token_axis(count)


def gate_strip(explanation: Explanation) -> str:
    """Return mean r and z over units for every token, with the band of 80% of the units, for each direction."""
    count = len(explanation.tokens)
    lines = [(letter, explanation.gate_summary(gate)) for letter, gate in (("r", "reset"), ("z", "update"))]
    places = np.array([0, *(np.arange(count) + 0.5) / count, 1])  # the middle of each token, and the edges
    strips = []
    for index, name in enumerate(direction_names(explanation)):
        drawn = [
            Line(
                letter,
                f"line gate-{letter}",
                _to_edges(found["mean"][index]),
                (_to_edges(found["low"][index]), _to_edges(found["high"][index])),
            )
            for letter, found in lines
        ]
        means = [f"mean {np.mean(found['mean'][index]):.2f}" for _, found in lines]
        about = f"Reset gate r and update gate z of every token, {name}"
        strips.append(
            f'<p class="chart-title chart-direction">{escape(name)}</p>{legend(zip(drawn, means, strict=True))}'
            + chart(drawn, places, (0, 1), ("0", "1"), about)
        )
    return "".join(strips) + token_axis(count)


def direction_names(explanation: Explanation) -> list[str]:
    """Return what to call each of the D layers and directions."""
    directions = explanation.directions
    layers = len(explanation.hidden) // directions
    names = ["Forward, from the first token", "Backward, from the last token"][:directions]
    return [f"Layer {layer + 1}: {name}" if layers > 1 else name for layer in range(layers) for name in names]


def deletion_chart(deletion: Deletion) -> str:
    """Return how the target logit falls as tokens are deleted, for each method and for random orders."""
    random = Line(
        "Random order",
        "line tone-neutral",
        deletion.random.mean(axis=0),
        (deletion.random.min(0), deletion.random.max(0)),
    )
    lines = [
        Line(METHOD_NAMES[method], f"line method-{method}", curve) for method, curve in deletion.curves.items()
    ] + [random]
    everything = np.concatenate([*deletion.curves.values(), deletion.random.ravel()])
    low, high = float(everything.min()), float(everything.max())
    ends = (f"{low:.1f}".replace("-", "−"), f"{high:.1f}".replace("-", "−"))
    gains = [f"{deletion.gain(method):+.2f}".replace("-", "−") for method in deletion.curves]
    drawn = chart(
        lines, deletion.removed, (low, high), ends, "Logit against the share of tokens deleted", on_tokens=False
    )
    return (
        legend(zip(lines, [*gains, ""], strict=True))
        + drawn
        + '<div class="chart-axis"><span>nothing deleted</span><span>everything</span></div>'
    )


def _to_edges(values: list[float]) -> Array:
    return np.pad(np.array(values), 1, mode="edge")


def _points(x: Array, values: Array, limits: tuple[float, float]) -> str:
    low, high = limits
    heights = 100 * (1 - (values - low) / ((high - low) or 1))
    return " ".join(f"{100 * a:.2f},{b:.2f}" for a, b in zip(x, heights, strict=True))


def _band(line: Line, x: Array, limits: tuple[float, float]) -> str:
    if line.band is None:
        return ""
    low, high = line.band
    outline = _points(np.concatenate([x, x[::-1]]), np.concatenate([high, low[::-1]]), limits)
    return f'<polygon class="{line.css}" points="{outline}"/>'


def _dashes(lines: Sequence[Line]) -> list[str]:
    return [DASHES[index % len(DASHES)] for index, _ in enumerate(lines)]
