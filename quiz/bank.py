"""The answer bank: questions and key, loaded from one JSON file and checked before anyone sees a question.

The JSON Schema beside this module holds the shape of the file. What a schema cannot say, such as that every
option has its feedback, is said here. A bank with a fault is refused whole, with one line naming the item and
the fault.
"""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import shorten
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

_HERE = Path(__file__).parent
_SHIPPED_BANK = _HERE / "answer_bank.json"
_SCHEMA = _HERE / "answer_bank.schema.json"


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
class Option:
    """One option of an item, with everything the key says about it."""

    oid: str
    text: str
    correct: bool
    feedback: str
    misconception: str | None


@dataclass(frozen=True)
class Source:
    """Where the fact behind an item can be read."""

    cite: str
    loc: str
    url: str


@dataclass(frozen=True)
class Item:
    """One question with its key. For the server only: show learners `public_view(item)`."""

    id: str
    blueprint: str
    version: int
    type: str
    topic: str
    objective: str
    bloom: str
    convention: str
    stem: str
    options: tuple[Option, ...]
    explanation: str
    sources: tuple[Source, ...]
    hints: tuple[str, ...]

    @property
    def correct_option(self) -> Option:
        """The option that is right."""
        return next(option for option in self.options if option.correct)


@dataclass(frozen=True)
class Bank:
    """A checked answer bank: at least one item, in the order of the file."""

    items: tuple[Item, ...]


@dataclass(frozen=True)
class PublicOption:
    """What a learner may know of an option before answering."""

    oid: str
    text: str


@dataclass(frozen=True)
class PublicItem:
    """What a learner may know of an item before answering."""

    id: str
    topic: str
    stem: str
    options: tuple[PublicOption, ...]


def public_view(item: Item) -> PublicItem:
    """Return the part of an item that may reach the browser before the answer is in."""
    options = tuple(PublicOption(option.oid, option.text) for option in item.options)
    return PublicItem(item.id, item.topic, item.stem, options)


def load_bank(path: str | Path | None = None) -> Bank:
    """Load and check an answer bank.

    Args:
        path: A JSON file in the format of `answer_bank.schema.json`. The shipped bank if left out.

    Returns:
        The bank, every rule checked.

    Raises:
        BankError: If the file cannot be read, or breaks the schema or a rule.
    """
    data = _read_json(_SHIPPED_BANK if path is None else Path(path))
    _check_schema(data)
    seen: set[str] = set()
    for raw in data["items"]:
        if raw["id"] in seen:
            raise BankError("the id is used by more than one item", raw["id"])
        seen.add(raw["id"])
        for fault in _faults(raw):
            raise BankError(fault, raw["id"])
    return Bank(tuple(_item(raw) for raw in data["items"]))


def _read_json(path: Path) -> Any:
    try:
        # Editors on Windows like to put a byte order mark first: utf-8-sig drops it.
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise BankError(f"{path} cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise BankError(f"{path} is not UTF-8 text ({error.reason} at byte {error.start})") from error
    except json.JSONDecodeError as error:
        raise BankError(f"{path} is not JSON (line {error.lineno}: {error.msg})") from error
    except RecursionError as error:
        raise BankError(f"{path} is nested too deeply") from error


def _check_schema(data: Any) -> None:
    schema = json.loads(_SCHEMA.read_text(encoding="utf-8"))
    error = best_match(Draft202012Validator(schema).iter_errors(data))
    if error is None:
        return
    item_id, path = None, list(error.absolute_path)
    if path[:1] == ["items"] and len(path) > 1:
        raw = data["items"][path[1]]
        named = raw.get("id") if isinstance(raw, dict) else None
        item_id, path = str(named or f"number {int(path[1]) + 1}"), path[2:]
    place = ".".join(str(step) for step in path)
    fault = shorten(error.message, 200, placeholder=" ...")
    raise BankError(f"{place}: {fault}" if place else fault, item_id)


def _faults(raw: dict[str, Any]) -> Iterator[str]:
    """Yield what is wrong with an item that fits the schema."""
    key = raw["key"]
    oids = [option["oid"] for option in raw["options"]]
    correct = set(key["correct"])
    for oid in _repeated(oids):
        yield f"option id {oid!r} is used more than once"
    for text in _repeated(option["text"] for option in raw["options"]):
        yield f"option text {text!r} is used more than once"
    if len(key["correct"]) != 1:
        yield f"a single-choice item has exactly one correct option, not {len(key['correct'])}"
    yield from _mismatches("the correct answer", correct, correct & set(oids))
    yield from _mismatches("feedback", set(key["feedback"]), set(oids))
    yield from _mismatches("a misconception", set(key["misconception"]), set(oids) - correct)


def _repeated(values: Iterator[str] | list[str]) -> list[str]:
    return [value for value, count in Counter(values).items() if count > 1]


def _mismatches(what: str, found: set[str], wanted: set[str]) -> Iterator[str]:
    for oid in sorted(wanted - found):
        yield f"option {oid!r} lacks {what}"
    for oid in sorted(found - wanted):
        yield f"{what} is given for {oid!r}, which cannot have it"


def _item(raw: dict[str, Any]) -> Item:
    key = raw["key"]
    options = tuple(
        Option(
            oid=option["oid"],
            text=option["text"],
            correct=option["oid"] in key["correct"],
            feedback=key["feedback"][option["oid"]],
            misconception=key["misconception"].get(option["oid"]),
        )
        for option in raw["options"]
    )
    return Item(
        **{name: raw[name] for name in raw.keys() - {"options", "key", "sources"}},
        options=options,
        sources=tuple(Source(**source) for source in raw["sources"]),
        hints=tuple(key["hints"]),
    )
