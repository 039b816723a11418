"""Access to the teacher's pages: tokens, sessions, forms, and the headers of every page."""

import hmac
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import date
from threading import Lock
from urllib.parse import parse_qs

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse

from .records import Period
from .views import read_static, render

SESSION_SECONDS = 8 * 3600
MAX_SESSIONS = 1000
COOKIE = "quiz_teacher"
MAX_FORM_BYTES = 4096
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class PeriodError(ValueError):
    """An error for a day that cannot be read; the message can be shown."""


class TokenGuard:
    """A check of tokens, and the sessions of this process.

    The right token always works, whatever others have tried: a token has at least 16 characters, which cannot be
    guessed. Session ids are random and kept in memory, so that signing out revokes them, and times are those of the
    monotonic clock, which no change of the system time moves. A restart ends all sessions.
    """

    def __init__(self, token: str, clock: Callable[[], float] = time.monotonic) -> None:
        """Take the teacher's token."""
        self._token, self._clock = token.encode(), clock
        self._sessions: OrderedDict[str, tuple[float, str]] = OrderedDict()  # id: when it expires, code of a class
        self._lock = Lock()

    def accepts(self, token: str) -> bool:
        """Return whether a token is right, in constant time."""
        return hmac.compare_digest(token.encode("utf-8", "replace"), self._token)

    def new_session(self, code: str = "") -> str:
        """Return a session id that is valid for `SESSION_SECONDS`; beyond `MAX_SESSIONS`, the oldest one ends.

        Args:
            code: Code of the class that the session opens; by default it opens everything.
        """
        session = secrets.token_urlsafe(32)
        with self._lock:
            self._sessions[session] = (self._clock() + SESSION_SECONDS, code)
            while len(self._sessions) > MAX_SESSIONS:
                self._sessions.popitem(last=False)
        return session

    def has_session(self, session: str | None) -> bool:
        """Return whether a session id is known, opens everything and has not expired."""
        return self._read(session) == ""

    def class_of(self, session: str | None) -> str | None:
        """Return the code of the class that a session id opens, or None."""
        return self._read(session) or None

    def end_session(self, session: str | None) -> None:
        """Revoke a session id."""
        with self._lock:
            self._sessions.pop(session or "", None)

    def _read(self, session: str | None) -> str | None:
        """Return the code of a session, which is empty if it opens everything; None if it is unknown or expired."""
        with self._lock:
            expires, code = self._sessions.get(session or "", (0.0, ""))
            return code if expires > self._clock() else None


class Access:
    """The sessions of teachers' browsers: of the teacher's token, which opens every page, and of tokens of classes."""

    def __init__(self, guard: TokenGuard) -> None:
        """Take the guard of the teacher's token."""
        self._guard = guard

    def is_teacher(self, request: Request) -> bool:
        """Return whether the browser was signed in with the teacher's token."""
        return self._guard.has_session(request.cookies.get(COOKIE))

    def has_session(self, session: str) -> bool:
        """Return whether a session with the teacher's token has not ended."""
        return self._guard.has_session(session)

    def session_of(self, request: Request) -> str | None:
        """Return the id of the session in which the browser was signed in with the teacher's token, or None."""
        session = request.cookies.get(COOKIE)
        return session if self._guard.has_session(session) else None

    def class_of(self, request: Request) -> str | None:
        """Return the code of the class whose token the browser was signed in with, or None."""
        return self._guard.class_of(request.cookies.get(COOKIE))

    def may_read(self, request: Request, code: str) -> bool:
        """Return whether the browser may read the results of a class."""
        return self.is_teacher(request) or self.class_of(request) == code


async def read_form(request: Request, limit: int = MAX_FORM_BYTES) -> dict[str, list[str]]:
    """Return the fields of a form that are not empty; none if it is longer than a limit in bytes."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            return {}
    return parse_qs(body.decode("utf-8", "replace"))


def read_period(request: Request) -> Period:
    """Return the days of a query.

    Raises:
        PeriodError: A day is not a date such as 2026-01-31.
    """

    def read(name: str) -> date | None:
        text = request.query_params.get(name, "")
        try:
            return date.fromisoformat(text) if text else None
        except ValueError:
            raise PeriodError(f"{text[:40]!r} is not a date such as 2026-01-31.") from None

    return Period(read("first"), read("last"))


def period_query(period: Period) -> dict[str, str]:
    """Return the days of a period as the fields of a query that `read_period` reads."""
    return {name: day.isoformat() for name, day in (("first", period.first), ("last", period.last)) if day}


def html_response(content: str, status: int = 200) -> HTMLResponse:
    """Return a response with a page and the headers of `HEADERS`."""
    return HTMLResponse(content, status, HEADERS)


def not_signed_in() -> HTMLResponse:
    """Return the response to a browser that is not signed in as the page requires."""
    return html_response(error_page("Sign in first."), 401)


def error_page(message: str) -> Markup:
    """Return a page with an error message."""
    return make_page("teacher_error.html", message=message)


def make_page(template: str, **context: object) -> Markup:
    """Return a page of the teacher from a template."""
    return render(template, **{"css": Markup(read_static("teacher.css")), "css_of_page": ""} | context)
