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
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from .answer_log import AnswerLog
from .bank import Bank, Level
from .class_records import AT_ONCE, learner_of, read_nickname
from .class_service import ClassService, Sitting
from .classes import read_code, without_items
from .errors import ClassError, ClassUnavailableError, SessionError, TokenError
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
MAX_NICKNAMES = 20
"""Classes whose nicknames a browser keeps."""
_ANSWERED_BEFORE = "You had answered this question before: that first answer counts."
_IN_EXAM = "Questions of your last run are part of a test of a class now, or give one away: a new run leaves them out."
_NOT_RESUMED = "Your run in a class cannot be read at the moment; nothing of it is lost. Reload the page to try again."
_NO_HINTS = "There are no hints in a test."
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
        sitting: The run in a class to which the session belongs, or None.
        nicknames: The learner's latest nickname in each class, by code.
        waiting_token: The token of a run in a class that the database did not return; the browser keeps it.
    """

    session: Session
    record: Record
    message: str = ""
    notice: str = ""
    stored: bool = True
    shown_at: float | None = None
    reviews: Reviews = field(default_factory=dict)
    sitting: Sitting | None = None
    nicknames: Mapping[str, str] = field(default_factory=dict)
    waiting_token: str = ""


class QuizService:
    """A service that opens, resumes and continues runs. Threads may share it."""

    def __init__(self, bank: Bank, store: Store, secret: bytes) -> None:
        """Take the questions, the store for answers, and the secret that signs resume tokens."""
        self.bank = bank
        self._answers = AnswerLog(store)
        self._tokens = ResumeTokens(secret, bank)
        self._reduced = frozenset[str](), bank
        self.classes = ClassService(bank, store, self._answers, secret)

    def open(self, memory: object) -> Visit:
        """Return the visit of a learner: the run saved in the browser's memory, or a new one."""
        saved = memory if isinstance(memory, dict) else {}
        record = read_record(self.bank, saved.get("credits"))
        kept: dict[str, Any] = {
            "nicknames": _read_nicknames(saved.get("nicknames")),
            "reviews": read_reviews(self.bank, saved.get("reviews"), time.time()),
        }
        if token := saved.get("class_run"):
            return self._open_class_run(Visit(self._start(MIXED), record, **kept), token)
        if not saved.get("run"):
            return Visit(self._start(MIXED), record, **kept)
        try:
            session = self._tokens.read(saved["run"])
        except TokenError as error:
            return Visit(self._start(MIXED), record, notice=str(error), **kept)
        if self._reveals_exam(session):
            return Visit(self._start(MIXED), record, notice=_IN_EXAM, **kept)
        session = self._resume(session)
        for graded in session.grades:  # those that another window gave
            if graded.item.id not in record:
                record = update_record(record, graded, time.time())
                kept["reviews"] = update_reviews(kept["reviews"], graded, time.time())
        return Visit(session, record, stored=self._answers.is_stored(session.run), **kept)

    def memory(self, visit: Visit) -> dict[str, Any]:
        """Return the data that the browser saves. They hold no key, and are not trusted when they come back."""
        token = self.classes.sign(visit.sitting) if visit.sitting else visit.waiting_token
        return {
            **({"class_run": token} if token else {"run": self._tokens.sign(visit.session)}),
            "credits": write_record(visit.record),
            "reviews": write_reviews(visit.reviews),
            "nicknames": dict(visit.nicknames),
        }

    def join(self, visit: Visit, code: str, nickname: str) -> Visit:
        """Begin a run in a class, or go on with the one that this learner has begun.

        Args:
            visit: The visit.
            code: The code of the class, as typed.
            nickname: The learner's nickname, or nothing.
        """
        try:
            name = read_nickname(nickname)
            if visit.sitting and not visit.session.finished and _is_same(visit.sitting, code, name):
                return self._sit(visit, visit.sitting)
            earlier = visit.nicknames.get(read_code(code)[0])
            return self._sit(visit, self.classes.begin(code, name, earlier))
        except SessionError as error:
            return replace(visit, message="", notice=str(error))

    def is_withheld(self, visit: Visit) -> bool:
        """Return whether keys, marks and scores of the run are withheld, as in an exam."""
        return visit.sitting is not None and self.classes.is_withheld(visit.sitting)

    def start(self, visit: Visit, scope: str) -> Visit:
        """Start another run outside of classes; see `selection.list_scopes`."""
        seen = seen_items(visit.session)

        def begin(session: Session) -> Session:
            return self._start_today(visit.reviews, seen) if scope == TODAY else self._start(scope, seen)

        return self._move(visit, begin, sitting=None, waiting_token="")

    def restart(self, visit: Visit) -> Visit:
        """Start another run of the same scope, or in the same class; a mixed one after a retry."""
        if visit.sitting:
            run = visit.sitting.run
            return self.join(visit, run.code + run.phase, run.nickname)
        scope = visit.session.scope
        return self.start(visit, MIXED if scope == RETRY else scope)

    def retry(self, visit: Visit) -> Visit:
        """Start a run of the items answered wrong."""
        if self.is_withheld(visit) or self._reveals_exam(visit.session):
            return replace(visit, message=_IN_EXAM)
        return self._move(
            visit, lambda session: retry(session, self.bank, random.getrandbits(32), _new_name()), sitting=None
        )

    def practise(self, visit: Visit) -> Visit:
        """Start a run of the level found, or of the topic to practise next; a mixed one if there is none."""
        if level := self.level_found(visit):
            return self.start(visit, level_scope(level.name))
        topic = self.topic_to_practise(visit)
        return self.start(visit, topic_scope(topic.topic) if topic else MIXED)

    def advance(self, visit: Visit) -> Visit:
        """Go on to the next question, or to the result."""
        self._answers.store_pending(visit.session.run)
        return self._refuse(visit) or self._move(visit, advance)

    def hint(self, visit: Visit, item_id: str) -> Visit:
        """Take a hint to the open question; an exam has none."""
        if refused := self._refuse(visit):
            return refused
        if self.is_withheld(visit):
            return replace(visit, message=_NO_HINTS)
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
        if refused := self._refuse(visit):
            return refused
        is_withheld, open_session = self.is_withheld(visit), visit.session
        if is_withheld and open_session.current_grade:  # answered before an exam with this question was made
            open_session = advance(open_session)
        try:
            session, graded = answer(self._with_noted_hints(open_session), item_id, given, confidence)
        except SessionError as error:
            return replace(visit, message=str(error))
        attempt = _to_attempt(session, graded, visit.shown_at)
        recorded = self._answers.record(attempt)
        message = ""
        if recorded.answer != attempt.answer:
            session, message = restore(session, _to_grades(session, [recorded])), _ANSWERED_BEFORE
        if is_withheld:
            return self._next_visit(visit, advance(session), message=message, shown_at=time.monotonic())
        session = follow_up(session, self._bank_without_exams())
        record, reviews = visit.record, visit.reviews
        if visit.sitting is None or visit.sitting.quiz_class.feedback == AT_ONCE:
            counted = session.grade_of(item_id) or graded
            record = update_record(record, counted, time.time())
            reviews = update_reviews(reviews, counted, time.time())
        return self._next_visit(visit, session, record=record, reviews=reviews, message=message)

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

    def _open_class_run(self, visit: Visit, token: object) -> Visit:
        """Return the visit with the run in a class that a token names, or with the reason why it cannot go on."""
        try:
            return self._sit(visit, self.classes.resume(token))
        except ClassUnavailableError as error:
            return replace(visit, notice=f"{_NOT_RESUMED} {error}", waiting_token=str(token))
        except (TokenError, ClassError) as error:
            return replace(visit, notice=str(error))

    def _start(self, scope: str, seen: frozenset[str] = frozenset()) -> Session:
        return start_session(self._bank_without_exams(), scope, random.getrandbits(32), _new_name(), seen)

    def _start_today(self, reviews: Reviews, seen: frozenset[str]) -> Session:
        bank = self._bank_without_exams()
        due = list_due(bank, reviews, time.time())
        return start_session(bank, TODAY, random.getrandbits(32), _new_name(), seen | reviews.keys(), due)

    def _bank_without_exams(self) -> Bank:
        """Return the bank without the questions that would reveal keys of open exams."""
        reserved, reduced = self.classes.reserved(), self._reduced
        if reduced[0] != reserved:
            self._reduced = reduced = reserved, without_items(self.bank, reserved)
        return reduced[1]

    def _reveals_exam(self, session: Session) -> bool:
        reserved = self.classes.reserved()
        return bool(reserved) and any(item.id in reserved for item in session.items)

    def _refuse(self, visit: Visit) -> Visit | None:
        """Return the visit that follows if its run must not go on, or None.

        That is the end of the run once its class is closed, and a new run if the class is deleted, or if a run outside
        of classes has a question that reveals one of an open exam.
        """
        if visit.sitting is None:
            if self._reveals_exam(visit.session):
                return self._next_visit(visit, self._start(MIXED), notice=_IN_EXAM)
            return None
        try:
            self.classes.check(visit.sitting)
        except ClassError as error:
            if self.classes.is_closed(visit.sitting):
                return self._next_visit(visit, _end(visit.session), notice=str(error))
            return self._next_visit(visit, self._start(MIXED), notice=str(error), sitting=None)
        return None

    def _sit(self, visit: Visit, sitting: Sitting) -> Visit:
        """Return the visit with a run in a class, its recorded answers, and its first unanswered question open.

        Raises:
            ClassError: The questions of the class have changed.
        """
        session = self._resume(self.classes.session_of(sitting))
        if self.classes.is_closed(sitting):
            session = _end(session)
        elif session.current_grade:
            session = advance(session)
        others = [pair for pair in visit.nicknames.items() if pair[0] != sitting.run.code]
        nicknames = dict([*others, (sitting.run.code, sitting.run.nickname)][-MAX_NICKNAMES:])
        return self._next_visit(
            visit, session, sitting=sitting, nicknames=nicknames, waiting_token="", shown_at=time.monotonic()
        )

    def _move(self, visit: Visit, step: Callable[[Session], Session], **others: Any) -> Visit:
        """Return the visit with another question open, or with the reason why the step was refused."""
        try:
            session = step(visit.session)
        except SessionError as error:
            return replace(visit, message=str(error))
        return self._next_visit(visit, session, shown_at=time.monotonic(), **others)

    def _next_visit(self, visit: Visit, session: Session, **others: Any) -> Visit:
        """Return the visit after a step."""
        values = {"message": "", "notice": "", "shown_at": None, "stored": self._answers.is_stored(session.run)}
        return replace(visit, session=session, **values | others)

    def _resume(self, session: Session) -> Session:
        """Return the session of a token with the recorded answers of its run, which override those in the token."""
        recorded = self._answers.attempts_of(session.run)
        known = {attempt.item_id for attempt in recorded}
        for graded in session.grades:
            if graded.item.id not in known:  # answered in another process while the store was unavailable
                recorded.append(self._answers.record(_to_attempt(session, graded, None)))
        session = restore(session, _to_grades(session, recorded))
        while (longer := extend(session, self._bank_without_exams())) != session:  # another window may have gone on
            session = restore(longer, _to_grades(longer, recorded))
        return self._with_noted_hints(session)

    def _with_noted_hints(self, session: Session) -> Session:
        if session.open_item is None or session.current_grade:
            return session
        noted = self._answers.note_hints(session.run, session.open_item.id, session.hints)
        return replace(session, hints=min(noted, len(session.open_item.hints)))


def _end(session: Session) -> Session:
    """Return a session that is over, whether or not all questions are answered."""
    return replace(session, position=len(session.items))


def _is_same(sitting: Sitting, code: str, nickname: str) -> bool:
    """Return whether a code and a nickname, or none, are those of a run."""
    run = sitting.run
    return read_code(code) == (run.code, run.phase) and learner_of(nickname) in ("", run.learner)


def _read_nicknames(data: object) -> dict[str, str]:
    """Return the valid nicknames that the browser has saved, by code of the class."""
    nicknames: dict[str, str] = {}
    for code, nickname in [*data.items()][:MAX_NICKNAMES] if isinstance(data, dict) else []:
        try:
            nicknames[read_code(code)[0]] = read_nickname(nickname)
        except (ClassError, TypeError, AttributeError):
            continue
    return {code: nickname for code, nickname in nicknames.items() if nickname}


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
