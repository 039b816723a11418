"""The form of the question editor: a question as the fields of a form and back, and the linter's messages by field.

    fields = to_fields(raw)                     # {"stem": "Which ...?", "option-0": "The update gate", ...}
    raw = read_question(fields, raw)            # the same question; parts without a field are kept as they are
    messages = find_messages(bank, raw)         # {"stem": ["the stem contains 'not': ..."], "option-1": [...]}

A question is an item of a bank's JSON value, which may be incomplete while it is written. Options, anticipated numbers
and sources are rows of fields, whose names end with the position of the row; beyond `MAX_ROWS`, they are kept.
"""

import math
import re
from collections.abc import Mapping, Sequence
from string import ascii_lowercase
from typing import Any

from .bank import find_bank_faults
from .lint import find_problems
from .validation import Fault

RawItem = dict[str, Any]
Fields = Mapping[str, str]
"""The fields of a form, by name. A checkbox is a field if it is checked."""

TYPES = {"single": "one option is right", "multi": "one or more options are right", "numeric": "a number"}
"""The types that the form can edit, with what a learner answers."""
MAX_ROWS = 10
MAX_HINTS = 2
_TEXTS = ("topic", "stem", "code", "explanation", "objective", "bloom", "convention", "status")
_NUMBERS = ("version", "difficulty")
_SOURCE = ("cite", "loc", "url")
_MISSING = re.compile(r"the field '(?P<name>\w+)' is missing")
# The field for a name in a fault; names of the key depend on the type.
_PLACES = {name: name for name in (*_TEXTS, *_NUMBERS, "type", "hints", "sources", "negative")}
_PLACES |= {"value": "value", "tolerance": "tolerance", "unit": "unit", "right": "right", "wrong": "wrong"}
_CHOICE_PLACES = dict.fromkeys(("options", "key", "correct", "feedback", "misconception"), "options")
_NUMBER_PLACES = {"key": "right", "feedback": "right", "anticipated": "numbers", "misconception": "numbers"}


def is_editable(raw: Mapping[str, Any]) -> bool:
    """Return whether the form can edit a question: its type is one of `TYPES`."""
    return raw.get("type") in TYPES


def to_fields(raw: Mapping[str, Any]) -> dict[str, str]:
    """Return the fields of a question, which may be incomplete or empty."""
    key = raw.get("key", {}) if is_editable(raw) else {}
    fields = {name: _show(raw.get(name)) for name in ("id", "type", *_TEXTS, *_NUMBERS)}
    fields |= {f"hint-{number}": hint for number, hint in enumerate(key.get("hints", []))}
    for number, source in enumerate(raw.get("sources", [])):
        fields |= {f"{name}-{number}": source.get(name, "") for name in _SOURCE}
    if raw.get("negative"):
        fields["negative"] = "on"
    if raw.get("type") == "numeric":
        fields |= {name: _show(key.get(name)) for name in ("value", "tolerance", "unit")}
        fields |= {name: key.get("feedback", {}).get(name, "") for name in ("right", "wrong")}
        for number, entry in enumerate(key.get("anticipated", [])):
            fields[f"number-{number}"] = _show(entry.get("value", entry.get("claim")))
            fields[f"number-feedback-{number}"] = entry.get("feedback", "")
            fields[f"number-misconception-{number}"] = entry.get("misconception", "")
    for number, option in enumerate(raw.get("options", [])):
        oid = option["oid"]
        fields |= {f"oid-{number}": oid, f"option-{number}": option["text"]}
        fields[f"feedback-{number}"] = key.get("feedback", {}).get(oid, "")
        fields[f"misconception-{number}"] = key.get("misconception", {}).get(oid, "")
        if oid in key.get("correct", []):
            fields[f"correct-{number}"] = "on"
    return fields


