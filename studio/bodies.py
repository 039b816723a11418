"""How long a request may be: counted while it arrives, whatever its header says."""

from typing import Any

from .answers import refuse
from .rates import UPLOAD

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
