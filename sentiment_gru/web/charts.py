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

# Each colour on the light and on the dark page.
COLOURS = {
    "negative": ("#b35806", "#f0a35e"),
    "neutral": ("#66666a", "#b4b4b8"),
    "positive": ("#2166ac", "#7db3e3"),
    # Backgrounds of words: the same in both, as the colour of the words changes instead.
    "negative-fill": ("#b35806", "#b35806"),
    "positive-fill": ("#2166ac", "#2166ac"),
    "gate-r": ("#762a83", "#c9a0dc"),
    "gate-z": ("#1b7837", "#7fcf8f"),
    "gate-n": ("#b0186c", "#f29ac8"),
    "gate-h": ("#3f4248", "#d8d8d6"),
}
MAX_LINES = 4  # labels in the running prediction
STACK = ("positive", "other", "neutral", "negative")  # tones from the top of a column to its bottom
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
        x: (N,) positions of the values, from 0 to 1.
        values: (N,) values.
        band: The (N,) limits below and above the values, or None.
        note: Words beside the name in the legend, such as the last value.
    """

    name: str
    css: str
    x: Array
    values: Array
    band: tuple[Array, Array] | None = None
    note: str = ""


def render_line_chart(
    lines: Sequence[Line],
    limits: tuple[float, float],
    limit_names: tuple[str, str],
    description: str,
    axis: tuple[str, str] | None = None,
    on_tokens: bool = True,
) -> Markup:
    """Return a legend and a chart as wide as the page.

    Args:
        lines: The lines to draw.
        limits: The values at the bottom and the top.
        limit_names: The words beside the two.
        description: The text alternative of the picture.
        axis: The words at the left and the right end of the horizontal axis, or None for no axis.
        on_tokens: Whether the horizontal axis counts tokens, so that one can be chosen and marked.
    """
    shapes = [
        {
            "line": line,
            "points": _points(line.x, line.values, limits),
            "band": line.band and _band(line.x, line.band, limits),
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


def render_track(explanation: Explanation) -> Markup:
    """Return the tokens side by side, and under each the scores after it and how far it moves the hidden state.

    The scores are of all labels, or of the highest if there are many. The movement is the mean over units of
    |h_t − h_before|, for each layer and direction; a bar of full height is the largest movement of the text.
    """
    scores = explanation.prediction.scores
    names = list(scores)
    labels = sorted(names, key=scores.__getitem__, reverse=True)[:MAX_LINES]
    labels.sort(key=lambda label: (STACK.index(tone(label)), -scores[label]))
    running = explanation.running[1:, [names.index(label) for label in labels]]  # (T, labels)
    movement = measure_movement(explanation)
    movement = movement / (movement.max(initial=0.0) or 1.0)
    columns = [
        {
            "token": token,
            "bars": [
                {"css": f"tone-{tone(label)}", "share": float(share)} for label, share in zip(labels, row, strict=True)
            ],
            "movement": movement[:, index].tolist(),
        }
        for index, (token, row) in enumerate(zip(explanation.tokens, running, strict=True))
    ]
    legend = [{"css": f"tone-{tone(label)}", "name": label, "score": percent(scores[label])} for label in labels]
    return render("track.html", columns=columns, legend=legend, directions=direction_names(explanation))


def measure_movement(explanation: Explanation) -> Array:
    """Return (D, T) means over units of the change of the hidden state at each token."""
    if not explanation.hidden.size:
        return np.zeros((0, len(explanation.tokens)))
    movement: Array = np.abs(explanation.hidden - previous_states(explanation)).mean(axis=-1)
    return movement


def previous_states(explanation: Explanation) -> Array:
    """Return (D, T, H) the hidden state before each token; that of a backward direction comes from the next token."""
    before = np.zeros_like(explanation.hidden)
    for index, states in enumerate(explanation.hidden):
        if index % explanation.directions:
            before[index, :-1] = states[1:]
        else:
            before[index, 1:] = states[:-1]
    return before


def render_deletion_chart(deletion: Deletion) -> Markup:
    """Return the target logit while tokens are deleted, for each method and for random orders."""
    x = deletion.removed
    band = (deletion.random.min(axis=0), deletion.random.max(axis=0))
    lines = [
        Line(METHOD_NAMES[method], f"line method-{method}", x, curve, note=format_signed(deletion.gain(method)))
        for method, curve in deletion.curves.items()
    ]
    lines.append(Line("Random order", "line tone-neutral", x, deletion.random.mean(axis=0), band))
    values = np.concatenate([*deletion.curves.values(), deletion.random.ravel()])
    low, high = float(values.min()), float(values.max())
    return render_line_chart(
        lines,
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


def name_directions(layers: int, directions: int) -> list[str]:
    """Return a name for each of the layers x directions readings of a text."""
    names = ["Forward, from the first word", "Backward, from the last word"][:directions]
    return [f"Layer {layer + 1}: {name}" if layers > 1 else name for layer in range(layers) for name in names]


def direction_names(explanation: Explanation) -> list[str]:
    """Return a name for each of the D layers and directions."""
    return name_directions(len(explanation.hidden) // explanation.directions, explanation.directions)


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


def _band(x: Array, band: tuple[Array, Array], limits: tuple[float, float]) -> str:
    low, high = band
    return _points(np.append(x, x[::-1]), np.append(high, low[::-1]), limits)


def _points(x: Array, values: Array, limits: tuple[float, float]) -> str:
    low, high = limits
    heights = 100 * (1 - (values - low) / ((high - low) or 1))
    return " ".join(f"{100 * a:.2f},{b:.2f}" for a, b in zip(x, heights, strict=True))
