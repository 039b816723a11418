"""A verdict as HTML, words first. No Gradio in here, and every name from outside goes through `escape`."""

from html import escape
from typing import TYPE_CHECKING

from ..labels import balance

if TYPE_CHECKING:
    from ..classifier import Prediction


# Labels that have a colour of their own (sentiment_tab.css); all others share the accent.
TONES = {
    "negative": "negative",
    "neg": "negative",
    "neutral": "neutral",
    "positive": "positive",
    "pos": "positive",
}
CLEARLY = 0.9

LOADING = '<p class="verdict-note verdict-loading">Loading the model …</p>'
PROMPT = '<p class="verdict-note">Type or paste a text above, or pick an example.</p>'


def too_long(characters: int, limit: int) -> str:
    """Return what to tell about a text beyond the limit."""
    return (
        '<p class="verdict-sentence">This text is too long.</p>'
        f'<p class="verdict-note">It has {characters:,} characters; up to {limit:,} can be read. '
        "Take a part of it, such as one chapter.</p>"
    )


def verdict(prediction: "Prediction", milliseconds: float) -> str:
    """Return the whole verdict: a sentence, its meaning, the balance, every label's score, the diagnostics."""
    return (
        f'<p class="verdict-sentence">{sentence(prediction)}</p>'
        f'<p class="verdict-warning">{escape(prediction.warning or "")}</p>'
        f'<p class="verdict-note">{meaning(prediction)}</p>'
        f'<div class="{"verdict-void" if prediction.cannot_tell else "verdict-scores"}">'
        f"{balance_bar(prediction.scores)}{score_rows(prediction.scores)}</div>"
        f'<p class="verdict-diagnostics">{diagnostics(prediction, milliseconds)}</p>'
    )


def tone(label: str) -> str:
    """Return the name of a label's colour."""
    return TONES.get(label.strip().lower(), "other")


def sentence(prediction: "Prediction") -> str:
    """Return the verdict as a person would say it."""
    first, *others = sorted(prediction.scores, key=prediction.scores.__getitem__, reverse=True)
    if prediction.cannot_tell:
        return "I cannot tell."
    if prediction.uncertain:
        doubt = f", but it could be {_name(others[0])}" if others else ""
        return f"Uncertain: this leans {_name(first)}{doubt}."
    clearly = "clearly " if prediction.scores[first] >= CLEARLY else ""
    return f"This sounds {clearly}{_name(first)}."


def meaning(prediction: "Prediction") -> str:
    """Return what the calibrated score of the verdict means; empty where the verdict means nothing."""
    if prediction.cannot_tell:
        return ""
    score = prediction.scores[prediction.label]
    share = "more than 99" if score >= 0.995 else f"about {100 * score:.0f}"
    return f"By its own calibrated estimate, {share} in 100 texts that score like this are {_plain(prediction.label)}."


def _name(label: str) -> str:
    return f'<strong class="tone-{tone(label)}">{_plain(label)}</strong>'


def _plain(label: str) -> str:
    return f"“{escape(label)}”" if tone(label) == "other" else escape(label)


def percent(score: float) -> str:
    """Return a score in percent that says neither 0 nor 100 unless it is."""
    if 0 < score < 0.001:
        return "< 0.1%"
    if 0.999 < score < 1:
        return "> 99.9%"
    return f"{100 * score:.1f}%"


def balance_bar(scores: dict[str, float]) -> str:
    """Return one bar that grows from its centre to the pole that weighs more; empty without poles."""
    value = balance(scores)
    if value is None:
        return ""
    side = "positive" if value >= 0 else "negative"
    signed = f"{value:+.2f}".replace("-", "−")
    return (
        f'<div class="balance" role="img" aria-label="Balance {signed}, from −1, negative, to +1, positive">'
        f'<div class="balance-track"><div class="balance-fill balance-{side} tone-{side}" '
        f'style="width: {50 * abs(value):.2f}%"></div></div>'
        f'<div class="balance-ends"><span>negative</span><span class="balance-value">{signed}</span>'
        "<span>positive</span></div></div>"
    )


def score_rows(scores: dict[str, float]) -> str:
    """Return a table of every label's bar and score: from pole to pole if there are poles, else by score."""
    labels = list(scores)
    if balance(scores) is None:
        labels.sort(key=scores.__getitem__, reverse=True)
    rows = "".join(
        f'<tr class="tone-{tone(label)}"><th scope="row">{escape(label)}</th>'
        f'<td class="score-bar"><div style="width: {100 * scores[label]:.2f}%"></div></td>'
        f"<td>{percent(scores[label]).replace('<', '&lt;').replace('>', '&gt;')}</td></tr>"
        for label in labels
    )
    return f'<table class="scores"><caption>Probability of each label</caption>{rows}</table>'


def diagnostics(prediction: "Prediction", milliseconds: float) -> str:
    """Return one line on what was read and how fast."""
    tokens = f"{prediction.tokens:,} token{'' if prediction.tokens == 1 else 's'}"
    return (
        f"{tokens} · {prediction.unknown_tokens:,} unknown · {prediction.truncated_tokens:,} cut"
        f" · {milliseconds:.0f} ms"
    )
