"""The Sentiment tab: Gradio wiring only. What the visitor reads stands in `verdict_html`, `failure`, `examples`."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from . import verdict_html
from .examples import EXAMPLES
from .failure import failure_html, log_failure
from .loading import ClassifierLoader

if TYPE_CHECKING:
    from .classifier import Prediction

MAX_CHARACTERS = 200_000
# For launch(css=...); every rule in it is about an element of this tab.
SENTIMENT_CSS = Path(__file__).with_suffix(".css").read_text(encoding="utf-8")


def judge(text: str, classify: "Callable[[list[str]], list[Prediction]]") -> str:
    """Return HTML for whatever comes of a text: a verdict, a prompt, a refusal, or an apology."""
    if len(text) > MAX_CHARACTERS:  # the browser is not trusted to have kept it shorter
        return verdict_html.too_long(len(text), MAX_CHARACTERS)
    if not text.strip():
        return verdict_html.PROMPT
    try:
        start = time.perf_counter()
        (prediction,) = classify([text])
        return verdict_html.verdict(prediction, 1000 * (time.perf_counter() - start))
    except Exception as error:
        return failure_html(log_failure(error).report)


def build_sentiment_tab(loader: ClassifierLoader) -> None:
    """Lay out the tab inside the surrounding `gr.Tab` of a `gr.Blocks`."""
    worked_example = next(iter(EXAMPLES.values()))
    text = gr.Textbox(
        worked_example,
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
    verdict = gr.HTML(
        verdict_html.LOADING,
        apply_default_css=False,
        js_on_load="element.setAttribute('role', 'status')",  # so that a screen reader says what is new
        elem_id="sentiment-verdict",
    )
    with gr.Accordion("About this model", open=False, elem_id="sentiment-about"):
        gr.Markdown(loader.card() or "This checkpoint comes without a model card.")

    def show_verdict(value: str) -> str:
        return judge(value, loader)

    light: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
    gr.on([text.submit, button.click], show_verdict, text, verdict, **light)
    chips.click(lambda sample: sample[0], chips, text, **light).then(show_verdict, text, verdict, **light)
    # In two steps, so that it is the text of then, not of page load, that is judged once the model is there.
    gr.on(None, loader.ready, None, None, **light).then(show_verdict, text, verdict, **light)
