"""The card of one cell: Gradio wiring only."""

from dataclasses import dataclass, fields
from functools import partial
from typing import Any

import gradio as gr
import numpy as np
from markupsafe import Markup

from ...errors import InputError
from ..gradio_compat import LAST, LIGHT
from ..rendering import render
from .cards import EXERCISE, EXERCISE_STEP, answer_cell, describe_conversion, render_answer
from .cell_view import (
    describe_step,
    format_number,
    parse_sequence,
    render_drawing,
    render_equations,
    render_trace,
)
from .gru_cell import (
    CONVENTIONS,
    PRESETS,
    PYTORCH,
    SEQUENCE,
    Convention,
    Preset,
    Weights,
    convert,
    converts_exactly,
    run,
    step,
)

SLIDER_GROUPS = {  # by the symbol whose colour the sliders have
    "h": ("Old state h and input x", {"x": "input x", "h": "old state h"}),
    "r": ("Reset gate r", {"w_r": "r: weight of x", "u_r": "r: weight of h", "b_r": "r: bias"}),
    "z": ("Update gate z", {"w_z": "z: weight of x", "u_z": "z: weight of h", "b_z": "z: bias"}),
    "n": (
        "Candidate n",
        {
            "w_n": "n: weight of x",
            "u_n": "n: weight of h (U)",
            "b_n": "n: bias of x (b)",
            "c_n": "n: bias of h (c)",
        },
    ),
}
BOUNDS = {"x": 3.0, "h": 1.0}
WEIGHT_BOUND = 6.0
WEIGHT_NAMES = [field.name for field in fields(Weights)]
SECONDS_PER_STEP = 0.8  # while the sequence is played
PLAY, PAUSE = "Play", "Pause"


@dataclass(frozen=True)
class CellCard:
    """The components that other events set: `show_preset` returns values for `outputs`, given that of `sequence`."""

    sequence: gr.Textbox
    outputs: list[Any]


def convention_radio(elem_id: str) -> gr.Radio:
    """Return the choice of the convention."""
    choices = [(convention.title, name) for name, convention in CONVENTIONS.items()]
    return gr.Radio(choices, value=PYTORCH.name, label="Written as in", interactive=True, elem_id=elem_id)


def html_output(elem_id: str) -> gr.HTML:
    """Return an empty component for rendered HTML."""
    return gr.HTML("", apply_default_css=False, js_on_load=None, elem_id=elem_id)


def status_output(elem_id: str) -> gr.HTML:
    """Return an empty component whose changes a screen reader announces."""
    set_role = "element.setAttribute('role', 'status')"
    return gr.HTML("", apply_default_css=False, js_on_load=set_role, elem_id=elem_id)


def render_refusal(error: InputError) -> Markup:
    """Return the reason why an input is refused, as an alert."""
    return render("inside/refusal.html", message=str(error))


def render_cell(convention: str, sequence: str, position: int, x: float, h: float, *numbers: float) -> tuple[str, ...]:
    """Return drawing, equations and description of a step, and the sequence.

    Args:
        convention: Name of the convention.
        sequence: Inputs as the visitor typed them.
        position: Step of the sequence to mark, counted from 1; 0 for none.
        x: The input.
        h: The old state.
        numbers: The weights, in the order of `Weights`.
    """
    weights = Weights(*numbers)
    shown = step(weights, x, h, CONVENTIONS[convention])
    return (
        render_drawing(shown),
        render_equations(shown),
        describe_step(shown),
        _render_sequence(weights, CONVENTIONS[convention], sequence, position),
    )


def set_preset(preset: Preset, convention: str, sequence: str) -> tuple[Any, ...]:
    """Return the values of all sliders at a preset, its description, position 0, and the rendered cell."""
    weights = convert(preset.weights, PYTORCH, CONVENTIONS[convention])
    numbers = [getattr(weights, name) for name in WEIGHT_NAMES]
    rendered = render_cell(convention, sequence, 0, preset.x, preset.h, *numbers)
    return (preset.x, preset.h, *numbers, preset.about, 0, *rendered)


def switch_convention(
    convention: str, before: str, sequence: str, position: int, x: float, h: float, *numbers: float
) -> tuple[Any, ...]:
    """Return the weights converted to another convention, its name, a note on the conversion, and the cell."""
    source, target = CONVENTIONS[before], CONVENTIONS[convention]
    old = Weights(*numbers)
    new = convert(old, source, target)
    difference = step(new, x, h, target).new - step(old, x, h, source).new
    note = describe_conversion(converts_exactly(old, source, target), difference, target)
    converted = [getattr(new, name) for name in WEIGHT_NAMES]
    return (*converted, convention, note, *render_cell(convention, sequence, position, x, h, *converted))


