"""Nicknames of learners in classes: how they are read, and which of them are the same."""

import re
import unicodedata

from .errors import ClassError

MAX_NICKNAME = 40
_JOINERS = "\u200c\u200d"  # format characters of some scripts and emoji
# Spaces, the blank of Braille, and the code points that are not shown: Default_Ignorable_Code_Point in
# https://www.unicode.org/Public/UCD/latest/ucd/DerivedCoreProperties.txt
_UNSEEN = re.compile(
    r"[\s\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\uffa0"
    r"\U000e0000-\U000e0fff]+"
)


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
