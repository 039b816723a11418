"""Numbers as people type them.

    read_number("0,12")                            # 0.12
    read_number("31 872 parameters", "parameters") # 31872.0
    read_number("1/2")                             # 0.5

A comma before exactly three digits, as in 31,872, groups thousands; any other comma is a decimal one, as is every
point that can be.
"""

import math
import re

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
