"""The linter for answer banks: weaknesses that do not stop the quiz but make it a worse test.

    items, problems = lint_bank(path)

Rules about the bank as a whole apply from `MIN_ITEMS` items on. They measure strategies of guessing: the score of a
strategy is the share of choice items it answers correctly, where ties count as equally likely choices. A strategy may
score at most `MARGIN` above chance.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from statistics import mean
from typing import Any

from .bank import DEFAULT_FEEDBACK, Bank, Item, Option, find_bank_faults, make_bank
from .errors import BankError
from .validation import Fault, parse_json, read_text

MIN_ITEMS = 20
MARGIN = 0.05
MAX_LENGTH_RATIO = 1.3
_DEFAULT_TEXTS = DEFAULT_FEEDBACK.values()
_NEGATION = re.compile(r"\b(not|never|except|incorrect|false|wrong|cannot)\b|n't\b", re.IGNORECASE)
_QUOTATION = re.compile(r"“[^”]*”")
_OTHER_OPTIONS = re.compile(
    r"\b(all|none|both|neither|some) of (the|these|those) (above|others?|options?|answers?)\b", re.IGNORECASE
)
_CONVENTION_NAMES = {"cho2014": "Cho", "chung2014": "Chung", "pytorch": "PyTorch", "keras": "Keras", "onnx": "ONNX"}
_JARGON = {
    "activation", "attribute", "bias", "biases", "candidate", "derivative", "dropout", "eigenvalue", "float32",
    "gradient", "hadamard", "jacobian", "logistic", "logit", "matrix", "norm", "parameters", "product",
    "recurrent", "relu", "sigmoid", "softmax", "tangent", "tanh", "tensor", "vector",
}  # fmt: skip

_EXTREMES = re.compile(
    r"\b(all|always|any|completely|entirely|every|everything|exactly|must|never|no|none|nothing|only)\b", re.IGNORECASE
)

Strategy = Callable[[Option, Sequence[Option]], float]
"""Rates an option, given all options of its item."""
STRATEGIES: dict[str, Strategy] = {
    "the longest option": lambda option, options: len(option.text),
    "the shortest option": lambda option, options: -len(option.text),
    "the most technical option": lambda option, options: rate_technicality(option.text),
    "the option that shares most words with the others": lambda option, options: count_shared_words(option, options),
    "the most extreme option": lambda option, options: len(_EXTREMES.findall(option.text)),
}


def count_shared_words(option: Option, options: Sequence[Option]) -> int:
    """Return the number of words that an option has in common with each other option, in total."""
    words = {other.oid: set(re.findall(r"[a-z0-9]+", other.text.lower())) for other in options}
    return sum(len(words[option.oid] & words[other.oid]) for other in options if other.oid != option.oid)


def rate_technicality(text: str) -> int:
    """Return a score of technical language: one point for each digit or symbol, three for each word of jargon."""
    symbols = len(re.findall(r"[0-9$`\\_^=+*/<>|(){}\[\]]", text))
    return symbols + 3 * sum(word in _JARGON for word in re.findall(r"[a-z0-9-]+", text.lower()))


def lint_bank(path: Path) -> tuple[int, list[str]]:
    """Return the number of items in a bank's file, and its problems, one line each with the line in the file."""
    try:
        text = read_text(path)
        data = parse_json(text, path)
    except BankError as error:
        return 0, [error.fault]
    items = data.get("items") if isinstance(data, dict) else None
    return len(items) if isinstance(items, list) else 0, [_format_fault(fault, text) for fault in find_problems(data)]


def find_problems(data: Any) -> list[Fault]:
    """Return the problems of a bank's JSON value; weaknesses only if the quiz would not refuse it."""
    faults = list(find_bank_faults(data))
    if faults:
        return faults
    bank = make_bank(data)
    faults = [fault for item in bank.items for fault in _find_item_problems(item, item is bank.items[0])]
    return [*faults, *_find_bank_problems(bank), *_find_ladder_problems(bank, data.get("ladder", []))]


def _format_fault(fault: Fault, text: str) -> str:
    if fault.item_id is None:
        return f"the bank: {fault.text}"
    starts = [match.start() for match in re.finditer(rf'"id"\s*:\s*"{re.escape(fault.item_id)}"', text)]
    if not starts:
        return f"item {fault.item_id}: {fault.text}"
    start = starts[-1]  # of two items with the same id, the second is more likely to be the mistake
    position = text.find(f'"{fault.near}"', start) if fault.near else start
    next_item = re.compile(r'"id"\s*:').search(text, start + 1)
    if position < 0 or (next_item and position > next_item.start()):
        position = start
    return f"line {text.count(chr(10), 0, position) + 1}, item {fault.item_id}: {fault.text}"


