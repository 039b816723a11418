"""The tab "Inside the GRU": Gradio wiring only. It can be built after the page has been served."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gradio as gr

from ..gradio_compat import LAST, LIGHT
from ..model_loader import ClassifierLoader
from ..rendering import render
from .cards import Card, list_cards
from .cell_card import CellCard, build_cell_card, html_output, show_answer, show_preset
from .figure_cards import build_figures, build_question
from .gru_cell import PRESETS, SEQUENCE
from .measurements import Measured, read_measured
from .unit_card import UnitCard, UnitEvents, build_unit_card

CHAPTER = (Path(__file__).parent / "chapter.md").read_text(encoding="utf-8")
LATEX = [{"left": "$", "right": "$", "display": False}]
NO_TOKEN = -1


@dataclass
class Visit:
    """The state of one visitor.

    Attributes:
        opened: True once the tab was opened.
        seen: Text and chosen token last seen in the Sentiment tab.
        pending: Text and token set in the card of the trained model that are not rendered yet.
    """

    opened: bool = False
    seen: tuple[str, int] = ("", NO_TOKEN)
    pending: tuple[str, int] | None = None


@dataclass
class Components:
    """The components that events of several cards use."""

    cards: list[Card]
    chosen: gr.Radio
    columns: list[gr.Column] = field(default_factory=list)
    chapter: list[Any] = field(default_factory=list)
    cell: CellCard | None = None
    unit: UnitCard | None = None


def show_card(cards: list[Card], name: str) -> list[Any]:
    """Return the name of a card, the visibility of all columns, and the states of the buttons Back and Next."""
    names = [card.name for card in cards]
    index = names.index(name)
    return [
        name,
        *(gr.Column(visible=other == name) for other in names),
        gr.Button(interactive=index > 0),
        gr.Button(interactive=index < len(names) - 1),
    ]


def parse_target(target: str | None) -> dict[str, Any]:
    """Return the valid fields of a navigation target: panel, text and token of a link, and the token chosen elsewhere.

    Args:
        target: JSON from `window.insideTab.target()`, which may hold anything.
    """
    try:
        values = json.loads(target or "{}")
    except ValueError:
        values = None
    if not isinstance(values, dict):
        return {}
    types: dict[str, type] = {"panel": str, "text": str, "token": int, "chosen": int}
    return {name: values[name] for name, kind in types.items() if isinstance(values.get(name), kind)}


def update_text(visit: Visit, target: dict[str, Any], text: str) -> list[Any]:
    """Return text and token (counted from 1) for the card of the trained model, or skips if neither is new.

    Args:
        visit: The visitor's state, which is updated.
        target: The navigation target; its text precedes that of the Sentiment tab.
        text: The text of the Sentiment tab.
    """
    chosen = target.get("chosen", NO_TOKEN)
    is_new = text != visit.seen[0] or chosen not in (NO_TOKEN, visit.seen[1])
    visit.seen = (text, chosen)
    if "text" in target:
        text, token = target["text"], max(0, target.get("token", 0))
    elif is_new:
        token = max(0, chosen)
    else:
        return [gr.skip(), gr.skip()]
    visit.pending = text, token + 1
    return [text, gr.Slider(value=token + 1, maximum=max(2, token + 1))]


def build_inside_tab(tab: gr.Tab, loader: ClassifierLoader, text: gr.Textbox, measured: Measured | None = None) -> None:
    """Build the tab inside a `gr.Tab`.

    Args:
        tab: The tab to fill.
        loader: The loader of the model that the tab shows.
        text: The text box of the Sentiment tab, whose text the card of the trained model takes over.
        measured: The measurements, by default those of the package.
    """
    measured = measured or read_measured()
    events = UnitEvents(loader) if loader.config.get("cell", "gru") == "gru" else None
    cards = list_cards(measured, is_gru=events is not None)
    names = [card.name for card in cards]
    visit, target = gr.State(Visit()), gr.Textbox(visible=False)
    follow = gr.Button(visible="hidden", elem_id="inside-follow")
    chosen = gr.Radio(
        [(card.title, card.name) for card in cards],
        value=cards[0].name,
        label="Cards",
        interactive=True,
        elem_id="inside-cards",
    )
    components = Components(cards, chosen)
    for card in cards:
        with gr.Column(visible=card is cards[0], elem_classes="inside-card", elem_id=f"inside-{card.name}") as column:
            components.columns.append(column)
            heading = render("inside/card_heading.html", title=card.title, lead=card.lead)
            gr.HTML(heading, apply_default_css=False)
            _build_card(card, components, events, measured, loader.config)
    with gr.Row(elem_id="inside-walk-cards"):
        back = gr.Button("Back", interactive=False, elem_id="inside-back")
        onward = gr.Button("Next", variant="primary", elem_id="inside-next")
    navigation = [chosen, *components.columns, back, onward]
    unit_text = [components.unit.text, components.unit.token] if components.unit else []
    first_view = [*components.chapter, *(components.cell.outputs if components.cell else [])]

    def open_tab(visit: Visit, target: str, text: str) -> list[Any]:
        fields = parse_target(target)
        panel = fields.get("panel")
        # Without a link the cards stay untouched: one chosen before this answer arrives must not jump back.
        card = show_card(cards, panel) if panel in names else [gr.skip()] * len(navigation)
        texts = update_text(visit, fields, text) if components.unit else []
        first = [gr.skip()] * len(first_view) if visit.opened else _render_first_view()
        visit.opened = True
        return [*card, *texts, *first]

    def move_by(steps: int, name: str) -> list[Any]:
        return show_card(cards, names[min(max(names.index(name) + steps, 0), len(names) - 1)])

    opening = gr.on(
        [tab.select, follow.click],
        open_tab,
        [visit, target, text],
        [*navigation, *unit_text, *first_view],
        js="(visit, target, text) => [visit, window.insideTab.target(), text]",
        **LAST,
    )
    choosing = chosen.input(lambda name: show_card(cards, name)[1:], chosen, navigation[1:], **LAST)
    moving = [
        back.click(lambda name: move_by(-1, name), chosen, navigation, **LAST),
        onward.click(lambda name: move_by(1, name), chosen, navigation, **LAST),
    ]
    for event in moving:
        event.then(js="() => window.insideTab.focusCard()", **LIGHT)
    if components.unit and events:
        _render_unit_when_shown([opening, choosing, *moving], visit, chosen, components.unit, events)


def _render_first_view() -> list[Any]:
    """Return the content of a tab that was just opened: chapter, course map, and the cell at its first preset."""
    return [CHAPTER, render("inside/course.html"), *show_preset(PRESETS[0], ", ".join(map(str, SEQUENCE)))]


def _render_unit_when_shown(
    navigating: list[Any], visit: gr.State, chosen: gr.Radio, card: UnitCard, events: UnitEvents
) -> None:
    """Render the card of the trained model once it is shown with a text that is pending."""

    def render_pending(visit: Visit, name: str, text: str, token: float, *values: Any) -> list[Any]:
        # A card chosen while the tab opens asks before the text is set; the event that sets the text asks again.
        if name != "unit" or visit.pending != (text, token):
            return [gr.skip()] * len(card.outputs)
        visit.pending = None
        return list(events.show_text(text, token, *values))

    for event in navigating:
        event.then(render_pending, [visit, chosen, *card.inputs], card.outputs, **LAST)


def _build_card(
    card: Card, components: Components, events: UnitEvents | None, measured: Measured, config: dict[str, Any]
) -> None:
    """Build the content of a card below its heading."""
    if card.name == "chapter":
        components.chapter = [
            gr.Markdown("", latex_delimiters=LATEX, elem_id="inside-prose"),
            html_output("inside-map"),
        ]
    question = build_question(card.name, measured)
    if card.name == "cell":
        components.cell = build_cell_card()
        question.on_answer(show_answer, [components.cell.sequence], components.cell.outputs)
    elif card.name == "unit" and events:
        components.unit = build_unit_card(events)
        question.on_answer(events.answer, [components.unit.text, components.unit.token], [])
    else:
        build_figures(question, card.name, measured, config)
