"""Conversion between questions of learning platforms and items of a bank with basic requirements."""

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from string import ascii_lowercase
from typing import Any

from ..bank import Item, Media, Numeric, Source
from ..formats import Answer, InterchangeError, Note, Picture, Question
from ..validation import find_faults

_CODE = re.compile(r"(?P<stem>.*)\n\n```python\n(?P<code>[^`]{1,1200})\n```", re.DOTALL)
_SOURCES = re.compile(r"(?P<text>.*?)(?:^|\n\n)Sources:\n\n(?P<lines>(?:- [^\n]+\n?)+)", re.DOTALL)
_SOURCE = re.compile(r"- \[(?P<cite>.+)\]\((?P<url>https://[^\s<>()]+)\), (?P<loc>.+)")
_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_TAGS: dict[str, Callable[[str], Any]] = {
    "bloom": str, "difficulty": int, "convention": str, "version": int, "status": str, "blueprint": str, "unit": str,
}  # fmt: skip
_DEFAULT_TOPIC = "Questions"
_TABLE = re.compile(r"^\|.*\|\n\|(?: ?:?-+:? ?\|)+$", re.MULTILINE)
_AMOUNTS = re.compile(r"\$\d[^$\n]*\$\d")
_MAX_HINTS = 2
_MAX_OPTIONS = 10

RawItem = dict[str, Any]

# Parts of an item for which no format has a field, each with a test of whether an item has it.
_NOT_EXPORTED: dict[str, Callable[[Item], bool]] = {
    "objective": lambda item: bool(item.objective),
    "misconceptions": lambda item: any(_misconceptions(item)),
    "claims and checks": lambda item: item.check is not None,
    "link into the app": lambda item: item.live is not None,
    "prerequisites": lambda item: bool(item.prereq),
    "enemies": lambda item: bool(item.enemies),
}


class _UnsuitableError(ValueError):
    """An error for a question that cannot become an item; the message gives the reason."""


def to_bank(questions: Sequence[Question]) -> tuple[RawItem, list[Note], dict[str, bytes]]:
    """Return questions as a bank, with notes on what changes.

    Returns:
        The JSON value of a bank, which `load_bank` accepts unless it is empty; a note on each change and refusal; and
        the pictures by their file names, to be written beside the bank.
    """
    items: list[RawItem] = []
    notes: list[Note] = []
    pictures: dict[str, bytes] = {}
    taken: set[str] = set()
    for question in questions:
        changes = list(question.changes)
        try:
            item = _convert_question(question, changes)
        except _UnsuitableError as error:
            notes.append(Note(question.line, question.name, str(error), refused=True, file=question.file))
            continue
        wanted, item["id"] = item["id"], _unused_id(item["id"], taken)
        if item["id"] != wanted:
            changes.append(f"its id {wanted!r} is taken, so it becomes {item['id']!r}")
        taken.add(item["id"])
        for media, picture in zip(item.get("media", []), question.pictures, strict=True):
            media["src"] = f"{item['id']}-{media['src']}"
            pictures[media["src"]] = picture.data
        notes += [Note(question.line, question.name, text, file=question.file) for text in changes]
        items.append(item)
    return {"schema_version": "1.0", "demands": "basic", "items": items}, notes, pictures


def _convert_question(question: Question, changes: list[str]) -> RawItem:
    texts = [question.stem, question.explanation, *question.hints]
    texts += [text for answer in question.answers for text in (answer.text, answer.feedback)]
    if any(map(_AMOUNTS.search, texts)):
        raise _UnsuitableError("two amounts such as $5 in a line would be read as a formula; write 5 USD")
    if not question.stem.strip():
        raise _UnsuitableError("the question has no text")
    stem, explanation = _CODE.fullmatch(question.stem), _SOURCES.fullmatch(question.explanation)
    item: RawItem = {"id": _make_id(question.name), "type": question.kind, "topic": question.topic or _DEFAULT_TOPIC}
    item |= {"stem": stem["stem"], "code": stem["code"]} if stem else {"stem": question.stem}
    convert_answers = _convert_numbers if question.kind == "numeric" else _convert_options
    item |= convert_answers(question, changes)
    if question.pictures:
        item["media"] = [
            {"src": f"{number}{Path(picture.name).suffix}", "alt": picture.alt}
            for number, picture in enumerate(question.pictures, 1)
        ]
    text = question.explanation
    if explanation and (sources := _read_sources(explanation["lines"])):
        item["sources"], text = sources, explanation["text"]
    if text.strip():
        item["explanation"] = text.strip()
    if question.hints:
        item["key"]["hints"] = list(question.hints[:_MAX_HINTS])
    if len(question.hints) > _MAX_HINTS:
        changes.append("it has more than two hints; only the first two are imported")
    _read_tags(item, question.tags, changes)
    for fault in find_faults({"schema_version": "1.0", "demands": "basic", "items": [item]}):
        raise _UnsuitableError(fault.text)
    return item


