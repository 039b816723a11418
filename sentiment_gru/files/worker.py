"""Read a file in this process, which `readers` starts and limits, and send the rows to the process that started it.

Imports neither torch nor Gradio, so that it starts in a tenth of a second. Each message on standard output is its
length (8 bytes, big-endian) and a pickled pair of kind and content.
"""

import os
import pickle
import sys
import traceback
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

from ..errors import FileError
from .formats import open_content, read_table
from .table import Limits, Row, cell_size, check_cells, read_no_rows

NICENESS = 5  # verdicts go before files
OUT_OF_MEMORY = 71  # exit status: the memory limit leaves no room for a message
HEADER_BYTES = 8
MESSAGE_BYTES = 1_000_000  # size of cells after which rows are sent
MESSAGE_ROWS = 1_000


@dataclass(frozen=True)
class Request:
    """A file to read.

    Attributes:
        path: the file.
        limits: limits of the file and of this process.
        header: whether the first row holds the column names; None to detect it.
        send_rows: send all rows; otherwise the described table without them.
    """

    path: Path
    limits: Limits
    header: bool | None
    send_rows: bool


def main() -> None:
    """Serve the one request on standard input."""
    output = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a library prints must not mix with the messages
    request: Request = pickle.load(sys.stdin.buffer)
    limit_resources(request.limits)
    try:
        for kind, content in answer(request):
            send(output, kind, content)
    except MemoryError:
        os._exit(OUT_OF_MEMORY)
    except FileError as error:
        send(output, "refused", str(error))
    except Exception:
        send(output, "failed", traceback.format_exc())


def limit_resources(limits: Limits) -> None:
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


def answer(request: Request) -> Iterator[tuple[str, Any]]:
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


def send(output: BinaryIO, kind: str, content: Any) -> None:
    """Write one message."""
    message = pickle.dumps((kind, content), pickle.HIGHEST_PROTOCOL)
    output.write(len(message).to_bytes(HEADER_BYTES, "big"))
    output.write(message)
    output.flush()
