"""The form of the question editor: a question as the fields of a form and back, and the linter's messages by field.

    fields = to_fields(raw)                     # {"stem": "Which ...?", "option-0": "The update gate", ...}
    raw = read_question(fields, raw)            # the same question; parts without a field are kept as they are
    messages = find_messages(bank, raw)         # {"stem": ["the stem contains 'not': ..."], "option-1": [...]}

A question is an item of a bank's JSON value, which may be incomplete while it is written. Options, anticipated numbers
and sources are rows of fields, whose names end with the position of the row; beyond `MAX_ROWS`, they are kept. A row of
a question to match has a prompt and the option that matches it; the rows of a question to order are in the right order.
"""

import math
import re
from collections.abc import Mapping, Sequence
from string import ascii_lowercase
from typing import Any

from .bank import find_bank_faults
from .lint import find_problems
from .validation import ARRANGED, Fault, locate

RawItem = dict[str, Any]
Fields = Mapping[str, str]
"""The fields of a form, by name. A checkbox is a field if it is checked."""

TYPES = {
    "single": "one option is right", "multi": "one or more options are right", "numeric": "a number",
    "order": "options in the right order", "match": "an option for each prompt",
}  # fmt: skip
"""The types that the form can edit, with what a learner answers."""
MAX_ROWS = 15
"""As many as a question to match can need: six prompts with the same option, and nine other options."""
MAX_HINTS = 2
_TEXTS = ("topic", "stem", "code", "explanation", "objective", "bloom", "convention", "status")
_NUMBERS = ("version", "difficulty")
_SOURCE = ("cite", "loc", "url")
_NUMBER_ROW = ("number", "number-feedback")
_OPTION_ROW = ("oid", "option", "correct", "feedback", "misconception", "prompt", "prompt-was")
_FEEDBACK = ("right", "wrong")
_FILLED = {"order": ("option",), "match": ("option", "prompt")}
"""For each type the fields of which one is filled in a row that has an option; for the others `_CHOICE_FILLED`."""
_CHOICE_FILLED = ("option", "feedback", "correct")
_MISSING = re.compile(r"the field '(?P<name>\w+)' is missing")
_OPTION = re.compile(r"\boption '(\w+)'")
# The field for a name in a fault; names of the key depend on the type.
_PLACES = {name: name for name in (*_TEXTS, *_NUMBERS, *_FEEDBACK, "type", "hints", "sources", "negative")}
_PLACES |= {"value": "value", "tolerance": "tolerance", "unit": "unit", "prompts": "options"}
_CHOICE_PLACES = dict.fromkeys(("options", "key", "correct", "feedback", "misconception"), "options")
_ARRANGED_PLACES = {"key": "right", "feedback": "right", "misconception": "misconception", "options": "options"}
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
        for number, entry in enumerate(key.get("anticipated", [])):
            fields[f"number-{number}"] = _show(entry.get("value", entry.get("claim")))
            fields[f"number-feedback-{number}"] = entry.get("feedback", "")
            fields[f"number-misconception-{number}"] = entry.get("misconception", "")
    if raw.get("type") in ("numeric", *ARRANGED):
        fields |= {name: key.get("feedback", {}).get(name, "") for name in _FEEDBACK}
    if raw.get("type") in ARRANGED:
        return fields | _arrangement_fields(raw, key)
    for number, option in enumerate(raw.get("options", [])):
        oid = option["oid"]
        fields |= {f"oid-{number}": oid, f"option-{number}": option["text"]}
        fields[f"feedback-{number}"] = key.get("feedback", {}).get(oid, "")
        fields[f"misconception-{number}"] = key.get("misconception", {}).get(oid, "")
        if oid in key.get("correct", []):
            fields[f"correct-{number}"] = "on"
    return fields


def locked_fields(base: Mapping[str, Any]) -> dict[str, str]:
    """Return the fields that the form only shows: of a question with parameters, the formulas of the key."""
    shown = to_fields(base) if "parameters" in base else {}
    return {name: text for name, text in shown.items() if re.fullmatch(r"value|number-\d+", name)}


def _arrangement_fields(raw: Mapping[str, Any], key: Mapping[str, Any]) -> dict[str, str]:
    """Return the rows of options in the right order, or after their prompts; then those that are left over."""
    texts = {option["oid"]: option["text"] for option in raw["options"]}
    left_over = [oid for oid in texts if oid not in key["correct"]]
    fields = {"misconception": key.get("misconception", "")}
    for number, oid in enumerate([*key["correct"], *left_over]):
        fields |= {f"oid-{number}": oid, f"option-{number}": texts[oid]}
    for number, prompt in enumerate(raw.get("prompts", [])):
        fields |= {f"prompt-{number}": prompt["text"], f"prompt-was-{number}": prompt["text"]}
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
    readers = {"numeric": _read_numeric_key} | dict.fromkeys(ARRANGED, _read_arrangement_key)
    raw["key"] = readers.get(raw["type"], _read_choice_key)(fields, raw, old_key, drops_proof)
    if raw["type"] != "match":
        raw.pop("prompts", None)
    hints = [text for number in range(MAX_HINTS) if (text := _read_text(fields, f"hint-{number}"))]
    _put(raw["key"], "hints", hints, not old_key or "hints" in old_key)
    return raw


