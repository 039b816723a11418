"""The teacher's pages on which a bank of one's own is written: its questions, the form of one, upload and download.

A teacher's bank is a draft in memory (`quiz.bank_drafts`). The app goes on with its own bank.
"""

import re
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import suppress
from urllib.parse import urlencode

from markupsafe import Markup
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from .bank import Bank, find_bank_faults
from .bank_drafts import (
    EMPTY,
    MAX_BANK_BYTES,
    ChangedError,
    Drafts,
    RawBank,
    find_question,
    put_question,
    read_bank,
    read_settings,
    remove_question,
    settings_to_fields,
    unused_id,
    version_of,
)
from .errors import BankError
from .question_form import RawItem, is_complete, is_editable, move_up, read_question
from .question_views import FILE_NAME, Script, describe_faults, faults_page, form_page, list_page
from .teacher_access import HEADERS, Access, error_page, html_response, not_signed_in, read_form

MAX_QUESTION_BYTES = 100_000
"""Largest form of a question."""
_FORM_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; connect-src 'self'; script-src 'nonce-{}'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
"""The security policy of the form: its own script may run, and what that imports; pictures are part of the page."""
_IN_ANOTHER_TAB = "in another tab after you opened this page"
_GO_BACK = "Go back with your browser: what you typed is still there."
_FAULTY = "Not kept: the quiz would refuse this question."
_CHANGED = Markup(
    "Not kept: this question was changed in another tab after you opened it here. What you typed is still below. See "
    '<a href="edit?{}" target="_blank">the question as it is now</a> and copy what you need of it; then press “Keep '
    "in my bank” again, which replaces it."
)
_NOT_REMOVED = "Not removed: this question was changed in another tab after you opened it here. This is how it is now."
_GONE = (
    "Your bank does not have this question any more: another tab has removed it or opened another bank. What you "
    "typed is still below. “Keep in my bank” adds it as a new question, without what only the file has."
)


def question_routes(bank: Bank, access: Access, katex: str | None = None) -> list[Route]:
    """Return the routes of the pages.

    Args:
        bank: The bank of the app, with which every draft begins.
        access: Tells who is the teacher.
        katex: The address of a module with KaTeX below that of the app, to draw formulas in the preview.
    """
    pages = _Pages(bank, access, katex)
    return [
        pages.route("", "GET", pages.list_all),
        pages.route("", "POST", pages.change),
        pages.route("/upload", "POST", pages.upload),
        pages.route(f"/{FILE_NAME}", "GET", pages.download),
        pages.route("/edit", "GET", pages.open),
        pages.route("/edit", "POST", pages.edit),
    ]


