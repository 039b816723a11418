"""Turns at something that may hang, so that those who wait for it do not hold up everybody else."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

from .records import StoreError

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
