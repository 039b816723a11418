"""One learner's run: the open question, the answers so far, the score, and the level reached in each topic.

A session is immutable, and every step returns a new one. The record of answers, from which levels are computed, is
kept in the browser. It is validated when it comes back, and used only for display and to suggest the next topic.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .bank import Bank, Item, PublicItem, public_view
from .errors import SessionError
from .grading import Grade, grade
from .ladder import MOST_QUESTIONS, choose_next
from .selection import MIXED, RETRY, START, arrange_items, bring_forward, draw_items

_ANSWERED = "You have already answered this question. The first answer counts."
_NOT_OPEN = "This question is not open. Answer the one shown."

RETRY_SECONDS = 12 * 3600
"""Time after which another answer to the same item counts for a level: copying a key just shown shows no mastery."""
RETRY_ITEMS = 5
"""Number of other items after which another answer counts at once, if the item asks for a number and draws others."""


@dataclass(frozen=True)
class Counted:
    """The answer to an item that counts for the level of its topic.

    Attributes:
        credit: Part of the mark, from 0 to 1.
        time: Seconds since 1970 in UTC; 0 if unknown.
    """

    credit: float
    time: float = 0


Record = Mapping[str, Counted]
"""The answer that counts for each answered item, by item id."""

NOT_STARTED = "not started"
ATTEMPTED = "attempted"
# Name, minimum number of answered items and minimum mean credit; the highest level first.
_LEVELS = [("mastered", 5, 0.9), ("proficient", 3, 0.75), ("familiar", 1, 0.6)]
MASTERED = _LEVELS[0][0]
_LATEST = 1e12  # seconds since 1970, in a distant future


@dataclass(frozen=True)
class TopicScore:
    """The result in one topic: correct answers, number of items, and credit."""

    topic: str
    right: int
    total: int
    credit: float


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


@dataclass(frozen=True)
class Session:
    """A learner's run. `start_session` creates one; `take_hint`, `answer` and `advance` continue it.

    Attributes:
        run: Random name of the run.
        scope: One of `selection.list_scopes`, or `selection.RETRY`.
        seed: Seed of the order of items and options.
        items: The questions in the order in which they are asked, with their options in the order shown.
        seen: Ids of items that the learner answered in earlier runs.
        grades: The first answer to each item answered so far, in order.
        position: Index of the open item, answered or not; the number of items when the run is over.
        hints: Number of hints taken for the open item.
    """

    run: str
    scope: str
    seed: int
    items: tuple[Item, ...]
    seen: frozenset[str] = frozenset()
    grades: tuple[Grade, ...] = ()
    position: int = 0
    hints: int = 0

    @property
    def open_item(self) -> Item | None:
        """The open item with its key, which must stay on the server, or None when the run is over."""
        return None if self.finished else self.items[self.position]

    @property
    def current(self) -> PublicItem | None:
        """The open item without its key, or None when the run is over."""
        return public_view(self.open_item) if self.open_item else None

    @property
    def current_grade(self) -> Grade | None:
        """The grade of the open item, or None if it is not answered yet."""
        return self.grade_of(self.open_item.id) if self.open_item else None

    @property
    def hints_taken(self) -> tuple[str, ...]:
        """The hints for the open item that the learner has taken."""
        return self.open_item.hints[: self.hints] if self.open_item else ()

    @property
    def hints_left(self) -> int:
        """Number of hints left for the open item; 0 once it is answered."""
        return len(self.open_item.hints) - self.hints if self.open_item and not self.current_grade else 0

    @property
    def finished(self) -> bool:
        """True once the run is over."""
        return self.position >= len(self.items)

    @property
    def most_items(self) -> int:
        """Number of questions; of an adaptive start that is not over, the number that it has at most."""
        return MOST_QUESTIONS if self.scope == START and not self.finished else len(self.items)

    @property
    def score(self) -> int:
        """Number of correct answers so far."""
        return sum(grade.correct for grade in self.grades)

    @property
    def credit(self) -> float:
        """Marks earned so far: one for each correct answer, less the cost of its hints."""
        return sum(grade.credit for grade in self.grades)

    @property
    def mistakes(self) -> tuple[Grade, ...]:
        """The wrong answers so far, in order."""
        return tuple(grade for grade in self.grades if not grade.correct)

    @property
    def topic_scores(self) -> tuple[TopicScore, ...]:
        """The score of each topic, in the order in which the topics first occur."""
        totals = Counter(item.topic for item in self.items)
        by_topic = {topic: [grade for grade in self.grades if grade.item.topic == topic] for topic in totals}
        return tuple(
            TopicScore(topic, sum(grade.correct for grade in grades), totals[topic], sum(g.credit for g in grades))
            for topic, grades in by_topic.items()
        )

    def grade_of(self, item_id: str) -> Grade | None:
        """Return the grade of an item, or None if it is not answered."""
        return next((grade for grade in self.grades if grade.item.id == item_id), None)


def start_session(
    bank: Bank,
    scope: str = MIXED,
    seed: int = 0,
    run: str = "",
    seen: Iterable[str] = (),
    due: Sequence[str] = (),
) -> Session:
    """Start a run.

    Args:
        bank: The bank.
        scope: One of `selection.list_scopes`.
        seed: Seed of the choice of items and of the order of items and options.
        run: Random name under which the answers are stored.
        seen: Ids of items that the learner has answered before.
        due: Ids of items that are due again, for a run of `selection.TODAY`.

    Raises:
        SessionError: If the scope does not exist.
    """
    seen = frozenset(seen)
    return Session(run, scope, seed, arrange_items(bank, draw_items(bank, scope, seed, seen, due), seed), seen)


def retry(session: Session, bank: Bank, seed: int = 0, run: str = "") -> Session:
    """Start a run of the wrongly answered items, in the same order and with newly shuffled options.

    Args:
        session: The session with the wrong answers.
        bank: The bank.
        seed: Seed of the order of options.
        run: Random name under which the answers are stored.

    Raises:
        SessionError: If every answer was correct.
    """
    ids = [grade.item.id for grade in session.mistakes]
    if not ids:
        raise SessionError("There is nothing to try again: every answer was right.")
    return Session(run, RETRY, seed, arrange_items(bank, ids, seed), seen_items(session))


def seen_items(session: Session) -> frozenset[str]:
    """Return the ids of all items answered in this run or before it."""
    return session.seen | {grade.item.id for grade in session.grades}


def take_hint(session: Session, item_id: str) -> Session:
    """Take one more hint for the open item, at the cost of `grading.HINT_COST`.

    Raises:
        SessionError: If the item is not open, is answered already, or has no hints left.
    """
    _require_open(session, item_id)
    if not session.hints_left:
        raise SessionError("There are no more hints for this question.")
    return replace(session, hints=session.hints + 1)


def answer(
    session: Session, item_id: str, given: Sequence[str], confidence: int | None = None
) -> tuple[Session, Grade]:
    """Grade the first answer to the open item.

    Args:
        session: The session.
        item_id: Id of the item that the learner saw.
        given: Ids of the chosen options, or only the typed number.
        confidence: One of `grading.CONFIDENCE`, or None.

    Returns:
        The session with the answer, and the grade.

    Raises:
        SessionError: If the item is not open or is answered already, or if the answer does not fit the item.
    """
    item = _require_open(session, item_id)
    graded = grade(item, given, session.hints, confidence)
    return replace(session, grades=(*session.grades, graded)), graded


def follow_up(session: Session, bank: Bank) -> Session:
    """Return the run with the question that follows from the answer just given, if it leads to one.

    In a mixed run it is on the misconception behind a wrong answer, or on the topic of one that the learner did not
    know, unless the question before it was on this topic, too. For an adaptive start see `extend`.
    """
    if session.scope == START:
        return extend(session, bank)
    graded = session.current_grade
    if session.scope != MIXED or graded is None or graded.correct:
        return session
    later = {item.id for item in session.items[session.position + 1 :]}
    if any(graded.item.id in later for graded in session.grades):  # those that another window gave
        return session
    topic, misconceptions = graded.item.topic, set(graded.misconceptions)
    is_repeated = session.position > 0 and session.items[session.position - 1].topic == topic

    def is_wanted(item: Item) -> bool:
        return bool(item.misconceptions & misconceptions) if graded.known else item.topic == topic and not is_repeated

    arguments = session.items, session.position, is_wanted, bank, session.seed, session.seen
    return replace(session, items=bring_forward(*arguments))


def extend(session: Session, bank: Bank) -> Session:
    """Return an adaptive start with its next question, if all are answered and the level is not found yet."""
    if session.scope != START or len(session.grades) < len(session.items):
        return session
    item_id = choose_next(bank, session.grades, session.seed, session.seen)
    following = arrange_items(bank, [item_id], session.seed) if item_id else ()
    return replace(session, items=(*session.items, *following))


def advance(session: Session) -> Session:
    """Open the first unanswered question, or end the run if there is none.

    Raises:
        SessionError: If the open question is not answered yet.
    """
    if session.finished:
        return session
    if session.current_grade is None:
        raise SessionError("Answer this question first. There is no penalty for a wrong answer.")
    return replace(session, position=_first_unanswered(session), hints=0)


def restore(session: Session, grades: Iterable[Grade]) -> Session:
    """Return the session with recorded grades, which replace its own grades for the same items.

    The open question stays open unless an earlier one is unanswered.
    """
    by_id = {grade.item.id: grade for grade in session.grades} | {grade.item.id: grade for grade in grades}
    ordered = tuple(by_id[item.id] for item in session.items if item.id in by_id)
    restored = replace(session, grades=ordered)
    first = _first_unanswered(restored)
    if restored.position != first and restored.current_grade is None:
        return replace(restored, position=first, hints=0)
    return restored


def read_record(bank: Bank, data: object) -> Record:
    """Return the valid entries of a record from the browser, by known item: a credit and a time, or an older credit."""
    if not isinstance(data, dict):
        return {}
    entries = {item.id: data.get(item.id) for item in bank.items}
    lists = {item_id: entry if isinstance(entry, list) else [entry, 0] for item_id, entry in entries.items()}
    return {item_id: Counted(*entry) for item_id, entry in lists.items() if _is_counted(entry)}


def write_record(record: Record) -> dict[str, list[float]]:
    """Return a record as the JSON value that `read_record` reads."""
    return {item_id: [counted.credit, counted.time] for item_id, counted in record.items()}


def update_record(record: Record, graded: Grade, time: float) -> Record:
    """Return the record after an answer, which counts if it is the first to its item, or no copy of the key.

    That is after `RETRY_SECONDS`, or for a numeric item with parameters after `RETRY_ITEMS` other items. The right
    option of a choice can be recognized among other numbers.
    """
    counted = record.get(graded.item.id)
    if counted and time - counted.time < RETRY_SECONDS:
        others = sum(other.time > counted.time for other in record.values())
        if not (graded.item.template and graded.item.numeric) or others < RETRY_ITEMS:
            return record
    return {**record, graded.item.id: Counted(graded.credit, time)}


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


def _first_unanswered(session: Session) -> int:
    answered = {grade.item.id for grade in session.grades}
    unanswered = (index for index, item in enumerate(session.items) if item.id not in answered)
    return next(unanswered, len(session.items))


def _require_open(session: Session, item_id: str) -> Item:
    if session.grade_of(item_id):
        raise SessionError(_ANSWERED)
    if session.open_item is None or session.open_item.id != item_id:
        raise SessionError(_NOT_OPEN)
    return session.open_item


def _compute_standing(topic: str, ids: list[str], record: Record) -> Standing:
    credits = [record[item_id].credit for item_id in ids if item_id in record]
    answered, credit = len(credits), sum(credits)
    level = ATTEMPTED if answered else NOT_STARTED
    for name, min_answered, min_credit in reversed(_LEVELS):
        if answered >= min(min_answered, len(ids)) and credit >= min_credit * answered:
            level = name
    return Standing(topic, level, answered, len(ids), credit)


def _is_counted(entry: list[Any]) -> bool:
    if len(entry) != 2 or not all(isinstance(x, int | float) and not isinstance(x, bool) for x in entry):
        return False
    return 0 <= entry[0] <= 1 and 0 <= entry[1] <= _LATEST
