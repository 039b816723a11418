"""The pages on which a bank of one's own is written, as HTML: its questions, the form and preview of one, and faults.

The preview is what learners see before and after the answer. Its texts are those of `quiz.views`, whose Markdown Gradio
renders for learners. Here markdown-it does. A formula is drawn roughly, and has its LaTeX as an attribute, from which
the page's script draws it as learners see it. HTML in a text is shown as text.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererProtocol
from markdown_it.rules_inline import StateInline
from markupsafe import Markup, escape

from . import views
from .bank import Item, Media, PublicItem, PublicOption, make_bank, make_instance, public_view
from .bank.formulas import ClaimError
from .bank_drafts import MAX_BANK_BYTES, RawBank, settings_to_fields, version_of
from .errors import counted
from .grading import Grade, grade
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
from .teacher_access import make_page
from .validation import Fault, allowed_values
from .views import read_static, render

FILE_NAME = "mine.json"
_MOST_FAULTS = 10
_NEW_FIELDS = {"status": "live", "version": "1"}
_LEAST_ROWS = {"option": 4, "number": 2, "cite": 1}
_MISSING = "…"
# The only tags that the texts of `quiz.views` contain. In the preview, the buttons do nothing.
_TAGS = {
    '<button type="button">': '<button type="button" disabled>',
    "</button>": "</button>",
    '<span class="quiz-right">': '<span class="quiz-right">',
    '<span class="quiz-wrong">': '<span class="quiz-wrong">',
    "</span>": "</span>",
}


@dataclass(frozen=True)
class Script:
    """Values for the script of the form: the nonce that lets it run, and the address of KaTeX or nothing."""

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
    settings = settings_to_fields(bank)
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
        script: The values for the script of the page.
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


def preview_html(raw: Mapping[str, Any], folder: Path, is_complete: bool) -> Markup:
    """Return the preview of a question.

    Args:
        raw: The question, an item of a bank's JSON value; with parameters, it is shown with those of its example.
        folder: The folder of the pictures.
        is_complete: Whether the quiz would accept it. Otherwise only what learners see before the answer is shown.
    """
    item = _make_item(raw) if is_complete else None
    public = public_view(item) if item else _make_public(raw)
    return render(
        "question_preview.html",
        item=public,
        stem=_to_html(views.question(public, folder)),
        options=_to_html(views.options(public)),
        sliders=views.sliders_html(public),
        answer_label=views.answer_label(public),
        hints=[_to_html(hint) for hint in (item.hints if item else ())],
        answers=[_describe_answer(given) for given in (_list_answers(item) if item else ())],
    )


def _make_item(raw: Mapping[str, Any]) -> Item | None:
    try:
        return make_instance(raw, raw.get("example", {}))
    except ClaimError:
        return None


def _make_public(raw: Mapping[str, Any]) -> PublicItem:
    """Return what can be shown of an incomplete question."""
    options = tuple(PublicOption(option["oid"], option["text"] or _MISSING) for option in raw.get("options", []))
    media = tuple(Media(**media) for media in raw.get("media", []))
    prompts = tuple(prompt["text"] for prompt in raw.get("prompts", []))
    stem, unit = raw.get("stem") or _MISSING, str(raw.get("key", {}).get("unit", ""))
    return PublicItem(
        "", raw["type"], raw.get("topic", ""), stem, raw.get("code"), media, options, prompts, unit, (), None
    )


def _list_answers(item: Item) -> list[Grade]:
    """Return answers to a question whose feedback is shown: the right one, and wrong ones that have their own."""
    if item.goal:
        return [grade(item, [str(item.goal.solution[slider.name]) for slider in item.sliders])]
    if item.arrangement:
        correct = item.arrangement.correct
        return [grade(item, given) for given in dict.fromkeys([correct, (*correct[1:], correct[0])])]
    if item.numeric:
        numbers = [item.numeric.value, *(wrong.value for wrong in item.numeric.anticipated)]
        return [Grade(item, (f"{number:.10g}",)) for number in numbers]
    return [grade(item, [option.oid for option in item.correct_options])]


def _describe_answer(given: Grade) -> dict[str, Any]:
    """Return the values that the preview shows of an answer, as the quiz shows them."""
    return {
        "correct": given.correct,
        "answer": given.given[0] if given.item.numeric and not given.item.goal else "another answer",
        "options": _to_html(views.options(public_view(given.item), given)) if given.item.options else "",
        "verdict": _to_html(views.verdict(given)),
        "explanation": _to_html(views.explanation(given)),
    }


def _to_html(markdown: str) -> Markup:
    """Return Markdown as HTML in which only the tags of `_TAGS` are those of the text."""
    html = _RENDERER.render(markdown)
    for tag, shown in _TAGS.items():
        html = html.replace(str(escape(tag)).replace("&#34;", "&quot;"), shown)
    return Markup(html)


def _read_formula(state: StateInline, silent: bool) -> bool:
    """Read a formula between dollar signs: a rule of markdown-it."""
    end = state.src.find("$", state.pos + 1)
    if state.src[state.pos] != "$" or end < state.pos + 2:
        return False
    if not silent:
        state.push("formula", "", 0).content = state.src[state.pos + 1 : end]
    state.pos = end + 1
    return True


def _write_formula(self: RendererProtocol, tokens: Any, index: int, options: Any, env: Any) -> str:
    tex = tokens[index].content
    return str(Markup('<span data-tex="{}">{}</span>').format(tex, inline_html(f"${tex}$")))


def _make_renderer() -> MarkdownIt:
    renderer = MarkdownIt("commonmark", {"html": False}).enable("table")
    renderer.inline.ruler.before("escape", "formula", _read_formula)
    renderer.add_render_rule("formula", _write_formula)
    return renderer


_RENDERER = _make_renderer()
