"""One line of a bank's Markdown as HTML, for places that Gradio's Markdown, with its formulas, does not reach.

It knows what options are made of: code between backticks, bold and italic words, and formulas of letters, numbers,
indices, powers and a few symbols. Everything is escaped; a symbol it does not know is shown by its name.
"""

import re
from html import escape

_PARTS = re.compile(r"`(?P<code>[^`]+)`|\$(?P<formula>[^$]+)\$|\*\*(?P<bold>[^*]+)\*\*|\*(?P<italic>[^*\s][^*]*)\*")
_SYMBOLS = {
    "odot": "⊙", "cdot": "·", "times": "×", "sigma": "σ", "le": "≤", "leq": "≤", "ge": "≥", "geq": "≥", "ne": "≠",
    "neq": "≠", "approx": "≈", "to": "→", "dots": "…", "in": "∈", "partial": "∂", "sum": "∑", ",": " ", ";": " ",
    "%": "%",
}  # fmt: skip
_ACCENTS = {"tilde": "\u0303", "hat": "\u0302", "bar": "\u0304"}
_PLAIN = {"mathrm", "mathbf", "text", "operatorname", "left", "right"}
_FORMULA = re.compile(
    r"\\(?P<accent>tilde|hat|bar)\s*\{?(?P<under>\w)\}?|\\(?P<name>[A-Za-z]+|.)\s?"
    r"|(?P<shift>[_^])(?:\{(?P<group>[^{}]*)\}|(?P<one>\\[A-Za-z]+|.))|(?P<letter>[A-Za-z])|(?P<brace>[{}])|(?P<minus>-)"
)


def inline_html(markdown: str) -> str:
    """Return the HTML of one line of Markdown with formulas between dollar signs."""
    done, html = 0, []
    for found in _PARTS.finditer(markdown):
        html += [escape(markdown[done : found.start()]), _part(found)]
        done = found.end()
    return "".join([*html, escape(markdown[done:])])


def _part(found: re.Match[str]) -> str:
    match found.lastgroup:
        case "code":
            return f"<code>{escape(found['code'])}</code>"
        case "formula":
            return f'<span class="formula">{_formula(found["formula"])}</span>'
        case "bold":
            return f"<strong>{escape(found['bold'])}</strong>"
    return f"<em>{escape(found['italic'])}</em>"


def _formula(tex: str) -> str:
    done, html = 0, []
    for found in _FORMULA.finditer(tex):
        html += [escape(tex[done : found.start()]), _symbol(found)]
        done = found.end()
    return "".join([*html, escape(tex[done:])])


def _symbol(found: re.Match[str]) -> str:
    if found["accent"]:
        return f"<i>{escape(found['under'])}{_ACCENTS[found['accent']]}</i>"
    if found["name"]:
        return "" if found["name"] in _PLAIN else escape(_SYMBOLS.get(found["name"], found["name"]))
    if found["shift"]:
        tag = "sub" if found["shift"] == "_" else "sup"
        return f"<{tag}>{_formula(found['group'] if found['group'] is not None else found['one'])}</{tag}>"
    if found["letter"]:
        return f"<i>{found['letter']}</i>"
    return "−" if found["minus"] else ""
