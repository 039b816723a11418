"""How far a learner is in each topic, from the last answer to each of its items.

The record of last answers is kept in the browser. What comes back from there is checked, and used to show and to
suggest something only.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .bank import Bank
from .grading import Grade

Record = Mapping[str, float]
"""For each item answered, the credit for the last answer, from 0 to 1."""

NOT_STARTED = "not started"
ATTEMPTED = "attempted"
# Name, fewest items answered, least mean credit; the highest first.
_LEVELS = [("mastered", 5, 0.9), ("proficient", 3, 0.75), ("familiar", 1, 0.6)]
MASTERED = _LEVELS[0][0]


@dataclass(frozen=True)
class Standing:
    """A learner's level in a topic: how many of its items were answered, and the credit for their last answers."""

    topic: str
    level: str
    answered: int
    total: int
    credit: float


def read_record(bank: Bank, data: object) -> Record:
    """Return what is sound in a record from the browser: known items with a credit between 0 and 1."""
    if not isinstance(data, dict):
        return {}
    return {item.id: float(data[item.id]) for item in bank.items if _is_credit(data.get(item.id))}


def updated(record: Record, grades: Iterable[Grade]) -> Record:
    """Return the record with these grades as the last ones of their items."""
    return {**record, **{grade.item.id: grade.credit for grade in grades}}


def standings(bank: Bank, record: Record) -> tuple[Standing, ...]:
    """Return the level in each topic, in the order of the bank.

    A topic is familiar, proficient or mastered from 1, 3 or 5 items answered (or all it has) with 60, 75 or 90 percent
    of the credit; below that it is attempted.
    """
    items: dict[str, list[str]] = {}
    for item in bank.items:
        if item.status == "live":
            items.setdefault(item.topic, []).append(item.id)
    return tuple(_standing(topic, ids, record) for topic, ids in items.items())


def weakest(standings: Iterable[Standing]) -> Standing | None:
    """Return the topic to practise next: the one with the least credit for its items; None if all are mastered."""
    unfinished = [standing for standing in standings if standing.level != MASTERED]
    return min(unfinished, key=lambda standing: standing.credit / standing.total, default=None)


def _standing(topic: str, ids: list[str], record: Record) -> Standing:
    credits = [record[item_id] for item_id in ids if item_id in record]
    answered, credit = len(credits), sum(credits)
    level = ATTEMPTED if answered else NOT_STARTED
    for name, fewest, share in reversed(_LEVELS):
        if answered >= min(fewest, len(ids)) and credit >= share * answered:
            level = name
    return Standing(topic, level, answered, len(ids), credit)


def _is_credit(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1
