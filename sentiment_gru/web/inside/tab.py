"""The tab "Inside the GRU": Gradio wiring only. What it says and draws is in `inside`.

A figure is drawn when it is asked for. All this can be laid out after the page was served .
"""

import json
from dataclasses import dataclass, field
from typing import Any

import gradio as gr

from ..gradio_compat import LAST, LIGHT
from ..model_loader import ClassifierLoader
from . import lessons
from .cell_card import CellCard, answer_cell, begin, build_cell, html
from .figure_cards import build_pictures, build_question
from .gru_cell import PRESETS, SEQUENCE
from .lessons import CHAPTER, Card, course_map
from .measurements import Measured, read_measured
from .unit_card import UnitCard, UnitViews, build_unit

LATEX = [{"left": "$", "right": "$", "display": False}]


@dataclass
class Visit:
    """What is kept of a visitor: text and token last seen in the Sentiment tab, and those handed over but not drawn."""

    opened: bool = False
    seen: tuple[str, int] = ("", -1)
    handed: tuple[str, int] | None = None


@dataclass
class Parts:
    """The components that events of several cards reach."""

    cards: list[Card]
    chosen: gr.Radio
    columns: list[gr.Column] = field(default_factory=list)
    chapter: list[Any] = field(default_factory=list)
    cell: CellCard | None = None
    unit: UnitCard | None = None


def show_card(cards: list[Card], name: str) -> list[Any]:
    """Return which card is chosen, which column is seen, and whether there is one before and one after."""
    names = [card.name for card in cards]
    place = names.index(name)
    return [
        name,
        *(gr.Column(visible=other == name) for other in names),
        gr.Button(interactive=place > 0),
        gr.Button(interactive=place < len(names) - 1),
    ]


def read_arrival(arrival: str | None) -> dict[str, Any]:
    """Return what a link or the Sentiment tab asks for, as far as it makes sense: panel, text, token, chosen."""
    try:
        found = json.loads(arrival or "{}")
    except ValueError:
        found = None
    if not isinstance(found, dict):
        return {}
    kinds: dict[str, type] = {"panel": str, "text": str, "token": int, "chosen": int}
    return {name: found[name] for name, kind in kinds.items() if isinstance(found.get(name), kind)}


def hand_over(visit: Visit, arrival: dict[str, Any], text: str) -> list[Any]:
    """Return text and token (counted from 1) for the card of the trained model, if there are new ones."""
    chosen = arrival.get("chosen", -1)
    is_new = text != visit.seen[0] or chosen not in (-1, visit.seen[1])  # -1: none is chosen
    visit.seen = (text, chosen)
    if "text" in arrival:
        text, token = arrival["text"], max(0, arrival.get("token", 0))
    elif is_new:
        token = max(0, chosen)
    else:
        return [gr.skip(), gr.skip()]
    visit.handed = text, token + 1
    return [text, gr.Slider(value=token + 1, maximum=max(2, token + 1))]


def build_inside_tab(tab: gr.Tab, loader: ClassifierLoader, text: gr.Textbox, measured: Measured | None = None) -> None:
    """Lay out the tab inside the `gr.Tab` given; `text` is the Sentiment tab's, which the trained model reads here."""
    measured = measured or read_measured()
    views = UnitViews(loader) if loader.config.get("cell", "gru") == "gru" else None
    cards = lessons.cards(measured, views is not None)
    visit, arrival = gr.State(Visit()), gr.Textbox(visible=False)
    follow = gr.Button(visible="hidden", elem_id="inside-follow")
    chosen = gr.Radio(
        [(card.title, card.name) for card in cards],
        value=cards[0].name,
        label="Cards",
        interactive=True,
        elem_id="inside-cards",
    )
    parts = Parts(cards, chosen)
    for card in cards:
        with gr.Column(visible=card is cards[0], elem_classes="inside-card", elem_id=f"inside-{card.name}") as column:
            parts.columns.append(column)
            gr.HTML(f'<h2 tabindex="-1">{card.title}</h2><p>{card.lead}</p>', apply_default_css=False)
            _build_card(card, parts, views, measured, loader.config)
    with gr.Row(elem_id="inside-walk-cards"):
        back = gr.Button("Back", interactive=False, elem_id="inside-back")
        onward = gr.Button("Next", variant="primary", elem_id="inside-next")
    shown = [chosen, *parts.columns, back, onward]
    unit_outputs = [parts.unit.text, parts.unit.token] if parts.unit else []
    first = [*parts.chapter, *(parts.cell.outputs if parts.cell else [])]

    def open_tab(visit: Visit, arrival: str, text: str) -> list[Any]:
        found = read_arrival(arrival)
        is_asked = found.get("panel") in [card.name for card in cards]
        # Without a link the cards stay untouched: one chosen before this answer arrives must not jump back.
        card = show_card(cards, found["panel"]) if is_asked else [gr.skip()] * len(shown)
        handed = hand_over(visit, found, text) if parts.unit else []
        filled = [gr.skip()] * len(first) if visit.opened else _first_view()
        visit.opened = True
        return [*card, *handed, *filled]

    def walk(name: str, by: int) -> list[Any]:
        names = [card.name for card in cards]
        return show_card(cards, names[min(max(names.index(name) + by, 0), len(names) - 1)])

    moves = [
        gr.on(
            [tab.select, follow.click],
            open_tab,
            [visit, arrival, text],
            [*shown, *unit_outputs, *first],
            js="(visit, arrival, text) => [visit, window.insideTab.arrival(), text]",
            **LAST,
        ),
        chosen.input(lambda name: show_card(cards, name)[1:], chosen, shown[1:], **LAST),
        back.click(lambda name: walk(name, -1), chosen, shown, **LAST),
        onward.click(lambda name: walk(name, 1), chosen, shown, **LAST),
    ]
    for move in moves[2:]:
        move.then(js="() => window.insideTab.focusCard()", **LIGHT)
    if parts.unit and views:
        _draw_when_shown(moves, visit, chosen, parts.unit, views)


def _first_view() -> list[Any]:
    """Return what the tab shows when it is opened: the chapter, the map, and the cell at its first preset."""
    return [CHAPTER, course_map(), *begin(PRESETS[0], ", ".join(map(str, SEQUENCE)))]


def _draw_when_shown(moves: list[Any], visit: gr.State, chosen: gr.Radio, card: UnitCard, views: UnitViews) -> None:
    """Let the card of the trained model be drawn once it is seen, and whenever a new text was handed over."""

    def draw(visit: Visit, name: str, text: str, token: float, *values: Any) -> list[Any]:
        # A card chosen while the tab opens asks before the text is there; what hands the text over asks after.
        if name != "unit" or visit.handed != (text, token):
            return [gr.skip()] * len(card.outputs)
        visit.handed = None
        return list(views.show_text(text, token, *values))

    for move in moves:
        move.then(draw, [visit, chosen, *card.inputs], card.outputs, **LAST)


def _build_card(card: Card, parts: Parts, views: UnitViews | None, measured: Measured, config: dict[str, Any]) -> None:
    """Lay out what stands under a card's heading: text, question, and picture."""
    if card.name == "chapter":
        parts.chapter = [gr.Markdown("", latex_delimiters=LATEX, elem_id="inside-prose"), html("inside-map")]
    question = build_question(card.name, measured)
    if card.name == "cell":
        parts.cell = build_cell()
        question.answers(answer_cell, [parts.cell.sequence], parts.cell.outputs)
    elif card.name == "unit" and views:
        parts.unit = build_unit(views)
        question.answers(views.answer, [parts.unit.text, parts.unit.token], [])
    else:
        build_pictures(question, card.name, measured, config)
