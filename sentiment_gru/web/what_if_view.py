"""What-if questions as HTML: a text with one token changed, and the smallest deletion that flips a verdict."""

from collections.abc import Sequence

from markupsafe import Markup

from ..explanation import Flip, WhatIf
from ..results import Prediction, Token
from .rendering import render, render_note
from .verdict_view import render_sentence

CHOSEN_TOKEN = render("chosen_token.html")
CHOOSE_FIRST = render_note("Choose a token in the text above first.")
NO_TEXT = render_note("There is no text to change yet.")
NO_FLIP = render_note("A greedy search found no deletion of up to ten tokens that changes the verdict.")
CONTEXT = 60  # characters of the text shown on either side of the change


def render_what_if(what_if: WhatIf) -> Markup:
    """Return the changed text around its change, and the two verdicts side by side."""
    removed, inserted, head, tail = split_change(what_if.text, what_if.changed)
    return render(
        "what_if.html",
        removed=removed if removed.strip() else "",
        inserted=inserted,
        head=head[-CONTEXT:],
        tail=tail[:CONTEXT],
        head_cut=len(head) > CONTEXT,
        tail_cut=len(tail) > CONTEXT,
        sentences=(render_sentence(what_if.before), render_sentence(what_if.after)),
        before=what_if.before.scores,
        after=what_if.after.scores,
    )


def render_flip(prediction: Prediction, tokens: Sequence[Token], flip: Flip | None) -> Markup:
    """Return the tokens whose deletion flips the verdict, and the scores before and after.

    Args:
        prediction: The verdict on the whole text.
        tokens: The tokens of the text.
        flip: The deletion, or None if the search found none.
    """
    if flip is None:
        return NO_FLIP
    removed = [tokens[index].text for index in flip.removed]
    return render("flip.html", prediction=prediction, removed=removed, flip=flip)


def split_change(before: str, after: str) -> tuple[str, str, str, str]:
    """Return what was removed from a text, what was inserted, and the text on either side of the change."""
    start = 0
    while start < min(len(before), len(after)) and before[start] == after[start]:
        start += 1
    end = 0
    while end < min(len(before), len(after)) - start and before[-1 - end] == after[-1 - end]:
        end += 1
    while start and before[start - 1].isalnum():  # whole words, even if the two share letters
        start -= 1
    while end and before[-end].isalnum():
        end -= 1
    return before[start : len(before) - end], after[start : len(after) - end], after[:start], after[len(after) - end :]
