"""The teacher's page: statistics of each item, feedback and downloads, behind a token, as HTML without scripts."""

import hmac
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime
from threading import Lock
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlencode

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from .bank import Bank, Item
from .estimates import Correlation
from .item_analysis import FALSE_DISCOVERIES, SMALL_SAMPLE, ItemReport, Report, analyze_items
from .proof_view import inline_html
from .record_exports import attempts_csv, attempts_json, feedback_csv
from .records import Feedback, Period, StoreError
from .report_table import (
    NO_ATTEMPTS,
    describe_flag,
    format_interval,
    format_notes,
    format_percent,
    format_summary,
)
from .store import Store
from .views import read_static, render

SESSION_SECONDS = 8 * 3600
MAX_SESSIONS = 1000
COOKIE = "quiz_teacher"
MAX_FORM_BYTES = 4096
_ALWAYS = Period()
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class TokenGuard:
    """A check of tokens, and the sessions of this process.

    The right token always works, whatever others have tried: a token has at least 16 characters, which cannot be
    guessed. Session ids are random and kept in memory, so that signing out revokes them, and times are those of the
    monotonic clock, which no change of the system time moves. A restart ends all sessions.
    """

    def __init__(self, token: str, clock: Callable[[], float] = time.monotonic) -> None:
        """Take the teacher's token."""
        self._token, self._clock = token.encode(), clock
        self._sessions: OrderedDict[str, float] = OrderedDict()  # id, and when it expires
        self._lock = Lock()

    def accepts(self, token: str) -> bool:
        """Return whether a token is right, in constant time."""
        return hmac.compare_digest(token.encode("utf-8", "replace"), self._token)

    def new_session(self) -> str:
        """Return a session id that is valid for `SESSION_SECONDS`; beyond `MAX_SESSIONS`, the oldest one ends."""
        session = secrets.token_urlsafe(32)
        with self._lock:
            self._sessions[session] = self._clock() + SESSION_SECONDS
            while len(self._sessions) > MAX_SESSIONS:
                self._sessions.popitem(last=False)
        return session

    def has_session(self, session: str | None) -> bool:
        """Return whether a session id is known and has not expired."""
        with self._lock:
            return self._sessions.get(session or "", 0.0) > self._clock()

    def end_session(self, session: str | None) -> None:
        """Revoke a session id."""
        with self._lock:
            self._sessions.pop(session or "", None)


def teacher_routes(store: Store, bank: Bank, token: str | None) -> list[Route]:
    """Return the routes of the page for the application that serves it; an empty list without a token.

    Args:
        store: The store of answers and feedback.
        bank: The bank with the texts of the items.
        token: The teacher's token, or None.
    """
    if not token:
        return []
    pages = _Pages(store, bank, TokenGuard(token))
    return [
        Route("/teacher", pages.show, methods=["GET"]),
        Route("/teacher", pages.sign_in, methods=["POST"]),
        Route("/teacher/leave", pages.sign_out, methods=["POST"]),
        *(Route(f"/teacher/{name}", pages.download, methods=["GET"]) for name in _DOWNLOADS),
    ]


_DOWNLOADS: dict[str, tuple[str, Callable[[Store, Period], str]]] = {
    "attempts.csv": ("text/csv", lambda store, period: attempts_csv(_select(store.dated_attempts(), period))),
    "attempts.json": ("application/json", lambda store, period: attempts_json(_select(store.dated_attempts(), period))),
    "feedback.csv": ("text/csv", lambda store, period: feedback_csv(_select(store.feedback(), period))),
}
_Record = TypeVar("_Record")


def _select(records: Iterable[tuple[datetime, _Record]], period: Period) -> Iterator[tuple[datetime, _Record]]:
    return ((time, record) for time, record in records if time in period)


