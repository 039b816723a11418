"""Attempts and feedback as rows. Imported late, like `database`."""

import json
import re
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine, Insert, Row, Table
from sqlalchemy.exc import IntegrityError

from .database import ATTEMPTS, FEEDBACK, transaction
from .lines import Dated
from .records import Attempt, Feedback

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")  # PostgreSQL takes no NUL, UTF-8 no half of a pair


def insert_attempt(engine: Engine, attempt: Attempt) -> Attempt:
    """Insert an attempt; return the row as it now is, which may be an earlier one."""
    values = _attempt_values(attempt)
    try:
        _insert(engine, ATTEMPTS.insert().values(recorded_at=datetime.now(UTC), **values))
    except IntegrityError:
        same = (ATTEMPTS.c.run == values["run"], ATTEMPTS.c.item_id == values["item_id"])
        with transaction(engine) as connection:
            return to_attempt(connection.execute(ATTEMPTS.select().where(*same)).one())
    return Attempt(**values | {"answer": attempt.answer})


def insert_feedback(engine: Engine, feedback: Feedback, time: datetime) -> None:
    """Insert feedback."""
    _insert(engine, FEEDBACK.insert().values(recorded_at=time, **_feedback_values(feedback)))


def attempts_of(engine: Engine, run: str) -> list[Attempt]:
    """Return the attempts of a run, in the order recorded."""
    query = ATTEMPTS.select().where(ATTEMPTS.c.run == _storable(run)).order_by(ATTEMPTS.c.number)
    with transaction(engine) as connection:
        return [to_attempt(row) for row in connection.execute(query)]


def page(engine: Engine, table: Table, after: int, limit: int) -> Sequence[Row[Any]]:
    """Return the rows of a table with a higher number, in the order recorded, as many as the limit at most."""
    query = table.select().where(table.c.number > after).order_by(table.c.number).limit(limit)
    with transaction(engine) as connection:
        return connection.execute(query).all()


def insert_missing(engine: Engine, records: Sequence[Dated]) -> None:
    """Insert the records that are not there, each with its time."""
    same: tuple[str, ...]
    with transaction(engine) as connection:
        for time, record in records:
            if isinstance(record, Attempt):
                table, values, same = ATTEMPTS, _attempt_values(record), ("run", "item_id")
            else:
                table, values, same = FEEDBACK, _feedback_values(record), ("recorded_at", "run", "clear", "text")
            values["recorded_at"] = time
            if not connection.execute(table.select().where(*(table.c[name] == values[name] for name in same))).first():
                connection.execute(table.insert().values(**values))


def to_attempt(row: Row[Any]) -> Attempt:
    """Return the attempt in a row."""
    values = {name: getattr(row, name) for name in Attempt.__dataclass_fields__}
    return Attempt(**values | {"answer": tuple(json.loads(row.answer))})


def to_feedback(row: Row[Any]) -> tuple[datetime, Feedback]:
    """Return the feedback in a row, with its time in UTC, which SQLite does not say that it is in."""
    time = row.recorded_at
    return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC), Feedback(row.run, row.clear, row.text)


def _insert(engine: Engine, statement: Insert) -> None:
    with transaction(engine) as connection:
        connection.execute(statement)


def _attempt_values(attempt: Attempt) -> dict[str, Any]:
    return asdict(attempt) | {
        "run": _storable(attempt.run),
        "item_id": _storable(attempt.item_id),
        "answer": json.dumps(attempt.answer),
    }


def _feedback_values(feedback: Feedback) -> dict[str, Any]:
    run = None if feedback.run is None else _storable(feedback.run)
    return {"run": run, "clear": feedback.clear, "text": _storable(feedback.text)}


def _storable(text: str) -> str:
    return _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", text)
