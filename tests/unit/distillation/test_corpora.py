"""The corpora of the released model: their labels and their splits."""

from pathlib import Path

import pytest
from datasets import ClassLabel, Dataset, Features, List, Value

from sentiment_gru import DatasetError
from sentiment_gru.distillation.corpora import (
    Sources,
    emotion_label,
    read_emotions,
    read_objective,
    read_questions,
    read_sources,
    read_trees,
    read_uci,
    tree_phrases,
)


def table(rows: list[dict[str, object]], **labels: list[str]) -> Dataset:
    features = {name: ClassLabel(names=labels[name]) if name in labels else Value("string") for name in rows[0]}
    return Dataset.from_list(rows, Features(features))


@pytest.mark.parametrize(
    ("emotions", "label"),
    [
        (["joy", "love"], "positive"),
        (["anger", "fear"], "negative"),
        (["neutral", "confusion"], "neutral"),
        (["joy", "anger"], None),
        (["joy", "surprise"], None),
        ([], None),
    ],
)
def test_emotions_of_one_polarity_are_a_label(emotions: list[str], label: str | None) -> None:
    assert emotion_label(emotions) == label


def test_emotions_are_read_from_lists_of_ids() -> None:
    names = ["joy", "anger", "neutral", "surprise"]
    features = Features({"text": Value("string"), "labels": List(ClassLabel(names=names))})
    rows = {"text": ["a", "b", "c", "d", "e"], "labels": [[0], [1, 0], [3], [2], [1]]}
    splits = {role: Dataset.from_dict(rows, features) for role in ("train", "validation", "test")}
    corpus = read_emotions(splits)
    assert (corpus.train.texts, corpus.train.labels) == (["a", "d", "e"], ["positive", "neutral", "negative"])


def test_the_phrases_of_a_tree_have_the_labels_of_their_nodes() -> None:
    tree = "(1 (2 It) (1 (0 (2 is) (0 (2 n't) (3 good))) (2 -RRB-)))"
    assert tree_phrases(tree) == [
        ("It", "neutral"),
        ("is", "neutral"),
        ("n't", "neutral"),
        ("good", "positive"),
        ("n't good", "negative"),
        ("is n't good", "negative"),
        (")", "neutral"),
        ("is n't good )", "negative"),
        ("It is n't good )", "negative"),
    ]


def test_trees_give_phrases_to_train_on_and_sentences_to_measure() -> None:
    splits = {role: Dataset.from_list([{"ptb_tree": "(3 (2 A) (4 gem))"}]) for role in ("train", "validation", "test")}
    corpus = read_trees(splits)
    assert corpus.train.texts == ["A", "gem", "A gem"]
    assert corpus.dev.texts == corpus.reported.texts == ["A gem"]  # type: ignore[union-attr]


def test_objective_sentences_and_questions_are_neutral() -> None:
    rows = [{"text": f"text {i}", "label": "objective" if i % 2 else "subjective"} for i in range(40)]
    splits = {role: table(rows, label=["objective", "subjective"]) for role in ("train", "test")}
    corpus = read_objective(splits)
    assert {*corpus.train.labels, *corpus.dev.labels} == {"neutral"}
    assert len(corpus.train) + len(corpus.dev) == 20
    assert len(read_questions(splits).train) + len(read_questions(splits).dev) == 40


def test_sentences_without_splits_are_divided_within_each_label() -> None:
    rows = [{"text": f"text {i}", "label": "positive" if i < 50 else "negative"} for i in range(100)]
    corpus = read_uci({"train": table(rows, label=["negative", "positive"])})
    assert (len(corpus.train), len(corpus.dev), len(corpus.reported or [])) == (70, 10, 20)
    assert corpus.dev.labels.count("positive") == 5


def test_a_corpus_with_other_columns_is_named(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text("text,label\na good film,pos\na bad film,neg\n")
    sources = Sources(**dict.fromkeys(Sources.__dataclass_fields__, str(tmp_path)))
    with pytest.raises(DatasetError, match=r"read as go_emotions: the split or column .*'validation'|'labels'"):
        read_sources(sources)
