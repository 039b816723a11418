"""First answers: recorded in the store before anything is told, and remembered here for when the store is away."""

import logging
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import BoundedSemaphore, Lock

from .records import Attempt, Feedback, StoreError
from .store import Store

AT_ONCE = 8
SLOW_SECONDS = 1.0
PAUSE_SECONDS = 10.0


class Turns:
    """Lets few use a store at a time, and nobody for a while once it has failed slowly. Threads may share it.

    The app has 40 threads, and a database that hangs keeps each that asks it for seconds. One that fails at once
    costs nothing, and is asked again.
    """

    def __init__(self) -> None:
        self._free = BoundedSemaphore(AT_ONCE)
        self._paused_until = 0.0

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Take a turn, in which the store may be used.

        Raises:
            StoreError: there is none, or the store failed.
        """
        if time.monotonic() < self._paused_until or not self._free.acquire(timeout=SLOW_SECONDS):
            raise StoreError("This could not be saved or read: the database is busy. Please try again in a moment.")
        began = time.monotonic()
        try:
            yield
        except StoreError:
            if time.monotonic() - began > SLOW_SECONDS:
                self._paused_until = time.monotonic() + PAUSE_SECONDS
            raise
        finally:
            self._free.release()


MAX_RUNS = 2000
"""How many runs are remembered; the one used longest ago of those that the store has is forgotten first."""
MAX_UNKEPT = 20_000
"""How many runs are remembered that the store lacks answers of, while it is away."""

logger = logging.getLogger(__name__)


@dataclass
class _Run:
    """What is known of a run: first answers and hints by item, and the answers that the store lacks."""

    attempts: dict[str, Attempt] = field(default_factory=dict)
    hints: dict[str, int] = field(default_factory=dict)
    unkept: dict[str, Attempt] = field(default_factory=dict)


class Ledger:
    """Keeps the first answer to each item of each run. Threads may share it.

    While the store is away, the first answer to reach this process counts, and is stored when the store is back, if
    the run goes on by then. Hints are remembered in this process only.
    """

    def __init__(self, store: Store) -> None:
        """Keep the store."""
        self._store = store
        self._turns = Turns()
        self._runs: OrderedDict[str, _Run] = OrderedDict()
        self._lock = Lock()

    def record(self, attempt: Attempt) -> Attempt:
        """Record an attempt; return what counts: this one, or an earlier one of the same run at the same item."""
        with self._lock:
            run = self._known(attempt.run)
            if attempt.item_id not in run.attempts:
                run.attempts[attempt.item_id] = run.unkept[attempt.item_id] = attempt
        self.keep(attempt.run)
        return run.attempts[attempt.item_id]

    def keeps(self, name: str) -> bool:
        """Return whether the store has all recorded answers of a run."""
        with self._lock:
            return not self._known(name).unkept

    def keep(self, name: str) -> None:
        """Store what the store lacks of a run, if it can be stored now."""
        with self._lock:
            run = self._known(name)
            waiting = list(run.unkept.values())
        try:
            for attempt in waiting:
                with self._turns.turn():
                    run.attempts[attempt.item_id] = self._store.record(attempt)
                run.unkept.pop(attempt.item_id, None)
        except StoreError as error:
            logger.warning("An answer is not stored: %s", error)

    def attempts_of(self, name: str) -> list[Attempt]:
        """Return the attempts of a run that count; those of this process alone if the store is away."""
        try:
            with self._turns.turn():
                stored = {attempt.item_id: attempt for attempt in self._store.attempts_of(name)}
        except StoreError as error:
            logger.warning("Answers cannot be read: %s", error)
            stored = {}
        with self._lock:
            attempts = self._known(name).attempts
            attempts |= stored
            return list(attempts.values())

    def note_hints(self, name: str, item_id: str, hints: int) -> int:
        """Remember how many hints to an item were taken; return the most ever noted."""
        with self._lock:
            taken = self._known(name).hints
            taken[item_id] = max(hints, taken.get(item_id, 0))
            return taken[item_id]

    def record_feedback(self, feedback: Feedback) -> None:
        """Store what a learner said.

        Raises:
            StoreError: it could not be stored.
        """
        with self._turns.turn():
            self._store.record_feedback(feedback)

    def _known(self, name: str) -> _Run:
        run = self._runs.setdefault(name, _Run())
        self._runs.move_to_end(name)
        if len(self._runs) > MAX_RUNS:
            self._forget_one(but=name)
        return run

    def _forget_one(self, but: str) -> None:
        """Forget the run used longest ago that the store has, or any if it lacks too many."""
        kept = (name for name, run in self._runs.items() if not run.unkept and name != but)
        if (name := next(kept, None)) is not None:
            del self._runs[name]
            return
        if len(self._runs) > MAX_UNKEPT:  # the last one is in use
            _, run = self._runs.popitem(last=False)
            logger.error("%d answers are lost: the database has been away too long", len(run.unkept))
