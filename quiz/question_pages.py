"""The teacher's pages on which a bank of one's own is written: its questions, the form of one, upload and download.

A teacher's bank is a draft in memory (`quiz.bank_drafts`). The app goes on with its own bank.
"""

import secrets
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from urllib.parse import urlencode

from markupsafe import Markup
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from . import bank_settings
from .bank import Bank, find_bank_faults, make_bank
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
from .lint import find_problems
from .proof_view import inline_html
from .question_form import (
    MAX_HINTS,
    TYPES,
    RawItem,
    count_rows,
    find_messages,
    is_complete,
    is_editable,
    read_question,
    to_fields,
)
from .question_preview import preview_html
from .teacher_access import HEADERS, Access, error_page, html_response, make_page, not_signed_in, read_form
from .validation import Fault, allowed_values
from .views import read_static
from .wording import counted

MAX_QUESTION_BYTES = 100_000
"""Largest form of a question."""
_MOST_FAULTS = 10
_NEW_FIELDS = {"status": "live", "version": "1"}
_FILE_NAME = "mine.json"
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
        Route("/teacher/questions", pages.list_all, methods=["GET"]),
        Route("/teacher/questions", pages.change, methods=["POST"]),
        Route("/teacher/questions/upload", pages.upload, methods=["POST"]),
        Route(f"/teacher/questions/{_FILE_NAME}", pages.download, methods=["GET"]),
        Route("/teacher/questions/edit", pages.open, methods=["GET"]),
        Route("/teacher/questions/edit", pages.edit, methods=["POST"]),
    ]


@dataclass(frozen=True)
class Script:
    """What the script of the form needs: the nonce that lets it run, and the address of KaTeX or nothing."""

    nonce: str
    katex: str


class _Pages:
    """The handlers of the routes."""

    def __init__(self, bank: Bank, access: Access, katex: str | None) -> None:
        self._bank, self._access, self._katex = bank, access, katex
        self._drafts = Drafts(bank.data, access.has_session)

    def list_all(self, request: Request) -> Response:
        """Respond with the questions of the draft and what the linter says of them."""
        session = self._access.session_of(request)
        if session is None:
            return not_signed_in()
        return html_response(self._list(session, request.query_params.get("kept", "")))

    async def change(self, request: Request) -> Response:
        """Keep the settings of the draft, or begin again with an empty bank or that of the app."""
        session = self._access.session_of(request)
        if session is None:
            return not_signed_in()
        fields = _first_values(await read_form(request, MAX_QUESTION_BYTES))
        return await run_in_threadpool(self._change, session, fields)

    async def upload(self, request: Request) -> Response:
        """Go on with the bank of a file."""
        session = self._access.session_of(request)
        if session is None:
            return not_signed_in()
        try:
            content = await _read_file(request)
        except BankError as error:
            return html_response(error_page(f"The bank was not opened: {error.fault}."), 400)
        return await run_in_threadpool(self._upload, session, content)

    def download(self, request: Request) -> Response:
        """Respond with the draft as a file."""
        session = self._access.session_of(request)
        if session is None:
            return not_signed_in()
        headers = HEADERS | {"Content-Disposition": f'attachment; filename="{_FILE_NAME}"'}
        return Response(self._drafts.file(session), media_type="application/json", headers=headers)

    def open(self, request: Request) -> Response:
        """Respond with the form of a question, or of a new one."""
        session = self._access.session_of(request)
        if session is None:
            return not_signed_in()
        bank, item_id = self._drafts.read(session), request.query_params.get("id", "")
        base = find_question(bank, item_id) if item_id else {}
        return self._form(bank, base) if base is not None else _no_question()

    async def edit(self, request: Request) -> Response:
        """Show the question of a form with its preview, keep it, or remove it."""
        session = self._access.session_of(request)
        if session is None:
            return not_signed_in()
        fields = _first_values(await read_form(request, MAX_QUESTION_BYTES))
        if not fields:
            return html_response(error_page(f"The question has more than {MAX_QUESTION_BYTES:,} bytes."), 400)
        return await run_in_threadpool(self._edit, session, fields)

    def _list(self, session: str, kept: str) -> Markup:
        return list_page(self._drafts.read(session), self._drafts.is_changed(session), kept)

    def _change(self, session: str, fields: Mapping[str, str]) -> Response:
        if fields.get("action") == "reset":
            self._drafts.drop(session)
            return _see_other("questions")
        bank = dict(EMPTY) if fields.get("action") == "empty" else None
        return self._keep(session, bank or bank_settings.read_settings(fields, self._drafts.read(session)), "questions")

    def _upload(self, session: str, content: bytes) -> Response:
        try:
            bank, faults = read_bank(content)
        except BankError as error:
            return html_response(error_page(f"The bank was not opened: {error.fault}."), 400)
        if faults:
            return html_response(faults_page("The bank was not opened", faults), 400)
        return self._keep(session, bank, "../questions")

    def _keep(self, session: str, bank: RawBank, address: str) -> Response:
        """Keep a draft and go to an address, or respond with the faults for which the quiz would refuse the bank."""
        faults = list(find_bank_faults(bank)) if bank["items"] else []
        if faults:
            return html_response(faults_page("This was not kept", faults), 400)
        try:
            self._drafts.keep(session, bank)
        except BankError as error:
            return html_response(error_page(f"This was not kept: {error.fault}."), 400)
        return _see_other(address)

    def _edit(self, session: str, fields: Mapping[str, str]) -> Response:
        bank, item_id = self._drafts.read(session), fields.get("id", "")
        base = find_question(bank, item_id) if item_id else {}
        if base is None:
            return _no_question()
        if fields.get("action") == "remove":
            return self._keep(session, remove_question(bank, item_id), "../questions")
        if base and not is_editable(base):
            return html_response(error_page("A question of this type is edited in the file."), 400)
        raw = read_question(fields, base)
        if fields.get("action") != "keep":
            return self._form(bank, base, raw, fields)
        if not is_complete(bank, {"id": "new"} | raw):
            return self._form(bank, base, raw, fields, refused=True)
        raw = raw if item_id else {"id": unused_id(bank, raw["topic"])} | raw
        kept = urlencode({"kept": raw["id"]})
        return self._keep(session, put_question(bank, raw), f"../questions?{kept}")

    def _form(
        self,
        bank: RawBank,
        base: RawItem,
        raw: RawItem | None = None,
        fields: Mapping[str, str] | None = None,
        refused: bool = False,
    ) -> Response:
        nonce = secrets.token_urlsafe(16)
        content = form_page(self._bank, bank, base, raw, fields, refused, Script(nonce, self._katex or ""))
        response = html_response(content, 400 if refused else 200)
        response.headers["Content-Security-Policy"] = _FORM_POLICY.format(nonce)
        return response