def _read_sources(lines: str) -> list[RawItem]:
    matches = [_SOURCE.fullmatch(line) for line in lines.splitlines()]
    if not all(matches):
        return []
    return [{name: _unescape(text) for name, text in match.groupdict().items()} for match in matches if match]


def _unescape(markdown: str) -> str:
    return re.sub(r"\\([`*_\[\]<>])", r"\1", markdown)


def _convert_options(question: Question, changes: list[str]) -> RawItem:
    answers = list(question.answers)
    full = [answer for answer in answers if answer.percent == 100]
    if question.kind == "single" and len(full) <= 1:
        correct = full
        if any(0 < answer.percent < 100 for answer in answers):
            changes.append("some answers are worth part of the mark; they count as wrong in the quiz")
    elif question.kind == "single":
        correct = full
        changes.append("several answers are worth the full mark; all of them have to be chosen in the quiz")
    else:
        correct = [answer for answer in answers if answer.percent > 0]
    if len(answers) == 1:
        raise _UnsuitableError("it has one answer only, so there is nothing to choose")
    if not correct:
        raise _UnsuitableError(
            "no answer is worth the full mark" if question.kind == "single" else "no answer is correct"
        )
    if len(answers) > _MAX_OPTIONS:
        left_out = [answer for answer in answers if answer not in correct][_MAX_OPTIONS - len(answers) :]
        if len(correct) >= _MAX_OPTIONS:
            raise _UnsuitableError(f"{len(correct)} answers are correct; the quiz shows at most {_MAX_OPTIONS} answers")
        last = f"the last {len(left_out)} wrong ones are" if len(left_out) > 1 else "the last wrong one is"
        changes.append(f"it has {len(answers)} answers; {last} left out")
        answers = [answer for answer in answers if answer not in left_out]
    if not all(answer.text.strip() for answer in answers):
        raise _UnsuitableError("an answer has no text")
    if any(_TABLE.search(answer.text) for answer in answers):
        raise _UnsuitableError("an answer contains a table, which the quiz cannot show in an answer")
    if any("\n" in answer.text for answer in answers):
        changes.append("an answer has several lines, which are joined")
    options = list(zip(ascii_lowercase, answers, strict=False))
    key: RawItem = {"correct": [oid for oid, answer in options if answer in correct]}
    key["feedback"] = {oid: answer.feedback for oid, answer in options if answer.feedback.strip()}
    kind = "multi" if question.kind == "multi" or len(correct) > 1 else "single"
    texts = [{"oid": oid, "text": " ".join(answer.text.split())} for oid, answer in options]
    return {"type": kind, "options": texts, "key": key}


def _convert_numbers(question: Question, changes: list[str]) -> RawItem:
    correct = [answer for answer in question.answers if answer.percent == 100 and answer.text != "*"]
    if not correct:
        raise _UnsuitableError("no number is worth the full mark")
    value, tolerance = _read_number(correct[0].text), correct[0].tolerance
    if not math.isfinite(tolerance) or tolerance < 0:
        raise _UnsuitableError(f"the tolerance {tolerance} is not a finite number of 0 or more")
    if len(correct) > 1:
        changes.append(f"several numbers are correct; only {correct[0].text} is imported")
    key: RawItem = {"value": value, "tolerance": tolerance, "feedback": {}, "anticipated": []}
    others = [answer for answer in question.answers if answer.text == "*"]
    for name, answers in (("right", correct), ("wrong", others)):
        if answers and answers[0].feedback.strip():
            key["feedback"][name] = answers[0].feedback
    for answer in question.answers:
        if answer.percent < 100 and answer.text != "*":
            _add_anticipated(key, answer, changes)
    return {"key": key}


