"""Limits per client address, of rates, shares and connections: enough for a class behind one address, not for a flood.

The `limits` library is not used: its memory storage reads the wall clock, so that a clock set back locks clients out,
its number of remembered clients is unbounded, and it has no fractional costs.
"""

import asyncio
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import IPv6Address, ip_address
from threading import Lock
from typing import Any, ClassVar

import gradio as gr
from uvicorn.protocols.http.h11_impl import H11Protocol

from .responses import RefusalError

MAX_CLIENTS = 10_000
UNKNOWN = "unknown"
# Burst, and rate per second. A page takes about 80 requests for files; a learner sends an event every few seconds.
PAGES = (8000.0, 100.0)
EVENTS = (800.0, 40.0)
UPLOADED_MEGABYTES = (2000.0, 0.5)
# Of events whose body is larger than FREE_BYTES. The longest text, 200,000 letters, is 0.2 MB.
TEXT_MEGABYTES = (4.0, 0.04)
FREE_BYTES = 20_000
FEEDBACK = (100.0, 1 / 30)
CLASS_RUNS = (500.0, 1 / 10)
CONNECTIONS = 1000
"""Connections of one peer at a time. An open page holds one, and up to six while it loads."""
HEADER_SECONDS = 20.0
"""Seconds in which a connection must send the complete header of a request."""
DESCRIPTORS = 65_536
UPLOAD_PATH = "/gradio_api/upload"
BUSY = "Busy: too many visitors are here at this moment. Nothing you entered is lost; try again in a few seconds."
CLOSE = {"Connection": "close"}
_MEGABYTE = 1_000_000


