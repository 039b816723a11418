r"""GIFT, a plain text format for questions: https://docs.moodle.org/en/GIFT_format.

The characters `~ = # { } :` and the backslash are escaped with a backslash, and `\n` stands for a line break. A
question is a block of lines without an empty line. A comment before it may contain `[id:...]` and `[tag:...]`. GIFT
has no pictures except those within HTML as `data:` addresses.
"""

import re
from collections.abc import Callable, Iterable, Iterator

from ..formats import NUMBER, Answer, InterchangeError, Note, Question, UnreadableError, format_category, read_category
from .markup import auto_format_to_markdown, bank_to_moodle, html_to_markdown, moodle_to_bank
from .pictures import describe_other_pictures, load_from, refuse_pictures, take_pictures

Tokens = list[str]
"""A text split into single characters, and escaped characters with their backslash."""

_TEXT_FORMATS: dict[str, Callable[[str], str]] = {
    "markdown": moodle_to_bank, "html": html_to_markdown, "moodle": auto_format_to_markdown, "plain": lambda text: text,
}  # fmt: skip
_FORMAT = re.compile(r"\s*\[(html|markdown|plain|moodle)\]")
_UNESCAPED = {r"\n": "\n"} | {f"\\{character}": character for character in "\\~=#{}:"}
_WEIGHT = re.compile(r"%(-?\d+(?:\.\d+)?)%")
_ID = re.compile(r"\[id:((?:\\\]|[^\]])+)\]")
_TAG = re.compile(r"\[tag:((?:\\\]|[^\]])+)\]")


def write_gift(questions: Iterable[Question]) -> str:
    """Return questions as a GIFT file, with a category before each series on a topic. Hints are not written."""
    topic, blocks = None, []
    for question in questions:
        if question.topic != topic:
            topic = question.topic
            blocks.append(f"$CATEGORY: {format_category(topic)}")
        blocks.append(_format_question(question))
    return "\n\n".join(blocks) + "\n"


def _format_question(question: Question) -> str:
    labels = [f"[id:{question.name}]", *("[tag:{}]".format(tag.replace("]", r"\]")) for tag in question.tags)]
    stem = _escape(bank_to_moodle(question.stem))
    lines = [f"// {' '.join(labels)}", f"::{_escape(question.name)}::[markdown]{stem}{{"]
    lines[-1] += "#" if question.kind == "numeric" else ""
    for answer in question.answers:
        feedback = f"#{_format_part(answer.feedback)}" if answer.feedback else ""
        weight = f"%{f'{answer.percent:.5f}'.rstrip('0').rstrip('.')}%"
        if question.kind != "numeric":
            mark = "=" if question.kind == "single" and answer.percent == 100 else f"~{weight}"
            lines.append(f"{mark}{_format_part(answer.text)}{feedback}")
        elif answer.text == "*":
            lines.append(f"~{feedback}")
        else:
            lines.append(f"={weight}{answer.text}:{answer.tolerance!r}{feedback}")
    if question.explanation:
        lines.append(f"####{_format_part(question.explanation)}")
    return "\n".join([*lines, "}"])


def _format_part(text: str) -> str:
    """Return a text inside the braces; its format is repeated if its first word could be read as one."""
    return ("[markdown]" if text.startswith("[") else "") + _escape(bank_to_moodle(text))


def _escape(text: str) -> str:
    return re.sub(r"[\\~=#{}:]", r"\\\g<0>", text).replace("\r\n", "\n").replace("\r", "\n").replace("\n", r"\n")


