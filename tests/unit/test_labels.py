"""Raw label values become names: spellings unified, star ratings mapped."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentiment_gru import OptionsError
from sentiment_gru.labels import canonical_label, order_labels, parse_label_map, plain_label


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (4.0, "4"),
        ("4.0", "4"),
        (4.5, "4.5"),
        (True, "True"),
        (" Very good ", "Very good"),
        ("NEG", "negative"),
        (float("nan"), None),
        (None, None),
        ("  ", None),
    ],
)
def test_raw_values_become_names_and_gaps_none(value: object, name: str | None) -> None:
    assert plain_label(value) == name


@given(st.text())
def test_unifying_a_name_twice_changes_nothing_more(name: str) -> None:
    assert canonical_label(canonical_label(name)) == canonical_label(name)


@given(st.sampled_from(["neg", "Negative", "NEUTRAL", "neu", "pos", "Positive"]), st.sampled_from(["", " ", "\t"]))
def test_every_spelling_of_the_three_poles_is_unified(name: str, space: str) -> None:
    assert canonical_label(space + name.swapcase() + space) == canonical_label(name)
    assert canonical_label(name) in {"negative", "neutral", "positive"}


def test_labels_are_ordered_from_negative_to_positive_else_by_name() -> None:
    assert order_labels(["positive", "negative", "positive"]) == ["negative", "positive"]
    assert order_labels(["world", "sports", "positive"]) == ["positive", "sports", "world"]


def test_a_label_map_groups_values_and_an_empty_target_drops_them() -> None:
    assert parse_label_map("1, 2=NEG;3=;Five stars=pos") == {
        "1": "negative",
        "2": "negative",
        "3": None,
        "five stars": "positive",
    }
    assert parse_label_map("") == {}


@given(st.dictionaries(st.integers(0, 99), st.sampled_from("abc"), min_size=1))
def test_a_label_map_is_read_back_as_written(mapping: dict[int, str]) -> None:
    text = ";".join(f"{value}={name}" for value, name in mapping.items())
    assert parse_label_map(text) == {str(value): name for value, name in mapping.items()}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1,2", "has '1,2'; write it like"),
        ("=negative", "has '=negative'; write it like"),
        ("1,,2=negative", "write it like"),
        ("1=negative;1.0=positive", "the value 1 twice"),
        ("1=;2=", "keeps no label"),
    ],
)
def test_a_label_map_that_cannot_be_read_is_refused_with_an_example(text: str, message: str) -> None:
    with pytest.raises(OptionsError, match=message):
        parse_label_map(text)
