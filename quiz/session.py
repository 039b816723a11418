"""One learner's run through the bank: which question is open, what was answered, and the score.

A session never changes. Every step returns a new one, so the page can keep it anywhere and a test can replay
it.
"""

import random
from collections import Counter
from dataclasses import dataclass, replace

from .bank import Bank, Item, Option, PublicItem, public_view

RUN_LENGTH = 10


class SessionError(ValueError):
    """A step the quiz does not take, with a message fit for the learner."""


@dataclass(frozen=True)
class Grade:
    """A graded answer. It holds the key of its item, which is no secret once the item is answered."""

    item: Item
    chosen: Option

    @property
    def correct(self) -> bool:
        """Whether the chosen option is right."""
        return self.chosen.correct


@dataclass(frozen=True)
class TopicScore:
    """How many items of a topic were answered right, of how many."""

    topic: str
    right: int
    total: int


@dataclass(frozen=True)
class Session:
    """A learner's run. Make one with `start_session`; go on with `answer` and `advance`.

    Attributes:
        items: The questions in the order they are asked, options in the order they are shown.
        grades: The first answer to each item answered so far, in the order given.
        position: Index of the open item, answered or not; the number of items when the run is over.
    """

    items: tuple[Item, ...]
    grades: tuple[Grade, ...] = ()
    position: int = 0

    @property
    def current(self) -> PublicItem | None:
        """The open item without its key, or None when the run is over."""
        return None if self.finished else public_view(self.items[self.position])

    @property
    def current_grade(self) -> Grade | None:
        """The grade of the open item, or None as long as it is not answered."""
        return None if self.finished else self.grade_of(self.items[self.position].id)

    @property
    def finished(self) -> bool:
        """Whether every question has been answered and left."""
        return self.position >= len(self.items)

    @property
    def score(self) -> int:
        """How many answers are right so far."""
        return sum(grade.correct for grade in self.grades)

    @property
    def mistakes(self) -> tuple[Grade, ...]:
        """The wrong answers so far, in the order given."""
        return tuple(grade for grade in self.grades if not grade.correct)

    @property
    def topic_scores(self) -> tuple[TopicScore, ...]:
        """The score of each topic, in the order in which the topics come up."""
        totals = Counter(item.topic for item in self.items)
        right = Counter(grade.item.topic for grade in self.grades if grade.correct)
        return tuple(TopicScore(topic, right[topic], total) for topic, total in totals.items())

    def grade_of(self, item_id: str) -> Grade | None:
        """Return the grade of an item, or None if it is not answered."""
        return next((grade for grade in self.grades if grade.item.id == item_id), None)


def start_session(bank: Bank, shuffle_seed: int | None = None) -> Session:
    """Start a run through `RUN_LENGTH` live single-choice items, as many of each topic as of any other.

    Args:
        bank: The questions. Its first item opens the run; the others keep the order of the bank.
        shuffle_seed: Draws the items, and shuffles the options of each, the same way for the same number. None
            takes the first items of each topic and keeps the order of options.
    """
    items = [item for item in bank.items if item.status == "live" and item.type == "single"]
    if shuffle_seed is None:
        return Session(tuple(_spread(items)))
    chance = random.Random(shuffle_seed)
    drawn = _spread([*items[:1], *chance.sample(items[1:], len(items[1:]))])
    return Session(tuple(_shuffled(item, chance) for item in sorted(drawn, key=items.index)))


def _spread(items: list[Item]) -> list[Item]:
    """Return the first `RUN_LENGTH` items when the topics take turns, in the order given."""
    turns: list[tuple[int, int]] = []
    met = Counter[str]()
    for place, item in enumerate(items):
        turns.append((met[item.topic], place))
        met[item.topic] += 1
    return [items[place] for place in sorted(place for _, place in sorted(turns)[:RUN_LENGTH])]


def _shuffled(item: Item, chance: random.Random) -> Item:
    return replace(item, options=tuple(chance.sample(item.options, len(item.options))))


def answer(session: Session, item_id: str, option_id: str) -> tuple[Session, Grade]:
    """Grade the first answer to an item.

    Returns:
        The session with the answer in it, and the grade.

    Raises:
        SessionError: If the item is already answered, or the item or the option does not exist.
    """
    item = next((item for item in session.items if item.id == item_id), None)
    if item is None:
        raise SessionError("This question is not part of the quiz.")
    if session.grade_of(item_id):
        raise SessionError("You have already answered this question. The first answer counts.")
    chosen = next((option for option in item.options if option.oid == option_id), None)
    if chosen is None:
        raise SessionError("This answer does not belong to the question. Choose one of those listed.")
    grade = Grade(item, chosen)
    return replace(session, grades=(*session.grades, grade)), grade


def advance(session: Session) -> Session:
    """Go on to the first question without an answer, or to the end if there is none.

    Raises:
        SessionError: If the open question is not answered yet.
    """
    if session.finished:
        return session
    if session.current_grade is None:
        raise SessionError("Answer this question first. There is no penalty for a wrong answer.")
    answered = {grade.item.id for grade in session.grades}
    unanswered = (index for index, item in enumerate(session.items) if item.id not in answered)
    return replace(session, position=next(unanswered, len(session.items)))
