"""The components of the Quiz tab: their layout, and the updates that show a learner's visit."""

from dataclasses import replace
from typing import Any

import gradio as gr

from . import class_view, results_view, views
from .bank import Bank, PublicItem, public_view
from .class_records import MAX_NICKNAME
from .class_service import ClassService
from .classes import CODE_LENGTH
from .errors import ClassError
from .grading import CONFIDENCE, Grade
from .selection import MIXED, list_scopes
from .service import MAX_FEEDBACK, QuizService, Visit
from .session import advance

Components = dict[str, Any]
"""Components of the tab by name; the id of an element is "quiz-" and the name."""

Updates = dict[str, Any]
"""The new value of each component by name, or a dictionary of its new properties. It is sent to the browser as JSON."""

UNCHANGED = {"submit", "skip", "prove", "chosen", "scope", "start", "restart", "send"}
UNCHANGED |= {"class_code", "class_find", "nickname", "class_begin"}
UNCHANGED |= {f"sure_{percent}" for percent in CONFIDENCE}
"""Components that `show` never updates: buttons, and what the browser alone writes."""

_LATEX = [{"left": "$", "right": "$", "display": False}]


def build_components(bank: Bank) -> Components:
    """Lay out the tab inside the surrounding `gr.Tab`, without a question; return its components."""
    _markdown("intro", views.introduction(bank))
    parts: Components = {}
    parts["sitting"] = _html("sitting")
    parts["notice"] = _html("notice")
    with gr.Column(visible=False, elem_id="quiz-question") as parts["question"]:
        parts |= _build_question()
    with gr.Column(visible=False, elem_id="quiz-end") as parts["end"]:
        parts |= _build_results()
    with gr.Row(elem_id="quiz-choose"):
        choices = [(name, scope) for scope, name in list_scopes(bank).items()]
        parts["scope"] = gr.Dropdown(choices, value=MIXED, label="Which questions?", elem_id="quiz-scope", scale=2)
        parts["start"] = _button("start", "Start with these", scale=1)
    return parts | build_class_entry()


def build_class_entry() -> dict[str, Any]:
    """Lay out the field for a code, and what is shown once it is found; return the components."""
    parts: dict[str, Any] = {}
    with gr.Row(elem_id="quiz-class"):
        parts["class_code"] = gr.Textbox(
            label="Code of your class", lines=1, max_length=4 * CODE_LENGTH, elem_id="quiz-class-code", scale=2
        )
        parts["class_find"] = gr.Button("Open the class", elem_id="quiz-class-find", scale=1)
    parts["class_info"] = gr.HTML("", apply_default_css=False, js_on_load=None, elem_id="quiz-class-info")
    with gr.Column(visible=False, elem_id="quiz-class-join") as parts["class_join"]:
        parts["nickname"] = gr.Textbox(
            label="Nickname, or nothing", lines=1, max_length=MAX_NICKNAME, elem_id="quiz-nickname"
        )
        parts["class_begin"] = gr.Button("Begin", variant="primary", elem_id="quiz-class-begin")
    return parts


def _build_question() -> Components:
    parts: Components = {
        "progress": _html("progress"),
        "stem": _markdown("stem"),
        "options": _markdown("options"),
        "sliders": _html("sliders"),
        "item": gr.Textbox(visible=False, elem_id="quiz-item"),  # id of the question shown; others are refused
        "chosen": gr.Textbox(visible=False, elem_id="quiz-chosen"),  # letters, which the page's script reads
        "number": gr.Textbox(label="Your answer", info="Such as 0.12, 1/2 or 3e4.", lines=1, elem_id="quiz-number"),
    }
    with gr.Column(elem_id="quiz-actions") as parts["actions"]:
        parts["submit"] = _button("submit", "Submit", primary=True)
        with gr.Column(elem_id="quiz-sure"):
            _markdown("sure-label", "Submit, and say how sure you are:")
            with gr.Row():
                for percent, words in CONFIDENCE.items():
                    parts[f"sure_{percent}"] = _button(f"sure-{percent}", f"{words} ({percent}%)")
        with gr.Row(elem_id="quiz-help"):
            parts["hint"] = _button("hint", "Show a hint")
            parts["skip"] = _button("skip", "I don't know")
        gr.Checkbox(label="Ask me how sure I am", elem_id="quiz-ask", container=False)
    parts |= {"hints": _markdown("hints"), "feedback": _markdown("feedback"), "explanation": _markdown("explanation")}
    with gr.Column(visible=False, elem_id="quiz-after") as parts["after"]:
        with gr.Row():
            parts["next"] = _button("next", "Next question", primary=True)
            parts["prove"] = _button("prove", "Run the proof")
        parts["live"] = _html("live")
    return parts | {"proof": _html("proof")}


def _build_results() -> Components:
    parts: Components = {"results": _markdown("results")}
    parts |= {name: _html(name) for name in ("topics", "calibration", "levels")}
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
    _markdown("stored", results_view.STORED)
    return parts


