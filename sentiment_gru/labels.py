"""Names of labels: raw values of a dataset -> plain names, the usual spellings unified, star ratings mapped."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence

from .errors import OptionsError

TEXT_COLUMNS = ("text", "sentence", "review", "content", "tweet", "comment", "body", "message")
LABEL_COLUMNS = ("label", "labels", "sentiment", "class", "target", "category", "topic", "emotion", "stars", "rating")


def usual_name(names: Sequence[str], usual: Sequence[str]) -> str | None:
    """Return the first usual name that is among some names, as it is spelt there; None if there is none."""
    lowered = {name.lower(): name for name in reversed(names)}
    return next((lowered[name] for name in usual if name in lowered), None)


POLES = ("negative", "neutral", "positive")
SHORT = {"neg": "negative", "neu": "neutral", "pos": "positive"}
NO_LABEL = "-1"  # what the Hub's datasets write where a label is withheld


def canonical_label(name: str) -> str:
    """Unify the usual spellings of the three sentiment labels; other names stay as they are.

    >>> canonical_label("POS"), canonical_label("joy")
    ('positive', 'joy')
    """
    lowered = name.strip().lower()
    lowered = SHORT.get(lowered, lowered)
    return lowered if lowered in POLES else name.strip()


def plain_label(value: object) -> str | None:
    """Return a raw value as a label name, or None where the row has no label.

    >>> plain_label(4.0), plain_label("neg"), plain_label(float("nan")), plain_label(" ")
    ('4', 'negative', None, None)
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    name = re.sub(r"^(-?\d+)\.0+$", r"\1", str(value).strip())  # a column of stars with gaps is read as 4.0
    return canonical_label(name) or None


def order_labels(names: Iterable[str]) -> list[str]:
    """Return label names in id order: negative, neutral, positive if they are all of that kind, else sorted."""
    present = set(names)
    return [pole for pole in POLES if pole in present] if present <= set(POLES) else sorted(present)


def balance(scores: Mapping[str, float]) -> float | None:
    """Return the positive minus the negative score, from -1 to 1, or None if one of the two labels is missing."""
    poles = {canonical_label(label): score for label, score in scores.items()}
    if not {"negative", "positive"} <= poles.keys():
        return None
    return poles["positive"] - poles["negative"]


def parse_label_map(text: str) -> dict[str, str | None]:
    """Read "1,2=negative;3=;4,5=positive": raw values to label names, or to None where rows are to be dropped.

    Raises:
        OptionsError: a part without "=" or without values, or a value that stands twice.
    """
    mapping: dict[str, str | None] = {}
    for part in filter(str.strip, text.split(";")):
        values, equals, target = part.partition("=")
        keys = [plain_label(value) for value in values.split(",")]
        if not equals or None in keys:
            raise OptionsError(f"--label-map has {part!r}; write it like '1,2=negative;3=neutral;4,5=positive'")
        for key in filter(None, keys):
            if key.casefold() in mapping:
                raise OptionsError(f"--label-map names the value {key} twice")
            mapping[key.casefold()] = plain_label(target)
    if text and not any(mapping.values()):
        raise OptionsError(f"--label-map {text!r} keeps no label; write it like '1,2=negative;4,5=positive'")
    return mapping
