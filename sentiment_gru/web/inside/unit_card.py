"""The card of the trained model: Gradio wiring only."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from ...errors import InputError
from ...results import MAX_CHARACTERS
from ..gradio_compat import LAST
from ..model_loader import ClassifierLoader
from .cell_card import convention_radio, html, refusal, status
from .drawings import reading_html, unit_drawing, unit_html, unit_told
from .gru_cell import CONVENTIONS
from .lessons import answer_html, changes
from .trained_unit import TrainedUnits

EMPTY = "Type a text above: there is nothing to read yet."


@dataclass(frozen=True)
class UnitCard:
    """The card's inputs, text and token, and the outputs that `UnitViews.show_text` returns values for."""

    text: gr.Textbox
    token: gr.Slider
    inputs: list[Any]
    outputs: list[Any]


class UnitViews:
    """What the card shows of the model that is loaded."""

    def __init__(self, loader: ClassifierLoader) -> None:
        config = loader.config
        self.loader = loader
        self.hidden = int(config["hidden_size"])
        layers, both = int(config.get("num_layers", 1)), bool(config.get("bidirectional"))
        names = ["Forward, from the first token", "Backward, from the last token"][: 2 if both else 1]
        self.directions = [
            f"Layer {layer + 1}: {name}" if layers > 1 else name for layer in range(layers) for name in names
        ]

    def show_text(self, text: str, token: float, direction: int, convention: str) -> tuple[Any, ...]:
        """Return token, unit and the four parts of the page for a text: the unit is the one the token changes most."""
        try:
            units = self._read(text)
        except InputError as error:
            return gr.skip(), gr.skip(), refusal(error), "", "", ""
        chosen = _within(token - 1, len(units.tokens))
        unit = units.most_moved(direction, chosen)
        slider = gr.Slider(value=chosen + 1, maximum=max(2, len(units.tokens)))
        return slider, unit, *_parts(text, units, chosen, direction, unit, convention)

    def show_unit(self, text: str, token: float, direction: int, convention: str, unit: float) -> tuple[str, ...]:
        """Return the four parts of the page for a unit."""
        try:
            units = self._read(text)
        except InputError as error:
            return refusal(error), "", "", ""
        chosen = _within(token - 1, len(units.tokens))
        return _parts(text, units, chosen, direction, _within(unit, self.hidden), convention)

    def answer(self, guess: str | None, text: str, token: float) -> str:
        """Return how many units the token changes, and whether that was the guess."""
        try:
            units = self._read(text)
        except InputError as error:
            return refusal(error)
        chosen = _within(token - 1, len(units.tokens))
        return answer_html(guess, *changes(*units.moved(chosen), units.tokens[chosen].text))

    def _read(self, text: str) -> TrainedUnits:
        if len(text) > MAX_CHARACTERS:
            raise InputError(f"This text has {len(text):,} characters; up to {MAX_CHARACTERS:,} can be read.")
        from .trained_unit import read_units  # torch

        classifier = self.loader.classifier()
        if not classifier.read(text).tokens:
            raise InputError(EMPTY)
        return read_units(classifier, text)


def _within(value: float, count: int) -> int:
    return min(max(int(value), 0), count - 1)


def _parts(text: str, units: TrainedUnits, token: int, direction: int, unit: int, convention: str) -> tuple[str, ...]:
    place = (units, direction, token, unit, CONVENTIONS[convention])
    return reading_html(text, units.tokens, token), unit_drawing(*place), unit_told(*place), unit_html(*place)


def build_unit(views: UnitViews) -> UnitCard:
    """Lay out the card inside its column."""
    text = gr.Textbox(
        label="A text for the model",
        info="Enter reads it. It comes from the Sentiment tab, and can be any other.",
        lines=1,
        max_lines=6,
        interactive=True,
        elem_id="inside-text",
    )
    reading = html("inside-reading")
    with gr.Row(elem_id="inside-place"):
        token = gr.Slider(1, 2, 1, step=1, label="Token", buttons=[], interactive=True)
        unit = gr.Slider(0, views.hidden - 1, 0, step=1, label="Unit", buttons=[], interactive=True)
    most = gr.Button("Go to the unit that this token changes most", size="sm", elem_id="inside-most")
    choices = [(name, index) for index, name in enumerate(views.directions)]
    direction = gr.Radio(
        choices, value=0, label="Direction", interactive=True, visible=len(choices) > 1, elem_id="inside-direction"
    )
    convention = convention_radio("inside-unit-convention")
    picture, told, formulas = html("inside-unit-picture"), status("inside-unit-told"), html("inside-unit-equations")

    inputs, drawn = [text, token, direction, convention], [reading, picture, told, formulas]
    outputs = [token, unit, *drawn]
    gr.on([text.submit, direction.input, most.click], views.show_text, inputs, outputs, **LAST)
    gr.on([token.input, unit.input, convention.input], views.show_unit, [*inputs, unit], drawn, **LAST)
    return UnitCard(text, token, inputs, outputs)
