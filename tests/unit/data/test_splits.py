"""Datasets are read, divided by the split rule, and cleaned of leaks."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentiment_gru import DatasetError
from sentiment_gru.data.columns import Columns, Reading
from sentiment_gru.data.sources import load_splits
from sentiment_gru.data.splits import (
    Corpus,
    TextSplit,
    carve_dev,
    letters,
    read_corpora,
    remove_leaks,
    subsample,
)
from sentiment_gru.labels import parse_label_map
from sentiment_gru.training.datasets import check_corpora, prepare_corpora
from sentiment_gru.training.options import TrainingOptions
from tests.conftest import write_dataset

ROWS = [{"text": f"text number {i}", "label": "pos" if i % 2 else "neg"} for i in range(40)]


def read_corpus(source: str, reading: Reading | None = None) -> Corpus:
    return read_corpora([source], reading)[0]


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
    assert letters(f"  {text}\n") == letters(text.replace(" ", "  "))


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
    folder = write_dataset(tmp_path / "odd", train=[{"words": 2, "label": 1}])
    with pytest.raises(DatasetError, match="dataset odd: no text column among words, label; name one with --text-col"):
        read_corpus(str(folder))
    folder = write_dataset(tmp_path / "no_train", test=ROWS)
    with pytest.raises(DatasetError, match="no train split, only test; name one with --train-split"):
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


def star_rows(count: int) -> list[dict[str, object]]:
    return [{"review": f"review number {i}", "stars": float(i % 5 + 1)} for i in range(count)]


STARS = parse_label_map("1,2=negative;3=neutral;4,5=positive")


def test_a_file_alone_gives_train_and_dev_and_nothing_to_report(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("text,label\n" + "".join(f"text {i},{i % 2}\n" for i in range(40)))
    read = read_corpus(str(tmp_path / "r.csv"))
    assert (read.name, len(read.train) + len(read.dev), read.reported) == ("r.csv", 40, None)
    assert list(read.rule) == ["dev"]


def test_splits_and_columns_that_are_named_are_used(tmp_path: Path) -> None:
    rows = [{"text": "unused", "body": f"t{i}", "label": 0, "verdict": "ab"[i % 2]} for i in range(20)]
    folder = write_dataset(tmp_path / "d", train=rows[:4], more=rows, held=rows[:6])
    readme = "".join(f"  - {{split: {name}, path: {name}.jsonl}}\n" for name in ("train", "more", "held"))
    (folder / "README.md").write_text(f"---\nconfigs:\n- config_name: default\n  data_files:\n{readme}---\n")
    read = read_corpus(str(folder), Reading("body", "verdict", train_split="more", test_split="held"))
    assert len(read.train) + len(read.dev) == 20
    assert read.reported.texts == ["t0", "t1", "t2", "t3", "t4", "t5"]
    assert read.reported.labels == ["a", "b"] * 3
    assert (read.rule["reported"], read.columns) == ("held split", Columns("body", "verdict"))


@pytest.mark.parametrize(
    ("reading", "message"),
    [
        (Reading(text_column="x"), "--text-column x: there is no such column; d has the columns text, label"),
        (Reading(label_column="x"), "--label-column x: there is no such column; d has the columns text, label"),
        (Reading(test_split="x"), "--test-split x: there is no such split; d has the splits train, test"),
    ],
)
def test_a_name_that_no_dataset_has_is_refused_with_what_is_there(
    tmp_path: Path, reading: Reading, message: str
) -> None:
    folder = write_dataset(tmp_path / "d", train=ROWS, test=ROWS[:4])
    with pytest.raises(DatasetError, match=message):
        read_corpora([str(folder)], reading)


def test_options_apply_to_the_joined_datasets_that_they_fit(tmp_path: Path) -> None:
    stars = write_dataset(tmp_path / "stars", train=star_rows(40))
    plain = write_dataset(tmp_path / "plain", train=ROWS)
    first, second = read_corpora([str(stars), str(plain)], Reading("review", "stars", label_map=STARS))
    assert set(first.train.labels) == {"negative", "neutral", "positive"}
    assert set(second.train.labels) == {"negative", "positive"}
    assert (first.columns, second.columns) == (Columns("review", "stars"), Columns("text", "label"))


def test_a_map_that_fits_no_dataset_is_refused_with_the_labels(tmp_path: Path) -> None:
    folders = [str(write_dataset(tmp_path / name, train=ROWS)) for name in ("a", "b")]
    with pytest.raises(DatasetError, match="dataset a: --label-map has no label for negative, positive"):
        read_corpora(folders, Reading(label_map=STARS))


def test_two_folders_of_one_name_stay_apart(tmp_path: Path) -> None:
    folders = [write_dataset(tmp_path / parent / "same", train=ROWS[i * 20 :][:20]) for i, parent in enumerate("ab")]
    first, second = read_corpora([str(folder) for folder in folders])
    assert (first.name, second.name) == ("a-same", "b-same")
    assert not set(first.train.texts) & set(second.train.texts)


def test_bad_rows_of_every_split_are_counted(tmp_path: Path) -> None:
    bad = [{"text": "", "label": "pos"}, {"text": None, "label": "neg"}, {"text": "no label", "label": None}]
    read = read_corpus(str(write_dataset(tmp_path / "d", train=[*ROWS, *bad], test=[*ROWS[:4], *bad[:1]])))
    counts = {"train without text": 2, "train without label": 1, "test without text": 1}
    assert read.removed == counts
    assert remove_leaks([read])[0].removed.items() >= counts.items()


def test_a_label_column_of_mostly_different_values_is_refused(tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / "d", train=[{"text": f"t{i}", "label": i / 7} for i in range(40)])
    message = (
        r"dataset d: the column label holds 40 different values in 40 rows, which may have 20 labels at most; .*round"
    )
    with pytest.raises(DatasetError, match=message):
        read_corpus(str(folder))
    folder = write_dataset(tmp_path / "ids", train=[{"text": f"t{i}", "label": f"id {i}"} for i in range(40)])
    with pytest.raises(DatasetError, match=r"or group them with --label-map$"):
        read_corpus(str(folder))


def test_a_train_split_without_any_label_is_refused(tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / "d", train=[{"text": f"t{i}", "label": -1} for i in range(4)])
    message = (
        r"the split train has no row with both a text and a label \(columns text and label; 4 without label\); name"
    )
    with pytest.raises(DatasetError, match=message):
        read_corpus(str(folder))


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ((["c"], ["a", "b"], ["a", "b"]), "no dev text is left; rows left out: 2 dev equal to reported"),
        ((["a"], ["b"], ["a"]), "no training text is left; rows left out: 1 train equal to reported"),
    ],
)
def test_a_dataset_of_which_nothing_is_left_is_refused(parts: tuple[list[str], ...], message: str) -> None:
    two = Corpus("two", TextSplit(["x", "y"], ["positive", "negative"]), TextSplit(["z"], ["positive"]), None, rule={})
    with pytest.raises(DatasetError, match=message):
        check_corpora(remove_leaks([corpus("d", *parts), two]))


def test_a_label_that_training_never_shows_is_refused() -> None:
    seen, unseen = TextSplit(["a", "b"], ["positive", "negative"]), TextSplit(["c"], ["joy"])
    with pytest.raises(DatasetError, match="dataset d: no training text has the label joy, only negative, positive"):
        check_corpora([Corpus("d", seen, unseen, None, rule={})])


@given(st.lists(st.sampled_from("aaab"), min_size=4, max_size=200), st.integers(4, 60), st.integers(0, 3))
def test_a_draw_keeps_order_proportions_and_every_label(labels: list[str], count: int, seed: int) -> None:
    split = numbered(labels)
    drawn = subsample(split, count, seed)
    assert drawn == subsample(split, count, seed)
    assert len(drawn) == min(count, len(split))
    assert set(drawn.labels) == set(labels)
    positions = [int(text.split()[1]) for text in drawn.texts]
    assert positions == sorted(positions)
    for label in set(labels):
        assert abs(drawn.labels.count(label) - labels.count(label) * len(drawn) / len(split)) <= 1


def test_draws_of_other_seeds_differ() -> None:
    split = numbered(["a", "b"] * 100)
    assert subsample(split, 20, 0) != subsample(split, 20, 1)


def test_training_texts_are_cut_after_leaks_and_dev_is_not(tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / "d", train=ROWS, validation=ROWS[:10], test=ROWS[10:20])
    (cut,) = prepare_corpora(TrainingOptions("out", [str(folder)], max_train_samples=10))
    assert (len(cut.train), len(cut.dev), len(cut.reported)) == (10, 10, 10)
    assert cut.removed["train beyond 10 drawn"] == 10
    assert cut.removed["train equal to reported"] + cut.removed["train equal to dev"] == 20


def test_fewer_texts_than_labels_are_refused(tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / "d", train=ROWS)
    with pytest.raises(DatasetError, match="--max-train-samples 1 is fewer than the 2 labels of d"):
        prepare_corpora(TrainingOptions("out", [str(folder)], max_train_samples=1))


def test_a_report_without_a_split_for_it_is_refused(tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / "d", train=ROWS)
    with pytest.raises(DatasetError, match="--evaluate-test: there is no labelled test or validation split"):
        prepare_corpora(TrainingOptions("out", [str(folder)], evaluate_test=True))


@pytest.mark.slow
@pytest.mark.data
def test_the_real_datasets_follow_the_split_rule(real_data: Path) -> None:
    imdb, sst2, tweets = remove_leaks([read_corpus(str(real_data / n)) for n in ("imdb", "sst2", "tweet_sentiment")])
    copies = [c.removed["train equal to reported"] + c.removed["dev equal to reported"] for c in (imdb, sst2, tweets)]
    assert copies == [123, 10, 803]
    assert (len(imdb.reported), len(sst2.reported), len(tweets.reported)) == (25_000, 1_821, 2_000)
    assert (len(sst2.dev), sst2.rule["dev"]) == (872, "validation split")
    assert abs(len(tweets.dev) / (len(tweets.dev) + len(tweets.train)) - 0.1) < 0.005
    assert imdb.rule["dev"] == "last tenth of the train split within each label"
