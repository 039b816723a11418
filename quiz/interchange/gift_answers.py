"""What stands between the braces of a GIFT question: options, numbers, true or false."""

import re
from collections.abc import Callable

from .question import Answer
from .text import from_moodle

Tokens = list[str]
"""A text in pieces: single characters, and escaped ones with their backslash."""

_WEIGHT = re.compile(r"%(-?\d+(?:\.\d+)?)%")
_FORMAT = re.compile(r"\s*\[(html|markdown|plain|moodle)\]")


class UnreadableError(ValueError):
    """A question cannot be read, with the reason."""


def tokens(text: str) -> Tokens:
    """Return a text in pieces."""
    return re.findall(r"\\[\\~=#{}:n]|.", text, re.DOTALL)


def unescape(pieces: Tokens) -> str:
    """Return the text that pieces stand for."""
    return "".join(_MEANING.get(piece, piece) for piece in pieces)


_MEANING = {"\\n": "\n"} | {f"\\{mark}": mark for mark in "\\~=#{}:"}


def _html(text: str) -> str:
    from .html_text import html_to_markdown  # needs lxml

    return html_to_markdown(text)


def _auto(text: str) -> str:
    from .html_text import auto_to_markdown  # needs lxml

    return auto_to_markdown(text)


FORMATS: dict[str, Callable[[str], str]] = {
    "markdown": from_moodle, "html": _html, "moodle": _auto, "plain": lambda text: text,
}  # fmt: skip


def split(pieces: Tokens, marks: str) -> list[Tokens]:
    """Return the pieces cut before each unescaped mark, which stays at the front of its part."""
    parts: list[Tokens] = [[]]
    for piece in pieces:
        if piece in marks and len(piece) == 1:
            parts.append([])
        parts[-1].append(piece)
    return parts


def read_answers(pieces: Tokens, text_format: str) -> tuple[str, tuple[Answer, ...], str]:
    """Return the kind of a question, its answers and its general feedback.

    Raises:
        UnreadableError: It is a kind of question the quiz does not have, or an answer cannot be read.
    """
    pieces, general = _general_feedback(pieces)
    explanation = _text(general, text_format)
    words = unescape(pieces).strip()
    if not words:
        raise UnreadableError("it is an essay, which this quiz does not have")
    if words.startswith("#"):
        return "numeric", _numbers(_strip(pieces)[1:], text_format), explanation
    if re.fullmatch(r"(T|TRUE|F|FALSE)(#.*)?", words, re.DOTALL | re.IGNORECASE):
        return "single", _true_or_false(pieces, text_format), explanation
    if "~" in pieces:
        return (*_options(pieces, text_format), explanation)
    if "=" in pieces and "->" in words:
        raise UnreadableError("it is a matching question, which this quiz does not have")
    if "=" in pieces:
        raise UnreadableError("it is a short answer, which this quiz does not have")
    raise UnreadableError("its answers begin with neither = nor ~")


def _general_feedback(pieces: Tokens) -> tuple[Tokens, Tokens]:
    for start in range(len(pieces) - 3):
        if pieces[start : start + 4] == ["#"] * 4:
            return pieces[:start], pieces[start + 4 :]
    return pieces, []


def _strip(pieces: Tokens) -> Tokens:
    start = next((place for place, piece in enumerate(pieces) if not piece.isspace()), len(pieces))
    return pieces[start:]


def _text(pieces: Tokens, text_format: str) -> str:
    found = _FORMAT.match("".join(pieces))
    if found:
        text_format, pieces = found[1], pieces[found.end() :]
    return FORMATS[text_format](unescape(pieces).strip())


def _with_feedback(pieces: Tokens, text_format: str) -> tuple[Tokens, str]:
    answer, *feedback = split(pieces, "#")
    return answer, _text(feedback[0][1:], text_format) if feedback else ""


def _weight(pieces: Tokens) -> tuple[float | None, Tokens]:
    pieces = _strip(pieces)
    found = _WEIGHT.match("".join(pieces))
    if not found:
        return None, pieces
    percent = float(found[1])
    if not -100 <= percent <= 100:
        raise UnreadableError(f"the weight {percent:g}% does not lie between -100% and 100%")
    return percent, pieces[found.end() :]


def _options(pieces: Tokens, text_format: str) -> tuple[str, tuple[Answer, ...]]:
    answers = []
    first, *parts = split(pieces, "~=")
    if unescape(first).strip():
        raise UnreadableError(f"{unescape(first).strip()!r} stands before the first = or ~")
    for mark, *part in parts:
        weight, part = _weight(part) if mark == "~" else (100.0, part)
        text, feedback = _with_feedback(part, text_format)
        answers.append(Answer(_text(text, text_format), weight or 0.0, feedback))
    return "single" if "=" in pieces else "multi", tuple(answers)


def _true_or_false(pieces: Tokens, text_format: str) -> tuple[Answer, ...]:
    word, *feedback = split(_strip(pieces), "#")
    # The feedback to a wrong answer comes first.
    wrong, right = [*(_text(part[1:], text_format) for part in feedback[:2]), "", ""][:2]
    is_true = unescape(word).strip().upper().startswith("T")
    return tuple(
        Answer(name, 100 if holds else 0, right if holds else wrong)
        for name, holds in (("True", is_true), ("False", not is_true))
    )


def _numbers(pieces: Tokens, text_format: str) -> tuple[Answer, ...]:
    first, *parts = split(pieces, "=~")
    answers = [_number(["=", *first], text_format)] if unescape(first).strip() else []
    return (*answers, *(_number(part, text_format) for part in parts))


def _number(part: Tokens, text_format: str) -> Answer:
    mark, *rest = part
    weight, rest = _weight(rest)
    number, feedback = _with_feedback(rest, text_format)
    if mark == "~":
        return Answer("*", 0, feedback)
    text = unescape(number).strip()
    percent = 100 if weight is None else weight
    try:
        if ".." in text:
            low, high = (float(end) for end in text.split("..", 1))
            return Answer(repr(round((low + high) / 2, 12)), percent, feedback, round((high - low) / 2, 12))
        value, _, tolerance = text.partition(":")
        float(value)
        return Answer(value.strip(), percent, feedback, float(tolerance or 0))
    except ValueError:
        raise UnreadableError(f"{text!r} is no number, nor one with a tolerance such as 5:0.1 or 4.9..5.1") from None
