"""Import and export of questions in the formats of learning platforms, spreadsheets and flashcards.

This module defines the questions that all formats can express. `moodle`, `gift`, `qti12`, `qti21` and `csv_table` read
and write files, `anki` writes them, `convert` maps questions to a bank's items and back, `markup` converts texts, and
`pictures` finds and checks pictures. Parts that a format cannot hold are reported.
"""

import re
from dataclasses import dataclass

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
"""A number in an answer that a file does not mark as numeric."""


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
class Picture:
    """A picture that belongs to the stem of a question.

    Attributes:
        name: File name.
        data: Content of the file.
        alt: A description of the picture.
    """

    name: str
    data: bytes
    alt: str


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
        pictures: Pictures that are shown below the stem.
        changes: Differences from the question in the file.
        file: Name of the file within an archive, or nothing.
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
    pictures: tuple[Picture, ...] = ()
    changes: tuple[str, ...] = ()
    file: str = ""

    @property
    def place(self) -> str:
        """The position of the question in the file, such as "line 5"."""
        return format_place(self.file, self.line)


@dataclass(frozen=True)
class Note:
    """A remark on an imported question: a difference from the file, or the reason for its refusal."""

    line: int
    name: str
    text: str
    refused: bool = False
    file: str = ""

    def __str__(self) -> str:
        outcome = "refused" if self.refused else "changed"
        return f"{format_place(self.file, self.line)}, {self.name}: {outcome}: {self.text}"


def format_place(file: str, line: int) -> str:
    """Return the place of a question, such as "line 5" or "item.xml line 5"."""
    return f"{file} line {line}".lstrip()


def format_category(topic: str) -> str:
    """Return the path of a topic's category below the top category of a course; a slash in the name is doubled."""
    space = " " if topic.startswith("/") else ""  # so that the slash does not merge with the separator
    return f"$course$/top/{space}{topic.replace('/', '//')}"


def read_category(path: str) -> str:
    """Return the last name in the path of a category."""
    name = path.replace("//", "\0").rsplit("/", 1)[-1]
    return " ".join(name.replace("\0", "/").split())
