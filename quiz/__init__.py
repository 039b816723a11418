"""A multiple-choice quiz on the components of a GRU: an answer bank, and learners' runs through it.

    from quiz import answer, load_bank, start_session

    session = start_session(load_bank())
    session, grade = answer(session, session.current.id, session.current.options[0].oid)

The page is in `quiz.quiz_tab`, which alone needs Gradio; the proofs of the keys are in `quiz.checks`.
"""

from .bank import Bank, Item, PublicItem, load_bank, public_view
from .faults import BankError
from .session import Grade, Session, SessionError, advance, answer, start_session

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
    "start_session",
]
