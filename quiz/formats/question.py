"""A question as learning platforms know it, whatever the file format."""

from dataclasses import dataclass


class InterchangeError(ValueError):
    """The file as a whole cannot be read or written; the message is one line."""


@dataclass(frozen=True)
class Answer:
    """One answer: an option, or a number with its tolerance ("*" stands for every other number).

    Attributes:
        text: Markdown, or the number.
        percent: Share of the mark, from -100 to 100.
        feedback: Markdown.
        tolerance: How far off a number may be.
    """

    text: str
    percent: float
    feedback: str = ""
    tolerance: float = 0.0


@dataclass(frozen=True)
class Question:
    """One question. Texts are Markdown with formulas between dollar signs.

    Attributes:
        kind: single, multi or numeric.
        name: Its id or title.
        stem: What is asked, code included.
        answers: In the order of the file.
        topic: Its category.
        explanation: Shown whatever was answered.
        hints: Shown on demand.
        tags: Words that say more of it.
        line: Where it begins in the file it was read from.
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
    """What could not be taken over from a question; `refused` if that is the whole question."""

    line: int
    name: str
    text: str
    refused: bool = False

    def __str__(self) -> str:
        return f"line {self.line}, {self.name}: {'not imported: ' if self.refused else ''}{self.text}"


def topic_path(topic: str) -> str:
    """Return the path of a topic's category, below the course's top; a slash in a name is doubled."""
    space = " " if topic.startswith("/") else ""  # so that it is not taken for a doubled one
    return f"$course$/top/{space}{topic.replace('/', '//')}"


def path_topic(path: str) -> str:
    """Return the last name of a category's path."""
    name = path.replace("//", "\0").rsplit("/", 1)[-1]
    return " ".join(name.replace("\0", "/").split())
