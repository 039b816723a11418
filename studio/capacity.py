"""How much the app takes on at once: whoever comes beyond that is told so at once, instead of waiting for ever.

Requests that would wait in Gradio's queue are refused by the queue itself, by its `max_size`.
"""

from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send

from .answers import refuse

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
