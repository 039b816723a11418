"""A card's question, and the figures that its answer brings: Gradio wiring only.

A figure is made when it is asked for. Until then nothing of it, and not the library that draws it, is in the page.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import gradio as gr

from ..gradio_compat import LIGHT, PlotData
from . import figures
from .cell_card import html, status
from .gru_cell import RESET_ONLY, step
from .lessons import answer_html, fastest, forgets, question, reaches, recalls
from .measurements import POINTS, Measured
from .statements import statements, statements_html

SHOW = "Show it without a guess"


@dataclass(frozen=True)
class Picture:
    """One thing that an answer brings: `make` returns HTML, or plotly's JSON if `plot`, for a page dark or not."""

    make: Callable[[bool], str]
    plot: bool = False


@dataclass(frozen=True)
class Asked:
    """A question in the page: the options, the way around them, and the place for the answer."""

    guess: gr.Radio
    skip: gr.Button
    answer: gr.HTML

    def answers(self, answer: Callable[..., Any], inputs: Sequence[Any], outputs: Sequence[Any], js: str = "") -> None:
        """Let a choice, or doing without one, bring the answer and whatever else the function returns after it."""
        arguments = ([self.guess, *inputs], [self.answer, *outputs])
        self.guess.input(answer, *arguments, js=js or None, **LIGHT)
        self.skip.click(answer, *arguments, js=js or None, **LIGHT)


def build_question(name: str, measured: Measured) -> Asked:
    """Lay out the question of a card."""
    found = question(name, measured)
    with gr.Column(elem_classes="inside-question"):
        guess = gr.Radio(
            list(found.options) if found else [],
            label=found.text if found else "Your guess",
            visible=found is not None,
            interactive=True,
            elem_id=f"inside-{name}-guess",
        )
        skip = gr.Button(SHOW if found else "Show the figures", size="sm", elem_id=f"inside-{name}-show")
        answer = status(f"inside-{name}-answer")
    return Asked(guess, skip, answer)


def build_pictures(asked: Asked, name: str, measured: Measured, config: dict[str, Any]) -> None:
    """Lay out what the answer to a question brings, out of sight until then."""
    pictures = pictures_of(name, measured, config)
    dark = gr.Checkbox(visible=False)
    with gr.Column(visible=False, elem_classes="inside-pictures") as column:
        places = [
            gr.Plot(show_label=False, container=False) if one.plot else html(f"inside-{name}-{index}")
            for index, one in enumerate(pictures)
        ]

    def show(guess: str | None, dark: bool) -> list[Any]:
        drawn = [PlotData(type="plotly", plot=one.make(dark)) if one.plot else one.make(dark) for one in pictures]
        return [answer_to(name, guess, measured), gr.Column(visible=True), *drawn]

    asked.answers(show, [dark], [column, *places], js="(guess) => [guess, window.insideTab.dark()]")


def answer_to(name: str, guess: str | None, measured: Measured) -> str:
    """Return the answer to the question of a card that shows figures; nothing if it asks none."""
    if name == "chapter":
        return answer_html(guess, *forgets(step(RESET_ONLY.weights, RESET_ONLY.x, RESET_ONLY.h)))
    if name == "compare" and measured.speed:
        return answer_html(guess, *fastest(measured.speed))
    if name == "gradient" and measured.gradients:
        return answer_html(guess, *reaches(measured.gradients))
    if name == "recall" and measured.recall:
        return answer_html(guess, *recalls(measured.recall))
    return ""


def pictures_of(name: str, measured: Measured, config: dict[str, Any]) -> list[Picture]:
    """Return the figures of a card, in their order; `config` is that of the loaded checkpoint."""
    speed, gradients, recall = measured.speed, measured.gradients, measured.recall
    found: list[Picture] = []
    if name == "chapter":
        found = [_words(lambda: statements_html(statements(config, measured)))]
    elif name == "gradient" and gradients:
        for point in ("start", "trained"):
            found.append(_words(partial("<h3>{}</h3>".format, POINTS[point].capitalize())))
            found.append(Picture(partial(figures.gradient_figure, gradients, point), plot=True))
        found.append(_words(partial(figures.gradient_table, gradients)))
    elif name == "recall" and recall:
        found = [
            Picture(partial(figures.recall_figure, recall), plot=True),
            _words(partial(figures.recall_table, recall)),
        ]
    elif name == "compare":
        if speed:
            found = [
                Picture(partial(figures.speed_figure, speed), plot=True),
                _words(partial(figures.speed_table, speed)),
            ]
        found.append(_words(partial(figures.compared_table, measured)))
        if measured.trainings:
            found.append(_words(partial(figures.length_table, measured.trainings)))
    return found


def _words(make: Callable[[], str]) -> Picture:
    """Return HTML that is the same on a dark page."""
    return Picture(lambda dark: make())
