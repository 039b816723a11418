"""From questions of other systems to items of a bank held to the basic demands, and what could not be taken over."""

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from string import ascii_lowercase
from typing import Any

from ..bank import Item, Numeric, Source
from ..validation import find_faults
from .question import Answer, Note, Question

_CODE = re.compile(r"(?P<stem>.*)\n\n```python\n(?P<code>[^`]{1,1200})\n```", re.DOTALL)
_SOURCES = re.compile(r"(?P<text>.*?)(?:^|\n\n)Sources:\n\n(?P<lines>(?:- [^\n]+\n?)+)", re.DOTALL)
_SOURCE = re.compile(r"- \[(?P<cite>.+)\]\((?P<url>https://[^\s<>()]+)\), (?P<loc>.+)")
_TAGS: dict[str, Callable[[str], Any]] = {
    "bloom": str, "difficulty": int, "convention": str, "version": int, "status": str, "blueprint": str, "unit": str,
}  # fmt: skip
_NO_TOPIC = "Questions"

Raw = dict[str, Any]


class _UnfitError(ValueError):
    """The question cannot become an item, with the reason."""


def to_bank(questions: Sequence[Question]) -> tuple[Raw, list[Note]]:
    """Return a bank's JSON that `load_bank` accepts, and what of the questions is not in it."""
    items: list[Raw] = []
    notes: list[Note] = []
    for question in questions:
        lost: list[str] = []
        try:
            item = _item(question, lost)
        except _UnfitError as error:
            notes.append(Note(question.line, question.name, str(error), refused=True))
            continue
        wanted, item["id"] = item["id"], _unused(item["id"], {other["id"] for other in items})
        if item["id"] != wanted:
            lost.append(f"its id {wanted!r} is taken, so it is called {item['id']!r}")
        notes += [Note(question.line, question.name, text) for text in lost]
        items.append(item)
    return {"schema_version": "1.0", "demands": "basic", "items": items}, notes


def _item(question: Question, lost: list[str]) -> Raw:
    stem, explanation = _CODE.fullmatch(question.stem), _SOURCES.fullmatch(question.explanation)
    item: Raw = {"id": _id(question.name), "type": question.kind, "topic": question.topic or _NO_TOPIC}
    item |= {"stem": stem["stem"], "code": stem["code"]} if stem else {"stem": question.stem}
    item |= _numeric(question, lost) if question.kind == "numeric" else _choice(question, lost)
    text = question.explanation
    if explanation and (sources := _sources(explanation["lines"])):
        item["sources"], text = sources, explanation["text"]
    if text.strip():
        item["explanation"] = text.strip()
    if question.hints:
        item["key"]["hints"] = list(question.hints[:2])
        lost += ["it has more than two hints; the first two are kept"] * (len(question.hints) > 2)
    _take_tags(item, question.tags, lost)
    for fault in find_faults({"schema_version": "1.0", "demands": "basic", "items": [item]}):
        raise _UnfitError(fault.text)
    return item


def _sources(lines: str) -> list[Raw]:
    found = [_SOURCE.fullmatch(line) for line in lines.splitlines()]
    return [match.groupdict() for match in found if match] if all(found) else []


def _choice(question: Question, lost: list[str]) -> Raw:
    answers = question.answers
    right = [answer for answer in answers if answer.percent > 0]
    if question.kind == "single":
        right = [answer for answer in answers if answer.percent == 100]
        if any(0 < answer.percent < 100 for answer in answers):
            lost.append("some answers are worth a part of the mark; here they count as wrong")
    if not right:
        raise _UnfitError("no answer is worth the full mark" if question.kind == "single" else "no answer is right")
    if len(answers) > len(ascii_lowercase):
        raise _UnfitError(f"it has {len(answers)} answers")
    named = list(zip(ascii_lowercase, answers, strict=False))
    if any("\n" in answer.text for answer in answers):
        lost.append("an answer has several lines; they are joined")
    key: Raw = {"correct": [oid for oid, answer in named if answer in right]}
    key["feedback"] = {oid: answer.feedback for oid, answer in named if answer.feedback.strip()}
    return {"options": [{"oid": oid, "text": " ".join(answer.text.split())} for oid, answer in named], "key": key}


def _numeric(question: Question, lost: list[str]) -> Raw:
    right = [answer for answer in question.answers if answer.percent == 100 and answer.text != "*"]
    if not right:
        raise _UnfitError("no number is worth the full mark")
    value, tolerance = _number(right[0].text), right[0].tolerance
    if not math.isfinite(tolerance) or tolerance < 0:
        raise _UnfitError(f"{tolerance} is no tolerance")
    if len(right) > 1:
        lost.append(f"more than one number is right; only {right[0].text} is kept")
    key: Raw = {"value": value, "tolerance": tolerance, "feedback": {}, "anticipated": []}
    others = [answer for answer in question.answers if answer.text == "*"]
    for name, answers in (("right", right), ("wrong", others)):
        if answers and answers[0].feedback.strip():
            key["feedback"][name] = answers[0].feedback
    for answer in question.answers:
        if answer.percent < 100 and answer.text != "*":
            _anticipate(key, answer, lost)
    return {"key": key}


