"""Classes, their forms and their runs as rows of the tables in `quiz.schema`. Imported late, as SQLAlchemy is."""

import json
from collections.abc import Iterable
from dataclasses import asdict, fields
from typing import Any

from sqlalchemy import Connection, Row, Select, Table, func, or_, select

from .class_records import ClassRun, FormItem, QuizClass, learner_of
from .records import storable, to_utc
from .schema import ATTEMPTS, CLASS_ITEMS, CLASS_RUNS, CLASSES, FEEDBACK


def insert_class(connection: Connection, quiz_class: QuizClass) -> None:
    """Store a class with its form."""
    values = _storable_values(quiz_class)
    items = values.pop("items")
    connection.execute(CLASSES.insert().values(**values))
    connection.execute(
        CLASS_ITEMS.insert(),
        [
            {
                "code": quiz_class.code,
                "position": position,
                "item_id": storable(item["item_id"]),
                "version": item["version"],
                "parameters": json.dumps(item["numbers"]),
            }
            for position, item in enumerate(items, 1)
        ],
    )


def insert_run(connection: Connection, run: ClassRun) -> None:
    """Store a new run of a class.

    Raises:
        sqlalchemy.exc.IntegrityError: Another run of the learner in this test has its number.
    """
    connection.execute(CLASS_RUNS.insert().values(**_storable_values(run), learner=storable(run.learner)))


def insert_missing(connection: Connection, record: QuizClass | ClassRun) -> None:
    """Store a class or a run that the database lacks.

    A run is stored without its learner, so that no two runs of a copy exclude each other.
    """
    if isinstance(record, QuizClass):
        if not _exists(connection, CLASSES, code=record.code):
            insert_class(connection, record)
    elif not _exists(connection, CLASS_RUNS, run=storable(record.run)):
        connection.execute(CLASS_RUNS.insert().values(**_storable_values(record)))


def read_classes(connection: Connection, code: str | None = None) -> list[QuizClass]:
    """Return all classes, the oldest first, or that with a code."""
    query, items = select(CLASSES).order_by(CLASSES.c.created_at, CLASSES.c.code), select(CLASS_ITEMS)
    if code is not None:
        query, items = query.where(CLASSES.c.code == storable(code)), items.where(CLASS_ITEMS.c.code == storable(code))
    forms: dict[str, list[FormItem]] = {}
    for row in connection.execute(items.order_by(CLASS_ITEMS.c.code, CLASS_ITEMS.c.position)):
        forms.setdefault(row.code, []).append(FormItem(row.item_id, row.version, json.loads(row.parameters)))
    return [_to_class(row, forms.get(row.code, [])) for row in connection.execute(query)]


def read_runs(connection: Connection, code: str | None = None, run: str | None = None) -> list[ClassRun]:
    """Return the runs of a class in the order in which they were started, or the run with a name."""
    query = _select_runs().order_by(CLASS_RUNS.c.started_at, CLASS_RUNS.c.run)
    if code is not None:
        query = query.where(CLASS_RUNS.c.code == storable(code))
    if run is not None:
        query = query.where(CLASS_RUNS.c.run == storable(run))
    return list(map(_to_run, connection.execute(query)))


def count_runs(connection: Connection, code: str) -> int:
    """Return the number of runs in a class."""
    query = select(func.count()).select_from(CLASS_RUNS).where(CLASS_RUNS.c.code == storable(code))
    return connection.execute(query).scalar_one()


def count_runs_of_learner(connection: Connection, code: str, phase: str, nickname: str) -> int:
    """Return the number of runs of a learner in a test of a class."""
    learner = learner_of(nickname)
    query = _select_runs().where(
        CLASS_RUNS.c.code == storable(code),
        CLASS_RUNS.c.phase == phase,
        or_(CLASS_RUNS.c.learner == storable(learner), CLASS_RUNS.c.learner.is_(None)),
    )
    return sum(_to_run(row).learner == learner for row in connection.execute(query))


def read_attempts(connection: Connection, code: str) -> list[Row[Any]]:
    """Return the rows of the attempts in a class, in the order recorded."""
    query = select(ATTEMPTS).where(ATTEMPTS.c.run.in_(_names_of_runs(code))).order_by(ATTEMPTS.c.number)
    return list(connection.execute(query))


def delete_class(connection: Connection, code: str) -> None:
    """Delete a class with its form and its runs, and with the attempts and the feedback of these runs."""
    for table in (ATTEMPTS, FEEDBACK):
        connection.execute(table.delete().where(table.c.run.in_(_names_of_runs(code))))
    for table in (CLASS_RUNS, CLASS_ITEMS, CLASSES):
        connection.execute(table.delete().where(table.c.code == storable(code)))


def _names_of_runs(code: str) -> Select[tuple[str]]:
    return select(CLASS_RUNS.c.run).where(CLASS_RUNS.c.code == storable(code))


def _select_runs() -> Select[Any]:
    return select(*(CLASS_RUNS.c[entry.name] for entry in fields(ClassRun)))


def _to_run(row: Row[Any]) -> ClassRun:
    values = {"started_at": to_utc(row.started_at), "condition": row.condition or ""}
    return ClassRun(**dict(row._mapping) | values)


def _exists(connection: Connection, table: Table, **values: str) -> bool:
    conditions: Iterable[Any] = (table.c[name] == value for name, value in values.items())
    return connection.execute(table.select().where(*conditions)).first() is not None


def _storable_values(record: QuizClass | ClassRun) -> dict[str, Any]:
    values = asdict(record)
    return {name: storable(value) if isinstance(value, str) else value for name, value in values.items()}


def _to_class(row: Row[Any], items: list[FormItem]) -> QuizClass:
    deadline = None if row.deadline is None else to_utc(row.deadline)
    values = {"created_at": to_utc(row.created_at), "deadline": deadline, "randomized": bool(row.randomized)}
    return QuizClass(**dict(row._mapping) | values, items=tuple(items))
