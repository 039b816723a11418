"""Error responses: short JSON that both programs and the page can read."""

from collections.abc import Mapping
from typing import Any

from starlette.responses import JSONResponse


def error_response(status: int, message: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """Return a message under both keys that Gradio's page ("error") and FastAPI's clients ("detail") read."""
    own = {"Cache-Control": "no-store"}
    return JSONResponse({"error": message, "detail": message}, status, own | dict(headers or {}))


async def send_error(send: Any, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
    """Send the response of `error_response` from a middleware."""
    await error_response(status, message, headers)({"type": "http"}, None, send)  # type: ignore[arg-type]
