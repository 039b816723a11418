"""Where attempts and feedback are kept: a database, by default SQLite in the folder data/.

    store = Store()                                    # DATABASE_URL, else data/quiz.sqlite3
    store = Store("postgresql://user:password@host/quiz")
    kept = store.record(attempt)

What `record` and `record_feedback` return from is on disk. A database that is away, locked, full or hangs raises a
`StoreError` within seconds; nothing has to be done for the store to work again afterwards.
"""

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any, TypeVar

from .records import Attempt, Dated, Feedback, StoreError

if TYPE_CHECKING:
    from sqlalchemy import Engine, Row, Table


Result = TypeVar("Result")


class Workers:
    """A line of jobs and the threads that work at it. Unlike an executor, they do not keep a process from ending."""

    def __init__(self, count: int) -> None:
        self._jobs: SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = SimpleQueue()
        self._threads = [Thread(target=self._work, daemon=True) for _ in range(count)]
        for thread in self._threads:
            thread.start()

    def run(self, job: Callable[[], Result], seconds: float) -> Result:
        """Return what the job returns, or raise what it raises.

        Raises:
            TimeoutError: it was not done in time. If it had not begun, it is not done at all.
        """
        future: Future[Result] = Future()
        self._jobs.put((future, job))
        try:
            return future.result(timeout=seconds)
        except TimeoutError:
            future.cancel()
            raise

    def stop(self) -> None:
        """End the threads once the jobs in line are done; take no more."""
        for _ in self._threads:
            self._jobs.put(None)

    def _work(self) -> None:
        while entry := self._jobs.get():
            future, job = entry
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(job())
                except Exception as error:
                    future.set_exception(error)
            del entry, future, job  # whatever they hold is not held until the next one comes


__all__ = ["Attempt", "Feedback", "Store", "StoreError"]

DEFAULT_FILE = Path(__file__).parent.parent / "data" / "quiz.sqlite3"
PATIENCE_SECONDS = 6.0
_PAGE = 1000


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
        from .schema import insert_attempt

        return self._run(partial(insert_attempt, attempt=attempt))

    def attempts_of(self, run: str) -> list[Attempt]:
        """Return the attempts of a run, in the order recorded.

        Raises:
            StoreError: they could not be read.
        """
        from .schema import attempts_of

        return self._run(partial(attempts_of, run=run))

    def record_feedback(self, feedback: Feedback, time: datetime | None = None) -> None:
        """Store what a learner said, and when: by default now.

        Raises:
            StoreError: it could not be stored.
        """
        from .schema import insert_feedback

        self._run(partial(insert_feedback, feedback=feedback, time=time or datetime.now(UTC)))

    def take_in(self, records: Sequence[Dated]) -> None:
        """Store the records that the database lacks, each with its time.

        Raises:
            StoreError: not all could be stored.
        """
        from .schema import insert_missing

        for start in range(0, len(records), _PAGE):
            self._run(partial(insert_missing, records=records[start : start + _PAGE]))

    def attempts(self) -> Iterator[Attempt]:
        """Yield all attempts, in the order recorded.

        Raises:
            StoreError: they could not be read.
        """
        from .schema import ATTEMPTS, to_attempt

        return map(to_attempt, self._all(ATTEMPTS))

    def feedback(self) -> Iterator[tuple[datetime, Feedback]]:
        """Yield all feedback in the order recorded, each with the time, in UTC.

        Raises:
            StoreError: it could not be read.
        """
        from .schema import FEEDBACK, to_feedback

        return map(to_feedback, self._all(FEEDBACK))

    @property
    def file(self) -> Path | None:
        """The SQLite file, which may not be there yet, or None if the database is none."""
        if self._engine is None:
            return DEFAULT_FILE
        database = self._engine.url.database
        return Path(database) if database and self._engine.dialect.name == "sqlite" else None

    def close(self) -> None:
        """Close the connections; the store opens new ones when it is used again."""
        with self._lock:
            if self._workers:
                self._workers.stop()
                self._workers = None
            if self._engine:
                self._engine.dispose()

    def _all(self, table: "Table") -> "Iterator[Row[Any]]":
        """Yield the rows of a table page by page, so that no connection is held meanwhile."""
        from .schema import page

        last, full = 0, True
        while full:
            rows = self._run(partial(page, table=table, after=last, limit=_PAGE))
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
        from .schema import connections_to

        with self._lock:
            if self._engine is None:
                DEFAULT_FILE.parent.mkdir(parents=True, exist_ok=True)
                self._engine = _open(f"sqlite:///{DEFAULT_FILE}")
            if self._workers is None:
                self._workers = Workers(connections_to(self._engine.url))
            return self._engine, self._workers

    def _with_tables(self, engine: "Engine", job: "Callable[[Engine], Result]") -> Result:
        from .schema import make_tables

        if not self._tables_made:
            make_tables(engine)
            self._tables_made = True
        return job(engine)


def _open(url: str) -> "Engine":
    from .schema import open_engine

    try:
        return open_engine(url)
    except ValueError as error:
        raise StoreError(f"DATABASE_URL cannot be used: {error}") from error


def _failure(error: Exception) -> StoreError:
    from .schema import reason

    said = str(error) or "not done in time"  # what a TimeoutError means
    logging.getLogger(__name__).warning("the database failed: %s", said.splitlines()[0])
    return StoreError(f"This could not be saved or read: {reason(said)}. Please try again in a moment.")
