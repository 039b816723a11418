"""The Sentiment tab: its Gradio components and events. The HTML comes from the `*_view` modules.

Choosing a token, the link and the download happen in the browser (sentiment_tab.js). The server keeps only the text
that a visitor had judged last, and computes again what is asked about it.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any

import gradio as gr

from ..errors import InputError
from ..results import MAX_CHARACTERS
from .charts import GATES, render_heat_map
from .examples import EXAMPLES, load_failures, load_worked_example
from .explanation_view import (
    CHOSEN_TOKEN,
    WORKING,
    choose_target,
    render_explanation,
)
from .gradio_compat import HEAVY, LAST, current_page
from .model_loader import ClassifierLoader
from .rendering import read_static, render, render_note, render_script, text_link
from .responses import failure_html, log_failure
from .verdict_view import (
    CHOOSE_FIRST,
    LOADING,
    NO_TEXT,
    PROMPT,
    render_flip,
    render_too_long,
    render_verdict,
    render_what_if,
)

if TYPE_CHECKING:
    from ..classifier import SentimentClassifier
    from ..results import Prediction

MAX_REPLACEMENT = 200
LONG = 150  # tokens of a text whose explanation takes so long that a part is shown before
# For launch(css=...) and launch(head=...).
SENTIMENT_CSS = read_static("sentiment_tab.css")
SENTIMENT_SCRIPT = render_script("sentiment_tab.js")

NOT_EXPLAINED = render_note("The explanation could not be loaded. Ask for the verdict again in a few seconds.")
SUBMIT = "() => window.sentimentTab.submit()"


@dataclass
class Visit:
    """The state of one visitor: the text judged last."""

    text: str = ""


def judge(text: str, classify: "Callable[[list[str]], list[Prediction]]") -> str:
    """Return the HTML of a verdict, or the prompt, refusal or failure report that takes its place."""
    if len(text) > MAX_CHARACTERS:  # the page sets the same limit, but a request can come from anywhere
        return render_too_long(len(text), MAX_CHARACTERS)
    if not text.strip():
        return PROMPT

    def render() -> str:
        start = perf_counter()
        (prediction,) = classify([text])
        return render_verdict(prediction, 1000 * (perf_counter() - start))

    return render_safely(render)


def render_safely(render: Callable[[], str]) -> str:
    """Return the HTML of a function; if it raises, the message of an `InputError`, or a failure report."""
    try:
        return render()
    except InputError as error:
        return render_note(str(error))
    except Exception as error:
        return failure_html(log_failure(error).report)


def get_classifier(loader: ClassifierLoader) -> "SentimentClassifier | None":
    """Return the classifier, or None if it could not be loaded, which the verdict reports."""
    try:
        return loader.classifier()
    except Exception:
        return None


def explain_at_once(text: str, loader: ClassifierLoader) -> str:
    """Return the part of a long text's explanation that takes little time, or a note that it is being worked out."""
    classifier = get_classifier(loader) if can_be_judged(text) else None
    if classifier is None:
        return ""
    if len(classifier.read(text).tokens) < LONG:
        return WORKING
    return render_safely(lambda: loader.explaining(lambda: render_explanation(classifier.explain(text, methods=()))))


def explain(text: str, loader: ClassifierLoader, cache: dict[str, str]) -> str:
    """Return the explanation of a text, or an empty string if it cannot be judged.

    Args:
        text: The text that was judged.
        loader: The classifier.
        cache: The HTML of the explanations of examples, which every visitor sees; this function fills it.
    """
    classifier = get_classifier(loader) if can_be_judged(text) else None
    if classifier is None:
        return ""

    def render() -> str:
        if text in cache:
            return cache[text]
        explanation = load_worked_example(loader.folder, text)
        if explanation is None:
            (prediction,) = classifier([text])
            explanation = classifier.explain(text, target=choose_target(prediction.scores))
        html = render_explanation(explanation)
        if text in EXAMPLES.values():
            cache[text] = html
        return html

    return render_safely(lambda: loader.explaining(render))


def change_token(text: str, index: float | None, action: str, replacement: str | None, loader: ClassifierLoader) -> str:
    """Return the verdict after the chosen token is removed, replaced or negated.

    Args:
        text: The text that was judged.
        index: The number of the token, from 0; any value, as it comes from the browser.
        action: "remove", "replace" or "negate".
        replacement: The words in its place.
        loader: The classifier.
    """
    if not isinstance(index, int | float) or not 0 <= index < MAX_CHARACTERS:
        return CHOOSE_FIRST
    arguments = (text, int(index), action, (replacement or "")[:MAX_REPLACEMENT])
    return render_safely(lambda: render_what_if(loader.explaining(lambda: loader.classifier().what_if(*arguments))))


def find_flip(text: str, loader: ClassifierLoader) -> str:
    """Return a small set of tokens without which the verdict changes."""
    if not can_be_judged(text):
        return NO_TEXT

    def render() -> str:
        classifier = loader.classifier()
        return render_flip(classifier([text])[0], classifier.read(text).tokens, classifier.smallest_flip(text))

    return render_safely(lambda: loader.explaining(render))


def draw_units(text: str, letter: str | None, loader: ClassifierLoader) -> str:
    """Return the heat map of a gate, by its letter, or an empty string if there is none."""
    if letter not in GATES or not can_be_judged(text):
        return ""
    return render_safely(
        lambda: loader.explaining(lambda: render_heat_map(loader.classifier().explain(text, methods=()), letter))
    )