class TokenBuckets:
    """One token bucket for each client, full at first. Threads may share the buckets.

    Memory is bounded: beyond `max_clients`, the client not seen for the longest time is forgotten, and its bucket is
    full again.
    """

    def __init__(
        self,
        burst: float,
        per_second: float,
        max_clients: int = MAX_CLIENTS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Let each bucket hold `burst` tokens, and gain `per_second` tokens a second."""
        self._burst, self._per_second, self._max_clients, self._clock = burst, per_second, max_clients, clock
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()  # tokens, and the time of that level
        self._lock = Lock()

    def take(self, client: str, cost: float = 1.0) -> float:
        """Take tokens and return 0, or take none and return the seconds until there are enough.

        A cost above `burst` takes a full bucket.
        """
        with self._lock:
            now = self._clock()
            level, since = self._levels.pop(client, (self._burst, now))
            level = min(self._burst, level + (now - since) * self._per_second)
            missing = min(cost, self._burst) - level
            self._levels[client] = (level if missing > 0 else max(0.0, level - cost), now)
            while len(self._levels) > self._max_clients:
                self._levels.popitem(last=False)
        return missing / self._per_second if missing > 0 else 0.0

    def __len__(self) -> int:
        """Return the number of remembered clients."""
        return len(self._levels)


def client_address(scope: Any, behind_proxy: bool) -> str:
    """Return the address of the client of an ASGI request; for IPv6, the /64 network, which one household has.

    Args:
        scope: The ASGI scope.
        behind_proxy: Whether a proxy appends the address that it sees to X-Forwarded-For, as on Hugging Face Spaces.
            Entries before the last one come from the client, which may have invented them. Elsewhere uvicorn reads
            the header, and only from the proxies in FORWARDED_ALLOW_IPS.
    """
    address = (scope.get("client") or (UNKNOWN,))[0]
    if behind_proxy:
        forwarded = [value for name, value in scope["headers"] if name.lower() == b"x-forwarded-for"]
        if forwarded:
            address = forwarded[-1].decode("latin-1").rsplit(",", 1)[-1].strip()
    try:
        parsed = ip_address(address)
    except ValueError:
        return UNKNOWN
    if isinstance(parsed, IPv6Address):
        parsed = parsed.ipv4_mapped or IPv6Address(int(parsed) >> 64 << 64)
    return str(parsed)


class Allowances:
    """The rates of one client address: pages, events, megabytes of text, and megabytes of uploads."""

    def __init__(self, factor: float, largest_upload: int) -> None:
        """Multiply every limit by a factor, where 0 means no limit. An upload of unknown size costs the largest."""
        self._largest_upload = largest_upload
        self._pages, self._events, self._texts, self._uploads = (
            TokenBuckets(factor * burst, factor * rate) if factor else None
            for burst, rate in (PAGES, EVENTS, TEXT_MEGABYTES, UPLOADED_MEGABYTES)
        )

    def charge_request(self, scope: Any, address: str) -> float:
        """Charge a request by its header; return 0, or the seconds to wait if the allowance is used up."""
        if scope["method"] in ("GET", "HEAD", "OPTIONS"):
            return _take(self._pages, address)
        if is_upload(scope):
            cost = max(1.0, self._upload_bytes(scope) / _MEGABYTE)
            return _take(self._uploads, address, cost)
        return _take(self._events, address)

    def charge_text(self, size: int, address: str) -> float:
        """Charge the body of an event by its bytes; return 0, or the seconds to wait."""
        return _take(self._texts, address, size / _MEGABYTE) if size > FREE_BYTES else 0.0

    def _upload_bytes(self, scope: Any) -> int:
        length = dict(scope["headers"]).get(b"content-length", b"")
        valid = length.isdigit() and len(length) < 16
        return min(int(length), self._largest_upload) if valid else self._largest_upload


def _take(buckets: TokenBuckets | None, client: str, cost: float = 1.0) -> float:
    return 0.0 if buckets is None else buckets.take(client, cost)


def is_upload(scope: Any) -> bool:
    """Return whether a request uploads files."""
    return bool(scope["path"].rstrip("/").endswith(UPLOAD_PATH))


class CallLimit:
    """Rate limit per client address of what is stored, such as feedback; each counts as an event, too."""

    def __init__(self, allowance: tuple[float, float], factor: float = 1.0, behind_proxy: bool = False) -> None:
        """Take burst and rate per second, multiplied by a factor, where 0 means no limit."""
        burst, rate = allowance
        self._buckets = TokenBuckets(burst * factor, rate * factor) if factor else None
        self._behind_proxy = behind_proxy

    def __call__(self, request: gr.Request) -> bool:
        """Count one call, and return whether it is within the limit."""
        return self._buckets is None or not self._buckets.take(
            client_address(request.request.scope, self._behind_proxy)
        )


class Shares:
    """A limited amount of something, of which one address gets only a part."""

    def __init__(self, total: float, of_address: float) -> None:
        """Take the total amount and the part that one address may hold."""
        self._total, self._of_address = total, of_address
        self._held: Counter[str] = Counter()
        self._sum = 0

    def acquire(self, address: str, amount: int = 1) -> None:
        """Hold an amount.

        Raises:
            RefusalError: The total or the part of the address is used up.
        """
        if self._sum + amount > self._total or self._held[address] + amount > self._of_address:
            raise RefusalError(503, BUSY, {"Retry-After": "3"} | CLOSE)
        self._held[address] += amount
        self._sum += amount

    def release(self, address: str, amount: int = 1) -> None:
        """Give an amount back."""
        self._held[address] -= amount
        self._sum -= amount
        if not self._held[address]:
            del self._held[address]

    @contextmanager
    def hold(self, address: str) -> Iterator[None]:
        """Hold one unit while the block runs."""
        self.acquire(address)
        try:
            yield
        finally:
            self.release(address)


class LimitedProtocol(H11Protocol):
    """HTTP/1.1 with a limited number of connections of a peer, and a deadline for the header of a request.

    No middleware sees a connection that sends nothing, and uvicorn itself lets it stay. `cycle` is the request in
    progress: https://github.com/encode/uvicorn/blob/main/uvicorn/protocols/http/h11_impl.py
    """

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
