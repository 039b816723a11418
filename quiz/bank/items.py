"""The items of an answer bank with their keys, and the part of an item that a learner sees.

A slider item has sliders, which the learner sets until a quantity, computed from them on the server, has the wanted
value:

{"sliders": [{"name": "z", "label": "Update gate z", "from": 0, "to": 1, "step": 0.05, "start": 0.5}],
 "key": {"name": "h′", "formula": "z * 0.8 + (1 - z) * -0.4", "solution": {"z": 0.25}, "value": -0.1, ...}}
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .formulas import evaluate_claim
from .parameters import Parameters

Claim = str | float
"""The statement of an answer, as a number or as a formula that the item's proof evaluates."""


@dataclass(frozen=True)
class Option:
    """One option of an item, with its part of the key."""

    oid: str
    text: str
    correct: bool
    feedback: str
    misconception: str | None
    claim: Claim | None = None


@dataclass(frozen=True)
class Anticipated:
    """A wrong number that reveals a known mistake; the claim is the formula that leads to it."""

    value: float
    feedback: str
    misconception: str | None = None
    claim: Claim | None = None


@dataclass(frozen=True)
class Numeric:
    """The key of a numeric item: a number is correct if it differs from `value` by at most `tolerance`."""

    value: float
    tolerance: float
    right: str
    wrong: str
    anticipated: tuple[Anticipated, ...]
    unit: str = ""


@dataclass(frozen=True)
class Prompt:
    """The left side of a pair in a matching item."""

    text: str
    claim: Claim | None = None


@dataclass(frozen=True)
class Arrangement:
    """The key of an item whose options are put in order or matched with prompts.

    Attributes:
        correct: Ids of the options in their order, or of the option that matches each prompt.
        right: Feedback on a correct answer.
        wrong: Feedback on any other answer.
        misconception: The misconception that a wrong answer reveals, or None.
    """

    correct: tuple[str, ...]
    right: str
    wrong: str
    misconception: str | None = None


@dataclass(frozen=True)
class Source:
    """A publication or page that states the fact behind an item."""

    cite: str
    loc: str
    url: str


@dataclass(frozen=True)
class Media:
    """A picture that belongs to the stem, and its description."""

    src: str
    alt: str


@dataclass(frozen=True)
class Check:
    """The proof of the key: a function of `quiz.proofs` such as "gating.mix", or the reason why it cannot be run.

    Without a function, `answer` states the correct options a second time, so that a wrong key is found.
    """

    fn: str | None = None
    cell: str | None = None
    params: Mapping[str, Any] = field(default_factory=dict, hash=False)
    reason: str | None = None
    answer: tuple[str, ...] = ()


