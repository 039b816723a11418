"""The parts of the Quiz tab: how they are laid out, and what each shows at a point of a learner's visit."""

from collections.abc import Callable
from typing import Any

import gradio as gr

from . import views
from .bank import Bank, Live, PublicItem, public_view
from .grading import Grade
from .selection import MIXED, list_scopes
from .service import MAX_FEEDBACK, Runs, Visit
from .views import confidence_html, topics_html

Parts = dict[str, Any]
"""Components of the tab, or what they are to show, by name; the element is called "quiz-" and the name."""

LiveLink = Callable[[Live], str | None]
_LATEX = [{"left": "$", "right": "$", "display": False}]


def lay_out(bank: Bank) -> Parts:
    """Lay out the tab inside the surrounding `gr.Tab`, without a question; return its components."""
    _markdown("intro", views.INTRODUCTION)
    parts: Parts = {}
    with gr.Row(elem_id="quiz-choose"):
        choices = [(name, scope) for scope, name in list_scopes(bank).items()]
        parts["scope"] = gr.Dropdown(choices, value=MIXED, label="Which questions?", elem_id="quiz-scope", scale=2)
        parts["start"] = _button("start", "Start with these", scale=1)
    parts["notice"] = _html("notice")
    with gr.Column(visible=False, elem_id="quiz-question") as parts["question"]:
        parts |= _question_parts()
    with gr.Column(visible=False, elem_id="quiz-end") as parts["end"]:
        parts |= _end_parts()
    return parts


def _question_parts() -> Parts:
    parts: Parts = {
        "progress": _html("progress"),
        "stem": _markdown("stem"),
        "options": _markdown("options"),
        "item": gr.Textbox(visible=False),  # which question the browser shows: an answer to another one is refused
        "hints": _markdown("hints"),
        "hint": _button("hint", "Show a hint"),
        # Every letter may come from the browser: which of them the question has is known to the session alone.
        "choice": gr.Radio(list(views.LETTERS), label="Your answer", elem_id="quiz-choice"),
        "choices": gr.CheckboxGroup(list(views.LETTERS), label="Your answers", elem_id="quiz-choices"),
        "number": gr.Textbox(label="Your answer", info="Such as 0.12, 1/2 or 3e4.", lines=1, elem_id="quiz-number"),
        "confidence": gr.Radio(views.CONFIDENCES, label="How sure are you? (optional)", elem_id="quiz-confidence"),
        "submit": _button("submit", "Submit", primary=True),
        "feedback": _markdown("feedback"),
        "explanation": _markdown("explanation"),
    }
    with gr.Row(visible=False, elem_id="quiz-after") as parts["after"]:
        parts["next"] = _button("next", "Next question", primary=True)
        parts["prove"] = _button("prove", "Run the proof")
        parts["live"] = _html("live")
    return parts | {"proof": _html("proof")}


def _end_parts() -> Parts:
    parts: Parts = {"results": _markdown("results"), "topics": _html("topics"), "calibration": _html("calibration")}
    parts["levels"] = _html("levels")
    with gr.Row(elem_id="quiz-again"):
        parts["retry"] = _button("retry", "Try the wrong ones again", primary=True)
        parts["practise"] = _button("practise", "Practise")
        parts["restart"] = _button("restart", "Start again")
    parts["review"] = _markdown("review")
    with gr.Column(elem_id="quiz-opinion") as parts["opinion"]:
        parts["clear"] = gr.Radio([("Yes", "yes"), ("No", "no")], label="Was everything clear?", elem_id="quiz-clear")
        parts["text"] = gr.Textbox(
            label="How can we improve it?", lines=3, max_lines=12, max_length=MAX_FEEDBACK, elem_id="quiz-text"
        )
        parts["send"] = _button("send", "Send")
    parts["thanks"] = _markdown("thanks")
    _markdown("stored", views.STORED)
    return parts


