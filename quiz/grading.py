"""What an answer is worth: the chosen options, or a number as it was typed, against the key of an item."""

from collections.abc import Sequence
from dataclasses import dataclass

from .bank import Anticipated, Item, Option
from .errors import SessionError
from .number import read_number

HINT_COST = 0.25
"""Part of the mark that each hint takes."""

CONFIDENCE = {25: "A guess", 60: "Fairly sure", 90: "Sure"}
"""How sure a learner can say to be, in percent."""


@dataclass(frozen=True)
class Grade:
    """A graded answer. It holds the key of its item, which is no secret once the item is answered.

    Attributes:
        item: The item, its options in the order shown.
        given: Ids of the chosen options in that order, or the number as it was typed.
        hints: How many hints were taken before.
        confidence: How sure the learner said to be, in percent, or None.
    """

    item: Item
    given: tuple[str, ...]
    hints: int = 0
    confidence: int | None = None

    @property
    def chosen(self) -> tuple[Option, ...]:
        """The chosen options; none if the answer is a number."""
        return tuple(option for option in self.item.options if option.oid in self.given)

    @property
    def number(self) -> float | None:
        """The answer to a numeric item."""
        key = self.item.numeric
        return read_number(self.given[0], key.unit) if key else None

    @property
    def correct(self) -> bool:
        """Whether the answer is right: the number within its tolerance, or all the right options and no other."""
        key = self.item.numeric
        if key is None or self.number is None:
            return self.chosen == self.item.correct_options
        return _near(self.number, key.value, key.tolerance)

    @property
    def credit(self) -> float:
        """The part of the mark earned, from 0 to 1."""
        return max(0.0, 1 - HINT_COST * self.hints) if self.correct else 0.0

    @property
    def boxes_right(self) -> int:
        """How many options were rightly chosen or rightly left."""
        return sum(option.correct == (option in self.chosen) for option in self.item.options)

    @property
    def anticipated(self) -> Anticipated | None:
        """The anticipated wrong number that the answer comes to, if there is one."""
        key, number = self.item.numeric, self.number
        if key is None or number is None or self.correct:
            return None
        near = [wrong for wrong in key.anticipated if _near(number, wrong.value, key.tolerance)]
        return min(near, key=lambda wrong: abs(wrong.value - number), default=None)


def grade(item: Item, given: Sequence[str], hints: int = 0, confidence: int | None = None) -> Grade:
    """Grade an answer.

    Args:
        item: The item, its options in the order shown.
        given: Ids of the chosen options, or the typed number alone.
        hints: How many hints were taken.
        confidence: One of `CONFIDENCE`, or None.

    Raises:
        SessionError: If it is no answer to the item, for example no option, one of another item, or no number.
    """
    if confidence is not None and (isinstance(confidence, bool) or confidence not in CONFIDENCE):
        raise SessionError("Say how sure you are by one of the choices listed, or leave it open.")
    if not all(isinstance(part, str) for part in given):
        raise SessionError("This answer cannot be read. It has not been counted.")
    if item.numeric:
        typed = given[0] if given else ""
        read_number(typed, item.numeric.unit)
        return Grade(item, (typed,), hints, confidence)
    _check_options(item, given)
    return Grade(item, tuple(option.oid for option in item.options if option.oid in given), hints, confidence)


def _check_options(item: Item, given: Sequence[str]) -> None:
    if not given:
        raise SessionError("Choose an answer first, then submit.")
    if not set(given) <= {option.oid for option in item.options}:
        raise SessionError("This answer does not belong to the question. Choose from those listed.")
    if len(given) > (1 if item.type == "single" else len(item.options)):
        raise SessionError("That is more than can be chosen here. It has not been counted.")


def _near(number: float, value: float, tolerance: float) -> bool:
    return abs(number - value) <= tolerance + 1e-9 * max(1.0, abs(value))  # 0.005 off is 0.0050000000000000044 off