class _Pages:
    """The handlers of the routes: each takes the teacher's session and a request."""

    def __init__(self, bank: Bank, access: Access, katex: str | None) -> None:
        self._folder, self._access, self._katex = bank.folder, access, katex or ""
        self._drafts = Drafts(bank.data, access.has_session)

    def route(self, path: str, method: str, respond: Callable[[str, Request], Awaitable[Response]]) -> Route:
        """Return the route of a handler, closed to whoever is not signed in with the teacher's token."""

        async def endpoint(request: Request) -> Response:
            session = self._access.session_of(request)
            return not_signed_in() if session is None else await respond(session, request)

        return Route(f"/teacher/questions{path}", endpoint, methods=[method])

    async def list_all(self, session: str, request: Request) -> Response:
        """Respond with the questions of the draft and what the linter says of them."""
        bank, is_changed = self._drafts.read(session), self._drafts.is_changed(session)
        kept = request.query_params.get("kept", "")
        return html_response(await run_in_threadpool(list_page, bank, is_changed, kept))

    async def change(self, session: str, request: Request) -> Response:
        """Keep the settings of the draft, or begin again with an empty bank or that of the app."""
        fields = await _read_fields(request)
        if fields is None:
            return _refuse(f"The settings were not kept: they are too long. {_GO_BACK}")
        return await run_in_threadpool(self._change, session, fields)

    def _change(self, session: str, fields: Mapping[str, str]) -> Response:
        bank, action = self._drafts.read(session), fields.get("action")
        if action in ("empty", "reset"):
            if fields.get("based-on") != version_of(bank):
                refusal = f"Not done: your bank was changed {_IN_ANOTHER_TAB}. Here it is as it is now."
                return self._list(session, 409, {}, [refusal])
            with suppress(ChangedError):
                if action == "empty":
                    self._drafts.keep(session, EMPTY, bank)
                else:
                    self._drafts.drop(session, bank)
                return _see_other("questions")
            return self._change(session, fields)
        changed = read_settings(fields, bank)
        if changed != bank and fields.get("based-on") != version_of(settings_to_fields(bank)):
            refusal = (
                f"The settings were not kept: they were changed {_IN_ANOTHER_TAB}. What you typed is still in the "
                "fields. Open this page in a new tab to see the settings as they are now, and copy what you need of "
                "them; then press “Keep the settings” again, which replaces them."
            )
            return self._list(session, 409, fields, [refusal])
        with suppress(ChangedError):
            if faults := self._keep(session, changed, bank):
                return self._list(session, 400, fields, ["The settings were not kept:", *faults])
            return _see_other("questions")
        return self._change(session, fields)

    async def upload(self, session: str, request: Request) -> Response:
        """Go on with the bank of a file."""
        try:
            content, version = await _read_file(request)
            return await run_in_threadpool(self._open_bank, session, content, version)
        except BankError as error:
            return _refuse(f"The bank was not opened: {error.fault}.")

    def _open_bank(self, session: str, content: bytes, version: str) -> Response:
        bank, faults = read_bank(content)
        if faults:
            return html_response(faults_page("The bank was not opened, as the quiz would refuse it:", faults), 400)
        before = self._drafts.read(session)
        with suppress(ChangedError):
            if version == version_of(before):
                self._drafts.keep(session, bank, before)
                return _see_other("../questions")
        return _refuse(
            f"The bank was not opened: yours was changed {_IN_ANOTHER_TAB}. Go back, load the page again, and open the "
            "file if you still want it to replace your bank.",
            409,
        )

    async def download(self, session: str, request: Request) -> Response:
        """Respond with the draft as a file."""
        headers = HEADERS | {"Content-Disposition": f'attachment; filename="{FILE_NAME}"'}
        return Response(self._drafts.file(session), media_type="application/json", headers=headers)

    async def open(self, session: str, request: Request) -> Response:
        """Respond with the form of a question, or of a new one."""
        bank, item_id = self._drafts.read(session), request.query_params.get("id", "")
        base = find_question(bank, item_id) if item_id else {}
        return _no_question() if base is None else await run_in_threadpool(self._form, bank, base, {})

    async def edit(self, session: str, request: Request) -> Response:
        """Show the question of a form with its preview, keep it, or remove it."""
        fields = await _read_fields(request)
        if fields is None:
            return _refuse(f"The question has more than {MAX_QUESTION_BYTES:,} bytes. {_GO_BACK}")
        return await run_in_threadpool(self._edit, session, fields)

    def _edit(self, session: str, fields: Mapping[str, str]) -> Response:
        bank, item_id, action = self._drafts.read(session), fields.get("id", ""), fields.get("action")
        base = find_question(bank, item_id) if item_id else {}
        if base is None:
            return _no_question() if action == "remove" else self._form(bank, {}, fields, _GONE, 404)
        is_stale = base != {} and fields.get("based-on") != version_of(base)
        if action == "remove":
            if is_stale:
                return self._form(bank, base, {}, _NOT_REMOVED, 409)
            return self._keep_question(session, fields, bank, remove_question(bank, item_id), "../questions")
        if base and not is_editable(base):
            return _refuse("A question of this type is edited in the file.")
        if "up" in fields:
            row = _read_row(fields["up"])
            return self._form(bank, base, move_up(fields, row), moved=row - 1)
        raw = read_question(fields, base)
        if action != "keep":
            return self._form(bank, base, fields)
        if is_stale and raw != base:
            return self._form(bank, base, fields, _CHANGED.format(urlencode({"id": item_id})), 409)
        if not is_complete(bank, {"id": "new"} | raw):
            return self._form(bank, base, fields, _FAULTY, 400)
        raw = raw if item_id else {"id": unused_id(bank, raw["topic"])} | raw
        address = f"../questions?{urlencode({'kept': raw['id']})}"
        return self._keep_question(session, fields, bank, put_question(bank, raw), address)

    def _keep_question(
        self, session: str, fields: Mapping[str, str], before: RawBank, bank: RawBank, address: str
    ) -> Response:
        """Keep a draft with a changed question and go to an address, or show the form with the reason why not."""
        with suppress(ChangedError):
            if faults := self._keep(session, bank, before):
                base = find_question(before, fields.get("id", "")) or {}
                sent = fields if fields["action"] == "keep" else {}
                return self._form(before, base, sent, f"Not done: {'; '.join(faults)}.", 400)
            return _see_other(address)
        return self._edit(session, fields)  # another request was faster: begin again with what it has kept

    def _keep(self, session: str, bank: RawBank, before: RawBank) -> list[str]:
        """Keep a draft, or return the faults for which it is not kept.

        Raises:
            ChangedError: The draft is not the one before any more.
        """
        # A bank without questions is not yet complete, but its settings must be right.
        faults = [fault for fault in find_bank_faults(bank) if bank["items"] or fault.path != ("items",)]
        if not faults:
            try:
                self._drafts.keep(session, bank, before)
            except BankError as error:
                return [error.fault]
        return describe_faults(faults)

    def _list(self, session: str, status: int, sent: Mapping[str, str], refusal: list[str]) -> Response:
        bank, is_changed = self._drafts.read(session), self._drafts.is_changed(session)
        return html_response(list_page(bank, is_changed, sent=sent, refusal=refusal), status)

    def _form(
        self,
        bank: RawBank,
        base: RawItem,
        sent: Mapping[str, str],
        refusal: str = "",
        status: int = 200,
        moved: int | None = None,
    ) -> Response:
        nonce = secrets.token_urlsafe(16)
        content = form_page(bank, base, sent, self._folder, Script(nonce, self._katex), refusal, moved)
        response = html_response(content, status)
        response.headers["Content-Security-Policy"] = _FORM_POLICY.format(nonce)
        return response