def can_be_judged(text: str) -> bool:
    """Return whether a text is neither blank nor too long."""
    return bool(text.strip()) and len(text) <= MAX_CHARACTERS


def build_sentiment_tab(loader: ClassifierLoader) -> gr.Textbox:
    """Add the components and events of the tab to the surrounding `gr.Tab`; return the box for the text."""
    visit, cache = gr.State(Visit()), dict[str, str]()
    text, button, examples = _add_text_box()
    verdict = gr.HTML(
        LOADING,
        apply_default_css=False,
        js_on_load="element.setAttribute('role', 'status')",  # screen readers announce a new verdict
        elem_id="sentiment-verdict",
    )
    explanation = _add_html("sentiment-why")
    what_if = _add_what_if(visit, loader)
    units = _add_heat_map(visit, loader) if loader.config.get("cell", "gru") == "gru" else []
    if failures := load_failures(loader.folder):
        with gr.Accordion("Where it fails", open=False, elem_id="sentiment-failures"):
            gr.HTML(render("failures.html", failures=failures, link=text_link), apply_default_css=False)
    with gr.Accordion("About this model", open=False, elem_id="sentiment-about"):
        gr.Markdown(loader.card() or "This checkpoint comes without a model card.")

    def show_verdict(value: str | None, visit: Visit) -> tuple[str | None, ...]:
        value = visit.text = value or ""
        return judge(value, loader), WORKING if can_be_judged(value) else "", "", *([None] * len(units))

    def show_explanation(visit: Visit) -> Iterator[Any]:
        judged = visit.text
        if judged not in cache:
            yield explain_at_once(judged, loader)
        html = explain(judged, loader, cache)
        yield html if visit.text == judged else gr.skip()  # the visitor has entered another text

    outputs = [verdict, explanation, what_if, *units]
    # One event for both triggers: two events could overtake each other and leave the verdict on the former text.
    judged = gr.on([text.submit, button.click], show_verdict, [text, visit], outputs, **LAST)
    explained = judged.then(show_explanation, visit, explanation, **HEAVY)
    explained.failure(None, None, explanation, js=f"() => {json.dumps(NOT_EXPLAINED)}", **LAST)
    examples.click(lambda sample: sample[0] if sample else "", examples, text, **LAST).then(js=SUBMIT, **LAST)
    # In steps, so that the text is read from the page once the model is loaded, not when the page opens.
    opened = current_page().load(None, js="async () => (await window.sentimentTab.enterLinked(), [])", **LAST)
    opened.then(loader.ready, None, None, **LAST).then(js=SUBMIT, **LAST)
    return text


def _add_text_box() -> tuple[gr.Textbox, gr.Button, gr.Dataset]:
    text = gr.Textbox(
        next(iter(EXAMPLES.values())),
        label="Your text",
        info="Press Enter for the verdict, Shift + Enter for a new line.",
        lines=1,  # with more, Gradio starts a new line on Enter
        max_lines=12,
        elem_id="sentiment-text",
    )
    button = gr.Button("Get the verdict", variant="primary", elem_id="sentiment-submit")
    examples = gr.Dataset(
        label="Examples",
        components=[text],
        samples=[[example] for example in EXAMPLES.values()],
        sample_labels=list(EXAMPLES),
        elem_id="sentiment-examples",
    )
    return text, button, examples


def _add_what_if(visit: gr.State, loader: ClassifierLoader) -> gr.HTML:
    with gr.Accordion("What if?", open=False, elem_id="sentiment-what-if"):
        gr.HTML(CHOSEN_TOKEN, apply_default_css=False)
        index = gr.Number(visible=False)  # the browser fills it with the number of the chosen token
        choices = [("Remove it", "remove"), ("Negate it", "negate"), ("Replace it", "replace")]
        action = gr.Radio(choices, value="remove", label="Change")
        replacement = gr.Textbox(label="Replacement", max_length=MAX_REPLACEMENT, visible=False)
        with gr.Row():
            change_button = gr.Button("Try it", variant="primary", elem_id="sentiment-try")
            flip_button = gr.Button("Find the smallest deletion that flips the verdict", elem_id="sentiment-flip")
        result = _add_html("sentiment-changed")
    action.change(lambda action: gr.Textbox(visible=action == "replace"), action, replacement, **LAST)

    def show_change(visit: Visit, index: float | None, action: str, replacement: str | None) -> str:
        return change_token(visit.text, index, action, replacement, loader)

    gr.on(
        [change_button.click, replacement.submit],
        show_change,
        [visit, index, action, replacement],
        result,
        js="(visit, index, ...others) => [visit, window.sentimentTab.chosen(), ...others]",
        **HEAVY,
    )
    flip_button.click(lambda visit: find_flip(visit.text, loader), visit, result, **HEAVY)
    return result


def _add_heat_map(visit: gr.State, loader: ClassifierLoader) -> list[gr.Radio | gr.HTML]:
    with gr.Accordion("Every unit at every token", open=False, elem_id="sentiment-units"):
        choices = [("Update gate z", "z"), ("Reset gate r", "r"), ("Candidate n", "n"), ("Hidden state h", "h")]
        letter = gr.Radio(choices, label="Show")
        picture = _add_html("sentiment-heat-map")
    letter.input(lambda visit, letter: draw_units(visit.text, letter, loader), [visit, letter], picture, **HEAVY)
    return [letter, picture]


def _add_html(elem_id: str) -> gr.HTML:
    return gr.HTML("", apply_default_css=False, js_on_load=None, elem_id=elem_id)
