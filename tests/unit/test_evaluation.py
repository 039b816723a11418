"""Figures are computed as their definitions say, and the command prints them."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.special import log_softmax, softmax

from sentiment_gru import DatasetError, SentimentClassifier
from sentiment_gru.data.splits import TextSplit
from sentiment_gru.evaluation import main
from sentiment_gru.metrics import (
    MAX_UNCERTAIN_SHARE,
    band_holds,
    calibration_error,
    calibration_error_if_perfect,
    evaluate,
    find_uncertain_band,
    fit_temperature,
    temperature_helps,
)
from sentiment_gru.model_config import length_factor

LABELS = ["negative", "neutral", "positive"]


def split_of(labels: list[str]) -> TextSplit:
    return TextSplit([f"text {i}" for i in range(len(labels))], labels)


def test_figures_of_a_set_worked_out_by_hand() -> None:
    logits = np.log(np.array([[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.1, 0.1, 0.8], [0.5, 0.1, 0.4]]))
    result = evaluate(logits, split_of(["negative", "neutral", "positive", "positive"]), LABELS, 0.55)
    assert result.accuracy == 0.75
    assert result.macro_recall == pytest.approx((1 + 1 + 0.5) / 3)
    assert result.macro_f1 == pytest.approx((2 / 3 + 1 + 2 / 3) / 3)
    assert result.calibration_error == pytest.approx((0.3 + 0.4 + 0.2 + 0.5) / 4)
    assert (result.uncertain, result.uncertain_error, result.certain_error) == (0.25, 1.0, 0.0)
    assert result.accuracy_interval == pytest.approx((0.3006, 0.9544), abs=1e-3)  # Wilson, 3 of 4


def test_a_set_without_neutral_texts_asks_for_positive_against_negative() -> None:
    logits = np.log(np.array([[0.2, 0.7, 0.1], [0.1, 0.6, 0.3]]))
    result = evaluate(logits, split_of(["negative", "positive"]), LABELS, 0.0)
    assert result.labels == ["negative", "positive"]
    assert result.accuracy == 1.0
    assert result.certain_error == 1.0  # all labels considered, both verdicts are neutral
    assert result.uncertain_error is None


def test_a_label_the_model_lacks_is_refused_by_name() -> None:
    with pytest.raises(DatasetError, match="no label joy, only negative, neutral, positive"):
        evaluate(np.zeros((1, 3)), split_of(["joy"]), LABELS, 0.0)


def test_a_message_lists_twenty_labels_at_most() -> None:
    with pytest.raises(DatasetError, match=r"no label l00, .*, l19 and 40 more, only negative, neutral, positive"):
        evaluate(np.zeros((60, 3)), split_of([f"l{i:02}" for i in range(60)]), LABELS, 0.0)


def noisy_set(scale: float, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return logits that are `scale` times the true ones, label ids and lengths of texts."""
    draws = np.random.default_rng(0)
    logits = draws.normal(size=(count, 3))
    targets = np.array([draws.choice(3, p=row) for row in softmax(logits, axis=1)])
    return logits * scale, targets, np.full(count, 100)


def test_a_temperature_helps_where_scores_are_overconfident_and_not_where_they_are_right() -> None:
    assert temperature_helps([noisy_set(6.0, 60)])
    assert not temperature_helps([noisy_set(1.0, 60)])
    assert not temperature_helps([noisy_set(6.0, 9)])  # fewer than two texts a fold


def test_a_band_holds_only_where_the_texts_left_out_confirm_it() -> None:
    draws = np.random.default_rng(0)
    confidence = np.repeat([0.55, 0.95], 150)
    scores = np.stack([confidence, 1 - confidence], axis=1)
    half_wrong = np.where(confidence < 0.6, draws.random(300) < 0.5, False).astype(int)
    assert band_holds([(scores, half_wrong)])
    assert not band_holds([(scores, np.zeros(300, dtype=int))])
    in_one_fold = np.where((confidence < 0.6) & (np.arange(300) % 5 == 0), 1, 0)
    assert not band_holds([(scores, in_one_fold)])
    assert not band_holds([(scores[:9], half_wrong[:9])])


def test_a_perfectly_calibrated_model_stays_under_its_own_bound() -> None:
    draws = np.random.default_rng(1)
    positive = draws.random(20_000)
    scores = np.stack([1 - positive, positive], axis=1)
    targets = (draws.random(20_000) < positive).astype(int)
    assert calibration_error(scores, targets) < calibration_error_if_perfect(scores) < 0.02
    overconfident = softmax(3 * np.log(scores), axis=1)
    assert calibration_error(overconfident, targets) > 2 * calibration_error_if_perfect(overconfident)


def test_the_fitted_temperature_undoes_overconfidence() -> None:
    draws = np.random.default_rng(2)
    true_logits = draws.normal(size=(20_000, 3))
    targets = np.array([draws.choice(3, p=p) for p in softmax(true_logits, axis=1)])
    temperature, exponent = fit_temperature([(true_logits * 2.5, targets, np.full(20_000, 100))])
    assert temperature == pytest.approx(2.5, rel=0.1)
    assert exponent == 0


