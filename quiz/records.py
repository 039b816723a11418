"""The records that the quiz stores: attempts and feedback, which do not identify the learner, and those of classes.

Attempts and feedback can be exported as CSV in which spreadsheet programs find no formulas, and as JSON.
"""

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from .class_records import ClassDeletion, ClassRun, QuizClass

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")  # PostgreSQL rejects NUL, UTF-8 cannot encode surrogates
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_NUMBER = re.compile(r"[+-]?(\d+([.,]\d+)*|[.,]\d+)([eE][+-]?\d+)?\s?%?")
ATTEMPT_COLUMNS = (
    "time_utc", "run", "item", "version", "answer", "correct", "credit", "first_try", "hints", "confidence_percent",
    "milliseconds", "parameters",
)  # fmt: skip
CLASS_COLUMNS = ("class", "test", "nickname", "attempt", "condition")


class StoreError(Exception):
    """An error for a record that could not be stored or read; the message can be shown to the learner."""


@dataclass(frozen=True)
class Attempt:
    """An answer to an item.

    Attributes:
        run: Random name of the run that it belongs to.
        item_id: Id of the item in the bank.
        item_version: Version of the item.
        answer: Ids of the chosen options, or the number as it was typed.
        correct: Whether the answer is right.
        credit: Part of the mark, from 0 to 1.
        first_try: Whether the learner had not answered the item before.
        hints: Number of hints taken.
        confidence: Stated confidence in percent, or None.
        milliseconds: Time from question to answer, or None.
        parameters: The drawn numbers of the question, which with the version of the item restore it; empty for an item
            without parameters.
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
    parameters: Mapping[str, int | float | str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class Feedback:
    """A learner's feedback on the quiz.

    Attributes:
        run: Random name of the run, or None.
        clear: Whether everything was clear, or None.
        text: Suggestions, as typed.
    """

    run: str | None
    clear: bool | None
    text: str


Record = Attempt | Feedback | QuizClass | ClassRun | ClassDeletion

KINDS: dict[str, type[Record]] = {
    "attempt": Attempt,
    "feedback": Feedback,
    "class": QuizClass,
    "class run": ClassRun,
    "class deletion": ClassDeletion,
}

Dated = tuple[datetime, Record]


@dataclass(frozen=True)
class Period:
    """Days in UTC, both included; None leaves an end open."""

    first: date | None = None
    last: date | None = None

    def __contains__(self, time: datetime) -> bool:
        day = time.astimezone(UTC).date()
        return (self.first is None or self.first <= day) and (self.last is None or day <= self.last)


ALWAYS = Period()


def to_line(record: Record, time: datetime) -> bytes:
    """Return a record and its time as a line of JSON in ASCII, with the line feed."""
    kind = next(kind for kind, cls in KINDS.items() if isinstance(record, cls))
    values = {"kind": kind, "at": time} | asdict(record)
    return (json.dumps(values, default=datetime.isoformat) + "\n").encode("ascii")


def read_folder(folder: Path) -> list[Dated]:
    """Return the records in the JSON Lines files of a folder, oldest first, with their times in UTC.

    Of several attempts of a run at an item, only the first is returned. Duplicate records, truncated lines and lines
    of another format are skipped.

    Raises:
        OSError: The folder or a file cannot be read.
    """
    if not folder.is_dir():
        raise NotADirectoryError(f"{folder} is not a folder")
    paths = sorted(folder.rglob("*.jsonl"))
    records = [record for path in paths for record in _parse_lines(path.read_bytes().splitlines())]
    unique: dict[Any, Dated] = {}
    for time, record in sorted(records, key=lambda dated: dated[0]):
        key = (record.run, record.item_id) if isinstance(record, Attempt) else (time, record)
        unique.setdefault(key, (time, record))
    return list(unique.values())


def _parse_lines(lines: Iterable[bytes]) -> Iterator[Dated]:
    for line in lines:
        try:
            values = json.loads(line)
            cls = KINDS[values.pop("kind")]
            time = datetime.fromisoformat(values.pop("at")).astimezone(UTC)
            if cls is Attempt:
                values["answer"] = tuple(values["answer"])
            if issubclass(cls, Attempt | Feedback):
                yield time, cls(**values)
            else:
                yield time, cls.from_json(values)
        except (ValueError, KeyError, TypeError, AttributeError):
            continue


def to_utc(time: datetime) -> datetime:
    """Return a time that was read from a database in UTC; SQLite returns it without a time zone."""
    return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)


def storable(text: str) -> str:
    """Return a text with U+FFFD in the place of characters that databases reject."""
    return _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def attempts_csv(attempts: Iterable[tuple[datetime, Attempt]]) -> str:
    """Return attempts with their times in UTC as a CSV file.

    Chosen options are joined by semicolons; parameters are JSON.
    """
    return _write_rows(ATTEMPT_COLUMNS, (_attempt_cells(time, attempt) for time, attempt in attempts))


def attempts_json(attempts: Iterable[tuple[datetime, Attempt]]) -> str:
    """Return attempts with their times in UTC as a JSON list."""
    return json.dumps([{"at": time.isoformat()} | asdict(attempt) for time, attempt in attempts], indent=1) + "\n"


def class_attempts_csv(attempts: Iterable[tuple[ClassRun, datetime, Attempt]]) -> str:
    """Return attempts in a class, each with its run, as a CSV file; see `attempts_csv`."""
    return _write_rows(
        CLASS_COLUMNS + ATTEMPT_COLUMNS,
        (
            [run.code, run.phase, run.nickname, str(run.attempt_number), run.condition, *_attempt_cells(time, attempt)]
            for run, time, attempt in attempts
        ),
    )


def class_attempts_json(attempts: Iterable[tuple[ClassRun, datetime, Attempt]]) -> str:
    """Return attempts in a class, each with its run, as a JSON list."""
    rows = [
        {
            "class": run.code,
            "test": run.phase,
            "nickname": run.nickname,
            "attempt": run.attempt_number,
            "condition": run.condition,
            "at": time.isoformat(),
        }
        | asdict(attempt)
        for run, time, attempt in attempts
    ]
    return json.dumps(rows, indent=1) + "\n"


def feedback_csv(feedback: Iterable[tuple[datetime, Feedback]]) -> str:
    """Return feedback with its times in UTC as a CSV file."""
    return _write_rows(
        ("time_utc", "run", "clear", "text"),
        (
            [f"{time:%Y-%m-%d %H:%M:%S}", record.run or "", _yes_or_no(record.clear), record.text]
            for time, record in feedback
        ),
    )


def _attempt_cells(time: datetime, attempt: Attempt) -> list[str]:
    return [
        f"{time:%Y-%m-%d %H:%M:%S}", attempt.run, attempt.item_id, str(attempt.item_version),
        "; ".join(attempt.answer), _yes_or_no(attempt.correct), repr(attempt.credit),
        _yes_or_no(attempt.first_try), str(attempt.hints), _or_empty(attempt.confidence),
        _or_empty(attempt.milliseconds), json.dumps(dict(attempt.parameters), ensure_ascii=False),
    ]  # fmt: skip


def _write_rows(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a CSV file. It begins with a byte order mark, which tells spreadsheet programs that it is UTF-8."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow(columns)
    writer.writerows(map(escape_formula, row) for row in rows)
    return "\ufeff" + buffer.getvalue()


def _yes_or_no(value: bool | None) -> str:
    return {True: "yes", False: "no", None: ""}[value]


def _or_empty(value: int | None) -> str:
    return "" if value is None else str(value)


def escape_formula(text: str) -> str:
    """Return a cell's text, with an apostrophe in front if a spreadsheet program would read it as a formula.

    These are texts that begin with = + - @, their full-width forms, a tab or a line break, unless they are numbers; see
    https://owasp.org/www-community/attacks/CSV_Injection. `sentiment_gru.files.writers` follows the same rule.

    >>> escape_formula("=1+1"), escape_formula("-5"), escape_formula("- no"), escape_formula("5")
    ("'=1+1", '-5', "'- no", '5')
    """
    return "'" + text if text.startswith(_FORMULA_STARTS) and not _NUMBER.fullmatch(text) else text
