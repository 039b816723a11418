"""The one place that admits a request: client address, allowance, complete body, and a slot to run in."""

import asyncio
import json
import math
import re
import time
from collections.abc import Awaitable, Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..results import MAX_CHARACTERS
from .rate_limit import CLOSE, Allowances, Shares, client_address, is_upload
from .responses import RefusalError, send_error

TEXT_PATHS = ("/run/", "/api/", "/call/", "/queue/join", "/mcp")
"""Parts of the paths of requests that may hold a text of a visitor."""
TEXT_BODY_BYTES = 12 * MAX_CHARACTERS + 50_000
"""Largest body of these: JSON may escape a character by 12 bytes, and the rest is small."""
FORM_PATHS = ("/teacher/questions", "/teacher/questions/edit", "/teacher/questions/upload")
"""Ends of the paths of requests with a teacher's question or bank, as large as a text. Only what is signed in is read,
and not on the event loop."""
BODY_BYTES = 4_000
"""Largest body of any other request; the app parses it on the event loop."""
MAX_VALUES = 10_000
MAX_DEPTH = 40
"""Largest number of values, and of levels, in the JSON of a body: parsing 2 MB of empty lists takes half a second and
100 MB. A page sends a few hundred values."""
ENVELOPE_BYTES = 1_000_000
"""Size of the form around an uploaded file."""
DRAIN_BYTES = 64_000_000
"""Bytes of a body that is too long that are read and dropped: browsers miss a response that comes while they send."""
BODY_SECONDS = 10.0
BYTES_PER_SECOND = 50_000
"""A body has `BODY_SECONDS`, and more time as long as it arrives at this rate."""
IN_FLIGHT = 64
"""Unqueued events at a time. Each takes 5 to 20 ms of one core, so that the last one waits about a second."""
WAITING = 64
"""Queued events that may wait, for `max_size`."""
SHARE = 48
"""Events of one address among `IN_FLIGHT`, and among `WAITING`: the rest stays free for everybody else."""
FUNCTION_SHARE = 32
"""Events of one address and one function among `WAITING`."""
REQUESTS = 1000
"""Requests of one address at a time. An open page holds one connection, so a class of 200 needs about 400."""
UPLOADS, UPLOADS_OF_ADDRESS = 64, 32
BUFFERED_BYTES = 64_000_000
"""Bytes of event bodies in memory; one address may use half."""
RATE_EXCEEDED = "Busy: very many requests came from your network. Nothing you entered is lost; try again in {}."
TOO_LARGE = "The request is too large: the limit is {}. Longer texts can be uploaded in the tab Files."
UPLOAD_TOO_LARGE = "The upload is too large: the limit is {}."
NO_ROOM = "There is no room for another file now. Please try again later."
TOO_SLOW = "The request took too long to arrive. Please send it again."
NOT_FINITE = "The request holds a number that is not finite; JSON has no NaN or Infinity."
TOO_COMPLEX = f"The request is too complex: its JSON may hold {MAX_VALUES:,} values in {MAX_DEPTH} levels."
_SLOT_PATHS = ("/run/", "/api/")
_SUSPECT_NUMBER = re.compile(rb"NaN|Infinity|[0-9][eE]\+?[0-9]{3}")
# Possessive, and it matches to the end if a string is not closed: linear time for any input.
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)
_BRACKET = re.compile(rb"[\[\]{}]")


