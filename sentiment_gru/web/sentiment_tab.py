"""The Sentiment tab: Gradio wiring only. What the visitor reads stands in the `*_html` modules, `failure`, `examples`.

Choosing a token happens in the browser (sentiment_tab.js), as do the link and the download. The server keeps of a
visitor the text that was judged last, and computes again what is asked about it.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import gradio as gr

from ..errors import InputError
from ..results import MAX_CHARACTERS
from . import verdict_view
from .charts import GATES, heat_map_html
from .error_report import failure_html, log_failure
from .gradio_compat import LAST, current_page
from .model_loader import ClassifierLoader
from .sentiment_views import (
    CHOOSE_FIRST,
    NO_TEXT,
    TO_CHANGE,
    WORKING,
    explanation_html,
    flip_html,
    target_to_show,
    what_if_html,
)

if TYPE_CHECKING:
    from ..classifier import Prediction


EXAMPLES = {
    "A turn": "The first hour drags, but the ending is so beautiful that I forgave it everything.",
    "Negation": "Not bad at all. I did not expect to like it, and I was not disappointed for a minute.",
    "Sarcasm": "Oh great, another sequel nobody asked for. Two hours of my life well spent, really.",
    "Neutral": "The film opens on Friday. It runs for two hours and was shot in Lisbon.",
    "Unknown words": "Blorf zindle quaxotl vrimp",
    "Long": (
        "I went in expecting very little. The trailer gave away half the plot, the posters were dreadful, and the "
        "last two films by this director put me to sleep. The opening did nothing to change my mind: ten minutes of "
        "people explaining things to each other in a car.\n\n"
        "Then, quite suddenly, it wakes up. The daughter arrives, the house fills with people, and every scene has "
        "something in it worth watching: a look, a joke that lands, a silence held just long enough. The supporting "
        "cast is superb, and the score knows when to stay out of the way.\n\n"
        "It is not perfect. The subplot about the neighbour goes nowhere, and the dream sequence should have been cut. "
        "But I laughed, I cried a little, and I have been thinking about the last shot ever since. Go and see it with "
        "somebody you have argued with."
    ),
}


MAX_REPLACEMENT = 200
# For launch(css=...) and launch(head=...); all of it is about elements of this tab.
SENTIMENT_CSS = (Path(__file__).parent / "static" / "sentiment_tab.css").read_text(encoding="utf-8")
SENTIMENT_SCRIPT = (
    f"<script>{(Path(__file__).parent / 'static' / 'sentiment_tab.js').read_text(encoding='utf-8')}</script>"
)

NOT_EXPLAINED = '<p class="why-note">The reasons did not come. Ask for the verdict again in a few seconds.</p>'
ASK = "() => window.sentimentTab.ask()"
# Queued, a few at a time: verdicts pass by. "multiple", as the next text must not wait for the last one's reasons.
HEAVY: dict[str, Any] = {
    "concurrency_limit": 2,
    "concurrency_id": "explanations",
    "trigger_mode": "multiple",
    "show_progress": "hidden",
    "api_visibility": "private",
}


@dataclass
class Visit:
    """What is kept of a visitor: the text judged last."""

    text: str = ""


def judge(text: str, classify: "Callable[[list[str]], list[Prediction]]") -> str:
    """Return HTML for whatever comes of a text: a verdict, a prompt, a refusal, or an apology."""
    if len(text) > MAX_CHARACTERS:  # the browser is not trusted to have kept it shorter
        return verdict_view.too_long(len(text), MAX_CHARACTERS)
    if not text.strip():
        return verdict_view.PROMPT

    def verdict() -> str:
        start = perf_counter()
        (prediction,) = classify([text])
        return verdict_view.verdict(prediction, 1000 * (perf_counter() - start))

    return or_apology(verdict)


def or_apology(make: Callable[[], str]) -> str:
    """Return the HTML that a function makes, what it refuses, or an apology with a report."""
    try:
        return make()
    except InputError as error:
        return f'<p class="why-note">{escape(str(error))}</p>'
    except Exception as error:
        return failure_html(log_failure(error).report)


def explain(text: str, loader: ClassifierLoader, kept: dict[str, str]) -> str:
    """Return the explanation of a text that has been judged; nothing where there was nothing to judge.

    Those of the examples are kept: each visitor sees one at once, and it is the same for all.
    """
    if not can_be_explained(text):
        return ""
    try:
        classifier = loader.classifier()
    except Exception:  # told where the verdict would stand
        return ""

    def explanation() -> str:
        if text in kept:
            return kept[text]
        (prediction,) = classifier([text])
        html = explanation_html(classifier.explain(text, target=target_to_show(prediction.scores)))
        if text in EXAMPLES.values():
            kept[text] = html
        return html

    return or_apology(explanation)


def change(text: str, index: float | None, action: str, replacement: str | None, loader: ClassifierLoader) -> str:
    """Return what becomes of the verdict when the chosen token is removed, replaced or negated."""
    if not isinstance(index, int | float) or not 0 <= index < MAX_CHARACTERS:  # from the browser, so anything
        return CHOOSE_FIRST
    arguments = (text, int(index), action, (replacement or "")[:MAX_REPLACEMENT])
    return or_apology(lambda: what_if_html(loader.classifier().what_if(*arguments)))


def flip(text: str, loader: ClassifierLoader) -> str:
    """Return few tokens without which the verdict is another one."""
    if not can_be_explained(text):
        return NO_TEXT

    def found() -> str:
        classifier = loader.classifier()
        return flip_html(classifier([text])[0], classifier.read(text).tokens, classifier.smallest_flip(text))

    return or_apology(found)


def draw_units(text: str, letter: str | None, loader: ClassifierLoader) -> str:
    """Return the heat map of a gate."""
    if letter not in GATES or not can_be_explained(text):
        return ""
    return or_apology(lambda: heat_map_html(loader.classifier().explain(text, methods=()), letter))


def can_be_explained(text: str) -> bool:
    """Return whether a text was fit to be judged."""
    return bool(text.strip()) and len(text) <= MAX_CHARACTERS


def build_sentiment_tab(loader: ClassifierLoader) -> gr.Textbox:
    """Lay out the tab inside the surrounding `gr.Tab` of a `gr.Blocks`; return where the visitor's text is typed."""
    visit, kept = gr.State(Visit()), dict[str, str]()
    text, button, chips = _text_box()
    verdict = gr.HTML(
        verdict_view.LOADING,
        apply_default_css=False,
        js_on_load="element.setAttribute('role', 'status')",  # so that a screen reader says what is new
        elem_id="sentiment-verdict",
    )
    explanation = _html("sentiment-why")
    changed = _what_if(visit, loader)
    units = _heat_map(visit, loader) if loader.config.get("cell", "gru") == "gru" else []
    with gr.Accordion("About this model", open=False, elem_id="sentiment-about"):
        gr.Markdown(loader.card() or "This checkpoint comes without a model card.")

    def show_verdict(value: str | None, visit: Visit) -> tuple[str | None, ...]:
        value = visit.text = value or ""
        return judge(value, loader), WORKING if can_be_explained(value) else "", "", *([None] * len(units))

    def show_explanation(visit: Visit) -> Any:
        judged = visit.text
        html = explain(judged, loader, kept)
        return html if visit.text == judged else gr.skip()  # the visitor has moved on

    fresh = [verdict, explanation, changed, *units]
    # One event judges, whoever asks: two could overtake each other and leave the verdict on the former text.
    asked = gr.on([text.submit, button.click], show_verdict, [text, visit], fresh, **LAST)
    explained = asked.then(show_explanation, visit, explanation, **HEAVY)
    explained.failure(None, None, explanation, js=f"() => {json.dumps(NOT_EXPLAINED)}", **LAST)
    chips.click(lambda sample: sample[0] if sample else "", chips, text, **LAST).then(js=ASK, **LAST)
    # In steps, so that it is the text of then, not of page load, that is judged once the model is there.
    arrived = current_page().load(None, js="async () => (await window.sentimentTab.enterLinked(), [])", **LAST)
    arrived.then(loader.ready, None, None, **LAST).then(js=ASK, **LAST)
    return text