def _add_anticipated(key: RawItem, answer: Answer, changes: list[str]) -> None:
    number = _read_number(answer.text)
    if not answer.feedback.strip():
        changes.append(f"the wrong number {answer.text} has no feedback and is left out")
    elif abs(number - key["value"]) <= key["tolerance"] or number in [wrong["value"] for wrong in key["anticipated"]]:
        changes.append(f"the wrong number {answer.text} is within the tolerance or repeated, and is left out")
    else:
        key["anticipated"].append({"value": number, "feedback": answer.feedback})
        if answer.percent > 0:
            changes.append(f"the number {answer.text} is worth part of the mark; it counts as wrong in the quiz")


def _read_number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise _UnsuitableError(f"{text!r} is not a number")
    return int(number) if number.is_integer() and abs(number) < 1e15 else number


def _read_tags(item: RawItem, tags: Iterable[str], changes: list[str]) -> None:
    """Set the fields that an export writes as tags; report other tags, for which a bank has no field."""
    others = []
    for tag in tags:
        name, _, value = tag.partition(": ")
        if tag == "negative":
            item["negative"] = True
        elif name in _TAGS and value and (_TAGS[name] is str or value.isdecimal()):
            (item["key"] if name == "unit" else item)[name] = _TAGS[name](value)
        else:
            others.append(tag)
    if others:
        changes.append(f"these tags are left out: {', '.join(others)}")


def _make_id(name: str) -> str:
    if _ID.fullmatch(name) and len(name) <= 60:
        return name
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:50].strip("-") or "question"


def _unused_id(wanted: str, taken: set[str]) -> str:
    number, item_id = 2, wanted
    while item_id in taken:
        item_id, number = f"{wanted[:50].rstrip('-')}-{number}", number + 1
    return item_id


def to_question(item: Item, folder: Path) -> Question:
    """Return an item as a question, with its code at the end of the stem and its sources after the explanation.

    Args:
        item: The item.
        folder: The folder of its pictures.

    Raises:
        InterchangeError: A picture cannot be read.
    """
    code = f"\n\n```python\n{item.code}\n```" if item.code else ""
    return Question(
        kind=item.type,
        name=item.id,
        stem=item.stem + code,
        answers=_export_numbers(item.numeric) if item.numeric else _export_options(item),
        topic=item.topic,
        explanation="\n\n".join(filter(None, [item.explanation, _format_sources(item.sources)])),
        hints=item.hints,
        tags=tuple(_export_tags(item)),
        pictures=tuple(_read_picture(item, media, folder) for media in item.media),
    )


def _read_picture(item: Item, media: Media, folder: Path) -> Picture:
    try:
        return Picture(media.src, (folder / media.src).read_bytes(), media.alt)
    except OSError as error:
        raise InterchangeError(f"item {item.id}: its picture {media.src} cannot be read ({error.strerror})") from error


def count_not_exported(items: Iterable[Item]) -> dict[str, int]:
    """Return the number of items that have each part left out of an export, by the name of the part."""
    return dict(Counter(name for item in items for name, has_part in _NOT_EXPORTED.items() if has_part(item)))


def _misconceptions(item: Item) -> list[str | None]:
    anticipated = item.numeric.anticipated if item.numeric else ()
    return [*(option.misconception for option in item.options), *(wrong.misconception for wrong in anticipated)]


def _format_sources(sources: Iterable[Source]) -> str:
    lines = [f"- [{source.cite}]({source.url}), {source.loc}" for source in sources]
    return "\n".join(["Sources:\n", *lines]) if lines else ""


def _export_options(item: Item) -> tuple[Answer, ...]:
    return tuple(Answer(option.text, 100 * item.weight(option), option.feedback) for option in item.options)


def _export_numbers(key: Numeric) -> tuple[Answer, ...]:
    anticipated = (Answer(repr(wrong.value), 0, wrong.feedback, key.tolerance) for wrong in key.anticipated)
    return (Answer(repr(key.value), 100, key.right, key.tolerance), *anticipated, Answer("*", 0, key.wrong))


def _export_tags(item: Item) -> Iterable[str]:
    fields = {"bloom": item.bloom, "difficulty": item.difficulty, "convention": item.convention}
    fields |= {"version": item.version, "status": item.status, "blueprint": item.blueprint}
    fields["unit"] = item.numeric.unit if item.numeric else ""
    yield from (f"{name}: {value}" for name, value in fields.items() if value)
    if item.negative:
        yield "negative"