def read_question(fields: Fields, base: Mapping[str, Any]) -> RawItem:
    """Return the question of a form.

    Args:
        fields: The fields; an empty text removes what it stood for, and an empty row its option, number or source.
        base: The question as it was, or an empty one. Parts without a field are kept: its id, pictures, links, and
            its proof unless the field "drop-proof" is set. Of a question with parameters, the type and the formulas of
            the key are kept, too.
    """
    raw, is_new, drops_proof = dict(base), not base, "drop-proof" in fields
    if "parameters" not in base:
        raw["type"] = fields.get("type", "single")
    for name in _TEXTS:
        _put(raw, name, _read_text(fields, name))
    for name in _NUMBERS:
        _put(raw, name, _read_number(_read_text(fields, name)))
    _put(raw, "negative", "negative" in fields)
    _put(raw, "sources", _read_sources(fields, base.get("sources", [])), is_new or "sources" in base)
    if drops_proof:
        raw.pop("check", None)
    old_key = base.get("key", {}) if base.get("type") == raw["type"] else {}
    read_key = _read_numeric_key if raw["type"] == "numeric" else _read_choice_key
    raw["key"] = read_key(fields, raw, old_key, drops_proof)
    hints = [text for number in range(MAX_HINTS) if (text := _read_text(fields, f"hint-{number}"))]
    _put(raw["key"], "hints", hints, not old_key or "hints" in old_key)
    return raw


def _read_choice_key(fields: Fields, raw: RawItem, old_key: Mapping[str, Any], drops_proof: bool) -> dict[str, Any]:
    """Return the key of a choice, and set the options of the question."""
    old = {option["oid"]: option for option in raw.get("options", [])}
    rows = [row for row in range(MAX_ROWS) if _is_filled(fields, row, "option", "feedback", "correct")]
    oids = _make_ids([fields.get(f"oid-{row}", "") for row in rows])
    raw["options"] = [
        old.get(oid, {}) | {"oid": oid, "text": _read_text(fields, f"option-{row}")}
        for oid, row in zip(oids, rows, strict=True)
    ]
    if drops_proof:
        for option in raw["options"]:
            option.pop("claim", None)
    correct = [oid for oid, row in zip(oids, rows, strict=True) if f"correct-{row}" in fields]
    key = dict(old_key) | {"correct": correct}
    for name in ("feedback", "misconception"):
        texts = {oid: _read_text(fields, f"{name}-{row}") for oid, row in zip(oids, rows, strict=True)}
        _put(key, name, {oid: text for oid, text in texts.items() if text}, not old_key or name in old_key)
    return key


def _read_numeric_key(fields: Fields, raw: RawItem, old_key: Mapping[str, Any], drops_proof: bool) -> dict[str, Any]:
    """Return the key of a number, and remove the options of the question."""
    raw.pop("options", None)
    key, is_new = dict(old_key), not old_key
    if "parameters" not in raw:
        _put(key, "value", _read_number(_read_text(fields, "value")))
    _put(key, "tolerance", _read_number(_read_text(fields, "tolerance")))
    _put(key, "unit", _read_text(fields, "unit"))
    feedback = {name: text for name in ("right", "wrong") if (text := _read_text(fields, name))}
    _put(key, "feedback", feedback, is_new or "feedback" in old_key)
    old = old_key.get("anticipated", [])
    rows = [row for row in range(MAX_ROWS) if _is_filled(fields, row, "number", "number-feedback")]
    if "parameters" in raw:
        rows = list(range(min(len(old), MAX_ROWS)))
    entries = []
    for row in rows:
        before = old[row] if row < len(old) else {}
        value = _read_number(_read_text(fields, f"number-{row}"))
        keeps_claim = "parameters" in raw or (before.get("value") == value and not drops_proof)
        entry = {name: before[name] for name in ("value", "claim") if name in before} if keeps_claim else {}
        entry |= {} if keeps_claim else {"value": value}
        entry["feedback"] = _read_text(fields, f"number-feedback-{row}")
        _put(entry, "misconception", _read_text(fields, f"number-misconception-{row}"))
        entries.append(entry)
    _put(key, "anticipated", [*entries, *old[MAX_ROWS:]], is_new or "anticipated" in old_key)
    return key


def _read_sources(fields: Fields, old: Sequence[dict[str, str]]) -> list[dict[str, str]]:
    rows = [row for row in range(MAX_ROWS) if _is_filled(fields, row, *_SOURCE)]
    read = [{name: _read_text(fields, f"{name}-{row}") for name in _SOURCE} for row in rows]
    return [*read, *old[MAX_ROWS:]]


