"""Serve the real app, and open the browser to look at it: for the screenshots and for the tests in tests/browser."""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parent.parent
START_SECONDS, END_SECONDS = 240, 120
CHROMIUM_ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@dataclass(frozen=True)
class Served:
    """The app in a process of its own."""

    address: str
    process: subprocess.Popen[bytes]


@contextmanager
def serve(program: Sequence[str] = ("app.py",), **environment: str) -> Iterator[str]:
    """Run app.py on a free port until the block ends; yield its address.

    Args:
        program: arguments of Python, where something else than app.py itself is to be served.
        environment: environment variables to add.

    What the quiz stores is gone with it, unless DATABASE_URL is among them.

    Raises:
        RuntimeError: the app ended, or could not be reached in time; the message holds what it said.
    """
    with serve_process(program, **environment) as served:
        yield served.address


@contextmanager
def serve_process(program: Sequence[str] = ("app.py",), **environment: str) -> Iterator[Served]:
    """Do the same for those who also have to do with the process, which may have ended before the block does."""
    port = _free_port()
    with tempfile.TemporaryFile("w+") as log, tempfile.TemporaryDirectory() as folder:
        database = f"sqlite:///{folder}/quiz.sqlite3"
        settings = {**os.environ, "HOST": "127.0.0.1", "PORT": str(port), "DATABASE_URL": database, **environment}
        process = subprocess.Popen(
            [sys.executable, *program], cwd=REPOSITORY, env=settings, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            if not _opens(process, port):
                log.seek(0)
                raise RuntimeError(f"the app does not listen to port {port}:\n{log.read()}")
            yield Served(f"http://127.0.0.1:{port}", process)
        finally:
            process.terminate()
            try:
                process.wait(timeout=END_SECONDS)
            finally:
                process.kill()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _opens(process: subprocess.Popen[bytes], port: int) -> bool:
    end = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return True
    return False