def _read_choice_key(fields: Fields, raw: RawItem, old_key: Mapping[str, Any], drops_proof: bool) -> dict[str, Any]:
    """Return the key of a choice, and set the options of the question."""
    rows = _option_rows(fields, raw["type"])
    raw["options"] = [_read_option(fields, row, oid, raw, drops_proof) for row, oid in rows.items()]
    key = dict(old_key) | {"correct": [oid for row, oid in rows.items() if f"correct-{row}" in fields]}
    for name in ("feedback", "misconception"):
        texts = {oid: text for row, oid in rows.items() if (text := _read_text(fields, f"{name}-{row}"))}
        _put(key, name, texts, not old_key or name in old_key)
    return key


def _read_arrangement_key(
    fields: Fields, raw: RawItem, old_key: Mapping[str, Any], drops_proof: bool
) -> dict[str, Any]:
    """Return the key of options to order or to match, and set the options and prompts of the question."""
    old_prompts = {prompt["text"]: prompt for prompt in raw.get("prompts", [])}
    positions = {option["oid"]: position for position, option in enumerate(raw.get("options", []))}
    options, prompts = dict[str, RawItem](), list[RawItem]()
    correct, matched = list[str](), dict[str, str]()
    for row, oid in _option_rows(fields, raw["type"]).items():
        option, prompt = _read_option(fields, row, oid, raw, drops_proof), _read_text(fields, f"prompt-{row}")
        if raw["type"] == "match" and prompt:
            # Prompts with the same option repeat its text.
            option = options[matched[option["text"]]] if option["text"] in matched else option
            if option["text"]:
                matched[option["text"]] = option["oid"]
            prompts.append(old_prompts.get(fields.get(f"prompt-was-{row}", ""), {}) | {"text": prompt})
        if raw["type"] == "order" or prompt:
            correct.append(option["oid"])
        options[option["oid"]] = option
    raw["options"] = sorted(options.values(), key=lambda option: positions.get(option["oid"], len(positions)))
    raw["prompts"] = [_without_claim(prompt) for prompt in prompts] if drops_proof else prompts
    key = dict(old_key) | {"correct": correct}
    _read_feedback(fields, key, old_key)
    _put(key, "misconception", _read_text(fields, "misconception"))
    return key


def _option_rows(fields: Fields, kind: str) -> dict[int, str]:
    """Return the rows that have an option, with its id: the one that is given, or an unused letter."""
    rows = _filled_rows(fields, *_FILLED.get(kind, _CHOICE_FILLED))
    ids: dict[int, str] = {}
    for row in rows:
        given = fields.get(f"oid-{row}", "")
        ids[row] = "" if given in ids.values() else given
    unused = (letter for letter in ascii_lowercase if letter not in ids.values())
    return {row: oid or next(unused) for row, oid in ids.items()}


def _read_option(fields: Fields, row: int, oid: str, raw: RawItem, drops_proof: bool) -> RawItem:
    """Return the option of a row, with the claim of the option that has had its id."""
    before: RawItem = next((option for option in raw.get("options", []) if option["oid"] == oid), {})
    option = before | {"oid": oid, "text": _read_text(fields, f"option-{row}")}
    return _without_claim(option) if drops_proof else option


def _without_claim(part: RawItem) -> RawItem:
    return {name: value for name, value in part.items() if name != "claim"}


def _read_feedback(fields: Fields, key: RawItem, old_key: Mapping[str, Any]) -> None:
    """Set the feedback on the right answer and on any other."""
    feedback = {name: text for name in _FEEDBACK if (text := _read_text(fields, name))}
    _put(key, "feedback", feedback, not old_key or "feedback" in old_key)


def _read_numeric_key(fields: Fields, raw: RawItem, old_key: Mapping[str, Any], drops_proof: bool) -> dict[str, Any]:
    """Return the key of a number, and remove the options of the question."""
    raw.pop("options", None)
    key, is_new = dict(old_key), not old_key
    if "parameters" not in raw:
        _put(key, "value", _read_number(_read_text(fields, "value")))
    _put(key, "tolerance", _read_number(_read_text(fields, "tolerance")))
    _put(key, "unit", _read_text(fields, "unit"))
    _read_feedback(fields, key, old_key)
    old = old_key.get("anticipated", [])
    rows = _filled_rows(fields, *_NUMBER_ROW)
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
    rows = _filled_rows(fields, *_SOURCE)
    read = [{name: _read_text(fields, f"{name}-{row}") for name in _SOURCE} for row in rows]
    return [*read, *old[MAX_ROWS:]]


