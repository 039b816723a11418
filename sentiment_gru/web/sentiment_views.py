"""An explanation as HTML: words first, then the text in colours, the charts, and the proofs beside what they prove.

Whatever comes from outside goes through `escape`. `sentiment_tab.js` reads a token's numbers from `data-explanation`.
"""

import json
from html import escape

import numpy as np

from ..explanation import Explanation, Flip, WhatIf
from ..results import Array, Prediction, Token
from .charts import METHOD_NAMES, deletion_chart, gate_strip, running_chart
from .verdict_view import percent, sentence, tone

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


MOST_COMPLETENESS_GAP = 0.05
MOST_HIDDEN_STATE_ERROR = 1e-5
MOST_TELESCOPING_ERROR = 1e-4
NAMED = 3  # tokens and jumps that are told in words
LONG_WORDS = 60  # characters
FAINT = 0.1  # share of the strongest token under which a token is not named

WORKING = '<p class="why-note why-working">Working out why …</p>'
METHOD_NOTES = {
    "integrated_gradients": (
        "Adds up how the logit reacts while the words fade in from nothing to the text. The shares should sum to "
        "all the logit gains on the way."
    ),
    "leave_one_out": "What the logit loses when the model reads the text without the token.",
    "as_read": (
        "What each token changes in the logit of the words before it, in reading order. Early words move it more "
        "easily than late ones."
    ),
}


def explanation_html(explanation: Explanation) -> str:
    """Return the whole explanation; empty for a text without tokens."""
    if not explanation.tokens:
        return ""
    data = escape(json.dumps(explanation.to_dict(), ensure_ascii=False))
    return (
        f'<section class="why" aria-label="Explanation" data-explanation="{data}" '
        f'data-poles="{escape(json.dumps(poles(explanation)))}" data-sign="{sign(explanation)}">'
        f"<h2>Why</h2>{lead(explanation)}{_methods(explanation)}{ribbon(explanation)}"
        f"{''.join(legend(explanation, method) for method in explanation.attributions)}"
        f'{_stride_note(explanation)}<div class="chosen" role="status"><p class="why-note">Choose a token, by click or '
        "by arrow keys, to see its numbers.</p></div>"
        f"<h3>The prediction as the text is read</h3>{jumps(explanation)}{running_chart(explanation)}"
        f"{_gates(explanation)}{_deletion(explanation)}"
        '<div class="why-actions"><button type="button" data-action="link">Copy a link to this text</button>'
        '<button type="button" data-action="json">Download as JSON</button></div></section>'
    )


def lead(explanation: Explanation) -> str:
    """Name the tokens that speak most for either side, by integrated gradients."""
    if explanation.prediction.cannot_tell:
        return (
            '<p class="why-lead">To the model all unknown words are one and the same; what follows is what it makes '
            "of that one word.</p>"
        )
    values = signed(explanation, "integrated_gradients")
    order = np.argsort(values, kind="stable")
    sides = zip(poles(explanation), (order[::-1][:NAMED], order[:NAMED]), (1, -1), strict=True)
    said = []
    for name, indices, side in sides:
        words = [
            f"<strong>{escape(_words(explanation, i, i + 1))}</strong> ({_signed(values[i])})"
            for i in indices
            if side * values[i] >= FAINT * np.abs(values).max() > 0
        ]
        if words:
            said.append(f"Strongest {name}: {', '.join(words)}.")
    if explanation.prediction.label not in explanation.target:
        said.insert(0, f"The verdict is {escape(explanation.prediction.label)}; shown is what pulls it to either side.")
    return f'<p class="why-lead">{" ".join(said) or "No token speaks for either side."}</p>'


def jumps(explanation: Explanation) -> str:
    """Name the largest changes of the score of the verdict from one token, or stride, to the next."""
    label = explanation.prediction.label
    scores = explanation.running[:, list(explanation.prediction.scores).index(label)]
    count = len(explanation.tokens)
    places = [*range(0, count, explanation.strides["running"]), count]
    changes = np.diff(scores[places])
    largest = [int(i) for i in np.argsort(-np.abs(changes), kind="stable")[:NAMED] if abs(changes[i]) >= 0.01]
    if not largest:
        return '<p class="why-note">No token moves it by a whole percent.</p>'
    said = "; ".join(
        f"<strong>{escape(_words(explanation, start, end))}</strong> from {_percent(scores[start])} to "
        f"{_percent(scores[end])}"
        for start, end in sorted((places[i], places[i + 1]) for i in largest)
    )
    return f'<p class="why-note">Largest jumps of “{escape(label)}”: {said}.</p>'