class Admission:
    """ASGI middleware that refuses what one address asks too much of, and what is too large or too slow.

    The status of a refusal is 400, 408, 413, 429 or 503. Nothing is lost: Gradio changes nothing on the page when an
    event fails, and studio.js shows the message.
    """

    def __init__(
        self,
        app: ASGIApp,
        largest_upload: int,
        rate_factor: float = 1.0,
        behind_proxy: bool = False,
        in_flight: int = IN_FLIGHT,
        share: int = SHARE,
        body_seconds: float = BODY_SECONDS,
        slots_count: Callable[[], bool] = lambda: True,
        make_room: Callable[[], bool] = lambda: True,
    ) -> None:
        """Wrap an app.

        Args:
            app: The app behind this middleware.
            largest_upload: Bytes of the largest file that may be uploaded.
            rate_factor: Multiplies the rates; 0 switches them off.
            behind_proxy: As for `client_address`.
            in_flight: Unqueued events at a time.
            share: Unqueued events of one address at a time.
            body_seconds: Seconds in which a body must begin to arrive at `BYTES_PER_SECOND`.
            slots_count: Returns whether the limit of unqueued events holds now. While the model loads, every page
                waits for it, which costs nothing.
            make_room: Returns whether there is room on the disk for another upload.
        """
        self._app, self._largest_upload, self._behind_proxy = app, largest_upload, behind_proxy
        self._body_seconds, self._slots_count, self._make_room = body_seconds, slots_count, make_room
        self._allowances = Allowances(rate_factor, largest_upload)
        self._requests = Shares(math.inf, REQUESTS)
        self._slots = Shares(in_flight, share)
        self._uploads = Shares(UPLOADS, UPLOADS_OF_ADDRESS)
        self._bodies = Shares(BUFFERED_BYTES, BUFFERED_BYTES / 2)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        address = client_address(scope, self._behind_proxy)
        try:
            _check_rate(self._allowances.charge_request(scope, address))
            with self._requests.hold(address):
                if scope["method"] in ("GET", "HEAD", "OPTIONS"):
                    await self._app(scope, receive, send)
                elif is_upload(scope):
                    await self._pass_upload(scope, receive, send, address)
                else:
                    await self._pass_event(scope, receive, send, address)
        except RefusalError as refusal:
            await send_error(send, refusal.status, refusal.message, refusal.headers)

    async def _pass_upload(self, scope: Scope, receive: Receive, send: Send, address: str) -> None:
        """Pass the body on while it arrives."""
        limit = self._largest_upload + ENVELOPE_BYTES
        body = _Body(scope, receive, limit, UPLOAD_TOO_LARGE, self._body_seconds)
        refusal: RefusalError | None = None
        started = False

        async def receive_within_limits() -> Message:
            nonlocal refusal
            try:
                return await body.next_message()
            except RefusalError as error:
                refusal = error
                raise

        async def send_unless_refused(message: Message) -> None:
            nonlocal started
            if refusal is None or started:
                started = True
                await send(message)

        with self._uploads.hold(address):
            await body.check_length()
            if not await asyncio.to_thread(self._make_room):
                raise RefusalError(503, NO_ROOM, {"Retry-After": "600"} | CLOSE)
            try:
                await self._app(scope, receive_within_limits, send_unless_refused)
            except Exception:
                if refusal is None:
                    raise
        if refusal is not None and not started:  # the app may have answered in its own words, or not at all
            raise refusal

    async def _pass_event(self, scope: Scope, receive: Receive, send: Send, address: str) -> None:
        """Read the whole body, then take a slot: a request that is half sent holds none."""
        is_form = scope["path"].endswith(FORM_PATHS) and "/gradio_api/" not in scope["path"]
        is_text = is_form or any(path in scope["path"] for path in TEXT_PATHS)
        limit = TEXT_BODY_BYTES if is_text else BODY_BYTES
        body = _Body(scope, receive, limit, TOO_LARGE, self._body_seconds)
        await body.check_length()
        chunks: list[bytes] = []
        try:
            more = True
            while more:
                message = await body.next_message()
                if message["type"] == "http.disconnect":
                    return
                chunk, more = message.get("body", b""), message.get("more_body", False)
                self._bodies.acquire(address, len(chunk))
                chunks.append(chunk)
            content = b"".join(chunks)
            _check_rate(self._allowances.charge_text(len(content), address))
            if not is_form:
                _check_shape(content)
                _check_numbers(content)
            if any(path in scope["path"] for path in _SLOT_PATHS) and self._slots_count():
                with self._slots.hold(address):
                    await self._app(scope, _replay(content, receive), send)
            else:
                await self._app(scope, _replay(content, receive), send)
        finally:
            self._bodies.release(address, sum(map(len, chunks)))