def show(visit: Visit, runs: Runs, live_link: LiveLink, before: Visit | None = None) -> Parts:
    """Return what each part shows. Nothing of a key is in it before the answer is recorded.

    As long as the question is the one shown `before`, what the learner has chosen or typed stays.
    """
    finished = visit.session.finished
    beside_the_answer = visit.message and not finished and not visit.session.current_grade
    lines = [visit.notice, "" if visit.kept else views.NOT_KEPT, "" if beside_the_answer else visit.message]
    return {
        "notice": views.notice(*lines),
        "question": gr.Column(visible=not finished),
        "end": gr.Column(visible=finished),
        "proof": "",
        **(_show_end(visit, runs) if finished else _show_question(visit, runs, live_link, before)),
    }


def _show_question(visit: Visit, runs: Runs, live_link: LiveLink, before: Visit | None) -> Parts:
    session, item, grade = visit.session, visit.session.open_item, visit.session.current_grade
    if item is None:
        return {}
    shown = public_view(item)
    return {
        "progress": views.progress_bar(session),
        "stem": views.question(shown, runs.bank.folder),
        "options": gr.Markdown(views.lettered_options(shown, grade), visible=bool(shown.options)),
        "item": shown.id,
        "hints": views.hints(session),
        "hint": gr.Button(views.hint_label(session), visible=session.hints_left > 0),
        **_show_answer(shown, grade, keep=_is_same_question(before, visit) and not grade),
        "submit": gr.Button(visible=grade is None),
        "feedback": gr.Markdown(
            views.verdict(grade) if grade else visit.message,
            elem_classes=views.verdict_class(grade) if grade else [],
        ),
        "explanation": views.explanation(grade) if grade else "",
        "after": gr.Row(visible=grade is not None),
        "next": views.next_label(session),
        "live": views.live_link(live_link(item.live) if grade and item.live else None),
    }


def _is_same_question(before: Visit | None, visit: Visit) -> bool:
    if before is None:
        return False
    return (before.session.run, before.session.position) == (visit.session.run, visit.session.position)


def _show_answer(item: PublicItem, grade: Grade | None, keep: bool) -> Parts:
    """Return the places for the answer, with the learner's own in them or, if there is none, empty."""
    chosen = views.chosen_letters(grade) if grade else []
    values: dict[str, Any] = {
        "choice": chosen[0] if chosen else None,
        "choices": chosen,
        "number": grade.given[0] if grade else "",
        "confidence": grade.confidence if grade else None,
    }
    places: dict[str, tuple[Any, dict[str, Any]]] = {
        "choice": (gr.Radio, {"visible": item.type == "single", "choices": list(views.letters(item))}),
        "choices": (gr.CheckboxGroup, {"visible": item.type == "multi", "choices": list(views.letters(item))}),
        "number": (gr.Textbox, {"visible": item.type == "numeric"}),
    }
    parts = {
        name: component(
            **settings,
            label=views.answer_label(item),
            interactive=grade is None,
            **({} if keep else {"value": values[name]}),
        )
        for name, (component, settings) in places.items()
    }
    confidence = gr.Radio(visible=grade is None, **({} if keep else {"value": values["confidence"]}))
    return parts | {"confidence": confidence}


def _show_end(visit: Visit, runs: Runs) -> Parts:
    session, next_topic = visit.session, runs.topic_to_practise(visit)
    return {
        "results": views.headline(session),
        "topics": topics_html(session.topic_scores),
        "calibration": confidence_html(views.confidences(session)),
        "levels": views.levels_html(runs.standings(visit), next_topic),
        "retry": gr.Button(views.retry_label(session), visible=bool(session.mistakes)),
        "practise": views.practise_label(next_topic),
        "review": views.review(session, runs.bank.folder),
        "opinion": gr.Column(visible=True),
        "clear": None,
        "text": "",
        "thanks": "",
    }


def _markdown(name: str, value: str = "") -> gr.Markdown:
    return gr.Markdown(value, elem_id=f"quiz-{name}", latex_delimiters=_LATEX)


def _html(name: str) -> gr.HTML:
    return gr.HTML("", apply_default_css=False, js_on_load=None, elem_id=f"quiz-{name}")


def _button(name: str, words: str, primary: bool = False, **settings: Any) -> gr.Button:
    return gr.Button(words, variant="primary" if primary else "secondary", elem_id=f"quiz-{name}", **settings)
