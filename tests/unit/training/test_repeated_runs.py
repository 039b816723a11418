"""Cross-validation measures each text once, by a model that has not seen it, beside the baseline."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import ttest_1samp

from sentiment_gru.data.splits import Corpus, TextSplit, letters
from sentiment_gru.errors import DatasetError, OptionsError
from sentiment_gru.training import repeated_runs
from sentiment_gru.training.closing_report import describe_results
from sentiment_gru.training.options import TrainingOptions
from sentiment_gru.training.repeated_runs import assign_folds, make_fold, summarize, train_folds
from tests.conftest import made_up_texts, tiny_options, write_dataset


def made_up_pool() -> TextSplit:
    rows = made_up_texts()
    return TextSplit([row["text"] for row in rows], [row["label"] for row in rows])


def test_each_text_is_in_one_fold_and_each_fold_has_the_shares_of_the_labels() -> None:
    pool = made_up_pool()
    folds = [make_fold({"tiny": pool}, 4, fold)[0] for fold in range(4)]
    measured = [text for corpus in folds for text in corpus.reported.texts]
    assert sorted(measured) == sorted(pool.texts)
    for corpus in folds:
        assert set(Counter(corpus.reported.labels).values()) == {32}
        outside = {letters(text) for text in corpus.train.texts + corpus.dev.texts}
        assert not outside & {letters(text) for text in corpus.reported.texts}
        assert len(corpus.dev) > 20
        assert len(outside) == 288


def test_copies_of_a_text_of_the_fold_are_not_trained_on() -> None:
    pool = made_up_pool()
    copied = TextSplit([*pool.texts, pool.texts[0].upper()], [*pool.labels, pool.labels[0]])
    for fold in range(4):
        (corpus,) = make_fold({"tiny": copied}, 4, fold)
        held_out = {letters(text) for text in corpus.reported.texts}
        assert not held_out & {letters(text) for text in corpus.train.texts + corpus.dev.texts}


def test_folds_consist_of_blocks_of_adjacent_rows() -> None:
    folds = assign_folds("sorted", ["a"] * 400 + ["b"] * 30, 4)
    assert np.count_nonzero(np.diff(folds[:400])) == 39  # 40 blocks of 10 rows
    assert Counter(folds[400:].tolist()) == {0: 8, 1: 8, 2: 7, 3: 7}


def test_a_label_with_fewer_texts_than_folds_is_refused_by_name() -> None:
    with pytest.raises(DatasetError, match=r"dataset pets: the label cat has 2 texts, and --folds 3 needs 3"):
        assign_folds("pets", ["dog"] * 9 + ["cat"] * 2, 3)


def test_the_interval_is_wider_than_that_of_independent_trainings_by_the_texts_they_share() -> None:
    values = np.array([0.8, 0.7, 0.75, 0.72, 0.81])
    low, high = summarize(values)["interval"]
    naive = ttest_1samp(values, 0.0).confidence_interval(0.95)
    assert (high - low) / (naive.high - naive.low) == pytest.approx(np.sqrt(1 + 5 / 4))
    assert summarize(np.array([1.0, 0.4]))["interval"] == [0.0, 1.0]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"folds": 1}, "--folds is 1; it must be 2 or more"),
        ({"folds": 3, "seeds": [1, 2]}, "--folds does not go with --seeds"),
        ({"folds": 3, "evaluate_test": True}, "--evaluate-test needs a checkpoint: add --refit"),
        ({"refit": True}, "--refit goes with --folds"),
    ],
)
def test_contradicting_options_are_refused(tmp_path: Path, changes: dict[str, object], message: str) -> None:
    with pytest.raises(OptionsError, match=message):
        tiny_options(tmp_path, tmp_path / "out", **changes)


def test_folds_are_measured_beside_the_baseline_without_a_checkpoint(tiny_dataset: Path, tmp_path: Path) -> None:
    options = tiny_options(tiny_dataset, tmp_path / "out", folds=2, epochs=2)
    metrics = train_folds(options)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["metrics.json"]
    assert json.loads((tmp_path / "out" / "metrics.json").read_text()) == metrics
    tiny = metrics["folds"]["tiny"]
    assert tiny["texts"] == [144, 144]
    for who in ("model", "baseline"):
        assert tiny[who]["accuracy"]["mean"] == pytest.approx(np.mean(tiny[who]["accuracy"]["folds"]))
    lines = describe_results("out", metrics)
    assert "tiny: 2 folds of 144 texts" in lines
    assert f"TF-IDF baseline  accuracy {tiny['baseline']['accuracy']['mean']:.1%} (" in lines
    assert "Figures in out after" in lines


def test_refit_adds_a_checkpoint_of_all_texts_and_its_card(tiny_dataset: Path, tmp_path: Path) -> None:
    options = tiny_options(tiny_dataset, tmp_path / "out", folds=2, epochs=1, refit=True, baseline=False)
    metrics = train_folds(options)
    assert (tmp_path / "out" / "model.safetensors").is_file()
    stored = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert set(stored["folds"]["tiny"]) == {"texts", "model"}
    assert stored["datasets"]["tiny"]["train_texts"] == metrics["datasets"]["tiny"]["train_texts"] > 200
    figures = stored["folds"]["tiny"]["model"]["accuracy"]
    assert (
        f"Cross-validation on tiny, 2 folds: accuracy {figures['mean']:.1%}" in (tmp_path / "out/README.md").read_text()
    )
    with pytest.raises(OptionsError, match="holds a checkpoint, which --folds would replace"):
        train_folds(tiny_options(tiny_dataset, tmp_path / "out", folds=2))


def test_a_killed_cross_validation_resumes_after_its_finished_folds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = write_dataset(tmp_path / "tiny", train=made_up_texts()[::4])
    options = tiny_options(dataset, tmp_path / "out", folds=2, epochs=1, baseline=False)
    train, trained = repeated_runs.train, []

    def train_until_killed(part: TrainingOptions, corpora: list[Corpus]) -> dict | None:
        trained.append(Path(part.output_dir).name)
        if trained == ["fold-1", "fold-2"]:
            raise KeyboardInterrupt
        return train(part, corpora=corpora)

    monkeypatch.setattr(repeated_runs, "train", train_until_killed)
    with pytest.raises(KeyboardInterrupt):
        train_folds(options)
    with pytest.raises(OptionsError, match="unfinished run: continue it with --resume"):
        train_folds(options)
    metrics = train_folds(replace(options, resume=True))
    assert trained == ["fold-1", "fold-2", "fold-2"]
    assert len(metrics["folds"]["tiny"]["model"]["accuracy"]["folds"]) == 2


def test_the_closing_line_of_a_stopped_cross_validation_names_the_fold() -> None:
    stopped = {"interrupted": {"step": 4, "of": 9, "fold": 2, "folds": 3}}
    line = "Stopped at step 4 of 9 of fold 2 of 3; --resume continues the same command."
    assert describe_results("out", stopped) == line