def _anticipate(key: Raw, answer: Answer, lost: list[str]) -> None:
    wrong = _number(answer.text)
    if not answer.feedback.strip():
        lost.append(f"the wrong number {answer.text} has no feedback, so it is left out")
    elif abs(wrong - key["value"]) <= key["tolerance"] or wrong in [known["value"] for known in key["anticipated"]]:
        lost.append(f"the wrong number {answer.text} is also right, or stands there twice; it is left out")
    else:
        key["anticipated"].append({"value": wrong, "feedback": answer.feedback})
        if answer.percent > 0:
            lost.append(f"the number {answer.text} is worth a part of the mark; here it counts as wrong")


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        raise _UnfitError(f"{text!r} is no number") from None
    if not math.isfinite(number):
        raise _UnfitError(f"{text!r} is no number")
    return int(number) if number.is_integer() and abs(number) < 1e15 else number


def _take_tags(item: Raw, tags: Iterable[str], lost: list[str]) -> None:
    """Read the tags that an export writes; others are told, as a bank has no tags."""
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
        lost.append(f"tags are not kept: {', '.join(others)}")


def _id(name: str) -> str:
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:50].strip("-")
    return name if re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name) and len(name) <= 60 else slug or "question"


def _unused(wanted: str, taken: set[str]) -> str:
    number, found = 2, wanted
    while found in taken:
        found, number = f"{wanted[:50].rstrip('-')}-{number}", number + 1
    return found


# What neither Moodle nor GIFT has a field for, and whether an item has it.
NOT_CARRIED: dict[str, Callable[[Item], bool]] = {
    "objective": lambda item: bool(item.objective),
    "misconceptions": lambda item: any(_misconceptions(item)),
    "claims and checks": lambda item: item.check is not None,
    "link into the app": lambda item: item.live is not None,
    "prerequisites": lambda item: bool(item.prereq),
    "enemies": lambda item: bool(item.enemies),
    "pictures": lambda item: bool(item.media),
}


def _misconceptions(item: Item) -> list[str | None]:
    anticipated = item.numeric.anticipated if item.numeric else ()
    return [*(option.misconception for option in item.options), *(wrong.misconception for wrong in anticipated)]


def to_question(item: Item) -> Question:
    """Return an item as a question: code goes to the end of the stem, sources to the end of the explanation."""
    code = f"\n\n```python\n{item.code}\n```" if item.code else ""
    return Question(
        kind=item.type,
        name=item.id,
        stem=item.stem + code,
        answers=_numbers(item.numeric) if item.numeric else _options(item),
        topic=item.topic,
        explanation="\n\n".join(filter(None, [item.explanation, sources_list(item.sources)])),
        hints=item.hints,
        tags=tuple(_tags(item)),
    )


def not_carried(items: Iterable[Item]) -> dict[str, int]:
    """Return what is lost on the way, and in how many items."""
    return dict(Counter(name for item in items for name, has in NOT_CARRIED.items() if has(item)))


def sources_list(sources: Iterable[Source]) -> str:
    """Return the sources as a list in Markdown, empty if there is none."""
    lines = [f"- [{source.cite}]({source.url}), {source.loc}" for source in sources]
    return "\n".join(["Sources:\n", *lines]) if lines else ""


def _options(item: Item) -> tuple[Answer, ...]:
    """Return the options: right ones share the mark; of several choices, wrong ones take as much away."""
    right = len(item.correct_options)
    wrong = len(item.options) - right
    penalty = -100 / wrong if item.type == "multi" else 0.0
    return tuple(
        Answer(option.text, 100 / right if option.correct else penalty, option.feedback) for option in item.options
    )


def _numbers(key: Numeric) -> tuple[Answer, ...]:
    wrong = (Answer(repr(each.value), 0, each.feedback, key.tolerance) for each in key.anticipated)
    return (Answer(repr(key.value), 100, key.right, key.tolerance), *wrong, Answer("*", 0, key.wrong))


def _tags(item: Item) -> Iterable[str]:
    fields = {"bloom": item.bloom, "difficulty": item.difficulty, "convention": item.convention}
    fields |= {"version": item.version, "status": item.status, "blueprint": item.blueprint}
    fields["unit"] = item.numeric.unit if item.numeric else ""
    yield from (f"{name}: {value}" for name, value in fields.items() if value)
    if item.negative:
        yield "negative"
