"""Which items a run asks, and in which order."""

import random
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace

from .bank import Bank, Item
from .errors import SessionError

MIXED = "mixed"
ALL = "all"
RETRY = "retry"
"""The scope of a run that asks what went wrong in another one; it is not drawn."""
RUN_LENGTH = 10
_TOPIC = "topic:"


def topic_scope(topic: str) -> str:
    """Return the scope that asks all of one topic."""
    return _TOPIC + topic


def scopes(bank: Bank) -> dict[str, str]:
    """Return every scope there is to choose, with what it is called."""
    items = _live(bank)
    topics = Counter(item.topic for item in items)
    return {
        MIXED: f"Mixed: {min(RUN_LENGTH, len(items))} questions on all topics",
        **{topic_scope(topic): f"{topic}: {count} questions" for topic, count in topics.items()},
        ALL: f"All {len(items)} questions",
    }


def draw(bank: Bank, scope: str, seed: int, seen: Collection[str] = ()) -> tuple[str, ...]:
    """Return the ids of the items of a run in the order they are asked: the bank's first one opens it if it is in.

    A mixed run has `RUN_LENGTH` items, as many of each topic as of any other, none of which gives another away, and
    rather those not `seen`. What an item builds upon comes before it.

    Raises:
        SessionError: If there is no such scope.
    """
    if scope not in list(scopes(bank)):  # a list, as what is asked for may not be hashable
        raise SessionError("There is no such set of questions. Choose one of those listed.")
    chance = random.Random(f"{seed} draw")
    items = _live(bank)
    if scope.startswith(_TOPIC):
        items = [item for item in items if topic_scope(item.topic) == scope]
    first = [item for item in items if item is bank.items[0]]
    others = [item for item in items if item is not bank.items[0]]
    items = first + chance.sample(others, len(others))
    if scope == MIXED:
        items = _spread(items, seen)
        items = items[:1] + chance.sample(items[1:], len(items) - 1) if items else []
    return tuple(item.id for item in _ordered(items, bank))


def arrange(bank: Bank, ids: Sequence[str], seed: int) -> tuple[Item, ...]:
    """Return items by their ids, the options of each shuffled, the same way for the same seed."""
    by_id = {item.id: item for item in bank.items}
    return tuple(_shuffled(by_id[item_id], seed) for item_id in ids)


def _live(bank: Bank) -> list[Item]:
    return [item for item in bank.items if item.status == "live"]


def _shuffled(item: Item, seed: int) -> Item:
    chance = random.Random(f"{seed} {item.id}")
    return replace(item, options=tuple(chance.sample(item.options, len(item.options))))


def _spread(items: list[Item], seen: Collection[str]) -> list[Item]:
    """Return the first item, then again and again one of the topic met least, the first that fits."""
    chosen, left = items[:1], sorted(items[1:], key=lambda item: item.id in seen)
    while len(chosen) < RUN_LENGTH:
        left = [item for item in left if item not in chosen and not any(_enemies(item, other) for other in chosen)]
        if not left:
            break
        met = Counter(item.topic for item in chosen)
        chosen.append(min(left, key=lambda item: met[item.topic]))
    return chosen


def _enemies(one: Item, other: Item) -> bool:
    return one.id in other.enemies or other.id in one.enemies


def _ordered(items: list[Item], bank: Bank) -> list[Item]:
    """Return the items in their order, but each after what it builds upon, directly or not."""
    by_id = {item.id: item for item in bank.items}
    basis = {item.id: _basis(item, by_id) for item in items}
    ordered: list[Item] = []
    left = list(items)
    while left:
        waiting = {item.id for item in left}
        ready = (item for item in left if not basis[item.id] & waiting)
        ordered.append(next(ready, left[0]))  # in a circle of prerequisites, somewhere to begin
        left.remove(ordered[-1])
    return ordered


def _basis(item: Item, by_id: dict[str, Item]) -> set[str]:
    found: set[str] = set()
    to_follow = list(item.prereq)
    while to_follow:
        item_id = to_follow.pop()
        if item_id not in found:
            found.add(item_id)
            to_follow.extend(by_id[item_id].prereq)
    return found - {item.id}
