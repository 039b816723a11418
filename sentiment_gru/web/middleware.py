"""ASGI middleware around Gradio's application: headers, closed routes, kept responses, and reports of failures."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .admission import Admission
from .responses import error_response, log_failure, logger, send_error
from .settings import Settings

ASSETS = "/assets/"
"""The names of the files below this path contain a hash of the contents."""
IMMUTABLE = (b"cache-control", b"public, max-age=31536000, immutable")
CACHE_BYTES = 32 * 1024 * 1024
GZIP_LEVEL = 5
ORIGIN_HEADERS = {b"host", b"x-forwarded-host", b"x-forwarded-proto", b"x-gradio-server"}
"""Headers from which Gradio makes the address of the app, which stands in the page."""
PAGES = 16  # kept: anyone can request the page of any address


class AssetCache:
    """Keep complete responses to requests for assets in memory, and let browsers keep them, too."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap an app."""
        self._app, self._compressed = app, GZipMiddleware(app)
        self._responses: dict[tuple[str, bool], list[Message]] = {}
        self._bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer from memory, or pass the request on and keep the response if it is complete."""
        if not _is_plain_asset(scope):
            await self._app(scope, receive, send)
            return
        key = (scope["path"], _accepts_gzip(scope))
        messages = self._responses.get(key)
        if messages is None:
            messages = await _answer(self._compressed if key[1] else self._app, scope, receive)
            if _is_complete(messages):
                self._keep(key, messages)
        for message in messages:
            await send(deepcopy(message))  # middleware further out changes the messages it gets

    def _keep(self, key: tuple[str, bool], messages: list[Message]) -> None:
        size = sum(len(message.get("body", b"")) for message in messages)
        if key in self._responses or self._bytes + size > CACHE_BYTES:
            return
        start = messages[0]
        start["headers"] = [*(pair for pair in start["headers"] if pair[0] != IMMUTABLE[0]), IMMUTABLE]
        self._responses[key] = messages
        self._bytes += size


async def _answer(app: ASGIApp, scope: Scope, receive: Receive) -> list[Message]:
    """Return the messages with which an app answers a request."""
    messages: list[Message] = []

    async def collect(message: Message) -> None:
        messages.append(message)

    await app(scope, receive, collect)
    return messages


def _is_plain_asset(scope: Scope) -> bool:
    """Return whether a request is for a whole asset, whatever the browser has cached of it."""
    if scope["type"] != "http" or scope["method"] != "GET" or not scope["path"].startswith(ASSETS):
        return False
    names = {name for name, _ in scope["headers"]}
    return not names & {b"range", b"if-none-match", b"if-modified-since"} and not scope["query_string"]


def _accepts_gzip(scope: Scope) -> bool:
    """Return whether `GZipMiddleware` would compress the response."""
    return any(name == b"accept-encoding" and b"gzip" in value for name, value in scope["headers"])


def _is_complete(messages: list[Message]) -> bool:
    """Return whether messages are a whole successful response: a client that goes away can end it early."""
    if not messages or messages[0].get("status") != 200 or messages[-1].get("more_body", False):
        return False
    if messages[-1]["type"] != "http.response.body":
        return False
    length = dict(messages[0]["headers"]).get(b"content-length")
    return length is None or int(length) == sum(len(message.get("body", b"")) for message in messages)


class PageCache:
    """Compress the page for browsers that accept it, and keep it in memory: it takes Gradio over 20 ms to write it.

    Nothing else is compressed: large files would block the event loop.
    """

    def __init__(self, app: ASGIApp) -> None:
        """Wrap an app."""
        self._app, self._compressed = app, GZipMiddleware(app, compresslevel=GZIP_LEVEL)
        self._pages: dict[tuple[Any, ...], list[Message]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer from memory if the page is requested without a query, or pass the request on."""
        if scope["type"] != "http" or scope["path"] != "/":
            await self._app(scope, receive, send)
            return
        if scope["method"] != "GET" or scope["query_string"]:
            await self._compressed(scope, receive, send)
            return
        origin = [pair for pair in scope["headers"] if pair[0] in ORIGIN_HEADERS]
        key = (_accepts_gzip(scope), scope["scheme"], scope.get("root_path"), *origin)
        messages = self._pages.get(key)
        if messages is None:
            messages = await _answer(self._compressed, scope, receive)
            if _is_complete(messages) and len(self._pages) < PAGES:
                self._pages[key] = messages
        for message in messages:
            await send(deepcopy(message))  # middleware further out changes the messages it gets


