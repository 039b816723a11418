"""The card of a sentence that the trained model reads: what its units do there, and the Gradio wiring."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import gradio as gr
import numpy as np
from markupsafe import Markup

from ...errors import InputError
from ...results import MAX_CHARACTERS, Array, Reading, Token
from ..charts import name_directions
from ..gradio_compat import HEAVY
from ..model_loader import ClassifierLoader
from ..rendering import render, render_note
from .gru_cell import sigmoid
from .stage_view import UnitChoice, Word, format_number, format_share, render_sentence

if TYPE_CHECKING:  # torch is imported when a sentence is first read
    from ...explanation.story_units import StoryUnit

EMPTY = "Type a text above: there is nothing to read yet."
SENTENCE = "The start was not good, but the ending was so beautiful that I forgave it everything."
LOADING = render_note("Loading PyTorch, which computes this picture …")
MOST_LABELS = 4
KINDS = {
    "hold": ("Holds longest", "No unit here keeps half of its state for three words."),
    "reset": ("Resets at the turn", "No unit here closes its reset gate at a word such as “but”."),
    "flip": ("Flips at the negation", "No unit here changes its sign at a word such as “not”."),
}
# One at a time, as other explanations; while the unit is moved, the last one counts.
READ: dict[str, Any] = {**HEAVY, "trigger_mode": "always_last"}


@dataclass(frozen=True)
class SentenceCard:
    """The inputs of the card, and the output that `SentenceEvents.show` returns the value of."""

    text: gr.Textbox
    inputs: list[Any]
    stage: gr.HTML


class SentenceEvents:
    """The event handlers of the card, for the loaded model."""

    def __init__(self, loader: ClassifierLoader) -> None:
        config = loader.config
        self.loader = loader
        self.hidden_size = int(config["hidden_size"])
        layers, directions = int(config.get("num_layers", 1)), 2 if config.get("bidirectional") else 1
        self.directions = name_directions(layers, directions)
        self._picture: Markup | None = None

    def show(self, text: str, direction: int = 0, token: int | None = None, unit: float | None = None) -> Markup:
        """Return the stage of a text.

        Args:
            text: The text.
            direction: Index of the layer and direction.
            token: Token to start at, with the unit that it moves most; None for a unit that was found for a story.
            unit: Another unit to show, or None.
        """
        try:
            shown = None if unit is None else int(unit)
            return self.loader.explaining(lambda: self._render(text, direction, token, shown))
        except InputError as error:
            return render("inside/refusal.html", message=str(error))

    def picture(self, shown: str | None) -> Any:
        """Return the picture of a unit that reads the first sentence, which is drawn once, or a skip if it is shown."""
        self._picture = self._picture or self.loader.explaining(self._draw)
        return gr.skip() if shown == self._picture else self._picture

    def _draw(self) -> Markup:
        reading = self.loader.classifier().read(SENTENCE)
        labels = list(self.loader.classifier().labels)
        found = [*list_stories(reading, 0, labels[0], labels), *list_changes(reading, 0, None, None)]
        unit = next(one.unit for one in found if one.tokens)
        (terms,) = unit_terms(reading, 0, [unit])
        words = [
            Word(token.text, sigmoid(from_input + from_past), state, token.continues)
            for token, from_input, from_past, state in zip(
                reading.tokens, terms["input"][1], terms["past"][1], terms["hidden"], strict=True
            )
        ]
        return render("inside/picture.html", words=words, unit=unit)

    def _render(self, text: str, direction: int, token: int | None, unit: int | None) -> Markup:
        if len(text) > MAX_CHARACTERS:
            raise InputError(f"This text has {len(text):,} characters; up to {MAX_CHARACTERS:,} can be read.")
        classifier = self.loader.classifier()
        reading = classifier.read(text)
        if not reading.tokens:
            raise InputError(EMPTY)
        explanation = classifier.explain(text, methods=())
        scores = explanation.prediction.scores
        labels = sorted(scores, key=scores.__getitem__, reverse=True)[:MOST_LABELS]
        labels.sort(key=list(scores).index)
        columns = [list(scores).index(label) for label in labels]
        found = [
            *list_stories(reading, direction, explanation.prediction.label, list(scores)),
            *list_changes(reading, direction, token, unit),
        ]
        shown = [found_unit for found_unit in found if found_unit.tokens]
        choices = [
            UnitChoice(one.title, one.claim, one.test, shown.index(one) if one.tokens else None) for one in found
        ]
        chosen = len(shown) - 1 if token is not None or unit is not None else 0
        terms = unit_terms(reading, direction, [one.unit for one in shown])
        values = {
            "units": [{"unit": one.unit, "tokens": one.tokens, **term} for one, term in zip(shown, terms, strict=True)],
            "chosen": chosen,
            "token": shown[chosen].tokens[0],
            "running": explanation.running[:, columns].round(4).tolist(),
            "labels": labels,
            "backward": explanation.directions == 2 and direction % 2 == 1,
        }
        words = [Word(token.text, continues=token.continues) for token in reading.tokens]
        return render_sentence(values, words, labels, choices)


@dataclass(frozen=True)
class FoundUnit:
    """A unit with its claim; `tokens` is empty if there is no such unit."""

    title: str
    claim: str
    test: str = ""
    unit: int = 0
    tokens: tuple[int, ...] = ()


def list_stories(reading: Reading, direction: int, label: str, labels: list[str]) -> list[FoundUnit]:
    """Return the units of the three stories in a direction, with their effects on the logit of a label."""
    from ...explanation.story_units import find_story_units

    stories = {story.kind: story for story in find_story_units(reading, direction)}
    return [
        _describe_story(stories[kind], reading.tokens, title, label, float(stories[kind].effect[labels.index(label)]))
        if kind in stories
        else FoundUnit(title, missing)
        for kind, (title, missing) in KINDS.items()
    ]


def list_changes(reading: Reading, direction: int, token: int | None, unit: int | None) -> list[FoundUnit]:
    """Return the unit that changes most at a token, or at any token, and a unit that was asked for, if there is one."""
    from ...explanation.gates import layer_states

    states = layer_states(reading)[direction]
    previous, hidden = (values.cpu().numpy() for values in (states.previous, states.hidden))  # (T, H)
    changes = np.abs(hidden - previous)
    at = int(changes.max(axis=1).argmax()) if token is None else min(token, len(changes) - 1)
    asked = [("Moves most at one word", int(changes[at].argmax()), at)]
    if unit is not None:
        unit = min(max(unit, 0), changes.shape[1] - 1)
        asked.append(("The unit you chose", unit, int(changes[:, unit].argmax())))
    return [
        FoundUnit(
            title,
            f"Unit {number}. At “{reading.tokens[place].text}” its state goes from "
            f"{format_number(float(previous[place, number]))} to {format_number(float(hidden[place, number]))}.",
            unit=number,
            tokens=(place,),
        )
        for title, number, place in asked
    ]


def unit_terms(reading: Reading, direction: int, units: list[int]) -> list[dict[str, Any]]:
    """Return for each unit the (3, T) terms of r, z and n from the input and from the past, and its (T,) states."""
    import torch

    from ...explanation.gates import gate_terms, layer_states

    states = layer_states(reading)[direction]
    with torch.inference_mode():
        terms = gate_terms(states.cell, states.inputs, states.previous)
    from_input, from_past = (values[:, :, units].cpu().numpy() for values in terms)  # (3, T, units)
    hidden = states.hidden[:, units].cpu().numpy()

    def rounded(values: Array) -> Any:
        return values.astype(np.float64).round(7).tolist()

    return [
        {
            "input": rounded(from_input[..., index]),
            "past": rounded(from_past[..., index]),
            "hidden": rounded(hidden[:, index]),
        }
        for index in range(len(units))
    ]


def _describe_story(story: "StoryUnit", tokens: tuple[Token, ...], title: str, label: str, effect: float) -> FoundUnit:
    """Return a story with its claim, and the test of the claim by its effect on the state and on the logit."""
    shown = story.clamp.tokens
    before, after, clamped = (format_number(value) for value in (story.before, story.after, story.clamped))
    if story.kind == "hold":
        backward = len(shown) > 1 and shown[0] > shown[1]
        shown = (shown[0] + (1 if backward else -1), *shown)  # the token that wrote what is held
        claim = (
            f"“{tokens[shown[0]].text}” makes its state {before}; {len(shown) - 1} tokens later "
            f"{format_share(story.measure)} of that has been copied through."
        )
        test = f"With z held at 0 on the way it ends at {clamped}, not at {after},"
    elif story.kind == "reset":
        claim = f"At “{tokens[shown[0]].text}” r is {format_number(story.gate_mean)}, and its state becomes {after}."
        test = f"With r held at 1 it becomes {clamped}, a difference of {format_number(story.measure)},"
    else:
        claim = (
            f"At “{tokens[shown[0]].text}” its state goes from {before} to {after}, by {format_number(story.measure)}."
        )
        test = f"With z held at 1 it stays at {clamped},"
    test = f"{test} and the logit of {label} changes by {format_number(effect, 3)}."
    return FoundUnit(title, f"Unit {story.clamp.unit}. {claim}", test, story.clamp.unit, shown)


def build_sentence_card(events: SentenceEvents) -> SentenceCard:
    """Build the components of the card in the current Gradio context."""
    text = gr.Textbox(
        SENTENCE,
        label="A text for the model",
        info="Enter reads it. Try one with “but” and one with “not”.",
        lines=1,
        max_lines=6,
        interactive=True,
        elem_id="inside-text",
    )
    choices = [(name, index) for index, name in enumerate(events.directions)]
    with gr.Accordion("Other units", open=False, elem_id="inside-search"):
        direction = gr.Radio(
            choices,
            value=0,
            label="Units that read",
            interactive=True,
            visible=len(choices) > 1,
            elem_id="inside-direction",
        )
        unit = gr.Slider(0, events.hidden_size - 1, 0, step=1, label="Any unit", buttons=[], interactive=True)
    stage = gr.HTML("", apply_default_css=False, js_on_load=None, elem_id="inside-unit-picture")
    inputs = [text, direction]
    gr.on([text.submit, direction.input], events.show, inputs, stage, **READ)
    unit.input(lambda text, direction, unit: events.show(text, direction, unit=unit), [*inputs, unit], stage, **READ)
    return SentenceCard(text, inputs, stage)