class _Body:
    """The body of one request, read within limits of size and time."""

    def __init__(self, scope: Scope, receive: Receive, limit: int, too_large: str, seconds: float) -> None:
        self._scope, self._receive, self._limit, self._seconds = scope, receive, limit, seconds
        size = f"{limit // 1_000_000} MB" if limit >= 1_000_000 else f"{limit:,} bytes"
        self._too_large = RefusalError(413, too_large.format(size), CLOSE)
        self._start, self._bytes = time.monotonic(), 0

    async def check_length(self) -> None:
        """Raise RefusalError if the header gives no valid length, or one above the limit."""
        length = dict(self._scope["headers"]).get(b"content-length", b"0")
        if not length.isdigit() or len(length) > 15 or int(length) > self._limit:
            await self._drain(more=True)
            raise self._too_large

    async def next_message(self) -> Message:
        """Return the next part of the body.

        Raises:
            RefusalError: The body is larger than the limit, or arrives too slowly.
        """
        message = await self._receive_in_time()
        if self._bytes > self._limit:
            await self._drain(message.get("more_body", False))
            raise self._too_large
        return message

    async def _receive_in_time(self) -> Message:
        seconds = self._seconds + self._bytes / BYTES_PER_SECOND - (time.monotonic() - self._start)
        try:
            message = await asyncio.wait_for(self._receive(), max(0.001, seconds))
        except TimeoutError:
            raise RefusalError(408, TOO_SLOW, CLOSE) from None
        self._bytes += len(message.get("body", b""))
        return message

    async def _drain(self, more: bool) -> None:
        while more and self._bytes < DRAIN_BYTES:
            more = (await self._receive_in_time()).get("more_body", False)


def _replay(body: bytes, receive: Receive) -> Callable[[], Awaitable[Message]]:
    """Return a `receive` that gives a whole body first, then waits for what follows, such as a disconnect."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_again() -> Message:
        return messages.pop() if messages else await receive()

    return receive_again


def _check_rate(seconds: float) -> None:
    """Raise RefusalError if an allowance is used up for some seconds."""
    if seconds:
        wait = math.ceil(seconds)
        message = RATE_EXCEEDED.format("a second" if wait == 1 else f"{wait:,} seconds")
        raise RefusalError(429, message, {"Retry-After": str(wait)})


def _check_shape(body: bytes) -> None:
    """Raise RefusalError if JSON holds more values or levels than the limits, without parsing it."""
    refusal = RefusalError(413, TOO_COMPLEX, {})
    if body.count(b'"') - body.count(b'\\"') > 4 * MAX_VALUES:  # quotation marks that are not in a string
        raise refusal
    marks = _STRING.sub(b"", body)
    if sum(map(marks.count, (b"[", b"{", b","))) > MAX_VALUES:
        raise refusal
    depth = 0
    for bracket in _BRACKET.findall(marks):
        depth += 1 if bracket in b"[{" else -1
        if depth > MAX_DEPTH:
            raise refusal


def _check_numbers(body: bytes) -> None:
    """Raise RefusalError if JSON holds a number that is not finite, which Gradio could not send back."""
    if not _SUSPECT_NUMBER.search(body):
        return

    def parse_finite(number: str) -> float:
        if not math.isfinite(value := float(number)):
            raise RefusalError(400, NOT_FINITE, {})
        return value

    try:
        json.loads(body, parse_float=parse_finite, parse_constant=parse_finite)
    except (ValueError, RecursionError):
        return  # not JSON, which Gradio refuses, or a form
