"""Charts that share the axis of tokens: SVG lines that stretch to any width, and words around them in HTML.

Whatever comes from outside goes through `escape`; coordinates are numbers.
"""

import base64
import struct
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from ..explanation import Deletion, Explanation
from ..results import Array
from .verdict_view import percent, tone

if TYPE_CHECKING:
    from ..files.summary import Bin, Grading, Histogram


WIDTH, HEIGHT = 360, 190
LEFT, RIGHT, TOP, BOTTOM = 44, 10, 12, 38  # room around the plot, for the numbers on its axes


def histogram(found: "Histogram") -> str:
    """Return stacked bars of how many rows got which score, one colour a label."""
    bins = len(next(iter(found.counts.values())))
    totals = [sum(counts[i] for counts in found.counts.values()) for i in range(bins)]
    highest = max(1, *totals)
    width = (WIDTH - LEFT - RIGHT) / bins
    bars = []
    for place in range(bins):
        base = float(HEIGHT - BOTTOM)
        for label, counts in found.counts.items():
            height = counts[place] / highest * (HEIGHT - TOP - BOTTOM)
            base -= height
            if counts[place]:
                bars.append(
                    f'<rect class="fill tone-{tone(label)}" x="{LEFT + place * width + 1:.1f}" y="{base:.1f}" '
                    f'width="{width - 2:.1f}" height="{max(height, 1):.1f}">'
                    f"<title>{escape(label)}: {counts[place]:,}</title></rect>"
                )
    ends = ("−1", "0", "+1") if found.balanced else ("0", "0.5", "1")
    what = "balance, from negative to positive" if found.balanced else "score of the verdict"
    summary = ", ".join(f"{escape(label)} {sum(counts):,}" for label, counts in found.counts.items())
    return _svg(
        f"Histogram of the {what}: {summary}",
        _frame(ends, ("0", f"{highest // 2:,}" if highest > 1 else "", f"{highest:,}"), what, "rows") + "".join(bars),
    )


def calibration(bins: Sequence["Bin"]) -> str:
    """Return how often verdicts are right against the score they claim; the diagonal is a model without illusions."""
    if not bins:
        return ""
    most = max(one.rows for one in bins)
    radii = [3 + 6 * (one.rows / most) ** 0.5 for one in bins]
    dots = "".join(
        f'<circle class="dot" cx="{_x(one.score):.1f}" cy="{_y(one.right):.1f}" r="{radius:.1f}">'
        f"<title>score {one.score:.2f}: {one.right:.0%} of {one.rows:,} right</title></circle>"
        for one, radius in zip(bins, radii, strict=True)
    )
    line = " ".join(f"{_x(one.score):.1f},{_y(one.right):.1f}" for one in bins)
    told = "; ".join(f"score {one.score:.2f}, {one.right:.0%} of {one.rows:,} right" for one in bins)
    diagonal = f'<line class="diagonal" x1="{_x(0):.1f}" y1="{_y(0):.1f}" x2="{_x(1):.1f}" y2="{_y(1):.1f}"/>'
    axes = _frame(("0", "0.5", "1"), ("0%", "50%", "100%"), "score of the verdict", "share right")
    return _svg(f"Calibration: {told}", f'{axes}{diagonal}<polyline class="joint" points="{line}"/>{dots}')


def confusion(grading: "Grading") -> str:
    """Return a table of the file's labels by the verdicts, shaded by the share of each row."""
    heads = "".join(f'<th scope="col">{escape(verdict)}</th>' for verdict in grading.verdicts)
    rows = "".join(
        f'<tr><th scope="row">{escape(label)}</th>'
        + "".join(
            _shaded(count, sum(counts), verdict == label)
            for count, verdict in zip(counts, grading.verdicts, strict=True)
        )
        + "</tr>"
        for label, counts in zip(grading.labels, grading.confusion, strict=True)
    )
    return (
        '<div class="files-scroll" role="region" tabindex="0" aria-label="Confusion matrix">'
        '<table class="confusion"><caption>Rows: label in the file. Columns: verdict.</caption>'
        f"<thead><tr><td></td>{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _shaded(count: int, total: int, right: bool) -> str:
    share = count / total if total else 0
    kind = "confusion-right" if right else "confusion-wrong"
    return f'<td class="{kind}" style="--share: {60 * share:.0f}%">{count:,} <small>{share:.0%}</small></td>'


def _x(share: float) -> float:
    return LEFT + share * (WIDTH - LEFT - RIGHT)


def _y(share: float) -> float:
    return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)


