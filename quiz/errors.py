"""The errors of the quiz, whose messages are written for learners and teachers, and wording that messages share."""


class BankError(ValueError):
    """An error for an answer bank that cannot be used.

    Attributes:
        fault: The fault in one line.
        item_id: The item at fault, or None if the fault concerns the whole file.
    """

    def __init__(self, fault: str, item_id: str | None = None) -> None:
        """Build the one-line message from the fault and the item."""
        self.fault = " ".join(fault.split())
        self.item_id = item_id
        super().__init__(f"item {item_id}: {self.fault}" if item_id else f"answer bank: {self.fault}")


class SessionError(ValueError):
    """An error for a step that the quiz refuses; the message tells the learner why."""


class ClassError(SessionError):
    """An error for a class that cannot be made, opened or answered; the message tells the learner or teacher why."""


class ClassUnavailableError(ClassError):
    """An error for a class that cannot be read at the moment, as the database fails."""


class TokenError(ValueError):
    """An error for a token from which a run cannot be resumed; the message tells the learner why."""


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, such as "1 run" and "2,000 runs"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
