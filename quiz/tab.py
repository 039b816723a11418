"""The Quiz tab: Gradio wiring only. What is asked and graded is in `runs`, what is shown in `parts_tab`.

The visit stays on the server (`gr.State`). The browser gets the open question without its key, and the key
only in reply to the first answer, once that is recorded. What the browser keeps brings a run back after a reload.
"""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.context import Context

from . import views
from .bank import Bank
from .components import LiveLink, Parts, lay_out, show
from .errors import SessionError
from .proof_view import Proofs
from .resume_token import load_secret
from .service import Runs, Visit
from .store import DEFAULT_FILE, Store, StoreError
from .views import RESULTS_CSS

_HERE = Path(__file__).parent / "static"
# For launch(css=...); every rule in it is about an element of this tab.
QUIZ_CSS = (_HERE / "quiz_tab.css").read_text(encoding="utf-8") + RESULTS_CSS
# For launch(head=...); gives the radios of every tab working arrow keys and a name.
QUIZ_SCRIPT = f"<script>{(_HERE / 'quiz_tab.js').read_text(encoding='utf-8')}</script>"

MaySend = Callable[[gr.Request], bool]
LIGHT: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
HEAVY: dict[str, Any] = {"concurrency_limit": 1, "show_progress": "hidden", "api_visibility": "private"}
_FAILED = "<p>The proof could not be run.</p>"
_WORKING = '<p class="quiz-working">The proof is running …</p>'
_ANSWER_FIRST = "<p>Answer the question first: its proof gives the answer away.</p>"


def build_quiz_memory() -> gr.BrowserState:
    """Return what keeps a run and the levels in the browser. It works outside of tabs only."""
    # The secret stands in the page: it hides nothing. What matters is signed, and checked when it comes back.
    return gr.BrowserState({}, storage_key="gru-quiz", secret="not a secret: see quiz.resume_token")


def build_quiz_tab(
    bank: Bank,
    store: Store | None = None,
    memory: gr.BrowserState | None = None,
    live_link: LiveLink = lambda live: None,
    classifier: Callable[[], Any] | None = None,
    may_send: MaySend = lambda request: True,
    secret: str | None = None,
    page: gr.Blocks | None = None,
) -> None:
    """Lay out the quiz inside the surrounding `gr.Tab` of a `gr.Blocks`.

    Args:
        bank: The questions.
        store: Where answers are kept, by default that of `DATABASE_URL` or data/.
        memory: Made by `build_quiz_memory` outside of the tabs.
        live_link: Returns the address at which the app shows a `Live` of an item, or None.
        classifier: Returns the shipped model, for the proofs that look at it.
        may_send: Returns whether whoever sends feedback may; each call counts.
        secret: Signs unfinished quizzes; by default that of `load_secret`.
        page: The page around the tab, whose `load` event opens the quiz.
    """
    runs = Runs(bank, store or Store(), load_secret(DEFAULT_FILE.parent, secret))
    here = [gr.State(None), memory or build_quiz_memory()]
    parts = lay_out(bank)
    proving = _wire_proof(here, parts, runs, Proofs(classifier))
    _wire_opinion(here, parts, runs, may_send)

    def step(take: Callable[..., Visit]) -> Callable[..., list[Any]]:
        """Return a handler that takes a step of the visit, which is resumed if the server has lost it."""

        def handler(visit: Visit | None, kept: object, *values: Any) -> list[Any]:
            after = take(visit or runs.open(kept), *values)
            shown = show(after, runs, live_link, before=visit)
            return [after, runs.memory(after), *(shown.get(name, gr.skip()) for name in parts)]

        return handler

    answers = [parts[name] for name in ("item", "choice", "choices", "number", "confidence")]
    steps: list[tuple[list[Any], Callable[..., Visit], list[Any], str]] = [
        ([parts["submit"].click, parts["number"].submit], partial(_submit, runs), answers, "next"),
        ([parts["hint"].click], runs.hint, [parts["item"]], "hints"),
        ([parts["next"].click], runs.advance, [], "top"),
        ([parts["start"].click], runs.start, [parts["scope"]], "top"),
        ([parts["restart"].click], runs.restart, [], "top"),
        ([parts["retry"].click], runs.retry, [], "top"),
        ([parts["practise"].click], runs.practise, [], "top"),
    ]
    outputs = [*here, *parts.values()]
    page = page or Context.root_block
    page.load(step(lambda visit: visit), here, outputs, **LIGHT)
    for triggers, take, inputs, focus in steps:
        event = gr.on(triggers, step(take), [*here, *inputs], outputs, cancels=proving, **LIGHT)
        event.then(js=_focus(focus), **LIGHT)


def _submit(
    runs: Runs, visit: Visit, item_id: str, choice: str | None, choices: list[str], number: str, sure: int | None
) -> Visit:
    """Answer with whichever of the three places for it the open question has."""
    item = visit.session.current
    given = [number or ""]
    if item and item.options:
        given = views.option_ids(item, choices if item.type == "multi" else [choice] if choice else [])
    return runs.answer(visit, item_id, given, sure)


def _wire_proof(here: list[Any], parts: Parts, runs: Runs, proofs: Proofs) -> Any:
    def run_proof(visit: Visit | None, kept: object) -> Iterator[str]:
        grade = (visit or runs.open(kept)).session.current_grade
        if grade is None:
            yield _ANSWER_FIRST
            return
        yield _WORKING
        try:
            yield proofs.html(grade)
        except Exception:
            yield _FAILED
            raise

    event = parts["prove"].click(run_proof, here, parts["proof"], **HEAVY)
    event.then(js=_focus("proof"), **LIGHT)
    return event


def _wire_opinion(here: list[Any], parts: Parts, runs: Runs, may_send: MaySend) -> None:
    def send(
        visit: Visit | None, kept: object, clear: str | None, text: str | None, request: gr.Request
    ) -> tuple[Any, str]:
        if not may_send(request):
            return gr.skip(), views.TOO_MUCH_FEEDBACK
        answer = {"yes": True, "no": False}.get(clear or "")
        try:
            runs.send_feedback(visit or runs.open(kept), answer, text or "")
        except (SessionError, StoreError) as error:
            return gr.skip(), str(error)
        return gr.Column(visible=False), views.THANKS

    inputs, outputs = [*here, parts["clear"], parts["text"]], [parts["opinion"], parts["thanks"]]
    parts["send"].click(send, inputs, outputs, **LIGHT).then(js=_focus("thanks"), **LIGHT)


def _focus(name: str) -> str:
    """Return JavaScript that moves the focus to what is new: the button just pressed may have gone."""
    return f"() => window.quizTab.focus('{name}')"