async def _read_fields(request: Request) -> dict[str, str] | None:
    """Return the fields of a form that are not empty, or None if it is longer than `MAX_QUESTION_BYTES`."""
    form = await read_form(request, MAX_QUESTION_BYTES)
    return {name: values[0] for name, values in form.items()} or None


def _read_row(text: str) -> int:
    """Return the number of a row below the first one; that of the second if it is none."""
    return int(text) if re.fullmatch("[1-9][0-9]?", text) else 1


async def _read_file(request: Request) -> tuple[bytes, str]:
    """Return the content of the file in a form, and the version of the draft that it is to replace.

    Raises:
        BankError: There is no file, or the form is too large.
    """

    async def bounded() -> AsyncGenerator[bytes, None]:
        size = 0
        async for chunk in request.stream():
            size += len(chunk)
            if size > MAX_BANK_BYTES + MAX_QUESTION_BYTES:
                raise MultiPartException(f"the file is larger than {MAX_BANK_BYTES // 1_000_000} MB")
            yield chunk

    try:
        form = await MultiPartParser(request.headers, bounded(), max_files=1, max_fields=1).parse()
    except MultiPartException as error:
        raise BankError(error.message) from error
    except KeyError as error:
        raise BankError("it is not a form with a file") from error
    try:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise BankError("choose a file first")
        return await file.read(), str(form.get("based-on"))
    finally:
        await form.close()


def _refuse(message: str, status: int = 400) -> Response:
    return html_response(error_page(message), status)


def _see_other(address: str) -> Response:
    return RedirectResponse(address, 303, HEADERS)


def _no_question() -> Response:
    return html_response(error_page("Your bank has no such question."), 404)
