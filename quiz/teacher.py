"""The teacher's page: statistics of each item, feedback and downloads, behind a token, as HTML without scripts."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import TypeVar
from urllib.parse import urlencode

from markupsafe import Markup
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from .bank import Bank
from .class_pages import class_routes
from .class_store import ClassStore
from .item_analysis import FALSE_DISCOVERIES, SMALL_SAMPLE, Report, analyze_items
from .item_view import describe_items, describe_misconceptions
from .question_pages import question_routes
from .records import ALWAYS, Feedback, Period, StoreError, attempts_csv, attempts_json, feedback_csv
from .report_table import NO_ATTEMPTS, format_notes, format_summary
from .store import Store
from .teacher_access import (
    COOKIE,
    HEADERS,
    SESSION_SECONDS,
    Access,
    PeriodError,
    TokenGuard,
    error_page,
    html_response,
    make_page,
    not_signed_in,
    period_query,
    read_form,
    read_period,
)


def teacher_routes(store: Store, bank: Bank, token: str | None, katex: str | None = None) -> list[Route]:
    """Return the routes of the page for the application that serves it; an empty list without a token.

    Args:
        store: The store of answers and feedback.
        bank: The bank with the texts of the items.
        token: The teacher's token, or None.
        katex: The address of a module with KaTeX below that of the application, for previews of questions.
    """
    if not token:
        return []
    guard = TokenGuard(token)
    access = Access(guard)
    pages = _Pages(store, bank, guard, access)
    return [
        Route("/teacher", pages.show, methods=["GET"]),
        Route("/teacher", pages.sign_in, methods=["POST"]),
        Route("/teacher/leave", pages.sign_out, methods=["POST"]),
        *(Route(f"/teacher/{name}", pages.download, methods=["GET"]) for name in _DOWNLOADS),
        *class_routes(store, bank, access),
        *question_routes(bank, access, katex),
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

    def __init__(self, store: Store, bank: Bank, guard: TokenGuard, access: Access) -> None:
        self._store, self._bank, self._guard, self._access = store, bank, guard, access

    def show(self, request: Request) -> Response:
        """Respond with the statistics, or ask for the token. The token of a class leads to its page."""
        if code := self._access.class_of(request):
            return RedirectResponse(f"teacher/class?code={code}", 303, HEADERS)
        if not self._access.is_teacher(request):
            return html_response(sign_in_page())
        try:
            period = read_period(request)
            attempts = [attempt for _, attempt in _select(self._store.dated_attempts(), period)]
            feedback = _select(self._store.feedback(), period)
            return html_response(overview_page(analyze_items(attempts, self._bank), self._bank, feedback, period))
        except PeriodError as error:
            return html_response(error_page(str(error)), 400)
        except StoreError as error:
            return html_response(error_page(str(error)), 503)

    async def sign_in(self, request: Request) -> Response:
        """Check a token: respond with a session, or ask again."""
        token = (await read_form(request)).get("token", [""])[0]
        try:
            session = await run_in_threadpool(self._new_session, token)
        except StoreError as error:
            return html_response(error_page(str(error)), 503)
        if session:
            response = RedirectResponse("teacher", 303, HEADERS)
            response.set_cookie(
                COOKIE,
                session,
                max_age=SESSION_SECONDS,
                secure="https" in (request.url.scheme, request.headers.get("x-forwarded-proto")),
                httponly=True,
                samesite="strict",
            )
            return response
        return html_response(sign_in_page("This is not the token."), 401)

    async def sign_out(self, request: Request) -> Response:
        """End the session, also for a copy of its cookie."""
        self._guard.end_session(request.cookies.get(COOKIE))
        response = RedirectResponse("../teacher", 303, HEADERS)
        response.delete_cookie(COOKIE, httponly=True, samesite="strict")
        return response

    def download(self, request: Request) -> Response:
        """Respond with the file that the path names."""
        if not self._access.is_teacher(request):
            return not_signed_in()
        name = request.url.path.rsplit("/", 1)[-1]
        media_type, make_content = _DOWNLOADS[name]
        try:
            content = make_content(self._store, read_period(request)).encode("utf-8", "replace")
        except PeriodError as error:
            return html_response(error_page(str(error)), 400)
        except StoreError as error:
            return html_response(error_page(str(error)), 503)
        headers = HEADERS | {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(content, media_type=media_type, headers=headers)

    def _new_session(self, token: str) -> str | None:
        """Return a session for the teacher's token or for that of a class, or None for any other text."""
        if self._guard.accepts(token):
            return self._guard.new_session()
        quiz_class = ClassStore(self._store).find_by_token(token) if token else None
        return self._guard.new_session(quiz_class.code) if quiz_class else None


def sign_in_page(message: str = "") -> Markup:
    """Return the page that asks for the token, with a message if the last one was refused."""
    return make_page("teacher_sign_in.html", message=message)


def overview_page(
    report: Report, bank: Bank, feedback: Iterable[tuple[datetime, Feedback]], period: Period = ALWAYS
) -> Markup:
    """Return the page with the statistics of each item, and the feedback, latest first.

    Args:
        report: The statistics.
        bank: The bank with the texts of the items.
        feedback: Each feedback with its time, oldest first.
        period: The days of the answers and the feedback.
    """
    feedback = list(feedback)
    entries = describe_items(report, bank)
    return make_page(
        "teacher_overview.html",
        summary=format_summary(report) if report.attempts else NO_ATTEMPTS,
        notes=format_notes(report),
        period=period,
        query="?" + urlencode(period_query(period)),
        items=entries,
        false_discoveries=FALSE_DISCOVERIES,
        small_sample=SMALL_SAMPLE,
        flagged=[entry for entry in entries if entry["flags"]],
        misconceptions=describe_misconceptions(report),
        yes=sum(entry.clear is True for _, entry in feedback),
        no=sum(entry.clear is False for _, entry in feedback),
        feedback=feedback[::-1],
    )
