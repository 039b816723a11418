"""Datasets are read, divided by the split rule, and cleaned of leaks."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentiment_gru import DatasetError
from sentiment_gru.data import (
    Corpus,
    TextSplit,
    canonical_label,
    carve_dev,
    load_splits,
    order_labels,
    read_corpus,
    remove_leaks,
    squeeze,
)
from tests.conftest import write_dataset

ROWS = [{"text": f"text number {i}", "label": "pos" if i % 2 else "neg"} for i in range(40)]


def numbered(labels: list[str]) -> TextSplit:
    return TextSplit([f"text {i}" for i in range(len(labels))], labels)


def corpus(name: str, train: list[str], dev: list[str], reported: list[str]) -> Corpus:
    splits = [TextSplit(texts, ["positive"] * len(texts)) for texts in (train, dev, reported)]
    return Corpus(name, *splits, rule={})


def test_a_validation_split_is_dev_when_a_test_split_is_reported(tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / "both", train=ROWS, validation=ROWS[:6], test=ROWS[:4])
    read = read_corpus(str(folder))
    assert (len(read.train), len(read.dev), len(read.reported)) == (40, 6, 4)
    assert read.rule == {"dev": "validation split", "reported": "test split"}
    assert read.name == "both"


@pytest.mark.parametrize("reported", ["test", "validation"])
def test_dev_is_carved_when_only_one_other_split_exists(tmp_path: Path, reported: str) -> None:
    folder = write_dataset(tmp_path / "one", train=ROWS, **{reported: ROWS[:4]})
    read = read_corpus(str(folder))
    assert len(read.train) + len(read.dev) == 40
    assert len(read.reported) == 4
    assert read.rule["reported"] == f"{reported} split"
    assert "tenth" in read.rule["dev"]


def test_rows_sorted_by_label_give_their_last_tenth_within_each_label() -> None:
    train, dev, how = carve_dev(numbered(["negative"] * 30 + ["positive"] * 20))
    assert dev.texts == ["text 27", "text 28", "text 29", "text 48", "text 49"]
    assert len(train) == 45
    assert how == "last tenth of the train split within each label"


def test_unsorted_rows_give_blocks_spread_over_the_whole_split() -> None:
    train, dev, _ = carve_dev(numbered(["negative", "positive"] * 1_000))
    assert len(dev) == 200
    positions = [int(text.split()[1]) for text in dev.texts]
    assert min(positions) < 200
    assert max(positions) > 1_900
    assert positions[:4] == [90, 91, 92, 93]  # neighbours stay together
    assert not set(dev.texts) & set(train.texts)


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=300))
def test_carving_loses_no_row_and_leaves_every_label_on_both_sides(labels: list[str]) -> None:
    split = numbered(labels)
    train, dev, _ = carve_dev(split)
    assert sorted(train.texts + dev.texts) == sorted(split.texts)
    assert set(train.labels) == set(labels)
    assert set(dev.labels) == {label for label in labels if labels.count(label) > 1}


def test_texts_equal_to_reported_or_dev_ones_are_removed_from_training_and_counted() -> None:
    first = corpus("first", ["A  Film", "only here", "in dev"], ["IN DEV", "a film"], ["a film"])
    second = corpus("second", ["a FILM", "other"], ["x"], ["only HERE "])
    cleaned = remove_leaks([first, second])
    assert cleaned[0].train.texts == []
    assert cleaned[0].dev.texts == ["IN DEV"]
    assert cleaned[0].removed == {"train equal to reported": 2, "dev equal to reported": 1, "train equal to dev": 1}
    assert cleaned[1].train.texts == ["other"]
    assert cleaned[0].reported.texts == ["a film"]


@given(st.text())
def test_squeezing_ignores_case_and_spaces(text: str) -> None:
    assert squeeze(f"  {text}\n") == squeeze(text.replace(" ", "  "))


@pytest.mark.parametrize(
    ("name", "expected"), [("neg", "negative"), (" POS ", "positive"), ("Neutral", "neutral"), ("Joy", "Joy")]
)
def test_spellings_of_sentiment_are_unified_and_others_kept(name: str, expected: str) -> None:
    assert canonical_label(name) == expected


def test_labels_are_ordered_from_negative_to_positive_else_by_name() -> None:
    assert order_labels(["positive", "negative", "positive"]) == ["negative", "positive"]
    assert order_labels(["world", "sports", "positive"]) == ["positive", "sports", "world"]


def test_class_names_of_the_dataset_are_used(tmp_path: Path) -> None:
    rows = [{"text": f"t{i}", "label": i % 2} for i in range(40)]
    folder = write_dataset(tmp_path / "named", train=rows, test=rows[:2])
    label = "{name: label, dtype: {class_label: {names: {'0': neg, '1': pos}}}}"
    features = f"dataset_info:\n  features:\n  - {{name: text, dtype: string}}\n  - {label}"
    (folder / "README.md").write_text(f"---\n{features}\n---\n")
    assert set(read_corpus(str(folder)).train.labels) == {"negative", "positive"}


def test_unlabelled_rows_are_left_out(tmp_path: Path) -> None:
    rows = [*({"text": f"t{i}", "label": i % 2} for i in range(20)), {"text": "no label", "label": -1}]
    hidden = [{"text": "a", "label": -1}]
    read = read_corpus(str(write_dataset(tmp_path / "partly", train=rows, test=hidden, validation=rows[:4])))
    assert len(read.train) + len(read.dev) == 20
    assert read.rule["reported"] == "validation split"


def test_missing_columns_and_splits_are_named(tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / "odd", train=[{"words": "a", "label": 1}])
    with pytest.raises(DatasetError, match=r"no text column among \['words', 'label'\]"):
        read_corpus(str(folder))
    folder = write_dataset(tmp_path / "no_train", test=ROWS)
    with pytest.raises(DatasetError, match="no labelled train split, only test"):
        read_corpus(str(folder))


def test_a_dataset_neither_here_nor_on_the_hub_is_refused_with_an_example() -> None:
    with pytest.raises(DatasetError, match=r"no folder 'no/such-dataset'.*local folder such as"):
        load_splits("no/such-dataset")


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="cannot be read"):
        load_splits(str(tmp_path))


def test_a_changed_folder_is_read_anew(tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / "same", train=ROWS, test=ROWS[:2])
    assert load_splits(str(folder))["train"].num_rows == 40
    write_dataset(folder, train=ROWS[:20])
    assert load_splits(str(folder))["train"].num_rows == 20


@pytest.mark.data
def test_the_real_datasets_follow_the_split_rule(real_data: Path) -> None:
    imdb, sst2, tweets = remove_leaks([read_corpus(str(real_data / n)) for n in ("imdb", "sst2", "tweet_sentiment")])
    assert imdb.removed["train equal to reported"] + imdb.removed["dev equal to reported"] == 52
    assert (len(imdb.reported), len(sst2.reported), len(tweets.reported)) == (25_000, 1_821, 2_000)
    assert (len(sst2.dev), sst2.rule["dev"]) == (872, "validation split")
    assert abs(len(tweets.dev) / (len(tweets.dev) + len(tweets.train)) - 0.1) < 0.005
    assert imdb.rule["dev"] == "last tenth of the train split within each label"
