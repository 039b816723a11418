"""The result of a check, and the errors of one that cannot run."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..bank.formulas import Value


class MissingPartError(ValueError):
    """An error for a cell that lacks the part of the check, such as a reset gate."""


class NotInstalledError(RuntimeError):
    """An error for a library or model that the check needs and that is not installed; the message names it."""


@dataclass(frozen=True)
class Measurement:
    """The result of running a check on a cell.

    Attributes:
        procedure: What was run, in one sentence without the full stop.
        quantities: The measured quantities by name: numbers, strings, tuples and double-precision tensors. A claim
            that is not a comparison is compared with the quantity named `answer`.
        subject: Name of what it ran on, for a check that takes no cell.
    """

    procedure: str
    quantities: Mapping[str, Value] = field(default_factory=dict)
    subject: str = ""
