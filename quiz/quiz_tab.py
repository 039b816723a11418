"""The Quiz tab: Gradio wiring only. What is asked and graded is in `session`, what is read in `wording`.

The session stays on the server (`gr.State`). The browser gets the open question without its key, and the key
only in reply to the first answer.
"""

import random
from pathlib import Path
from typing import Any

import gradio as gr

from . import wording
from .bank import Bank
from .session import Session, SessionError, advance, answer, start_session

_HERE = Path(__file__).parent
# For launch(css=...); every rule in it is about an element of this tab.
QUIZ_CSS = (_HERE / "quiz_tab.css").read_text(encoding="utf-8")
# For launch(head=...); gives the radios of every tab working arrow keys and a name.
RADIO_SCRIPT = f"<script>{(_HERE / 'quiz_tab.js').read_text(encoding='utf-8')}</script>"

_LATEX = [{"left": "$", "right": "$", "display": False}]
# The button just pressed goes away: without these two, a keyboard user would be back at the top of the page.
_FOCUS_NEXT = """() => setTimeout(() => {
    const next = document.getElementById("quiz-next");
    if (!next) return;
    next.focus({ preventScroll: true });
    document.getElementById("quiz-feedback").scrollIntoView({ block: "nearest" });
}, 50)"""
_FOCUS_QUESTION = """() => setTimeout(() => {
    const place = document.getElementById("quiz-stem") ?? document.getElementById("quiz-results");
    place.tabIndex = -1;
    place.focus();
}, 50)"""

View = tuple[Any, ...]


def submit(session: Session, option_id: str | None) -> View:
    """Grade the chosen option of the open question."""
    if session.current is None or option_id is None:
        return view(session, wording.CHOOSE_FIRST)
    try:
        session, _ = answer(session, session.current.id, option_id)
    except SessionError as error:
        return view(session, str(error))
    return view(session)


def go_on(session: Session) -> View:
    """Open the next question, or the result."""
    try:
        return view(advance(session))
    except SessionError as error:
        return view(session, str(error))


def view(session: Session, message: str = "") -> View:
    """Return the session and the state of each part of the page, in the order of the outputs below."""
    grade = session.current_grade
    return (
        session,
        gr.Column(visible=not session.finished),
        wording.progress_bar(session),
        wording.stem(session),
        wording.lettered_options(session),
        gr.Radio(
            choices=wording.letters(session),
            value=grade.chosen.oid if grade else None,
            interactive=grade is None,
        ),
        gr.Button(visible=grade is None),
        gr.Markdown(
            wording.feedback(grade) if grade else message,
            elem_classes=wording.verdict(grade) if grade else [],
        ),
        gr.Button(wording.next_label(session), visible=grade is not None),
        gr.Column(visible=session.finished),
        wording.results(session) if session.finished else "",
    )


def build_quiz_tab(bank: Bank) -> None:
    """Lay out the quiz inside the surrounding `gr.Tab`. The first run keeps the bank's order of options."""
    first = start_session(bank)
    state = gr.State(first)
    gr.Markdown(wording.introduction(first), elem_id="quiz-intro")
    with gr.Column(elem_id="quiz-question") as question:
        progress = gr.HTML(wording.progress_bar(first), elem_id="quiz-progress")
        stem = _markdown(wording.stem(first), "quiz-stem")
        options = _markdown(wording.lettered_options(first), "quiz-options")
        choice = gr.Radio(wording.letters(first), label="Your answer", elem_id="quiz-choice")
        submit_button = gr.Button("Submit", variant="primary", elem_id="quiz-submit")
        feedback = _markdown("", "quiz-feedback")
        next_button = gr.Button("Next question", variant="primary", visible=False, elem_id="quiz-next")
    with gr.Column(visible=False, elem_id="quiz-end") as end:
        results = _markdown("", "quiz-results")
        restart_button = gr.Button("Start again", variant="primary", elem_id="quiz-restart")

    def restart() -> View:
        return view(start_session(bank, shuffle_seed=random.getrandbits(32)))

    outputs = [state, question, progress, stem, options, choice, submit_button, feedback, next_button, end, results]
    light: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
    submit_button.click(submit, [state, choice], outputs, **light).then(js=_FOCUS_NEXT, **light)
    next_button.click(go_on, state, outputs, **light).then(js=_FOCUS_QUESTION, **light)
    restart_button.click(restart, None, outputs, **light).then(js=_FOCUS_QUESTION, **light)


def _markdown(value: str, elem_id: str) -> gr.Markdown:
    return gr.Markdown(value, elem_id=elem_id, latex_delimiters=_LATEX)
