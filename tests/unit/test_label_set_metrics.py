"""Figures of sets of labels are computed as their definitions say."""

import numpy as np
import pytest

from sentiment_gru import DatasetError
from sentiment_gru.data.splits import JoinedSplit, TextSplit
from sentiment_gru.label_set_metrics import (
    evaluate_label_sets,
    find_threshold,
    scored_sets,
    threshold_helps,
)

LABELS = ["anger", "fear", "joy"]


def split_of(*labels: str) -> TextSplit:
    return TextSplit([f"text {i}" for i in range(len(labels))], list(labels), multi_label=True)


def test_figures_of_a_set_worked_out_by_hand() -> None:
    scores = np.array([[0.9, 0.6, 0.1], [0.2, 0.1, 0.8], [0.1, 0.1, 0.2], [0.3, 0.2, 0.5]])
    result = evaluate_label_sets(scores, split_of("anger", "joy", "", "anger; joy"), LABELS, 0.5)
    assert result.subset_accuracy == 0.5  # the second and the third
    assert (result.micro_precision, result.micro_recall) == (0.75, 0.75)  # 3 of 4 given, 3 of 4 true
    assert result.micro_f1 == 0.75
    assert result.macro_f1 == pytest.approx((2 / 3 + 1) / 2)  # no text has fear
    assert (result.labels_per_text, result.labels_given_per_text) == (1.0, 1.0)
    fear = result.by_label["fear"]
    assert (fear.texts, fear.given, fear.precision) == (0, 1, 0.0)
    low, high = result.micro_f1_interval
    assert low < 0.75 < high


def test_labels_that_the_dataset_does_not_know_count_nothing() -> None:
    scores = np.array([[0.9, 0.9, 0.1], [0.1, 0.9, 0.9]])
    split = split_of("anger", "joy")
    assert evaluate_label_sets(scores, split, LABELS, 0.5).subset_accuracy == 0.0
    known = evaluate_label_sets(scores, split, LABELS, 0.5, {"anger", "joy"})
    assert (known.subset_accuracy, known.labels) == (1.0, ["anger", "joy"])


def test_a_label_the_model_lacks_is_refused_by_name() -> None:
    with pytest.raises(DatasetError, match="no label love, only anger, fear, joy"):
        evaluate_label_sets(np.zeros((1, 3)), split_of("joy; love"), LABELS, 0.5)


def noisy_sets(count: int, edge: float) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return scores of which those above an edge are mostly true."""
    draws = np.random.default_rng(0)
    scores = draws.random((count, 3))
    return [(scores, (scores > edge) ^ (draws.random((count, 3)) < 0.05))]


def test_the_threshold_is_where_labels_begin_to_be_true() -> None:
    threshold, score = find_threshold(noisy_sets(500, 0.3))
    assert threshold == pytest.approx(0.3, abs=0.03)
    assert score > 0.9


def test_of_equally_good_thresholds_the_median_is_taken() -> None:
    scores, truth = np.array([[0.1, 0.9]]), np.array([[False, True]])
    assert find_threshold([(scores, truth)]) == (0.5, 1.0)


@pytest.mark.parametrize(("count", "edge", "helps"), [(200, 0.3, True), (200, 0.5, False), (9, 0.3, False)])
def test_a_threshold_of_few_texts_is_kept_only_if_it_helps_elsewhere(count: int, edge: float, helps: bool) -> None:
    assert threshold_helps(noisy_sets(count, edge)) is helps


def test_datasets_are_compared_on_the_labels_of_their_training_texts() -> None:
    train = JoinedSplit.join({"a": split_of("anger", "joy"), "b": split_of("fear; joy")})
    dev = JoinedSplit.join({"a": split_of("joy"), "b": split_of("fear", "")})
    logits = np.array([[2.0, 0.0, -2.0], [4.0, 3.0, 1.0], [-9.0, 5.0, 6.0]])  # joined: a, b, b
    (scores, truth), (_, others) = scored_sets(dev, logits, LABELS, train)
    assert truth.tolist() == [[False, True]]
    np.testing.assert_allclose(scores, [[1 / (1 + np.exp(-2)), 1 / (1 + np.exp(2))]])
    assert others.tolist() == [[True, False], [False, False]]
