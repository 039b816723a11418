"""An explanation as HTML: the strongest tokens, the text in colours, the charts, and each proof.

`sentiment_tab.js` reads the numbers of a token from the attribute `data-explanation`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from ..explanation import Explanation
from ..results import Array, find_words
from ..token_counts import is_punctuation
from .charts import METHOD_NAMES, direction_names, previous_states, render_deletion_chart, render_track
from .rendering import excerpt, percent, render, render_note, tone

MAX_COMPLETENESS_GAP = 0.05
MAX_HIDDEN_STATE_ERROR = 1e-5
MAX_TELESCOPING_ERROR = 1e-4
MOVING_UNITS = 4  # units listed for the chosen token
MAX_NAMED = 3  # tokens for each side, and jumps, that are named in words
MAX_CHARACTERS = 60  # of the words of a jump
FAINT = 0.1  # share of the strongest token below which a token is not named
SMALLEST_JUMP = 0.01

SENTIMENT_POLES = ("for positive", "for negative")
METHOD_NOTES = {
    "integrated_gradients": (
        "Integrates the gradient of the logit while the embeddings grow from zero to their values. The attributions "
        "should sum to the change in the logit."
    ),
    "leave_one_out": "How much the logit drops when the model reads the text without the token.",
    "as_read": (
        "How much each token changes the logit of the words before it, in reading order. Early words tend to change "
        "it more than late ones."
    ),
}
WORKING = render_note("Working out why …", css="why-note why-working")
CHOSEN_TOKEN = render("chosen_token.html")


@dataclass(frozen=True)
class Badge:
    """The result of a check: whether it holds, and its statement."""

    holds: bool
    text: str


@dataclass(frozen=True)
class Side:
    """The tokens that speak for one of the two poles.

    Attributes:
        pole: Its name, such as "for positive".
        words: Its strongest tokens.
        wins: Whether these tokens outweigh those named for the other pole, and the verdict is on this side.
    """

    pole: str
    words: list[str]
    wins: bool


@dataclass(frozen=True)
class RibbonToken:
    """A token in the coloured text.

    Attributes:
        gap: The characters before it that belong to no token.
        skipped: Number of tokens before it that the model did not read.
        shown: Its characters that no earlier token shows; an ellipsis, for example, can be several tokens.
        name: A name for screen readers if `shown` has no visible character, else an empty string.
        unknown: Whether it is not in the vocabulary.
        style: Its share of the strongest token, from -1 to 1, for each method as a CSS variable.
    """

    gap: str
    skipped: int
    shown: str
    name: str
    unknown: bool
    style: str


def render_explanation(explanation: Explanation) -> Markup:
    """Return an explanation, or nothing for a text without tokens.

    Without attributions it has neither colours nor a reason, and says that they are being worked out.
    """
    if not explanation.tokens:
        return Markup()
    methods = [
        {
            "key": method,
            "name": METHOD_NAMES[method],
            "note": METHOD_NOTES[method],
            "badge": check_method(explanation, method),
            "maximum": float(np.abs(values).max()),
        }
        for method, values in explanation.attributions.items()
    ]
    return render(
        "explanation.html",
        explanation=explanation,
        data=json.dumps(explanation.to_dict(), ensure_ascii=False),
        poles=name_poles(explanation),
        poles_data=json.dumps(name_poles(explanation)),
        sign=pole_sign(explanation),
        strongest=find_strongest_tokens(explanation) if methods else [],
        reason=give_reason(explanation) if methods else [],
        working=WORKING,
        methods=methods,
        ribbon=split_ribbon(explanation),
        rest=explanation.text[max(token.end for token in explanation.tokens) :],
        strides=[
            f"{METHOD_NAMES.get(name, 'running prediction').lower()} {stride} at a time"
            for name, stride in explanation.strides.items()
            if stride > 1
        ],
        jumps=find_jumps(explanation),
        track=render_track(explanation),
        units_data=json.dumps(find_moving_units(explanation)),
        directions=direction_names(explanation),
        directions_data=json.dumps(direction_names(explanation)),
        gate_badge=check_gates(explanation) if len(explanation.hidden) else None,
        deletion_chart=explanation.deletion and render_deletion_chart(explanation.deletion),
    )


def choose_target(scores: Mapping[str, float]) -> tuple[str, str] | None:
    """Return the two labels whose difference of logits is explained: negative and positive, or the only two labels.

    The label with the higher score comes first, so that deletion removes its support. None stands for the logit of
    the predicted label.

    Args:
        scores: The score of each label.
    """
    labels = [label for label in scores if tone(label) in ("negative", "positive")]
    if len({tone(label) for label in labels}) < 2:
        labels = list(scores)
    if len(labels) != 2:
        return None
    first, second = sorted(labels, key=scores.__getitem__, reverse=True)
    return first, second


def name_poles(explanation: Explanation) -> tuple[str, str]:
    """Return the sides that tokens of the two colours, blue and orange, support."""
    label, other = explanation.target
    if {tone(label), tone(other or "")} == {"negative", "positive"}:
        return SENTIMENT_POLES
    return f"for “{label}”", f"for “{other}”" if other else f"against “{label}”"


def pole_sign(explanation: Explanation) -> int:
    """Return -1 if attributions above 0 support the second of the two poles, else 1."""
    return -1 if name_poles(explanation) == SENTIMENT_POLES and tone(explanation.target[0]) == "negative" else 1


def orient_attributions(explanation: Explanation, method: str) -> Array:
    """Return (T,) attributions that are above 0 for tokens that support the first pole."""
    return explanation.attributions[method] * pole_sign(explanation)


def find_strongest_tokens(explanation: Explanation) -> list[tuple[str, list[tuple[str, float]]]]:
    """Return for each pole its name and the words that support it most by integrated gradients, with their values."""
    words = find_words(explanation.tokens)
    values = np.add.reduceat(  # the pieces of a word together
        orient_attributions(explanation, "integrated_gradients"), [word.start for word in words]
    )
    threshold = FAINT * np.abs(values).max()
    is_word = [not is_punctuation(explanation.tokens[word.start].text) for word in words]
    if any(is_word):
        values = np.where(is_word, values, 0.0)  # a full stop can weigh much, but names no reason
    order = np.argsort(values, kind="stable")
    strongest = []
    for pole, indices, side in zip(name_poles(explanation), (order[::-1], order), (1, -1), strict=True):
        tokens = [
            (_text_of(explanation, words[index].start, words[index].stop), float(values[index]))
            for index in indices[:MAX_NAMED]
            if side * values[index] >= threshold > 0
        ]
        if tokens:
            strongest.append((pole, tokens))
    return strongest


def give_reason(explanation: Explanation) -> list[Side]:
    """Return the sides that tokens support; if there are two, that of the verdict comes last.

    It names its strongest token, or up to three if the other side's strongest outweighs that one.
    """
    found = dict(find_strongest_tokens(explanation))
    poles = name_poles(explanation)[:: -pole_sign(explanation)]  # that of the first label of the target last
    sides = [found[pole] for pole in poles if pole in found]
    if len(sides) < 2:
        return [Side(pole, [word for word, _ in found[pole]], wins=False) for pole in poles if pole in found]
    (lost, won) = sides
    strongest = abs(lost[0][1])
    named = won[:1] if abs(won[0][1]) > strongest else won
    wins = explanation.prediction.label in explanation.target and sum(abs(value) for _, value in named) > strongest
    return [Side(poles[0], [lost[0][0]], wins=False), Side(poles[1], [word for word, _ in named], wins)]


def find_moving_units(explanation: Explanation) -> list[list[list[float]]]:
    """Return for each token the units that it moves most: direction, unit, r, z, n, h before and h after of each."""
    if not explanation.hidden.size:
        return []
    before = previous_states(explanation)
    fields = (explanation.reset, explanation.update, explanation.candidate, before, explanation.hidden)
    directions, _, size = explanation.hidden.shape
    moved = np.abs(explanation.hidden - before).transpose(1, 0, 2).reshape(-1, directions * size)  # (T, D x H)
    largest = np.argsort(-moved, axis=1, kind="stable")[:, :MOVING_UNITS]
    return [
        [
            [unit // size, unit % size, *(round(float(field[unit // size, token, unit % size]), 2) for field in fields)]
            for unit in units
        ]
        for token, units in enumerate(largest.tolist())
    ]


def find_jumps(explanation: Explanation) -> list[tuple[str, float, float]]:
    """Return the largest changes of the verdict's score, in reading order: the words, and the scores around them."""
    column = list(explanation.prediction.scores).index(explanation.prediction.label)
    scores = explanation.running[:, column]
    count = len(explanation.tokens)
    starts = range(0, count, explanation.strides["running"])
    bounds = [*(start for start in starts if not explanation.tokens[start].continues), count]  # no parts of words
    changes = np.abs(np.diff(scores[bounds]))
    largest = [i for i in np.argsort(-changes, kind="stable")[:MAX_NAMED].tolist() if changes[i] >= SMALLEST_JUMP]
    return [
        (_text_of(explanation, start, end), float(scores[start]), float(scores[end]))
        for start, end in sorted((bounds[i], bounds[i + 1]) for i in largest)
    ]


