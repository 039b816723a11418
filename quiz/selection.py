"""Selection of the items of a run, and their order."""

import random
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from .bank import Bank, Item, are_enemies, draw_instance
from .errors import SessionError
from .ladder import MOST_QUESTIONS, choose_next, items_of_level

MIXED = "mixed"
START = "start"
"""The scope of an adaptive start; see `quiz.ladder`."""
ALL = "all"
TODAY = "today"
"""The scope of items that are due by spaced repetition, filled up with new ones; see `quiz.reviews`."""
RETRY = "retry"
"""The scope of a run that repeats the mistakes of another run; it cannot be chosen from the list."""
RUN_LENGTH = 10
DAY_LENGTH = 5
"""Number of items of a run of `TODAY`, which is named after it."""
_TOPIC_PREFIX = "topic:"
_LEVEL_PREFIX = "level:"


def topic_scope(topic: str) -> str:
    """Return the scope that asks all items of one topic."""
    return _TOPIC_PREFIX + topic


def level_scope(level: str) -> str:
    """Return the scope that asks up to `RUN_LENGTH` items of one level of the ladder."""
    return _LEVEL_PREFIX + level


def list_scopes(bank: Bank) -> dict[str, str]:
    """Return every scope that can be chosen, with its label."""
    items = _live_items(bank)
    topics = Counter(item.topic for item in items)
    levels = {level.name: min(RUN_LENGTH, len(items_of_level(bank, level))) for level in bank.ladder}
    return {
        MIXED: f"Mixed: {min(RUN_LENGTH, len(items))} questions on all topics",
        TODAY: "Today's five: questions that are due again, and new ones",
        **({START: f"Start where I belong: at most {MOST_QUESTIONS} questions"} if levels else {}),
        **{
            level_scope(name): f"Level {number}, {name}: up to {count} questions"
            for number, (name, count) in enumerate(levels.items(), 1)
        },
        **{topic_scope(topic): f"{topic}: {count} questions" for topic, count in topics.items()},
        ALL: f"All {len(items)} questions",
    }


def draw_items(
    bank: Bank, scope: str, seed: int, seen: Collection[str] = (), due: Sequence[str] = ()
) -> tuple[str, ...]:
    """Draw the items of a run.

    A mixed run has `RUN_LENGTH` items: the bank's first item, and others spread evenly over the topics. Items that
    reveal each other's answers are not drawn together, and items that were not seen before are preferred. Advanced
    items are not drawn for a learner who has seen fewer than `RUN_LENGTH` items. The run of a level is drawn in the
    same way from the items of its topics. A run of `TODAY` has `DAY_LENGTH` items: those due, in their order, then
    items not seen before, then others. An adaptive start begins with one item. In every other run, the bank's first
    item comes first if it is drawn, and prerequisites come before the items that need them.

    Args:
        bank: The bank.
        scope: One of `list_scopes`.
        seed: Seed of the random choice and order.
        seen: Ids of items that the learner has answered before.
        due: Ids of items that are due again, the most urgent first.

    Returns:
        The ids of the items in the order in which they are asked.

    Raises:
        SessionError: If the scope does not exist.
    """
    if scope not in list(list_scopes(bank)):  # a list, as the requested scope may not be hashable
        raise SessionError("There is no such set of questions. Choose one of those listed.")
    if scope == START:
        first_id = choose_next(bank, (), seed, seen)
        return (first_id,) if first_id else ()
    generator = random.Random(f"{seed} draw")
    items = _items_of_scope(bank, scope)
    if scope == TODAY:
        return tuple(item.id for item in _order_by_prerequisites(_draw_for_today(items, seen, due, generator), bank))
    first = [item for item in items if item is bank.items[0]]
    others = [item for item in items if item is not bank.items[0]]
    items = first + generator.sample(others, len(others))
    if scope.startswith(_LEVEL_PREFIX):
        items.sort(key=lambda item: item.id in seen)
    if scope == MIXED or scope.startswith(_LEVEL_PREFIX):
        basic = [item for item in items if not item.advanced]
        if len(seen) < RUN_LENGTH <= len(basic):
            items = basic
        items = _spread_over_topics(items, seen)
        items = items[:1] + generator.sample(items[1:], len(items) - 1) if items else []
    return tuple(item.id for item in _order_by_prerequisites(items, bank))


