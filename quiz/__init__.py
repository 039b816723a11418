"""A multiple-choice quiz on the components of a GRU: an answer bank, and learners' runs through it.

    from quiz import answer, load_bank, start_session

    session = start_session(load_bank(), seed=7)
    session, grade = answer(session, session.current.id, [session.current.options[0].oid])

The page is in `quiz.tab`, which alone needs Gradio; the proofs of the keys are in `quiz.proofs`, the answers that
are kept in `quiz.store`.
"""

from .bank import Bank, Item, PublicItem, load_bank, public_view
from .errors import SessionError
from .grading import Grade
from .session import Session, advance, answer, retry, start_session, take_hint
from .validation import BankError

__all__ = [
    "Bank",
    "BankError",
    "Grade",
    "Item",
    "PublicItem",
    "Session",
    "SessionError",
    "advance",
    "answer",
    "load_bank",
    "public_view",
    "retry",
    "start_session",
    "take_hint",
]
