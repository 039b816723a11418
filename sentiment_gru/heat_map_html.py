"""Every unit at every token as a picture: a few bytes a cell, where SVG would take fifty."""

import base64
import struct
import zlib
from html import escape

import numpy as np

from .charts_html import direction_names, token_axis
from .explanation import Explanation
from .explanation.result import Array

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
