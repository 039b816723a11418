"""The answer bank: questions and key, loaded from one JSON file and checked before anyone sees a question.

A bank with a fault is refused whole, with one line naming the item and the fault (see `quiz.validation`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .validation import BankError, find_faults, parse, read_text

SHIPPED_BANK = Path(__file__).parent / "answer_bank.json"

# What an item of a bank with basic demands says if it says nothing.
UNSAID: dict[str, Any] = {
    "version": 1, "status": "live", "objective": "", "bloom": "", "difficulty": 3, "convention": "none",
    "explanation": "",
}  # fmt: skip
UNSAID_FEEDBACK = {True: "This is right.", False: "This is not right."}

Claim = str | float
"""What an answer states, as a number or a formula that the item's proof can compute."""


@dataclass(frozen=True)
class Option:
    """One option of an item, with everything the key says about it."""

    oid: str
    text: str
    correct: bool
    feedback: str
    misconception: str | None
    claim: Claim | None = None


@dataclass(frozen=True)
class Anticipated:
    """A wrong number that tells how the learner came to it; the claim is the formula that gives it."""

    value: float
    feedback: str
    misconception: str | None = None
    claim: Claim | None = None


@dataclass(frozen=True)
class Numeric:
    """The key of an item answered with a number: right within `tolerance` of `value`."""

    value: float
    tolerance: float
    right: str
    wrong: str
    anticipated: tuple[Anticipated, ...]
    unit: str = ""


@dataclass(frozen=True)
class Source:
    """Where the fact behind an item can be read."""

    cite: str
    loc: str
    url: str


@dataclass(frozen=True)
class Media:
    """A picture beside the stem, and what it shows in words."""

    src: str
    alt: str


@dataclass(frozen=True)
class Check:
    """How the key is proved: a function of `quiz.proofs`, such as "update.mix"; or the reason why none can."""

    fn: str | None = None
    cell: str | None = None
    params: Mapping[str, Any] = field(default_factory=dict, hash=False)
    reason: str | None = None


@dataclass(frozen=True)
class Live:
    """Where the app shows the fact: a text and token of the Sentiment tab, or a panel inside the GRU."""

    tab: str
    text: str | None = None
    token: int | None = None
    panel: str | None = None


@dataclass(frozen=True)
class Item:
    """One question with its key. For the server only: show learners `public_view(item)`.

    Either `options` or `numeric` holds the key, by `type`: single, multi or numeric.
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
    code: str | None = None
    media: tuple[Media, ...] = ()
    check: Check | None = None
    live: Live | None = None
    prereq: tuple[str, ...] = ()
    enemies: tuple[str, ...] = ()

    @property
    def correct_options(self) -> tuple[Option, ...]:
        """The options that are right; none if the answer is a number."""
        return tuple(option for option in self.options if option.correct)

    @property
    def correct_option(self) -> Option:
        """The option that is right in a single-choice item."""
        (option,) = self.correct_options
        return option


@dataclass(frozen=True)
class Bank:
    """A checked answer bank: at least one item, in the order of the file, and the folder that its pictures are in."""

    items: tuple[Item, ...]
    folder: Path = SHIPPED_BANK.parent


@dataclass(frozen=True)
class PublicOption:
    """What a learner may know of an option before answering."""

    oid: str
    text: str


@dataclass(frozen=True)
class PublicItem:
    """What a learner may know of an item before answering."""

    id: str
    type: str
    topic: str
    stem: str
    code: str | None
    media: tuple[Media, ...]
    options: tuple[PublicOption, ...]
    unit: str


def public_view(item: Item) -> PublicItem:
    """Return the part of an item that may reach the browser before the answer is in."""
    return PublicItem(
        id=item.id,
        type=item.type,
        topic=item.topic,
        stem=item.stem,
        code=item.code,
        media=item.media,
        options=tuple(PublicOption(option.oid, option.text) for option in item.options),
        unit=item.numeric.unit if item.numeric else "",
    )


def load_bank(path: str | Path | None = None) -> Bank:
    """Load and check an answer bank.

    Args:
        path: A JSON file in the format of `answer_bank.schema.json`. The shipped bank if left out.

    Returns:
        The bank, every rule checked.

    Raises:
        BankError: If the file cannot be read, or breaks the schema or a rule.
    """
    path = SHIPPED_BANK if path is None else Path(path)
    data = parse(read_text(path), path)
    for fault in find_faults(data):
        raise BankError(fault.text, fault.item_id)
    return make_bank(data, path.parent)


def make_bank(data: Any, folder: Path = SHIPPED_BANK.parent) -> Bank:
    """Return the bank in JSON data in which `find_faults` finds nothing; its pictures are in the folder."""
    return Bank(tuple(_item(raw) for raw in data["items"]), folder)


def _item(raw: dict[str, Any]) -> Item:
    key = raw["key"]
    special = {"options", "key", "sources", "media", "check", "live", "prereq", "enemies"}
    return Item(
        **(UNSAID | {name: raw[name] for name in raw.keys() - special}),
        options=tuple(_option(option, key) for option in raw.get("options", [])),
        numeric=_numeric(key) if raw["type"] == "numeric" else None,
        sources=tuple(Source(**source) for source in raw.get("sources", [])),
        hints=tuple(key.get("hints", [])),
        media=tuple(Media(**media) for media in raw.get("media", [])),
        check=Check(**raw["check"]) if "check" in raw else None,
        live=Live(**raw["live"]) if "live" in raw else None,
        prereq=tuple(raw.get("prereq", [])),
        enemies=tuple(raw.get("enemies", [])),
    )


def _option(raw: dict[str, Any], key: dict[str, Any]) -> Option:
    oid, correct = raw["oid"], raw["oid"] in key["correct"]
    return Option(
        **raw,
        correct=correct,
        feedback=key.get("feedback", {}).get(oid, UNSAID_FEEDBACK[correct]),
        misconception=key.get("misconception", {}).get(oid),
    )


def _numeric(key: dict[str, Any]) -> Numeric:
    feedback = key.get("feedback", {})
    return Numeric(
        value=key["value"],
        tolerance=key.get("tolerance", 0),
        unit=key.get("unit", ""),
        right=feedback.get("right", UNSAID_FEEDBACK[True]),
        wrong=feedback.get("wrong", UNSAID_FEEDBACK[False]),
        anticipated=tuple(Anticipated(**wrong) for wrong in key.get("anticipated", [])),
    )
