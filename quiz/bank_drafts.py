"""The banks that teachers write in the browser: one for each session, in memory, until the session ends.

A draft is the JSON value of a bank that the quiz would accept, or of one without questions. It begins as the bank of
the app, which never changes.

The settings of a bank are edited as the fields of a form: title, demands, levels, and misconceptions. Levels and
misconceptions are texts of one entry a line: "Basics: Padding; Shapes" and "m-three-gates: A GRU has two."
"""

import hashlib
import json
import re
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from threading import Lock
from typing import Any

from .bank import find_bank_faults
from .errors import BankError
from .validation import Fault, parse_json

MAX_BANK_BYTES = 2_000_000
MAX_DRAFTS = 20
"""Drafts in memory; beyond them, the one not used for the longest time is dropped."""
_LINES = ("title", "description")
_SETTINGS = (*_LINES, "demands", "misconceptions", "ladder")

RawBank = dict[str, Any]


class ChangedError(Exception):
    """An error for a change of a draft that is no longer what the change was based on."""


EMPTY: Mapping[str, Any] = {"schema_version": "1.0", "demands": "basic", "items": []}


class Drafts:
    """The drafts of all sessions. Threads may share them."""

    def __init__(self, bank: Mapping[str, Any], has_session: Callable[[str], bool]) -> None:
        """Take the JSON value of the app's bank, and a function that returns whether a session has not ended."""
        self._original, self._has_session = write_bank(bank), has_session
        self._texts: OrderedDict[str, bytes] = OrderedDict()
        self._lock = Lock()

    def read(self, session: str) -> RawBank:
        """Return the draft of a session."""
        return dict(json.loads(self.file(session)))

    def file(self, session: str) -> bytes:
        """Return the draft of a session as a file."""
        with self._lock:
            if session not in self._texts:
                return self._original
            self._texts.move_to_end(session)
            return self._texts[session]

    def is_changed(self, session: str) -> bool:
        """Return whether a session has a draft that differs from the app's bank."""
        return self.file(session) != self._original

    def keep(self, session: str, bank: Mapping[str, Any], before: Mapping[str, Any]) -> None:
        """Keep a draft.

        Args:
            session: The session.
            bank: The draft.
            before: The draft that it was made from.

        Raises:
            BankError: It is larger than `MAX_BANK_BYTES`.
            ChangedError: Another request has changed the draft since.
        """
        text = write_bank(bank)
        if len(text) > MAX_BANK_BYTES:
            raise BankError(f"the bank would be larger than {MAX_BANK_BYTES // 1_000_000} MB")
        self._replace(session, text, write_bank(before))

    def drop(self, session: str, before: Mapping[str, Any]) -> None:
        """Begin again with the app's bank.

        Raises:
            ChangedError: Another request has changed the draft since it was `before`.
        """
        self._replace(session, None, write_bank(before))

    def _replace(self, session: str, text: bytes | None, before: bytes) -> None:
        with self._lock:
            if self._texts.get(session, self._original) != before:
                raise ChangedError
            self._texts.pop(session, None)
            if text is not None:
                self._texts[session] = text
            for other in [other for other in self._texts if not self._has_session(other)]:
                del self._texts[other]
            while len(self._texts) > MAX_DRAFTS:
                self._texts.popitem(last=False)


def version_of(value: Any) -> str:
    """Return 16 letters that change with any change of a draft or of a part of it."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode("utf-8", "replace")).hexdigest()[:16]


def write_bank(bank: Mapping[str, Any]) -> bytes:
    """Return a bank as a JSON file."""
    return (json.dumps(bank, ensure_ascii=False, indent=2) + "\n").encode("utf-8", "replace")


def read_bank(content: bytes) -> tuple[RawBank, list[Fault]]:
    """Return the bank of a file, and the faults for which the quiz refuses it.

    Raises:
        BankError: The file is larger than `MAX_BANK_BYTES`, or not JSON in UTF-8.
    """
    if len(content) > MAX_BANK_BYTES:
        raise BankError(f"the file is larger than {MAX_BANK_BYTES // 1_000_000} MB")
    try:
        data = parse_json(content.decode("utf-8-sig"), Path("the file"))
    except UnicodeDecodeError as error:
        raise BankError("the file is not UTF-8 text") from error
    return data, list(find_bank_faults(data))


def put_question(bank: Mapping[str, Any], raw: Mapping[str, Any]) -> RawBank:
    """Return a bank with a question in the place of the one with its id, or at the end."""
    items = bank["items"]
    if all(item["id"] != raw["id"] for item in items):
        return {**bank, "items": [*items, raw]}
    return {**bank, "items": [raw if item["id"] == raw["id"] else item for item in items]}


def remove_question(bank: Mapping[str, Any], item_id: str) -> RawBank:
    """Return a bank without a question; other questions do not name it any more."""
    kept = [_without_link(item, item_id) for item in bank["items"] if item["id"] != item_id]
    return {**bank, "items": kept}


def _without_link(item: Mapping[str, Any], item_id: str) -> dict[str, Any]:
    links = {
        name: [other for other in item[name] if other != item_id] for name in ("prereq", "enemies") if name in item
    }
    return {**item, **links}


def unused_id(bank: Mapping[str, Any], topic: str) -> str:
    """Return an id for a new question, made of its topic and a number."""
    stem = re.sub(r"[^a-z0-9]+", "-", topic.lower()).strip("-")[:40].strip("-") or "question"
    taken = {item["id"] for item in bank["items"]}
    return next(item_id for number in range(1, len(taken) + 2) if (item_id := f"{stem}-{number}") not in taken)


def find_question(bank: Mapping[str, Any], item_id: str) -> dict[str, Any] | None:
    """Return the question with an id, or None."""
    return next((item for item in bank["items"] if item["id"] == item_id), None)


def settings_to_fields(bank: Mapping[str, Any]) -> dict[str, str]:
    """Return the settings of a bank's JSON value as fields."""
    levels = [f"{level['name']}: {'; '.join(level['topics'])}" for level in bank.get("ladder", [])]
    sentences = [f"{name}: {' '.join(sentence.split())}" for name, sentence in bank.get("misconceptions", {}).items()]
    return {
        **{name: bank.get(name, "") for name in _LINES},
        "demands": bank.get("demands", "full"),
        "ladder": "\n".join(levels),
        "misconceptions": "\n".join(sentences),
    }


def read_settings(fields: Mapping[str, str], bank: Mapping[str, Any]) -> dict[str, Any]:
    """Return a bank with the settings of a form. An empty field removes the setting."""
    settings: dict[str, Any] = {name: " ".join(fields.get(name, "").split()) for name in _LINES}
    settings["demands"] = "basic" if fields.get("demands") == "basic" else ""
    settings["misconceptions"] = dict(_read_lines(fields.get("misconceptions", "")))
    settings["ladder"] = [
        {"name": name, "topics": [topic.strip() for topic in topics.split(";") if topic.strip()]}
        for name, topics in _read_lines(fields.get("ladder", ""))
    ]
    others = {name: value for name, value in bank.items() if name not in (*_SETTINGS, "items")}
    return {**others, **{name: value for name, value in settings.items() if value}, "items": bank["items"]}


def _read_lines(text: str) -> Iterator[tuple[str, str]]:
    """Yield the name and the value of each line that is not empty."""
    for line in filter(str.strip, text.splitlines()):
        name, _, value = line.partition(":")
        yield name.strip(), value.strip()