def check_method(explanation: Explanation, method: str) -> Badge:
    """Return the check of a method: that its attributions add up, or that their order beats random order."""
    if method == "integrated_gradients":
        gap = explanation.proofs["completeness_gap"]
        if gap <= MAX_COMPLETENESS_GAP:
            return Badge(True, f"sums to the change in the logit within {percent(gap)}")
        return Badge(False, f"misses the change in the logit by {100 * gap:,.0f}%: read it with care")
    if method == "as_read":
        error = explanation.proofs["telescoping_error"]
        holds = error <= MAX_TELESCOPING_ERROR
        return Badge(holds, f"{'sums' if holds else 'does not sum'} to the change in the logit (off by {error:.0e})")
    if len(explanation.tokens) == 1:
        return Badge(True, "a single token has no order to test")
    holds = explanation.proofs[f"deletion_gain_{method}"] > 0
    return Badge(holds, f"deleting in this order {'beats' if holds else 'does not beat'} random order")


def check_gates(explanation: Explanation) -> Badge:
    """Return the check that the gates shown give the hidden state of torch."""
    error = explanation.proofs["hidden_state_error"]
    text = f"max |h recomputed − h of torch| = {error:.0e}, computed on this text"
    return Badge(error <= MAX_HIDDEN_STATE_ERROR, text)


