"""The tables, plots and facts beside a checkpoint say what happened, hold no texts, and stay small."""

import json
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sentiment_gru import SentimentClassifier
from sentiment_gru.data.splits import TextSplit, read_corpora
from sentiment_gru.metrics import macro_recall_interval
from sentiment_gru.training import report as provenance
from sentiment_gru.training.artifacts import (
    ScoredSplit,
    count_mistakes,
    plot_confusion,
    plot_reliability,
    write_predictions,
)

PLOTS = ["loss", "confusion", "reliability"]


@pytest.fixture
def scored() -> ScoredSplit:
    """Return six texts: a, a, b, b, b, c; verdicts a, b, b, b, b, a, the last one uncertain."""
    verdicts = [0, 1, 1, 1, 1, 0]
    logits = np.full((6, 3), -4.0)
    logits[range(6), verdicts] = 4.0
    logits[5] = [0.1, 0.0, 0.0]
    return ScoredSplit("made", "dev", TextSplit(list("tuvwxy"), list("aabbbc")), logits, list("abc"))


def test_predictions_are_those_of_the_shipped_model_and_hold_no_text(
    tiny_checkpoint: Path, tiny_dataset: Path, classifier: SentimentClassifier
) -> None:
    table = pd.read_parquet(tiny_checkpoint / "predictions.parquet")
    scores = [f"score_{label}" for label in classifier.labels]
    assert list(table) == ["dataset", "split", "index", "label", "predicted", *scores]
    reported = read_corpora([str(tiny_dataset)])[0].reported
    assert reported is not None
    rows = table[table["split"] == "reported"]
    assert rows["index"].tolist() == list(range(len(reported)))
    assert rows["label"].tolist() == reported.labels
    expected = classifier(reported.texts)
    assert rows["predicted"].tolist() == [prediction.label for prediction in expected]
    np.testing.assert_allclose(rows[scores], [list(prediction.scores.values()) for prediction in expected], atol=6e-4)


def test_history_has_loss_learning_rate_and_dev_metrics_by_step(tiny_checkpoint: Path) -> None:
    history = pd.read_csv(tiny_checkpoint / "history.csv")
    assert list(history) == [
        *["step", "epoch", "loss", "learning_rate", "grad_norm"],
        *["eval_loss", "eval_recall_tiny", "eval_score"],
    ]
    evaluations = json.loads((tiny_checkpoint / "metrics.json").read_text())["history"]
    assert history["eval_score"].dropna().tolist() == [entry["eval_score"] for entry in evaluations]
    assert history["loss"].dropna().iloc[-1] < history["loss"].dropna().iloc[0]
    assert history["step"].is_monotonic_increasing


@pytest.mark.parametrize("name", PLOTS)
def test_plots_are_pictures_that_the_card_shows(tiny_checkpoint: Path, name: str) -> None:
    content = (tiny_checkpoint / f"{name}.png").read_bytes()
    assert content.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", content[16:24])
    assert 300 < width < 1_600
    assert 300 < height < 1_600
    assert f"({name}.png)" in (tiny_checkpoint / "README.md").read_text()


def test_what_is_beside_the_weights_is_small(tiny_checkpoint: Path, tmp_path: Path) -> None:
    assert sum((tiny_checkpoint / f"{name}.png").stat().st_size for name in PLOTS) < 150_000
    draws = np.random.default_rng(0)
    split = TextSplit([""] * 40_000, ["a", "b"] * 20_000)  # as many as all reported and dev texts of the shipped model
    write_predictions(
        tmp_path / "large.parquet", [ScoredSplit("large", "dev", split, draws.normal(size=(40_000, 2)) * 3, ["a", "b"])]
    )
    assert (tmp_path / "large.parquet").stat().st_size < 300_000


def test_the_confusion_plot_shows_shares_of_each_label(scored: ScoredSplit) -> None:
    (axes,) = plot_confusion([scored]).axes
    np.testing.assert_allclose(axes.images[0].get_array(), [[0.5, 0.5, 0], [0, 1, 0], [1, 0, 0]])
    assert [text.get_text() for text in axes.texts][:2] == ["50%", "50%"]


def test_the_reliability_plot_compares_scores_with_right_verdicts(scored: ScoredSplit) -> None:
    (axes,) = plot_reliability([scored]).axes
    _, line = axes.lines
    np.testing.assert_allclose(line.get_xdata(), [0.356, 0.9993], atol=1e-3)
    np.testing.assert_allclose(line.get_ydata(), [0, 0.8])


def test_mistakes_are_counted_by_pair_of_labels(scored: ScoredSplit) -> None:
    assert count_mistakes(scored, uncertain_below=0.5) == [
        {"label": "a", "verdict": "b", "texts": 1, "of": 2, "uncertain": 0},
        {"label": "c", "verdict": "a", "texts": 1, "of": 1, "uncertain": 1},
    ]


def test_the_interval_of_the_macro_recall_narrows_with_more_texts() -> None:
    verdicts, targets = np.array([0, 0, 1, 1, 1, 0]), np.array([0, 0, 0, 1, 1, 1])
    low, high = macro_recall_interval(verdicts, targets)
    assert low < 2 / 3 < high
    narrow = macro_recall_interval(np.tile(verdicts, 50), np.tile(targets, 50))
    assert narrow[1] - narrow[0] < (high - low) / 4


def test_the_interval_of_the_macro_recall_has_a_width_where_labels_are_all_right_or_all_wrong() -> None:
    targets = np.array([0, 0, 0, 1, 1, 1])
    few, all_right = macro_recall_interval(targets, targets)
    assert few < 0.9 < all_right == 1
    none_right, some = macro_recall_interval(1 - targets, targets)
    assert none_right == 0 < 0.1 < some
    targets = np.arange(80)  # one text of each label
    low, high = macro_recall_interval(np.where(targets < 60, targets, 0), targets)
    assert low < 0.70 < 0.75 < 0.80 < high


def test_metrics_and_card_name_environment_and_commit(tiny_checkpoint: Path) -> None:
    metrics = json.loads((tiny_checkpoint / "metrics.json").read_text())
    assert metrics["environment"]["python"] == sys.version.split()[0]
    assert set(metrics["environment"]) == {"python", "torch", "transformers", "tokenizers"}
    assert metrics["commit"] == provenance.find_commit()
    card = (tiny_checkpoint / "README.md").read_text()
    assert f"torch {metrics['environment']['torch']}" in card
    assert metrics["commit"] is None or metrics["commit"] in card


def test_outside_of_git_there_is_no_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object, **settings: object) -> None:
        raise subprocess.CalledProcessError(128, "git")

    monkeypatch.setattr(subprocess, "run", fail)
    assert provenance.find_commit() is None
