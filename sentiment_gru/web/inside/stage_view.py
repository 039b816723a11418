"""The stage of three cards as HTML: a drawing with its controls, and the values that the page draws, as JSON."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from markupsafe import Markup

from ..rendering import render
from .gru_cell import CONVENTIONS, PRESETS, PYTORCH, SEQUENCE, Convention, Preset


class Slider(NamedTuple):
    """A slider from -bound to bound; its name is that of a weight, of the input x or of the old state h."""

    name: str
    label: str
    bound: float = 6.0


class SliderGroup(NamedTuple):
    """Sliders in the colour of a symbol."""

    symbol: str
    title: str
    sliders: tuple[Slider, ...]


class Task(NamedTuple):
    """A task that the page checks by itself, by its name."""

    name: str
    text: str


SLIDER_GROUPS = (
    SliderGroup(
        "z", "Update gate z", (Slider("w_z", "weight of x"), Slider("u_z", "weight of h"), Slider("b_z", "bias"))
    ),
    SliderGroup(
        "r", "Reset gate r", (Slider("w_r", "weight of x"), Slider("u_r", "weight of h"), Slider("b_r", "bias"))
    ),
    SliderGroup(
        "n",
        "Candidate n",
        (
            Slider("w_n", "weight of x"),
            Slider("u_n", "weight of h (U)"),
            Slider("b_n", "bias of x (b)"),
            Slider("c_n", "bias of h (c)"),
        ),
    ),
    SliderGroup("h", "Input x and old state h", (Slider("x", "input x", 3.0), Slider("h", "old state h", 1.0))),
)
TASKS = (
    Task("keep", "Keep 90% of the state at every step, play to the fifth, and see what is left."),
    Task("ignore", "Make the candidate ignore the past."),
    Task("both", "Leave it so, and keep at least 90% of the old state all the same."),
    Task("forget", "Now forget: after one step nothing of the old state may be left."),
)


@dataclass(frozen=True)
class Opening:
    """The numbers with which the card of two sliders opens.

    Attributes:
        z: Update gate.
        r: Reset gate.
        h: Old state.
        input: Term of the candidate that comes from the input.
        weight: Weight of r h in the candidate.
        steps: Number of steps to play.
    """

    z: float = 0.25
    r: float = 1.0
    h: float = 0.8
    input: float = -0.42
    weight: float = 1.5
    steps: int = 5


@dataclass(frozen=True)
class Word:
    """A token of a text, with the share of the state that is copied there, and the state after it.

    `continues` says whether it is a further piece of the word before it.
    """

    text: str
    keep: float = 1.0
    state: float = 0.0
    continues: bool = False


@dataclass(frozen=True)
class UnitChoice:
    """A unit to choose, or the reason why there is none: `index` is that of its values, or None."""

    title: str
    claim: str
    test: str = ""
    index: int | None = None


def format_number(value: float, digits: int = 2) -> str:
    """Return a number with U+2212 as its minus sign, and without a sign if it rounds to 0.

    >>> format_number(-1.5), format_number(-0.001)
    ('−1.50', '0.00')
    """
    text = f"{value:.{digits}f}"
    return text.replace("-", "−") if float(text) else text.lstrip("-")


def format_share(value: float) -> str:
    """Return a share in percent, with one decimal if whole percents would round it to all or nothing.

    >>> format_share(0.5), format_share(0.998)
    ('50%', '99.8%')
    """
    return f"{value:.1%}" if 0 < value < 0.005 or 0.995 <= value < 1 else f"{value:.0%}"


def render_sliders(
    opening: Opening = Opening(), convention: Convention = PYTORCH, tasks: Sequence[Task] = TASKS
) -> Markup:
    """Return the card on which r and z are set directly.

    Args:
        opening: The numbers to open with.
        convention: The meaning of z.
        tasks: The tasks to list.
    """
    values = asdict(opening) | {"zKeeps": convention.z_keeps}
    return render(
        "inside/sliders_stage.html", values=json.dumps(values), opening=opening, tasks=tasks, convention=convention
    )


def render_weights(opening: Preset | None = None, convention: Convention = PYTORCH, group: str = "inside") -> Markup:
    """Return the card with a slider for every weight, presets, a sequence and the conventions.

    Args:
        opening: A preset to open with, whose weights need not be positions of the sliders.
        convention: The convention to open with; the weights of presets are PyTorch's in all of them.
        group: Prefix of the name of the radio buttons, which differs between the cards of a page.
    """
    presets = [opening, *PRESETS] if opening else [*PRESETS]
    conventions = sorted(CONVENTIONS, key=lambda other: other != convention)
    values = {
        "conventions": [
            {"name": c.name, "title": c.title, "zKeeps": c.z_keeps, "resetAfter": c.reset_after} for c in conventions
        ],
        "presets": [asdict(preset) for preset in presets],
        "sequence": SEQUENCE,
    }
    return render(
        "inside/weights_stage.html",
        values=json.dumps(values),
        presets=presets,
        groups=SLIDER_GROUPS,
        step="any" if opening else 0.01,
        conventions=conventions,
        group=group,
    )


def render_sentence(
    values: dict[str, Any], words: Sequence[Word], labels: Sequence[str], units: Sequence[UnitChoice]
) -> Markup:
    """Return the card of a sentence.

    Args:
        values: The JSON of the page: `units` with their terms and states, the `chosen` one, the `token` to start at,
            `running` scores, `labels`, and whether the units read `backward`.
        words: The tokens of the text.
        labels: The labels in the order of the running scores.
        units: The units to choose from.
    """
    return render(
        "inside/sentence_stage.html",
        values=json.dumps(values),
        words=words,
        labels=labels,
        units=units,
        chosen=values["chosen"],
        convention=PYTORCH,
    )
