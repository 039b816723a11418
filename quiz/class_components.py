"""The components with which a learner opens a class, and the updates that show a run whose results are withheld."""

from typing import Any

import gradio as gr

from . import class_view, views
from .class_service import ClassService
from .classes import CODE_LENGTH
from .errors import ClassError
from .nicknames import MAX_NICKNAME
from .service import Visit

UNCHANGED = {"class_code", "class_find", "nickname", "class_begin"}
"""Components that no step updates."""


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
