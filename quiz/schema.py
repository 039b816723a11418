"""The tables and the connections behind `Store`. Imported late: SQLAlchemy is slow to load."""

import json
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    DateTime,
    Engine,
    Float,
    Insert,
    Integer,
    MetaData,
    Row,
    Table,
    Text,
    UniqueConstraint,
    create_engine,
    event,
    exc,
    inspect,
    make_url,
)
from sqlalchemy.engine import URL
from sqlalchemy.exc import IntegrityError
from sqlalchemy.pool import QueuePool
from sqlalchemy.schema import CreateTable

from .records import Attempt, Dated, Feedback

TIMEOUT_SECONDS = 4
"""For a connection, a lock or a statement, each."""

METADATA = MetaData()
# SQLite counts by itself in columns called INTEGER only.
_NUMBER = BigInteger().with_variant(Integer, "sqlite")

ATTEMPTS = Table(
    "quiz_attempts",
    METADATA,
    Column("number", _NUMBER, primary_key=True),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    Column("run", Text, nullable=False),
    Column("item_id", Text, nullable=False),
    Column("item_version", Integer, nullable=False),
    Column("answer", Text, nullable=False),  # a JSON list, which keeps every character
    Column("correct", Boolean, nullable=False),
    Column("credit", Float(53), nullable=False),
    Column("first_try", Boolean, nullable=False),
    Column("hints", Integer, nullable=False),
    Column("confidence", Integer),
    Column("milliseconds", BigInteger),
    UniqueConstraint("run", "item_id"),
)
FEEDBACK = Table(
    "quiz_feedback",
    METADATA,
    Column("number", _NUMBER, primary_key=True),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    Column("run", Text),
    Column("clear", Boolean),
    Column("text", Text, nullable=False),
)


def open_engine(address: str) -> Engine:
    """Return an engine that has not connected yet.

    Args:
        address: A SQLAlchemy URL; `postgres://` and `postgresql://` mean PostgreSQL by psycopg.

    Raises:
        ValueError: the address is none, or needs a package that is not installed. The message does not hold it, as it
            may have a password.
    """
    try:
        url = make_url(address)
        if url.drivername in {"postgres", "postgresql"}:
            url = url.set(drivername="postgresql+psycopg")
        engine = create_engine(
            url, pool_pre_ping=True, pool_timeout=TIMEOUT_SECONDS, hide_parameters=True, **_settings(url)
        )
    except ImportError as error:
        hint = ": pip install 'psycopg[binary]'" if "psycopg" in str(error) else f" ({error})"
        raise ValueError(f"the database needs one more package{hint}") from error
    except exc.NoSuchModuleError as error:
        raise ValueError(f"{url.drivername!r} is no kind of database that SQLAlchemy knows") from error
    except (exc.ArgumentError, ValueError, TypeError) as error:
        raise ValueError("it is no address such as postgresql://user:password@host/database") from error
    if url.get_backend_name() == "sqlite":
        _keep_to_the_file(engine, url.database)
    return engine


def _settings(url: URL) -> dict[str, Any]:
    connections = connections_to(url)
    settings: dict[str, Any] = {"poolclass": QueuePool, "pool_size": connections, "max_overflow": 0}
    if url.get_backend_name() == "sqlite":
        settings["connect_args"] = {"timeout": TIMEOUT_SECONDS, "check_same_thread": False}
    if url.drivername == "postgresql+psycopg":
        settings["connect_args"] = {
            "connect_timeout": TIMEOUT_SECONDS,
            "tcp_user_timeout": TIMEOUT_SECONDS * 1000,
            "keepalives_idle": TIMEOUT_SECONDS,
            "keepalives_interval": 1,
            "keepalives_count": 3,
            "prepare_threshold": None,  # as poolers refuse prepared statements
        }
    return settings


def connections_to(url: URL) -> int:
    """Return how many connections to use: one to SQLite, which has one writer, and whose own waiting is by chance."""
    return 1 if url.get_backend_name() == "sqlite" else 4


def _keep_to_the_file(engine: Engine, database: str | None) -> None:
    """Make every SQLite connection durable, and drop one whose file was replaced: what it writes would be lost."""

    def identity() -> tuple[int, int] | None:
        try:
            status = os.stat(database or "")
        except OSError:
            return None
        return status.st_dev, status.st_ino

    @event.listens_for(engine, "connect")
    def _(connection: Any, record: Any) -> None:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        record.info["file"] = identity()

    @event.listens_for(engine, "checkout")
    def _(connection: Any, record: Any, proxy: Any) -> None:
        if record.info["file"] != identity():
            raise exc.DisconnectionError


@contextmanager
def transaction(engine: Engine) -> Iterator[Connection]:
    """Open a transaction, committed at the end of the block, each statement of which ends in time."""
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":  # for this transaction only, as poolers refuse it for a connection
            connection.exec_driver_sql(f"SET LOCAL statement_timeout = '{TIMEOUT_SECONDS}s'")
        yield connection


def make_tables(engine: Engine) -> None:
    """Make the tables that are not there yet."""
    with transaction(engine) as connection:
        if engine.dialect.name == "postgresql":  # where two that make a table at once are in each other's way
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7165)")
        missing = set(METADATA.tables) - set(inspect(connection).get_table_names())
        for name in sorted(missing):
            connection.execute(CreateTable(METADATA.tables[name], if_not_exists=True))


def reason(error: str) -> str:
    """Return in a few words why the database did not do it."""
    text = error.lower()
    for signs, words in [
        (("locked", "timeout", "in time"), "the database is busy"),
        (("readonly", "read-only"), "the database is read-only"),
        (("is full", "no space left"), "the disk of the database is full"),
    ]:
        if any(sign in text for sign in signs):
            return words
    return "the database cannot be reached"


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
