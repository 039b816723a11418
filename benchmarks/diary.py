"""The record of a load test: response times, refusals, failures, and the memory of the app."""

import os
import statistics
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from benchmarks.gradio_http import BusyError

MEMORY_SECONDS = 5


class Diary:
    """The events of all visitors; threads may share it."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._lock = threading.Lock()
        self.milliseconds: defaultdict[str, list[float]] = defaultdict(list)
        self.busy: Counter[str] = Counter()
        self.errors: list[str] = []

    @contextmanager
    def timed(self, kind: str) -> Iterator[None]:
        """Note how long an event takes, or why there is none; go on after either."""
        start = time.perf_counter()
        try:
            yield
        except BusyError:
            with self._lock:
                self.busy[kind] += 1
        except (OSError, ValueError, KeyError) as error:
            with self._lock:
                self.errors.append(f"{kind}: {error!r}")
        else:
            with self._lock:
                self.milliseconds[kind].append((time.perf_counter() - start) * 1000)

    def summary(self) -> dict[str, Any]:
        """Return counts and times by kind of event."""
        return {
            kind: {"count": len(times), **percentiles(times), "busy": self.busy[kind]}
            for kind, times in sorted(self.milliseconds.items())
        }


@contextmanager
def memory_watched(process: int) -> Iterator[list[tuple[int, float]]]:
    """Yield a list to which pairs of second and resident memory in MB are added as long as the block runs."""
    seen: list[tuple[int, float]] = []
    done = threading.Event()
    start = time.monotonic()

    def watch() -> None:
        while not done.is_set():
            seen.append((round(time.monotonic() - start), megabytes(process)))
            done.wait(MEMORY_SECONDS)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        done.set()
        thread.join()


def megabytes(process: int) -> float:
    """Return the resident memory of a process in MB."""
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return round(pages * os.sysconf("SC_PAGE_SIZE") / 1e6, 1)


def tree_megabytes(process: int) -> tuple[float, float]:
    """Return the resident memory of a process, and that of it and all its descendants, in MB."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # ended meanwhile
            parents[int(path.parent.name)] = int(path.read_text().rsplit(")", 1)[1].split()[1])
    tree, own, total = {process}, megabytes(process), 0.0
    while found := {child for child, parent in parents.items() if parent in tree} - tree:
        tree |= found
    for member in tree:
        with suppress(OSError):
            total += megabytes(member)
    return own, total


def percentiles(times: list[float]) -> dict[str, int]:
    """Return the 50th, 95th and 99th percentile of times in milliseconds."""
    if len(times) < 2:
        return {f"p{part}_ms": round(times[0]) for part in (50, 95, 99)}
    cuts = statistics.quantiles(times, n=100, method="inclusive")
    return {f"p{part}_ms": round(cuts[part - 1]) for part in (50, 95, 99)}
