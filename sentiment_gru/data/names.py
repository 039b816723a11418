"""The usual names of the columns that matter, in the order in which they are tried."""

from collections.abc import Sequence

TEXT_COLUMNS = ("text", "sentence", "review", "content", "tweet", "comment", "body", "message")
LABEL_COLUMNS = ("label", "labels", "sentiment", "class", "target", "category", "topic", "emotion", "stars", "rating")


def usual_name(names: Sequence[str], usual: Sequence[str]) -> str | None:
    """Return the first usual name that is among some names, as it is spelt there; None if there is none."""
    lowered = {name.lower(): name for name in reversed(names)}
    return next((lowered[name] for name in usual if name in lowered), None)
