"""Validation of answer banks, with messages for teachers.

The JSON Schema beside this module describes the structure of the file. This module checks the rules that a schema
cannot express.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path
from textwrap import shorten
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from .errors import BankError, counted

_SCHEMA = Path(__file__).parent / "answer_bank.schema.json"
ARRANGED = ("order", "match")
"""The types of items whose options are put in order, or matched with prompts."""
NUMBERS = ("numeric", "slider")
"""The types of items whose answer is a number, typed or computed from sliders."""
MOST_FAULTS = 1_000
"""Faults of structure that are looked for, so that a hostile file does not take minutes."""
_TYPE_NAMES = {
    "string": "a text", "array": "a list in [ ]", "object": "an object in { }", "integer": "a whole number",
    "number": "a number",
}  # fmt: skip
_A_BANK = 'a bank is an object such as {"schema_version": "1.0", "items": [ ... ]}'


@dataclass(frozen=True)
class Fault:
    """A fault of a bank.

    Attributes:
        text: The fault as a sentence.
        item_id: The item at fault, or None if the fault concerns the whole file.
        near: A word that stands near the fault in the file, or None.
        path: Names and positions that lead from the item, or the file, to a fault of its structure.
    """

    text: str
    item_id: str | None = None
    near: str | None = None
    path: tuple[str | int, ...] = ()


def read_text(path: Path) -> str:
    """Return the text of a file.

    Raises:
        BankError: If the file cannot be read or is not UTF-8.
    """
    try:
        # utf-8-sig drops the byte order mark that editors on Windows write.
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise BankError(f"{path} cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise BankError(f"{path} is not UTF-8 text ({error.reason} at byte {error.start})") from error


def parse_json(text: str, path: Path) -> Any:
    """Return the JSON value of a text; the path is used in messages only.

    Raises:
        BankError: If the text is not JSON; the message gives the line.
    """
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise BankError(f"{path} is not JSON (line {error.lineno}: {error.msg})") from error
    except ValueError as error:  # Python refuses to read an integer of more than 4,300 digits
        raise BankError(f"{path} has a number that cannot be read: it is too long, or NaN or Infinity") from error
    except RecursionError as error:
        raise BankError(f"{path} is nested too deeply") from error


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


def allowed_values(name: str) -> list[str]:
    """Return the values that a field of an item may have, such as the types of items."""
    return list(_read_schema()["$defs"]["item"]["properties"][name]["enum"])


def find_faults(data: Any) -> Iterator[Fault]:
    """Yield the faults for which a bank is refused.

    Faults of structure come from the schema, at most `MOST_FAULTS` of them. The other rules are checked only if there
    are none.
    """
    malformed = False
    errors = islice(_validator().iter_errors(data), MOST_FAULTS)
    in_order = sorted(errors, key=lambda error: list(map(str, error.absolute_path)))
    # Two parts of the schema may say the same of a field.
    for fault in dict.fromkeys(_describe_schema_error(error, data) for error in in_order):
        malformed = True
        yield fault
    if malformed:
        return
    items, full = data["items"], data.get("demands") != "basic"
    explained = data.get("misconceptions", {})
    for item_id in _repeated(raw["id"] for raw in items):
        yield Fault("the id is used by more than one item", item_id)
    yield from _ladder_faults(data)
    ids = {raw["id"] for raw in items}
    for raw in items:
        if raw["type"] in NUMBERS:
            faults = _numeric_faults(raw)
        else:
            faults = _arrangement_faults(raw) if raw["type"] in ARRANGED else _choice_faults(raw, full)
        for text, near in [
            *faults,
            *_misconception_faults(raw, explained),
            *_parameter_faults(raw),
            *_link_faults(raw, ids),
            *_live_faults(raw),
        ]:
            yield Fault(text, raw["id"], near)


def _ladder_faults(data: dict[str, Any]) -> Iterator[Fault]:
    ladder = data.get("ladder", [])
    for name in _repeated(level["name"] for level in ladder):
        yield Fault(f"ladder: the level {name!r} is named more than once", near="ladder")
    topics = [topic for level in ladder for topic in level["topics"]]
    for topic in _repeated(topics):
        yield Fault(f"ladder: the topic {topic!r} is named more than once", near="ladder")


@cache
def _validator() -> Draft202012Validator:
    return Draft202012Validator(_read_schema())


@cache
def _read_schema() -> Any:
    return json.loads(_SCHEMA.read_text(encoding="utf-8"))


def _describe_schema_error(error: ValidationError, data: Any) -> Fault:
    item_id, path = None, list(error.absolute_path)
    if path[:1] == ["items"] and len(path) > 1:
        raw = data["items"][path[1]]
        given_id = raw.get("id") if isinstance(raw, dict) else None
        item_id = given_id if given_id and isinstance(given_id, str) else f"number {int(path[1]) + 1}"
        path = path[2:]
    text = shorten(_explain_schema_error(error), 240, placeholder=" ...")
    if not error.absolute_path and error.validator == "type":
        text = f"{_A_BANK}, but the file has {_show(data)}"
    near = str(path[-1]) if path else None
    return Fault(f"{locate(path)}: {text}" if path else text, item_id, near, tuple(path))


def locate(path: Sequence[str | int]) -> str:
    """Return a path in words: "key.correct", or "options, entry 2, text" for the second entry of a list."""
    words = [f", entry {step + 1}, " if isinstance(step, int) else f".{step}" for step in path]
    return "".join(words).replace(" .", " ").strip(" ,.")


def _explain_schema_error(error: ValidationError) -> str:
    """Return the fault in plain English, with the schema's description of what the field should contain."""
    expected: Any = error.validator_value
    schema: Any = error.schema
    instance: Any = error.instance
    given = _show(instance)
    match error.validator:
        case "required":
            # Only the message of an error names the missing field.
            return f"the field {next(name for name in expected if error.message.startswith(repr(name)))!r} is missing"
        case "dependentRequired":
            needed, needing = re.findall(r"'(\w+)'", error.message)
            return f"the field {needed!r} is missing, which {needing!r} needs"
        case "additionalProperties":
            known, patterns = schema["properties"], schema.get("patternProperties", {})
            is_known = re.compile("|".join([*(f"^{name}$" for name in known), *patterns])).search
            unknown = next(name for name in instance if not is_known(name))
            others = "" if patterns else f"; the fields are {', '.join(known)}"
            return f"the field {unknown!r} does not exist{others}"
        case "not":
            return "this field does not belong here"
        case "enum":
            return f"{given} should be one of {', '.join(map(str, expected))}"
        case "const":
            return f"{given} should be {_show(expected)}"
        case "type":
            names = [expected] if isinstance(expected, str) else expected
            return f"{given} should be {' or '.join(_TYPE_NAMES[name] for name in names)}"
        case "minItems":
            entries = "1 entry" if len(instance) == 1 else f"{len(instance)} entries"
            return f"{entries}, but {expected} or more are needed"
        case "minProperties":
            return "this object is empty"
        case "maxItems":
            return f"{len(instance)} entries, but at most {expected} are allowed"
        case "maxLength":
            return f"{len(instance):,} characters, but at most {expected:,} are allowed"
        case "minLength":
            return f"{counted(len(instance), 'character')}, but {expected} or more are needed"
        case "minimum" | "maximum" if "minimum" in schema and "maximum" in schema:
            return f"{given} should be from {schema['minimum']} to {schema['maximum']}"
        case "minimum":
            return f"{given} should be {expected} or more"
        case "exclusiveMinimum":
            return f"{given} should be more than {expected}"
        case "uniqueItems":
            return f"{given} has an entry more than once"
    if isinstance(instance, str) and not instance.strip():
        return f"this is empty; it should be {schema.get('description', 'a text')}"
    return f"{given} should be {schema['description']}" if "description" in schema else error.message


