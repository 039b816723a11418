"""Gradio's addresses that nothing in this app needs, and that are better shut."""

from typing import Any

from .answers import refuse

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
