r"""GIFT, questions as plain text: https://docs.moodle.org/en/GIFT_format.

Each of `~ = # { } :` and the backslash is escaped by a backslash where it means itself, and `\n` is a line break. One
question is a block of lines without an empty one. A comment before it may hold `[id:...]` and `[tag:...]`.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from .markup import from_moodle, to_moodle
from .question import Answer, InterchangeError, Note, Question, path_topic, topic_path

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
    from .markup import html_to_markdown  # needs lxml

    return html_to_markdown(text)


def _auto(text: str) -> str:
    from .markup import auto_to_markdown  # needs lxml

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


_ID = re.compile(r"\[id:((?:\\\]|[^\]])+)\]")
_TAG = re.compile(r"\[tag:((?:\\\]|[^\]])+)\]")


def write_gift(questions: Iterable[Question]) -> str:
    """Return a file of GIFT, a category before each run of questions of a topic. It has no place for hints."""
    topic, blocks = None, []
    for question in questions:
        if question.topic != topic:
            topic = question.topic
            blocks.append(f"$CATEGORY: {topic_path(topic)}")
        blocks.append(_write(question))
    return "\n\n".join(blocks) + "\n"


def _write(question: Question) -> str:
    words = [f"[id:{question.name}]", *("[tag:{}]".format(tag.replace("]", r"\]")) for tag in question.tags)]
    lines = [f"// {' '.join(words)}", f"::{_escape(question.name)}::[markdown]{_markdown(question.stem)}{{"]
    lines[-1] += "#" if question.kind == "numeric" else ""
    for answer in question.answers:
        feedback = f"#{_part(answer.feedback)}" if answer.feedback else ""
        weight = f"%{f'{answer.percent:.5f}'.rstrip('0').rstrip('.')}%"
        if question.kind != "numeric":
            mark = "=" if question.kind == "single" and answer.percent == 100 else f"~{weight}"
            lines.append(f"{mark}{_part(answer.text)}{feedback}")
        elif answer.text == "*":
            lines.append(f"~{feedback}")
        else:
            lines.append(f"={weight}{answer.text}:{answer.tolerance!r}{feedback}")
    if question.explanation:
        lines.append(f"####{_part(question.explanation)}")
    return "\n".join([*lines, "}"])


def _part(text: str) -> str:
    """Return a text in the format of the stem, which is named again where the text would be taken for a format."""
    return ("[markdown]" if text.startswith("[") else "") + _markdown(text)


def _markdown(text: str) -> str:
    return _escape(to_moodle(text))


def _escape(text: str) -> str:
    return re.sub(r"[\\~=#{}:]", r"\\\g<0>", text).replace("\r\n", "\n").replace("\r", "\n").replace("\n", r"\n")


def read_gift(data: bytes) -> tuple[list[Question], list[Note]]:
    """Return the questions of a file that the quiz has a kind for, and a note on each other one.

    Raises:
        InterchangeError: It is empty, or not UTF-8.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InterchangeError(f"it is not UTF-8 text ({error.reason} at byte {error.start})") from error
    if not text.strip():
        raise InterchangeError("the file is empty")
    questions: list[Question] = []
    notes: list[Note] = []
    for number, (line, topic, comment, block) in enumerate(_blocks(text), 1):
        name = f"question {number}"
        try:
            title, rest = _title(tokens(block))
            name = _named(comment) or title or name
            questions.append(_read(rest, name, topic, comment, line))
        except UnreadableError as error:
            notes.append(Note(line, name, str(error), refused=True))
    if not questions and not notes:
        raise InterchangeError("there is no question in it")
    return questions, notes


def _blocks(text: str) -> Iterator[tuple[int, str, str, str]]:
    """Yield each question: its first line's number, its topic, the comments before or in it, and its text."""
    topic, comment, start, block = "", "", 0, list[str]()
    for number, line in enumerate([*re.split(r"\r\n|\r|\n", text), ""], 1):
        line = line.strip()
        if line.startswith("//"):
            comment += line
        elif line.startswith("$CATEGORY:"):
            topic = path_topic(line.removeprefix("$CATEGORY:").strip())
        elif line:
            start = start or number
            block.append(line)
        elif block:
            yield start, topic, comment, "\n".join(block)
            comment, start, block = "", 0, []


def _named(comment: str) -> str:
    found = _ID.search(comment)
    return found[1].replace(r"\]", "]") if found else ""


def _title(block: Tokens) -> tuple[str, Tokens]:
    if block[:2] != [":", ":"]:
        return "", block
    for end in range(2, len(block) - 1):
        if block[end : end + 2] == [":", ":"]:
            return " ".join(unescape(block[2:end]).split()), block[end + 2 :]
    raise UnreadableError("the title begins with :: but does not end so")


def _read(block: Tokens, name: str, topic: str, comment: str, line: int) -> Question:
    if "{" not in block:
        raise UnreadableError("it has no answers in { }, so it is a text without a question")
    start = block.index("{")
    if "}" not in block[start:]:
        raise UnreadableError("the answers begin with { but do not end with }")
    end = start + block[start:].index("}")
    if "{" in block[start + 1 : end] or "{" in block[end:]:
        raise UnreadableError("it has more than one part in { }; a brace of the text itself needs a backslash")
    before, after = block[:start], block[end + 1 :]
    blank = ["_"] * 5 if unescape(after).strip() else []
    kind, answers, explanation = read_answers(block[start + 1 : end], _format(before))
    stem = FORMATS[_format(before)](unescape([*_without_format(before), *blank, *after]).strip())
    tags = tuple(tag.replace(r"\]", "]") for tag in _TAG.findall(comment))
    return Question(kind, name, stem, answers, topic, explanation, (), tags, line)


def _format(text: Sequence[str]) -> str:
    found = re.match(r"\s*\[(html|markdown|plain|moodle)\]", "".join(text))
    return found[1] if found else "moodle"


def _without_format(text: Tokens) -> Tokens:
    found = re.match(r"\s*\[(html|markdown|plain|moodle)\]", "".join(text))
    return text[found.end() :] if found else text
