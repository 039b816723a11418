r"""GIFT, questions as plain text: https://docs.moodle.org/en/GIFT_format.

Each of `~ = # { } :` and the backslash is escaped by a backslash where it means itself, and `\n` is a line break. One
question is a block of lines without an empty one. A comment before it may hold `[id:...]` and `[tag:...]`.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from .gift_answers import FORMATS, Tokens, UnreadableError, read_answers, tokens, unescape
from .question import InterchangeError, Note, Question, path_topic, topic_path
from .text import to_moodle

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
