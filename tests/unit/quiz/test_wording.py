"""Wording that messages have in common."""

from quiz.wording import counted


def test_one_is_singular_and_large_numbers_have_commas() -> None:
    assert [counted(number, "run") for number in (0, 1, 2, 2000)] == ["0 runs", "1 run", "2 runs", "2,000 runs"]
