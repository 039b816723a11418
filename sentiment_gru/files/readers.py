"""Open files of texts for the page, the API and the command line, in processes with limited memory and time.

A few hundred bytes of Parquet or XLSX can expand to gigabytes, so an unchecked file is parsed by a worker: a process
that runs `work`, and can be killed without harm to the app. It sends the rows as messages on its standard output. Each
is its length (8 bytes, big-endian) and a pickled pair of kind and content.

This module imports neither torch nor Gradio, so that a worker starts in a tenth of a second.
"""

import os
import pickle
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import IO, Any, BinaryIO

from ..errors import FileError
from .formats import SUFFIXES as SUFFIXES
from .formats import open_content, read_table
from .table import Limits, Row, Table, cell_size, check_cells, read_no_rows, survey
from .text_files import open_pasted_lines

MOST_PASTED = 200_000  # pasted lines stay in memory, for each visitor
MAX_MESSAGE_BYTES = 256_000_000
WORKERS = threading.BoundedSemaphore(2)  # files that are read at once
SLOT_SECONDS = 60.0
PACKAGE_ROOT = Path(__file__).parent.parent.parent
PASSED_VARIABLES = ("HOME", "LANG", "LC_ALL", "PATH", "SYSTEMROOT", "TZ")  # and no secret of the app
SETTINGS = {
    "ARROW_DEFAULT_MEMORY_POOL": "system",  # the others reserve memory that counts towards the limit
    "MALLOC_ARENA_MAX": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}
NICENESS = 5  # verdicts go before files
OUT_OF_MEMORY = 71  # exit status: the memory limit leaves no room for a message
HEADER_BYTES = 8
MESSAGE_BYTES = 1_000_000  # size of cells after which rows are sent
MESSAGE_ROWS = 1_000
NO_MEMORY = "this file needs too much memory to read"
NO_TIME = "this file takes too long to read"


@dataclass(frozen=True)
class Request:
    """A file to read.

    Attributes:
        path: the file.
        limits: limits of the file and of the worker.
        header: whether the first row holds the column names; None to detect it.
        send_rows: send all rows; otherwise the described table without them.
    """

    path: Path
    limits: Limits
    header: bool | None
    send_rows: bool


def open_table(path: Path, limits: Limits | None = None, header: bool | None = None) -> Table:
    """Pass over a file once and describe it; scoring reads its rows again.

    Args:
        path: CSV, TSV, XLSX, JSON lines, Parquet or plain lines, according to the suffix.
        limits: Largest file, and resources for reading it; by default only memory is limited.
        header: Whether the first row of CSV, TSV and XLSX holds the column names; None to detect it.

    Raises:
        FileError: The file cannot be read, or exceeds a limit; the message names the fault.
    """
    limits = limits or Limits()
    with closing(_receive(Request(path, limits, header, send_rows=False))) as messages:
        table: Table = next(messages)
    read = partial(_read_rows, Request(path, limits, table.content.header, send_rows=True))
    return replace(table, content=replace(table.content, read=read))


def open_pasted(text: str, limits: Limits) -> Table:
    """Describe pasted lines, one text each.

    Raises:
        FileError: There is no line, or there are too many lines or characters.
    """
    if not text.strip():
        raise FileError("there is no line to score")
    if len(text) > MOST_PASTED:
        raise FileError(f"these are {len(text):,} characters; up to {MOST_PASTED:,} can be pasted, more in a file")
    return survey(None, ".txt", open_pasted_lines(text), limits)


def _read_rows(request: Request) -> Generator[Row]:
    with closing(_receive(request)) as messages:
        for rows in messages:
            yield from rows


def _receive(request: Request) -> Generator[Any]:
    """Yield the content of a worker's messages.

    Raises:
        FileError: The worker refused the file, or was stopped at a limit.
        RuntimeError: The worker failed for another reason, which is a fault of this package.
    """
    with _start_worker(request) as process:
        clock = _Clock(process, request.limits.seconds)
        while (message := clock.wait_for_message()) is not None:
            kind, content = pickle.loads(message)
            if kind == "refused":
                raise FileError(content)
            if kind == "failed":
                raise RuntimeError(f"a reading process failed:\n{content}")
            if kind == "end":
                return
            yield content
        raise FileError(_explain_end(process.wait(), clock.expired))


