"""The steps of a learner through the quiz; each answer is recorded before its feedback is returned.

    quiz = QuizService(load_bank(), Store(), secret)
    visit = quiz.open(memory)  # the memory of the learner's browser
    visit = quiz.answer(visit, item_id, ["k4vd"])
    memory = quiz.memory(visit)

A visit is the state of a learner on the server.
"""

import random
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from .answer_log import AnswerLog
from .bank import Bank, Level
from .errors import SessionError, TokenError
from .grading import DO_NOT_KNOW, Grade, grade
from .ladder import find_level
from .records import Attempt, Feedback
from .resume_token import ResumeTokens
from .reviews import Reviews, list_due, read_reviews, update_reviews, write_reviews
from .selection import MIXED, RETRY, START, TODAY, level_scope, topic_scope
from .session import (
    Record,
    Session,
    Standing,
    advance,
    answer,
    compute_standings,
    extend,
    find_weakest,
    follow_up,
    read_record,
    restore,
    retry,
    seen_items,
    start_session,
    take_hint,
    update_record,
    write_record,
)
from .store import Store

MAX_FEEDBACK = 2000
_ANSWERED_BEFORE = "You had answered this question before: that first answer counts."
_EMPTY_FEEDBACK = "Choose yes or no, or write a few words, then send."


@dataclass(frozen=True, eq=False)  # Gradio hashes it at each event, which is fast by identity
class Visit:
    """The state of a learner's visit, which stays on the server.

    Attributes:
        session: The run.
        record: The answers that count for the levels; see `session.Record`.
        message: Why the last step was refused, or empty.
        notice: A message about the run as a whole, or empty.
        stored: Whether the store has every answer of the run.
        shown_at: Value of `time.monotonic` when the open question was shown; None if unknown.
        reviews: When answered items are due again.
    """

    session: Session
    record: Record
    message: str = ""
    notice: str = ""
    stored: bool = True
    shown_at: float | None = None
    reviews: Reviews = field(default_factory=dict)


