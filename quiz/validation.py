"""What makes a file unfit as an answer bank, found and told in words a teacher understands.

The JSON Schema beside this module holds the shape of the file; what a schema cannot say is said here.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from textwrap import shorten
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

_SCHEMA = Path(__file__).parent / "answer_bank.schema.json"
_KINDS = {"string": "a text", "array": "a list", "object": "an object in {}", "integer": "a whole number"}


class BankError(ValueError):
    """The answer bank cannot be used.

    Attributes:
        item_id: The item at fault, or None if the fault is in the file as a whole.
        fault: What is wrong.
    """

    def __init__(self, fault: str, item_id: str | None = None) -> None:
        """Make the one-line message from the fault and the item it was found in."""
        self.fault = " ".join(fault.split())
        self.item_id = item_id
        super().__init__(f"item {item_id}: {self.fault}" if item_id else f"answer bank: {self.fault}")


@dataclass(frozen=True)
class Fault:
    """Something to put right: in which item (None: in the file as a whole), what, and a word near it in the file."""

    text: str
    item_id: str | None = None
    near: str | None = None


def read_text(path: Path) -> str:
    """Return the text of a bank's file.

    Raises:
        BankError: If it cannot be read, or is not UTF-8.
    """
    try:
        # Editors on Windows like to put a byte order mark first: utf-8-sig drops it.
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise BankError(f"{path} cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise BankError(f"{path} is not UTF-8 text ({error.reason} at byte {error.start})") from error


def parse(text: str, path: Path) -> Any:
    """Return the JSON value of a bank's text.

    Raises:
        BankError: If it is not JSON; the message has the line.
    """
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise BankError(f"{path} is not JSON (line {error.lineno}: {error.msg})") from error
    except RecursionError as error:
        raise BankError(f"{path} is nested too deeply") from error


def find_faults(data: Any) -> Iterator[Fault]:
    """Yield every fault for which a bank is refused: first those of its shape, and only if there is none the others."""
    misshapen = False
    for error in sorted(_validator().iter_errors(data), key=lambda error: list(map(str, error.absolute_path))):
        misshapen = True
        yield _shape_fault(error, data)
    if misshapen:
        return
    items, full = data["items"], data.get("demands") != "basic"
    for item_id in _repeated(raw["id"] for raw in items):
        yield Fault("the id is used by more than one item", item_id)
    ids = {raw["id"] for raw in items}
    for raw in items:
        faults = _numeric_faults(raw) if raw["type"] == "numeric" else _choice_faults(raw, full)
        for text, near in [*faults, *_link_faults(raw, ids), *_live_faults(raw)]:
            yield Fault(text, raw["id"], near)


@cache
def _validator() -> Draft202012Validator:
    return Draft202012Validator(json.loads(_SCHEMA.read_text(encoding="utf-8")))


def _shape_fault(error: ValidationError, data: Any) -> Fault:
    item_id, path = None, list(error.absolute_path)
    if path[:1] == ["items"] and len(path) > 1:
        raw = data["items"][path[1]]
        named = raw.get("id") if isinstance(raw, dict) else None
        item_id, path = str(named or f"number {int(path[1]) + 1}"), path[2:]
    place = ".".join(str(step) for step in path)
    words = shorten(_in_words(error), 240, placeholder=" ...")
    return Fault(f"{place}: {words}" if place else words, item_id, str(path[-1]) if path else None)


def _in_words(error: ValidationError) -> str:
    """Say what the schema found in plain words; what a field should hold is the schema's own description."""
    wanted: Any = error.validator_value
    schema: Any = error.schema
    instance: Any = error.instance
    given = shorten(repr(instance), 60, placeholder="...'")
    match error.validator:
        case "required":
            # One error for each missing field, which only the message names.
            return f"the field {next(name for name in wanted if error.message.startswith(repr(name)))!r} is missing"
        case "additionalProperties":
            known = schema["properties"]
            unknown = next(name for name in instance if name not in known)
            return f"there is no field {unknown!r} here; the fields are {', '.join(known)}"
        case "not":
            return "this field does not belong here"
        case "enum":
            return f"{given} should be one of {', '.join(map(str, wanted))}"
        case "const":
            return f"{given} should be {wanted!r}"
        case "type":
            return f"{given} should be {_KINDS.get(wanted, f'a {wanted}')}"
        case "minItems":
            return f"{len(instance)} entries, but it takes {wanted} or more"
        case "maxItems":
            return f"{len(instance)} entries, but it takes {wanted} at most"
    return f"{given} should be {schema['description']}" if "description" in schema else error.message


_Found = Iterator[tuple[str, str | None]]


def _choice_faults(raw: dict[str, Any], full: bool) -> _Found:
    key = raw["key"]
    oids = [option["oid"] for option in raw["options"]]
    correct = set(key["correct"])
    for oid in _repeated(oids):
        yield f"option id {oid!r} is used more than once", oid
    for text in _repeated(option["text"] for option in raw["options"]):
        yield f"option text {text!r} is used more than once", None
    if raw["type"] == "single" and len(key["correct"]) != 1:
        yield f"a single-choice item has exactly one correct option, not {len(key['correct'])}", "correct"
    if len(correct) == len(oids):
        yield "every option is correct, so there is nothing to choose", "correct"
    yield from _mismatches("the correct answer", correct, correct & set(oids))
    for what, given, possible in [
        ("feedback", set(key.get("feedback", {})), set(oids)),
        ("a misconception", set(key.get("misconception", {})), set(oids) - correct),
    ]:
        yield from _mismatches(what, given, possible if full else possible & given)
    if "fn" in raw.get("check", {}):
        yield from _mismatches("a claim", {option["oid"] for option in raw["options"] if "claim" in option}, set(oids))


def _numeric_faults(raw: dict[str, Any]) -> _Found:
    key = raw["key"]
    for wrong in key.get("anticipated", []):
        if abs(wrong["value"] - key["value"]) <= key.get("tolerance", 0):
            yield f"the anticipated wrong number {wrong['value']} lies within the tolerance of the key", "anticipated"
    for value in _repeated(str(wrong["value"]) for wrong in key.get("anticipated", [])):
        yield f"the wrong number {value} is anticipated more than once", "anticipated"


def _link_faults(raw: dict[str, Any], ids: set[str]) -> _Found:
    for field in ("prereq", "enemies"):
        for other in raw.get(field, []):
            if other not in ids:
                yield f"{field} names {other!r}, but no item has this id", other
            elif other == raw["id"]:
                yield f"{field} names the item itself", field


def _live_faults(raw: dict[str, Any]) -> _Found:
    live = raw.get("live", {})
    wanted, unwanted = ("text", "panel") if live.get("tab") == "sentiment" else ("panel", "text")
    if live and wanted not in live:
        yield f"live: the tab {live['tab']!r} needs a {wanted}", "live"
    if unwanted in live:
        yield f"live: the tab {live['tab']!r} takes no {unwanted}", "live"
    if "token" in live and "text" not in live:
        yield "live: a token needs the text that holds it", "live"


def _repeated(values: Iterable[str]) -> list[str]:
    return [value for value, count in Counter(values).items() if count > 1]


def _mismatches(what: str, found: set[str], wanted: set[str]) -> _Found:
    for oid in sorted(wanted - found):
        yield f"option {oid!r} lacks {what}", oid
    for oid in sorted(found - wanted):
        yield f"{what} is given for {oid!r}, which cannot have it", oid