@contextmanager
def _start_worker(request: Request) -> Iterator["subprocess.Popen[bytes]"]:
    if not WORKERS.acquire(timeout=SLOT_SECONDS):
        raise FileError("other files are being read; try again in a minute")
    try:
        variables = {name: os.environ[name] for name in PASSED_VARIABLES if name in os.environ}
        process = subprocess.Popen(
            [sys.executable, "-c", "from sentiment_gru.files.readers import work; work()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=variables | SETTINGS | {"PYTHONPATH": str(PACKAGE_ROOT)},
            start_new_session=True,  # Ctrl-C reaches this process alone, which then stops the worker
        )
        try:
            assert process.stdin is not None
            with process.stdin as stdin:
                pickle.dump(request, stdin)
            yield process
        finally:
            process.kill()
            process.wait()
            assert process.stdout is not None
            process.stdout.close()
    finally:
        WORKERS.release()


class _Clock:
    """Wait for messages of a worker, and kill it once the total waiting time exceeds a limit."""

    def __init__(self, process: "subprocess.Popen[bytes]", seconds: float | None) -> None:
        self.process, self.seconds_left, self.expired = process, seconds, False

    def wait_for_message(self) -> bytes | None:
        """Return the next message, or None if the worker has ended."""
        assert self.process.stdout is not None
        if self.seconds_left is None:
            return _read_message(self.process.stdout)
        timer = threading.Timer(self.seconds_left, self._expire)
        timer.daemon = True
        start = time.monotonic()
        timer.start()
        try:
            return _read_message(self.process.stdout)
        finally:
            timer.cancel()
            self.seconds_left = max(0.0, self.seconds_left - (time.monotonic() - start))

    def _expire(self) -> None:
        self.expired = True
        self.process.kill()


def _read_message(pipe: IO[bytes]) -> bytes | None:
    header = pipe.read(HEADER_BYTES)
    if len(header) < HEADER_BYTES:
        return None
    size = int.from_bytes(header, "big")
    if size > MAX_MESSAGE_BYTES:
        raise FileError(NO_MEMORY)
    message = pipe.read(size)
    return message if len(message) == size else None


def _explain_end(status: int, expired: bool) -> str:
    """Return why a worker ended without an answer, from its exit status (negative for a signal)."""
    if expired or status == -signal.SIGXCPU:
        return NO_TIME
    if status in (OUT_OF_MEMORY, -signal.SIGKILL, -signal.SIGABRT):
        return NO_MEMORY
    return "the file is damaged and cannot be read"


def work() -> None:
    """Serve the one request on standard input."""
    output = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a library prints must not mix with the messages
    request: Request = pickle.load(sys.stdin.buffer)
    _limit_resources(request.limits)
    try:
        for kind, content in _answer(request):
            _send(output, kind, content)
    except MemoryError:
        os._exit(OUT_OF_MEMORY)
    except FileError as error:
        _send(output, "refused", str(error))
    except Exception:
        _send(output, "failed", traceback.format_exc())


def _limit_resources(limits: Limits) -> None:
    """Bound the memory and processor time of this process, where the system offers it.

    RLIMIT_DATA counts private writable memory (Linux 4.7 or later), unlike RLIMIT_AS, which also counts addresses
    that are only reserved. Source: man 2 getrlimit.
    """
    try:
        import resource
    except ImportError:  # Windows
        return
    os.nice(NICENESS)
    memory = limits.memory_megabytes * 1_000_000
    resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if limits.cpu_seconds is not None:
        resource.setrlimit(resource.RLIMIT_CPU, (limits.cpu_seconds, limits.cpu_seconds + 1))


def _answer(request: Request) -> Iterator[tuple[str, Any]]:
    """Yield the messages that answer a request: one table, or lists of rows; then the end."""
    if request.send_rows:
        content = open_content(request.path, request.limits, request.header)
        for rows in _group_rows(content.read(), request.limits):
            yield "rows", rows
    else:
        table = read_table(request.path, request.limits, request.header)
        yield "table", replace(table, content=replace(table.content, read=read_no_rows))
    yield "end", None


def _group_rows(rows: Iterable[Row], limits: Limits) -> Iterator[list[Row]]:
    group: list[Row] = []
    size = cells = 0
    for row in rows:
        group.append(row)
        cells += len(row.cells)
        check_cells(cells, limits)  # the file may have been replaced since it was described
        size += sum(map(cell_size, row.cells))
        if len(group) == MESSAGE_ROWS or size >= MESSAGE_BYTES:
            yield group
            group, size = [], 0
    if group:
        yield group


def _send(output: BinaryIO, kind: str, content: Any) -> None:
    """Write one message."""
    message = pickle.dumps((kind, content), pickle.HIGHEST_PROTOCOL)
    output.write(len(message).to_bytes(HEADER_BYTES, "big"))
    output.write(message)
    output.flush()
