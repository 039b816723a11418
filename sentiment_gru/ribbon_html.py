"""The text as the model reads it: every token in its own casing and place, coloured by what it adds to the verdict.

How strong a colour is stands in numbers, `--integrated_gradients` and so on, from -1 to 1; the style sheet mixes it.
"""

from html import escape

import numpy as np

from .explanation import Explanation, Token
from .explanation.result import Array
from .verdict_html import tone

POLES = ("for positive", "for negative")


def poles(explanation: Explanation) -> tuple[str, str]:
    """Return what tokens of the two colours speak for, as escaped words: first blue, then orange."""
    label, against = explanation.target
    if {tone(label), tone(against or "")} == {"negative", "positive"}:
        return POLES
    return f"for “{escape(label)}”", f"for “{escape(against)}”" if against else f"against “{escape(label)}”"


def sign(explanation: Explanation) -> int:
    """Return -1 if attributions above 0 speak for the second of `poles`, else 1."""
    return -1 if poles(explanation) == POLES and tone(explanation.target[0]) == "negative" else 1


def signed(explanation: Explanation, method: str) -> Array:
    """Return (T,) attributions that are above 0 for the first of `poles`."""
    return explanation.attributions[method] * sign(explanation)


def ribbon(explanation: Explanation) -> str:
    """Return all the text; each token is a button that takes the focus."""
    values = {method: signed(explanation, method) for method in explanation.attributions}
    strengths = {method: found / (np.abs(found).max() or 1) for method, found in values.items()}
    parts, cursor = [], 0
    for index, token in enumerate(explanation.tokens):
        parts.append(_between(explanation, index, cursor))
        style = ";".join(f"--{method}:{strengths[method][index]:.3f}" for method in values)
        parts.append(_token(explanation.text, token, index, cursor, style))
        cursor = max(cursor, token.end)
    parts.append(escape(explanation.text[cursor:]))
    return f'<div class="ribbon" role="group" aria-label="The text, token by token">{"".join(parts)}</div>'


def _between(explanation: Explanation, index: int, cursor: int) -> str:
    """Return what stands before a token: spaces, or the tokens that were not read."""
    cut = explanation.prediction.truncated_tokens
    if cut and index == (len(explanation.tokens) + 1) // 2:
        return f' <span class="ribbon-cut">[{cut:,} tokens not read]</span> '
    return escape(explanation.text[cursor : max(cursor, explanation.tokens[index].start)])


def _token(text: str, token: Token, index: int, cursor: int, style: str) -> str:
    shown = text[max(token.start, cursor) : token.end]  # one character can be several tokens, such as an ellipsis
    name = f' aria-label="{escape(token.text) or index + 1}"' if not shown.strip() else ""
    css = "token token-unknown" if token.unknown else "token"
    return (
        f'<span class="{css}" role="button" tabindex="{-1 if index else 0}" aria-pressed="false" data-index="{index}"'
        f'{name} style="{style}">{escape(shown)}</span>'
    )


def legend(explanation: Explanation, method: str) -> str:
    """Return the scale of the colours, with its numbers."""
    first, second = poles(explanation)
    most = float(np.abs(explanation.attributions[method]).max())
    return (
        f'<div class="ribbon-legend" data-method="{method}"><span>−{most:.2f}<br>{second}</span>'
        '<i class="ribbon-scale" aria-hidden="true"></i>'
        f"<span>+{most:.2f}<br>{first}</span></div>"
    )
