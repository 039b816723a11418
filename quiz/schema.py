"""The tables behind `quiz.store`, and the engine that connects to them. Imported late: SQLAlchemy is slow to load."""

from typing import Any

from sqlalchemy import (
    DDL,
    BigInteger,
    Boolean,
    Column,
    Connection,
    DateTime,
    Engine,
    Float,
    Index,
    Integer,
    MetaData,
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
from sqlalchemy.pool import QueuePool
from sqlalchemy.schema import CreateIndex, CreateTable

from .records import StoreError

TIMEOUT_SECONDS = 4
"""Limit for a connection, a lock and a statement, each."""
_TABLE_LOCK = 7165  # the key of the PostgreSQL advisory lock; any number that nobody else uses

METADATA = MetaData()
# SQLite assigns numbers automatically only in columns of type INTEGER.
_NUMBER = BigInteger().with_variant(Integer, "sqlite")

ATTEMPTS = Table(
    "quiz_attempts",
    METADATA,
    Column("number", _NUMBER, primary_key=True),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    Column("run", Text, nullable=False),
    Column("item_id", Text, nullable=False),
    Column("item_version", Integer, nullable=False),
    Column("answer", Text, nullable=False),  # a JSON list, which preserves every character
    Column("correct", Boolean, nullable=False),
    Column("credit", Float(53), nullable=False),
    Column("first_try", Boolean, nullable=False),
    Column("hints", Integer, nullable=False),
    Column("confidence", Integer),
    Column("milliseconds", BigInteger),
    Column("parameters", Text),  # a JSON object; NULL in attempts of the first version, and of items without parameters
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
CLASSES = Table(
    "quiz_classes",
    METADATA,
    Column("code", Text, primary_key=True),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("title", Text, nullable=False),
    Column("bank_hash", Text, nullable=False),
    Column("draw", Text, nullable=False),
    Column("item_count", Integer, nullable=False),
    Column("order", Text, nullable=False),
    Column("pre_post", Boolean, nullable=False),
    Column("attempts_allowed", Integer, nullable=False),
    Column("deadline", DateTime(timezone=True)),
    Column("feedback", Text, nullable=False),
    Column("retention_days", Integer, nullable=False),
    Column("token_hash", Text, nullable=False),
    Column("randomized", Boolean),  # NULL in classes of earlier versions
)
CLASS_ITEMS = Table(
    "quiz_class_items",
    METADATA,
    Column("code", Text, primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("item_id", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("parameters", Text, nullable=False),  # a JSON object: for each test the numbers of the question
)
CLASS_RUNS = Table(
    "quiz_class_runs",
    METADATA,
    Column("run", Text, primary_key=True),
    Column("code", Text, nullable=False),
    Column("nickname", Text, nullable=False),
    Column("attempt_number", Integer, nullable=False),
    Column("phase", Text, nullable=False),
    Column("started_at", DateTime(timezone=True), nullable=False),
    Column("learner", Text),  # see `class_records.learner_of`; NULL in runs that were stored without it, or restored
    Column("condition", Text),  # NULL in runs of earlier versions
    Index("quiz_class_runs_learner", "code", "phase", "learner", "attempt_number", unique=True),
)


def open_engine(address: str) -> Engine:
    """Return an engine that has not connected yet.

    Args:
        address: A SQLAlchemy URL; `postgres://` and `postgresql://` select the psycopg driver.

    Raises:
        StoreError: The address is not valid, or needs a package that is not installed. The message does not quote the
            address, which may contain a password.
    """
    try:
        url = make_url(address)
        if url.drivername in {"postgres", "postgresql"}:
            url = url.set(drivername="postgresql+psycopg")
        engine = create_engine(
            url,
            poolclass=QueuePool,
            pool_size=1 if url.get_backend_name() == "sqlite" else 4,  # SQLite allows one writer at a time
            max_overflow=0,
            pool_timeout=TIMEOUT_SECONDS,
            pool_pre_ping=True,
            hide_parameters=True,
            connect_args=_driver_settings(url),
        )
    except ImportError as error:
        command = ": pip install 'psycopg[binary]'" if "psycopg" in str(error) else f" ({error})"
        raise StoreError(f"DATABASE_URL cannot be used: the database needs one more package{command}") from error
    except exc.NoSuchModuleError as error:
        raise StoreError(f"DATABASE_URL cannot be used: SQLAlchemy does not support {url.drivername!r}") from error
    except (exc.ArgumentError, ValueError, TypeError) as error:
        example = "postgresql://user:password@host/database"
        raise StoreError(f"DATABASE_URL cannot be used: it is not an address such as {example}") from error
    if url.get_backend_name() == "sqlite":
        event.listen(engine, "connect", _make_durable)
    return engine


def _driver_settings(url: URL) -> dict[str, Any]:
    if url.get_backend_name() == "sqlite":
        return {"timeout": TIMEOUT_SECONDS, "check_same_thread": False}
    if url.drivername == "postgresql+psycopg":
        return {
            "connect_timeout": TIMEOUT_SECONDS,
            "tcp_user_timeout": TIMEOUT_SECONDS * 1000,
            "keepalives_idle": TIMEOUT_SECONDS,
            "keepalives_interval": 1,
            "keepalives_count": 3,
            "prepare_threshold": None,  # connection poolers reject prepared statements
        }
    return {}


def _make_durable(connection: Any, record: Any) -> None:
    """Let every commit of a SQLite connection reach the disk before it returns."""
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")


def create_missing_tables(engine: Engine) -> None:
    """Create the tables, columns and indexes that the database lacks, such as one of an earlier version."""
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":  # where two clients that create the same table at once both fail
            connection.exec_driver_sql(f"SET LOCAL statement_timeout = '{TIMEOUT_SECONDS}s'")
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_TABLE_LOCK})")
        present = set(inspect(connection).get_table_names())
        for table in METADATA.sorted_tables:
            if table.name not in present:
                connection.execute(CreateTable(table, if_not_exists=True))
            else:
                _add_missing_columns(connection, table)
            indexes = {index["name"] for index in inspect(connection).get_indexes(table.name)}
            for index in table.indexes:
                if index.name not in indexes:
                    connection.execute(CreateIndex(index, if_not_exists=True))


def _add_missing_columns(connection: Connection, table: Table) -> None:
    """Add the columns that a table lacks, which may be NULL."""

    def missing() -> list[Column[Any]]:
        names = {column["name"] for column in inspect(connection).get_columns(table.name)}
        return [column for column in table.columns if column.name not in names]

    for column in missing():
        try:
            type_name = column.type.compile(connection.dialect)
            connection.execute(DDL(f"ALTER TABLE {table.name} ADD COLUMN {column.name} {type_name}"))
        except exc.OperationalError:
            if column in missing():  # otherwise another process has just added it
                raise
