"""The teacher's page at /teacher: the statistics and the feedback, for hosts that give no shell.

It is there only if TEACHER_TOKEN is set. It has to be opened in a tab of its own: browsers send its cookie to no page
inside another site's frame, and it refuses to be framed.
"""

import os
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from .bank import Bank
from .records import StoreError
from .statistics import report
from .store import Store
from .teacher_guard import SESSION_SECONDS, Guard
from .teacher_html import overview, sign_in, trouble
from .teacher_report import feedback_csv

COOKIE = "quiz_teacher"
LONGEST_FORM = 4096  # bytes
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def teacher_routes(store: Store, bank: Bank) -> list[Route]:
    """Return the routes of the page for the application that serves it; none if TEACHER_TOKEN is not set."""
    token = os.getenv("TEACHER_TOKEN")
    if not token:
        return []
    pages = _Pages(store, bank, Guard(token))
    return [
        Route("/teacher", pages.show, methods=["GET"]),
        Route("/teacher", pages.enter, methods=["POST"]),
        Route("/teacher/leave", pages.leave, methods=["POST"]),
        Route("/teacher/feedback.csv", pages.download, methods=["GET"]),
    ]


class _Pages:
    def __init__(self, store: Store, bank: Bank, guard: Guard) -> None:
        self._store, self._bank, self._guard = store, bank, guard

    def show(self, request: Request) -> Response:
        """Answer with the statistics, or ask for the token."""
        if not self._knows(request):
            return _html(sign_in())
        try:
            found = report(self._store.attempts(), self._bank)
            return _html(overview(found, self._bank, self._store.feedback()))
        except StoreError as error:
            return _html(trouble(str(error)), 503)

    async def enter(self, request: Request) -> Response:
        """Take a token: answer with a session, or ask again."""
        token = await _token(request)
        if self._guard.admits(token):
            inside = RedirectResponse("teacher", 303, _HEADERS)
            inside.set_cookie(
                COOKIE,
                self._guard.new_session(),
                max_age=SESSION_SECONDS,
                secure="https" in (request.url.scheme, request.headers.get("x-forwarded-proto")),
                httponly=True,
                samesite="strict",
            )
            return inside
        if wait := self._guard.wait():
            answer = _html(sign_in(f"There were too many wrong tokens. Try again in {wait} seconds."), 429)
            answer.headers["Retry-After"] = str(wait)
            return answer
        return _html(sign_in("This is not the token."), 401)

    async def leave(self, request: Request) -> Response:
        """End the session in this browser."""
        answer = RedirectResponse("../teacher", 303, _HEADERS)
        answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
        return answer

    def download(self, request: Request) -> Response:
        """Answer with the feedback as a CSV file."""
        if not self._knows(request):
            return _html(trouble("Sign in first."), 401)
        try:
            content = feedback_csv(self._store.feedback())
        except StoreError as error:
            return _html(trouble(str(error)), 503)
        headers = _HEADERS | {"Content-Disposition": 'attachment; filename="feedback.csv"'}
        return Response(content, media_type="text/csv", headers=headers)

    def _knows(self, request: Request) -> bool:
        return self._guard.knows(request.cookies.get(COOKIE))


async def _token(request: Request) -> str:
    """Return the token in a form, or an empty text; no more is read than a form may be long."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > LONGEST_FORM:
            return ""
    return parse_qs(body.decode("utf-8", "replace")).get("token", [""])[0]


def _html(content: str, status: int = 200) -> HTMLResponse:
    return HTMLResponse(content, status, _HEADERS)
