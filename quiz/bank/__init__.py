"""The answer bank: questions and their keys, loaded from one JSON file.

A bank is checked before any question is shown. If it has a fault, the whole bank is refused, with one line that names
the item and the fault (see `quiz.validation`).
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..errors import BankError
from ..validation import ARRANGED, NUMBERS, Fault, find_faults, parse_json, read_text
from .formulas import ClaimError
from .parameters import Parameters, draw_parameters, fill
from .sliders import Goal, Slider, find_slider_faults, make_slider

SHIPPED_BANK = Path(__file__).parents[1] / "answer_bank.json"

# Values of fields that an item of a bank with basic requirements leaves out.
_DEFAULTS: dict[str, Any] = {
    "version": 1, "status": "live", "objective": "", "bloom": "", "difficulty": 3, "convention": "none",
    "explanation": "",
}  # fmt: skip
DEFAULT_FEEDBACK = {True: "This is right.", False: "This is not right."}

HINT_COST = 0.25
"""Part of the mark that each hint costs."""

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
        misconception: What a wrong answer reveals, or None.
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
class Level:
    """A level of the ladder of a bank: topics that are learned together."""

    name: str
    topics: tuple[str, ...]


@dataclass(frozen=True)
class Bank:
    """A valid answer bank.

    Attributes:
        items: One or more items in the order of the file.
        folder: The folder of its pictures.
        misconceptions: For each misconception the sentence that puts it right.
        ladder: Its levels, the first to learn first; empty, or two and more.
        title: Its title, which stands above the questions.
        description: A sentence below the title, or empty.
        data: The JSON value that it was made from.
    """

    items: tuple[Item, ...]
    folder: Path = SHIPPED_BANK.parent
    misconceptions: Mapping[str, str] = field(default_factory=dict, hash=False)
    ladder: tuple[Level, ...] = ()
    title: str = "Quiz"
    description: str = ""
    data: Mapping[str, Any] = field(default_factory=dict, hash=False, repr=False)


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


def are_enemies(item: Item, other: Item) -> bool:
    """Return whether two items reveal each other's answers, as one of them says."""
    return other.id in item.enemies or item.id in other.enemies


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


def fingerprint(bank: Bank) -> str:
    """Return 16 letters that change with any change of a bank's items."""
    return hashlib.sha256(repr(bank.items).encode()).hexdigest()[:16]


def load_bank(path: str | Path | None = None) -> Bank:
    """Return the answer bank of a file, after checking it.

    Args:
        path: A JSON file in the format of `answer_bank.schema.json`; the shipped bank by default.

    Raises:
        BankError: If the file cannot be read, or violates the schema or a rule.
    """
    path = SHIPPED_BANK if path is None else Path(path)
    data = parse_json(read_text(path), path)
    for fault in find_bank_faults(data):
        raise BankError(fault.text, fault.item_id)
    return make_bank(data, path.parent)


def find_bank_faults(data: Any) -> Iterator[Fault]:
    """Yield every fault for which a bank is refused; an item with parameters is checked with those of its example."""
    raws = data.get("items") if isinstance(data, dict) else None
    if not isinstance(raws, list):
        yield from find_faults(data)
        return
    filled = []
    for raw in raws:
        try:
            filled.append(_fill_example(raw))
        except ClaimError as error:
            yield Fault(str(error), raw.get("id"), "parameters")
            return
    faulty = False
    for fault in find_faults(data | {"items": filled}):
        faulty = True
        yield fault
    for raw in [] if faulty else filled:
        for text in find_slider_faults(raw) if raw["type"] == "slider" else ():
            yield Fault(text, raw["id"], "sliders")


def make_bank(data: Any, folder: Path = SHIPPED_BANK.parent) -> Bank:
    """Return the bank of a JSON value.

    Args:
        data: The value, for which `find_bank_faults` finds nothing.
        folder: The folder of the bank's pictures.
    """
    items = tuple(make_instance(raw, raw.get("example", {})) for raw in data["items"])
    ladder = _make_ladder(data.get("ladder", []), items)
    heading = {name: data[name] for name in ("title", "description") if name in data}
    return Bank(items, folder, data.get("misconceptions", {}), ladder, data=data, **heading)


