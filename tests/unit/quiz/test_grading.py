"""Typed numbers are read correctly, or refused with an explanation."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quiz.errors import SessionError
from quiz.grading import read_number


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("0.12", 0.12), ("0,12", 0.12), (".5", 0.5), (",5", 0.5), ("5.", 5), ("-0.1", -0.1), ("−0,1", -0.1),
        ("- 0.1", -0.1), ("+3", 3), ("1/2", 0.5), ("-1 / 2", -0.5), ("12%", 0.12), ("12 %", 0.12), ("3e4", 30000),
        ("3E-2", 0.03), ("31872", 31872), ("31 872", 31872), ("31,872", 31872), ("31'872", 31872), ("31’872", 31872),
        ("31\u00a0872", 31872), ("31\u202f872", 31872), ("1,234,567.5", 1234567.5), ("1.234.567", 1234567),
        ("1.234,5", 1234.5), ("31.872", 31.872), ("0,125", 0.125), ("0.125", 0.125), ("  7 ", 7), ("1 234,5", 1234.5),
        ("00012", 12), ("1/3", 1 / 3), ("2,5/5", 0.5),
    ],
)  # fmt: skip
def test_a_number_is_read(typed: str, number: float) -> None:
    assert read_number(typed) == pytest.approx(number, rel=1e-12)


@pytest.mark.parametrize(
    ("typed", "unit", "number"),
    [
        ("6.6 steps", "steps", 6.6), ("6,6steps", "steps", 6.6), ("1 step", "steps", 1),
        ("31872 Parameters", "parameters", 31872),
        ("31,872 params", "parameters", 31872), ("31872 param.", "parameters", 31872), ("12 %", "%", 12),
        ("3e4 steps", "steps", 30000),
    ],
)  # fmt: skip
def test_a_number_may_be_followed_by_its_unit(typed: str, unit: str, number: float) -> None:
    assert read_number(typed, unit) == number


@pytest.mark.parametrize("typed", ["", "   ", "\u00a0"])
def test_an_empty_text_is_refused(typed: str) -> None:
    with pytest.raises(SessionError, match="Type a number first"):
        read_number(typed)


@pytest.mark.parametrize(
    "typed",
    [
        "nan", "NaN", "inf", "-inf", "Infinity", "∞", "six", "0x10", "1_000", "1e", "e5", "1,2,3", "3 1", "1 23",
        "12 34 567",
        "--1", "1/2/3", "1/", "/2", "1//2", "0.1.2", "½", "١٢", "1 kg", "$1$", "<b>1</b>", "1;2", "1,234.5,6",
        "%", "-", ".", ",",
    ],
)  # fmt: skip
def test_a_text_that_is_not_a_number_is_refused(typed: str) -> None:
    with pytest.raises(SessionError, match="not a number"):
        read_number(typed, "steps")


@pytest.mark.parametrize("typed", ["1e999", "-1e999", "1e300/1e-300"])
def test_a_number_that_is_too_large_is_refused(typed: str) -> None:
    with pytest.raises(SessionError, match="too large"):
        read_number(typed)


def test_a_division_by_zero_is_refused() -> None:
    with pytest.raises(SessionError, match="denominator"):
        read_number("1/0")


def test_an_oversized_text_is_refused() -> None:
    with pytest.raises(SessionError, match="longer than 40 characters"):
        read_number("1" * 1_000_000)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_printed_by_python_is_read_back(number: float) -> None:
    assert read_number(str(number)) == number


@given(st.integers(0, 10**12))
def test_grouped_thousands_are_read(number: int) -> None:
    assert read_number(f"{number:,}") == read_number(f"{number:,}".replace(",", " ")) == number


@given(st.text(max_size=60), st.sampled_from(["", "steps", "parameters"]))
def test_any_text_is_a_finite_number_or_refused(typed: str, unit: str) -> None:
    try:
        number = read_number(typed, unit)
    except SessionError:
        return
    assert abs(number) < float("inf")
