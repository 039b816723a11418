"""The teacher's page as HTML, without a script. Whatever learners or banks say is escaped."""

import hmac
import os
import time
from collections import deque
from collections.abc import Callable, Iterable
from datetime import datetime
from html import escape
from pathlib import Path
from threading import Lock
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from .bank import Bank, Item
from .item_analysis import (
    MIN_FIRST_TRIES,
    NO_ATTEMPTS,
    Choice,
    ItemReport,
    Report,
    analyze_items,
    feedback_csv,
    format_notes,
    format_summary,
)
from .proof_view import inline_html
from .records import Feedback, StoreError
from .store import Store

SESSION_SECONDS = 8 * 3600
WRONG_TRIES = 5
WAIT_SECONDS = 60


class Guard:
    """Compares tokens and signs sessions.

    After `WRONG_TRIES` wrong tokens within `WAIT_SECONDS`, by whomever, no token is looked at until the first of them
    is that old: addresses can be made up, so they are not told apart. Sessions go on meanwhile.
    """

    def __init__(self, token: str, clock: Callable[[], float] = time.time) -> None:
        """Keep the token; the clock returns seconds since 1970."""
        self._token = token.encode()
        self._clock = clock
        self._wrong: deque[float] = deque(maxlen=WRONG_TRIES)
        self._lock = Lock()

    def wait(self) -> int:
        """Return for how many seconds no token is looked at; 0 if the next one is."""
        if len(self._wrong) < WRONG_TRIES:
            return 0
        return max(0, int(self._wrong[0] + WAIT_SECONDS - self._clock() + 0.999))

    def admits(self, token: str) -> bool:
        """Return whether a token is right, in a time that tells nothing of it; none is while `wait` is above 0."""
        with self._lock:
            if self.wait():
                return False
            right = hmac.compare_digest(token.encode("utf-8", "replace"), self._token)
            if not right:
                self._wrong.append(self._clock())
            return right

    def new_session(self) -> str:
        """Return the value of a cookie that is good for `SESSION_SECONDS`, until the token is changed."""
        end = str(int(self._clock()) + SESSION_SECONDS)
        return f"{end}.{self._signature(end)}"

    def knows(self, session: str | None) -> bool:
        """Return whether a cookie is one of ours and still good."""
        end, _, signature = (session or "").partition(".")
        signed = hmac.compare_digest(signature.encode("utf-8", "replace"), self._signature(end).encode())
        return signed and int(end) > self._clock()

    def _signature(self, end: str) -> str:
        return hmac.new(self._token, b"teacher session until " + end.encode("utf-8", "replace"), "sha256").hexdigest()


_CSS = (Path(__file__).parent / "static" / "teacher.css").read_text(encoding="utf-8")


