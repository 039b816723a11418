"""The runs of all learners: each step is taken here, and every answer recorded before anything is told of it.

    runs = Runs(load_bank(), Store(), secret)
    visit = runs.open(memory)  # what the learner's browser kept
    visit = runs.answer(visit, item_id, ["k4vd"])
    memory = runs.memory(visit)

A visit is what the server knows of a learner.
"""

import random
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .answer_log import Ledger
from .bank import Bank
from .errors import SessionError, TokenError
from .grading import Grade, grade
from .progress import Record, Standing, compute_standings, find_weakest, read_record, update_record
from .records import Attempt, Feedback
from .resume_token import Tokens
from .selection import MIXED, RETRY, topic_scope
from .session import Session, advance, answer, restore, retry, seen_items, start_session, take_hint
from .store import Store

MAX_FEEDBACK = 2000
_EARLIER = "You had answered this question before: that first answer counts."
_NOTHING_SAID = "Choose yes or no, or write a few words, then send."


@dataclass(frozen=True, eq=False)  # Gradio hashes it at each event: as an object, that costs nothing
class Visit:
    """A learner at the quiz; kept on the server.

    Attributes:
        session: The run.
        record: The last answers, for the levels; see `mastery`.
        message: Why the last step was not taken, or empty.
        notice: What has to be said of the run as a whole, or empty.
        kept: Whether every answer of the run is in the store.
        shown: When the open question was shown, by `time.monotonic`; None if that is not known.
    """

    session: Session
    record: Record
    message: str = ""
    notice: str = ""
    kept: bool = True
    shown: float | None = None


class Runs:
    """Opens, resumes and continues runs. Threads may share it."""

    def __init__(self, bank: Bank, store: Store, secret: bytes) -> None:
        """Take the questions, the place where answers are kept, and what tokens are signed with."""
        self.bank = bank
        self._ledger = Ledger(store)
        self._tokens = Tokens(secret, bank)

    def open(self, memory: object) -> Visit:
        """Return the visit of a learner whose browser kept this: the run resumed, or a new one."""
        kept = memory if isinstance(memory, dict) else {}
        record = read_record(self.bank, kept.get("credits"))
        if not kept.get("run"):
            return Visit(self._start(MIXED), record)
        try:
            session = self._tokens.read(kept["run"])
        except TokenError as error:
            return Visit(self._start(MIXED), record, notice=str(error))
        return self._visit(self._resumed(session), record)

    def memory(self, visit: Visit) -> dict[str, Any]:
        """Return what the browser keeps of a visit. Nothing in it is a key, and none of it is trusted later."""
        return {"run": self._tokens.sign(visit.session), "credits": dict(visit.record)}

    def start(self, visit: Visit, scope: str) -> Visit:
        """Start another run; see `selection.list_scopes`."""
        return self._moved(visit, lambda session: self._start(scope, seen_items(session)))

    def restart(self, visit: Visit) -> Visit:
        """Start another run of the same scope; a mixed one after a retry."""
        scope = visit.session.scope
        return self.start(visit, MIXED if scope == RETRY else scope)

    def retry(self, visit: Visit) -> Visit:
        """Start a run of what was answered wrong."""
        return self._moved(visit, lambda session: retry(session, self.bank, random.getrandbits(32), _new_name()))

    def practise(self, visit: Visit) -> Visit:
        """Start a run through the topic to practise next; a mixed one if there is none."""
        topic = self.topic_to_practise(visit)
        return self.start(visit, topic_scope(topic.topic) if topic else MIXED)

    def advance(self, visit: Visit) -> Visit:
        """Go on to the next question, or to the result."""
        self._ledger.keep(visit.session.run)
        return self._moved(visit, advance)

    def hint(self, visit: Visit, item_id: str) -> Visit:
        """Take a hint to the open question."""
        try:
            session = take_hint(self._with_noted_hints(visit.session), item_id)
        except SessionError as error:
            return replace(visit, message=str(error))
        return replace(visit, session=self._with_noted_hints(session), message="")

    def answer(self, visit: Visit, item_id: str, given: Sequence[str], confidence: int | None = None) -> Visit:
        """Grade and record the answer to the open question. The first one counts, wherever it was given."""
        try:
            session, graded = answer(self._with_noted_hints(visit.session), item_id, given, confidence)
        except SessionError as error:
            return replace(visit, message=str(error))
        attempt = _attempt(session, graded, visit.shown)
        recorded = self._ledger.record(attempt)
        message = ""
        if recorded.answer != attempt.answer:
            session, message = restore(session, _grades(session, [recorded])), _EARLIER
        return self._visit(session, visit.record, message=message)

    def standings(self, visit: Visit) -> tuple[Standing, ...]:
        """Return the learner's level in each topic."""
        return compute_standings(self.bank, visit.record)

    def topic_to_practise(self, visit: Visit) -> Standing | None:
        """Return the topic to practise next, or None if all are mastered."""
        return find_weakest(self.standings(visit))

    def send_feedback(self, visit: Visit, clear: bool | None, text: str) -> None:
        """Store what a learner says of the quiz.

        Raises:
            SessionError: If it says nothing, or more than `MAX_FEEDBACK` characters.
            StoreError: If it could not be stored.
        """
        text = text.strip()
        if clear is None and not text:
            raise SessionError(_NOTHING_SAID)
        if len(text) > MAX_FEEDBACK:
            raise SessionError(f"That is {len(text):,} characters. Please shorten it to {MAX_FEEDBACK:,}, then send.")
        self._ledger.record_feedback(Feedback(visit.session.run, clear, text))

    def _start(self, scope: str, seen: frozenset[str] = frozenset()) -> Session:
        return start_session(self.bank, scope, random.getrandbits(32), _new_name(), seen)

    def _moved(self, visit: Visit, step: Callable[[Session], Session]) -> Visit:
        """Return the visit with another question open, or with the reason why it is not."""
        try:
            session = step(visit.session)
        except SessionError as error:
            return replace(visit, message=str(error))
        return self._visit(session, visit.record, shown=time.monotonic())

    def _visit(self, session: Session, record: Record, **others: Any) -> Visit:
        kept = self._ledger.keeps(session.run)
        return Visit(session, update_record(record, session.grades), kept=kept, **others)

    def _resumed(self, session: Session) -> Session:
        """Return a session of a token with what was recorded of its run, which counts more than the token."""
        recorded = self._ledger.attempts_of(session.run)
        known = {attempt.item_id for attempt in recorded}
        for graded in session.grades:
            if graded.item.id not in known:  # the store was away, and this process did not see it
                recorded.append(self._ledger.record(_attempt(session, graded, None)))
        return self._with_noted_hints(restore(session, _grades(session, recorded)))

    def _with_noted_hints(self, session: Session) -> Session:
        if session.open_item is None or session.current_grade:
            return session
        noted = self._ledger.note_hints(session.run, session.open_item.id, session.hints)
        return replace(session, hints=min(noted, len(session.open_item.hints)))


def _new_name() -> str:
    return secrets.token_urlsafe(12)


def _attempt(session: Session, graded: Grade, shown: float | None) -> Attempt:
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
        milliseconds=None if shown is None else int(1000 * (time.monotonic() - shown)),
    )


def _grades(session: Session, attempts: Sequence[Attempt]) -> list[Grade]:
    """Return the grades of recorded attempts at items of the session."""
    items = {item.id: item for item in session.items}
    return [
        grade(items[attempt.item_id], attempt.answer, attempt.hints, attempt.confidence)
        for attempt in attempts
        if attempt.item_id in items
    ]
