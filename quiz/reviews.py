"""Spaced repetition: when each answered item is due again.

The algorithm is FSRS-6 of Ye, Su and Cao (2022, "A stochastic shortest path algorithm for optimizing spaced repetition
scheduling", KDD 2022) in its published implementation: an item is due when the probability that it is still known has
fallen to 90%. What it remembers of an item is kept in the browser. It is validated when it comes back, and used only to
choose questions.
"""

from collections.abc import Mapping
from dataclasses import astuple, dataclass
from datetime import UTC, datetime
from typing import TypeGuard

from fsrs import Card, Rating, Scheduler, State

from .bank import Bank
from .grading import CONFIDENCE, Grade
from .session import RETRY_SECONDS

MAX_DAYS = 365
"""Longest time until an item is due again."""
DUE_EARLY = 12 * 3600
"""Seconds by which an item is due before its time of the day: who comes every day does not come at the same minute."""
_DAY = 24 * 3600
_LATEST = 1e11  # seconds since 1970; a date until which the calendar of Python reaches
_STABILITY = (0.001, 36500)  # days
_DIFFICULTY = (1, 10)
_SCHEDULER = Scheduler(learning_steps=(), relearning_steps=(), maximum_interval=MAX_DAYS, enable_fuzzing=False)


@dataclass(frozen=True)
class Review:
    """The memory of an item, estimated from its answers.

    Attributes:
        due: When to ask it again, in seconds since 1970 in UTC.
        stability: Days until the probability that it is known falls to 90%.
        difficulty: From 1 to 10.
        last: When it was last answered, in seconds since 1970 in UTC.
    """

    due: float
    stability: float
    difficulty: float
    last: float


Reviews = Mapping[str, Review]
"""The review of each answered item, by item id."""


def read_reviews(bank: Bank, data: object, now: float) -> Reviews:
    """Return the valid entries of reviews from the browser, by known item."""
    if not isinstance(data, dict):
        return {}
    entries = {item.id: data.get(item.id) for item in bank.items}
    return {item_id: Review(*entry) for item_id, entry in entries.items() if _is_review(entry, now)}


def write_reviews(reviews: Reviews) -> dict[str, list[float]]:
    """Return reviews as the JSON value that `read_reviews` reads."""
    return {item_id: [round(part, 4) for part in astuple(review)] for item_id, review in reviews.items()}


def update_reviews(reviews: Reviews, graded: Grade, time: float) -> Reviews:
    """Return the reviews after an answer.

    A right answer puts the item off, the longer the more often it was right; a partly right or guessed one, or one with
    a hint, for less. An answer within `RETRY_SECONDS` of the last one may repeat a key just shown, and changes nothing.
    """
    before = reviews.get(graded.item.id)
    if before and time - before.last < RETRY_SECONDS:
        return reviews
    now = datetime.fromtimestamp(time, UTC)
    card = Card(card_id=0, due=now)
    if before:
        last, due = (datetime.fromtimestamp(seconds, UTC) for seconds in (before.last, before.due))
        card = Card(0, State.Review, None, before.stability, before.difficulty, due, last)
    card, _ = _SCHEDULER.review_card(card, _rate(graded), now)
    assert card.stability is not None
    assert card.difficulty is not None
    return {**reviews, graded.item.id: Review(card.due.timestamp(), card.stability, card.difficulty, time)}


def list_due(bank: Bank, reviews: Reviews, now: float) -> tuple[str, ...]:
    """Return the ids of the live items that are due, the longest due first."""
    live = {item.id for item in bank.items if item.status == "live"}
    due = [item_id for item_id, review in reviews.items() if item_id in live and review.due <= now + DUE_EARLY]
    return tuple(sorted(due, key=lambda item_id: reviews[item_id].due))


def _rate(graded: Grade) -> Rating:
    if not graded.credit:
        return Rating.Again
    guessed = graded.confidence == min(CONFIDENCE)
    return Rating.Hard if guessed or graded.credit < 1 else Rating.Good


def _is_review(entry: object, now: float) -> TypeGuard[list[float]]:
    if not isinstance(entry, list) or len(entry) != len(Review.__annotations__):
        return False
    if not all(isinstance(part, int | float) and not isinstance(part, bool) and abs(part) < _LATEST for part in entry):
        return False
    due, stability, difficulty, last = entry
    return bool(
        0 <= last <= now + _DAY  # the clock of another server may be ahead
        and last <= due <= last + (MAX_DAYS + 1) * _DAY
        and _STABILITY[0] <= stability <= _STABILITY[1]
        and _DIFFICULTY[0] <= difficulty <= _DIFFICULTY[1]
    )
