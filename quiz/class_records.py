"""The records of classes: a class with its form, the runs of its learners with their nicknames, and its deletion."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from .errors import ClassError

FIXED, DRAWN = "fixed", "drawn"
LISTED, SHUFFLED = "listed", "shuffled"
AT_ONCE, AFTER_DEADLINE = "at once", "after deadline"
PRE, POST = "pre", "post"
TEXT, STAGE = "text", "stage"
"""The conditions of a study: the lesson as text only, or with its interactive stage."""
SINGLE_TEST = ""
"""The phase of a run in a class without a pre-test and a post-test."""

Numbers = Mapping[str, int | float | str]

MAX_NICKNAME = 40
_JOINERS = "\u200c\u200d"  # format characters of some scripts and emoji
# Spaces, the blank of Braille, and the code points that are not shown: Default_Ignorable_Code_Point in
# https://www.unicode.org/Public/UCD/latest/ucd/DerivedCoreProperties.txt
_UNSEEN = re.compile(
    r"[\s\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\uffa0"
    r"\U000e0000-\U000e0fff]+"
)


@dataclass(frozen=True)
class FormItem:
    """A question of a form.

    Attributes:
        item_id: Id of the item in the bank.
        version: Version of the item.
        numbers: The parameters of the question, in the first test and in the post-test; empty for a question without
            parameters and in a drawn form, in which each run draws its own.
    """

    item_id: str
    version: int
    numbers: Mapping[str, Numbers] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class QuizClass:
    """A class with the form that its learners answer.

    Attributes:
        code: The code that opens it to learners.
        created_at: Time of its creation, in UTC.
        title: Its title, as the teacher typed it.
        bank_hash: Fingerprint of the bank from which the form was made.
        draw: `FIXED` if every run has all items with the same numbers; `DRAWN` if each run draws `item_count` of them.
        item_count: Number of items in a run.
        order: `LISTED` or `SHUFFLED`.
        pre_post: Whether there are two tests on the same items with other numbers.
        attempts_allowed: Number of runs of a learner in each test.
        deadline: Time after which no answer is accepted, in UTC, or None.
        feedback: `AT_ONCE`, or `AFTER_DEADLINE` for an exam, in which nothing is revealed before.
        retention_days: Days after the deadline, or after the creation if there is none, when the class is deleted.
        token_hash: SHA-256 of the token that opens its results to the teacher, in hexadecimal.
        items: The items of the form, or those that a run draws from.
        randomized: Whether each learner is assigned to `TEXT` or `STAGE` at random.
    """

    code: str
    created_at: datetime
    title: str
    bank_hash: str
    draw: str
    item_count: int
    order: str
    pre_post: bool
    attempts_allowed: int
    deadline: datetime | None
    feedback: str
    retention_days: int
    token_hash: str
    items: tuple[FormItem, ...]
    randomized: bool = False

    @property
    def phases(self) -> tuple[str, ...]:
        """The tests of the class."""
        return (PRE, POST) if self.pre_post else (SINGLE_TEST,)

    @property
    def expires_at(self) -> datetime:
        """Time from which the class and its answers are deleted."""
        return (self.deadline or self.created_at) + timedelta(days=self.retention_days)

    def is_closed(self, now: datetime) -> bool:
        """Return whether the deadline has passed."""
        return self.deadline is not None and now >= self.deadline

    def is_exam(self, now: datetime) -> bool:
        """Return whether feedback is to be withheld at this time."""
        return self.feedback == AFTER_DEADLINE and not self.is_closed(now)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Return the class of a JSON object, in which times are texts.

        Raises:
            KeyError, TypeError, ValueError: The object is not that of a class.
        """
        times = {name: _read_time(values[name]) for name in ("created_at", "deadline")}
        return cls(**{**values, **times, "items": tuple(FormItem(**item) for item in values["items"])})


@dataclass(frozen=True)
class ClassRun:
    """A learner's run in a class.

    Attributes:
        run: Random name of the run, under which its answers are stored.
        code: Code of the class.
        nickname: The learner's nickname, or a random one.
        attempt_number: Number of the run among those of this learner in this test, from 1.
        phase: `SINGLE_TEST`, `PRE` or `POST`.
        started_at: Time of its start, in UTC.
        condition: `TEXT` or `STAGE` in a class that is randomized, else empty.
    """

    run: str
    code: str
    nickname: str
    attempt_number: int
    phase: str
    started_at: datetime
    condition: str = ""

    @property
    def learner(self) -> str:
        """The learner, whose nicknames may differ in ways that do not count; see `learner_of`."""
        return learner_of(self.nickname)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Return the run of a JSON object, in which the time is text.

        Raises:
            KeyError, TypeError, ValueError: The object is not that of a run.
        """
        return cls(**{**values, "started_at": _read_time(values["started_at"])})


@dataclass(frozen=True)
class ClassDeletion:
    """The deletion of a class, which a copy keeps so that a restart does not bring the class back."""

    code: str

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Return the deletion of a JSON object.

        Raises:
            TypeError: The object is not that of a deletion.
        """
        return cls(**values)


def _read_time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text).astimezone(UTC)


def read_nickname(text: str) -> str:
    """Return a nickname without superfluous spaces; empty if there is none.

    Raises:
        ClassError: It is longer than `MAX_NICKNAME`, or has no or other characters than such as can be seen.
    """
    nickname = " ".join(unicodedata.normalize("NFKC", text[: 10 * MAX_NICKNAME]).split())
    if len(nickname) > MAX_NICKNAME:
        raise ClassError(f"Please choose a nickname of at most {MAX_NICKNAME} characters.")
    if any(unicodedata.category(char).startswith("C") and char not in _JOINERS for char in nickname) or (
        nickname and not learner_of(nickname)
    ):
        raise ClassError("This nickname has characters that cannot be shown. Please choose another.")
    return nickname


def learner_of(nickname: str) -> str:
    """Return the text that all nicknames of a learner have in common.

    Nicknames are the same if they differ only in capitals, spaces, compatible forms of characters, or characters that
    are not seen.

    >>> learner_of("Ada L"), learner_of("ADAL"), learner_of("Bob")
    ('adal', 'adal', 'bob')
    """
    text = unicodedata.normalize("NFKD", nickname)
    for _ in range(2):  # folding may make more to normalize, and the reverse: Unicode, section 3.13, D146
        text = unicodedata.normalize("NFKD", text.casefold())
    return unicodedata.normalize("NFKC", _UNSEEN.sub("", text))
