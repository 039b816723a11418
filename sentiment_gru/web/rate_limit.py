"""How much one address may ask for: enough for a classroom behind it, not for a flood."""

import math
import os
import time
from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address
from threading import Lock
from typing import Any

import gradio as gr

from .responses import refuse

MOST_VISITORS = 10_000


class Buckets:
    """One bucket for each visitor, full at first. Threads may share them.

    Memory is bounded: beyond `most` visitors, the one not seen for longest is forgotten, and has a full bucket again.
    """

    def __init__(
        self,
        size: float,
        per_second: float,
        most: int = MOST_VISITORS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Let each bucket hold `size` tokens, and gain `per_second`."""
        self._size, self._per_second, self._most, self._clock = size, per_second, most, clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()  # tokens, and when that was
        self._lock = Lock()

    def take(self, visitor: str, cost: float = 1.0) -> float:
        """Take tokens and return 0, or take none and return the seconds until they are there.

        What costs more than a bucket holds gets a full one.
        """
        with self._lock:
            now = self._clock()
            before, since = self._left.pop(visitor, (self._size, now))
            left = min(self._size, before + (now - since) * self._per_second)
            missing = min(cost, self._size) - left
            self._left[visitor] = (left if missing > 0 else max(0.0, left - cost), now)
            while len(self._left) > self._most:
                self._left.popitem(last=False)
        return missing / self._per_second if missing > 0 else 0.0

    def __len__(self) -> int:
        """Return how many visitors are remembered."""
        return len(self._left)


UNKNOWN = "unknown"


def visitor_address(scope: Any) -> str:
    """Return the address behind an ASGI request; of IPv6, the /64 network that one household has.

    On a Space every connection comes from its proxy. The last entry of X-Forwarded-For is what that proxy saw; those
    before it were sent by the visitor, who may have made them up. Elsewhere it is what the server says, which reads
    the header only from the proxies in uvicorn's FORWARDED_ALLOW_IPS.
    """
    address = (scope.get("client") or (UNKNOWN,))[0]
    if os.getenv("SPACE_ID"):
        forwarded = [value for name, value in scope["headers"] if name.lower() == b"x-forwarded-for"]
        if forwarded:
            address = forwarded[-1].decode("latin-1").rsplit(",", 1)[-1].strip()
    return _network(address)


def _network(address: str) -> str:
    try:
        found = ip_address(address)
    except ValueError:
        return UNKNOWN
    if isinstance(found, IPv6Address):
        found = found.ipv4_mapped or IPv6Address(int(found) >> 64 << 64)
    return str(found)


class SettingError(ValueError):
    """An environment variable that cannot be used; the message names it."""


def rate_factor() -> float:
    """Return RATE_FACTOR, which multiplies the limits of `rates`; 0 switches them off, and by default it is 1."""
    said = os.getenv("RATE_FACTOR") or "1"
    try:
        factor = float(said)
    except ValueError:
        factor = math.nan
    if not 0 <= factor < math.inf:
        raise SettingError(f"RATE_FACTOR is {said!r}, which is no number from 0 up")
    return factor


IN_A_ROW = 100
PER_SECOND = 1 / 30


class FeedbackLimit:
    """Says whether an address may send feedback; sending it is an event for the limits of `rates`, too."""

    def __init__(self) -> None:
        """Take the limits, times RATE_FACTOR."""
        factor = rate_factor()
        self._buckets = Buckets(IN_A_ROW * factor, PER_SECOND * factor) if factor else None

    def __call__(self, request: gr.Request) -> bool:
        """Count one message, and return whether it may be sent."""
        return self._buckets is None or not self._buckets.take(visitor_address(request.request.scope))


UPLOAD = "/gradio_api/upload"
BUSY = "Busy: very many requests came from your network. Nothing you entered is lost; try again in {}."
# Tokens in a row, and tokens a second. A page is some 80 requests for files; a learner sends an event in seconds.
PAGES = (8000.0, 100.0)
EVENTS = (800.0, 40.0)
UPLOADED_MEGABYTES = (2000.0, 0.5)
_MEGABYTE = 1_000_000


class RateLimit:
    """ASGI middleware that answers 429 with `Retry-After` to an address that asks too much.

    Pages and files, events, and megabytes of uploads are counted apart.
    """

    def __init__(self, app: Any, factor: float, largest_upload: int) -> None:
        """Multiply every limit by a factor; an upload that does not say its bytes costs as much as the largest."""
        self._app, self._largest = app, largest_upload
        self._pages, self._events, self._uploads = (
            Buckets(factor * size, factor * rate) for size, rate in (PAGES, EVENTS, UPLOADED_MEGABYTES)
        )

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Count a request, and pass it on or refuse it."""
        wait = self._wait(scope) if scope["type"] == "http" else 0
        if not wait:
            await self._app(scope, receive, send)
            return
        seconds = math.ceil(wait)
        words = BUSY.format("a second" if seconds == 1 else f"{seconds:,} seconds")
        await refuse(send, 429, words, {"Retry-After": str(seconds)})

    def _wait(self, scope: Any) -> float:
        visitor = visitor_address(scope)
        if scope["method"] in ("GET", "HEAD", "OPTIONS"):
            return self._pages.take(visitor)
        if scope["path"].rstrip("/").endswith(UPLOAD):
            return self._uploads.take(visitor, max(1.0, self._bytes(scope) / _MEGABYTE))
        return self._events.take(visitor)

    def _bytes(self, scope: Any) -> int:
        said = dict(scope["headers"]).get(b"content-length", b"")
        return min(int(said), self._largest) if said.isdigit() and len(said) < 16 else self._largest
