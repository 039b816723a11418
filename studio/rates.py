"""How much one address may ask for: enough for a classroom behind it, not for a flood."""

import math
from typing import Any

from .answers import refuse
from .buckets import Buckets
from .visitors import visitor_address

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