def _is_filled(fields: Fields, row: int, *names: str) -> bool:
    return any(fields.get(f"{name}-{row}", "").strip() for name in names)


def _make_ids(given: Sequence[str]) -> list[str]:
    """Return the ids of options: those that are given, and unused letters for the empty ones."""
    unused = (letter for letter in ascii_lowercase if letter not in given)
    return [oid or next(unused) for oid in given]


def _read_text(fields: Fields, name: str) -> str:
    return fields.get(name, "").replace("\r\n", "\n").strip()


def _read_number(text: str) -> int | float | str:
    """Return the number of a text, or the text if it is none, which the linter then reports."""
    if re.fullmatch(r"[+-]?[0-9]{1,15}", text):
        return int(text)
    try:
        number = float(text)
    except ValueError:
        return text
    return number if math.isfinite(number) else text


def _show(value: Any) -> str:
    return "" if value is None else str(value)


def _put(target: dict[str, Any], name: str, value: Any, keep_empty: bool = False) -> None:
    """Set an entry, or remove it if its value is an empty text or collection or False."""
    if keep_empty or not (value == "" or value == [] or value == {} or value is False):
        target[name] = value
    else:
        target.pop(name, None)


def find_messages(bank: Mapping[str, Any], raw: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the linter's messages on a question, by the field or row that they concern, "" for the question.

    Args:
        bank: The JSON value of the bank, whose requirements and misconceptions hold.
        raw: The question. It is checked by itself: its links to other questions are not.
    """
    messages: dict[str, list[str]] = {}
    for fault in find_problems(_bank_of_one(bank, raw)):
        field = place(fault, raw)
        messages.setdefault(field, []).append(_describe(fault, field))
    return messages


def is_complete(bank: Mapping[str, Any], raw: Mapping[str, Any]) -> bool:
    """Return whether the quiz would accept a question by itself; the linter may still advise against it."""
    return not any(find_bank_faults(_bank_of_one(bank, raw)))


def _bank_of_one(bank: Mapping[str, Any], raw: Mapping[str, Any]) -> dict[str, Any]:
    alone = {name: value for name, value in raw.items() if name not in ("prereq", "enemies")}
    return {name: value for name, value in bank.items() if name != "ladder"} | {"items": [alone]}


def _describe(fault: Fault, field: str) -> str:
    """Return the text of a fault; of the path to it, only what the field beside it does not tell."""
    if not fault.path:
        return fault.text
    path = fault.path[:-1] if field.startswith("option-") and fault.path[0] == "key" else fault.path  # not its id
    name, text = path[-1], fault.text.removeprefix(f"{'.'.join(map(str, fault.path))}: ")
    return text if name in (field, "text", "value") or _MISSING.match(text) else f"{name}: {text}"


def place(fault: Fault, raw: Mapping[str, Any]) -> str:
    """Return the name of the field or row beside which a fault of a question is shown, or "" for the question."""
    path = fault.path
    if path[:1] == ("options",) and len(path) > 1:
        return f"option-{path[1]}"
    if path[:2] == ("key", "anticipated") and len(path) > 2:
        return f"number-{path[2]}"
    oids = [option["oid"] for option in raw.get("options", [])]
    places = _PLACES | (_NUMBER_PLACES if raw["type"] == "numeric" else _CHOICE_PLACES)
    missing = [match["name"]] if (match := _MISSING.search(fault.text)) else []
    words = [*missing, *map(str, reversed(path)), fault.near or "", *re.findall(r"'(\w+)'", fault.text)]
    for word in words:
        if word in oids:
            return f"option-{oids.index(word)}"
        if word in places:
            return places[word]
    return ""


def count_rows(fields: Fields, name: str, at_least: int) -> int:
    """Return the number of rows to show: up to the last one in use, at most `MAX_ROWS`.

    Args:
        fields: The fields.
        name: The name of the rows, such as "option".
        at_least: The smallest number.
    """
    used = [row for row in range(MAX_ROWS) if fields.get(f"{name}-{row}")]
    return min(MAX_ROWS, max(at_least, used[-1] + 1 if used else 0))
