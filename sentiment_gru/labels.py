"""Label names: usual spellings are unified, ratings mapped, and ids ordered."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence

from .errors import OptionsError

TEXT_COLUMNS = ("text", "sentence", "review", "content", "tweet", "comment", "body", "message")
LABEL_COLUMNS = ("label", "labels", "sentiment", "class", "target", "category", "topic", "emotion", "stars", "rating")


def usual_name(names: Sequence[str], usual: Sequence[str]) -> str | None:
    """Return the name that matches the first possible usual name, ignoring case, or None."""
    lowered = {name.lower(): name for name in reversed(names)}
    return next((lowered[name] for name in usual if name in lowered), None)


POLES = ("negative", "neutral", "positive")
SHORT = {"neg": "negative", "neu": "neutral", "pos": "positive"}
MOST_LISTED = 20  # names in a message
NO_LABEL = "-1"  # stands for a withheld label in datasets of the Hub
SEPARATOR = "; "  # between the labels of a text that has several


def canonical_label(name: str) -> str:
    """Return the canonical spelling of a sentiment label; other names are only stripped.

    >>> canonical_label("POS"), canonical_label("joy")
    ('positive', 'joy')
    """
    lowered = name.strip().lower()
    lowered = SHORT.get(lowered, lowered)
    return lowered if lowered in POLES else name.strip()


def plain_label(value: object) -> str | None:
    """Return a raw value as a label name, or None for a missing label.

    >>> plain_label(4.0), plain_label("neg"), plain_label(b"joy"), plain_label(float("nan")), plain_label(" ")
    ('4', 'negative', 'joy', None, None)
    """
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    name = re.sub(
        r"^(-?\d+)\.0+$", r"\1", str(value).strip()
    )  # a column of integers with missing values is read as floats
    return canonical_label(name) or None


def join_labels(names: Iterable[str]) -> str:
    """Return the labels of one text as a string, which `split_labels` reads.

    >>> join_labels(["joy", "love"]), split_labels("joy; love"), split_labels("")
    ('joy; love', ['joy', 'love'], [])
    """
    return SEPARATOR.join(names)


def split_labels(joined: str) -> list[str]:
    """Return the labels in a string of `join_labels`."""
    return joined.split(SEPARATOR) if joined else []


def list_names(names: Iterable[str], most: int = MOST_LISTED) -> str:
    """Return names for a message: the first ones, and how many more there are.

    >>> list_names(["a", "b"]), list_names(["a", "b", "c", "d"], most=2)
    ('a, b', 'a, b and 2 more')
    """
    listed = list(names)
    more = f" and {len(listed) - most:,} more" if len(listed) > most else ""
    return ", ".join(listed[:most]) + more


def order_labels(names: Iterable[str]) -> list[str]:
    """Return label names in id order: negative, neutral, positive if there are no others, else sorted."""
    present = set(names)
    return [pole for pole in POLES if pole in present] if present <= set(POLES) else sorted(present)


def balance(scores: Mapping[str, float]) -> float | None:
    """Return the positive minus the negative score, from -1 to 1, or None if either label is missing."""
    poles = {canonical_label(label): score for label, score in scores.items()}
    if not {"negative", "positive"} <= poles.keys():
        return None
    return poles["positive"] - poles["negative"]


def parse_label_map(text: str) -> dict[str, str | None]:
    """Parse a label map such as "1,2=negative;3=;4,5=positive".

    Returns:
        Mapping from raw values, in lower case, to label names, or to None for rows to drop.

    Raises:
        OptionsError: A part lacks "=" or values, a value is repeated, or no label remains.
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
