"""Datasets whose figures would mislead are warned of, in the plan and at the end."""

import pytest

from sentiment_gru.data.splits import Corpus, TextSplit
from sentiment_gru.training.datasets import find_warnings

ROUGH = "news: dev has only 2 texts, so its figures are rough; see their intervals"


def corpus_of(labels: list[str], texts: list[str] | None = None, dev: int = 2) -> Corpus:
    texts = texts or [f"text {i}" for i in range(len(labels))]
    split = TextSplit([f"dev {i}" for i in range(dev)], (labels * dev)[:dev])
    return Corpus("news", TextSplit(texts, labels), split, None, {})


def test_sound_data_gives_no_warning() -> None:
    assert find_warnings([corpus_of(["a", "b"] * 10, dev=100)], read=["other"]) == []


@pytest.mark.parametrize(
    ("labels", "groups"),
    [
        (["Sports", "sports", "World"], ["'Sports' and 'sports'"]),
        (["World News", "World  news", "WorldNews"], ["'World  news' and 'World News' and 'WorldNews'"]),
        (["a", "A", "b", "B"], ["'A' and 'a'", "'B' and 'b'"]),
    ],
)
def test_labels_that_differ_by_case_or_spaces_are_named(labels: list[str], groups: list[str]) -> None:
    expected = [f"the labels {group} differ by case or spaces only; --label-map can join them" for group in groups]
    assert find_warnings([corpus_of(labels * 5)]) == [*expected, ROUGH]


def test_texts_under_two_labels_are_counted_with_an_example_across_train_and_dev() -> None:
    corpus = corpus_of(["a", "b", "a"], ["Same text!", "same text", "dev 1"])
    assert find_warnings([corpus])[0] == "news: 2 texts have more than one label, for example Same text!: a and b"


def test_a_label_of_nearly_all_texts_is_named() -> None:
    assert find_warnings([corpus_of(["common"] * 194 + ["rare"] * 6, dev=100)]) == [
        "news: 97.0% of the training texts are common, so accuracy says little; look at macro recall"
    ]


def test_labels_of_few_texts_are_named() -> None:
    labels = ["a"] * 20 + ["b"] * 5 + ["c"] * 4 + ["d"]
    assert find_warnings([corpus_of(labels, dev=100)]) == [
        "news: 2 labels have fewer than 5 training texts: c (4), d (1); --label-map can join or drop labels"
    ]


def test_labels_that_may_be_missing_or_several_are_named() -> None:
    assert find_warnings([corpus_of(["a", "a; b", "NaN", "a, c (or d)", "e|f"] * 5, dev=100)]) == [
        "the label 'NaN' may stand for a missing one; --label-map can drop its rows",
        "the label 'a, c (or d)' may be several labels; --multi-label divides such cells",
    ]


def test_a_dev_set_that_the_initial_checkpoint_has_read_is_named() -> None:
    assert find_warnings([corpus_of(["a", "b"] * 10, dev=100)], read=["news"]) == [
        "news: the initial checkpoint was trained on this dataset, so figures on dev are too high"
    ]
