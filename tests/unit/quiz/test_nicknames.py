"""Nicknames: what is read, and which ones are of the same learner."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quiz.errors import ClassError
from quiz.nicknames import MAX_NICKNAME, learner_of, read_nickname


def test_a_nickname_is_short_and_visible() -> None:
    assert read_nickname("  Ada \t Lovelace\n") == "Ada Lovelace"
    assert read_nickname("") == read_nickname("  ") == ""
    assert read_nickname("x" * MAX_NICKNAME) == "x" * MAX_NICKNAME
    assert read_nickname("👩\u200d🔬") == "👩\u200d🔬"
    unseen = ("\u200d", "\u3164", "\u2800", "\ufe0f", "\u034f")
    for text in ("x" * (MAX_NICKNAME + 1), "a\u202eb", "a\x00b", "a\ud800", "x" * 1_000_000, *unseen):
        with pytest.raises(ClassError):
            read_nickname(text)


@pytest.mark.parametrize(
    "other",
    [
        "ADA L",
        "ada  l",
        "AdaL",
        " Ada L ",
        "Ada\u00a0L",
        "Ada\u200dL",
        "Ada\ufe0f L",
        "Ａｄａ L",
        "A\u034fda\u3164L",
        "Ada\U000e0101L",
    ],
)
def test_nicknames_that_look_alike_are_of_the_same_learner(other: str) -> None:
    assert learner_of(other) == learner_of("Ada L") == "adal"


@pytest.mark.parametrize(
    ("one", "other"), [("Straße", "STRASSE"), ("ΣΊΣΥΦΟΣ", "σίσυφος"), ("ﬁona", "FIONA"), ("É", "e\u0301"), ("Ǆ", "ǆ")]
)
def test_capitals_of_any_script_do_not_count(one: str, other: str) -> None:
    assert learner_of(one) == learner_of(other) != ""


def test_other_nicknames_are_of_other_learners() -> None:
    assert len({learner_of(text) for text in ("Ada", "Adá", "Ada2", "Bob", "李", "👩", "A-da")}) == 7


@given(st.text())
def test_the_learner_of_a_learner_is_the_same(text: str) -> None:
    assert learner_of(learner_of(text)) == learner_of(text)