def page(title: str, body: str) -> str:
    """Return a whole document; the body is HTML."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">'
        f"<title>{_text(title)}</title><style>{_CSS}</style></head><body><main><h1>{_text(title)}</h1>{body}</main></body>"
        "</html>"
    )


def sign_in(message: str = "") -> str:
    """Return the page that asks for the token, with a message if the last one was not taken."""
    alert = f'<p role="alert">{_text(message)}</p>' if message else ""
    return page(
        "Teacher's page",
        f'{alert}<form method="post" action="teacher"><label for="token">Token</label>'
        '<input id="token" name="token" type="password" autocomplete="current-password" required autofocus>'
        "<button>Open</button></form>",
    )


def trouble(message: str) -> str:
    """Return the page that says why there is nothing to see."""
    return page("Teacher's page", f'<p role="alert">{_text(message)}</p>')


def overview(report: Report, bank: Bank, feedback: Iterable[tuple[datetime, Feedback]]) -> str:
    """Return the statistics of each item, and the feedback, the latest first."""
    items = {(item.id, item.version): item for item in bank.items}
    told = [_item(one, items.get((one.item_id, one.version))) for one in report.items if one.measures]
    return page(
        "Teacher's page",
        '<form method="post" action="teacher/leave"><button class="quiet">Sign out</button></form>'
        f"<p>{_text(format_summary(report) if report.attempts else NO_ATTEMPTS)}</p>"
        f"<h2>Items</h2>{_notes(report) if told else ''}{''.join(told)}{_withheld(report)}{_feedback(list(feedback))}",
    )


def _notes(report: Report) -> str:
    return "".join(f'<p class="note">{_text(line)}</p>' for line in (_LEGEND, *format_notes(report)))


def _item(report: ItemReport, item: Item | None) -> str:
    found = report.measures
    assert found
    facts = [
        ("First tries", str(report.first_tries)),
        ("Facility", f"{found.facility:.0%}"),
        ("Credit", f"{found.mean_credit:.2f}"),
        ("Discrimination", "none" if found.discrimination is None else f"{found.discrimination:.2f}"),
        ("Median time", "none" if found.median_seconds is None else f"{found.median_seconds:.0f} s"),
        ("Hints", f"{found.hint_share:.0%}"),
    ]
    terms = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in facts)
    texts = {option.oid: option.text for option in item.options} if item else {}
    look = found.discrimination is not None and found.discrimination < 0
    return (
        f"<article><h3>{_text(_name(report))}</h3><p>{inline_html(item.stem) if item else ''}</p><dl>{terms}</dl>"
        f"{_WORTH_A_LOOK if look else ''}"
        f"<ul>{''.join(_choice(choice, texts) for choice in found.choices)}</ul></article>"
    )


def _choice(choice: Choice, texts: dict[str, str]) -> str:
    text = inline_html(texts[choice.answer]) if choice.answer in texts else _text(choice.answer)
    mark, kind = (" <strong>right</strong>", "bar right") if choice.correct else ("", "bar")
    return (
        f'<li><span class="share">{choice.share:.0%}</span><span>{text}{mark}'
        f'<span class="{kind}" style="width:{choice.share:.1%}"></span></span></li>'
    )


def _withheld(report: Report) -> str:
    few = [one for one in report.items if 0 < one.first_tries < MIN_FIRST_TRIES]
    if not few:
        return ""
    entries = "".join(f"<li>{_text(_name(one))}: {one.first_tries}</li>" for one in few)
    return f"<h3>Withheld: fewer than {MIN_FIRST_TRIES} first tries</h3><ul class='plain'>{entries}</ul>"


def _name(report: ItemReport) -> str:
    return f"{report.item_id} v{report.version}" + ("" if report.in_bank else " (not in the bank)")


def _feedback(feedback: list[tuple[datetime, Feedback]]) -> str:
    if not feedback:
        return "<h2>Feedback</h2><p>There is none yet.</p>"
    yes, no = (sum(one.clear is clear for _, one in feedback) for clear in (True, False))
    said = "".join(
        f"<li><span class='note'>{time:%Y-%m-%d %H:%M} UTC, {_CLEAR[one.clear]}</span>"
        f"<span class='said'>{_text(one.text)}</span></li>"
        for time, one in reversed(feedback)
        if one.text
    )
    return (
        f"<h2>Feedback</h2><p>Was everything clear? Yes {yes}, no {no}. "
        f'<a href="teacher/feedback.csv">Download as CSV</a></p><ul class="plain">{said}</ul>'
    )


_LEGEND = (
    "Facility is the share of right answers. Discrimination is the correlation of an item with the rest of the run: "
    "well above 0 where good learners get it right."
)
_WORTH_A_LOOK = "<p><strong>Worth a look: those who do well elsewhere get this wrong.</strong></p>"
_CLEAR = {True: "clear", False: "not clear", None: "clear or not: not said"}


def _text(text: str) -> str:
    return escape(text, quote=True)


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
            found = analyze_items(self._store.attempts(), self._bank)
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