def show(visit: Visit, quiz: QuizService, live: views.LiveViews, before: Visit | None = None) -> Updates:
    """Return the updates that show a visit. They hold nothing of a key before the answer is recorded.

    Args:
        visit: The visit.
        quiz: The service that it belongs to.
        live: The views of the facts of items in the app.
        before: The visit as shown before. If its question is still open, the learner's input is not touched.
    """
    is_withheld = quiz.is_withheld(visit)
    if is_withheld and visit.session.current_grade:  # answered before an exam with this question was made
        visit = replace(visit, session=advance(visit.session))
    if visit.sitting and visit.sitting.is_text_only:
        live = views.LiveViews()
    finished = visit.session.finished
    shown_as_feedback = visit.message and not finished and not visit.session.current_grade
    lines = [visit.notice, "" if visit.stored else views.NOT_STORED, "" if shown_as_feedback else visit.message]
    lines += [] if visit.session.items else [class_view.NO_QUESTIONS]
    if not finished:
        shown = _show_question(visit, quiz, live, before)
    else:
        label = results_view.practise_label(quiz.topic_to_practise(visit))
        shown = {"practise": label} if is_withheld else _show_results(visit, quiz, live)
    return {
        "sitting": class_view.sitting_html(visit.sitting, is_withheld),
        "notice": views.notice_html(*lines),
        "question": {"visible": not finished},
        "end": {"visible": finished},
        "proof": "",
        **shown,
        **(show_withheld(visit) if is_withheld else {}),
        **(hide_class() if visit.sitting is not (before.sitting if before else None) else {}),
    }


def _show_question(visit: Visit, quiz: QuizService, live: views.LiveViews, before: Visit | None) -> Updates:
    session, item, grade = visit.session, visit.session.open_item, visit.session.current_grade
    if item is None:
        return {}
    public_item = public_view(item)
    if grade is None and _is_same_question(before, visit):  # nothing that holds the learner's input is touched
        answer: Updates = {}
    else:
        answer = _show_answer(public_item, grade)
    return {
        "progress": views.progress_html(session),
        "stem": views.question(public_item, quiz.bank.folder),
        "item": public_item.id,
        **answer,
        "hints": views.hints(session),
        "hint": {"value": views.hint_label(session), "visible": session.hints_left > 0},
        "actions": {"visible": grade is None},
        "feedback": {
            "value": views.verdict(grade) if grade else visit.message,
            "elem_classes": [views.verdict_class(grade)] if grade else [],
        },
        "explanation": views.explanation(grade) if grade else "",
        "after": {"visible": grade is not None},
        "next": views.next_label(session),
        "live": views.live_html(item, live) if grade else "",
    }


def _is_same_question(before: Visit | None, visit: Visit) -> bool:
    if before is None:
        return False
    return (before.session.run, before.session.position) == (visit.session.run, visit.session.position)


def _show_answer(item: PublicItem, grade: Grade | None) -> Updates:
    """Return the options, sliders or the field for a number, with the learner's answer if it is given."""
    numeric = item.type == "numeric"
    typed = grade.given[0] if numeric and grade and grade.number is not None else ""
    return {
        "options": {
            "value": views.options(item, grade),
            "elem_classes": [f"quiz-{item.type}"],
        },
        "sliders": {"value": views.sliders_html(item, grade), "visible": bool(item.sliders)},
        "number": {
            "value": typed,
            "label": views.answer_label(item),
            "interactive": grade is None,
            "visible": numeric,
        },
    }


def _show_results(visit: Visit, quiz: QuizService, live: views.LiveViews) -> Updates:
    session, next_topic, level = visit.session, quiz.topic_to_practise(visit), quiz.level_found(visit)
    return {
        "results": results_view.headline(session, level),
        "topics": results_view.topics_html(session.topic_scores),
        "calibration": results_view.confidence_html(results_view.stated_confidences(session)),
        "levels": results_view.levels_html(quiz.standings(visit), next_topic, quiz.count_due(visit)),
        "retry": {"value": results_view.retry_label(session), "visible": bool(session.mistakes)},
        "practise": results_view.practise_label(next_topic, level),
        "review": results_view.review(session, quiz.bank, live.link),
        "opinion": {"visible": True},
        "clear": None,
        "text": "",
        "thanks": "",
    }


def _markdown(name: str, value: str = "") -> gr.Markdown:
    return gr.Markdown(value, elem_id=f"quiz-{name}", latex_delimiters=_LATEX)


def _html(name: str) -> gr.HTML:
    return gr.HTML("", apply_default_css=False, js_on_load=None, elem_id=f"quiz-{name}")


def _button(name: str, label: str, primary: bool = False, **settings: Any) -> gr.Button:
    return gr.Button(label, variant="primary" if primary else "secondary", elem_id=f"quiz-{name}", **settings)


def find_class(classes: ClassService, code: str | None) -> tuple[str, Any]:
    """Return the description of the class with a code, or why there is none, and whether a run can begin."""
    try:
        found = classes.describe(code or "")
    except ClassError as error:
        return class_view.refusal_html(str(error)), gr.Column(visible=False)
    return class_view.class_html(*found), gr.Column(visible=True)


def hide_class() -> dict[str, Any]:
    """Return the updates that hide the description of a class, once a run in it has begun."""
    return {"class_info": "", "class_join": {"visible": False}}


def show_withheld(visit: Visit) -> dict[str, Any]:
    """Return the updates that hide what an exam must not reveal, of a visit in a class."""
    session, sitting = visit.session, visit.sitting
    assert sitting is not None
    if not session.finished:
        return {
            "progress": class_view.progress_html(session),
            "hints": "",
            "hint": {"value": views.hint_label(session), "visible": False},
        }
    return {
        "results": class_view.waiting(session, sitting),
        **dict.fromkeys(("topics", "calibration", "levels", "review", "thanks", "text"), ""),
        "retry": {"value": "Try the wrong ones again", "visible": False},
        "opinion": {"visible": True},
        "clear": None,
    }
