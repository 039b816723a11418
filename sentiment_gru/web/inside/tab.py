"""The tab "Inside the GRU": Gradio wiring only. It can be built after the page has been served."""

import json
from dataclasses import dataclass, field
from typing import Any

import gradio as gr

from ..gradio_compat import LAST, LIGHT
from ..model_loader import ClassifierLoader
from ..rendering import render
from .cards import Card, list_cards
from .figure_cards import build_figures, build_question, html_output
from .measurements import Measured, read_measured
from .sentence_card import LOADING, READ, SENTENCE, SentenceCard, SentenceEvents, build_sentence_card
from .stage_view import render_sliders, render_weights
from .statements import list_statements
from .training_card import build_training_card

NO_TOKEN = -1


@dataclass
class Visit:
    """The state of one visitor.

    Attributes:
        seen: Text and chosen token last seen in the Sentiment tab.
        opened: True once the tab was opened.
        pending: Text, and token or None, of the card of a sentence that are not rendered yet.
    """

    seen: tuple[str, int]
    opened: bool = False
    pending: tuple[str, int | None] | None = (SENTENCE, None)


@dataclass
class Components:
    """The components that events of several cards use."""

    chosen: gr.Radio
    navigation: list[Any] = field(default_factory=list)  # the columns of the cards, and the buttons Back and Next
    first_view: list[gr.HTML] = field(default_factory=list)
    picture: gr.HTML | None = None
    sentence: SentenceCard | None = None


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


def update_text(visit: Visit, target: dict[str, Any], text: str) -> Any:
    """Return the text for the card of a sentence, or a skip if neither text nor token is new.

    Args:
        visit: The visitor's state, which is updated.
        target: The navigation target; its text precedes that of the Sentiment tab.
        text: The text of the Sentiment tab.
    """
    chosen = target.get("chosen", NO_TOKEN)
    is_new = text != visit.seen[0] or chosen not in (NO_TOKEN, visit.seen[1])
    visit.seen = (text, chosen)
    if "text" in target:
        text, token = target["text"], target.get("token", NO_TOKEN)
    elif is_new:
        token = chosen
    else:
        return gr.skip()
    visit.pending = text, None if token < 0 else token
    return text


def build_inside_tab(tab: gr.Tab, loader: ClassifierLoader, text: gr.Textbox, measured: Measured | None = None) -> None:
    """Build the tab inside a `gr.Tab`.

    Args:
        tab: The tab to fill.
        loader: The loader of the model that the tab shows.
        text: The text box of the Sentiment tab, whose text the card of a sentence takes over.
        measured: The measurements, by default those of the package.
    """
    measured = measured or read_measured()
    events = SentenceEvents(loader) if loader.config.get("cell", "gru") == "gru" else None
    cards = list_cards(measured, is_gru=events is not None)
    names = [card.name for card in cards]
    visit, target = gr.State(Visit((str(text.value or ""), NO_TOKEN))), gr.Textbox(visible=False)
    follow = gr.Button(visible="hidden", elem_id="inside-follow")
    components = _build_cards(cards, events, measured)
    chosen, sentence, first_view = components.chosen, components.sentence, components.first_view
    navigation = [chosen, *components.navigation]
    *_, back, onward = navigation
    text_box = [sentence.text] if sentence else []

    def open_tab(visit: Visit, target: str, text: str) -> list[Any]:
        fields = parse_target(target)
        panel = fields.get("panel")
        # Without a link the cards stay untouched: one chosen before this answer arrives must not jump back.
        card = show_card(cards, panel) if panel in names else [gr.skip()] * len(navigation)
        texts = [update_text(visit, fields, text)] if sentence else []
        first = [gr.skip()] * len(first_view) if visit.opened else _render_first_view(loader.config, measured)
        visit.opened = True
        return [*card, *texts, *first]

    def move_by(steps: int, name: str) -> list[Any]:
        return show_card(cards, names[min(max(names.index(name) + steps, 0), len(names) - 1)])

    opening = gr.on(
        [tab.select, follow.click],
        open_tab,
        [visit, target, text],
        [*navigation, *text_box, *first_view],
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
    if sentence and events and components.picture:
        opening.then(events.picture, components.picture, components.picture, **READ)
        _render_sentence_when_shown([opening, choosing, *moving], visit, chosen, sentence, events)


def _render_first_view(config: dict[str, Any], measured: Measured) -> list[Any]:
    """Return the content of a tab that was just opened: chapter, course map, and the first two stages."""
    chapter = render("inside/chapter.html", statements=list_statements(config, measured))
    return [chapter, render("inside/course.html"), render_sliders(), render_weights()]


def _render_sentence_when_shown(
    navigating: list[Any], visit: gr.State, chosen: gr.Radio, card: SentenceCard, events: SentenceEvents
) -> None:
    """Render the card of a sentence once it is shown with a text that is pending."""

    def render_pending(visit: Visit, name: str, text: str, direction: int) -> Any:
        # A card chosen while the tab opens asks before the text is set; the event that sets the text asks again.
        if name != "unit" or visit.pending is None or visit.pending[0] != text:
            return gr.skip()
        token, visit.pending = visit.pending[1], None
        return events.show(text, direction, token)

    for event in navigating:
        event.then(render_pending, [visit, chosen, *card.inputs], card.stage, **READ)


def _build_cards(cards: list[Card], events: SentenceEvents | None, measured: Measured) -> Components:
    """Build the choice of a card, all cards, of which the first is visible, and the buttons Back and Next."""
    chosen = gr.Radio(
        [(card.title, card.name) for card in cards],
        value=cards[0].name,
        label="Cards",
        interactive=True,
        elem_id="inside-cards",
    )
    components = Components(chosen)
    for card in cards:
        with gr.Column(visible=card is cards[0], elem_classes="inside-card", elem_id=f"inside-{card.name}") as column:
            components.navigation.append(column)
            heading = render("inside/card_heading.html", title=card.title, lead=card.lead)
            gr.HTML(heading, apply_default_css=False)
            _build_card(card, components, events, measured)
    with gr.Row(elem_id="inside-walk-cards"):
        components.navigation.append(gr.Button("Back", interactive=False, elem_id="inside-back"))
        components.navigation.append(gr.Button("Next", variant="primary", elem_id="inside-next"))
    return components


def _build_card(card: Card, components: Components, events: SentenceEvents | None, measured: Measured) -> None:
    """Build the content of a card below its heading."""
    if card.name == "unit" and events:
        components.sentence = build_sentence_card(events)
    elif card.name == "train":
        build_training_card()
    elif card.name in ("cell", "weights"):
        components.first_view.append(html_output(f"inside-{card.name}-picture"))
    else:
        if card.name == "chapter":
            components.picture = html_output("inside-picture", LOADING if events else "")
            components.first_view = [html_output("inside-prose"), html_output("inside-map")]
        build_figures(build_question(card.name, measured), card.name, measured)
