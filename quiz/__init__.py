"""A multiple-choice quiz on the components of a GRU: an answer bank, and learners' runs through it.

    from quiz import answer, load_bank, start_session

    session = start_session(load_bank(), seed=7)
    session, grade = answer(session, session.current.id, [session.current.options[0].oid])

The page is built in `quiz.tab`, which needs Gradio. The keys are proved in `quiz.proofs`, and answers are stored by
`quiz.store`.
"""

from .bank import Bank, Item, PublicItem, load_bank, public_view
from .errors import BankError, SessionError
from .grading import Grade
from .session import Session, advance, answer, retry, start_session, take_hint

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
