"""Import and export of questions in Moodle XML and GIFT, which most learning platforms read.

This module defines the questions that both formats can express. `moodle` and `gift` read and write files, `convert`
maps questions to a bank's items and back, and `markup` converts texts. Parts that a format cannot hold are reported.
"""

from dataclasses import dataclass


class InterchangeError(ValueError):
    """An error for a file that cannot be read or written as a whole; the message is one line."""


class UnreadableError(ValueError):
    """An error for one question that cannot be read; the message gives the reason."""


@dataclass(frozen=True)
class Answer:
    """One answer: an option, or a number with its tolerance.

    Attributes:
        text: Markdown, or the number; "*" stands for every other number.
        percent: Share of the mark, from -100 to 100.
        feedback: Markdown.
        tolerance: Largest accepted difference from the number.
    """

    text: str
    percent: float
    feedback: str = ""
    tolerance: float = 0.0


@dataclass(frozen=True)
class Question:
    """One question. Texts are Markdown with formulas between dollar signs.

    Attributes:
        kind: Type of the question: single, multi or numeric.
        name: Id or title.
        stem: The question itself, including code.
        answers: The answers in the order of the file.
        topic: Name of the category.
        explanation: Feedback that is shown after any answer.
        hints: Hints that are shown on request.
        tags: Labels for further properties.
        line: Number of the first line in the file that the question was read from.
    """

    kind: str
    name: str
    stem: str
    answers: tuple[Answer, ...]
    topic: str = ""
    explanation: str = ""
    hints: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    line: int = 0


@dataclass(frozen=True)
class Note:
    """A part of a question that is not imported, or the whole question if `refused`."""

    line: int
    name: str
    text: str
    refused: bool = False

    def __str__(self) -> str:
        return f"line {self.line}, {self.name}: {'not imported: ' if self.refused else ''}{self.text}"


def format_category(topic: str) -> str:
    """Return the path of a topic's category below the top category of a course; a slash in the name is doubled."""
    space = " " if topic.startswith("/") else ""  # so that the slash does not merge with the separator
    return f"$course$/top/{space}{topic.replace('/', '//')}"


def read_category(path: str) -> str:
    """Return the last name in the path of a category."""
    name = path.replace("//", "\0").rsplit("/", 1)[-1]
    return " ".join(name.replace("\0", "/").split())
