"""What is kept of a learner's run: attempts and feedback, without a trace of who it was."""

from dataclasses import dataclass


class StoreError(Exception):
    """Something could not be stored or read, with a message fit for the learner."""


@dataclass(frozen=True)
class Attempt:
    """One answer to one item. Nothing in it says who gave it.

    Attributes:
        run: Random name of the run that it belongs to.
        item_id: The item, as in the bank.
        item_version: The version of the item.
        answer: Ids of the options chosen, or the number as it was typed.
        correct: Whether the answer is right.
        credit: Part of the mark, from 0 to 1.
        first_try: Whether the learner met the item for the first time.
        hints: How many hints were taken.
        confidence: How sure the learner said to be, or None.
        milliseconds: Time from question to answer, or None.
    """

    run: str
    item_id: str
    item_version: int
    answer: tuple[str, ...]
    correct: bool
    credit: float
    first_try: bool
    hints: int
    confidence: int | None
    milliseconds: int | None


@dataclass(frozen=True)
class Feedback:
    """What a learner said of the quiz: whether it was clear, or None, and how it can be improved."""

    run: str | None
    clear: bool | None
    text: str
