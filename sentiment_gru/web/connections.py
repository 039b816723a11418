"""Limits of bare connections, which no middleware sees: uvicorn itself lets a connection that sends nothing stay.

The class extends uvicorn's HTTP/1.1 protocol, whose `cycle` is the request in progress:
https://github.com/encode/uvicorn/blob/main/uvicorn/protocols/http/h11_impl.py
"""

import asyncio
import resource
from collections import Counter
from typing import Any, ClassVar

from uvicorn.protocols.http.h11_impl import H11Protocol

CONNECTIONS = 1000
"""Connections of one peer at a time. An open page holds one, and up to six while it loads."""
HEADER_SECONDS = 20.0
"""Seconds in which a connection must send the complete header of a request."""
DESCRIPTORS = 65_536


class LimitedProtocol(H11Protocol):
    """HTTP/1.1 with a limited number of connections of a peer, and a deadline for the header of a request."""

    max_connections = CONNECTIONS
    header_seconds = HEADER_SECONDS
    open_connections: ClassVar[Counter[str]] = Counter()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Accept a connection, or close it if its peer has too many."""
        super().connection_made(transport)
        self._peer = self.client[0] if self.client else ""
        self._deadline: asyncio.TimerHandle | None = None
        self.open_connections[self._peer] += 1
        if self.open_connections[self._peer] > self.max_connections:
            transport.close()
        else:
            self._start_deadline()

    def data_received(self, data: bytes) -> None:
        """Handle data; between two requests, the deadline of the next header begins with its first byte."""
        super().data_received(data)
        if self._in_request():
            self._stop_deadline()
        elif self._deadline is None:
            self._start_deadline()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._stop_deadline()
        self.open_connections[self._peer] -= 1
        if self.open_connections[self._peer] <= 0:
            del self.open_connections[self._peer]
        super().connection_lost(exc)

    def _in_request(self) -> bool:
        cycle: Any = self.cycle
        return cycle is not None and not cycle.response_complete

    def _start_deadline(self) -> None:
        self._deadline = self.loop.call_later(self.header_seconds, self._close_idle)

    def _stop_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _close_idle(self) -> None:
        self._deadline = None
        if not self._in_request() and not self.transport.is_closing():
            self.transport.close()


class ProxiedProtocol(LimitedProtocol):
    """The same for an app behind a proxy, where every connection has the same peer: no limit of their number."""

    max_connections = DESCRIPTORS


def raise_descriptor_limit() -> int:
    """Raise the soft limit of file descriptors to at most `DESCRIPTORS`, and return it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        return wanted
    return soft
