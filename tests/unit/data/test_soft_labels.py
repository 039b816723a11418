"""Soft labels: files of texts with probabilities, and a training that learns from them."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from sentiment_gru import DatasetError
from sentiment_gru.data.soft_labels import SoftLabels, read_soft_labels, write_soft_labels
from sentiment_gru.data.splits import JoinedSplit, TextSplit, letters
from sentiment_gru.tokenization import train_tokenizer
from sentiment_gru.training.datasets import join_train, prepare_corpora, prepare_soft_labels
from sentiment_gru.training.options import TrainingOptions
from sentiment_gru.training.run import train
from sentiment_gru.training.trainer import EncodedTexts
from tests.conftest import write_dataset

LABELS = ["negative", "neutral", "positive"]


def soft(texts: list[str], scores: list[list[float]], labels: list[str] | None = None) -> SoftLabels:
    return SoftLabels("teacher", texts, labels or ["negative", "positive"], np.array(scores))


def test_a_file_comes_back_as_it_was_written(tmp_path: Path) -> None:
    written = soft(["good", "bad"], [[0.25, 0.75], [1.0, 0.0]])
    write_soft_labels(tmp_path / "teacher.parquet", written)
    read = read_soft_labels(tmp_path / "teacher.parquet")
    assert (read.name, read.texts, read.labels) == (written.name, written.texts, written.labels)
    np.testing.assert_array_equal(read.scores, written.scores)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"text": ["a"], "score_positive": [1.0]}, "two or more like 'score_positive' are needed; there are text"),
        ({"words": ["a"], "score_a": [1.0], "score_b": [0.0]}, "a column 'text'"),
        ({"text": ["a", "b"], "score_a": [1.0, 0.5], "score_b": [0.0, 0.2]}, "the scores of row 1 "),
        ({"text": ["a"], "score_a": [1.5], "score_b": [-0.5]}, "the scores of row 0 "),
        ({"text": ["a"], "score_a": [float("nan")], "score_b": [0.0]}, "the scores of row 0 "),
    ],
)
def test_a_file_that_holds_no_soft_labels_is_refused(tmp_path: Path, columns: dict[str, list], message: str) -> None:
    pq.write_table(pa.table(columns), tmp_path / "t.parquet")
    with pytest.raises(DatasetError, match=message):
        read_soft_labels(tmp_path / "t.parquet")


def test_a_file_that_is_no_parquet_or_not_there_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t.parquet").write_text("text,score_a\n")
    for name, message in (("t.parquet", "not readable as Parquet"), ("none.parquet", "there is no such file")):
        with pytest.raises(DatasetError, match=f"--soft-labels .*{name}: {message}"):
            read_soft_labels(tmp_path / name)


def test_targets_replace_labels_and_other_texts_follow_their_dataset() -> None:
    joined = JoinedSplit.join({"two": TextSplit(["good", "bad"], ["positive", "negative"])})
    part = soft(["good"], [[0.25, 0.75]])
    encoded = EncodedTexts(joined, train_tokenizer(["good bad"] * 3, 10), LABELS, 10, part.targets())
    rows = {joined.split.texts[i]: encoded[i] for i in range(2)}
    assert rows["good"]["labels"] == [0.25, 0.0, 0.75]
    assert rows["bad"]["labels"] == [1.0, 0.0, 0.0]
    assert rows["good"]["present"] == rows["bad"]["present"] == [True, False, True]


@given(st.lists(st.floats(-30, 30), min_size=3, max_size=3), st.integers(0, 2))
def test_a_target_that_is_certain_is_worth_its_label(logits: list[float], label: int) -> None:
    row = torch.tensor([logits])
    certain = F.one_hot(torch.tensor([label]), 3).float()
    torch.testing.assert_close(F.cross_entropy(row, certain), F.cross_entropy(row, torch.tensor([label])))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = [{"text": f"{word} {i}", "label": word} for i in range(60) for word in ("good", "bad")]
    return write_dataset(tmp_path / "words", train=rows, test=[{"text": "so good", "label": "good"}] * 4)


def test_texts_are_added_once_and_held_out_ones_never(folder: Path, tmp_path: Path) -> None:
    texts = ["good 1", "SO GOOD!", "fine", "fine"]
    write_soft_labels(tmp_path / "t.parquet", soft(texts, [[0.5, 0.5]] * 4, ["good", "bad"]))
    options = TrainingOptions("out", [str(folder)], soft_labels=[str(tmp_path / "t.parquet")])
    corpora = prepare_corpora(options)
    parts = prepare_soft_labels(options, corpora, ["good", "bad"])
    assert set(parts[0].texts) == {"good 1", "fine"}
    joined = join_train(corpora, parts)
    assert len(joined.split) == len(corpora[0].train) + 1
    assert [joined.split.texts[i] for i in joined.rows["t (soft labels)"]] == ["fine"]


def test_a_score_of_an_unknown_label_is_refused(folder: Path, tmp_path: Path) -> None:
    write_soft_labels(tmp_path / "t.parquet", soft(["x"], [[0.5, 0.5]], ["good", "joy"]))
    options = TrainingOptions("out", [str(folder)], soft_labels=[str(tmp_path / "t.parquet")])
    with pytest.raises(DatasetError, match="scores joy, which no dataset has as a label"):
        prepare_soft_labels(options, prepare_corpora(options), ["good", "bad"])


def test_a_model_learns_from_soft_labels_what_the_labels_do_not_say(folder: Path, tmp_path: Path) -> None:
    texts = [f"splendid {i}" for i in range(100)] + [f"horrid {i}" for i in range(100)]
    write_soft_labels(tmp_path / "t.parquet", soft(texts, [[0.9, 0.1]] * 100 + [[0.2, 0.8]] * 100, ["good", "bad"]))
    output = tmp_path / "out"
    metrics = train(
        TrainingOptions(
            str(output),
            [str(folder)],
            soft_labels=[str(tmp_path / "t.parquet")],
            epochs=20,
            embedding_size=8,
            hidden_size=8,
            output_dropout=0.0,
            embedding_dropout=0.0,
            learning_rate=2e-2,
            patience=20,
            report=False,
        )
    )
    assert metrics is not None
    assert metrics["options"]["soft_labels"] == ["t"]
    from sentiment_gru import SentimentClassifier

    classifier = SentimentClassifier.from_pretrained(output)
    labels = [prediction.label for prediction in classifier(["splendid", "horrid"])]
    assert labels == ["good", "bad"]


@given(st.text())
def test_copies_differ_in_more_than_case_and_spaces(text: str) -> None:
    assert letters(f"@user {text} &amp; https://t.co/x ") == letters(f"{text} &  ")


def test_a_copy_with_its_characters_written_otherwise_is_the_same_text() -> None:
    assert letters("Rui En\\u2019s show\\u002c now") == letters("rui en’s SHOW, now http")
    assert letters(":)") != letters(":(")


def test_files_of_the_same_name_add_all_their_texts() -> None:
    scores = np.array([[0.1, 0.9]])
    parts = [SoftLabels("sentences", [text], ["negative", "positive"], scores) for text in ("one", "two", "three")]
    assert sorted(join_train([], parts).split.texts) == ["one", "three", "two"]