def _make_ladder(raws: Sequence[Mapping[str, Any]], items: Sequence[Item]) -> tuple[Level, ...]:
    """Return the levels with live items; of a single one nothing."""
    live = {item.topic for item in items if item.status == "live"}
    levels = (Level(raw["name"], tuple(topic for topic in raw["topics"] if topic in live)) for raw in raws)
    ladder = tuple(level for level in levels if level.topics)
    return ladder if len(ladder) > 1 else ()


def draw_instance(item: Item, seed: str) -> Item:
    """Return an item with parameters drawn from a seed; an item without parameters is returned as it is."""
    return make_instance(item.template, draw_parameters(item.template, seed)) if item.template else item


def make_instance(template: Mapping[str, Any], drawn: Parameters) -> Item:
    """Return the item that a template, an item of the bank's JSON value, becomes with these parameters.

    Raises:
        ClaimError: A formula of the template cannot be computed from the parameters.
    """
    if "parameters" not in template:
        return _make_item(template)
    return replace(_make_item(fill(template, drawn)), template=template)


def _fill_example(raw: Any) -> Any:
    """Return an item with its example filled in, or as it is if its structure, which the schema checks, is wrong.

    Raises:
        ClaimError: A formula cannot be computed.
    """
    if not isinstance(raw, dict) or not isinstance(raw.get("example"), dict):
        return raw
    try:
        return raw | fill(raw, raw["example"])
    except (KeyError, TypeError, AttributeError):
        return raw


def _make_check(raw: dict[str, Any]) -> Check:
    return Check(**raw | {"answer": tuple(raw.get("answer", []))})


def _make_item(raw: Mapping[str, Any]) -> Item:
    key = raw["key"]
    special = {"options", "key", "sources", "media", "check", "live", "prereq", "enemies"}
    special |= {"parameters", "example", "conditions", "prompts", "sliders"}
    arranged = raw["type"] in ARRANGED
    return Item(
        **(_DEFAULTS | {name: raw[name] for name in raw.keys() - special}),
        options=tuple(_make_option(option, {"correct": []} if arranged else key) for option in raw.get("options", [])),
        prompts=tuple(Prompt(**prompt) for prompt in raw.get("prompts", [])),
        arrangement=_make_arrangement(key) if arranged else None,
        numeric=_make_numeric(key) if raw["type"] in NUMBERS else None,
        sliders=tuple(make_slider(slider) for slider in raw.get("sliders", [])),
        goal=Goal(key["name"], key["formula"], key["solution"]) if raw["type"] == "slider" else None,
        sources=tuple(Source(**source) for source in raw.get("sources", [])),
        hints=tuple(key.get("hints", [])),
        media=tuple(Media(**media) for media in raw.get("media", [])),
        check=_make_check(raw["check"]) if "check" in raw else None,
        live=Live(**raw["live"]) if "live" in raw else None,
        prereq=tuple(raw.get("prereq", [])),
        enemies=tuple(raw.get("enemies", [])),
    )


def _make_option(raw: dict[str, Any], key: dict[str, Any]) -> Option:
    oid, correct = raw["oid"], raw["oid"] in key["correct"]
    return Option(
        **raw,
        correct=correct,
        feedback=key.get("feedback", {}).get(oid, DEFAULT_FEEDBACK[correct]),
        misconception=key.get("misconception", {}).get(oid),
    )


def _make_arrangement(key: dict[str, Any]) -> Arrangement:
    feedback = key.get("feedback", {})
    return Arrangement(
        correct=tuple(key["correct"]),
        right=feedback.get("right", DEFAULT_FEEDBACK[True]),
        wrong=feedback.get("wrong", DEFAULT_FEEDBACK[False]),
        misconception=key.get("misconception"),
    )


def _make_numeric(key: dict[str, Any]) -> Numeric:
    feedback = key.get("feedback", {})
    return Numeric(
        value=key["value"],
        tolerance=key.get("tolerance", 0),
        unit=key.get("unit", ""),
        right=feedback.get("right", DEFAULT_FEEDBACK[True]),
        wrong=feedback.get("wrong", DEFAULT_FEEDBACK[False]),
        anticipated=tuple(Anticipated(**wrong) for wrong in key.get("anticipated", [])),
    )
