"""What an answer is worth: the chosen options, or a number as it was typed, against the key of an item."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from .bank import Anticipated, Item, Option
from .errors import SessionError

MAX_CHARACTERS = 40
_TYPE_FIRST = "Type a number first, then submit."
_UNREADABLE = "That is no number I can read. Write it like 0.12, 1/2, 31872 or 3e4. It has not been counted."
_DASHES = str.maketrans({"−": "-", "–": "-", "’": "'", "\u00a0": " ", "\u202f": " ", "\u2009": " "})
_FEWEST_LETTERS = 3  # of a unit that is cut short
_GROUPED = [
    re.compile(r"(?P<whole>[0-9]{1,3}(?:[ '][0-9]{3})+)(?:[.,](?P<part>[0-9]+))?"),
    re.compile(r"(?P<whole>[1-9][0-9]{0,2}(?:,[0-9]{3})+)(?:\.(?P<part>[0-9]+))?"),
    re.compile(r"(?P<whole>[1-9][0-9]{0,2}(?:\.[0-9]{3})+),(?P<part>[0-9]+)"),
    re.compile(r"(?P<whole>[1-9][0-9]{0,2}(?:\.[0-9]{3}){2,})(?P<part>)"),
]
_PLAIN = re.compile(r"(?:[0-9]+[.,]?[0-9]*|[.,][0-9]+)(?:[eE] ?[+-]?[0-9]{1,3})?")


def read_number(text: str, unit: str = "") -> float:
    """Return the number that a learner typed; always finite.

    Args:
        text: A whole or decimal number, a fraction or a percentage, with the unit or without.
        unit: What the number counts, such as "steps"; a shortened form of three letters or more is understood.

    Raises:
        SessionError: If nothing was typed, or it is no finite number.
    """
    text = text.translate(_DASHES).strip()
    if not text:
        raise SessionError(_TYPE_FIRST)
    if len(text) > MAX_CHARACTERS:
        raise SessionError(f"That is longer than {MAX_CHARACTERS} characters. Type the number alone.")
    text = _without_unit(text, unit)
    percent = text.endswith("%")
    sign = -1 if text.startswith("-") else 1
    over, slash, under = text.removesuffix("%").removeprefix("-" if sign < 0 else "+").partition("/")
    divisor = _positive(under) if slash else 1.0
    if divisor == 0:
        raise SessionError("A fraction cannot have 0 below the line. It has not been counted.")
    number = sign * _positive(over) / divisor / (100 if percent else 1)
    if not math.isfinite(number):
        raise SessionError("That number is too large. It has not been counted.")
    return number


def _without_unit(text: str, unit: str) -> str:
    found = re.search(r"[^\W\d_]+\.?$|[^0-9.,/ '+-]+$", text)
    if not found or not unit:
        return text
    word = found[0].casefold().rstrip(".")
    stem = word.removesuffix("s")
    if word == unit.casefold() or (len(stem) >= _FEWEST_LETTERS and unit.casefold().startswith(stem)):
        return text[: found.start()].rstrip()
    return text


def _positive(text: str) -> float:
    text = text.strip()
    for pattern in _GROUPED:
        if found := pattern.fullmatch(text):
            return float(re.sub(r"[^0-9]", "", found["whole"]) + "." + (found["part"] or "0"))
    if not _PLAIN.fullmatch(text):
        raise SessionError(_UNREADABLE)
    return float(text.replace(",", ".").replace(" ", ""))


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
