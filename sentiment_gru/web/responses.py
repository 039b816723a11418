"""Error responses, and reports of unexpected exceptions.

A refusal is short JSON that both programs and the page can read. An exception goes to the log with its traceback; the
visitor gets an apology and a report.
"""

import logging
import traceback
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from markupsafe import Markup
from starlette.responses import JSONResponse

from .. import __version__
from .rendering import render
from .settings import Settings

logger = logging.getLogger(__name__)

TITLE = "Something went wrong. What happened?"


@dataclass(frozen=True)
class Failure:
    """The part of an exception that a visitor may see: no message, no path, and none of the visitor's input."""

    id: str
    version: str
    time: str
    kind: str

    @property
    def report(self) -> str:
        """Lines to send to the people who run the app; the id identifies the traceback in the log."""
        return f"Error id: {self.id}\nVersion: {self.version}\nTime: {self.time}\nKind: {self.kind}\nWhat I did: "


def log_failure(error: BaseException) -> Failure:
    """Log the traceback of an exception under a new id.

    The message of the exception is logged only if LOG_MESSAGES is 1, because it may quote a visitor.
    """
    time = datetime.now(UTC).isoformat(sep=" ", timespec="seconds")
    failure = Failure(str(uuid.uuid4()), __version__, time, type(error).__name__)
    if Settings.read().log_messages:
        logger.error("Error id %s", failure.id, exc_info=error)
    else:
        logger.error("Error id %s\n%s", failure.id, _format_trace(error))
    return failure


def _format_trace(error: BaseException | None) -> str:
    """Return the traceback of an exception and of its causes, without messages or values."""
    parts: list[str] = []
    while error is not None:
        parts.append("".join([*traceback.format_tb(error.__traceback__), type(error).__qualname__]))
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\nwhich led to\n".join(reversed(parts))


def failure_html(report: str) -> Markup:
    """Return an apology, the report with room for the visitor's own words, and a link to REPORT_URL if it is set."""
    return render("failure.html", title=TITLE, report=report, url=Settings.read().report_url)


@dataclass
class RefusalError(Exception):
    """A request is refused with an HTTP status, a message and headers."""

    status: int
    message: str
    headers: dict[str, str]


def error_response(status: int, message: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """Return a message under both keys that Gradio's page ("error") and FastAPI's clients ("detail") read."""
    own = {"Cache-Control": "no-store"}
    return JSONResponse({"error": message, "detail": message}, status, own | dict(headers or {}))


async def send_error(send: Any, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
    """Send the response of `error_response` from a middleware."""
    await error_response(status, message, headers)({"type": "http"}, None, send)  # type: ignore[arg-type]
