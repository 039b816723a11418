"""The colours of everything that is drawn, each with its lighter shade for a dark page.

The poles are the ends of a diverging scale that colour-blind readers can tell apart (Brewer's PuOr and RdBu); text in
these colours has a contrast of 4.5 to 1 on the page. Each of r, z, n and h has one colour everywhere.
"""

COLOURS = {
    "negative": ("#b35806", "#f0a35e"),
    "neutral": ("#66666a", "#b4b4b8"),
    "positive": ("#2166ac", "#7db3e3"),
    # Behind words: the same in both, as the words on them change instead.
    "negative-fill": ("#b35806", "#b35806"),
    "positive-fill": ("#2166ac", "#2166ac"),
    "gate-r": ("#762a83", "#c9a0dc"),
    "gate-z": ("#1b7837", "#7fcf8f"),
    "gate-n": ("#b0186c", "#f29ac8"),
    "gate-h": ("#3f4248", "#d8d8d6"),
}


def palette_css() -> str:
    """Return the colours as CSS variables, such as `var(--positive)`."""
    light, dark = ("".join(f"--{name}: {pair[shade]};" for name, pair in COLOURS.items()) for shade in (0, 1))
    return f":root {{{light}}}\n.dark {{{dark}}}\n"
