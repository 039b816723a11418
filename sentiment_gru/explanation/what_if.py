"""Change one token of a text, or delete few until the verdict is another one."""

from collections.abc import Sequence

import numpy as np

from ..errors import InputError
from ..results import Array, Flip, Token
from .attributions import calibrated, leave_one_out
from .gates import Reading

ACTIONS = ("remove", "replace", "negate")
NEGATIONS = {"not", "n't", "n’t", "no", "never"}
STEMS = {"ca": "can", "wo": "will", "sha": "shall"}  # what "n't" leaves of can't, won't and shan't
CANDIDATES = 32  # tokens that are tried at each step of the search
MOST_REMOVED = 10


def edited(text: str, tokens: Sequence[Token], index: int, action: str, replacement: str = "") -> str:
    """Return the text with one token changed; `SentimentClassifier.what_if` documents the arguments and errors."""
    if not 0 <= index < len(tokens):
        raise InputError(f"there is no token {index}; this text has {len(tokens)}, counted from 0")
    if action not in ACTIONS:
        raise InputError(f"a token can be changed by {', '.join(ACTIONS)}, not {action!r}")
    if action == "negate":
        return _negated(text, tokens, index)
    return _spliced(text, tokens[index], replacement if action == "replace" else "")


def _negated(text: str, tokens: Sequence[Token], index: int) -> str:
    """Take off the negation that the token is or follows; else put "not" before it."""
    for place in (index, index - 1):
        if place >= 0 and tokens[place].text.lower() in NEGATIONS:
            token = tokens[place]
            stem = tokens[place - 1] if place else None
            if stem and stem.end == token.start and stem.text.lower() in STEMS:
                whole = Token(text[stem.start : token.end], stem.start, token.end, False)
                return _spliced(text, whole, STEMS[stem.text.lower()])
            return _spliced(text, token, "")
    return _spliced(text, tokens[index], f"not {tokens[index].text}")


def _spliced(text: str, token: Token, replacement: str) -> str:
    """Put a replacement where the token stands; an empty one must not glue the words on its sides together."""
    before, after = text[: token.start], text[token.end :]
    if not replacement and before[-1:].isalnum() and after[:1].isalnum():
        replacement = " "
    return before + replacement + after


def smallest_flip(reading: Reading, labels: Sequence[str]) -> Flip | None:
    """Delete greedily the token that costs the label most until it is another; None if that takes too many.

    Tried are the tokens whose loss, one at a time, costs the label most. At least one token is kept.
    """
    if len(reading.ids) < 2:
        return None
    label = int(reading.score([reading.ids])[0].argmax())
    weights = (np.arange(len(labels)) == label) - 1 / len(labels)  # against the mean of all labels
    losses, _ = leave_one_out(reading, weights)
    candidates = np.argsort(-losses, kind="stable")[:CANDIDATES].tolist()
    removed: list[int] = []
    while candidates and len(removed) < min(MOST_REMOVED, len(reading.ids) - 1):
        logits = reading.score([_without(reading.ids, {*removed, candidate}) for candidate in candidates])
        best = int(_margin(logits, label).argmin())
        removed.append(candidates.pop(best))
        if logits[best].argmax() != label:
            scores = calibrated(logits[best])
            found = dict(zip(labels, scores.tolist(), strict=True))
            return Flip(tuple(removed), labels[int(scores.argmax())], found)
    return None


def _without(ids: list[int], removed: set[int]) -> list[int]:
    return [token for index, token in enumerate(ids) if index not in removed]


def _margin(logits: Array, label: int) -> Array:
    """Return (B,) the logit of a label less the highest other one."""
    margin: Array = logits[:, label] - np.delete(logits, label, axis=1).max(axis=1)
    return margin