def badge(holds: bool, words: str) -> str:
    """Return a proof, ticked or as a warning; `words` are ours."""
    mark, css = ("✓", "badge") if holds else ("⚠", "badge badge-warning")
    return f'<span class="{css}"><span aria-hidden="true">{mark}</span> {words}</span>'


def proof(explanation: Explanation, method: str) -> str:
    """Return the badge of a method: does it add up, or, where it need not, does its order matter?"""
    if method == "integrated_gradients":
        gap = explanation.proofs["completeness_gap"]
        holds = gap <= MOST_COMPLETENESS_GAP
        words = f"sums to the logit’s change within {percent(gap).replace('<', '&lt;')}"
        return badge(holds, words if holds else f"misses the logit’s change by {100 * gap:,.0f}%: read it with care")
    if method == "as_read":
        error = explanation.proofs["telescoping_error"]
        holds = error <= MOST_TELESCOPING_ERROR
        return badge(holds, f"{'sums' if holds else 'does not sum'} to the logit’s change (off by {error:.0e})")
    if len(explanation.tokens) == 1:
        return badge(True, "one token: there is no order to test")
    gain = explanation.proofs[f"deletion_gain_{method}"]
    return badge(gain > 0, f"deleting in this order {'beats' if gain > 0 else 'does not beat'} random order")


def _methods(explanation: Explanation) -> str:
    """Return the switch, and under it what the chosen method does and its proof."""
    choices = "".join(
        f'<label><input type="radio" name="explain-by" value="{method}"{" checked" if not index else ""}>'
        f"{METHOD_NAMES[method]}</label>"
        for index, method in enumerate(explanation.attributions)
    )
    notes = "".join(
        f'<p class="why-note" data-method="{method}">{METHOD_NOTES[method]} {proof(explanation, method)}</p>'
        for method in explanation.attributions
    )
    return f'<fieldset class="why-methods"><legend>Explain by</legend>{choices}</fieldset>{notes}'


def _stride_note(explanation: Explanation) -> str:
    strides = {METHOD_NAMES.get(name, "Running prediction"): n for name, n in explanation.strides.items() if n > 1}
    if not strides:
        return ""
    said = ", ".join(f"{name.lower()} {count} at a time" for name, count in strides.items())
    return f'<p class="why-note">A long text: tokens are taken together ({said}) and share their effect evenly.</p>'


def _gates(explanation: Explanation) -> str:
    """Return the gate strip with its caption and proof; nothing for cells that have no such gates."""
    if not len(explanation.hidden):
        return ""
    error = explanation.proofs["hidden_state_error"]
    holds = error <= MOST_HIDDEN_STATE_ERROR
    words = f"max |h recomputed − h of torch| = {error:.0e}, computed on this text"
    return (
        '<h3>The gates</h3><p class="why-note">Update gate z near 1 keeps the old state, near 0 writes a new one. '
        "Reset gate r near 0 hides the old state from the candidate. Lines are means over units, bands hold 80% of "
        "them. Gates show how the state is written, not which word counts: they are not attributions. "
        f"{badge(holds, words)}</p>"
        f"{gate_strip(explanation)}"
    )


def _deletion(explanation: Explanation) -> str:
    if explanation.deletion is None:
        return ""
    label, against = explanation.target
    logit = f"logit of “{escape(label)}”" + (f" less that of “{escape(against)}”" if against else "")
    return (
        f'<h3>Do these tokens matter?</h3><p class="why-note">The {logit} while tokens are deleted, the strongest '
        "support first. The further a line runs below random order (mean and range of ten), the better its order; the "
        "number is the area between them, in logits.</p>"
        f"{deletion_chart(explanation.deletion)}"
    )


