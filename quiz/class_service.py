"""The steps of a learner in a class: a code opens it, a run begins, and an exam reveals nothing before its deadline.

While an exam is open, its questions, and those that give them away, are asked in no run that would reveal their keys:
`is_withheld` tells this of a run in a class, and `reserved` names the questions, which a run outside of classes leaves
out.
"""

import hashlib
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Lock
from typing import TypeVar

from itsdangerous import BadData, URLSafeSerializer

from .answer_log import AnswerLog
from .bank import Bank
from .class_records import TEXT, ClassRun, QuizClass, read_nickname
from .class_store import ClassStore
from .classes import (
    describe_class,
    find_revealing,
    format_code,
    items_of_run,
    random_nickname,
    read_code,
    seed_of_run,
)
from .errors import ClassError, ClassUnavailableError, TokenError
from .records import StoreError
from .session import Session
from .store import Store

CACHE_SECONDS = 10.0
"""Time after which the classes are read again; a new exam in another process is known after it."""
PURGE_SECONDS = 3600.0
"""Time between two searches for classes whose retention is over."""
CLASS_SCOPE = "class"
"""The scope of a run in a class; it cannot be chosen from the list."""
CLOSED = "The deadline of this class has passed. Your answers until then count."
DELETED = "The class of your run has been deleted, with all its answers."
_UNREADABLE = "The run in a class that is saved in this browser cannot be read here."

Result = TypeVar("Result")
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Sitting:
    """A learner's run in a class."""

    quiz_class: QuizClass
    run: ClassRun

    @property
    def is_text_only(self) -> bool:
        """True if the learner is to see the lesson as text only."""
        return self.run.condition == TEXT