def list_page(bank: RawBank, is_changed: bool, kept: str = "") -> Markup:
    """Return the page with the questions of a draft.

    Args:
        bank: The JSON value of the draft.
        is_changed: Whether it differs from the app's bank.
        kept: The id of a question that was just kept.
    """
    items = make_bank(bank).items if bank["items"] else ()
    messages: dict[str | None, list[str]] = {}
    for fault in find_problems(bank) if items else []:
        messages.setdefault(fault.item_id, []).append(fault.text)
    rows = [(item, inline_html(item.stem), messages.get(item.id, [])) for item in items]
    topics = list(dict.fromkeys(item.topic for item in items))
    rows.sort(key=lambda row: topics.index(row[0].topic))
    return make_page(
        "question_list.html",
        topics=[(topic, list(group)) for topic, group in groupby(rows, key=lambda row: row[0].topic)],
        messages=messages.get(None, []),
        count=counted(len(items), "question"),
        warned=_counted_or_none(sum(bool(entry[2]) for entry in rows), "question"),
        is_changed=is_changed,
        kept=kept,
        settings=bank_settings.to_fields(bank),
        file_name=_FILE_NAME,
        max_megabytes=MAX_BANK_BYTES // 1_000_000,
        css_of_page=Markup(read_static("question_form.css")),
    )


def faults_page(what: str, faults: list[Fault]) -> Markup:
    """Return the page with the faults of a bank, at most `_MOST_FAULTS` of them."""
    lines = [f"{f'Question {fault.item_id}: ' if fault.item_id else ''}{fault.text}" for fault in faults[:_MOST_FAULTS]]
    return make_page("question_faults.html", what=what, lines=lines, more=len(faults) - len(lines))


def form_page(
    app_bank: Bank,
    bank: RawBank,
    base: RawItem,
    raw: RawItem | None = None,
    fields: Mapping[str, str] | None = None,
    refused: bool = False,
    script: Script = Script("", ""),
) -> Markup:
    """Return the page with the form of a question, its preview and the linter's messages.

    Args:
        app_bank: The bank of the app, for the folder of its pictures.
        bank: The JSON value of the draft.
        base: The question in the draft, or an empty one.
        raw: The question as the form has it; by default as in the draft.
        fields: The form as it was sent.
        refused: Whether the question was to be kept and could not be.
        script: What the script of the page needs.
    """
    sent = fields or {}
    current = {"id": "new"} | (raw or base or read_question(_NEW_FIELDS, {}))
    messages = find_messages(bank, current) if sent or base else {}
    values = to_fields(current)
    return make_page(
        "question_form.html",
        base=base,
        is_editable=not base or is_editable(base),
        fields=values,
        rows={
            name: count_rows(values, name, at_least + 2 * (sent.get("more") == name))
            for name, at_least in (
                ("option", _sent_rows(sent, "option", 4)),
                ("number", _sent_rows(sent, "number", 2)),
                ("cite", _sent_rows(sent, "cite", 1)),
            )
        },
        hints=MAX_HINTS,
        messages=messages,
        count=_counted_or_none(sum(map(len, messages.values())), "message"),
        refused=refused,
        is_dirty=bool(sent),
        types=TYPES,
        values={name: allowed_values(name) for name in ("bloom", "convention", "status")},
        topics=list(dict.fromkeys(item["topic"] for item in bank["items"])),
        misconceptions=bank.get("misconceptions", {}),
        names_misconceptions=bool(bank.get("misconceptions")) or "misconception" in str(base.get("key", "")),
        preview=preview_html(current, app_bank.folder, is_complete(bank, current)),
        css_of_page=Markup(read_static("quiz_tab.css") + read_static("question_form.css")),
        code=Markup(read_static("question_form.js")),
        script=script,
    )


def _counted_or_none(number: int, noun: str) -> str:
    return counted(number, noun) if number else ""


def _sent_rows(fields: Mapping[str, str], name: str, at_least: int) -> int:
    text = fields.get(f"{name}-rows", "")
    return max(at_least, int(text)) if text.isascii() and text.isdigit() and len(text) < 3 else at_least


def _first_values(form: Mapping[str, list[str]]) -> dict[str, str]:
    return {name: values[0] for name, values in form.items()}


async def _read_file(request: Request) -> bytes:
    """Return the content of the file in a form.

    Raises:
        BankError: There is no file, or the form is too large.
    """

    async def bounded() -> AsyncIterator[bytes]:
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


def _see_other(address: str) -> Response:
    return RedirectResponse(address, 303, HEADERS)


def _no_question() -> Response:
    return html_response(error_page("Your bank has no such question."), 404)