def test_texts_of_other_lengths_get_other_temperatures() -> None:
    draws = np.random.default_rng(2)

    def overconfident(factor: float, tokens: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        logits = draws.normal(size=(20_000, 2))
        targets = (draws.random(20_000) < softmax(logits, axis=1)[:, 1]).astype(int)
        return logits * factor, targets, np.full(20_000, tokens)

    temperature, exponent = fit_temperature([overconfident(3.0, 10), overconfident(1.5, 1_000)])
    assert temperature * length_factor(np.array([10, 1_000]), exponent) == pytest.approx([3.0, 1.5], rel=0.1)


def test_a_set_without_errors_does_not_make_scores_certain() -> None:
    perfect = np.array([[2.0, 0.0], [0.0, 2.0]]), np.array([0, 1]), np.array([100, 100])
    assert fit_temperature([perfect]) == pytest.approx((0.5, 0), abs=1e-3)


def test_each_set_counts_alike_when_the_temperature_is_fitted() -> None:
    draws = np.random.default_rng(3)

    def overconfident(factor: float, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        logits = draws.normal(size=(count, 2))
        targets = (draws.random(count) < softmax(logits, axis=1)[:, 1]).astype(int)
        return logits * factor, targets, np.full(count, 100)

    sets = [overconfident(1.0, 30_000), overconfident(3.0, 500)]
    grid = np.exp(np.linspace(-0.6, 3, 601))
    losses = [
        np.mean([-log_softmax(logits / t, axis=1)[np.arange(len(y)), y].mean() for logits, y, _ in sets]) for t in grid
    ]
    assert fit_temperature(sets)[0] == pytest.approx(grid[int(np.argmin(losses))], rel=0.02)


def test_the_uncertain_band_is_where_verdicts_are_often_wrong() -> None:
    draws = np.random.default_rng(4)
    confidence = draws.uniform(0.5, 1.0, 50_000)
    scores = np.stack([confidence, 1 - confidence], axis=1)
    targets = (draws.random(50_000) > confidence).astype(int)
    # Calibrated: verdicts of the band (edge - 0.05, edge) are wrong 1.025 - edge of the time, which is 0.4 at 0.625.
    assert find_uncertain_band([(scores, targets)]) == pytest.approx(0.625, abs=0.015)
    assert find_uncertain_band([(scores, np.zeros(50_000, dtype=int))]) == 0.0


def test_few_texts_of_a_set_that_lacks_a_label_are_uncertain() -> None:
    draws = np.random.default_rng(5)
    confidence = draws.uniform(0.5, 0.7, 10_000)
    scores = np.stack([confidence, 1 - confidence, np.zeros(10_000)], axis=1)
    one_sided = (draws.random(10_000) > confidence).astype(int)
    band = find_uncertain_band([(scores, one_sided)])
    assert 0.52 <= band < 0.53
    assert (confidence < band).mean() <= MAX_UNCERTAIN_SHARE
    every_label = one_sided.copy()
    every_label[:1] = 2
    assert find_uncertain_band([(scores, every_label)]) == pytest.approx(0.625, abs=0.02)


def test_the_command_prints_the_figures_of_a_split(
    tiny_checkpoint: Path, tiny_dataset: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--model", str(tiny_checkpoint), "--dataset", str(tiny_dataset), "--split", "test", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    reported = json.loads((tiny_checkpoint / "metrics.json").read_text())["datasets"]["tiny"]["reported"]
    assert figures["accuracy"] == reported["accuracy"] > 0.9
    assert figures["calibration_error"] == pytest.approx(reported["calibration_error"], abs=1e-6)
    assert figures["texts_per_second"] > 0
    assert main(["--model", str(tiny_checkpoint), "--dataset", str(tiny_dataset)]) == 0
    lines = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert lines["accuracy"] == f"{reported['accuracy']:.3f}"
    assert lines["accuracy_interval"] == " to ".join(f"{edge:.3f}" for edge in reported["accuracy_interval"])
    assert lines["labels"] == "negative, neutral, positive"
    assert lines["left_out"] == "none"


def test_a_label_the_model_lacks_is_refused_before_the_texts_are_classified(
    tiny_checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def classify(*arguments: object) -> None:
        raise AssertionError("texts are classified")

    monkeypatch.setattr(SentimentClassifier, "logits", classify)
    (tmp_path / "in.csv").write_text("text,label\n" + "".join(f"text {i},label {i}\n" for i in range(60)))
    assert main(["--model", str(tiny_checkpoint), "--dataset", str(tmp_path / "in.csv")]) == 1
    assert "the model has no label label 0, " in capsys.readouterr().err


def test_the_command_refuses_in_one_line(
    tiny_checkpoint: Path, tiny_dataset: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--model", str(tiny_checkpoint), "--dataset", str(tiny_dataset), "--split", "dev"]) == 1
    assert "has no split 'dev', only train, test" in capsys.readouterr().err
    assert main(["--model", "no/such-model", "--dataset", str(tiny_dataset)]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_a_file_of_ratings_is_evaluated_without_naming_its_only_split(
    tiny_checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stars = {"great": 5, "awful": 1, "recent": 3}
    lines = [f"the film is {word} .,{star},{i}" for i in range(4) for word, star in stars.items()] + [" ,5,4"]
    (tmp_path / "r.csv").write_text("body,stars,year\n" + "\n".join(lines))
    command = ["--model", str(tiny_checkpoint), "--dataset", str(tmp_path / "r.csv"), "--json"]
    columns = ["--text-column", "body", "--label-column", "stars"]
    assert main([*command, *columns, "--label-map", "1=negative;3=neutral;5=positive"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert (figures["texts"], figures["accuracy"], figures["left_out"]) == (12, 1.0, {"without text": 1})
    assert main([*command, "--text-column", "words"]) == 1
    assert "has the columns body, stars, year" in capsys.readouterr().err