def take_step(convention: str, sequence: str, position: int, *numbers: float) -> tuple[Any, ...]:
    """Return input, old state and position of the next step of the sequence, the cell, and whether steps remain.

    The step after the last one is the first.
    """
    try:
        inputs = parse_sequence(sequence)
    except InputError as error:
        return (gr.skip(), gr.skip(), 0, *[gr.skip()] * 3, render_refusal(error), False)
    position = position % len(inputs) + 1
    taken = run(Weights(*numbers), inputs[:position], CONVENTIONS[convention])[-1]
    x = inputs[position - 1]
    rendered = render_cell(convention, sequence, position, x, taken.h, *numbers)
    return (x, taken.h, position, *rendered, position < len(inputs))


def show_preset(preset: Preset, sequence: str) -> tuple[Any, ...]:
    """Return the values of `CellCard.outputs` at a preset, in PyTorch's convention."""
    return (PYTORCH.name, PYTORCH.name, *set_preset(preset, PYTORCH.name, sequence))


def show_answer(guess: str | None, sequence: str) -> tuple[Any, ...]:
    """Return the answer to the question of the card, and the values of `CellCard.outputs` that show it."""
    return (render_answer(guess, answer_cell(EXERCISE_STEP)), *show_preset(EXERCISE, sequence))


def build_cell_card() -> CellCard:
    """Build the components of the card in the current Gradio context."""
    position, before, has_more = gr.State(0), gr.State(PYTORCH.name), gr.State(False)
    timer = gr.Timer(SECONDS_PER_STEP, active=False)
    convention = convention_radio("inside-convention")
    with gr.Column(elem_id="inside-bench"):
        drawing, description = html_output("inside-cell-picture"), status_output("inside-cell-description")
        with gr.Row(elem_id="inside-presets"):
            preset_buttons = [gr.Button(preset.title, size="sm") for preset in PRESETS]
        note = status_output("inside-about-weights")
        sliders = _build_sliders()
    equations = html_output("inside-equations")
    sequence = gr.Textbox(
        ", ".join(format_number(x, 1) for x in SEQUENCE),
        label="A sequence of inputs, from a state of 0",
        interactive=True,
        elem_id="inside-sequence",
    )
    with gr.Row(elem_id="inside-walk"):
        step_button = gr.Button("Step", elem_id="inside-step")
        play_button = gr.Button(PLAY, elem_id="inside-play")
    trace = html_output("inside-cell-trace")
    cell, weights = [drawing, equations, description, trace], sliders[2:]
    settings = [convention, sequence, position]

    gr.on([slider.input for slider in sliders], render_cell, [*settings, *sliders], cell, **LAST)
    sequence.change(render_cell, [*settings, *sliders], cell, **LAST)
    convention.input(
        switch_convention, [convention, before, sequence, position, *sliders], [*weights, before, note, *cell], **LIGHT
    )
    preset_outputs = [*sliders, note, position, *cell]
    for preset, button in zip(PRESETS, preset_buttons, strict=True):
        button.click(partial(set_preset, preset), [convention, sequence], preset_outputs, **LIGHT)
    step_outputs = [sliders[0], sliders[1], position, *cell]
    step_button.click(take_step, [*settings, *weights], [*step_outputs, has_more], **LIGHT)

    def tick(*values: Any) -> tuple[Any, ...]:
        *outputs, more = take_step(*values)
        return (*outputs, gr.Timer(active=more), gr.Button(PAUSE if more else PLAY))

    def toggle(label: str) -> tuple[gr.Timer, gr.Button]:
        return gr.Timer(active=label == PLAY), gr.Button(PAUSE if label == PLAY else PLAY)

    timer.tick(tick, [*settings, *weights], [*step_outputs, timer, play_button], **LIGHT)
    play_button.click(toggle, play_button, [timer, play_button], **LIGHT)
    return CellCard(sequence, [convention, before, *preset_outputs])


def _build_sliders() -> list[gr.Slider]:
    """Return the sliders of x, h and the weights, in the order of `Weights`."""
    first = PRESETS[0]
    values = {"x": first.x, "h": first.h} | {name: getattr(first.weights, name) for name in WEIGHT_NAMES}
    sliders = []
    with gr.Row(elem_id="inside-sliders"):
        for symbol, (title, labels) in SLIDER_GROUPS.items():
            with gr.Column(elem_classes=f"inside-group-{symbol}"):
                gr.HTML(render("inside/subheading.html", title=title), apply_default_css=False)
                for name, label in labels.items():
                    bound = BOUNDS.get(name, WEIGHT_BOUND)
                    slider = gr.Slider(
                        -bound, bound, values[name], step=0.01, label=label, buttons=[], interactive=True
                    )
                    sliders.append(slider)
    return sliders


def _render_sequence(weights: Weights, convention: Convention, sequence: str, position: int) -> Markup:
    try:
        inputs = parse_sequence(sequence)
    except InputError as error:
        return render_refusal(error)
    steps = run(weights, inputs, convention)
    attributes = {"r": "r", "z": "z", "n": "n", "h": "new"}
    values = {letter: np.array([getattr(taken, name) for taken in steps]) for letter, name in attributes.items()}
    marked = position - 1 if 0 < position <= len(inputs) else None
    return render_trace(values, [format_number(x) for x in inputs], marked)
