"""The pages on which a bank of one's own is written, as HTML: its questions, the form of one, and faults."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from markupsafe import Markup

from . import bank_settings
from .bank import make_bank
from .bank_drafts import MAX_BANK_BYTES, RawBank, version_of
from .errors import counted
from .lint import find_problems
from .proof_view import inline_html
from .question_form import (
    MAX_HINTS,
    MAX_ROWS,
    TYPES,
    RawItem,
    count_rows,
    find_messages,
    is_complete,
    is_editable,
    locked_fields,
    read_question,
    to_fields,
)
from .question_preview import preview_html
from .teacher_access import make_page
from .validation import Fault, allowed_values
from .views import read_static

FILE_NAME = "mine.json"
_MOST_FAULTS = 10
_NEW_FIELDS = {"status": "live", "version": "1"}
_LEAST_ROWS = {"option": 4, "number": 2, "cite": 1}


@dataclass(frozen=True)
class Script:
    """What the script of the form needs: the nonce that lets it run, and the address of KaTeX or nothing."""

    nonce: str = ""
    katex: str = ""


def list_page(
    bank: RawBank,
    is_changed: bool,
    kept: str = "",
    sent: Mapping[str, str] | None = None,
    refusal: Sequence[str] = (),
) -> Markup:
    """Return the page with the questions of a draft.

    Args:
        bank: The JSON value of the draft.
        is_changed: Whether it differs from the app's bank.
        kept: The id of a question that was just kept.
        sent: The settings as they were sent, or nothing to show those of the draft.
        refusal: Why what was sent was not done, in a sentence, and the faults of it.
    """
    items = make_bank(bank).items if bank["items"] else ()
    messages: dict[str | None, list[str]] = {}
    for fault in find_problems(bank) if items else []:
        messages.setdefault(fault.item_id, []).append(fault.text)
    rows = [(item, inline_html(item.stem), messages.get(item.id, [])) for item in items]
    topics = list(dict.fromkeys(item.topic for item in items))
    rows.sort(key=lambda row: topics.index(row[0].topic))
    settings = bank_settings.to_fields(bank)
    return make_page(
        "question_list.html",
        topics=[(topic, list(group)) for topic, group in groupby(rows, key=lambda row: row[0].topic)],
        messages=messages.get(None, []),
        count=counted(len(items), "question"),
        warned=_counted_or_none(sum(bool(entry[2]) for entry in rows), "question"),
        is_changed=is_changed,
        kept=kept,
        settings=dict.fromkeys(settings, "") | dict(sent) if sent else settings,
        refusal=refusal,
        version=version_of(bank),
        settings_version=version_of(settings),
        file_name=FILE_NAME,
        max_megabytes=MAX_BANK_BYTES // 1_000_000,
        css_of_page=Markup(read_static("question_form.css")),
    )


def faults_page(what: str, faults: Sequence[Fault]) -> Markup:
    """Return the page with the faults of a bank."""
    return make_page("question_faults.html", what=what, lines=describe_faults(faults))


def describe_faults(faults: Sequence[Fault]) -> list[str]:
    """Return a line for each fault of a bank, at most `_MOST_FAULTS` of them, and the number of the others."""
    lines = [f"{f'Question {fault.item_id}: ' if fault.item_id else ''}{fault.text}" for fault in faults[:_MOST_FAULTS]]
    more = len(faults) - len(lines)
    return [*lines, f"And {more} more."] if more else lines


def form_page(
    bank: RawBank,
    base: RawItem,
    sent: Mapping[str, str],
    folder: Path,
    script: Script,
    refusal: str = "",
    moved: int | None = None,
) -> Markup:
    """Return the page with the form of a question, its preview and the linter's messages.

    Args:
        bank: The JSON value of the draft.
        base: The question in the draft, or an empty one.
        sent: The form as it was sent, or nothing to show the question as it is in the draft.
        folder: The folder of the pictures.
        script: What the script of the page needs.
        refusal: Why what was sent was not done.
        moved: The row to which an option was moved.
    """
    fields = dict(sent) or to_fields(base) if base or sent else _NEW_FIELDS
    current = {"id": "new"} | (read_question(fields, base) if sent or not base else base)
    # What the form shows without a field was not sent.
    fields |= {"type": current["type"]} | (locked_fields(base) if sent else {})
    messages = find_messages(bank, current, fields) if sent or base else {}
    return make_page(
        "question_form.html",
        base=base,
        version=version_of(base),
        is_editable=not base or is_editable(base),
        fields=fields,
        rows={name: _count_rows(name, fields, sent) for name in _LEAST_ROWS},
        max_rows=MAX_ROWS,
        moved=moved,
        hints=MAX_HINTS,
        messages=messages,
        count=_counted_or_none(sum(map(len, messages.values())), "message"),
        refusal=refusal,
        is_dirty=bool(sent),
        types=TYPES,
        values={name: allowed_values(name) for name in ("bloom", "convention", "status")},
        topics=list(dict.fromkeys(item["topic"] for item in bank["items"])),
        misconceptions=bank.get("misconceptions", {}),
        names_misconceptions=bool(bank.get("misconceptions")) or "misconception" in str(base.get("key", "")),
        preview=preview_html(current, folder, is_complete(bank, current)),
        css_of_page=Markup(read_static("quiz_tab.css") + read_static("question_form.css")),
        code=Markup(read_static("question_form.js")),
        script=script,
    )


def _counted_or_none(number: int, noun: str) -> str:
    return counted(number, noun) if number else ""


def _count_rows(name: str, fields: Mapping[str, str], sent: Mapping[str, str]) -> int:
    """Return the number of rows to show: as many as before, and two more if they were asked for."""
    text = sent.get(f"{name}-rows", "")
    before = int(text) if text.isascii() and text.isdigit() and len(text) < 3 else 0
    return count_rows(fields, name, max(_LEAST_ROWS[name], before) + 2 * (sent.get("more") == name))
