"""Attempts and feedback in a database, by default a SQLite file; `quiz.class_store` adds classes.

    store = Store()                                    # DATABASE_URL, else data/quiz.sqlite3
    store = Store("postgresql://user:password@host/quiz")
    recorded = store.record(attempt)

Once `record` or `record_feedback` returns, the record is on disk. If the database is unreachable, locked, full or does
not respond, every method raises `StoreError` within seconds; the store works again as soon as the database does.
"""

import json
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any, TypeVar

from .class_records import ClassDeletion, ClassRun, QuizClass
from .records import Attempt, Dated, Feedback, Record, StoreError, storable, to_utc

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine, Executable, Row, Table

__all__ = ["Attempt", "Feedback", "Store", "StoreError"]

DEFAULT_FILE = Path("data", "quiz.sqlite3")
"""The default SQLite file, relative to the current working directory."""
DEADLINE_SECONDS = 6.0
"""Limit for a whole call, which also holds when the driver itself hangs."""
_PAGE_ROWS = 1000

Result = TypeVar("Result")
logger = logging.getLogger(__name__)


class Store:
    """Attempts and feedback in a database. Threads and processes may share it.

    NUL characters and lone surrogates, which databases reject in text, are replaced by U+FFFD, except in an attempt's
    `answer`, which preserves them.
    """

    def __init__(self, url: str | None = None) -> None:
        """Prepare to use a database, without connecting yet.

        Args:
            url: A SQLAlchemy URL. By default that in DATABASE_URL, else the SQLite file `DEFAULT_FILE`, which is
                created at first use.

        Raises:
            StoreError: The URL is not valid, or needs a package that is not installed.
        """
        self._engine: Engine | None = None
        if url := url or os.getenv("DATABASE_URL"):
            from .schema import open_engine

            self._engine = open_engine(url)
        self._has_tables = False
        self._file_id: tuple[int, int] | None = None
        self._lock = Lock()

    def record(self, attempt: Attempt) -> Attempt:
        """Store the first attempt of a run at an item.

        Returns:
            The stored attempt: this one, or an earlier one of the same run at the same item.

        Raises:
            StoreError: It could not be stored.
        """
        from sqlalchemy.exc import IntegrityError

        from .schema import ATTEMPTS

        values = _attempt_values(attempt)
        same_item = (ATTEMPTS.c.run == values["run"], ATTEMPTS.c.item_id == values["item_id"])

        def insert(engine: "Engine") -> Attempt:
            try:
                with _transaction(engine) as connection:
                    connection.execute(ATTEMPTS.insert().values(recorded_at=datetime.now(UTC), **values))
            except IntegrityError:
                with _transaction(engine) as connection:
                    return to_attempt(connection.execute(ATTEMPTS.select().where(*same_item)).one())
            return Attempt(**values | {"answer": attempt.answer, "parameters": attempt.parameters})

        return self._run(insert)

    def record_feedback(self, feedback: Feedback, time: datetime | None = None) -> None:
        """Store feedback with its time, by default the present.

        Raises:
            StoreError: It could not be stored.
        """
        from .schema import FEEDBACK

        self._execute(FEEDBACK.insert().values(recorded_at=time or datetime.now(UTC), **_feedback_values(feedback)))

    def add_missing(self, records: Sequence[Dated]) -> None:
        """Store the records that the database lacks, each with its time, and delete the classes said to be deleted.

        Raises:
            StoreError: Not all of them could be stored.
        """
        from .class_tables import delete_class, insert_missing

        deleted = {record.code for _, record in records if isinstance(record, ClassDeletion)}
        runs = {record.run for _, record in records if isinstance(record, ClassRun) and record.code in deleted}

        def add(connection: "Connection", time: datetime, record: Record) -> None:
            if isinstance(record, ClassDeletion):
                delete_class(connection, record.code)
            elif isinstance(record, QuizClass | ClassRun):
                if record.code not in deleted:
                    insert_missing(connection, record)
            elif record.run not in runs:
                _insert_missing(connection, time, record)

        def add_all(connection: "Connection", records: Sequence[Dated]) -> None:
            for time, record in records:
                add(connection, time, record)

        for start in range(0, len(records), _PAGE_ROWS):
            page = records[start : start + _PAGE_ROWS]
            self.transact(partial(add_all, records=page))

    def transact(self, job: "Callable[[Connection], Result]") -> Result:
        """Return the result of a job, which runs in one transaction.

        Raises:
            StoreError: The database failed or did not respond in time; nothing is stored.
        """

        def run(engine: "Engine") -> Result:
            with _transaction(engine) as connection:
                return job(connection)

        return self._run(run)

    def copy(self, record: Record, time: datetime) -> None:
        """Copy a record that was stored, in a store that keeps a copy elsewhere; this one does not."""

    @property
    def is_restored(self) -> bool:
        """True once the database has the records of its copy, or if the store keeps none."""
        return True

    def attempts_of(self, run: str) -> list[Attempt]:
        """Return the attempts of a run, in the order recorded.

        Raises:
            StoreError: They could not be read.
        """
        from .schema import ATTEMPTS

        query = ATTEMPTS.select().where(ATTEMPTS.c.run == storable(run)).order_by(ATTEMPTS.c.number)
        return [to_attempt(row) for row in self._execute(query)]

    def attempts(self) -> Iterator[Attempt]:
        """Yield all attempts, in the order recorded.

        Raises:
            StoreError: They could not be read.
        """
        return (attempt for _, attempt in self.dated_attempts())

    def dated_attempts(self) -> Iterator[tuple[datetime, Attempt]]:
        """Yield all attempts in the order recorded, each with its time in UTC.

        Raises:
            StoreError: They could not be read.
        """
        from .schema import ATTEMPTS

        return ((to_utc(row.recorded_at), to_attempt(row)) for row in self._fetch_pages(ATTEMPTS))

    def feedback(self) -> Iterator[tuple[datetime, Feedback]]:
        """Yield all feedback in the order recorded, each with its time in UTC.

        Raises:
            StoreError: It could not be read.
        """
        from .schema import FEEDBACK

        return map(_to_feedback, self._fetch_pages(FEEDBACK))

    @property
    def file(self) -> Path | None:
        """The SQLite file, which may not exist yet; None for another kind of database."""
        if self._engine is None:
            return DEFAULT_FILE
        database = self._engine.url.database
        return Path(database) if database and self._engine.dialect.name == "sqlite" else None

    def close(self) -> None:
        """Close the connections; the next use of the store opens new ones."""
        if self._engine:
            self._engine.dispose()

    def _execute(self, statement: "Executable") -> "Sequence[Row[Any]]":
        def execute(connection: "Connection") -> "Sequence[Row[Any]]":
            result = connection.execute(statement)
            return result.all() if result.returns_rows else []

        return self.transact(execute)

    def _fetch_pages(self, table: "Table") -> "Iterator[Row[Any]]":
        """Yield the rows of a table, holding no connection in between."""
        last = 0
        query = table.select().order_by(table.c.number).limit(_PAGE_ROWS)
        while rows := self._execute(query.where(table.c.number > last)):
            yield from rows
            last = rows[-1].number

    def _run(self, job: "Callable[[Engine], Result]") -> Result:
        """Return the result of a job, or raise StoreError if the database fails or does not respond in time."""
        from sqlalchemy.exc import SQLAlchemyError

        try:
            return _run_with_deadline(lambda: job(self._ready_engine()), DEADLINE_SECONDS)
        except (SQLAlchemyError, OSError) as error:
            self._has_tables = False  # the next database at this address may be a new one
            message = str(error) or "not done in time"  # as a TimeoutError has no text
            logger.warning("The database failed: %s", message.splitlines()[0])
            reason = _describe_failure(message)
            raise StoreError(f"This could not be saved or read: {reason}. Please try again in a moment.") from error

    def _ready_engine(self) -> "Engine":
        """Return the engine of a database that has the tables."""
        from .schema import create_missing_tables, open_engine

        with self._lock:
            if self._engine is None:
                DEFAULT_FILE.parent.mkdir(parents=True, exist_ok=True)
                self._engine = open_engine(f"sqlite:///{DEFAULT_FILE}")
            engine = self._engine
        if self._file_id != _identify(self.file):  # what is written to a deleted file that is still open is lost
            engine.dispose()
            self._has_tables = False
        if not self._has_tables:
            create_missing_tables(engine)
            self._file_id = _identify(self.file)
            self._has_tables = True
        return engine


