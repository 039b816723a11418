"""Where attempts and feedback are kept: a database, by default SQLite in the folder data/.

    store = Store()                                    # DATABASE_URL, else data/quiz.sqlite3
    store = Store("postgresql://user:password@host/quiz")
    kept = store.record(attempt)

What `record` and `record_feedback` return from is on disk. A database that is away, locked, full or hangs raises a
`StoreError` within seconds; nothing has to be done for the store to work again afterwards.
"""

import json
import logging
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

from .records import Attempt, Feedback, StoreError
from .workers import Workers

if TYPE_CHECKING:
    from sqlalchemy import Engine, Row, Select

__all__ = ["Attempt", "Feedback", "Store", "StoreError"]

DEFAULT_FILE = Path(__file__).parent.parent / "data" / "quiz.sqlite3"
PATIENCE_SECONDS = 6.0
_PAGE = 1000
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")  # PostgreSQL takes no NUL, UTF-8 no half of a pair

Result = TypeVar("Result")


class Store:
    """Attempts and feedback in a database. Threads and processes may share it.

    NUL and lone surrogates, which databases do not take in text, are stored as U+FFFD; an attempt's `answer` keeps
    them.
    """

    def __init__(self, url: str | None = None) -> None:
        """Prepare to use a database; nothing is connected to yet.

        Args:
            url: A SQLAlchemy URL, by default that in DATABASE_URL, else that of a SQLite file in the folder data/,
                which is made when first used.

        Raises:
            StoreError: the URL is none, or needs a package that is not installed.
        """
        url = url or os.getenv("DATABASE_URL")
        self._lock = Lock()
        self._tables_made = False
        self._engine = _open(url) if url else None
        self._workers: Workers | None = None

    def record(self, attempt: Attempt) -> Attempt:
        """Store the first attempt of a run at an item.

        Returns:
            What is stored: this attempt, or an earlier one of the same run at the same item.

        Raises:
            StoreError: it could not be stored.
        """
        return self._run(partial(_insert_attempt, attempt=attempt))

    def attempts_of(self, run: str) -> list[Attempt]:
        """Return the attempts of a run, in the order recorded.

        Raises:
            StoreError: they could not be read.
        """
        from .database import ATTEMPTS

        query = ATTEMPTS.select().where(ATTEMPTS.c.run == _storable(run)).order_by(ATTEMPTS.c.number)
        return [_attempt(row) for row in self._run(partial(_rows, query=query))]

    def record_feedback(self, feedback: Feedback) -> None:
        """Store what a learner said.

        Raises:
            StoreError: it could not be stored.
        """
        from .database import FEEDBACK

        run = None if feedback.run is None else _storable(feedback.run)
        values = {"run": run, "clear": feedback.clear, "text": _storable(feedback.text)}
        self._run(partial(_insert, statement=FEEDBACK.insert().values(recorded_at=datetime.now(UTC), **values)))

    def attempts(self) -> Iterator[Attempt]:
        """Yield all attempts, in the order recorded.

        Raises:
            StoreError: they could not be read.
        """
        from .database import ATTEMPTS

        return map(_attempt, self._all(ATTEMPTS))

    def feedback(self) -> Iterator[tuple[datetime, Feedback]]:
        """Yield all feedback in the order recorded, each with the time, in UTC.

        Raises:
            StoreError: it could not be read.
        """
        from .database import FEEDBACK

        for row in self._all(FEEDBACK):
            yield _utc(row.recorded_at), Feedback(row.run, row.clear, row.text)

    def close(self) -> None:
        """Close the connections; the store opens new ones when it is used again."""
        with self._lock:
            if self._workers:
                self._workers.stop()
                self._workers = None
            if self._engine:
                self._engine.dispose()

    def _all(self, table: Any) -> "Iterator[Row[Any]]":
        """Yield the rows of a table page by page, so that no connection is held meanwhile."""
        last, full = 0, True
        while full:
            page = table.select().where(table.c.number > last).order_by(table.c.number).limit(_PAGE)
            rows = self._run(partial(_rows, query=page))
            yield from rows
            full = len(rows) == _PAGE
            last = rows[-1].number if rows else last

    def _run(self, job: "Callable[[Engine], Result]") -> Result:
        """Return what the job returns.

        Raises:
            StoreError: the database failed, or was not done in time.
        """
        from sqlalchemy.exc import SQLAlchemyError

        try:
            engine, workers = self._started()
            return workers.run(lambda: self._with_tables(engine, job), PATIENCE_SECONDS)
        except (SQLAlchemyError, OSError) as error:
            self._tables_made = False  # whatever database is there next may be a new one
            raise _failure(error) from error

    def _started(self) -> "tuple[Engine, Workers]":
        from .database import connections_to

        with self._lock:
            if self._engine is None:
                DEFAULT_FILE.parent.mkdir(parents=True, exist_ok=True)
                self._engine = _open(f"sqlite:///{DEFAULT_FILE}")
            if self._workers is None:
                self._workers = Workers(connections_to(self._engine.url))
            return self._engine, self._workers

    def _with_tables(self, engine: "Engine", job: "Callable[[Engine], Result]") -> Result:
        from .database import make_tables

        if not self._tables_made:
            make_tables(engine)
            self._tables_made = True
        return job(engine)


def _open(url: str) -> "Engine":
    from .database import open_engine

    try:
        return open_engine(url)
    except ValueError as error:
        raise StoreError(f"DATABASE_URL cannot be used: {error}") from error


def _failure(error: Exception) -> StoreError:
    from .database import reason

    said = str(error) or "not done in time"  # what a TimeoutError means
    logging.getLogger(__name__).warning("the database failed: %s", said.splitlines()[0])
    return StoreError(f"This could not be saved or read: {reason(said)}. Please try again in a moment.")


def _insert_attempt(engine: "Engine", attempt: Attempt) -> Attempt:
    from sqlalchemy.exc import IntegrityError

    from .database import ATTEMPTS

    values = asdict(attempt) | {
        "run": _storable(attempt.run),
        "item_id": _storable(attempt.item_id),
        "answer": json.dumps(attempt.answer),
    }
    try:
        _insert(engine, ATTEMPTS.insert().values(recorded_at=datetime.now(UTC), **values))
    except IntegrityError:
        same = (ATTEMPTS.c.run == values["run"], ATTEMPTS.c.item_id == values["item_id"])
        for earlier in _rows(engine, ATTEMPTS.select().where(*same)):
            return _attempt(earlier)
        raise
    return Attempt(**values | {"answer": attempt.answer})


def _insert(engine: "Engine", statement: Any) -> None:
    from .database import transaction

    with transaction(engine) as connection:
        connection.execute(statement)


def _rows(engine: "Engine", query: "Select[Any]") -> "list[Row[Any]]":
    from .database import transaction

    with transaction(engine) as connection:
        return list(connection.execute(query))


def _attempt(row: "Row[Any]") -> Attempt:
    values = {name: getattr(row, name) for name in Attempt.__dataclass_fields__}
    return Attempt(**values | {"answer": tuple(json.loads(row.answer))})


def _utc(time: datetime) -> datetime:
    """Return the time in UTC, which SQLite does not say that it is in."""
    return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)


def _storable(text: str) -> str:
    return _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", text)