def read_gift(data: bytes) -> tuple[list[Question], list[Note]]:
    """Read a GIFT file.

    Returns:
        The questions of the types that the quiz supports, and a note on every other question.

    Raises:
        InterchangeError: If the file is empty or not UTF-8.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InterchangeError(f"the file is not UTF-8 text ({error.reason} at byte {error.start})") from error
    if not text.strip():
        raise InterchangeError("the file is empty")
    questions: list[Question] = []
    notes: list[Note] = []
    for number, (line, topic, comment, block) in enumerate(_split_blocks(text), 1):
        name = f"question {number}"
        try:
            title, rest = _split_title(_tokenize(block))
            name = _read_id(comment) or title or name
            questions.append(_read_question(rest, name, topic, comment, line))
        except UnreadableError as error:
            notes.append(Note(line, name, str(error), refused=True))
    if not questions and not notes:
        raise InterchangeError("the file contains no questions")
    return questions, notes


def _split_blocks(text: str) -> Iterator[tuple[int, str, str, str]]:
    """Yield for each question the number of its first line, its topic, its comments and its text."""
    topic, comment, start, block = "", "", 0, list[str]()
    for number, line in enumerate([*re.split(r"\r\n|\r|\n", text), ""], 1):
        line = line.strip()
        if line.startswith("//"):
            comment += line
        elif line.startswith("$CATEGORY:"):
            topic = read_category(line.removeprefix("$CATEGORY:").strip())
        elif line:
            start = start or number
            block.append(line)
        elif block:
            yield start, topic, comment, "\n".join(block)
            comment, start, block = "", 0, []


def _read_id(comment: str) -> str:
    match = _ID.search(comment)
    return match[1].replace(r"\]", "]") if match else ""


def _split_title(block: Tokens) -> tuple[str, Tokens]:
    if block[:2] != [":", ":"]:
        return "", block
    for end in range(2, len(block) - 1):
        if block[end : end + 2] == [":", ":"]:
            return " ".join(_unescape(block[2:end]).split()), block[end + 2 :]
    raise UnreadableError("the title begins with :: but does not end with ::")


def _read_question(block: Tokens, name: str, topic: str, comment: str, line: int) -> Question:
    if "{" not in block:
        raise UnreadableError("it has no answers in { }, so it is a text without a question")
    start = block.index("{")
    if "}" not in block[start:]:
        raise UnreadableError("the answers begin with { but do not end with } before the next empty line")
    end = start + block[start:].index("}")
    if "{" in block[start + 1 : end] or "{" in block[end:]:
        raise UnreadableError("it has more than one part in { }; a brace in the text needs a backslash")
    before, after = block[:start], block[end + 1 :]
    text_format, before = _split_format(before, "moodle")
    blank = ["_"] * 5 if _unescape(after).strip() else []
    kind, answers, explanation, changes = _read_answers(block[start + 1 : end], text_format)
    markdown = _TEXT_FORMATS[text_format](_unescape([*before, *blank, *after]).strip())
    stem, pictures, picture_changes = take_pictures(markdown, load_from({}))
    refuse_pictures(answers)
    return describe_other_pictures(
        Question(
            kind=kind,
            name=name,
            stem=stem,
            answers=answers,
            topic=topic,
            explanation=explanation,
            tags=tuple(tag.replace(r"\]", "]") for tag in _TAG.findall(comment)),
            line=line,
            pictures=tuple(pictures),
            changes=(*changes, *picture_changes),
        )
    )


def _read_answers(tokens: Tokens, text_format: str) -> tuple[str, tuple[Answer, ...], str, tuple[str, ...]]:
    """Return the type of a question, its answers, its general feedback, and what reading them changes."""
    tokens, general_feedback = _split_general_feedback(tokens)
    explanation = _read_text(general_feedback, text_format)
    text = _unescape(tokens).strip()
    if not text:
        raise UnreadableError("it is an essay, which the import does not support")
    if text.startswith("#"):
        return "numeric", _read_numbers(_strip_start(tokens)[1:], text_format), explanation, ()
    if re.fullmatch(r"(T|TRUE|F|FALSE)(#.*)?", text, re.DOTALL | re.IGNORECASE):
        return "single", _read_true_or_false(tokens, text_format), explanation, ()
    if "~" in tokens:
        return "single" if "=" in tokens else "multi", _read_options(tokens, text_format), explanation, ()
    if "=" in tokens and "->" in text:
        raise UnreadableError("it is a matching question, which the import does not support")
    if "=" in tokens:
        answers = _read_options(tokens, text_format)
        if not all(NUMBER.fullmatch(answer.text) for answer in answers):
            raise UnreadableError("it is a short answer, which the import does not support")
        return "numeric", answers, explanation, ("a short answer with numbers becomes a numeric question",)
    raise UnreadableError("its answers begin with neither = nor ~")


def _read_options(tokens: Tokens, text_format: str) -> tuple[Answer, ...]:
    answers = []
    first, *parts = _split_before(tokens, "~=")
    if _unescape(first).strip():
        raise UnreadableError(f"{_unescape(first).strip()!r} stands before the first = or ~")
    # Moodle takes no weight after =, so an answer may begin with %; several of them can only be meant as weights.
    weighted = "~=" if sum(mark == "=" for mark, *_ in parts) > 1 else "~"
    for mark, *part in parts:
        weight, part = _split_weight(part) if mark in weighted else (None, part)
        text, feedback = _split_feedback(part, text_format)
        percent = (100.0 if mark == "=" else 0.0) if weight is None else weight
        answers.append(Answer(_read_text(text, text_format), percent, feedback))
    return tuple(answers)


def _read_true_or_false(tokens: Tokens, text_format: str) -> tuple[Answer, ...]:
    word, *feedback = _split_before(_strip_start(tokens), "#")
    # The feedback for a wrong answer comes first.
    wrong, right = [*(_read_text(part[1:], text_format) for part in feedback[:2]), "", ""][:2]
    is_true = _unescape(word).strip().upper().startswith("T")
    return tuple(
        Answer(name, 100 if correct else 0, right if correct else wrong)
        for name, correct in (("True", is_true), ("False", not is_true))
    )


def _read_numbers(tokens: Tokens, text_format: str) -> tuple[Answer, ...]:
    first, *parts = _split_before(tokens, "=~")
    answers = [_read_number(["=", *first], text_format)] if _unescape(first).strip() else []
    return (*answers, *(_read_number(part, text_format) for part in parts))


def _read_number(part: Tokens, text_format: str) -> Answer:
    mark, *rest = part
    weight, rest = _split_weight(rest)
    number, feedback = _split_feedback(rest, text_format)
    if mark == "~":
        return Answer("*", 0, feedback)
    text = _unescape(number).strip()
    percent = 100 if weight is None else weight
    try:
        if ".." in text:
            low, high = (float(end) for end in text.split("..", 1))
            return Answer(repr(round((low + high) / 2, 12)), percent, feedback, round((high - low) / 2, 12))
        value, _, tolerance = text.partition(":")
        float(value)
        return Answer(value.strip(), percent, feedback, float(tolerance or 0))
    except ValueError:
        raise UnreadableError(
            f"{text!r} is neither a number nor a number with a tolerance such as 5:0.1 or 4.9..5.1"
        ) from None


def _tokenize(text: str) -> Tokens:
    return re.findall(r"\\[\\~=#{}:n]|.", text, re.DOTALL)


def _unescape(tokens: Tokens) -> str:
    return "".join(_UNESCAPED.get(token, token) for token in tokens)


def _strip_start(tokens: Tokens) -> Tokens:
    start = next((index for index, token in enumerate(tokens) if not token.isspace()), len(tokens))
    return tokens[start:]


def _read_text(tokens: Tokens, text_format: str) -> str:
    text_format, tokens = _split_format(tokens, text_format)
    return _TEXT_FORMATS[text_format](_unescape(tokens).strip())


def _split_format(tokens: Tokens, default: str) -> tuple[str, Tokens]:
    match = _FORMAT.match("".join(tokens))
    return (match[1], tokens[match.end() :]) if match else (default, tokens)


def _split_weight(tokens: Tokens) -> tuple[float | None, Tokens]:
    tokens = _strip_start(tokens)
    match = _WEIGHT.match("".join(tokens))
    if not match:
        return None, tokens
    percent = float(match[1])
    if not -100 <= percent <= 100:
        raise UnreadableError(f"the weight {percent:g}% is not between -100% and 100%")
    return percent, tokens[match.end() :]


def _split_feedback(tokens: Tokens, text_format: str) -> tuple[Tokens, str]:
    answer, *feedback = _split_before(tokens, "#")
    return answer, _read_text(feedback[0][1:], text_format) if feedback else ""


def _split_general_feedback(tokens: Tokens) -> tuple[Tokens, Tokens]:
    for start in range(len(tokens) - 3):
        if tokens[start : start + 4] == ["#"] * 4:
            return tokens[:start], tokens[start + 4 :]
    return tokens, []


def _split_before(tokens: Tokens, marks: str) -> list[Tokens]:
    """Return the tokens split before each unescaped mark, which begins its part."""
    parts: list[Tokens] = [[]]
    for token in tokens:
        if token in marks and len(token) == 1:
            parts.append([])
        parts[-1].append(token)
    return parts