def _filled_rows(fields: Fields, *names: str) -> list[int]:
    """Return the rows in which one of the fields with these names has a text."""
    return [row for row in range(MAX_ROWS) if any(fields.get(f"{name}-{row}", "").strip() for name in names)]


def move_up(fields: Fields, row: int) -> dict[str, str]:
    """Return the fields with the option of a row, and all that belongs to it, above that of the row before."""
    other = {row: row - 1, row - 1: row}
    names = {f"{name}-{one}": f"{name}-{two}" for name in _OPTION_ROW for one, two in other.items()}
    return {names.get(name, name): text for name, text in fields.items()}


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


def find_messages(bank: Mapping[str, Any], raw: Mapping[str, Any], fields: Fields) -> dict[str, list[str]]:
    """Return the linter's messages on a question, by the field or row that they concern, "" for the question.

    Args:
        bank: The JSON value of the bank, whose requirements and misconceptions hold.
        raw: The question. It is checked by itself: its links to other questions are not.
        fields: The form that it was read from, or that shows it.
    """
    rows = {oid: row for row, oid in _option_rows(fields, raw["type"]).items() if "options" in raw}
    messages: dict[str, list[str]] = {}
    for fault in find_problems(_bank_of_one(bank, raw)):
        # The number of places is that of the options or prompts, on which there is a message, too.
        if raw["type"] not in ARRANGED or fault.path != ("key", "correct"):
            field = _place(fault, raw, fields, rows)
            messages.setdefault(field, []).append(_describe(fault, field, rows))
    return messages


def is_complete(bank: Mapping[str, Any], raw: Mapping[str, Any]) -> bool:
    """Return whether the quiz would accept a question by itself; the linter may still advise against it."""
    return not any(find_bank_faults(_bank_of_one(bank, raw)))


def _bank_of_one(bank: Mapping[str, Any], raw: Mapping[str, Any]) -> dict[str, Any]:
    alone = {name: value for name, value in raw.items() if name not in ("prereq", "enemies")}
    return {name: value for name, value in bank.items() if name != "ladder"} | {"items": [alone]}


def _describe(fault: Fault, field: str, rows: Mapping[str, int]) -> str:
    """Return the text of a fault; of the path to it, only what the field beside it does not tell."""
    if not fault.path:
        return _OPTION.sub(lambda found: f"option {rows[found[1]] + 1}" if found[1] in rows else found[0], fault.text)
    path = fault.path[:-1] if field.startswith("option-") and fault.path[0] == "key" else fault.path  # not its id
    name, text = path[-1], fault.text.removeprefix(f"{locate(fault.path)}: ")
    return text if name in (field, "text", "value") or _MISSING.match(text) else f"{name}: {text}"


def _place(fault: Fault, raw: Mapping[str, Any], fields: Fields, rows: Mapping[str, int]) -> str:
    """Return the name of the field or row beside which a fault of a question is shown, or "" for the question.

    Args:
        fault: The fault.
        raw: The question.
        fields: The form that it was read from.
        rows: For each id of an option its row in the form.
    """
    path = fault.path
    match path:
        case ("options", int(position), *_):
            return f"option-{rows[raw['options'][position]['oid']]}"
        case ("prompts", int(position), *_):
            return f"option-{_filled_rows(fields, 'prompt')[position]}"
        case ("key", "anticipated", int(position), *_):
            filled = _filled_rows(fields, *_NUMBER_ROW)
            return f"number-{filled[position]}" if position < len(filled) else "numbers"
    of_type = {"numeric": _NUMBER_PLACES} | dict.fromkeys(ARRANGED, _ARRANGED_PLACES)
    places = _PLACES | of_type.get(raw["type"], _CHOICE_PLACES)
    missing = [found["name"]] if (found := _MISSING.search(fault.text)) else []
    words = [*missing, *map(str, reversed(path)), fault.near or "", *re.findall(r"'(\w+)'", fault.text)]
    for word in words:
        if word in rows:
            return f"option-{rows[word]}"
        if word in places:
            return places[word]
    return places["misconception"] if fault.text.startswith("the misconception") else ""


def count_rows(fields: Fields, name: str, at_least: int) -> int:
    """Return the number of rows to show: up to the last one in use, at most `MAX_ROWS`.

    Args:
        fields: The fields.
        name: The name of the rows, such as "option".
        at_least: The smallest number.
    """
    used = [row for row in range(MAX_ROWS) if fields.get(f"{name}-{row}")]
    return min(MAX_ROWS, max(at_least, used[-1] + 1 if used else 0))
