"""Databases to test the store on: SQLite files, the PostgreSQL at TEST_POSTGRES_URL, and a line to it that can fail."""

import os
import socket
import threading
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest

from quiz.store import Attempt


def attempt(run: str = "run", item_id: str = "item", **changes: Any) -> Attempt:
    """Return a right answer at the first try, but for what is changed."""
    values: dict[str, Any] = {
        "item_version": 1,
        "answer": ("a",),
        "correct": True,
        "credit": 1.0,
        "first_try": True,
        "hints": 0,
        "confidence": None,
        "milliseconds": None,
    }
    return Attempt(run, item_id, **(values | changes))


def postgres_url() -> str:
    """Return the address of the PostgreSQL to test on, or skip."""
    url = os.environ.get("TEST_POSTGRES_URL")
    if not url:
        if os.environ.get("REQUIRE_ALL"):
            pytest.fail("REQUIRE_ALL is set, but TEST_POSTGRES_URL is not; .ci/run starts a database and sets it")
        pytest.skip("TEST_POSTGRES_URL is not set: there is no PostgreSQL to test on")
    return url


def drop_tables(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS quiz_attempts, quiz_feedback")


class Line:
    """A port that passes everything on to a PostgreSQL, until it is cut or hangs."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._folder = parse_qs(parts.query).get("host", [""])[0]
        self._target: Any = f"{self._folder}/.s.PGSQL.5432" if self._folder else (parts.hostname, parts.port or 5432)
        self._flows = threading.Event()
        self._flows.set()
        self._sockets: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._port = self._listener.getsockname()[1]
        self.url = f"postgresql://{parts.username}:{parts.password or ''}@127.0.0.1:{self._port}{parts.path}"
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def hang(self) -> None:
        """Pass nothing on, but keep every connection, until `go_on`."""
        self._flows.clear()

    def go_on(self) -> None:
        """Pass on what was held back, and what comes."""
        self._flows.set()

    def cut(self) -> None:
        """Close every connection and refuse new ones."""
        for one in [self._listener, *self._sockets]:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        self._sockets.clear()

    def mend(self) -> None:
        """Listen to the same port again."""
        self._listener = socket.create_server(("127.0.0.1", self._port))
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                here, _ = listener.accept()
                there = socket.socket(socket.AF_UNIX if self._folder else socket.AF_INET)
                there.connect(self._target)
                self._sockets += [here, there]
                for source, sink in [(here, there), (there, here)]:
                    threading.Thread(target=self._pass_on, args=(source, sink), daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                self._flows.wait()
                sink.sendall(data)
        with suppress(OSError):
            sink.shutdown(socket.SHUT_RDWR)
