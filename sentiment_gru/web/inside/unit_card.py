"""The card of the trained model: Gradio wiring only."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from ...errors import InputError
from ...results import MAX_CHARACTERS
from ..gradio_compat import LAST
from ..model_loader import ClassifierLoader
from .cards import LARGE_CHANGE, answer_unit, render_answer
from .cell_card import convention_radio, html_output, render_refusal, status_output
from .cell_view import render_drawing
from .gru_cell import CONVENTIONS
from .trained_unit import ChosenUnit, TrainedUnits, describe_unit, read_units, render_reading, render_unit

EMPTY = "Type a text above: there is nothing to read yet."


@dataclass(frozen=True)
class UnitCard:
    """The inputs of the card, and the outputs that `UnitEvents.show_text` returns values for."""

    text: gr.Textbox
    token: gr.Slider
    inputs: list[Any]
    outputs: list[Any]


class UnitEvents:
    """The event handlers of the card, for the loaded model."""

    def __init__(self, loader: ClassifierLoader) -> None:
        config = loader.config
        self.loader = loader
        self.hidden = int(config["hidden_size"])
        layers, directions = int(config.get("num_layers", 1)), 2 if config.get("bidirectional") else 1
        names = ["Forward, from the first token", "Backward, from the last token"][:directions]
        self.directions = [
            f"Layer {layer + 1}: {name}" if layers > 1 else name for layer in range(layers) for name in names
        ]

    def show_text(self, text: str, token: float, direction: int, convention: str) -> tuple[Any, ...]:
        """Return token slider, unit and rendered parts for a text; the unit is the one that changes most."""
        try:
            units = self._read(text)
        except InputError as error:
            return gr.skip(), gr.skip(), render_refusal(error), "", "", ""
        index = _clamp(token - 1, len(units.tokens))
        unit = units.most_changed_unit(direction, index)
        slider = gr.Slider(value=index + 1, maximum=max(2, len(units.tokens)))
        chosen = ChosenUnit(units, direction, index, unit, CONVENTIONS[convention])
        return slider, unit, *_render_parts(text, chosen)

    def show_unit(self, text: str, token: float, direction: int, convention: str, unit: float) -> tuple[str, ...]:
        """Return the rendered parts for a unit."""
        try:
            units = self._read(text)
        except InputError as error:
            return render_refusal(error), "", "", ""
        index = _clamp(token - 1, len(units.tokens))
        chosen = ChosenUnit(units, direction, index, _clamp(unit, self.hidden), CONVENTIONS[convention])
        return _render_parts(text, chosen)

    def answer(self, guess: str | None, text: str, token: float) -> str:
        """Return the answer to the question of the card: how many units change at the token."""
        try:
            units = self._read(text)
        except InputError as error:
            return render_refusal(error)
        index = _clamp(token - 1, len(units.tokens))
        changed, count = units.count_changed(index, LARGE_CHANGE)
        return render_answer(guess, answer_unit(changed, count, units.tokens[index].text))

    def _read(self, text: str) -> "TrainedUnits":
        """Return the units over a text.

        Raises:
            InputError: The text is too long or has no token.
        """
        if len(text) > MAX_CHARACTERS:
            raise InputError(f"This text has {len(text):,} characters; up to {MAX_CHARACTERS:,} can be read.")
        classifier = self.loader.classifier()
        if not classifier.read(text).tokens:
            raise InputError(EMPTY)
        return read_units(classifier, text)


def _clamp(value: float, count: int) -> int:
    """Return the index below `count` that is nearest to a value."""
    return min(max(int(value), 0), count - 1)


def _render_parts(text: str, chosen: ChosenUnit) -> tuple[str, ...]:
    """Return the text with the token marked, the drawing, its description, and the equations with the trace."""
    return (
        render_reading(text, chosen.units.tokens, chosen.token),
        render_drawing(chosen.step),
        describe_unit(chosen),
        render_unit(chosen),
    )


def build_unit_card(events: UnitEvents) -> UnitCard:
    """Build the components of the card in the current Gradio context."""
    text = gr.Textbox(
        label="A text for the model",
        info="Enter reads it. It comes from the Sentiment tab, and can be any other.",
        lines=1,
        max_lines=6,
        interactive=True,
        elem_id="inside-text",
    )
    reading = html_output("inside-reading")
    with gr.Row(elem_id="inside-position"):
        token = gr.Slider(1, 2, 1, step=1, label="Token", buttons=[], interactive=True)
        unit = gr.Slider(0, events.hidden - 1, 0, step=1, label="Unit", buttons=[], interactive=True)
    most_changed = gr.Button("Go to the unit that this token changes most", size="sm", elem_id="inside-most")
    choices = [(name, index) for index, name in enumerate(events.directions)]
    direction = gr.Radio(
        choices, value=0, label="Direction", interactive=True, visible=len(choices) > 1, elem_id="inside-direction"
    )
    convention = convention_radio("inside-unit-convention")
    drawing, description = html_output("inside-unit-picture"), status_output("inside-unit-description")
    equations = html_output("inside-unit-equations")

    inputs, parts = [text, token, direction, convention], [reading, drawing, description, equations]
    outputs = [token, unit, *parts]
    gr.on([text.submit, direction.input, most_changed.click], events.show_text, inputs, outputs, **LAST)
    gr.on([token.input, unit.input, convention.input], events.show_unit, [*inputs, unit], parts, **LAST)
    return UnitCard(text, token, inputs, outputs)
