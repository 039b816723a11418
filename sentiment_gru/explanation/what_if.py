"""Change one word of a text, or delete tokens until the verdict changes."""

from collections.abc import Sequence

import numpy as np

from ..errors import InputError
from ..results import Array, Flip, Reading, Token, calibrated, find_words

ACTIONS = ("remove", "replace", "negate")
NEGATIONS = {"not", "n't", "n’t", "no", "never"}
STEMS = {"ca": "can", "wo": "will", "sha": "shall"}  # the first tokens of can't, won't and shan't
CANDIDATES = 32  # tokens tried at each step of the search
MAX_REMOVED = 10
TOKENS_TO_SEARCH = 16_000  # in all texts of one step: of texts with more than 500 tokens, fewer candidates are tried


def edit_text(text: str, tokens: Sequence[Token], index: int, action: str, replacement: str = "") -> str:
    """Return the text with one word changed; `SentimentClassifier.what_if` documents the arguments and errors."""
    if not 0 <= index < len(tokens):
        raise InputError(f"there is no token {index}; this text has {len(tokens)}, counted from 0")
    if action not in ACTIONS:
        raise InputError(f"a token can be changed by {', '.join(ACTIONS)}, not {action!r}")
    found = find_words(tokens)
    words = [_join(text, tokens[word.start : word.stop]) for word in found]
    number = next(number for number, word in enumerate(found) if index in word)
    if action == "negate":
        return _negate_token(text, words, number)
    return _replace_token(text, words[number], replacement if action == "replace" else "")


def _join(text: str, pieces: Sequence[Token]) -> Token:
    """Return the pieces of a word as one token."""
    start, end = pieces[0].start, pieces[-1].end
    return Token(text[start:end], start, end, any(piece.unknown for piece in pieces))


def _negate_token(text: str, tokens: Sequence[Token], index: int) -> str:
    """Remove the negation that the token is or follows, or else insert "not" before it."""
    for position in (index, index - 1):
        if position >= 0 and tokens[position].text.lower() in NEGATIONS:
            token = tokens[position]
            stem = tokens[position - 1] if position else None
            if stem and stem.end == token.start and stem.text.lower() in STEMS:
                return _replace_token(text, _join(text, [stem, token]), STEMS[stem.text.lower()])
            return _replace_token(text, token, "")
    return _replace_token(text, tokens[index], f"not {tokens[index].text}")


def _replace_token(text: str, token: Token, replacement: str) -> str:
    """Replace a token; a removed one leaves a space between words that it separated."""
    before, after = text[: token.start], text[token.end :]
    if not replacement and before[-1:].isalnum() and after[:1].isalnum():
        replacement = " "
    return before + replacement + after


def smallest_flip(reading: Reading, labels: Sequence[str]) -> Flip | None:
    """Delete tokens greedily until the label changes; return None after `MAX_REMOVED` deletions without a change.

    Candidates are the tokens with the largest leave-one-out effect. At least one token remains.
    """
    from .attributions import leave_one_out  # imports torch

    if len(reading.ids) < 2:
        return None
    label = int(reading.score([reading.ids])[0].argmax())
    weights = (np.arange(len(labels)) == label) - 1 / len(labels)  # minus the mean of all labels
    losses, _ = leave_one_out(reading, weights)
    affordable = max(MAX_REMOVED, TOKENS_TO_SEARCH // len(reading.ids))
    candidates = np.argsort(-losses, kind="stable")[: min(CANDIDATES, affordable)].tolist()
    removed: list[int] = []
    while candidates and len(removed) < min(MAX_REMOVED, len(reading.ids) - 1):
        logits = reading.score([_without(reading.ids, {*removed, candidate}) for candidate in candidates])
        best = int(_margin(logits, label).argmin())
        removed.append(candidates.pop(best))
        if logits[best].argmax() != label:
            scores = calibrated(logits[best])
            by_label = dict(zip(labels, scores.tolist(), strict=True))
            return Flip(tuple(removed), labels[int(scores.argmax())], by_label)
    return None


def _without(ids: list[int], removed: set[int]) -> list[int]:
    return [token for index, token in enumerate(ids) if index not in removed]


def _margin(logits: Array, label: int) -> Array:
    """Return the (B,) differences between the logit of a label and the highest other logit."""
    margin: Array = logits[:, label] - np.delete(logits, label, axis=1).max(axis=1)
    return margin
