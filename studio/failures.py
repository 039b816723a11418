"""No exception leaves the app: what no handler has caught is logged, and answered with a report."""

from typing import Any

from sentiment_gru.failure import log_failure

from .answers import refuse


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
