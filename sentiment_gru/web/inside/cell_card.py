"""The card of one cell: Gradio wiring only."""

from dataclasses import dataclass, fields
from functools import partial
from html import escape
from typing import Any

import gradio as gr
import numpy as np

from ...errors import InputError
from ..gradio_compat import LAST, LIGHT
from .drawings import drawing, equations, number, parse_sequence, told, trace_html
from .gru_cell import (
    CONVENTIONS,
    PRESETS,
    PYTORCH,
    SEQUENCE,
    Convention,
    Preset,
    Step,
    Weights,
    convert,
    converts_exactly,
    run,
    step,
)
from .lessons import ASKED, answer_html, convention_note, lands

GROUPS = {
    "Old state h and input x": {"x": "input x", "h": "old state h"},
    "Reset gate r": {"w_r": "r: weight of x", "u_r": "r: weight of h", "b_r": "r: bias"},
    "Update gate z": {"w_z": "z: weight of x", "u_z": "z: weight of h", "b_z": "z: bias"},
    "Candidate n": {
        "w_n": "n: weight of x",
        "u_n": "n: weight of h (U)",
        "b_n": "n: bias of x (b)",
        "c_n": "n: bias of h (c)",
    },
}
BOUNDS = {"x": 3.0, "h": 1.0}
NAMES = [field.name for field in fields(Weights)]
SECONDS = 0.8  # between two steps when the sequence is played
PLAY, PAUSE = "Play", "Pause"


@dataclass(frozen=True)
class CellCard:
    """What others may set in the card: `begin` returns values for all `outputs`, given that of `sequence`."""

    sequence: gr.Textbox
    outputs: list[Any]


def convention_radio(elem_id: str) -> gr.Radio:
    """Return the switch of conventions."""
    choices = [(convention.title, name) for name, convention in CONVENTIONS.items()]
    return gr.Radio(choices, value=PYTORCH.name, label="Written as in", interactive=True, elem_id=elem_id)


def html(elem_id: str) -> gr.HTML:
    """Return a place for what is drawn."""
    return gr.HTML("", apply_default_css=False, js_on_load=None, elem_id=elem_id)


def status(elem_id: str) -> gr.HTML:
    """Return a place whose new words a screen reader says."""
    live = "element.setAttribute('role', 'status')"
    return gr.HTML("", apply_default_css=False, js_on_load=live, elem_id=elem_id)


def draw(convention: str, sequence: str, position: int, x: float, h: float, *numbers: float) -> tuple[str, ...]:
    """Return the picture of a step, its equations, the step in words, and the sequence with a step marked (0: none)."""
    weights, written = Weights(*numbers), CONVENTIONS[convention]
    shown = step(weights, x, h, written)
    return drawing(shown), equations(shown), told(shown), _sequence_html(weights, written, sequence, position)


def start(preset: Preset, convention: str, sequence: str) -> tuple[Any, ...]:
    """Return all sliders at a preset, its description, and the picture."""
    weights = convert(preset.weights, PYTORCH, CONVENTIONS[convention])
    numbers = [getattr(weights, name) for name in NAMES]
    drawn = draw(convention, sequence, 0, preset.x, preset.h, *numbers)
    return (preset.x, preset.h, *numbers, preset.about, 0, *drawn)


def rewrite(
    convention: str, before: str, sequence: str, position: int, x: float, h: float, *numbers: float
) -> tuple[Any, ...]:
    """Return the weights converted to another convention, what became of them, and the picture."""
    source, target = CONVENTIONS[before], CONVENTIONS[convention]
    old = Weights(*numbers)
    new = convert(old, source, target)
    difference = step(new, x, h, target).new - step(old, x, h, source).new
    note = convention_note(converts_exactly(old, source, target), difference, target)
    converted = [getattr(new, name) for name in NAMES]
    return (*converted, convention, note, *draw(convention, sequence, position, x, h, *converted))


def take_step(convention: str, sequence: str, position: int, *numbers: float) -> tuple[Any, ...]:
    """Return input and old state of the next step of the sequence, its number from 1, and the picture.

    After the last comes the first. The last value says whether the sequence goes on.
    """
    try:
        inputs = parse_sequence(sequence)
    except InputError as error:
        return (gr.skip(), gr.skip(), 0, *[gr.skip()] * 3, refusal(error), False)
    position = position % len(inputs) + 1
    taken = run(Weights(*numbers), inputs[:position], CONVENTIONS[convention])[-1]
    x = inputs[position - 1]
    drawn = draw(convention, sequence, position, x, taken.h, *numbers)
    return (x, taken.h, position, *drawn, position < len(inputs))