class _Pages:
    """The handlers of the routes."""

    def __init__(self, store: Store, bank: Bank, guard: TokenGuard) -> None:
        self._store, self._bank, self._guard = store, bank, guard

    def show(self, request: Request) -> Response:
        """Respond with the statistics, or ask for the token."""
        if not self._has_session(request):
            return _html(sign_in_page())
        try:
            period = _read_period(request)
            attempts = [attempt for _, attempt in _select(self._store.dated_attempts(), period)]
            feedback = _select(self._store.feedback(), period)
            return _html(overview_page(analyze_items(attempts, self._bank), self._bank, feedback, period))
        except ValueError as error:
            return _html(error_page(str(error)), 400)
        except StoreError as error:
            return _html(error_page(str(error)), 503)

    async def sign_in(self, request: Request) -> Response:
        """Check a token: respond with a session, or ask again."""
        if self._guard.accepts(await _read_token(request)):
            response = RedirectResponse("teacher", 303, _HEADERS)
            response.set_cookie(
                COOKIE,
                self._guard.new_session(),
                max_age=SESSION_SECONDS,
                secure="https" in (request.url.scheme, request.headers.get("x-forwarded-proto")),
                httponly=True,
                samesite="strict",
            )
            return response
        return _html(sign_in_page("This is not the token."), 401)

    async def sign_out(self, request: Request) -> Response:
        """End the session, also for a copy of its cookie."""
        self._guard.end_session(request.cookies.get(COOKIE))
        response = RedirectResponse("../teacher", 303, _HEADERS)
        response.delete_cookie(COOKIE, httponly=True, samesite="strict")
        return response

    def download(self, request: Request) -> Response:
        """Respond with the file that the path names."""
        if not self._has_session(request):
            return _html(error_page("Sign in first."), 401)
        name = request.url.path.rsplit("/", 1)[-1]
        media_type, make_content = _DOWNLOADS[name]
        try:
            content = make_content(self._store, _read_period(request)).encode("utf-8", "replace")
        except ValueError as error:
            return _html(error_page(str(error)), 400)
        except StoreError as error:
            return _html(error_page(str(error)), 503)
        headers = _HEADERS | {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(content, media_type=media_type, headers=headers)

    def _has_session(self, request: Request) -> bool:
        return self._guard.has_session(request.cookies.get(COOKIE))


def _read_period(request: Request) -> Period:
    """Return the days of a query.

    Raises:
        ValueError: A day is not a date such as 2026-01-31; the message says so.
    """

    def read(name: str) -> date | None:
        text = request.query_params.get(name, "")
        try:
            return date.fromisoformat(text) if text else None
        except ValueError:
            raise ValueError(f"{text[:40]!r} is not a date such as 2026-01-31.") from None

    return Period(read("first"), read("last"))


async def _read_token(request: Request) -> str:
    """Return the token of a form; empty if it has none or is longer than `MAX_FORM_BYTES`."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_FORM_BYTES:
            return ""
    return parse_qs(body.decode("utf-8", "replace")).get("token", [""])[0]


def _html(content: str, status: int = 200) -> HTMLResponse:
    return HTMLResponse(content, status, _HEADERS)


def sign_in_page(message: str = "") -> Markup:
    """Return the page that asks for the token, with a message if the last one was refused."""
    return _page("teacher_sign_in.html", message=message)


def error_page(message: str) -> Markup:
    """Return a page with an error message."""
    return _page("teacher_error.html", message=message)


def overview_page(
    report: Report, bank: Bank, feedback: Iterable[tuple[datetime, Feedback]], period: Period = _ALWAYS
) -> Markup:
    """Return the page with the statistics of each item, and the feedback, latest first.

    Args:
        report: The statistics.
        bank: The bank with the texts of the items.
        feedback: Each feedback with its time, oldest first.
        period: The days of the answers and the feedback.
    """
    items = {(item.id, item.version): item for item in bank.items}
    feedback = list(feedback)
    days = {"first": period.first, "last": period.last}
    entries = [
        {"anchor": f"item-{number}"} | _describe_item(entry, items.get((entry.item_id, entry.version)))
        for number, entry in enumerate(report.items, 1)
        if entry.measures
    ]
    return _page(
        "teacher_overview.html",
        summary=format_summary(report) if report.attempts else NO_ATTEMPTS,
        notes=format_notes(report),
        period=period,
        query="?" + urlencode({name: day.isoformat() for name, day in days.items() if day}),
        items=entries,
        false_discoveries=FALSE_DISCOVERIES,
        small_sample=SMALL_SAMPLE,
        flagged=[entry for entry in entries if entry["flags"]],
        misconceptions=[
            (found, inline_html(found.statement), format_percent(found.interval)) for found in report.misconceptions
        ],
        yes=sum(entry.clear is True for _, entry in feedback),
        no=sum(entry.clear is False for _, entry in feedback),
        feedback=feedback[::-1],
    )


def _page(template: str, **context: Any) -> Markup:
    return render(template, css=Markup(read_static("teacher.css")), **context)


def _describe_item(report: ItemReport, item: Item | None) -> dict[str, Any]:
    """Return the values that the page shows of an item."""
    measures = report.measures
    assert measures is not None
    texts = {option.oid: inline_html(option.text) for option in item.options} if item else {}
    return {
        "report": report,
        "stem": inline_html(item.stem) if item else "",
        "facts": {
            "First tries": (str(report.first_tries), "small sample" if report.small else ""),
            "Facility": (f"{measures.facility:.0%}", format_percent(measures.facility_interval)),
            "Credit": (f"{measures.mean_credit:.2f}", ""),
            "Discrimination": _describe_correlation(measures.discrimination),
            "Median time": _describe_time(measures.seconds),
            "Hints": (f"{measures.hint_share:.0%}", ""),
        }.items(),
        "flags": [inline_html(describe_flag(flag, item)) for flag in report.flags],
        "groups": measures.groups,
        "choices": [(choice, texts.get(choice.answer, choice.answer)) for choice in measures.choices],
    }


def _describe_correlation(found: Correlation | None) -> tuple[str, str]:
    return (f"{found.value:.2f}", format_interval(found.interval)) if found else ("none", "")


def _describe_time(seconds: tuple[float, float, float] | None) -> tuple[str, str]:
    """Return the median time, and the range of the middle half."""
    if seconds is None:
        return "none", ""
    low, median, high = seconds
    return f"{median:.0f} s", f"{low:.0f} to {high:.0f} s"
