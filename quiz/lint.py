"""The craft of a question bank: problems that do not stop the quiz, but make it a worse test.

    problems = lint(path)

Rules about the bank as a whole (can it be passed without reading?) need `ENOUGH` items to mean anything. A robot's
score is the share of choice items it gets right, ties shared evenly; a robot may score `MARGIN` above chance at most.
How technical an option is: its digits, its symbols (LaTeX, code and operators), and three for each word of `JARGON`.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import mean

from .bank import UNSAID_FEEDBACK, Bank, Item, Option, make_bank
from .validation import BankError, Fault, find_faults, parse, read_text

ENOUGH = 20
MARGIN = 0.05
LONGEST_KEY = 1.3
NEGATIVE = re.compile(r"\b(not|never|except|incorrect|false|wrong|cannot)\b|n't\b", re.IGNORECASE)
_UNSAID = UNSAID_FEEDBACK.values()
_QUOTED = re.compile(r"“[^”]*”")
ABOVE = re.compile(r"\b(all|none|both|neither|some) of (the|these|those) (above|others?|options?|answers?)\b", re.I)
NAMES = {"cho2014": "Cho", "chung2014": "Chung", "pytorch": "PyTorch", "keras": "Keras", "onnx": "ONNX"}
JARGON = {
    "activation", "attribute", "bias", "biases", "candidate", "derivative", "dropout", "eigenvalue", "float32",
    "gradient", "hadamard", "jacobian", "logistic", "logit", "matrix", "norm", "parameters", "product",
    "recurrent", "relu", "sigmoid", "softmax", "tangent", "tanh", "tensor", "vector",
}  # fmt: skip

Robot = Callable[[Option], float]
ROBOTS: dict[str, Robot] = {
    "the longest option": lambda option: len(option.text),
    "the shortest option": lambda option: -len(option.text),
    "the most technical option": lambda option: technical(option.text),
}


def technical(text: str) -> int:
    """Return how technical a text is: digits, symbols, and three for each word of jargon."""
    marks = len(re.findall(r"[0-9$`\\_^=+*/<>|(){}\[\]]", text))
    return marks + 3 * sum(word in JARGON for word in re.findall(r"[a-z0-9-]+", text.lower()))


def lint(path: Path) -> tuple[int, list[str]]:
    """Return the number of items in a bank's file, and its problems, each in one line with the line in the file."""
    try:
        text = read_text(path)
        data = parse(text, path)
    except BankError as error:
        return 0, [error.fault]
    faults = list(find_faults(data))
    if not faults:
        bank = make_bank(data)
        faults = [fault for item in bank.items for fault in _item_problems(item, item is bank.items[0])]
        faults += _bank_problems(bank)
    items = data.get("items") if isinstance(data, dict) else None
    return len(items) if isinstance(items, list) else 0, [_located(fault, text) for fault in faults]


def _located(fault: Fault, text: str) -> str:
    if fault.item_id is None:
        return f"the bank: {fault.text}"
    starts = [found.start() for found in re.finditer(rf'"id"\s*:\s*"{re.escape(fault.item_id)}"', text)]
    if not starts:
        return f"item {fault.item_id}: {fault.text}"
    start = starts[-1]  # of two items with the same id, the later one is the likelier mistake
    place = text.find(f'"{fault.near}"', start) if fault.near else start
    following = re.compile(r'"id"\s*:').search(text, start + 1)
    if place < 0 or (following and place > following.start()):
        place = start
    return f"line {text.count(chr(10), 0, place) + 1}, item {fault.item_id}: {fault.text}"


def _item_problems(item: Item, opens: bool) -> Iterator[Fault]:
    if item.negative and not opens:
        yield Fault("a question put negatively may only open the bank", item.id, "negative")
    if not item.negative and (word := NEGATIVE.search(_QUOTED.sub("", item.stem))):
        yield Fault(f"the stem says {word[0]!r}: ask for what is so, or mark the item as negative", item.id, "stem")
    name = NAMES.get(item.convention, "")
    if name not in item.stem + (item.code or ""):
        yield Fault(f"the item speaks the convention of {name}, so the stem has to name it", item.id, "stem")
    texts = [item.stem, item.explanation, *item.hints]
    texts += [text for option in item.options for text in (option.text, option.feedback)]
    for text in texts:
        if text.count("$") % 2 or text.count("{") != text.count("}"):
            yield Fault(f"a formula is not closed: {text[:60]!r}", item.id)
    yield from _missing(item)
    yield from _option_problems(item)
    yield from _live_problems(item)


def _missing(item: Item) -> Iterator[Fault]:
    """Name what learners would miss, which only a bank with basic demands may lack."""
    silent = [f"feedback for option {option.oid!r}" for option in item.options if option.feedback in _UNSAID]
    if item.numeric:
        told = {"a right": item.numeric.right, "a wrong": item.numeric.wrong}
        silent += [f"feedback for {which} number" for which, text in told.items() if text in _UNSAID]
    lacking = [*silent, *["an explanation"] * (not item.explanation), *["a source"] * (not item.sources)]
    if lacking:
        yield Fault(f"learners would miss {', '.join(lacking)}; the quiz works without them", item.id, "key")


def _option_problems(item: Item) -> Iterator[Fault]:
    for option in item.options:
        if ABOVE.search(option.text):
            yield Fault(f"option {option.oid!r} speaks of the other options, which are shuffled", item.id, option.oid)
    feedback = [option.feedback for option in item.options if option.feedback not in _UNSAID]
    if len(set(feedback)) < len(feedback):
        yield Fault("two options have the same feedback", item.id, "feedback")
    if item.options:
        right = mean(len(option.text) for option in item.correct_options)
        wrong = mean(len(option.text) for option in item.options if not option.correct)
        if right > LONGEST_KEY * wrong:
            yield Fault(
                f"the right option is {right / wrong:.1f} times as long as the others ({LONGEST_KEY} at most)",
                item.id,
                "options",
            )


def _live_problems(item: Item) -> Iterator[Fault]:
    if item.live and item.live.text and item.live.token is not None:
        words = re.findall(r"\w+|[^\w\s]", item.live.text)
        if item.live.token >= len(words):
            yield Fault(f"live: token {item.live.token} is past the end of {item.live.text!r}", item.id, "token")


def _bank_problems(bank: Bank) -> Iterator[Fault]:
    items = [item for item in bank.items if item.options]
    if len(items) < ENOUGH:
        return
    limit = chance(items) + MARGIN
    for place in range(max(len(item.options) for item in items)):
        score = mean(place < len(item.options) and item.correct_options == (item.options[place],) for item in items)
        if score > limit:
            yield Fault(f"choosing option {place + 1} every time scores {score:.0%}; chance is {chance(items):.0%}")
    for name, robot in ROBOTS.items():
        score = robot_score(items, robot)
        if score > limit:
            yield Fault(f"choosing {name} every time scores {score:.0%}; chance is {chance(items):.0%}")


def chance(items: list[Item]) -> float:
    """Return the score of choosing one option of each item by lot."""
    return mean(len(item.correct_options) == 1 and 1 / len(item.options) for item in items)


def robot_score(items: list[Item], robot: Robot) -> float:
    """Return the score of choosing the option the robot rates highest, by lot among the best."""
    scores = []
    for item in items:
        top = max(map(robot, item.options))
        best = tuple(option for option in item.options if robot(option) == top)
        right = len(item.correct_options) == 1 and item.correct_options[0] in best
        scores.append(right / len(best))
    return mean(scores)