@dataclass(frozen=True)
class Live:
    """The place where the app shows the fact: a token of a text in the Sentiment tab, or a panel of the Inside tab.

    The `values` are the numbers of the question with which the panel opens, by name.
    """

    tab: str
    text: str | None = None
    token: int | None = None
    panel: str | None = None
    values: Mapping[str, float | str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class Slider:
    """A control that the learner sets to a number.

    Attributes:
        name: Its name in the formula, and in the proof.
        label: Its name in the page.
        low: The smallest value.
        high: The largest value.
        step: The distance of its positions.
        start: The value before the learner moves it.
    """

    name: str
    label: str
    low: float
    high: float
    step: float
    start: float


@dataclass(frozen=True)
class Goal:
    """The quantity that the sliders of an item control.

    Attributes:
        name: Name of the quantity in the page.
        formula: The quantity, computed from the sliders.
        solution: For each slider, by name, the position that reaches the wanted value.
    """

    name: str
    formula: str
    solution: Mapping[str, float]

    def __hash__(self) -> int:
        """Hash the fields; a mapping alone has no hash."""
        return hash((self.name, self.formula, tuple(self.solution.items())))

    def result(self, positions: Mapping[str, float]) -> float:
        """Return the quantity at positions of the sliders.

        Raises:
            ClaimError: The formula cannot be computed from them.
        """
        return float(evaluate_claim(self.formula, positions))


@dataclass(frozen=True)
class Item:
    """One question with its key. It stays on the server; learners see `public_view(item)`.

    The `type` is single, multi, numeric, slider, order or match. The key is in `numeric` for numeric items, in
    `numeric` and `goal` for items with sliders, in `arrangement` for items to order or match, and in `options`
    otherwise.

    An item with parameters is one instance of its template: `drawn` has the numbers that it was made with, which its
    claims may name. In a bank these are the numbers of its example.
    """

    id: str
    version: int
    status: str
    type: str
    topic: str
    objective: str
    bloom: str
    difficulty: int
    convention: str
    stem: str
    options: tuple[Option, ...]
    numeric: Numeric | None
    explanation: str
    sources: tuple[Source, ...]
    hints: tuple[str, ...]
    blueprint: str | None = None
    negative: bool = False
    local: bool = False
    advanced: bool = False
    prompts: tuple[Prompt, ...] = ()
    arrangement: Arrangement | None = None
    sliders: tuple[Slider, ...] = ()
    goal: Goal | None = None
    code: str | None = None
    media: tuple[Media, ...] = ()
    check: Check | None = None
    live: Live | None = None
    prereq: tuple[str, ...] = ()
    enemies: tuple[str, ...] = ()
    drawn: Parameters = field(default_factory=dict, hash=False)
    template: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @property
    def misconceptions(self) -> frozenset[str]:
        """The misconceptions that its wrong answers reveal."""
        if self.arrangement:
            return frozenset(filter(None, [self.arrangement.misconception]))
        wrong: tuple[Option | Anticipated, ...] = self.numeric.anticipated if self.numeric else self.options
        return frozenset(part.misconception for part in wrong if part.misconception)

    @property
    def correct_options(self) -> tuple[Option, ...]:
        """The correct options of a choice; empty for other items."""
        return tuple(option for option in self.options if option.correct)

    @property
    def correct_option(self) -> Option:
        """The correct option of a single-choice item."""
        (option,) = self.correct_options
        return option

    def weight(self, option: Option) -> float:
        """Return the part of the mark that choosing an option adds, from -1 to 1.

        The correct options share the mark equally. In a multiple-choice item the wrong ones share a penalty of the same
        size, so that choosing every option earns nothing.
        """
        if option.correct:
            return 1 / len(self.correct_options)
        return -1 / (len(self.options) - len(self.correct_options)) if self.type == "multi" else 0.0


@dataclass(frozen=True)
class PublicOption:
    """The part of an option that a learner sees before answering."""

    oid: str
    text: str


@dataclass(frozen=True)
class PublicItem:
    """The part of an item that a learner sees before answering."""

    id: str
    type: str
    topic: str
    stem: str
    code: str | None
    media: tuple[Media, ...]
    options: tuple[PublicOption, ...]
    prompts: tuple[str, ...]
    unit: str
    sliders: tuple[Slider, ...]
    tolerance: float | None


def public_view(item: Item) -> PublicItem:
    """Return the part of an item that may be sent to the browser before it is answered."""
    return PublicItem(
        id=item.id,
        type=item.type,
        topic=item.topic,
        stem=item.stem,
        code=item.code,
        media=item.media,
        options=tuple(PublicOption(option.oid, option.text) for option in item.options),
        prompts=tuple(prompt.text for prompt in item.prompts),
        unit=item.numeric.unit if item.numeric else "",
        sliders=item.sliders,
        tolerance=item.numeric.tolerance if item.numeric and item.goal else None,
    )


def are_enemies(item: Item, other: Item) -> bool:
    """Return whether two items reveal each other's answers, as one of them says."""
    return other.id in item.enemies or item.id in other.enemies


def make_slider(raw: Mapping[str, Any]) -> Slider:
    """Return the slider of a JSON value."""
    return Slider(raw["name"], raw["label"], raw["from"], raw["to"], raw["step"], raw["start"])
