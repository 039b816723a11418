"""Splits and columns are taken as told, found where they are not, and refused where that is a guess."""

import pytest
from datasets import ClassLabel, Dataset, Features, List, Value
from hypothesis import given
from hypothesis import strategies as st

from sentiment_gru import DatasetError
from sentiment_gru.data.columns import (
    LABEL_COLUMNS,
    TEXT_COLUMNS,
    Columns,
    Reading,
    find_columns,
    map_applies,
    read_label_sets,
    read_rows,
)
from sentiment_gru.data.sources import find_splits
from sentiment_gru.labels import parse_label_map

TEXTS = [f"text number {i}" for i in range(12)]
names = st.text("abcdefgh_", min_size=1, max_size=6).filter(lambda n: n not in {*TEXT_COLUMNS, *LABEL_COLUMNS})


def table(**columns: list[object]) -> Dataset:
    return Dataset.from_dict(columns)


@given(st.sampled_from(TEXT_COLUMNS), st.sampled_from(LABEL_COLUMNS), st.booleans(), st.permutations(range(4)))
def test_usual_names_are_found_in_any_order_and_case(text: str, label: str, upper: bool, order: list[int]) -> None:
    text, label = (text.upper(), label.title()) if upper else (text, label)
    columns = [(text, TEXTS), (label, ["a", "b"] * 6), ("id", TEXTS), ("year", [1, 2, 3] * 4)]
    assert find_columns(table(**dict(columns[i] for i in order)), Reading()) == Columns(text, label)


@given(st.lists(names, min_size=3, max_size=3, unique=True), st.permutations(range(3)))
def test_the_only_string_and_the_only_column_of_few_values_are_found(called: list[str], order: list[int]) -> None:
    contents = [TEXTS, [1.0, 2.0, None] * 4, list(range(12))]
    columns = dict(zip(called, contents, strict=True))
    found = find_columns(table(**{called[i]: columns[called[i]] for i in order}), Reading())
    assert found == Columns(called[0], called[1])


@given(st.lists(names, min_size=4, max_size=4, unique=True))
def test_columns_that_are_named_are_taken_whatever_else_there_is(called: list[str]) -> None:
    contents = [TEXTS, ["a", "b"] * 6, TEXTS[::-1], ["x", "y", "z"] * 4]
    dataset = table(text=TEXTS, label=[0, 1] * 6, **dict(zip(called, contents, strict=True)))
    found = find_columns(dataset, Reading(text_column=called[2], label_column=called[3]))
    assert found == Columns(called[2], called[3])


def test_a_column_with_class_names_goes_before_others_of_few_values() -> None:
    features = Features({"words": Value("string"), "year": Value("int64"), "kind": ClassLabel(names=["a", "b"])})
    dataset = Dataset.from_dict({"words": TEXTS, "year": [1, 2] * 6, "kind": [0, 1] * 6}, features=features)
    assert find_columns(dataset, Reading()) == Columns("words", "kind")


def test_a_named_column_the_dataset_lacks_is_found_as_usual() -> None:
    dataset = table(text=TEXTS, label=[0, 1] * 6)
    assert find_columns(dataset, Reading(text_column="review", label_column="stars")) == Columns("text", "label")


@pytest.mark.parametrize(
    ("columns", "reading", "message"),
    [
        ({"a": TEXTS, "b": TEXTS, "label": [0, 1] * 6}, {}, "a and b could each be the text column.*--text-column"),
        ({"text": TEXTS, "a": [0, 1] * 6, "b": [1, 2] * 6}, {}, "a and b could each be the label.*--label-column"),
        ({"x": [1, 2] * 6, "label": [0, 1] * 6}, {}, "no text column among x, label; name one with --text-column"),
        ({"text": [1, 2] * 6, "label": [0, 1] * 6}, {}, "column text holds int64, not one text per row; name another"),
        ({"text": [None] * 12, "label": [0, 1] * 6}, {}, "the column text is empty; name another with --text-column"),
        ({"text": [TEXTS], "label": [[0, 1] * 6]}, {}, "the column text holds lists, not one text per row"),
        ({"text": TEXTS, "id": TEXTS}, {}, "no label column among text, id; name one with --label-column"),
        ({"text;label": TEXTS}, {}, "only the column 'text;label'; texts and labels need .* the header text,label"),
        ({"text": TEXTS, "label": [[[0]], [[1]]] * 6}, {}, "the column label holds lists, not one label per row"),
        (
            {"text": TEXTS, "label": [{"a": 1}] * 12},
            {},
            "the column label holds objects, .* name another with --label-col",
        ),
        ({"label": TEXTS, "x": TEXTS}, {"text_column": "label"}, "no label column among label, x"),
        ({"text": TEXTS, "l": [[[0]], [[1]]] * 6}, {"label_column": "l"}, "--label-column l: the column holds List"),
        ({"text": TEXTS, "n": [0, 1] * 6}, {"text_column": "n"}, "--text-column n: the column holds Value"),
    ],
)
def test_a_guess_about_columns_is_refused_with_what_is_there(
    columns: dict[str, list[object]], reading: dict[str, str], message: str
) -> None:
    with pytest.raises(DatasetError, match=message):
        find_columns(table(**columns), Reading(**reading))