def _show(value: Any) -> str:
    """Return a value as messages name it."""
    if value and isinstance(value, dict | list):
        return "this object" if isinstance(value, dict) else "this list"
    return shorten(repr(value), 60, placeholder="...'") if isinstance(value, str) else json.dumps(value)


_Faults = Iterator[tuple[str, str | None]]


def _option_faults(raw: dict[str, Any]) -> _Faults:
    oids = [option["oid"] for option in raw["options"]]
    for oid in _repeated(oids):
        yield f"option id {oid!r} is used more than once", oid
    for text in _repeated(option["text"] for option in raw["options"]):
        yield f"option text {text!r} is used more than once", "options"
    for option in raw["options"] if "fn" in raw.get("check", {}) else ():
        if "claim" not in option:
            yield f"option {option['oid']!r} lacks a claim, which the check needs", option["oid"]


def _arrangement_faults(raw: dict[str, Any]) -> _Faults:
    yield from _option_faults(raw)
    correct, prompts = raw["key"]["correct"], raw.get("prompts", [])
    oids = {option["oid"] for option in raw["options"]}
    for oid in sorted(set(correct) - oids):
        yield f"key.correct names {oid!r}, but no option has this id", oid
    if raw["type"] == "order" and sorted(correct) != sorted(oids):
        yield "the correct order must name every option once", "correct"
    if raw["type"] == "match" and len(correct) != len(prompts):
        yield f"there are {len(prompts)} prompts, but {len(correct)} correct options", "correct"
    for text in _repeated(prompt["text"] for prompt in prompts):
        yield f"prompt {text!r} is used more than once", "prompts"
    if "fn" in raw.get("check", {}) and not all("claim" in prompt for prompt in prompts):
        yield "a prompt lacks a claim, which the check needs", "prompts"