class ClassService:
    """A service that opens classes and begins and resumes runs in them. Threads may share it."""

    def __init__(self, bank: Bank, store: Store, answers: AnswerLog, secret: bytes) -> None:
        """Take the questions, the store, the log whose limit of calls applies, and the secret that signs tokens."""
        self._bank, self._store, self._answers = bank, ClassStore(store), answers
        self._serializer = URLSafeSerializer(
            secret,
            salt="gru-quiz-class-run-1",
            signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256},
        )
        self._classes: dict[str, QuizClass] = {}
        self._reserved = frozenset[str](), frozenset[str]()  # questions of exams; these, and those that give them away
        self._read_at: float | None = None
        self._purged_at: float | None = None
        self._lock = Lock()

    def find(self, text: str) -> tuple[QuizClass, str]:
        """Return the class of a code, and the test that the code names.

        Raises:
            ClassError: There is no such class or test, its questions have changed, or the database fails.
        """
        code, phase = read_code(text)
        quiz_class = self._call(lambda: self._store.find(code))
        if quiz_class is None:
            self._require_restored()
            raise ClassError(f"There is no class with the code {format_code(code)}. Please check it.")
        if phase not in quiz_class.phases:
            names = " and ".join(format_code(code, phase) for phase in quiz_class.phases)
            kind = "two tests" if quiz_class.pre_post else "one test"
            raise ClassError(f"This class has {kind}: {names}.")
        return quiz_class, phase

    def describe(self, text: str) -> tuple[QuizClass, str, str]:
        """Return the class of a code, the test, and a few words on it; see `find`."""
        quiz_class, phase = self.find(text)
        if quiz_class.is_closed(_now()):
            return quiz_class, phase, "The deadline has passed, so no new run can begin."
        return quiz_class, phase, describe_class(quiz_class)

    def begin(self, text: str, nickname: str, earlier: str | None = None) -> Sitting:
        """Begin a run.

        Args:
            text: The code.
            nickname: The learner's nickname, or nothing.
            earlier: The nickname that the learner had in this class before, for a learner who gives none.

        Raises:
            ClassError: The class cannot be opened, is closed, or the nickname is not allowed or has no attempt left.
        """
        quiz_class, phase = self.find(text)
        if quiz_class.is_closed(_now()):
            raise ClassError("The deadline of this class has passed, so no new run can begin.")
        name = read_nickname(nickname) or earlier or random_nickname()
        run = ClassRun("", quiz_class.code, name, 1, phase, _now())
        items_of_run(self._bank, quiz_class, run)  # refuses a class whose questions have changed
        return Sitting(quiz_class, self._call(lambda: self._store.start_run(quiz_class, name, phase)))

    def sign(self, sitting: Sitting) -> str:
        """Return the token of a run, which the browser saves."""
        return str(self._serializer.dumps(sitting.run.run))

    def resume(self, token: object) -> Sitting:
        """Return the run of a token.

        Raises:
            TokenError: The token is not signed with this secret.
            ClassError: The class is deleted.
            ClassUnavailableError: The database fails.
        """
        try:
            name = self._serializer.loads(token) if isinstance(token, str) else None
        except (BadData, UnicodeError) as error:
            raise TokenError(_UNREADABLE) from error
        if not isinstance(name, str):
            raise TokenError(_UNREADABLE)
        run = self._call(lambda: self._store.run(name))
        quiz_class = self._call(lambda: self._store.find(run.code)) if run else None
        if run is None or quiz_class is None:
            self._require_restored()
            raise ClassError(DELETED)
        return Sitting(quiz_class, run)

    def session_of(self, sitting: Sitting) -> Session:
        """Return the run's session, without answers.

        Raises:
            ClassError: The questions of the class have changed.
        """
        items = items_of_run(self._bank, sitting.quiz_class, sitting.run)
        is_first = sitting.run.attempt_number == 1
        seen = frozenset[str]() if is_first else frozenset(item.id for item in items)
        return Session(sitting.run.run, CLASS_SCOPE, seed_of_run(sitting.run), items, seen)

    def check(self, sitting: Sitting) -> None:
        """Check that a run may go on.

        Raises:
            ClassError: The class is deleted, or closed.
        """
        if self.is_closed(sitting):
            raise ClassError(CLOSED)
        try:
            with self._answers.store_call():
                is_deleted = self._store.run(sitting.run.run) is None
        except StoreError:  # the answer is kept in memory until the database is back
            return
        if is_deleted:
            raise ClassError(DELETED)

    def is_closed(self, sitting: Sitting) -> bool:
        """Return whether the deadline of a run's class has passed."""
        return sitting.quiz_class.is_closed(_now())

    def is_withheld(self, sitting: Sitting) -> bool:
        """Return whether keys, marks and scores of a run are withheld: in an exam, or with a reserved question."""
        if sitting.quiz_class.is_exam(_now()):
            return True
        reserved = self.reserved()
        return any(item.item_id in reserved for item in sitting.quiz_class.items)

    def reserved(self) -> frozenset[str]:
        """Return the ids of the questions of open exams, and of those that give one of them away."""
        now = _now()
        exams = [quiz_class for quiz_class in self._known().values() if quiz_class.is_exam(now)]
        ids = frozenset(item.item_id for quiz_class in exams for item in quiz_class.items)
        found = self._reserved
        if found[0] != ids:
            self._reserved = found = ids, find_revealing(self._bank, ids)
        return found[1]

    def _known(self) -> dict[str, QuizClass]:
        """Return all classes by code, as read within `CACHE_SECONDS`, or earlier while they are read or cannot be."""
        if _is_recent(self._read_at, CACHE_SECONDS) or not self._lock.acquire(blocking=self._read_at is None):
            return self._classes
        try:
            if not _is_recent(self._read_at, CACHE_SECONDS):
                self._read_classes()
                self._read_at = time.monotonic()
        finally:
            self._lock.release()
        return self._classes

    def _read_classes(self) -> None:
        """Read the classes, and delete those whose retention is over once in `PURGE_SECONDS`."""
        try:
            with self._answers.store_call():
                if not _is_recent(self._purged_at, PURGE_SECONDS):
                    self._store.delete_expired()
                    self._purged_at = time.monotonic()
                self._classes = {entry.code: entry for entry in self._store.classes()}
        except StoreError as error:
            logger.warning("The classes cannot be read: %s", error)

    def _require_restored(self) -> None:
        """Check that a class that is not in the database is not in its copy either.

        Raises:
            ClassUnavailableError: The copy is not read yet, as just after a restart.
        """
        if not self._store.is_restored:
            raise ClassUnavailableError("The classes are being read from their copy. Please try again in a minute.")

    def _call(self, job: Callable[[], Result]) -> Result:
        """Return the result of a job that calls the store.

        Raises:
            ClassUnavailableError: The database fails.
        """
        try:
            with self._answers.store_call():
                return job()
        except StoreError as error:
            raise ClassUnavailableError(str(error)) from error


def _now() -> datetime:
    return datetime.now(UTC)


def _is_recent(moment: float | None, seconds: float) -> bool:
    return moment is not None and time.monotonic() - moment < seconds