class QuizService:
    """A service that opens, resumes and continues runs. Threads may share it."""

    def __init__(self, bank: Bank, store: Store, secret: bytes) -> None:
        """Take the questions, the store for answers, and the secret that signs resume tokens."""
        self.bank = bank
        self._answers = AnswerLog(store)
        self._tokens = ResumeTokens(secret, bank)

    def open(self, memory: object) -> Visit:
        """Return the visit of a learner: the run saved in the browser's memory, or a new one."""
        saved = memory if isinstance(memory, dict) else {}
        record = read_record(self.bank, saved.get("credits"))
        reviews = read_reviews(self.bank, saved.get("reviews"), time.time())
        if not saved.get("run"):
            return Visit(self._start(MIXED), record, reviews=reviews)
        try:
            session = self._tokens.read(saved["run"])
        except TokenError as error:
            return Visit(self._start(MIXED), record, notice=str(error), reviews=reviews)
        session = self._resume(session)
        for graded in session.grades:  # those that another window gave
            if graded.item.id not in record:
                record = update_record(record, graded, time.time())
                reviews = update_reviews(reviews, graded, time.time())
        return self._visit(session, record, reviews=reviews)

    def memory(self, visit: Visit) -> dict[str, Any]:
        """Return the data that the browser saves. They hold no key, and are not trusted when they come back."""
        return {
            "run": self._tokens.sign(visit.session),
            "credits": write_record(visit.record),
            "reviews": write_reviews(visit.reviews),
        }

    def start(self, visit: Visit, scope: str) -> Visit:
        """Start another run; see `selection.list_scopes`."""
        if scope == TODAY:
            return self._move(visit, lambda session: self._start_today(visit.reviews, seen_items(session)))
        return self._move(visit, lambda session: self._start(scope, seen_items(session)))

    def restart(self, visit: Visit) -> Visit:
        """Start another run of the same scope; a mixed one after a retry."""
        scope = visit.session.scope
        return self.start(visit, MIXED if scope == RETRY else scope)

    def retry(self, visit: Visit) -> Visit:
        """Start a run of the items answered wrong."""
        return self._move(visit, lambda session: retry(session, self.bank, random.getrandbits(32), _new_name()))

    def practise(self, visit: Visit) -> Visit:
        """Start a run of the level found, or of the topic to practise next; a mixed one if there is none."""
        if level := self.level_found(visit):
            return self.start(visit, level_scope(level.name))
        topic = self.topic_to_practise(visit)
        return self.start(visit, topic_scope(topic.topic) if topic else MIXED)

    def advance(self, visit: Visit) -> Visit:
        """Go on to the next question, or to the result."""
        self._answers.store_pending(visit.session.run)
        return self._move(visit, advance)

    def hint(self, visit: Visit, item_id: str) -> Visit:
        """Take a hint to the open question."""
        try:
            session = take_hint(self._with_noted_hints(visit.session), item_id)
        except SessionError as error:
            return replace(visit, message=str(error))
        return replace(visit, session=self._with_noted_hints(session), message="")

    def answer(self, visit: Visit, item_id: str, given: Sequence[str], confidence: int | None = None) -> Visit:
        """Grade and record the answer to the open question. The first one counts, in whichever window it was given.

        Args:
            visit: The visit.
            item_id: Id of the item that the learner saw.
            given: Ids of the chosen options, or only the typed number, or only `DO_NOT_KNOW`.
            confidence: One of `grading.CONFIDENCE`, or None.
        """
        try:
            session, graded = answer(self._with_noted_hints(visit.session), item_id, given, confidence)
        except SessionError as error:
            return replace(visit, message=str(error))
        attempt = _to_attempt(session, graded, visit.shown_at)
        recorded = self._answers.record(attempt)
        message = ""
        if recorded.answer != attempt.answer:
            session, message = restore(session, _to_grades(session, [recorded])), _ANSWERED_BEFORE
        session = follow_up(session, self.bank)
        counted = session.grade_of(item_id) or graded
        record = update_record(visit.record, counted, time.time())
        reviews = update_reviews(visit.reviews, counted, time.time())
        return self._visit(session, record, message=message, reviews=reviews)

    def skip(self, visit: Visit, item_id: str) -> Visit:
        """Record that the learner does not know the answer to the open question."""
        return self.answer(visit, item_id, [DO_NOT_KNOW])

    def standings(self, visit: Visit) -> tuple[Standing, ...]:
        """Return the learner's level in each topic."""
        return compute_standings(self.bank, visit.record)

    def topic_to_practise(self, visit: Visit) -> Standing | None:
        """Return the topic to practise next, or None if all are mastered."""
        return find_weakest(self.standings(visit))

    def count_due(self, visit: Visit) -> int:
        """Return the number of items that are due again."""
        return len(list_due(self.bank, visit.reviews, time.time()))

    def level_found(self, visit: Visit) -> Level | None:
        """Return the level at which the learner belongs after an adaptive start, or None after another run."""
        session = visit.session
        if session.scope != START or not session.finished or not self.bank.ladder:
            return None
        return self.bank.ladder[find_level(self.bank, session.grades)]

    def send_feedback(self, visit: Visit, clear: bool | None, text: str) -> None:
        """Store a learner's feedback on the quiz.

        Args:
            visit: The visit.
            clear: Whether everything was clear, or None.
            text: Suggestions.

        Raises:
            SessionError: It is empty, or longer than `MAX_FEEDBACK` characters.
            StoreError: It could not be stored.
        """
        text = text.strip()
        if clear is None and not text:
            raise SessionError(_EMPTY_FEEDBACK)
        if len(text) > MAX_FEEDBACK:
            raise SessionError(f"That is {len(text):,} characters. Please shorten it to {MAX_FEEDBACK:,}, then send.")
        self._answers.record_feedback(Feedback(visit.session.run, clear, text))

    def _start(self, scope: str, seen: frozenset[str] = frozenset()) -> Session:
        return start_session(self.bank, scope, random.getrandbits(32), _new_name(), seen)

    def _start_today(self, reviews: Reviews, seen: frozenset[str]) -> Session:
        due = list_due(self.bank, reviews, time.time())
        return start_session(self.bank, TODAY, random.getrandbits(32), _new_name(), seen | reviews.keys(), due)

    def _move(self, visit: Visit, step: Callable[[Session], Session]) -> Visit:
        """Return the visit with another question open, or with the reason why the step was refused."""
        try:
            session = step(visit.session)
        except SessionError as error:
            return replace(visit, message=str(error))
        return self._visit(session, visit.record, shown_at=time.monotonic(), reviews=visit.reviews)

    def _visit(self, session: Session, record: Record, **others: Any) -> Visit:
        return Visit(session, record, stored=self._answers.is_stored(session.run), **others)

    def _resume(self, session: Session) -> Session:
        """Return the session of a token with the recorded answers of its run, which override those in the token."""
        recorded = self._answers.attempts_of(session.run)
        known = {attempt.item_id for attempt in recorded}
        for graded in session.grades:
            if graded.item.id not in known:  # answered in another process while the store was unavailable
                recorded.append(self._answers.record(_to_attempt(session, graded, None)))
        session = restore(session, _to_grades(session, recorded))
        while (longer := extend(session, self.bank)) != session:  # another window may have gone on
            session = restore(longer, _to_grades(longer, recorded))
        return self._with_noted_hints(session)

    def _with_noted_hints(self, session: Session) -> Session:
        if session.open_item is None or session.current_grade:
            return session
        noted = self._answers.note_hints(session.run, session.open_item.id, session.hints)
        return replace(session, hints=min(noted, len(session.open_item.hints)))


def _new_name() -> str:
    return secrets.token_urlsafe(12)


def _to_attempt(session: Session, graded: Grade, shown_at: float | None) -> Attempt:
    item = graded.item
    return Attempt(
        run=session.run,
        item_id=item.id,
        item_version=item.version,
        answer=graded.given,
        correct=graded.correct,
        credit=graded.credit,
        first_try=item.id not in session.seen,
        hints=graded.hints,
        confidence=graded.confidence,
        milliseconds=None if shown_at is None else int(1000 * (time.monotonic() - shown_at)),
        parameters=item.drawn,
    )


def _to_grades(session: Session, attempts: Sequence[Attempt]) -> list[Grade]:
    """Return the grades of recorded attempts at items of the session."""
    items = {item.id: item for item in session.items}
    return [
        grade(items[attempt.item_id], attempt.answer, attempt.hints, attempt.confidence)
        for attempt in attempts
        if attempt.item_id in items
    ]
