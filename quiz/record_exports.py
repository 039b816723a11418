"""Attempts and feedback as files: CSV in which spreadsheet programs find no formulas, and JSON."""

import csv
import io
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime

from .class_records import ClassRun
from .records import Attempt, Feedback

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_NUMBER = re.compile(r"[+-]?(\d+([.,]\d+)*|[.,]\d+)([eE][+-]?\d+)?\s?%?")
ATTEMPT_COLUMNS = (
    "time_utc", "run", "item", "version", "answer", "correct", "credit", "first_try", "hints", "confidence_percent",
    "milliseconds", "parameters",
)  # fmt: skip
CLASS_COLUMNS = ("class", "test", "nickname", "attempt", "condition")


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
