"""How long a request may be: counted while it arrives, whatever its header says."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from .error_report import log_failure
from .rate_limit import UPLOAD, RateLimit, rate_factor
from .responses import refuse

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


EVENT_BYTES = 3_000_000
"""For all but uploads; the longest text, 200,000 characters, is 2.4 MB where a client escapes each of them."""
ENVELOPE_BYTES = 1_000_000
"""What the form around an uploaded file may take."""
READ_ON_BYTES = 64_000_000
"""How much of a request that is too long is read and dropped: browsers miss an answer that comes while they send."""
TOO_LONG = "That is too much at once: up to {} MB can be sent here. {}"
_ADVICE = "A longer text or list of lines can be given as a file in the tab Files."


class BodyTooLongError(Exception):
    """Raised into the application that reads a body which has been refused."""


class BodyLimit:
    """ASGI middleware that answers 413 to what is longer than an event, or an upload, may be."""

    def __init__(self, app: Any, largest_upload: int) -> None:
        """Take the bytes of the largest file that may be uploaded."""
        self._app, self._largest_upload = app, largest_upload

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass a request on, as long as it is short enough."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_upload = scope["path"].rstrip("/").endswith(UPLOAD)
        limit = self._largest_upload + ENVELOPE_BYTES if is_upload else EVENT_BYTES
        body = _Body(receive, send, limit, "" if is_upload else _ADVICE)
        said = dict(scope["headers"]).get(b"content-length", b"0")
        try:
            if not said.isdigit() or len(said) > 15 or int(said) > limit:
                await body.refuse()
            await self._app(scope, body.receive, body.send)
        except BodyTooLongError:
            pass


class _Body:
    """The body of one request, and the answer to it, unless that has been given here."""

    def __init__(self, receive: Any, send: Any, limit: int, advice: str) -> None:
        self._receive, self._send, self._limit, self._advice = receive, send, limit, advice
        self._bytes, self._answered, self._refused = 0, False, False

    async def receive(self) -> Any:
        message = await self._receive()
        self._bytes += len(message.get("body", b""))
        if self._bytes > self._limit:
            await self.refuse(message.get("more_body", False))
        return message

    async def send(self, message: Any) -> None:
        self._answered = True
        if not self._refused:
            await self._send(message)

    async def refuse(self, more: bool = True) -> None:
        """Drop the rest, answer, and raise `BodyTooLongError`."""
        while more and self._bytes < READ_ON_BYTES:
            message = await self._receive()
            self._bytes += len(message.get("body", b""))
            more = message.get("more_body", False)
        self._refused = True
        if not self._answered:
            await refuse(self._send, 413, TOO_LONG.format(self._limit // 1_000_000, self._advice).strip())
        raise BodyTooLongError


IN_FLIGHT = 64
"""Unqueued events at a time. Each costs 5 to 20 ms of one core, so that the last of them waits about a second."""
WAITING = 64
"""Queued events that may wait, for `max_size`."""
BUSY = "Busy: too many visitors are here at this moment. Nothing you entered is lost; try again in a few seconds."
_COUNTED = ("/run/", "/api/")


class Capacity:
    """ASGI middleware that answers 503 to an unqueued event if too many others are under way.

    studio.js tells the visitor. Nothing is lost: Gradio changes nothing on the page when an event fails.
    """

    def __init__(self, app: ASGIApp, limit: int = IN_FLIGHT, counts: Callable[[], bool] = lambda: True) -> None:
        """Guard an app.

        Args:
            app: what answers.
            limit: how many events may be under way.
            counts: whether the limit holds now. While the model loads, every page waits for it, which costs nothing.
        """
        self._app = app
        self._limit = limit
        self._counts = counts
        self._under_way = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http" or scope["method"] != "POST" or not any(one in scope["path"] for one in _COUNTED):
            await self._app(scope, receive, send)
        elif self._under_way >= self._limit and self._counts():
            await refuse(send, 503, BUSY, {"Retry-After": "3"})
        else:
            self._under_way += 1
            try:
                await self._app(scope, receive, send)
            finally:
                self._under_way -= 1


LEVEL = 5


class CompressedPage:
    """Compresses the page for browsers that take it so, and nothing else: files would hold up the event loop."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.compressed = GZipMiddleware(app, compresslevel=LEVEL)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        page = scope["type"] == "http" and scope["path"] == "/"
        await (self.compressed if page else self.app)(scope, receive, send)


# They keep a visitor's state on disk for others, fetch from other hosts, convert recordings, call methods of
# components, edit the app's source, or tell of other visitors.
CLOSED = (
    "/gradio_api/component_server",
    "/gradio_api/deep_link",
    "/gradio_api/dev/",
    "/gradio_api/process_recording",
    "/gradio_api/proxy=",
    "/gradio_api/queue/status",
    "/gradio_api/run-history",
    "/gradio_api/runs",
    "/gradio_api/stream/",
    "/gradio_api/undo-vibe",
    "/gradio_api/vibe-",
    "/gradio_api/file=http",
    "/monitoring",
)


class ClosedDoors:
    """ASGI middleware that answers 404 at the addresses above."""

    def __init__(self, app: Any) -> None:
        """Wrap an application."""
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass a request on unless its address is closed."""
        if scope["type"] == "http" and any(door in scope["path"].lower() for door in CLOSED):
            await refuse(send, 404, "Not found")
        else:
            await self._app(scope, receive, send)


class Failures:
    """ASGI middleware that answers 500 with a report where the application raises."""

    def __init__(self, app: Any) -> None:
        """Wrap an application."""
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass a request on; an answer that fails half-way is cut off."""
        started = False

        async def send_and_note(message: Any) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, send_and_note)
        except Exception as error:
            if scope["type"] != "http":
                raise
            report = log_failure(error).report
            if not started:
                await refuse(send, 500, report)


# Neither script-src nor style-src: Gradio's gr.HTML needs eval, its head scripts need inline code.
CONTENT_SECURITY_POLICY = (
    "frame-ancestors 'self' https://huggingface.co https://*.hf.space; "
    "base-uri 'self'; object-src 'none'; form-action 'self'"
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


class SecurityHeaders:
    """ASGI middleware that adds each header to every answer that has none of its name."""

    def __init__(self, app: Any) -> None:
        """Wrap an application."""
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass a request on, and the answer back with the headers."""

        async def send_with_headers(message: Any) -> None:
            if message["type"] == "http.response.start":
                there = {name.lower() for name, _ in message.get("headers", [])}
                added = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
                headers = [*message.get("headers", []), *(pair for pair in added if pair[0] not in there)]
                message = message | {"headers": headers}
            await send(message)

        await self._app(scope, receive, send_with_headers)


def protection(upload_megabytes: int) -> list[Middleware]:
    """Return the middleware for `launch(app_kwargs={"middleware": ...})`.

    Args:
        upload_megabytes: the largest file that may be uploaded.

    Raises:
        SettingError: RATE_FACTOR is no number.
    """
    largest, factor = upload_megabytes * 1024 * 1024, rate_factor()
    rates = [Middleware(RateLimit, factor=factor, largest_upload=largest)] if factor else []
    return [
        Middleware(SecurityHeaders),
        *rates,
        Middleware(KeptAssets),
        Middleware(ClosedDoors),
        Middleware(Failures),
        Middleware(CompressedPage),
        Middleware(BodyLimit, largest_upload=largest),
    ]
