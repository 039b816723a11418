"""What a check hands back, and why it may have nothing to hand back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Measurement:
    """What a check found out by running the cell under question.

    Attributes:
        names: The measured quantities that claims may use: numbers, texts, tuples and double-precision tensors.
            A claim that is a value, not a comparison, is compared with the one called `answer`.
        did: What was run, in one sentence.
    """

    did: str
    names: Mapping[str, Any] = field(default_factory=dict)


class NoSuchPartError(ValueError):
    """The cell under question lacks a part that the fact is about, such as a reset gate."""


class NotInstalledError(RuntimeError):
    """A library that the check needs is not installed; the message names it."""
