"""Threads that do jobs in the order in which they came, for callers who will not wait for ever."""

from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from threading import Thread
from typing import Any, TypeVar

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