# Routes that keep a visitor's state on disk for others, fetch from other hosts, convert recordings, call methods of
# components, edit the app's source, or list other visitors.
CLOSED = (
    "/gradio_api/component_server",
    "/gradio_api/deep_link",
    "/gradio_api/dev/",
    "/gradio_api/file/",
    "/gradio_api/process_recording",
    "/gradio_api/proxy=",
    "/gradio_api/queue/status",
    "/gradio_api/run-history",
    "/gradio_api/runs",
    "/gradio_api/stream/",
    "/gradio_api/undo-vibe",
    "/gradio_api/vibe-",
    "/monitoring",
)
FILE_ROUTE = "/file="


class ClosedRoutes:
    """Answer 404 on the routes in `CLOSED`, and to requests for a file without an absolute path, such as a URL."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap an app."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on unless its route is closed."""
        if scope["type"] == "http" and _is_closed(scope["path"].lower()):
            await send_error(send, 404, "Not found")
        else:
            await self._app(scope, receive, send)


def _is_closed(path: str) -> bool:
    _, route, file = path.partition(FILE_ROUTE)
    return any(closed in path for closed in CLOSED) or bool(route and not file.startswith("/"))


class FailureReports:
    """Answer 500 with a report if the app raises; log client errors in one line."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap an app."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; a response that fails half-way is cut off."""
        started = False

        async def send_and_note(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, send_and_note)
        except Exception as error:
            if scope["type"] != "http":
                raise
            if status := _client_error(error):
                logger.warning("%s: client error %d", scope["method"], status)
                await (_end_response(send) if started else send_error(send, status, "The request was refused."))
                return
            report = log_failure(error).report
            if not started:
                await send_error(send, 500, report)


async def _end_response(send: Send) -> None:
    """End a response that has begun."""
    await send({"type": "http.response.body", "body": b"", "more_body": False})


def _client_error(error: BaseException) -> int | None:
    """Return the status of an HTTPException below 500, also if Starlette has wrapped it; else None.

    Gradio raises one inside a stream that has begun, as for /queue/data with an unknown session. Starlette then raises
    RuntimeError from it.
    """
    cause = error.__cause__ if isinstance(error, RuntimeError) else error
    return cause.status_code if isinstance(cause, HTTPException) and cause.status_code < 500 else None


# Neither script-src nor style-src: Gradio's gr.HTML needs eval, and its head scripts are inline.
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
    """Add each header of `HEADERS` to every response that does not have it."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap an app."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and add the headers to the response."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                present = {name.lower() for name, _ in message.get("headers", [])}
                added = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
                headers = [*message.get("headers", []), *(pair for pair in added if pair[0] not in present)]
                message = {**message, "headers": headers}
            await send(message)

        await self._app(scope, receive, send_with_headers)


def protection(
    upload_megabytes: int,
    settings: Settings,
    slots_count: Callable[[], bool] = lambda: True,
    make_room: Callable[[], bool] = lambda: True,
) -> list[Middleware]:
    """Return the middleware for `launch(app_kwargs={"middleware": ...})`, outermost first.

    Args:
        upload_megabytes: Size of the largest file that may be uploaded.
        settings: Gives the rate factor, and whether the app stands behind the proxy of Spaces.
        slots_count: As for `Admission`.
        make_room: As for `Admission`.
    """
    admission = Middleware(
        Admission,
        largest_upload=upload_megabytes * 1024 * 1024,
        rate_factor=settings.rate_factor,
        behind_proxy=settings.behind_proxy,
        slots_count=slots_count,
        make_room=make_room,
    )
    return [
        Middleware(SecurityHeaders),
        Middleware(FailureReports),
        admission,
        Middleware(AssetCache),
        Middleware(ClosedRoutes),
        Middleware(PageCache),
    ]


async def refuse_invalid(request: Any, error: Exception) -> Response:
    """Answer 422 to a body of the wrong form, for `exception_handlers`: FastAPI's own handler repeats the input."""
    return error_response(422, "The request does not have the form that this address expects.")