def target_to_show(labels: dict[str, float]) -> tuple[str, str] | None:
    """Return the target that reads best for these scores: pole against pole, or one of two labels against the other.

    The side that is ahead stands first, so that deletion takes away its support. None leaves the predicted label.
    """
    sides = [label for label in labels if tone(label) in ("negative", "positive")]
    if len({tone(label) for label in sides}) < 2:
        sides = list(labels)
    if len(sides) != 2:
        return None
    first, second = sorted(sides, key=labels.__getitem__, reverse=True)
    return first, second


def _words(explanation: Explanation, start: int, end: int) -> str:
    """Return tokens `start` to `end`, which is not one of them, as they stand in the text, cut if very long."""
    words = explanation.text[explanation.tokens[start].start : explanation.tokens[end - 1].end]
    return words if len(words) <= LONG_WORDS else f"{words[:LONG_WORDS]}…"


def _signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", "−")


def _percent(score: float) -> str:
    return f"{100 * score:.0f}%"


TO_CHANGE = '<p>The token chosen above: <strong class="what-if-token">none yet</strong></p>'
CHOOSE_FIRST = '<p class="why-note">Choose a token of the text above first.</p>'
NO_FLIP = '<p class="why-note">No deletion of up to ten tokens that a greedy search tries changes the verdict.</p>'
NO_TEXT = '<p class="why-note">There is no text to change yet.</p>'
AROUND = 60  # characters of the text shown on either side of the change


def what_if_html(found: WhatIf) -> str:
    """Return the changed text and the two verdicts side by side."""
    return (
        f'<blockquote class="changed">{_changed_part(found.text, found.changed)}</blockquote>'
        f'<p class="what-if-verdict">Before: {sentence(found.before)}<br>After: {sentence(found.after)}</p>'
        f"{_before_and_after(found.before.scores, found.after.scores)}"
    )


def flip_html(prediction: Prediction, tokens: tuple[Token, ...], flip: Flip | None) -> str:
    """Return the tokens whose deletion flips the verdict, and the scores before and after."""
    if flip is None:
        return NO_FLIP
    words = ", ".join(f"<del>{escape(tokens[i].text)}</del>" for i in flip.removed)
    count = len(flip.removed)
    return (
        f'<p class="what-if-verdict">Without {count} token{"" if count == 1 else "s"}, {words}, the verdict turns from '
        f"“{escape(prediction.label)}” to “{escape(flip.label)}”.</p>"
        '<p class="why-note">Found greedily, one token after the other: a smaller set may exist.</p>'
        f"{_before_and_after(prediction.scores, flip.scores)}"
    )


def _changed_part(before: str, after: str) -> str:
    """Return the changed text around its change, with what went and what came marked."""
    start = 0
    while start < min(len(before), len(after)) and before[start] == after[start]:
        start += 1
    end = 0
    while end < min(len(before), len(after)) - start and before[-1 - end] == after[-1 - end]:
        end += 1
    while start and before[start - 1].isalnum():  # whole words, whatever letters they share
        start -= 1
    while end and before[-end].isalnum():
        end -= 1
    went, came = before[start : len(before) - end], after[start : len(after) - end]
    head, tail = after[:start], after[len(after) - end :]
    marks = (f"<del>{escape(went)}</del>" if went.strip() else "") + (
        f"<ins>{escape(came)}</ins>" if came.strip() else escape(came)
    )
    return (
        ("… " if len(head) > AROUND else "")
        + escape(head[-AROUND:])
        + marks
        + escape(tail[:AROUND])
        + (" …" if len(tail) > AROUND else "")
    )


def _before_and_after(before: dict[str, float], after: dict[str, float]) -> str:
    rows = "".join(
        f'<tr><th scope="row">{escape(label)}</th>'
        f"<td>{_percent_html(before[label])}</td><td>{_percent_html(after[label])}</td></tr>"
        for label in before
    )
    return (
        '<table class="before-after"><caption>Probability of each label</caption>'
        f'<tr><td></td><th scope="col">before</th><th scope="col">after</th></tr>{rows}</table>'
    )


def _percent_html(score: float) -> str:
    return escape(percent(score))
