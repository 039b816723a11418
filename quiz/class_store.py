"""Classes in the database of a store, and in its copy.

    classes = ClassStore(store)
    classes.add(quiz_class)
    run = classes.start_run(quiz_class, "Ada", phase="")

A class is deleted with all that its learners have stored.
"""

import hmac
import secrets
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from .bank import Bank
from .class_records import ClassDeletion, ClassRun, QuizClass
from .class_report import ClassReport, analyze_class
from .classes import assign_condition, format_code, hash_token, read_code
from .errors import ClassError
from .records import ALWAYS, Attempt, Period, to_utc
from .store import Store, to_attempt

if TYPE_CHECKING:
    from sqlalchemy import Connection

MAX_RUNS = 20_000
"""Runs in a class, so that an unknown who has its code can neither fill the disk nor make its results unreadable."""
_TRIES = 5  # of a learner who starts two runs at once


class _NumberTakenError(Exception):
    """An error for the number of a run that another one has taken at the same time."""


class ClassStore:
    """Classes, their runs and their attempts. Threads and processes may share it.

    Every method raises `StoreError` if the database fails.
    """

    def __init__(self, store: Store) -> None:
        """Take the store, whose database also has the attempts."""
        self._store = store

    @property
    def is_restored(self) -> bool:
        """True once the database has the classes of its copy; see `Store.is_restored`."""
        return self._store.is_restored

    def add(self, quiz_class: QuizClass) -> None:
        """Store a class with its form."""
        from .class_tables import insert_class

        self._store.transact(partial(insert_class, quiz_class=quiz_class))
        self._store.copy(quiz_class, quiz_class.created_at)

    def classes(self) -> list[QuizClass]:
        """Return all classes, the oldest first."""
        from .class_tables import read_classes

        return self._store.transact(read_classes)

    def find(self, code: str) -> QuizClass | None:
        """Return the class with a code, or None."""
        from .class_tables import read_classes

        return next(iter(self._store.transact(partial(read_classes, code=code))), None)

    def find_named(self, text: str) -> QuizClass:
        """Return the class whose code a teacher has typed.

        Raises:
            ClassError: The text is not a code, or no class has this code.
        """
        code, _ = read_code(text)
        quiz_class = self.find(code)
        if quiz_class is None:
            raise ClassError(f"There is no class with the code {format_code(code)}.")
        return quiz_class

    def find_by_token(self, token: str) -> QuizClass | None:
        """Return the class whose results a token opens, or None."""
        wanted = hash_token(token)
        return next((entry for entry in self.classes() if hmac.compare_digest(entry.token_hash, wanted)), None)

    def start_run(self, quiz_class: QuizClass, nickname: str, phase: str) -> ClassRun:
        """Store and return a new run of a learner.

        Nicknames that `class_records.learner_of` takes for the same share the attempts.

        Raises:
            ClassError: The nickname has no attempt left in this test, or the class is full or deleted.
        """
        from sqlalchemy.exc import IntegrityError

        from .class_tables import count_runs, count_runs_of_learner, insert_run, read_classes

        def insert(connection: "Connection") -> ClassRun:
            if not read_classes(connection, quiz_class.code):
                raise ClassError("This class does not exist any more.")
            if count_runs(connection, quiz_class.code) >= MAX_RUNS:
                raise ClassError(f"This class has {MAX_RUNS:,} runs, and takes no more. Please tell your teacher.")
            number = 1 + count_runs_of_learner(connection, quiz_class.code, phase, nickname)
            if number > quiz_class.attempts_allowed:
                raise ClassError(_describe_limit(nickname, quiz_class.attempts_allowed))
            name, condition = secrets.token_urlsafe(12), assign_condition(quiz_class, nickname)
            run = ClassRun(name, quiz_class.code, nickname, number, phase, datetime.now(UTC), condition)
            try:
                insert_run(connection, run)
            except IntegrityError as error:
                raise _NumberTakenError from error
            return run

        for _ in range(_TRIES):
            try:
                run = self._store.transact(insert)
            except _NumberTakenError:
                continue
            self._store.copy(run, run.started_at)
            return run
        raise ClassError("This nickname has just started another run. Please try again.")

    def run(self, name: str) -> ClassRun | None:
        """Return the run of a class with a name, or None."""
        from .class_tables import read_runs

        return next(iter(self._store.transact(partial(read_runs, run=name))), None)

    def runs(self, code: str, period: Period = ALWAYS) -> list[ClassRun]:
        """Return the runs of a class that began in a period, in the order in which they were started."""
        from .class_tables import read_runs

        return [run for run in self._store.transact(partial(read_runs, code=code)) if run.started_at in period]

    def attempts(self, code: str, period: Period = ALWAYS) -> list[tuple[ClassRun, datetime, Attempt]]:
        """Return the attempts in the runs of a class that began in a period.

        They are in the order recorded, each with its run and its time in UTC.
        """
        from .class_tables import read_attempts, read_runs

        def read(connection: "Connection") -> list[tuple[ClassRun, datetime, Attempt]]:
            rows = read_attempts(connection, code)
            runs = {run.run: run for run in read_runs(connection, code) if run.started_at in period}
            return [(runs[row.run], to_utc(row.recorded_at), to_attempt(row)) for row in rows if row.run in runs]

        return self._store.transact(read)

    def report(self, quiz_class: QuizClass, bank: Bank, period: Period = ALWAYS) -> ClassReport:
        """Return the report on the runs of a class that began in a period."""
        attempts, runs = self.attempts(quiz_class.code, period), self.runs(quiz_class.code, period)
        return analyze_class(quiz_class, runs, attempts, bank, datetime.now(UTC))

    def delete(self, code: str) -> None:
        """Delete a class with its runs, and their attempts and feedback."""
        from .class_tables import delete_class

        self._store.transact(partial(delete_class, code=code))
        self._store.copy(ClassDeletion(code), datetime.now(UTC))

    def delete_expired(self) -> list[str]:
        """Delete the classes whose retention is over; return their codes."""
        now = datetime.now(UTC)
        codes = [quiz_class.code for quiz_class in self.classes() if quiz_class.expires_at <= now]
        for code in codes:
            self.delete(code)
        return codes


def _describe_limit(nickname: str, allowed: int) -> str:
    attempts = "the one attempt" if allowed == 1 else f"all {allowed} attempts"
    return (
        f"{nickname} has used {attempts} of this test. If that was somebody else, choose another nickname, and tell "
        "your teacher."
    )