def split_ribbon(explanation: Explanation) -> list[RibbonToken]:
    """Return the tokens with everything that stands between them; with the rest of the text, every character."""
    strengths = {}
    for method in explanation.attributions:
        values = orient_attributions(explanation, method)
        strengths[method] = values / (np.abs(values).max() or 1)
    text, cut = explanation.text, explanation.prediction.truncated_tokens
    middle = (len(explanation.tokens) + 1) // 2
    ribbon, cursor = [], 0
    for index, token in enumerate(explanation.tokens):
        skipped = cut if index == middle else 0
        shown = text[max(token.start, cursor) : token.end]
        ribbon.append(
            RibbonToken(
                gap="" if skipped else text[cursor : max(cursor, token.start)],
                skipped=skipped,
                shown=shown,
                name="" if shown.strip() else token.text or str(index + 1),
                unknown=token.unknown,
                style=";".join(f"--{method}:{values[index]:.3f}" for method, values in strengths.items()),
            )
        )
        cursor = max(cursor, token.end)
    return ribbon


def _text_of(explanation: Explanation, start: int, end: int) -> str:
    """Return the text from token `start` to the one before `end`, shortened if very long."""
    return excerpt(explanation.text[explanation.tokens[start].start : explanation.tokens[end - 1].end], MAX_CHARACTERS)
