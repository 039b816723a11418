"""A learner's progress in each topic, from the last answer to each item.

The record of last answers is kept in the browser. It is validated when it comes back, and only used for display and for
suggesting the next topic.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .bank import Bank
from .grading import Grade

Record = Mapping[str, float]
"""The credit of the last answer to each answered item, from 0 to 1, by item id."""

NOT_STARTED = "not started"
ATTEMPTED = "attempted"
# Name, minimum number of answered items and minimum mean credit; the highest level first.
_LEVELS = [("mastered", 5, 0.9), ("proficient", 3, 0.75), ("familiar", 1, 0.6)]
MASTERED = _LEVELS[0][0]


@dataclass(frozen=True)
class Standing:
    """A learner's level in a topic.

    Attributes:
        topic: Name of the topic.
        level: Name of the level.
        answered: Number of items answered.
        total: Number of items of the topic.
        credit: Sum of the credit of the last answers.
    """

    topic: str
    level: str
    answered: int
    total: int
    credit: float


def read_record(bank: Bank, data: object) -> Record:
    """Return the valid entries of a record from the browser: known items with a credit from 0 to 1."""
    if not isinstance(data, dict):
        return {}
    return {item.id: float(data[item.id]) for item in bank.items if _is_credit(data.get(item.id))}


def update_record(record: Record, grades: Iterable[Grade]) -> Record:
    """Return the record with these grades as the last answers to their items."""
    return {**record, **{grade.item.id: grade.credit for grade in grades}}


def compute_standings(bank: Bank, record: Record) -> tuple[Standing, ...]:
    """Return the standing in each topic, in the order of the bank.

    A topic is familiar, proficient or mastered from 1, 3 or 5 answered items (or all its items) with 60, 75 or 90
    percent of the credit. Below that, a topic with an answered item is attempted.
    """
    items: dict[str, list[str]] = {}
    for item in bank.items:
        if item.status == "live":
            items.setdefault(item.topic, []).append(item.id)
    return tuple(_compute_standing(topic, ids, record) for topic, ids in items.items())


def find_weakest(standings: Iterable[Standing]) -> Standing | None:
    """Return the standing with the least credit per item, or None if all topics are mastered."""
    unfinished = [standing for standing in standings if standing.level != MASTERED]
    return min(unfinished, key=lambda standing: standing.credit / standing.total, default=None)


def _compute_standing(topic: str, ids: list[str], record: Record) -> Standing:
    credits = [record[item_id] for item_id in ids if item_id in record]
    answered, credit = len(credits), sum(credits)
    level = ATTEMPTED if answered else NOT_STARTED
    for name, min_answered, min_credit in reversed(_LEVELS):
        if answered >= min(min_answered, len(ids)) and credit >= min_credit * answered:
            level = name
    return Standing(topic, level, answered, len(ids), credit)


def _is_credit(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1
