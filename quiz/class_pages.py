"""The teacher's pages for classes: make one, list them, read and download the results, and delete one.

The teacher's token opens all of them; the token of a class opens the results and the deletion of this class.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import partial
from urllib.parse import urlencode

from markupsafe import Markup
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from .bank import Bank
from .class_records import AFTER_DEADLINE, AT_ONCE, DRAWN, FIXED, LISTED, SHUFFLED, ClassRun, QuizClass
from .class_report import ClassReport, describe_gain, describe_mean, describe_test, report_json
from .class_store import ClassStore
from .classes import (
    MAX_ATTEMPTS,
    MAX_RETENTION_DAYS,
    MAX_TITLE,
    RETENTION_DAYS,
    STORED,
    ClassOptions,
    describe_changes,
    describe_class,
    format_code,
    format_time,
    link_of,
    make_class,
    read_code,
)
from .errors import ClassError, counted
from .item_view import describe_items, describe_misconceptions
from .records import ALWAYS, Attempt, Period, StoreError, class_attempts_csv, class_attempts_json
from .report_table import NO_ATTEMPTS, format_notes, format_summary
from .store import Store
from .teacher_access import (
    HEADERS,
    Access,
    PeriodError,
    error_page,
    html_response,
    make_page,
    not_signed_in,
    period_query,
    read_form,
    read_period,
)

_DOWNLOADS: dict[str, tuple[str, Callable[[Iterable[tuple[ClassRun, datetime, Attempt]]], str]]] = {
    "attempts.csv": ("text/csv", class_attempts_csv),
    "attempts.json": ("application/json", class_attempts_json),
}


def class_routes(store: Store, bank: Bank, access: Access) -> list[Route]:
    """Return the routes of the pages.

    Args:
        store: The store of answers and classes.
        bank: The bank from which forms are made.
        access: Tells who may read what.
    """
    pages = _Pages(ClassStore(store), bank, access)
    return [
        Route("/teacher/classes", pages.list_all, methods=["GET"]),
        Route("/teacher/classes", pages.make, methods=["POST"]),
        Route("/teacher/class", pages.show, methods=["GET"]),
        *(Route(f"/teacher/class/{name}", pages.download, methods=["GET"]) for name in _DOWNLOADS),
        Route("/teacher/class/report.json", pages.download_report, methods=["GET"]),
        Route("/teacher/class/delete", pages.confirm, methods=["GET"]),
        Route("/teacher/class/delete", pages.delete, methods=["POST"]),
    ]


class _Pages:
    """The handlers of the routes."""

    def __init__(self, classes: ClassStore, bank: Bank, access: Access) -> None:
        self._classes, self._bank, self._access = classes, bank, access

    def list_all(self, request: Request) -> Response:
        """Respond with the list of classes and the form for a new one."""
        return self._respond(self._access.is_teacher(request), self._list)

    async def make(self, request: Request) -> Response:
        """Make a class, and respond with its code, its links and its token."""
        if not self._access.is_teacher(request):
            return not_signed_in()
        form = await read_form(request)
        return await run_in_threadpool(self._respond, True, partial(self._make, form))

    def show(self, request: Request) -> Response:
        """Respond with the results of a class, or of the runs that began in a period."""
        return self._respond_on_period(request, self._show)

    def download(self, request: Request) -> Response:
        """Respond with the answers in a class, as the file that the path names."""
        name = request.url.path.rsplit("/", 1)[-1]
        return self._respond_on_period(request, partial(self._download, name))

    def download_report(self, request: Request) -> Response:
        """Respond with every figure of the results, as JSON."""
        return self._respond_on_period(request, self._download_report)

    def confirm(self, request: Request) -> Response:
        """Ask whether a class is to be deleted."""
        return self._respond_on_class(request, self._confirm)

    async def delete(self, request: Request) -> Response:
        """Delete a class, and go back to the list."""
        form = await read_form(request)
        return await run_in_threadpool(self._delete, request, form.get("code", [""])[0])

    def _respond_on_period(self, request: Request, make_response: Callable[[Period, QuizClass], Response]) -> Response:
        """Return the response about the class and the days of a query, if the browser may read it."""
        return self._respond_on_class(request, lambda found: make_response(read_period(request), found))

    def _respond_on_class(self, request: Request, make_response: Callable[[QuizClass], Response]) -> Response:
        """Return the response about the class of a query, if the browser may read it."""
        text = request.query_params.get("code", "")
        return self._respond(self._may_read(request, text), lambda: make_response(self._classes.find_named(text)))

    def _may_read(self, request: Request, text: str) -> bool:
        try:
            return self._access.may_read(request, read_code(text)[0])
        except ClassError:
            return self._access.is_teacher(request)

    def _respond(self, is_allowed: bool, make_response: Callable[[], Response]) -> Response:
        """Return a response, or a page with the reason why there is none."""
        if not is_allowed:
            return not_signed_in()
        try:
            return make_response()
        except (ClassError, PeriodError) as error:
            return html_response(error_page(str(error)), 400)
        except StoreError as error:
            return html_response(error_page(str(error)), 503)

    def _list(self) -> Response:
        self._classes.delete_expired()
        rows = [(entry, len(self._classes.runs(entry.code))) for entry in self._classes.classes()]
        return html_response(list_page(rows, self._bank))

    def _make(self, form: Mapping[str, list[str]]) -> Response:
        quiz_class, token = make_class(self._bank, read_options(form))
        self._classes.add(quiz_class)
        return html_response(new_class_page(quiz_class, token))

    def _show(self, period: Period, quiz_class: QuizClass) -> Response:
        report = self._classes.report(quiz_class, self._bank, period)
        return html_response(class_page(quiz_class, report, self._bank, period))

    def _download(self, name: str, period: Period, quiz_class: QuizClass) -> Response:
        media_type, make_content = _DOWNLOADS[name]
        content = make_content(self._classes.attempts(quiz_class.code, period))
        return _file(content, media_type, f"{quiz_class.code}-{name}")

    def _download_report(self, period: Period, quiz_class: QuizClass) -> Response:
        content = report_json(self._classes.report(quiz_class, self._bank, period))
        return _file(content, "application/json", f"{quiz_class.code}-report.json")

    def _confirm(self, quiz_class: QuizClass) -> Response:
        return html_response(deletion_page(quiz_class, len(self._classes.runs(quiz_class.code))))

    def _delete(self, request: Request, text: str) -> Response:
        def delete() -> Response:
            self._classes.delete(self._classes.find_named(text).code)
            return RedirectResponse("../classes" if self._access.is_teacher(request) else "../../teacher", 303, HEADERS)

        return self._respond(self._may_read(request, text), delete)


def read_options(form: Mapping[str, list[str]]) -> ClassOptions:
    """Return the options of a form for a new class.

    Raises:
        ClassError: A field is not what it should be.
    """

    def field(name: str, default: str = "") -> str:
        return form.get(name, [default])[0].strip()

    return ClassOptions(
        title=field("title"),
        topics=tuple(form.get("topic", [])),
        item_ids=tuple(field("items").split()),
        item_count=_read_number(field("questions"), "questions") if field("questions") else None,
        draw=field("draw", FIXED),
        order=field("order", LISTED),
        pre_post=field("tests") == "two",
        attempts_allowed=_read_number(field("attempts", "1"), "attempts"),
        deadline=_read_deadline(field("deadline")),
        feedback=field("feedback", AT_ONCE),
        retention_days=_read_number(field("retention", str(RETENTION_DAYS)), "days"),
        randomized=field("lesson") == "by chance",
    )


def list_page(rows: Iterable[tuple[QuizClass, int]], bank: Bank) -> Markup:
    """Return the page with the classes, each with its number of runs, and the form for a new one."""
    live = [item for item in bank.items if item.status == "live"]
    return make_page(
        "classes.html",
        classes=[(entry, format_code(entry.code), describe_class(entry), counted(runs, "run")) for entry, runs in rows],
        topics=list(dict.fromkeys(item.topic for item in live)),
        total=len(live),
        max_title=MAX_TITLE,
        max_attempts=MAX_ATTEMPTS,
        max_days=MAX_RETENTION_DAYS,
        retention_days=RETENTION_DAYS,
        draws=(FIXED, DRAWN),
        orders=(LISTED, SHUFFLED),
        feedbacks=(AT_ONCE, AFTER_DEADLINE),
        stored=STORED,
    )


def new_class_page(quiz_class: QuizClass, token: str) -> Markup:
    """Return the page that shows the code, the links and, once, the token of a new class."""
    return make_page("class_new.html", token=token, **_describe(quiz_class))


def class_page(quiz_class: QuizClass, report: ClassReport, bank: Bank, period: Period = ALWAYS) -> Markup:
    """Return the page with the results of the runs of a class that began in a period."""
    return make_page(
        "class_results.html",
        report=report,
        changes=describe_changes(bank, quiz_class),
        period=period,
        selection=urlencode({"code": quiz_class.code} | period_query(period)),
        counts=[
            counted(report.learners, "learner"),
            counted(len(report.scores), "run"),
            counted(report.attempts, "answer"),
        ],
        gain=describe_gain(report.gain) if report.gain else "",
        tests=[
            {
                "name": describe_test(test.phase),
                "mean": describe_mean(test),
                "summary": format_summary(test.items) if test.items.attempts else NO_ATTEMPTS,
                "notes": format_notes(test.items),
                "misconceptions": describe_misconceptions(test.items),
                "items": describe_items(test.items, bank, test.phase or "item"),
            }
            for test in report.tests
        ],
        **_describe(quiz_class),
    )


def deletion_page(quiz_class: QuizClass, runs: int) -> Markup:
    """Return the page that asks whether a class is to be deleted."""
    return make_page("class_delete.html", runs=counted(runs, "run"), **_describe(quiz_class))


def _describe(quiz_class: QuizClass) -> dict[str, object]:
    return {
        "quiz_class": quiz_class,
        "code": format_code(quiz_class.code),
        "query": urlencode({"code": quiz_class.code}),
        "description": describe_class(quiz_class),
        "links": [(describe_test(phase), link_of(quiz_class, phase)) for phase in quiz_class.phases],
        "expires": format_time(quiz_class.expires_at),
        "stored": STORED,
    }


def _read_number(text: str, what: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 7):
        raise ClassError(f"The number of {what} is a whole number such as 10, not {text[:40]!r}.")
    return int(text)


def _read_deadline(text: str) -> datetime | None:
    if not text:
        return None
    try:
        return datetime.strptime(text.replace(" ", "T"), "%Y-%m-%dT%H:%M").replace(tzinfo=UTC)
    except ValueError:
        raise ClassError(f"The deadline is a time such as 2026-12-01 18:00, not {text[:40]!r}.") from None


def _file(content: str, media_type: str, name: str) -> Response:
    headers = HEADERS | {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content.encode("utf-8", "replace"), media_type=media_type, headers=headers)
