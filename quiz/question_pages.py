"""The teacher's pages on which a bank of one's own is written: its questions, the form of one, upload and download.

A teacher's bank is a draft in memory (`quiz.bank_drafts`). The app goes on with its own bank.
"""

import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from . import bank_settings
from .bank import Bank, find_bank_faults
from .bank_drafts import (
    EMPTY,
    MAX_BANK_BYTES,
    Drafts,
    RawBank,
    find_question,
    put_question,
    read_bank,
    remove_question,
    unused_id,
)
from .errors import BankError
from .question_form import RawItem, is_complete, is_editable, read_question
from .question_views import FILE_NAME, Script, faults_page, form_page, list_page
from .teacher_access import HEADERS, Access, error_page, html_response, not_signed_in, read_form

MAX_QUESTION_BYTES = 100_000
"""Largest form of a question."""
_FORM_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; connect-src 'self'; script-src 'nonce-{}'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
"""The security policy of the form: its own script may run, and what that imports; pictures are part of the page."""


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
            return _refuse("The settings were not kept: they are too long.")
        if fields.get("action") == "reset":
            self._drafts.drop(session)
            return _see_other("questions")
        if fields.get("action") == "empty":
            return self._keep(session, dict(EMPTY), "questions")
        bank = bank_settings.read_settings(fields, self._drafts.read(session))
        return await run_in_threadpool(self._keep, session, bank, "questions")

    async def upload(self, session: str, request: Request) -> Response:
        """Go on with the bank of a file."""
        try:
            content = await _read_file(request)
            bank, faults = await run_in_threadpool(read_bank, content)
        except BankError as error:
            return _refuse(f"The bank was not opened: {error.fault}.")
        if faults:
            return html_response(faults_page("The bank was not opened", faults), 400)
        return await run_in_threadpool(self._keep, session, bank, "../questions")

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
            return _refuse(f"The question has more than {MAX_QUESTION_BYTES:,} bytes.")
        return await run_in_threadpool(self._edit, session, fields)

    def _edit(self, session: str, fields: Mapping[str, str]) -> Response:
        bank, item_id, action = self._drafts.read(session), fields.get("id", ""), fields.get("action")
        base = find_question(bank, item_id) if item_id else {}
        if base is None:
            return _no_question()
        if action == "remove":
            return self._keep(session, remove_question(bank, item_id), "../questions")
        if base and not is_editable(base):
            return _refuse("A question of this type is edited in the file.")
        raw = read_question(fields, base)
        if action != "keep":
            return self._form(bank, base, fields)
        if not is_complete(bank, {"id": "new"} | raw):
            return self._form(bank, base, fields, refused=True)
        raw = raw if item_id else {"id": unused_id(bank, raw["topic"])} | raw
        return self._keep(session, put_question(bank, raw), f"../questions?{urlencode({'kept': raw['id']})}")

    def _keep(self, session: str, bank: RawBank, address: str) -> Response:
        """Keep a draft and go to an address, or respond with the faults for which the quiz would refuse the bank."""
        faults = list(find_bank_faults(bank)) if bank["items"] else []
        if faults:
            return html_response(faults_page("This was not kept", faults), 400)
        try:
            self._drafts.keep(session, bank)
        except BankError as error:
            return _refuse(f"This was not kept: {error.fault}.")
        return _see_other(address)

    def _form(self, bank: RawBank, base: RawItem, sent: Mapping[str, str], refused: bool = False) -> Response:
        nonce = secrets.token_urlsafe(16)
        content = form_page(bank, base, sent, self._folder, Script(nonce, self._katex), refused)
        response = html_response(content, 400 if refused else 200)
        response.headers["Content-Security-Policy"] = _FORM_POLICY.format(nonce)
        return response


async def _read_fields(request: Request) -> dict[str, str] | None:
    """Return the fields of a form that are not empty, or None if it is longer than `MAX_QUESTION_BYTES`."""
    form = await read_form(request, MAX_QUESTION_BYTES)
    return {name: values[0] for name, values in form.items()} or None


async def _read_file(request: Request) -> bytes:
    """Return the content of the file in a form.

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
        return await file.read()
    finally:
        await form.close()


def _refuse(message: str) -> Response:
    return html_response(error_page(message), 400)


def _see_other(address: str) -> Response:
    return RedirectResponse(address, 303, HEADERS)


def _no_question() -> Response:
    return html_response(error_page("Your bank has no such question."), 404)
