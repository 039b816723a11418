"""First answers of each run: stored before any feedback is shown, and kept in memory while the store is unavailable."""

import logging
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import BoundedSemaphore, Lock, Timer

from .records import Attempt, Feedback, StoreError
from .store import Store

MAX_CALLS = 8
"""Calls to the store at a time; a database that hangs must not block all of the server's 40 threads."""
SLOW_SECONDS = 1.0
"""Longest wait for one of these calls, and the duration from which a failure counts as slow."""
PAUSE_SECONDS = 10.0
"""Pause after a slow failure, during which the store is not called. A store that fails at once is called again."""
RETRY_SECONDS = 30.0
"""Time after which answers that the store lacks are stored without a further step of the learner."""
MAX_RUNS = 2000
"""Runs kept in memory; beyond that, the least recently used one whose answers are all stored is dropped."""
MAX_UNSTORED = 20_000
"""Runs kept in memory while the store lacks answers of all of them."""

logger = logging.getLogger(__name__)


@dataclass
class _Run:
    """First answers and hints taken of a run, by item, and the answers that the store lacks."""

    attempts: dict[str, Attempt] = field(default_factory=dict)
    hints: dict[str, int] = field(default_factory=dict)
    unstored: dict[str, Attempt] = field(default_factory=dict)


class AnswerLog:
    """The first answer to each item of each run. Threads may share it.

    While the store is unavailable, the first answer that reaches this process counts. It is stored with the next step
    of its run, or after a while, once the store is available again. Hints are kept in memory only.
    """

    def __init__(self, store: Store) -> None:
        """Record answers in a store."""
        self._store = store
        self._free_calls = BoundedSemaphore(MAX_CALLS)
        self._paused_until = 0.0
        self._runs: OrderedDict[str, _Run] = OrderedDict()
        self._timer: Timer | None = None
        self._lock = Lock()

    def record(self, attempt: Attempt) -> Attempt:
        """Record an attempt.

        Returns:
            The attempt that counts: this one, or an earlier one of the same run at the same item.
        """
        with self._lock:
            run = self._run(attempt.run)
            if attempt.item_id not in run.attempts:
                run.attempts[attempt.item_id] = run.unstored[attempt.item_id] = attempt
        self.store_pending(attempt.run)
        return run.attempts[attempt.item_id]

    def is_stored(self, name: str) -> bool:
        """Return whether the store has all recorded answers of a run."""
        with self._lock:
            return not self._run(name).unstored

    def store_pending(self, name: str) -> None:
        """Store the answers of a run that the store lacks, if it is available."""
        with self._lock:
            run = self._run(name)
            pending = list(run.unstored.values())
        try:
            for attempt in pending:
                with self.store_call():
                    run.attempts[attempt.item_id] = self._store.record(attempt)
                run.unstored.pop(attempt.item_id, None)
        except StoreError as error:
            logger.warning("An answer is not stored: %s", error)
            self._retry_later()

    def _retry_later(self) -> None:
        """Store what the store lacks after a while: the last answer of a run has no further step."""
        with self._lock:
            if self._timer is None:
                self._timer = Timer(RETRY_SECONDS, self._retry)
                self._timer.daemon = True
                self._timer.start()

    def _retry(self) -> None:
        with self._lock:
            self._timer = None
            waiting = [name for name, run in self._runs.items() if run.unstored]
        for name in waiting:
            self.store_pending(name)
            if not self.is_stored(name):  # the store is still unavailable, and another retry is to come
                return

    def attempts_of(self, name: str) -> list[Attempt]:
        """Return the attempts of a run that count; if the store is unavailable, those of this process only."""
        try:
            with self.store_call():
                stored = {attempt.item_id: attempt for attempt in self._store.attempts_of(name)}
        except StoreError as error:
            logger.warning("Answers cannot be read: %s", error)
            stored = {}
        with self._lock:
            attempts = self._run(name).attempts
            attempts |= stored
            return list(attempts.values())

    def note_hints(self, name: str, item_id: str, hints: int) -> int:
        """Note the number of hints taken for an item of a run; return the largest number noted so far."""
        with self._lock:
            noted = self._run(name).hints
            noted[item_id] = max(hints, noted.get(item_id, 0))
            return noted[item_id]

    def record_feedback(self, feedback: Feedback) -> None:
        """Store feedback.

        Raises:
            StoreError: It could not be stored.
        """
        with self.store_call():
            self._store.record_feedback(feedback)

    @contextmanager
    def store_call(self) -> Iterator[None]:
        """Guard a block that calls the store.

        Raises:
            StoreError: The store failed, is paused, or too many calls are waiting for it.
        """
        if time.monotonic() < self._paused_until or not self._free_calls.acquire(timeout=SLOW_SECONDS):
            raise StoreError("This could not be saved or read: the database is busy. Please try again in a moment.")
        start = time.monotonic()
        try:
            yield
        except StoreError:
            if time.monotonic() - start > SLOW_SECONDS:
                self._paused_until = time.monotonic() + PAUSE_SECONDS
            raise
        finally:
            self._free_calls.release()

    def _run(self, name: str) -> _Run:
        run = self._runs.setdefault(name, _Run())
        self._runs.move_to_end(name)
        if len(self._runs) > MAX_RUNS:
            self._drop_run(in_use=name)
        return run

    def _drop_run(self, in_use: str) -> None:
        """Drop the least recently used run that is stored, or any run if too many are not."""
        stored = (name for name, run in self._runs.items() if not run.unstored and name != in_use)
        if (name := next(stored, None)) is not None:
            del self._runs[name]
        elif len(self._runs) > MAX_UNSTORED:
            _, run = self._runs.popitem(last=False)
            logger.error("%d answers are lost: the database was unavailable for too long", len(run.unstored))