def bring_forward(
    items: Sequence[Item],
    position: int,
    is_wanted: Callable[[Item], bool],
    bank: Bank,
    seed: int,
    seen: Collection[str] = (),
) -> tuple[Item, ...]:
    """Return the items of a run with a wanted one right after the open item.

    If no later item of the run is wanted, one of the bank replaces the last item of the run. It is not advanced, was
    not seen before, and reveals no answer of the run. The run is unchanged if there is none, or if a prerequisite would
    come after it.

    Args:
        items: The items of the run in their order.
        position: Index of the open item.
        is_wanted: Returns whether an item may be brought forward.
        bank: The bank.
        seed: Seed of the run.
        seen: Ids of items that the learner has answered before.
    """
    asked, later = tuple(items[: position + 1]), list(items[position + 1 :])
    waiting = {item.id for item in later}

    def suits(item: Item) -> bool:
        return is_wanted(item) and not waiting & set(item.prereq)

    following = next(filter(suits, later), None)
    if following:
        later.remove(following)
        return (*asked, following, *later)
    in_run = {item.id for item in items}
    others = [
        item
        for item in _live_items(bank)
        if not (item.id in in_run or item.id in seen or item.advanced)
        and suits(item)
        and not any(are_enemies(item, other) for other in items)
        and not any(item.id in other.prereq for other in asked)
    ]
    if not (later and others):
        return tuple(items)
    generator = random.Random(f"{seed} {items[position].id} following")
    return (*asked, *arrange_items(bank, [generator.choice(others).id], seed), *later[:-1])


def arrange_items(bank: Bank, ids: Sequence[str], seed: int) -> tuple[Item, ...]:
    """Return the items with these ids; the seed draws the parameters and shuffles the options of each.

    Raises:
        KeyError: The bank has no item with one of the ids.
    """
    by_id = {item.id: item for item in bank.items}
    drawn = (draw_instance(by_id[item_id], f"{seed} {item_id} parameters") for item_id in ids)
    return tuple(_shuffle_options(item, seed) for item in drawn)


def _live_items(bank: Bank) -> list[Item]:
    return [item for item in bank.items if item.status == "live"]


def _items_of_scope(bank: Bank, scope: str) -> list[Item]:
    """Return the items that a topic or a level has, or all live items for any other scope."""
    if scope.startswith(_TOPIC_PREFIX):
        return [item for item in _live_items(bank) if topic_scope(item.topic) == scope]
    level = next((level for level in bank.ladder if level_scope(level.name) == scope), None)
    return items_of_level(bank, level) if level else _live_items(bank)


def _shuffle_options(item: Item, seed: int) -> Item:
    generator = random.Random(f"{seed} {item.id}")
    return replace(item, options=tuple(generator.sample(item.options, len(item.options))))


def _spread_over_topics(items: list[Item], seen: Collection[str]) -> list[Item]:
    """Return the first item, and then repeatedly the first suitable item of the least frequent topic so far.

    The first item does not count for its topic: it is in every run, and the other items of its topic would be in none.
    """
    chosen, left = items[:1], sorted(items[1:], key=lambda item: item.id in seen)
    while chosen and len(chosen) < RUN_LENGTH:
        latest = chosen[-1]
        left = [item for item in left if item is not latest and not are_enemies(item, latest)]
        if not left:
            break
        counts = Counter(item.topic for item in chosen[1:])
        chosen.append(min(left, key=lambda item: counts[item.topic]))
    return chosen


def _draw_for_today(
    items: list[Item], seen: Collection[str], due: Sequence[str], generator: random.Random
) -> list[Item]:
    by_id = {item.id: item for item in items}
    others = [item for item in items if not (item.advanced and len(seen) < RUN_LENGTH)]
    new_first = sorted(generator.sample(others, len(others)), key=lambda item: item.id in seen)
    chosen: list[Item] = []
    for item in [*(by_id[item_id] for item_id in due if item_id in by_id), *new_first]:
        if len(chosen) < DAY_LENGTH and item not in chosen and not any(are_enemies(item, other) for other in chosen):
            chosen.append(item)
    return chosen


def _order_by_prerequisites(items: list[Item], bank: Bank) -> list[Item]:
    """Return the items in their order, except that each comes after its direct and indirect prerequisites."""
    by_id = {item.id: item for item in bank.items}
    prerequisites = {item.id: _all_prerequisites(item, by_id) for item in items}
    ordered: list[Item] = []
    left = list(items)
    while left:
        waiting = {item.id for item in left}
        ready = (item for item in left if not prerequisites[item.id] & waiting)
        ordered.append(next(ready, left[0]))  # if prerequisites form a cycle, begin with any item of it
        left.remove(ordered[-1])
    return ordered


def _all_prerequisites(item: Item, by_id: dict[str, Item]) -> set[str]:
    ids: set[str] = set()
    to_follow = list(item.prereq)
    while to_follow:
        item_id = to_follow.pop()
        if item_id not in ids:
            ids.add(item_id)
            to_follow.extend(by_id[item_id].prereq)
    return ids - {item.id}
