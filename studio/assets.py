"""Keep the page's scripts and styles in memory, compressed: Gradio compresses each anew for every visitor.

A page is some 80 of them, at milliseconds of the server each.
"""

from copy import deepcopy
from typing import Any

from starlette.middleware.gzip import GZipMiddleware

PREFIX = "/assets/"  # names in it hold a hash of the contents
FOREVER = (b"cache-control", b"public, max-age=31536000, immutable")
MOST_BYTES = 32 * 1024 * 1024


class KeptAssets:
    """ASGI middleware that answers for the application where it has answered before, and lets browsers do the same."""

    def __init__(self, app: Any) -> None:
        """Wrap an application."""
        self._app, self._compressed = app, GZipMiddleware(app)
        self._kept: dict[tuple[str, bool], list[Any]] = {}
        self._bytes = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer with what was kept, or pass a request on and keep the answer, if it is whole."""
        if not _is_plain(scope):
            await self._app(scope, receive, send)
            return
        key = (scope["path"], _takes_gzip(scope))
        messages = self._kept.get(key)
        if messages is None:
            messages = []

            async def collect(message: Any) -> None:
                messages.append(message)

            await (self._compressed if key[1] else self._app)(scope, receive, collect)
            self._keep(key, messages)
        for message in messages:
            await send(deepcopy(message))  # as middleware further out changes what it gets

    def _keep(self, key: tuple[str, bool], messages: list[Any]) -> None:
        start = messages[0]
        size = sum(len(message.get("body", b"")) for message in messages)
        if start["status"] != 200 or key in self._kept or self._bytes + size > MOST_BYTES:
            return
        start["headers"] = [*(pair for pair in start["headers"] if pair[0] != FOREVER[0]), FOREVER]
        self._kept[key] = messages
        self._bytes += size


def _is_plain(scope: Any) -> bool:
    """Return whether a request is for a whole asset, whatever the browser has of it."""
    if scope["type"] != "http" or scope["method"] != "GET" or not scope["path"].startswith(PREFIX):
        return False
    names = {name for name, _ in scope["headers"]}
    return not names & {b"range", b"if-none-match", b"if-modified-since"} and not scope["query_string"]


def _takes_gzip(scope: Any) -> bool:
    """Return what `GZipMiddleware` goes by."""
    return any(name == b"accept-encoding" and b"gzip" in value for name, value in scope["headers"])
