"""The Quiz tab: its events. `quiz.service` takes the steps, `quiz.components` shows their results.

An event returns its updates as one JSON value, which a script hands to the components: for thirty outputs the server
would build thirty components. The visit stays on the server (`gr.State`). The browser gets the open question without
its key, and the key only in the response to the first answer, once that is recorded. What the browser saves brings a
run back after a reload.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import gradio as gr

from . import class_view, results_view, views
from .bank import Bank
from .components import UNCHANGED, Components, build_components, find_class, show
from .errors import SessionError
from .grading import CONFIDENCE
from .proof_view import ProofRenderer
from .resume_token import load_secret
from .service import QuizService, Visit
from .store import DEFAULT_FILE, Store, StoreError
from .views import read_static, render

QUIZ_CSS = read_static("quiz_tab.css") + read_static("results.css") + read_static("class_entry.css")
"""For launch(css=...); every rule applies to elements of the quiz only."""
QUIZ_SCRIPT = f"<script>{''.join(map(read_static, ('quiz_tab.js', 'class_link.js', 'study.js')))}</script>"
"""For launch(head=...); it also gives the radio groups of every tab arrow keys and a name."""
_READ_CHOSEN = "(visit, saved, item, chosen, number) => [visit, saved, item, window.quizTab.chosen(), number]"
_DIRECT: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
_QUEUED: dict[str, Any] = {"concurrency_limit": 1, "show_progress": "hidden", "api_visibility": "private"}


def build_quiz_memory() -> gr.BrowserState:
    """Return the component that saves a run and the levels in the browser. Build it outside of the tabs."""
    # The page contains this secret, so it hides nothing. The run is signed, and checked when it returns.
    return gr.BrowserState({}, storage_key="gru-quiz", secret="not a secret: see quiz.resume_token")


def build_quiz_tab(
    page: gr.Blocks,
    bank: Bank,
    store: Store | None = None,
    memory: gr.BrowserState | None = None,
    live: views.LiveViews | None = None,
    load_classifier: Callable[[], Any] | None = None,
    may_send: Callable[[gr.Request], bool] = lambda request: True,
    may_begin: Callable[[gr.Request], bool] = lambda request: True,
    secret: str | None = None,
) -> None:
    """Build the quiz inside the surrounding `gr.Tab`.

    Args:
        page: The page that holds the tab; a visit is opened when it loads.
        bank: The questions.
        store: The store for answers, by default `Store()`.
        memory: Built by `build_quiz_memory` outside of the tabs.
        live: The views of the facts of items in the app, by default none.
        load_classifier: Returns the shipped model, for the proofs that use it.
        may_send: Returns whether the sender of feedback is within the rate limit; each call counts.
        may_begin: Returns whether a learner who begins a run in a class is within the rate limit; each call counts.
        secret: Signs unfinished quizzes; by default that of `load_secret`.
    """
    quiz = QuizService(bank, store or Store(), load_secret(DEFAULT_FILE.parent, secret))
    state = [gr.State(None), memory or build_quiz_memory()]
    parts = build_components(bank)
    shown = {name: part for name, part in parts.items() if name not in UNCHANGED}
    updates = gr.JSON(visible=False, elem_id="quiz-updates")
    proof_event = _connect_proof(state, parts, quiz, ProofRenderer(load_classifier))
    _connect_feedback(state, parts, quiz, may_send)

    def step(take: Callable[..., Visit]) -> Callable[..., list[Any]]:
        """Return a handler that takes a step of the visit, which is resumed if the server has lost it."""

        def handler(visit: Visit | None, saved: object, *values: Any) -> list[Any]:
            after = take(visit or quiz.open(saved), *values)
            return [after, quiz.memory(after), show(after, quiz, live or views.LiveViews(), before=visit)]

        return handler

    def update(event: Any) -> Any:
        """Hand the updates of an event to the components; on failure there are none."""
        script = f"(updates) => window.quizTab.updates(updates, {json.dumps([*shown])})"
        return event.success(None, updates, [*shown.values()], js=script, **_DIRECT)

    answer = [parts[name] for name in ("item", "chosen", "number")]
    steps: list[tuple[list[Any], Callable[..., Visit], list[Any], str]] = [
        ([parts["submit"].click, parts["number"].submit], partial(_submit, quiz, None), answer, "next"),
        *(
            ([parts[f"sure_{percent}"].click], partial(_submit, quiz, percent), answer, "next")
            for percent in CONFIDENCE
        ),
        ([parts["skip"].click], quiz.skip, [parts["item"]], "next"),
        ([parts["hint"].click], quiz.hint, [parts["item"]], "hints"),
        ([parts["next"].click], quiz.advance, [], "top"),
        ([parts["start"].click], quiz.start, [parts["scope"]], "top"),
        ([parts["restart"].click], quiz.restart, [], "top"),
        ([parts["retry"].click], quiz.retry, [], "top"),
        ([parts["practise"].click], quiz.practise, [], "top"),
    ]
    outputs = [*state, updates]
    update(page.load(step(lambda visit: visit), state, outputs, **_DIRECT))
    for triggers, take, inputs, focus in steps:
        js = _READ_CHOSEN if inputs is answer else None
        event = gr.on(triggers, step(take), [*state, *inputs], outputs, cancels=proof_event, js=js, **_DIRECT)
        update(event).then(js=_focus_script(focus), **_DIRECT)

    def begin(
        visit: Visit | None, saved: object, code: str | None, nickname: str | None, request: gr.Request
    ) -> list[Any]:
        if not may_begin(request):
            return step(lambda visit: replace(visit, notice=class_view.TOO_MANY_RUNS))(visit, saved)
        return step(quiz.join)(visit, saved, code or "", nickname or "")

    triggers = [parts["class_begin"].click, parts["nickname"].submit]
    inputs = [*state, parts["class_code"], parts["nickname"]]
    event = gr.on(triggers, begin, inputs, outputs, cancels=proof_event, **_DIRECT)
    update(event).then(js=_focus_script("top"), **_DIRECT)
    find = gr.on(
        [parts["class_find"].click, parts["class_code"].submit],
        partial(find_class, quiz.classes),
        parts["class_code"],
        [parts["class_info"], parts["class_join"]],
        **_DIRECT,
    )
    find.then(js=_focus_script("class"), **_DIRECT)


def _submit(
    quiz: QuizService, confidence: int | None, visit: Visit, item_id: str, chosen: str | None, number: str | None
) -> Visit:
    """Answer with the chosen options, the sliders or the number, whichever the open question asks for."""
    item = visit.session.current
    if item and item.sliders:
        return quiz.answer(visit, item_id, views.slider_positions(item, chosen or ""), confidence)
    given = views.option_ids(item, chosen or "") if item and item.options else [number or ""]
    return quiz.answer(visit, item_id, given, confidence)


def _connect_proof(state: list[Any], parts: Components, quiz: QuizService, proofs: ProofRenderer) -> Any:
    def run_proof(visit: Visit | None, saved: object) -> Iterator[str]:
        visit = visit or quiz.open(saved)
        grade = None if quiz.is_withheld(visit) else visit.session.current_grade
        if grade is None:
            yield render("proof_status.html", status="not answered")
            return
        yield render("proof_status.html", status="running")
        try:
            yield proofs.render(grade)
        except Exception:
            yield render("proof_status.html", status="failed")
            raise

    event = parts["prove"].click(run_proof, state, parts["proof"], **_QUEUED)
    event.then(js=_focus_script("proof"), **_DIRECT)
    return event


def _connect_feedback(
    state: list[Any], parts: Components, quiz: QuizService, may_send: Callable[[gr.Request], bool]
) -> None:
    def send(
        visit: Visit | None, saved: object, clear: str | None, text: str | None, request: gr.Request
    ) -> tuple[Any, str]:
        if not may_send(request):
            return gr.skip(), results_view.TOO_MUCH_FEEDBACK
        answer = {"yes": True, "no": False}.get(clear or "")
        try:
            quiz.send_feedback(visit or quiz.open(saved), answer, text or "")
        except (SessionError, StoreError) as error:
            return gr.skip(), str(error)
        return gr.Column(visible=False), results_view.THANKS

    inputs, outputs = [*state, parts["clear"], parts["text"]], [parts["opinion"], parts["thanks"]]
    parts["send"].click(send, inputs, outputs, **_DIRECT).then(js=_focus_script("thanks"), **_DIRECT)


def _focus_script(name: str) -> str:
    """Return JavaScript that moves the focus to the new content, as the button just pressed may have disappeared."""
    return f"() => window.quizTab.focus('{name}')"
