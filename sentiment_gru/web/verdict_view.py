"""A verdict as HTML: a sentence, its meaning, the balance, and the score of every label."""

from typing import TYPE_CHECKING

from markupsafe import Markup

from ..labels import balance
from .rendering import CLEAR_SCORE, quote_label, render, render_note

if TYPE_CHECKING:
    from ..results import Prediction

LOADING = render_note("Loading the model …", css="verdict-note verdict-loading")
PROMPT = render_note("Type or paste a text above, or choose an example.", css="verdict-note")


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
