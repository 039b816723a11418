"""One learner's run: which question is open, what was answered, and the score.

A session never changes. Every step returns a new one, so the page can keep it anywhere and a test can replay
it.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from .bank import Bank, Item, PublicItem, public_view
from .errors import SessionError
from .grading import Grade, grade
from .selection import MIXED, RETRY, arrange, draw

_ANSWERED = "You have already answered this question. The first answer counts."
_ELSEWHERE = "This question is not open. Answer the one shown."


@dataclass(frozen=True)
class TopicScore:
    """How many items of a topic were answered right, of how many, and the credit for them."""

    topic: str
    right: int
    total: int
    credit: float


@dataclass(frozen=True)
class Session:
    """A learner's run. Make one with `start_session`; go on with `take_hint`, `answer` and `advance`.

    Attributes:
        run: Name of the run.
        scope: What was drawn from: one of `drawing.scopes`, or `drawing.RETRY`.
        seed: What the options are shuffled by.
        items: The questions in the order they are asked, options in the order they are shown.
        seen: Ids of items that the learner has answered in an earlier run.
        grades: The first answer to each item answered so far, in the order given.
        position: Index of the open item, answered or not; the number of items when the run is over.
        hints: How many hints were taken for the open item.
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
        """The open item with its key, for the server only, or None when the run is over."""
        return None if self.finished else self.items[self.position]

    @property
    def current(self) -> PublicItem | None:
        """The open item without its key, or None when the run is over."""
        return public_view(self.open_item) if self.open_item else None

    @property
    def current_grade(self) -> Grade | None:
        """The grade of the open item, or None as long as it is not answered."""
        return self.grade_of(self.open_item.id) if self.open_item else None

    @property
    def hints_taken(self) -> tuple[str, ...]:
        """The hints to the open item that the learner has paid for."""
        return self.open_item.hints[: self.hints] if self.open_item else ()

    @property
    def hints_left(self) -> int:
        """How many hints to the open item are left; none once it is answered."""
        return len(self.open_item.hints) - self.hints if self.open_item and not self.current_grade else 0

    @property
    def finished(self) -> bool:
        """Whether every question has been answered and left."""
        return self.position >= len(self.items)

    @property
    def score(self) -> int:
        """How many answers are right so far."""
        return sum(grade.correct for grade in self.grades)

    @property
    def credit(self) -> float:
        """The marks earned so far: one for each right answer, less what its hints cost."""
        return sum(grade.credit for grade in self.grades)

    @property
    def mistakes(self) -> tuple[Grade, ...]:
        """The wrong answers so far, in the order given."""
        return tuple(grade for grade in self.grades if not grade.correct)

    @property
    def topic_scores(self) -> tuple[TopicScore, ...]:
        """The score of each topic, in the order in which the topics come up."""
        totals = Counter(item.topic for item in self.items)
        of_topic = {topic: [grade for grade in self.grades if grade.item.topic == topic] for topic in totals}
        return tuple(
            TopicScore(topic, sum(grade.correct for grade in grades), totals[topic], sum(g.credit for g in grades))
            for topic, grades in of_topic.items()
        )

    def grade_of(self, item_id: str) -> Grade | None:
        """Return the grade of an item, or None if it is not answered."""
        return next((grade for grade in self.grades if grade.item.id == item_id), None)


def start_session(bank: Bank, scope: str = MIXED, seed: int = 0, run: str = "", seen: Iterable[str] = ()) -> Session:
    """Start a run.

    Args:
        bank: The questions.
        scope: Which of them, one of `drawing.scopes`.
        seed: Draws the items and shuffles them and their options, the same way for the same number.
        run: Name of the run, under which its answers are kept.
        seen: Ids of items that the learner has answered before.

    Raises:
        SessionError: If there is no such scope.
    """
    seen = frozenset(seen)
    return Session(run, scope, seed, arrange(bank, draw(bank, scope, seed, seen), seed), seen)


def retry(session: Session, bank: Bank, seed: int = 0, run: str = "") -> Session:
    """Start a run of what was answered wrong, in the same order, options shuffled anew.

    Raises:
        SessionError: If nothing was.
    """
    ids = [grade.item.id for grade in session.mistakes]
    if not ids:
        raise SessionError("There is nothing to try again: every answer was right.")
    return Session(run, RETRY, seed, arrange(bank, ids, seed), seen_after(session))


def seen_after(session: Session) -> frozenset[str]:
    """Return the ids of all items answered in this run and before."""
    return session.seen | {grade.item.id for grade in session.grades}


def take_hint(session: Session, item_id: str) -> Session:
    """Take one more hint to the open item; see `grading.HINT_COST`.

    Raises:
        SessionError: If the item is not open, is answered, or has no more hints.
    """
    _require_open(session, item_id)
    if not session.hints_left:
        raise SessionError("There are no more hints to this question.")
    return replace(session, hints=session.hints + 1)


def answer(
    session: Session, item_id: str, given: Sequence[str], confidence: int | None = None
) -> tuple[Session, Grade]:
    """Grade the first answer to the open item.

    Args:
        session: The run.
        item_id: The item that the learner saw.
        given: Ids of the chosen options, or the typed number alone.
        confidence: One of `grading.CONFIDENCE`, or None.

    Returns:
        The session with the answer in it, and the grade.

    Raises:
        SessionError: If the item is not open or is answered already, or if it is no answer to this item.
    """
    item = _require_open(session, item_id)
    graded = grade(item, given, session.hints, confidence)
    return replace(session, grades=(*session.grades, graded)), graded


def advance(session: Session) -> Session:
    """Go on to the first question without an answer, or to the end if there is none.

    Raises:
        SessionError: If the open question is not answered yet.
    """
    if session.finished:
        return session
    if session.current_grade is None:
        raise SessionError("Answer this question first. There is no penalty for a wrong answer.")
    return replace(session, position=_first_unanswered(session), hints=0)


def restore(session: Session, grades: Iterable[Grade]) -> Session:
    """Return the session with grades that count more than its own.

    The open question stays open, unless it is past one that is not answered.
    """
    known = {grade.item.id: grade for grade in session.grades} | {grade.item.id: grade for grade in grades}
    ordered = tuple(known[item.id] for item in session.items if item.id in known)
    restored = replace(session, grades=ordered)
    first = _first_unanswered(restored)
    if restored.position != first and restored.current_grade is None:
        return replace(restored, position=first, hints=0)
    return restored


def _first_unanswered(session: Session) -> int:
    answered = {grade.item.id for grade in session.grades}
    unanswered = (index for index, item in enumerate(session.items) if item.id not in answered)
    return next(unanswered, len(session.items))


def _require_open(session: Session, item_id: str) -> Item:
    if session.grade_of(item_id):
        raise SessionError(_ANSWERED)
    if session.open_item is None or session.open_item.id != item_id:
        raise SessionError(_ELSEWHERE)
    return session.open_item
