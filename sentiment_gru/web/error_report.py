"""What happens when our code fails: the log gets the trace, the visitor an apology and a report to copy."""

import logging
import os
import tomllib
import traceback
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from pathlib import Path

logger = logging.getLogger(__name__)

TITLE = "Something went wrong. What happened?"
_PYPROJECT = Path(__file__).parent.parent.parent / "pyproject.toml"
# execCommand, not navigator.clipboard, which pages served without TLS do not have.
_COPY = "this.parentElement.previousElementSibling.select(); document.execCommand('copy'); this.textContent = 'Copied'"


@dataclass(frozen=True)
class Failure:
    """What a visitor may know of an exception: neither its text nor a path, and nothing of what they typed."""

    id: str
    version: str
    time: str
    kind: str

    @property
    def report(self) -> str:
        """Lines to paste into a message to those who run the app; the id finds the traceback in the log."""
        return f"Error id: {self.id}\nVersion: {self.version}\nTime: {self.time}\nKind: {self.kind}\nWhat I did: "


def log_failure(error: BaseException) -> Failure:
    """Log an exception's trace under a new id; with LOG_MESSAGES=1 its message too, which may quote a visitor."""
    version = tomllib.loads(_PYPROJECT.read_text(encoding="utf-8"))["project"]["version"]
    time = datetime.now(UTC).isoformat(sep=" ", timespec="seconds")
    failure = Failure(str(uuid.uuid4()), version, time, type(error).__name__)
    if os.getenv("LOG_MESSAGES") == "1":
        logger.error("Error id %s", failure.id, exc_info=error)
    else:
        logger.error("Error id %s\n%s", failure.id, _trace(error))
    return failure


def _trace(error: BaseException | None) -> str:
    """Return the lines of our code that an exception, and those behind it, went through: no message, no value."""
    parts: list[str] = []
    while error is not None:
        parts.append("".join([*traceback.format_tb(error.__traceback__), type(error).__qualname__]))
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\nwhich led to\n".join(reversed(parts))


def failure_html(report: str) -> str:
    """Return an apology, the report with room for the visitor's own words, and where to send it if that is known."""
    url = os.getenv("REPORT_URL")
    link = f'<a href="{escape(url)}" target="_blank" rel="noopener">Report it here</a>' if url else ""
    return (
        f'<p class="failure-title">{TITLE}</p>'
        "<p>The fault is ours, and nothing you entered is lost. Trying again may help. If it does not, add what you "
        "did, and send this report to whoever runs this page. Your text is not in it.</p>"
        f'<textarea class="failure-report" aria-label="Report" rows="7">{escape(report)}</textarea>'
        f'<div class="failure-actions"><button type="button" onclick="{_COPY}">Copy the report</button>{link}</div>'
    )