def _frame(across: Sequence[str], up: Sequence[str], what: str, unit: str) -> str:
    """Return the two axes with three numbers each, and what they count."""
    marks = "".join(
        f'<text x="{_x(place):.0f}" y="{HEIGHT - BOTTOM + 15}" text-anchor="{anchor}">{mark}</text>'
        for place, anchor, mark in zip((0, 0.5, 1), ("start", "middle", "end"), across, strict=True)
    )
    marks += "".join(
        f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{_y(place):.1f}" y2="{_y(place):.1f}"/>'
        f'<text x="{LEFT - 6}" y="{_y(place) + 4:.1f}" text-anchor="end">{mark}</text>'
        for place, mark in zip((0, 0.5, 1), up, strict=True)
    )
    return f'{marks}<text x="{_x(0.5):.0f}" y="{HEIGHT - 6}" text-anchor="middle">{what} · up: {unit}</text>'


def _svg(told: str, content: str) -> str:
    return f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{told}">{content}</svg>'


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


GATES = {
    "z": ("update", "update gate z, from 0, pale, to 1"),
    "r": ("reset", "reset gate r, from 0, pale, to 1"),
    "n": ("candidate", "candidate n, from −1, orange, over 0, pale, to 1, blue"),
    "h": ("hidden", "hidden state h, from −1, orange, over 0, pale, to 1, blue"),
}
NO_GATES = '<p class="why-note">There is nothing to draw yet.</p>'


def heat_map_html(explanation: Explanation, letter: str) -> str:
    """Return one picture a direction of a gate: a column for each token, a row for each unit, sorted by their mean."""
    attribute, about = GATES[letter]
    values: Array = getattr(explanation, attribute)  # (D, T, H)
    if not values.size:
        return NO_GATES
    pictures = "".join(
        f'<p class="chart-title">{escape(name)}</p>{_picture(layer, letter, name)}'
        for name, layer in zip(direction_names(explanation), values, strict=True)
    )
    note = f'<p class="why-note">Every unit of {about}; rows are units, sorted by their mean.</p>'
    return f"{note}{pictures}{token_axis(len(explanation.tokens))}"


def _picture(values: Array, letter: str, name: str) -> str:
    """Return the (T, H) values in colours of the page, light or dark: each is a mask over a colour."""
    rows = values[:, np.argsort(-values.mean(axis=0), kind="stable")].T  # (H, T)
    if letter in "rz":
        masks = [(rows, f"gate-{letter}")]
    else:
        masks = [(np.maximum(rows, 0), "positive"), (np.maximum(-rows, 0), "negative")]
    layers = "".join(
        f'<i style="--mask: url(data:image/png;base64,{png(found)}); --ink: var(--{colour})"></i>'
        for found, colour in masks
    )
    return (
        f'<div class="heat-map on-tokens" role="img" aria-label="{letter} of {rows.shape[0]} units at '
        f'{rows.shape[1]} tokens, {escape(name)}">{layers}<i class="chosen-mark"></i></div>'
    )


def png(opacity: Array) -> str:
    """Return (rows, columns) opacities from 0 to 1 as a PNG of grey and alpha in base64 (RFC 2083)."""
    alpha = (255 * opacity.clip(0, 1)).round().astype(np.uint8)
    pixels = np.stack([np.zeros_like(alpha), alpha], axis=-1)  # (rows, columns, 2)
    lines = b"".join(b"\0" + line.tobytes() for line in pixels)  # each begins with its filter: none
    header = struct.pack(">IIBBBBB", alpha.shape[1], alpha.shape[0], 8, 4, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(lines, 9)), (b"IEND", b"")]
    parts = [
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    ]
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"".join(parts)).decode()
