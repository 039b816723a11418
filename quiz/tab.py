"""The Quiz tab: its events. `quiz.service` takes the steps, `quiz.components` shows their results.

An event returns its updates as one JSON value, which a script hands to the components: for thirty outputs the server
would build thirty components. The visit stays on the server (`gr.State`). The browser gets the open question without
its key, and the key only in the response to the first answer, once that is recorded. What the browser saves brings a
run back after a reload.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
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
    """Return the component that saves a run and the levels in the browser. Call its `render` outside of the tabs."""
    # The page contains this secret, so it hides nothing. The run is signed, and checked when it returns.
    return gr.BrowserState({}, storage_key="gru-quiz", secret="not a secret: see quiz.resume_token", render=False)


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
        memory: Built by `build_quiz_memory`, and rendered outside of the tabs.
        live: The views of the facts of items in the app, by default none.
        load_classifier: Returns the shipped model, for the proofs that use it.
        may_send: Returns whether the sender of feedback is within the rate limit; each call counts.
        may_begin: Returns whether a learner who begins a run in a class is within the rate limit; each call counts.
        secret: Signs unfinished quizzes; by default that of `load_secret`.
    """
    quiz = QuizService(bank, store or Store(), load_secret(DEFAULT_FILE.parent, secret))
    state = [gr.State(None), memory or build_quiz_memory().render()]
    parts = build_components(bank)
    updates = gr.JSON(visible=False, elem_id="quiz-updates")
    proof = _connect_proof(state, parts, quiz, ProofRenderer(load_classifier))
    _connect_feedback(state, parts, quiz, may_send)
    steps = _Steps(quiz, live or views.LiveViews(), state, parts, updates, proof)
    steps.update(page.load(steps.make_handler(lambda visit: visit), state, steps.outputs, **_DIRECT))
    _connect_steps(steps)
    _connect_class(steps, may_begin)


@dataclass(frozen=True)
class _Steps:
    """The steps of a visit as events of the page.

    Attributes:
        quiz: Takes the steps.
        live: The views of the facts of items in the app.
        state: The components of the visit and of what the browser saves.
        parts: The components of the tab.
        updates: The component of the updates, which a script hands to the others.
        proof: The event of a proof, which every step ends.
    """

    quiz: QuizService
    live: views.LiveViews
    state: list[Any]
    parts: Components
    updates: gr.JSON
    proof: Any

    @property
    def outputs(self) -> list[Any]:
        """The components that a handler sets."""
        return [*self.state, self.updates]

    def make_handler(self, take: Callable[..., Visit]) -> Callable[..., list[Any]]:
        """Return a handler that takes a step of the visit, which is resumed if the server has lost it."""

        def handler(visit: Visit | None, saved: object, *values: Any) -> list[Any]:
            after = take(visit or self.quiz.open(saved), *values)
            return [after, self.quiz.memory(after), show(after, self.quiz, self.live, before=visit)]

        return handler

    def connect(
        self,
        triggers: list[Any],
        handler: Callable[..., list[Any]],
        inputs: list[Any],
        focus: str,
        js: str | None = None,
    ) -> None:
        """Call a handler on events, show what it returns, and move the focus."""
        event = gr.on(triggers, handler, [*self.state, *inputs], self.outputs, cancels=self.proof, js=js, **_DIRECT)
        self.update(event).then(js=_focus_script(focus), **_DIRECT)

    def update(self, event: Any) -> Any:
        """Hand the updates of an event to the components; on failure there are none."""
        shown = {name: part for name, part in self.parts.items() if name not in UNCHANGED}
        script = f"(updates) => window.quizTab.updates(updates, {json.dumps([*shown])})"
        return event.success(None, self.updates, [*shown.values()], js=script, **_DIRECT)


def _connect_steps(steps: _Steps) -> None:
    """Connect the buttons of questions and of the result of a run."""
    quiz, parts = steps.quiz, steps.parts
    answer = [parts[name] for name in ("item", "chosen", "number")]
    answers: dict[int | None, list[Any]] = {None: [parts["submit"].click, parts["number"].submit]}
    answers |= {percent: [parts[f"sure_{percent}"].click] for percent in CONFIDENCE}
    for confidence, triggers in answers.items():
        steps.connect(triggers, steps.make_handler(partial(_submit, quiz, confidence)), answer, "next", js=_READ_CHOSEN)
    for name, take, inputs, focus in (
        ("skip", quiz.skip, [parts["item"]], "next"),
        ("hint", quiz.hint, [parts["item"]], "hints"),
        ("next", quiz.advance, [], "top"),
        ("start", quiz.start, [parts["scope"]], "top"),
        ("restart", quiz.restart, [], "top"),
        ("retry", quiz.retry, [], "top"),
        ("practise", quiz.practise, [], "top"),
    ):
        steps.connect([parts[name].click], steps.make_handler(take), inputs, focus)


def _connect_class(steps: _Steps, may_begin: Callable[[gr.Request], bool]) -> None:
    """Connect the fields with which a learner opens a class and begins a run in it."""
    quiz, parts = steps.quiz, steps.parts

    def begin(
        visit: Visit | None, saved: object, code: str | None, nickname: str | None, request: gr.Request
    ) -> list[Any]:
        if not may_begin(request):
            return steps.make_handler(lambda visit: replace(visit, notice=class_view.TOO_MANY_RUNS))(visit, saved)
        return steps.make_handler(quiz.join)(visit, saved, code or "", nickname or "")

    triggers = [parts["class_begin"].click, parts["nickname"].submit]
    steps.connect(triggers, begin, [parts["class_code"], parts["nickname"]], "top")
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
