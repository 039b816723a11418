"""The preview of a question: what learners see before and after the answer, as HTML.

The texts are those of `quiz.views`, whose Markdown Gradio renders for learners. Here markdown-it does. A formula is
drawn roughly, and has its LaTeX as an attribute, from which the page's script draws it as learners see it. HTML in a
text is shown as text.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererProtocol
from markdown_it.rules_inline import StateInline
from markupsafe import Markup, escape

from . import views
from .bank import Item, Media, PublicItem, PublicOption, make_instance, public_view
from .bank.formulas import ClaimError
from .grading import Grade, grade
from .proof_view import inline_html
from .views import render

_MISSING = "…"
# The only tags that the texts of `quiz.views` contain. In the preview, the buttons do nothing.
_TAGS = {
    '<button type="button">': '<button type="button" disabled>',
    "</button>": "</button>",
    '<span class="quiz-right">': '<span class="quiz-right">',
    '<span class="quiz-wrong">': '<span class="quiz-wrong">',
    "</span>": "</span>",
}


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
