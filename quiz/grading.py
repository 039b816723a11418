"""Grading of an answer: chosen options, a number as it was typed, or the positions of sliders."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from .bank import HINT_COST, Anticipated, Item, Option
from .bank.formulas import ClaimError
from .errors import SessionError

CONFIDENCE = {25: "A guess", 60: "Fairly sure", 90: "Sure"}
"""The degrees of confidence that a learner can state, in percent."""

DO_NOT_KNOW = "?"
"""The answer of a learner who does not know. It is neither an id of an option nor a number."""

MAX_CHARACTERS = 40
_NOT_COUNTED = "It has not been counted."
_NOT_A_NUMBER = f"That is not a number the quiz can read. Write it like 0.12, 1/2, 31872 or 3e4. {_NOT_COUNTED}"
_TYPOGRAPHY = str.maketrans({"−": "-", "–": "-", "’": "'", "\u00a0": " ", "\u202f": " ", "\u2009": " "})
_MIN_UNIT_LETTERS = 3  # of an abbreviated unit
_GROUPED_NUMBERS = [
    re.compile(r"(?P<whole>[0-9]{1,3}(?:[ '][0-9]{3})+)(?:[.,](?P<part>[0-9]+))?"),
    re.compile(r"(?P<whole>[1-9][0-9]{0,2}(?:,[0-9]{3})+)(?:\.(?P<part>[0-9]+))?"),
    re.compile(r"(?P<whole>[1-9][0-9]{0,2}(?:\.[0-9]{3})+),(?P<part>[0-9]+)"),
    re.compile(r"(?P<whole>[1-9][0-9]{0,2}(?:\.[0-9]{3}){2,})(?P<part>)"),
]
_PLAIN_NUMBER = re.compile(r"(?:[0-9]+[.,]?[0-9]*|[.,][0-9]+)(?:[eE] ?[+-]?[0-9]{1,3})?")


@dataclass(frozen=True)
class Grade:
    """A graded answer. It contains the key of its item, which is not secret once the item is answered.

    Attributes:
        item: The item, with its options in the order shown.
        given: Ids of the chosen options in the order shown, of all options in the learner's order, or of the option for
            each prompt; or the number as it was typed, or the number of each slider; or only `DO_NOT_KNOW`.
        hints: Number of hints taken before the answer.
        confidence: The learner's stated confidence in percent, or None; always None for `DO_NOT_KNOW`.
    """

    item: Item
    given: tuple[str, ...]
    hints: int = 0
    confidence: int | None = None

    @property
    def chosen(self) -> tuple[Option, ...]:
        """The chosen options, in the order shown; empty for a numeric item."""
        return tuple(option for option in self.item.options if option.oid in self.given)

    @property
    def known(self) -> bool:
        """True if the learner gave an answer, right or wrong."""
        return self.given != (DO_NOT_KNOW,)

    @property
    def number(self) -> float | None:
        """The answer to a numeric item, or what the sliders lead to, or None."""
        key = self.item.numeric
        if self.item.goal and self.known:
            return self.item.goal.result(self.positions)
        return read_number(self.given[0], key.unit) if key and self.known else None

    @property
    def positions(self) -> dict[str, float]:
        """The number of each slider, by name; empty for other items."""
        given = self.given if self.known else ()
        return {slider.name: read_number(text) for slider, text in zip(self.item.sliders, given, strict=False)}

    @property
    def correct(self) -> bool:
        """True for a number within the tolerance, the correct options and no others, or all options in place."""
        if self.item.arrangement:
            return self.given == self.item.arrangement.correct
        key, number = self.item.numeric, self.number
        if key:
            return number is not None and _is_near(number, key.value, key.tolerance)
        return self.chosen == self.item.correct_options

    @property
    def credit(self) -> float:
        """The earned part of the mark, from 0 to 1, less the cost of hints.

        The weights of the chosen options add up; options to order or match earn the share that is in its place.
        """
        if self.item.arrangement:
            earned = sum(self.places_right) / len(self.places_right)
            return max(0.0, earned - HINT_COST * self.hints)
        earned = sum(map(self.item.weight, self.chosen)) if self.item.options else float(self.correct)
        return max(0.0, round(earned, 9) - HINT_COST * self.hints)

    @property
    def boxes_right(self) -> int:
        """Number of options that are correctly chosen or correctly left out."""
        return sum(option.correct == (option in self.chosen) for option in self.item.options)

    @property
    def places_right(self) -> tuple[bool, ...]:
        """True for each place of the order, or each prompt, that has the right option."""
        correct = self.item.arrangement.correct if self.item.arrangement else ()
        given = self.given if self.known else ("",) * len(correct)
        return tuple(one == other for one, other in zip(given, correct, strict=True))

    @property
    def misconceptions(self) -> tuple[str, ...]:
        """The misconceptions behind a wrong answer, each once."""
        if self.item.arrangement:
            named = self.item.arrangement.misconception
            return (named,) if named and self.known and not self.correct else ()
        wrong = [self.anticipated] if self.anticipated else [option for option in self.chosen if not option.correct]
        return tuple(dict.fromkeys(part.misconception for part in wrong if part.misconception))

    @property
    def anticipated(self) -> Anticipated | None:
        """The anticipated wrong number nearest to the answer, or None if none is within the tolerance."""
        key, number = self.item.numeric, self.number
        if key is None or number is None or self.correct:
            return None
        near = [wrong for wrong in key.anticipated if _is_near(number, wrong.value, key.tolerance)]
        return min(near, key=lambda wrong: abs(wrong.value - number), default=None)


def grade(item: Item, given: Sequence[str], hints: int = 0, confidence: int | None = None) -> Grade:
    """Grade an answer.

    Args:
        item: The item, with its options in the order shown.
        given: Ids of the chosen options, or only the typed number, or the number of each slider, or only `DO_NOT_KNOW`.
        hints: Number of hints taken.
        confidence: One of `CONFIDENCE`, or None. It is dropped with `DO_NOT_KNOW`.

    Raises:
        SessionError: If the answer does not fit the item: no option, an option of another item, or not a number.
    """
    if confidence is not None and (isinstance(confidence, bool) or confidence not in CONFIDENCE):
        raise SessionError("Say how sure you are with one of the listed choices, or leave it open.")
    if not all(isinstance(part, str) for part in given):
        raise SessionError(f"This answer cannot be read. {_NOT_COUNTED}")
    if tuple(given) == (DO_NOT_KNOW,):
        return Grade(item, (DO_NOT_KNOW,), hints)
    if item.sliders:
        _check_positions(item, given)
        return Grade(item, tuple(given), hints, confidence)
    if item.numeric:
        typed = given[0] if given else ""
        read_number(typed, item.numeric.unit)
        return Grade(item, (typed,), hints, confidence)
    _check_options(item, given)
    if item.arrangement:
        return Grade(item, tuple(given), hints, confidence)
    return Grade(item, tuple(option.oid for option in item.options if option.oid in given), hints, confidence)


def _check_positions(item: Item, given: Sequence[str]) -> None:
    if len(given) != len(item.sliders):
        raise SessionError(f"Set every slider, then submit. {_NOT_COUNTED}")
    for slider, text in zip(item.sliders, given, strict=True):
        if not slider.low <= read_number(text) <= slider.high:
            raise SessionError(f"{slider.label}: only {slider.low:g} to {slider.high:g} can be set. {_NOT_COUNTED}")
    try:
        Grade(item, tuple(given)).number  # noqa: B018
    except ClaimError as error:
        raise SessionError(f"The result of these sliders cannot be computed. {_NOT_COUNTED}") from error


def _check_options(item: Item, given: Sequence[str]) -> None:
    places = len(item.arrangement.correct) if item.arrangement else 0
    if item.arrangement and (len(given) != places or "" in given):
        what = "Tap every option, in order" if item.type == "order" else "Choose an option for every line"
        raise SessionError(f"{what}, then submit.")
    if not given:
        raise SessionError("Choose an answer first, then submit.")
    if not set(given) <= {option.oid for option in item.options}:
        raise SessionError("This answer does not belong to the question. Choose from those listed.")
    if item.type == "order" and len(set(given)) < places:
        raise SessionError(f"An option can have one place only. {_NOT_COUNTED}")
    if len(given) > (1 if item.type == "single" else max(places, len(item.options))):
        raise SessionError(f"That is more than can be chosen here. {_NOT_COUNTED}")


def _is_near(number: float, value: float, tolerance: float) -> bool:
    return abs(number - value) <= tolerance + 1e-9 * max(1.0, abs(value))  # floats miss a boundary by rounding


def read_number(text: str, unit: str = "") -> float:
    """Return the finite number that a learner typed.

    Args:
        text: A whole or decimal number, a fraction or a percentage, with or without the unit.
        unit: The unit, such as "steps"; an abbreviation of three or more letters is accepted.

    Raises:
        SessionError: If the text is empty, or is not a finite number.
    """
    text = text.translate(_TYPOGRAPHY).strip()
    if not text:
        raise SessionError("Type a number first, then submit.")
    if len(text) > MAX_CHARACTERS:
        raise SessionError(f"That is longer than {MAX_CHARACTERS} characters. Type only the number.")
    text = _remove_unit(text, unit)
    percent = text.endswith("%")
    sign = -1 if text.startswith("-") else 1
    numerator, slash, denominator = text.removesuffix("%").removeprefix("-" if sign < 0 else "+").partition("/")
    divisor = _read_positive(denominator) if slash else 1.0
    if divisor == 0:
        raise SessionError(f"A fraction cannot have the denominator 0. {_NOT_COUNTED}")
    number = sign * _read_positive(numerator) / divisor / (100 if percent else 1)
    if not math.isfinite(number):
        raise SessionError(f"That number is too large. {_NOT_COUNTED}")
    return number


def _remove_unit(text: str, unit: str) -> str:
    match = re.search(r"[^\W\d_]+\.?$|[^0-9.,/ '+-]+$", text)
    if not match or not unit:
        return text
    word = match[0].casefold().rstrip(".")
    stem = word.removesuffix("s")
    if word == unit.casefold() or (len(stem) >= _MIN_UNIT_LETTERS and unit.casefold().startswith(stem)):
        return text[: match.start()].rstrip()
    return text


def _read_positive(text: str) -> float:
    text = text.strip()
    for pattern in _GROUPED_NUMBERS:
        if match := pattern.fullmatch(text):
            return float(re.sub(r"[^0-9]", "", match["whole"]) + "." + (match["part"] or "0"))
    if not _PLAIN_NUMBER.fullmatch(text):
        raise SessionError(_NOT_A_NUMBER)
    return float(text.replace(",", ".").replace(" ", ""))