def _run_with_deadline(job: Callable[[], Result], seconds: float) -> Result:
    """Return the result of a job, which runs in a thread that does not keep the process alive.

    Raises:
        TimeoutError: The job takes longer; its thread is left behind.
    """
    future: Future[Result] = Future()

    def run() -> None:
        try:
            future.set_result(job())
        except Exception as error:
            future.set_exception(error)

    Thread(target=run, daemon=True).start()
    return future.result(timeout=seconds)


@contextmanager
def _transaction(engine: "Engine") -> "Iterator[Connection]":
    """Open a transaction whose statements have a time limit; commit it at the end of the block."""
    from .schema import TIMEOUT_SECONDS

    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":  # per transaction, as poolers reject it for a connection
            connection.exec_driver_sql(f"SET LOCAL statement_timeout = '{TIMEOUT_SECONDS}s'")
        yield connection


def _identify(file: Path | None) -> tuple[int, int] | None:
    """Return the device and inode of a file; None if it does not exist."""
    try:
        status = os.stat(file or "")
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _describe_failure(message: str) -> str:
    text = message.lower()
    for signs, reason in [
        (("locked", "timeout", "in time"), "the database is busy"),
        (("readonly", "read-only"), "the database is read-only"),
        (("is full", "no space left"), "the disk of the database is full"),
    ]:
        if any(sign in text for sign in signs):
            return reason
    return "the database cannot be reached"