@given(st.permutations(["training", "val", "testing", "unsupervised"]), st.integers(1, 4))
def test_splits_are_found_in_any_order(present: list[str], count: int) -> None:
    present = [name for name in present if name in present[:count] or name == "training"]
    expected = {"train": "training", "validation": "val", "test": "testing"}
    assert find_splits(present, Reading()) == {role: name for role, name in expected.items() if name in present}


@given(st.permutations(["train", "validation", "test"]))
def test_a_split_that_is_named_plays_no_other_part(order: list[str]) -> None:
    train, validation, test = order
    reading = Reading(train_split=train, validation_split=validation, test_split=test)
    assert find_splits(["test", "train", "validation"], reading) == dict(
        zip(("train", "validation", "test"), order, strict=True)
    )


def test_the_only_split_is_trained_on_whatever_its_name() -> None:
    assert find_splits(["full"], Reading()) == {"train": "full"}


@pytest.mark.parametrize(
    ("present", "message"),
    [
        (["train", "dev", "val"], "dev and val could both be validation; name one with --validation-split"),
        (["test"], "no train split, only test; name one with --train-split"),
        (["a", "b"], "no train split, only a, b; name one with --train-split"),
    ],
)
def test_a_guess_about_splits_is_refused_with_what_is_there(present: list[str], message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        find_splits(present, Reading())


def test_bad_rows_are_left_out_and_counted() -> None:
    dataset = table(text=["a", None, " ", "b", "c", "d"], label=[4.0, 1.0, 1.0, None, float("nan"), 2.0])
    rows = read_rows(dataset, Columns("text", "label"), parse_label_map("4=pos;1=neg;2="))
    assert (rows.texts, rows.labels) == (["a"], ["positive"])
    assert rows.removed == {
        "without text": 2,
        "without label": 2,
        "with several labels": 0,
        "dropped by --label-map": 1,
    }


def test_a_value_the_map_lacks_is_refused_with_all_values() -> None:
    dataset = table(text=TEXTS, stars=[1, 2, 3, 5] * 3)
    with pytest.raises(DatasetError, match=r"no label for 3, 5; the column stars holds 1, 2, 3, 5; .*write 3=$"):
        read_rows(dataset, Columns("text", "stars"), parse_label_map("1=neg;2=pos"))


@given(st.lists(st.sampled_from([1, 2, 3, 4, 5]), min_size=1), st.sampled_from([int, float, str]))
def test_stars_are_mapped_whatever_their_type(stars: list[int], kind: type) -> None:
    dataset = table(text=["t"] * len(stars), stars=[kind(star) for star in stars])
    rows = read_rows(dataset, Columns("text", "stars"), parse_label_map("1,2=negative;3=neutral;4,5=positive"))
    expected = ["negative", "negative", "neutral", "positive", "positive"]
    assert rows.labels == [expected[star - 1] for star in stars]


def test_minus_one_is_no_label_unless_the_map_names_it() -> None:
    dataset = table(text=["a", "b", "c"], label=[-1, 0, 1])
    assert read_rows(dataset, Columns("text", "label"), {}).labels == ["0", "1"]
    assert read_rows(dataset, Columns("text", "label"), parse_label_map("-1=neg;0=neu;1=pos")).labels == [
        "negative",
        "neutral",
        "positive",
    ]


def test_class_names_are_what_a_map_names() -> None:
    features = Features({"text": Value("string"), "label": ClassLabel(names=["1 star", "2 stars"])})
    dataset = Dataset.from_dict({"text": ["a", "b", "c"], "label": [0, 1, -1]}, features=features)
    rows = read_rows(dataset, Columns("text", "label"), parse_label_map("1 star=neg;2 stars=pos"))
    assert rows.labels == ["negative", "positive"]
    assert rows.removed["without label"] == 1


def test_a_split_without_the_label_column_has_no_labels() -> None:
    assert read_rows(table(text=TEXTS), Columns("text", "label"), {}).texts == []


@pytest.mark.parametrize(
    "cells",
    [
        [["joy"], ["joy", "joy"], ["joy", "anger"], [], None, ["anger"]],
        [[1], [1, 1], [1, 0], [], [-1], [0]],
    ],
)
def test_of_lists_of_labels_those_with_one_are_kept_and_the_others_counted(cells: list[list[object]]) -> None:
    classes = isinstance(cells[0][0], int)
    features = Features(
        {"text": Value("string"), "labels": List(ClassLabel(names=["anger", "joy"]) if classes else Value("string"))}
    )
    dataset = Dataset.from_dict({"text": TEXTS[:6], "labels": cells}, features)
    columns = find_columns(dataset, Reading())
    assert columns == Columns("text", "labels")
    rows = read_rows(dataset, columns, {})
    assert list(zip(rows.texts, rows.labels, strict=True)) == [
        (TEXTS[0], "joy"),
        (TEXTS[1], "joy"),
        (TEXTS[5], "anger"),
    ]
    assert rows.removed == {
        "without text": 0,
        "without label": 2,
        "with several labels": 1,
        "dropped by --label-map": 0,
    }
    assert read_rows(dataset, columns, {"joy": "happy", "anger": None}).labels == ["happy", "happy"]


@pytest.mark.parametrize(
    ("cells", "expected", "without"),
    [
        ([["joy", "love"], ["joy", "joy"], [], None, ["-1"]], ["joy; love", "joy", ""], 2),
        ([[1, 0], [1], [], None, [-1]], ["1; 0", "1", ""], 2),
        (["joy;love", "joy | joy", "love, joy", None, " "], ["joy; love", "joy", "love; joy"], 2),
        ([1, 0, None, -1, 2], ["1", "0", "2"], 2),
    ],
)
def test_several_labels_of_a_row_are_read_from_lists_and_cells(
    cells: list[object], expected: list[str], without: int
) -> None:
    dataset = table(text=["a", "b", "c", "d", "e"], label=cells)
    rows = read_label_sets(dataset, Columns("text", "label"), {})
    assert rows.labels == expected
    assert rows.removed == {"without text": 0, "without label": without}


def test_class_names_in_lists_are_read_as_sets() -> None:
    features = Features({"text": Value("string"), "labels": List(ClassLabel(names=["joy", "POS"]))})
    dataset = Dataset.from_dict({"text": ["a", "b", " "], "labels": [[1, 0], [-1], [0]]}, features=features)
    rows = read_label_sets(dataset, Columns("text", "labels"), {})
    assert (rows.texts, rows.labels) == (["a"], ["positive; joy"])


def test_a_map_joins_and_drops_labels_of_a_set() -> None:
    dataset = table(text=["a", "b"], label=[["joy", "love", "noise"], ["noise"]])
    mapped = read_label_sets(dataset, Columns("text", "label"), parse_label_map("joy,love=good;noise="))
    assert mapped.labels == ["good", ""]
    with pytest.raises(DatasetError, match=r"no label for noise; the column label holds joy, love, noise"):
        read_label_sets(dataset, Columns("text", "label"), parse_label_map("joy,love=good"))


def test_labels_are_not_read_where_there_is_no_map(monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = table(text=["a", "b"], label=["x", "y"])
    assert map_applies(dataset, "label", Reading(label_map={"x": "z"}))
    monkeypatch.setattr("sentiment_gru.data.columns.raw_labels", None)
    assert not map_applies(dataset, "label", Reading())


def test_a_label_with_a_semicolon_in_it_is_refused() -> None:
    with pytest.raises(DatasetError, match="'a;b' has a semicolon"):
        read_label_sets(table(text=["a"], label=[["a;b", "c"]]), Columns("text", "label"), {})


def test_a_list_goes_before_other_columns_if_a_text_has_several_labels() -> None:
    dataset = table(words=TEXTS, year=[1, 2] * 6, kinds=[["a"], ["b", "a"]] * 6)
    assert find_columns(dataset, Reading(multi_label=True)) == Columns("words", "kinds")


def test_a_list_without_a_usual_name_holds_labels_only_if_it_is_named() -> None:
    dataset = table(text=TEXTS, marks=[["a"], ["b"]] * 6)
    with pytest.raises(DatasetError, match="no label column"):
        find_columns(dataset, Reading())
    assert find_columns(dataset, Reading(label_column="marks")) == Columns("text", "marks")
