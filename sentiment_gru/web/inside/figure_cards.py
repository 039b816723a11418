"""The figures of a card: behind its question in the tab, or beside a question of the quiz.

In the tab, a figure is rendered on request. Until then, the page holds neither the figure nor the library that draws
it. In the quiz, a live card opens with the numbers of the question.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache, partial
from typing import Any

import gradio as gr
from markupsafe import Markup

from ..gradio_compat import LIGHT, PlotData
from ..inside import figures
from ..rendering import render
from .cards import (
    CARDS,
    Answer,
    answer_chapter,
    answer_compare,
    answer_gradient,
    answer_recall,
    find_question,
    render_answer,
)
from .gru_cell import CONVENTIONS, PYTORCH, RESET_ONLY, Convention, Preset, Weights, step
from .measurements import Measured, read_measured
from .stage_view import Opening, render_sliders, render_weights

SKIP = "Show it without a guess"
LIVE_FIGURES = ("compare", "gradient")
Values = Mapping[str, float | str]
_NEAREST = 0.0025  # distance of a gate from 0 and 1 at the ends of the sliders of biases


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


def html_output(elem_id: str, value: str = "") -> gr.HTML:
    """Return a component for rendered HTML."""
    return gr.HTML(value, apply_default_css=False, js_on_load=None, elem_id=elem_id)


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


def render_live_card(name: str, values: Values) -> Markup | None:
    """Return a card for a question, or None if it cannot be shown outside of its tab.

    Args:
        name: Name of the card.
        values: Numbers of the question. "cell" takes the fields of `Opening`, "weights" those of `Weights`, the input x
            and the gates r and z, and both take the old state h, the candidate n, and the name of a `convention`.
    """
    numbers = {key: value for key, value in values.items() if not isinstance(value, str)}
    convention = next((one for one in CONVENTIONS if one.name == values.get("convention")), PYTORCH)
    if name == "cell":
        body = render_sliders(make_opening(numbers), convention, tasks=())
    elif name == "weights":
        body = render_weights(make_preset(numbers, convention) if numbers else None, convention, group="live")
    elif name in LIVE_FIGURES:
        body = _render_figures(name)
    else:
        return None
    lead = next(card.lead for card in CARDS if card.name == name)
    return render("inside/live_card.html", lead=lead, body=body)


def make_opening(numbers: Mapping[str, float]) -> Opening:
    """Return the numbers of the card of two sliders; a candidate n is one that only the input makes."""
    known = {field.name: numbers[field.name] for field in fields(Opening) if field.name in numbers}
    if "n" in numbers:
        known |= {"input": _atanh(numbers["n"]), "weight": 0.0}
    return Opening(**known)  # type: ignore[arg-type]


def make_preset(numbers: Mapping[str, float], convention: Convention) -> Preset:
    """Return a preset whose weights lead to these numbers; gates and candidate are made by their biases alone."""
    weights = {field.name: numbers[field.name] for field in fields(Weights) if field.name in numbers}
    if "z" in numbers:
        weights["b_z"] = _logit(numbers["z"] if convention.z_keeps else 1 - numbers["z"])
    if "r" in numbers:
        weights["b_r"] = _logit(numbers["r"])
    if "n" in numbers:
        weights["b_n"] = _atanh(numbers["n"])
    return Preset(
        "The question", "The numbers of the question.", Weights(**weights), numbers.get("x", 0.0), numbers.get("h", 0.0)
    )


@cache
def _render_figures(name: str) -> Markup:
    """Return the figures of a card without those that plotly draws, and the answer to its question."""
    measured = read_measured()
    figures = [figure.make(False) for figure in list_figures(name, measured) if not figure.is_plot]
    answer = find_answer(name, measured)
    return render("inside/live_figures.html", figures=figures, explanation=answer.explanation if answer else "")


def _logit(share: float) -> float:
    share = min(max(share, _NEAREST), 1 - _NEAREST)
    return math.log(share / (1 - share))


def _atanh(value: float) -> float:
    return math.atanh(min(max(value, _NEAREST - 1), 1 - _NEAREST))
