"""Helpers for tests of the store: attempts, databases of each kind, and a database proxy that can fail.

The PostgreSQL is that at TEST_POSTGRES_URL.
"""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest

from quiz.store import Attempt, Store


def attempt(run: str = "run", item_id: str = "item", **changes: Any) -> Attempt:
    """Return a right answer at the first try, with the given changes."""
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
    """Return the URL of the PostgreSQL for tests, or skip the test."""
    url = os.environ.get("TEST_POSTGRES_URL")
    if not url:
        if os.environ.get("REQUIRE_ALL"):
            pytest.fail("REQUIRE_ALL is set, but TEST_POSTGRES_URL is not; .ci/run starts a database and sets it")
        pytest.skip("TEST_POSTGRES_URL is not set")
    return url


def drop_tables(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "DROP TABLE IF EXISTS quiz_attempts, quiz_feedback, quiz_classes, quiz_class_items, quiz_class_runs"
        )


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the URL of an empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'quiz.sqlite3'}"
    drop_tables(postgres_url())
    return postgres_url()


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    store = Store(url)
    yield store
    store.close()


class DatabaseProxy:
    """A port that forwards connections to a PostgreSQL, and can stop or hang."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._folder = parse_qs(parts.query).get("host", [""])[0]
        self._target: Any = f"{self._folder}/.s.PGSQL.5432" if self._folder else (parts.hostname, parts.port or 5432)
        self._forwarding = threading.Event()
        self._forwarding.set()
        self._sockets: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._port = self._listener.getsockname()[1]
        self.url = f"postgresql://{parts.username}:{parts.password or ''}@127.0.0.1:{self._port}{parts.path}"
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def hang(self) -> None:
        """Forward nothing, but keep all connections, until `resume` is called."""
        self._forwarding.clear()

    def resume(self) -> None:
        """Forward the data held back, and all that follows."""
        self._forwarding.set()

    def stop(self) -> None:
        """Close all connections and refuse new ones."""
        for connection in [self._listener, *self._sockets]:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()
        self._sockets.clear()

    def restart(self) -> None:
        """Listen to the same port again."""
        self._listener = socket.create_server(("127.0.0.1", self._port))
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                server = socket.socket(socket.AF_UNIX if self._folder else socket.AF_INET)
                server.connect(self._target)
                self._sockets += [client, server]
                for source, sink in [(client, server), (server, client)]:
                    threading.Thread(target=self._forward, args=(source, sink), daemon=True).start()

    def _forward(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                self._forwarding.wait()
                sink.sendall(data)
        with suppress(OSError):
            sink.shutdown(socket.SHUT_RDWR)
