"""What is kept of a learner's run: attempts and feedback, without a trace of who it was."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


class StoreError(Exception):
    """Something could not be stored or read, with a message fit for the learner."""


@dataclass(frozen=True)
class Attempt:
    """One answer to one item. Nothing in it says who gave it.

    Attributes:
        run: Random name of the run that it belongs to.
        item_id: The item, as in the bank.
        item_version: The version of the item.
        answer: Ids of the options chosen, or the number as it was typed.
        correct: Whether the answer is right.
        credit: Part of the mark, from 0 to 1.
        first_try: Whether the learner met the item for the first time.
        hints: How many hints were taken.
        confidence: How sure the learner said to be, or None.
        milliseconds: Time from question to answer, or None.
    """

    run: str
    item_id: str
    item_version: int
    answer: tuple[str, ...]
    correct: bool
    credit: float
    first_try: bool
    hints: int
    confidence: int | None
    milliseconds: int | None


@dataclass(frozen=True)
class Feedback:
    """What a learner said of the quiz: whether it was clear, or None, and how it can be improved."""

    run: str | None
    clear: bool | None
    text: str


KINDS: dict[str, type[Attempt] | type[Feedback]] = {"attempt": Attempt, "feedback": Feedback}

Dated = tuple[datetime, Attempt | Feedback]


def to_line(record: Attempt | Feedback, time: datetime) -> bytes:
    """Return a record and its time as one line of ASCII, with the line feed."""
    kind = next(kind for kind, cls in KINDS.items() if isinstance(record, cls))
    return (json.dumps({"kind": kind, "at": time.isoformat()} | asdict(record)) + "\n").encode("ascii")


def read_folder(folder: Path) -> list[Dated]:
    """Return what is in the JSON lines files of a folder, the oldest first, with its time in UTC.

    The first attempt of a run at an item counts. Repeats are dropped, and lines that were cut off or hold something
    else.

    Raises:
        OSError: the folder or a file cannot be read.
    """
    if not folder.is_dir():
        raise NotADirectoryError(f"{folder} is no folder")
    found = [one for path in sorted(folder.rglob("*.jsonl")) for one in _records(path.read_bytes().splitlines())]
    first: dict[Any, Dated] = {}
    for time, record in sorted(found, key=lambda one: one[0]):
        name = (record.run, record.item_id) if isinstance(record, Attempt) else (time, record)
        first.setdefault(name, (time, record))
    return list(first.values())


def _records(lines: Iterable[bytes]) -> Iterator[Dated]:
    for line in lines:
        try:
            values = json.loads(line)
            cls = KINDS[values.pop("kind")]
            time = datetime.fromisoformat(values.pop("at")).astimezone(UTC)
            if cls is Attempt:
                values["answer"] = tuple(values["answer"])
            yield time, cls(**values)
        except (ValueError, KeyError, TypeError, AttributeError):
            continue
