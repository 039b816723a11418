"""A verdict as HTML: a sentence, its meaning, the balance, and the score of every label; and what would change it."""

from typing import TYPE_CHECKING

from markupsafe import Markup

from ..labels import balance
from .rendering import CLEAR_SCORE, quote_label, render, render_note

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..results import Flip, Prediction, Token, WhatIf

LOADING = render_note("Loading the model …", css="verdict-note verdict-loading")
PROMPT = render_note("Type or paste a text above, or choose an example.", css="verdict-note")
CHOOSE_FIRST = render_note("Choose a token in the text above first.")
UNCHANGED = render_note("That leaves the text as it is.")
NO_TEXT = render_note("There is no text to change yet.")
NO_FLIP = render_note("A greedy search found no deletion of up to ten tokens that changes the verdict.")
CONTEXT = 60  # characters of the text shown on either side of the change


def render_verdict(prediction: "Prediction", milliseconds: float) -> Markup:
    """Return the whole verdict.

    Args:
        prediction: The verdict and its scores.
        milliseconds: The time that the classifier took.
    """
    scores = prediction.scores
    poles = balance(scores)
    # Labels from pole to pole keep their order; others are sorted by score.
    labels = list(scores) if poles is not None else sorted(scores, key=scores.__getitem__, reverse=True)
    return render(
        "verdict.html",
        prediction=prediction,
        sentence=render_sentence(prediction),
        meaning=describe_score(prediction),
        balance=poles,
        scores=[(label, scores[label]) for label in labels],
        milliseconds=milliseconds,
    )


def render_sentence(prediction: "Prediction") -> Markup:
    """Return the verdict as a sentence, with the label in its colour."""
    ranked = sorted(prediction.scores, key=prediction.scores.__getitem__, reverse=True)
    clear = prediction.scores[ranked[0]] >= CLEAR_SCORE
    return render("verdict_sentence.html", prediction=prediction, ranked=ranked, clear=clear)


def render_too_long(characters: int, limit: int) -> Markup:
    """Return the refusal of a text.

    Args:
        characters: The length of the text.
        limit: The greatest length that is accepted.
    """
    return render("too_long.html", characters=characters, limit=limit)


def describe_score(prediction: "Prediction") -> str:
    """Return the meaning of the verdict's calibrated score, or an empty string if the text has no known word."""
    if prediction.cannot_tell:
        return ""
    score = prediction.scores[prediction.label]
    share = "more than 99" if score >= 0.995 else f"about {100 * score:.0f}"
    label = quote_label(prediction.label)
    return f"The model estimates that {share} in 100 texts with a score like this one are {label}."


def render_what_if(what_if: "WhatIf") -> Markup:
    """Return the changed text around its change, and the two verdicts side by side."""
    if what_if.text == what_if.changed:
        return UNCHANGED
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


def render_flip(prediction: "Prediction", tokens: "Sequence[Token]", flip: "Flip | None") -> Markup:
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
    """Return the removed and the inserted part of a changed text, and the text on either side of the change."""
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