def _insert_missing(connection: "Connection", time: datetime, record: Attempt | Feedback) -> None:
    from .schema import ATTEMPTS, FEEDBACK

    same: tuple[str, ...]
    if isinstance(record, Attempt):
        table, values, same = ATTEMPTS, _attempt_values(record), ("run", "item_id")
    else:
        table, values, same = FEEDBACK, _feedback_values(record), ("recorded_at", "run", "clear", "text")
    values["recorded_at"] = time
    if not connection.execute(table.select().where(*(table.c[name] == values[name] for name in same))).first():
        connection.execute(table.insert().values(**values))


def _attempt_values(attempt: Attempt) -> dict[str, Any]:
    return asdict(attempt) | {
        "run": storable(attempt.run),
        "item_id": storable(attempt.item_id),
        "answer": json.dumps(attempt.answer),
        "parameters": json.dumps(attempt.parameters) if attempt.parameters else None,
    }


def _feedback_values(feedback: Feedback) -> dict[str, Any]:
    run = None if feedback.run is None else storable(feedback.run)
    return {"run": run, "clear": feedback.clear, "text": storable(feedback.text)}


def to_attempt(row: "Row[Any]") -> Attempt:
    """Return the attempt of a row."""
    values = {name: getattr(row, name) for name in Attempt.__dataclass_fields__}
    parameters = json.loads(row.parameters) if row.parameters else {}
    return Attempt(**values | {"answer": tuple(json.loads(row.answer)), "parameters": parameters})


def _to_feedback(row: "Row[Any]") -> tuple[datetime, Feedback]:
    return to_utc(row.recorded_at), Feedback(row.run, row.clear, row.text)