def _choice_faults(raw: dict[str, Any], full: bool) -> _Faults:
    yield from _option_faults(raw)
    key = raw["key"]
    oids = [option["oid"] for option in raw["options"]]
    correct = set(key["correct"])
    if raw["type"] == "single" and len(key["correct"]) != 1:
        yield f"a single-choice item has exactly one correct option, not {len(key['correct'])}", "correct"
    if len(correct) == len(oids):
        yield "every option is correct, so there is nothing to choose", "correct"
    feedback, misconceptions = set(key.get("feedback", {})), set(key.get("misconception", {}))
    for name, given in (("correct", correct), ("feedback", feedback), ("misconception", misconceptions)):
        for oid in sorted(given.difference(oids)):
            yield f"key.{name} names {oid!r}, but no option has this id", oid
    for oid in sorted(correct & misconceptions & set(oids)):
        yield f"option {oid!r} is correct, so it cannot have a misconception", oid
    for oid in oids if full else ():
        if oid not in feedback:
            yield f"option {oid!r} lacks feedback", oid
        if oid not in correct | misconceptions:
            yield f"option {oid!r} lacks a misconception", oid


def _numeric_faults(raw: dict[str, Any]) -> _Faults:
    key = raw["key"]
    for wrong in key.get("anticipated", []):
        if abs(wrong["value"] - key["value"]) <= key.get("tolerance", 0):
            yield f"the anticipated wrong number {wrong['value']} is within the tolerance of the key", "anticipated"
    for value in _repeated(str(wrong["value"]) for wrong in key.get("anticipated", [])):
        yield f"the wrong number {value} is anticipated more than once", "anticipated"


def _misconception_faults(raw: dict[str, Any], explained: Mapping[str, str]) -> _Faults:
    key = raw["key"]
    named = key.get("misconception", {})
    used = [
        *([named] if isinstance(named, str) else named.values()),
        *(wrong.get("misconception") for wrong in key.get("anticipated", [])),
    ]
    for name in filter(None, used):
        if explained and name not in explained:
            yield f"the misconception {name!r} is not among those that the bank puts right", name


def _parameter_faults(raw: dict[str, Any]) -> _Faults:
    parameters, example = raw.get("parameters", {}), raw.get("example", {})
    for name in sorted(parameters.keys() ^ example.keys()):
        yield f"the parameter {name!r} needs values and an example", name


def _link_faults(raw: dict[str, Any], ids: set[str]) -> _Faults:
    for field in ("prereq", "enemies"):
        for other in raw.get(field, []):
            if other not in ids:
                yield f"{field} names {other!r}, but no item has this id", other
            elif other == raw["id"]:
                yield f"{field} names the item itself", field


def _live_faults(raw: dict[str, Any]) -> _Faults:
    live = raw.get("live", {})
    required, forbidden = ("text", "panel") if live.get("tab") == "sentiment" else ("panel", "text")
    if live and required not in live:
        yield f"live: the tab {live['tab']!r} needs a {required}", "live"
    if forbidden in live:
        yield f"live: the tab {live['tab']!r} must not have a {forbidden}", "live"
    if "values" in live and "panel" not in live:
        yield "live: values need the panel that opens with them", "live"
    if "token" in live and "text" not in live:
        yield "live: a token needs the text that contains it", "live"


def _repeated(values: Iterable[str]) -> list[str]:
    return [value for value, count in Counter(values).items() if count > 1]