def begin(preset: Preset, sequence: str) -> tuple[Any, ...]:
    """Return the values of `CellCard.outputs` at a preset, in PyTorch's convention."""
    return (PYTORCH.name, PYTORCH.name, *start(preset, PYTORCH.name, sequence))


def answer_cell(guess: str | None, sequence: str) -> tuple[Any, ...]:
    """Return where the new state of the question lands, and the sliders and pictures that show it."""
    asked = step(ASKED.weights, ASKED.x, ASKED.h)
    return (answer_html(guess, *lands(asked)), *begin(ASKED, sequence))


def build_cell() -> CellCard:
    """Lay out the card inside its column."""
    position, before, goes_on = gr.State(0), gr.State(PYTORCH.name), gr.State(False)
    timer = gr.Timer(SECONDS, active=False)
    convention = convention_radio("inside-convention")
    with gr.Column(elem_id="inside-bench"):
        picture, words = html("inside-cell-picture"), status("inside-cell-told")
        with gr.Row(elem_id="inside-presets"):
            presets = [gr.Button(preset.title, size="sm") for preset in PRESETS]
        about = status("inside-about-weights")
        sliders = _sliders()
    formulas = html("inside-equations")
    sequence = gr.Textbox(
        ", ".join(number(x, 1) for x in SEQUENCE),
        label="A sequence of inputs, from a state of 0",
        interactive=True,
        elem_id="inside-sequence",
    )
    with gr.Row(elem_id="inside-walk"):
        forward = gr.Button("Step", elem_id="inside-step")
        play = gr.Button(PLAY, elem_id="inside-play")
    trace = html("inside-cell-trace")
    drawn, weights = [picture, formulas, words, trace], sliders[2:]
    filled = [*sliders, about, position, *drawn]
    place = [convention, sequence, position]

    gr.on([s.input for s in sliders], draw, [*place, *sliders], drawn, **LAST)
    sequence.change(draw, [*place, *sliders], drawn, **LAST)
    convention.input(
        rewrite, [convention, before, sequence, position, *sliders], [*weights, before, about, *drawn], **LIGHT
    )
    for preset, button in zip(PRESETS, presets, strict=True):
        button.click(partial(start, preset), [convention, sequence], filled, **LIGHT)
    walked = [sliders[0], sliders[1], position, *drawn]
    forward.click(take_step, [*place, *weights], [*walked, goes_on], **LIGHT)

    def tick(*values: Any) -> tuple[Any, ...]:
        *walk, more = take_step(*values)
        return (*walk, gr.Timer(active=more), gr.Button(PAUSE if more else PLAY))

    def toggle(label: str) -> tuple[gr.Timer, gr.Button]:
        return gr.Timer(active=label == PLAY), gr.Button(PAUSE if label == PLAY else PLAY)

    timer.tick(tick, [*place, *weights], [*walked, timer, play], **LIGHT)
    play.click(toggle, play, [timer, play], **LIGHT)
    return CellCard(sequence, [convention, before, *filled])


def _sliders() -> list[gr.Slider]:
    """Return the sliders of x, h and the weights, in the order of `Weights`."""
    first = PRESETS[0]
    values = {"x": first.x, "h": first.h} | {name: getattr(first.weights, name) for name in NAMES}
    found = []
    with gr.Row(elem_id="inside-sliders"):
        for title, names in GROUPS.items():
            letter = next(letter for letter in "hrzn" if f" {letter}" in title)
            with gr.Column(elem_classes=f"inside-group-{letter}"):
                gr.HTML(f"<h3>{title}</h3>", apply_default_css=False)
                for name, label in names.items():
                    bound = BOUNDS.get(name, 6.0)
                    found.append(
                        gr.Slider(-bound, bound, values[name], step=0.01, label=label, buttons=[], interactive=True)
                    )
    return found


def _sequence_html(weights: Weights, convention: Convention, sequence: str, position: int) -> str:
    try:
        inputs = parse_sequence(sequence)
    except InputError as error:
        return refusal(error)
    steps = run(weights, inputs, convention)
    values = {letter: np.array([_value(one, letter) for one in steps]) for letter in "rznh"}
    marked = position - 1 if 0 < position <= len(inputs) else None
    return trace_html(values, [number(x) for x in inputs], marked)


def _value(taken: Step, letter: str) -> float:
    return float(getattr(taken, "new" if letter == "h" else letter))


def refusal(error: InputError) -> str:
    """Return what is wrong with what a visitor typed."""
    return f'<p class="inside-refused" role="alert">{escape(str(error))}</p>'