def _text_box() -> tuple[gr.Textbox, gr.Button, gr.Dataset]:
    text = gr.Textbox(
        next(iter(EXAMPLES.values())),
        label="Your text",
        info="Enter gives the verdict, Shift + Enter a new line.",
        lines=1,  # more than one would make Enter a new line
        max_lines=12,
        elem_id="sentiment-text",
    )
    button = gr.Button("Get the verdict", variant="primary", elem_id="sentiment-submit")
    chips = gr.Dataset(
        label="Examples",
        components=[text],
        samples=[[example] for example in EXAMPLES.values()],
        sample_labels=list(EXAMPLES),
        elem_id="sentiment-examples",
    )
    return text, button, chips


def _what_if(visit: gr.State, loader: ClassifierLoader) -> gr.HTML:
    with gr.Accordion("What if?", open=False, elem_id="sentiment-what-if"):
        gr.HTML(TO_CHANGE, apply_default_css=False)
        index = gr.Number(visible=False)  # the browser fills it with the token chosen
        choices = [("Remove it", "remove"), ("Negate it", "negate"), ("Replace it", "replace")]
        action = gr.Radio(choices, value="remove", label="Change")
        replacement = gr.Textbox(label="Replacement", max_length=MAX_REPLACEMENT, visible=False)
        with gr.Row():
            try_it = gr.Button("Try it", variant="primary", elem_id="sentiment-try")
            flip_it = gr.Button("Find the smallest deletion that flips the verdict", elem_id="sentiment-flip")
        result = _html("sentiment-changed")
    action.change(lambda chosen: gr.Textbox(visible=chosen == "replace"), action, replacement, **LAST)

    def show_change(visit: Visit, index: float | None, action: str, replacement: str | None) -> str:
        return change(visit.text, index, action, replacement, loader)

    gr.on(
        [try_it.click, replacement.submit],
        show_change,
        [visit, index, action, replacement],
        result,
        js="(visit, index, ...others) => [visit, window.sentimentTab.chosen(), ...others]",
        **HEAVY,
    )
    flip_it.click(lambda visit: flip(visit.text, loader), visit, result, **HEAVY)
    return result


def _heat_map(visit: gr.State, loader: ClassifierLoader) -> list[gr.Radio | gr.HTML]:
    with gr.Accordion("Every unit at every token", open=False, elem_id="sentiment-units"):
        choices = [("Update gate z", "z"), ("Reset gate r", "r"), ("Candidate n", "n"), ("Hidden state h", "h")]
        letter = gr.Radio(choices, label="Show")
        picture = _html("sentiment-heat-map")
    letter.input(lambda visit, chosen: draw_units(visit.text, chosen, loader), [visit, letter], picture, **HEAVY)
    return [letter, picture]


def _html(elem_id: str) -> gr.HTML:
    return gr.HTML("", apply_default_css=False, js_on_load=None, elem_id=elem_id)
