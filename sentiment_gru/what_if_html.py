"""What changes when a token does, as HTML. Whatever comes from outside goes through `escape`."""

from html import escape

from .explanation import Flip, WhatIf
from .explanation.result import Token
from .prediction import Prediction
from .verdict_html import percent, sentence

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
        f"<td>{_percent(before[label])}</td><td>{_percent(after[label])}</td></tr>"
        for label in before
    )
    return (
        '<table class="before-after"><caption>Probability of each label</caption>'
        f'<tr><td></td><th scope="col">before</th><th scope="col">after</th></tr>{rows}</table>'
    )


def _percent(score: float) -> str:
    return escape(percent(score))
