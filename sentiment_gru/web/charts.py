"""Charts of an explanation: lines over the tokens of a text, deletion curves, and a heat map of every unit.

SVG lines stretch to the width of the page; the words around them are HTML, so that they keep their size.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from markupsafe import Markup
from PIL import Image

from ..explanation import Deletion, Explanation
from ..results import Array
from .rendering import format_signed, percent, render, render_note, tone

MAX_LINES = 4  # labels in the running prediction
METHOD_NAMES = {
    "integrated_gradients": "Integrated gradients",
    "leave_one_out": "Leave one out",
    "as_read": "As read",
}
GATES = {
    "z": ("update", "update gate z, from 0 (pale) to 1"),
    "r": ("reset", "reset gate r, from 0 (pale) to 1"),
    "n": ("candidate", "candidate n, from −1 (orange) over 0 (pale) to 1 (blue)"),
    "h": ("hidden", "hidden state h, from −1 (orange) over 0 (pale) to 1 (blue)"),
}


@dataclass(frozen=True)
class Line:
    """One line of a chart.

    Attributes:
        name: The name in the legend.
        css: The classes that give the line its colour.
        values: (N,) values.
        band: The (N,) limits below and above the values, or None.
        note: Words beside the name in the legend, such as the last value.
    """

    name: str
    css: str
    values: Array
    band: tuple[Array, Array] | None = None
    note: str = ""


def render_line_chart(
    lines: Sequence[Line],
    x: Array,
    limits: tuple[float, float],
    limit_names: tuple[str, str],
    description: str,
    axis: tuple[str, str] | None = None,
    on_tokens: bool = True,
) -> Markup:
    """Return a legend and a chart as wide as the page.

    Args:
        lines: The lines to draw.
        x: (N,) positions of the values, from 0 to 1.
        limits: The values at the bottom and the top.
        limit_names: The words beside the two.
        description: The text alternative of the picture.
        axis: The words at the left and the right end of the horizontal axis, or None for no axis.
        on_tokens: Whether the horizontal axis counts tokens, so that one can be chosen and marked.
    """
    shapes = [
        {
            "line": line,
            "points": _points(x, line.values, limits),
            "band": line.band and _points(np.append(x, x[::-1]), np.append(line.band[1], line.band[0][::-1]), limits),
        }
        for line in lines
    ]
    return render(
        "line_chart.html",
        shapes=shapes,
        limit_names=limit_names,
        description=description,
        axis=axis,
        on_tokens=on_tokens,
    )


def render_running_chart(explanation: Explanation) -> Markup:
    """Return the calibrated scores after every token: of all labels, or of the highest if there are many."""
    scores = explanation.prediction.scores
    names = list(scores)
    labels = sorted(names, key=scores.__getitem__, reverse=True)[:MAX_LINES]
    lines = [
        Line(label, f"line tone-{tone(label)}", explanation.running[:, names.index(label)], note=percent(scores[label]))
        for label in labels
    ]
    count = len(explanation.tokens)
    return render_line_chart(
        lines,
        np.arange(count + 1) / count,
        (0, 1),
        ("0%", "100%"),
        "Probability of each label after every token",
        axis=token_axis(count),
    )


def render_gate_strip(explanation: Explanation) -> Markup:
    """Return mean r and z over units at every token, with a band that holds 80% of the units, for each direction."""
    count = len(explanation.tokens)
    gates = [("r", explanation.gate_summary("reset")), ("z", explanation.gate_summary("update"))]
    x = np.array([0, *(np.arange(count) + 0.5) / count, 1])  # the middle of each token, and the edges
    names = direction_names(explanation)
    strips = []
    for index, name in enumerate(names):
        lines = []
        for letter, summary in gates:
            mean, low, high = (np.pad(summary[key][index], 1, mode="edge") for key in ("mean", "low", "high"))
            note = f"mean {np.mean(summary['mean'][index]):.2f}"
            lines.append(Line(letter, f"line gate-{letter}", mean, (low, high), note))
        description = f"Reset gate r and update gate z at every token, {name}"
        axis = token_axis(count) if index == len(names) - 1 else None
        strips.append((name, render_line_chart(lines, x, (0, 1), ("0", "1"), description, axis)))
    return render("gate_strip.html", strips=strips)


def render_deletion_chart(deletion: Deletion) -> Markup:
    """Return the target logit while tokens are deleted, for each method and for random orders."""
    band = (deletion.random.min(axis=0), deletion.random.max(axis=0))
    lines = [
        Line(METHOD_NAMES[method], f"line method-{method}", curve, note=format_signed(deletion.gain(method)))
        for method, curve in deletion.curves.items()
    ]
    lines.append(Line("Random order", "line tone-neutral", deletion.random.mean(axis=0), band))
    values = np.concatenate([*deletion.curves.values(), deletion.random.ravel()])
    low, high = float(values.min()), float(values.max())
    return render_line_chart(
        lines,
        deletion.removed,
        (low, high),
        (format_signed(low, ".1f"), format_signed(high, ".1f")),
        "Logit against the share of tokens deleted",
        axis=("nothing deleted", "everything"),
        on_tokens=False,
    )


def render_heat_map(explanation: Explanation, letter: str) -> Markup:
    """Return one picture of a gate for each direction: a column for each token, a row for each unit.

    Args:
        explanation: The explanation of a text.
        letter: A key of `GATES`.
    """
    attribute, description = GATES[letter]
    values: Array = getattr(explanation, attribute)  # (D, T, H)
    if not values.size:
        return render_note("There is nothing to draw yet.")
    pictures = [
        {"direction": name, "units": units.shape[1], "tokens": units.shape[0], "masks": _masks(units, letter)}
        for name, units in zip(direction_names(explanation), values, strict=True)
    ]
    axis = token_axis(len(explanation.tokens))
    return render("heat_map.html", letter=letter, description=description, pictures=pictures, axis=axis)


def direction_names(explanation: Explanation) -> list[str]:
    """Return a name for each of the D layers and directions."""
    directions = explanation.directions
    layers = len(explanation.hidden) // directions
    names = ["Forward, from the first token", "Backward, from the last token"][:directions]
    return [f"Layer {layer + 1}: {name}" if layers > 1 else name for layer in range(layers) for name in names]


def token_axis(count: int) -> tuple[str, str]:
    """Return the words at the ends of an axis of tokens."""
    return "token 1", f"{count:,}"


def encode_png(opacity: Array) -> str:
    """Return (rows, columns) opacities from 0 to 1 as a black PNG with an alpha channel, in base64."""
    alpha = (255 * opacity.clip(0, 1)).round().astype(np.uint8)
    pixels = np.stack([np.zeros_like(alpha), alpha], axis=-1)  # (rows, columns, 2)
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def _masks(values: Array, letter: str) -> list[tuple[str, str]]:
    """Return PNG masks of (T, H) values, each with the CSS variable of its colour on light and dark pages."""
    rows = values[:, np.argsort(-values.mean(axis=0), kind="stable")].T  # (H, T)
    if letter in "rz":
        return [(encode_png(rows), f"gate-{letter}")]
    return [(encode_png(rows), "positive"), (encode_png(-rows), "negative")]


def _points(x: Array, values: Array, limits: tuple[float, float]) -> str:
    low, high = limits
    heights = 100 * (1 - (values - low) / ((high - low) or 1))
    return " ".join(f"{100 * a:.2f},{b:.2f}" for a, b in zip(x, heights, strict=True))