def _find_item_problems(item: Item, is_first: bool) -> Iterator[Fault]:
    if item.negative and not is_first:
        yield Fault("only the first item of a bank may be negative", item.id, "negative")
    if not item.negative and (match := _NEGATION.search(_QUOTATION.sub("", item.stem))):
        yield Fault(f"the stem contains {match[0]!r}: ask positively, or mark the item as negative", item.id, "stem")
    name = _CONVENTION_NAMES.get(item.convention, "")
    if name not in item.stem + (item.code or ""):
        yield Fault(f"the item uses the convention of {name}, so the stem must name it", item.id, "stem")
    texts = [("stem", item.stem), ("explanation", item.explanation), *(("hints", hint) for hint in item.hints)]
    texts += [(option.oid, text) for option in item.options for text in (option.text, option.feedback)]
    texts += [("prompts", prompt.text) for prompt in item.prompts]
    for near, text in texts:
        if text.count("$") % 2 or text.count("{") != text.count("}"):
            yield Fault(f"a formula is not closed: {text[:60]!r}", item.id, near)
    yield from _find_missing_texts(item)
    yield from _find_option_problems(item)
    yield from _find_live_problems(item)


def _find_missing_texts(item: Item) -> Iterator[Fault]:
    """Yield a fault for each place without the texts which only banks with full requirements must have."""
    key = item.numeric or item.arrangement
    if key:
        noun, feedback = "number" if item.numeric else "answer", {"a correct": key.right, "a wrong": key.wrong}
        missing = [f"feedback for {kind} {noun}" for kind, text in feedback.items() if text in _DEFAULT_TEXTS]
    else:
        without = [option for option in item.options if option.feedback in _DEFAULT_TEXTS]
        missing = [f"feedback for option {option.oid!r}" for option in without]
    if missing:
        yield Fault(f"recommended but missing: {', '.join(missing)}", item.id, "key")
    if not item.explanation:
        yield Fault("recommended but missing: an explanation", item.id, "explanation")
    if not item.sources:
        yield Fault("recommended but missing: a source", item.id, "sources")


def _find_option_problems(item: Item) -> Iterator[Fault]:
    for option in item.options:
        if _OTHER_OPTIONS.search(option.text):
            yield Fault(f"option {option.oid!r} refers to other options, which are shuffled", item.id, option.oid)
    feedback = [option.feedback for option in item.options if option.feedback not in _DEFAULT_TEXTS]
    if len(set(feedback)) < len(feedback):
        yield Fault("two options have the same feedback", item.id, "feedback")
    if item.correct_options:
        correct = mean(len(option.text) for option in item.correct_options)
        wrong = mean(len(option.text) for option in item.options if not option.correct)
        if correct > MAX_LENGTH_RATIO * wrong:
            yield Fault(
                f"the correct option is {correct / wrong:.1f} times as long as the others "
                f"(at most {MAX_LENGTH_RATIO} times is allowed)",
                item.id,
                "options",
            )


def _find_live_problems(item: Item) -> Iterator[Fault]:
    if item.live and item.live.text and item.live.token is not None:
        words = re.findall(r"\w+|[^\w\s]", item.live.text)
        if item.live.token >= len(words):
            yield Fault(f"live: token {item.live.token} is past the end of {item.live.text!r}", item.id, "token")


def _find_bank_problems(bank: Bank) -> Iterator[Fault]:
    first = bank.items[0]
    for item in bank.items[1:]:
        if item.id in first.enemies or first.id in item.enemies:
            yield Fault("an enemy of the first item, which is in every mixed run, is in none", item.id, "enemies")
    items = [item for item in bank.items if item.correct_options and item.status == "live"]
    if len(items) < MIN_ITEMS:
        return
    chance = chance_score(items)
    scores = {f"option {index + 1}": _position_score(items, index) for index in range(_most_options(items))}
    scores |= {name: strategy_score(items, strategy) for name, strategy in STRATEGIES.items()}
    for name, score in scores.items():
        if score > chance + MARGIN:
            yield Fault(f"choosing {name} every time scores {score:.0%}; chance is {chance:.0%}")


def _find_ladder_problems(bank: Bank, levels: Sequence[Mapping[str, Any]]) -> Iterator[Fault]:
    if len(bank.items) < MIN_ITEMS:
        return
    live = {item.topic for item in bank.items if item.status == "live"}
    topics = [topic for level in levels for topic in level["topics"]]
    for topic in topics:
        if topic not in live:
            yield Fault(f"ladder: no live item has the topic {topic!r}")
    for topic in sorted(live.difference(topics)) if levels else ():
        yield Fault(f"ladder: the topic {topic!r} is on no level, so the search for a learner's level leaves it out")


def _most_options(items: list[Item]) -> int:
    return max(len(item.options) for item in items)


def _position_score(items: list[Item], index: int) -> float:
    return mean(index < len(item.options) and item.correct_options == (item.options[index],) for item in items)


def chance_score(items: list[Item]) -> float:
    """Return the expected score of choosing one option of each item at random."""
    return mean(len(item.correct_options) == 1 and 1 / len(item.options) for item in items)


def strategy_score(items: list[Item], strategy: Strategy) -> float:
    """Return the expected score of choosing the option with the highest rating, at random among equals."""
    scores = []
    for item in items:
        ratings = [strategy(option, item.options) for option in item.options]
        best = [option for option, rating in zip(item.options, ratings, strict=True) if rating == max(ratings)]
        correct = len(item.correct_options) == 1 and item.correct_options[0] in best
        scores.append(correct / len(best))
    return mean(scores)
