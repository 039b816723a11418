"""The question of a card, and the figures that its answer reveals: Gradio wiring only.

A figure is rendered on request. Until then, the page holds neither the figure nor the library that draws it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import gradio as gr

from ..gradio_compat import LIGHT, PlotData
from ..inside import figures
from .cards import Answer, answer_chapter, answer_compare, answer_gradient, answer_recall, find_question, render_answer
from .gru_cell import RESET_ONLY, step
from .measurements import Measured

SKIP = "Show it without a guess"


@dataclass(frozen=True)
class Figure:
    """A part of an answer: `make` takes whether the page is dark, and returns HTML, or plotly's JSON if `is_plot`."""

    make: Callable[[bool], str]
    is_plot: bool = False


@dataclass(frozen=True)
class QuestionForm:
    """The components of a question: the options, the button that skips it, and the answer."""

    guess: gr.Radio
    skip: gr.Button
    answer: gr.HTML

    def on_answer(
        self, answer: Callable[..., Any], inputs: Sequence[Any], outputs: Sequence[Any], js: str | None = None
    ) -> None:
        """Call `answer` with the guess and the inputs when an option is chosen or the question skipped.

        It returns the answer in HTML, followed by values for the outputs.
        """
        arguments = ([self.guess, *inputs], [self.answer, *outputs])
        self.guess.input(answer, *arguments, js=js, **LIGHT)
        self.skip.click(answer, *arguments, js=js, **LIGHT)


def html_output(elem_id: str) -> gr.HTML:
    """Return an empty component for rendered HTML."""
    return gr.HTML("", apply_default_css=False, js_on_load=None, elem_id=elem_id)


def status_output(elem_id: str) -> gr.HTML:
    """Return an empty component whose changes a screen reader announces."""
    set_role = "element.setAttribute('role', 'status')"
    return gr.HTML("", apply_default_css=False, js_on_load=set_role, elem_id=elem_id)


def build_question(name: str, measured: Measured) -> QuestionForm:
    """Build the question of a card in the current Gradio context."""
    question = find_question(name, measured)
    with gr.Column(elem_classes="inside-question"):
        guess = gr.Radio(
            list(question.options) if question else [],
            label=question.text if question else "Your guess",
            visible=question is not None,
            interactive=True,
            elem_id=f"inside-{name}-guess",
        )
        skip = gr.Button(SKIP if question else "Show the figures", size="sm", elem_id=f"inside-{name}-show")
        answer = status_output(f"inside-{name}-answer")
    return QuestionForm(guess, skip, answer)


def build_figures(form: QuestionForm, name: str, measured: Measured) -> None:
    """Build the figures of a card in the current Gradio context, hidden until the question is answered."""
    card_figures = list_figures(name, measured)
    dark = gr.Checkbox(visible=False)
    with gr.Column(visible=False, elem_classes="inside-pictures") as column:
        outputs = [
            gr.Plot(show_label=False, container=False) if figure.is_plot else html_output(f"inside-{name}-{index}")
            for index, figure in enumerate(card_figures)
        ]

    def show(guess: str | None, dark: bool) -> list[Any]:
        made = [
            PlotData(type="plotly", plot=figure.make(dark)) if figure.is_plot else figure.make(dark)
            for figure in card_figures
        ]
        answer = find_answer(name, measured)
        return [render_answer(guess, answer) if answer else "", gr.Column(visible=True), *made]

    form.on_answer(show, [dark], [column, *outputs], js="(guess) => [guess, window.insideTab.dark()]")


def find_answer(name: str, measured: Measured) -> Answer | None:
    """Return the answer to the question of a card with figures, or None if it was not measured."""
    if name == "chapter":
        return answer_chapter(step(RESET_ONLY.weights, RESET_ONLY.x, RESET_ONLY.h))
    if name == "compare" and measured.speed:
        return answer_compare(measured.speed)
    if name == "gradient" and measured.gradients:
        return answer_gradient(measured.gradients)
    if name == "recall" and measured.recall:
        return answer_recall(measured.recall)
    return None


def list_figures(name: str, measured: Measured) -> list[Figure]:
    """Return the figures of a card, in their order."""
    speed, gradients, recall = measured.speed, measured.gradients, measured.recall
    result: list[Figure] = []
    if name == "gradient" and gradients:
        result = [
            _html_figure(partial(figures.render_gradients, gradients)),
            _html_figure(partial(figures.render_gradient_table, gradients)),
        ]
    elif name == "recall" and recall:
        result = [_html_figure(partial(figures.render_recall, recall))]
    elif name == "compare":
        if speed:
            result = [
                Figure(partial(figures.draw_speed, speed), is_plot=True),
                _html_figure(partial(figures.render_speed_table, speed)),
            ]
        result.append(_html_figure(partial(figures.render_comparison_table, measured)))
        if measured.trainings:
            result.append(_html_figure(partial(figures.render_length_table, measured.trainings)))
    return result


def _html_figure(make: Callable[[], str]) -> Figure:
    """Return a figure of HTML, which is the same on a light and on a dark page."""
    return Figure(lambda dark: make())
