"""The answer bank: questions and their keys, loaded from one JSON file.

A bank is checked before any question is shown. If it has a fault, the whole bank is refused, with one line that names
the item and the fault (see `quiz.validation`).
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path
from typing import Any

from ..errors import BankError
from ..validation import ARRANGED, NUMBERS, Fault, find_faults, parse_json, read_text
from .formulas import ClaimError
from .items import (
    Anticipated,
    Arrangement,
    Check,
    Claim,
    Goal,
    Item,
    Live,
    Media,
    Numeric,
    Option,
    Prompt,
    PublicItem,
    PublicOption,
    Slider,
    Source,
    are_enemies,
    make_slider,
    public_view,
)
from .parameters import Parameters, draw_parameters, fill

__all__ = [
    "DEFAULT_FEEDBACK", "HINT_COST", "SHIPPED_BANK", "Anticipated", "Bank", "Claim", "Goal", "Item", "Level",
    "Live", "Media", "Numeric", "Option", "PublicItem", "PublicOption", "Source", "are_enemies", "draw_instance",
    "find_bank_faults", "fingerprint", "load_bank", "make_bank", "make_instance", "public_view",
    "sample_positions",
]  # fmt: skip

SHIPPED_BANK = Path(__file__).parents[1] / "answer_bank.json"

# Values of fields that an item of a bank with basic requirements leaves out.
_DEFAULTS: dict[str, Any] = {
    "version": 1, "status": "live", "objective": "", "bloom": "", "difficulty": 3, "convention": "none",
    "explanation": "",
}  # fmt: skip
DEFAULT_FEEDBACK = {True: "This is right.", False: "This is not right."}

HINT_COST = 0.25
"""Part of the mark that each hint costs."""


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


def find_slider_faults(raw: Mapping[str, Any]) -> Iterator[str]:
    """Yield the faults of the sliders and the goal of an item whose structure the schema has accepted."""
    sliders, key = [make_slider(slider) for slider in raw["sliders"]], raw["key"]
    names = [slider.name for slider in sliders]
    if len(set(names)) < len(names):
        yield "two sliders have the same name"
        return
    if set(names) != set(key["solution"]):
        yield f"the solution must have a position for each slider: {', '.join(names)}"
        return
    for slider in sliders:
        for name, value in (("end", slider.high), ("start", slider.start), ("solution", key["solution"][slider.name])):
            if not (slider.low <= value <= slider.high and _is_on_grid(value, slider)):
                yield f"slider {slider.name!r}: the {name} {value} is not one of its positions"
    goal = Goal(key["name"], key["formula"], key["solution"])
    try:
        reached = {name: goal.result(positions) for name, positions in _cases(sliders, goal)}
    except (ClaimError, TypeError, ValueError) as error:
        yield f"the formula cannot be computed: {error}"
        return
    if abs(reached["solution"] - key["value"]) > key["tolerance"]:
        yield f"the solution leads to {reached['solution']:g}, not to {key['value']:g}"
    if abs(reached["start"] - key["value"]) <= key["tolerance"]:
        yield "the sliders are right before they are moved"


def sample_positions(sliders: Sequence[Slider]) -> list[dict[str, float]]:
    """Return positions all over the range: every combination of both ends, the middle, and the start of each slider."""
    values = [dict.fromkeys([slider.low, slider.start, _middle(slider), slider.high]) for slider in sliders]
    names = [slider.name for slider in sliders]
    return [dict(zip(names, combination, strict=True)) for combination in product(*values)]


def _middle(slider: Slider) -> float:
    steps = round((slider.high - slider.low) / slider.step)
    return round(slider.low + steps // 2 * slider.step, 9)


def _cases(sliders: Sequence[Slider], goal: Goal) -> Iterator[tuple[str, Mapping[str, float]]]:
    yield from (("elsewhere", positions) for positions in sample_positions(sliders))
    yield "start", {slider.name: slider.start for slider in sliders}
    yield "solution", goal.solution


def _is_on_grid(value: float, slider: Slider) -> bool:
    steps = (value - slider.low) / slider.step
    return abs(steps - round(steps)) < 1e-6


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
        # Its numbers, "drawn", are those of the example, of which one message is enough.
        return raw | {name: value for name, value in fill(raw, raw["example"]).items() if name != "drawn"}
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
