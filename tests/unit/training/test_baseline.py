"""Every training is compared with TF-IDF and logistic regression, and the closing lines say which is better."""

import json
from pathlib import Path

import pytest

from sentiment_gru.data.splits import Corpus, TextSplit
from sentiment_gru.training.baseline import ADVICE, baseline_is_better, build_baseline, measure_baseline
from sentiment_gru.training.closing_report import describe_results
from tests.conftest import WORDS, made_up_texts


def corpus_of(name: str, labels: list[str]) -> Corpus:
    rows = [row for row in made_up_texts() if row["label"] in labels]
    split = TextSplit([row["text"] for row in rows], [row["label"] for row in rows])
    return Corpus(name, split, split.take(range(0, len(split), 3)), split.take(range(40)), {})


def test_the_baseline_is_measured_on_each_dataset_among_its_own_labels() -> None:
    corpora = [corpus_of("all", list(WORDS)), corpus_of("polar", ["negative", "positive"])]
    figures = measure_baseline(corpora, ["negative", "neutral", "positive"], evaluate_test=True)
    assert figures["all"]["dev"]["accuracy"] == 1.0
    assert figures["all"]["dev"]["accuracy_interval"][0] > 0.9
    assert {name: list(roles) for name, roles in figures.items()} == {
        "all": ["dev", "reported"],
        "polar": ["dev", "reported"],
    }
    assert list(measure_baseline(corpora, ["negative", "neutral", "positive"], evaluate_test=False)["all"]) == ["dev"]


def test_a_label_that_the_model_has_and_the_texts_lack_is_never_the_baselines_verdict() -> None:
    figures = measure_baseline([corpus_of("polar", ["negative", "positive"])], ["negative", "joy", "positive"], False)
    assert figures["polar"]["dev"]["macro_recall"] == 1.0


def test_texts_without_words_have_no_baseline() -> None:
    split = TextSplit(["😀", "😡"] * 4, ["good", "bad"] * 4)
    assert measure_baseline([Corpus("emoji", split, split, None, {})], ["bad", "good"], False) == {}


def test_the_baseline_sees_pairs_of_words() -> None:
    texts = ["not good but bad", "not bad but good"] * 5
    assert build_baseline().fit(texts, ["no", "yes"] * 5).predict(texts[:2]).tolist() == ["no", "yes"]


@pytest.fixture
def metrics(tiny_checkpoint: Path) -> dict:
    return json.loads((tiny_checkpoint / "metrics.json").read_text())


def test_the_closing_lines_show_both_models_recalls_and_mistakes(metrics: dict) -> None:
    tiny = metrics["datasets"]["tiny"]["dev"]
    tiny["recalls"]["neutral"] = {"texts": 12, "right": 9}
    tiny["mistakes"] = [{"label": "neutral", "verdict": "positive", "texts": 3, "of": 12, "uncertain": 0}]
    lines = describe_results("out", metrics)
    assert "Checkpoint in out after" in lines
    assert "started from random weights, because of --embedding-size, --hidden-size" in lines
    ours, rival = (next(line for line in lines.splitlines() if who in line) for who in ("this model", "TF-IDF"))
    assert f"macro recall {tiny['macro_recall']:.1%}" in ours
    assert f"accuracy {metrics['baseline']['tiny']['dev']['accuracy']:.1%}" in rival
    assert "recall by label  neutral 75% of 12, negative" in lines
    assert "mistakes         neutral as positive (3 of 12)" in lines


def test_the_closing_lines_count_the_rows_that_were_left_out(metrics: dict) -> None:
    metrics["datasets"]["tiny"]["removed"] = {"train without text": 1_050, "dev without label": 0}
    assert "  rows left out    1,050 train without text\n" in describe_results("out", metrics)
    metrics["datasets"]["tiny"]["removed"] = {}
    assert "left out" not in describe_results("out", metrics)


@pytest.mark.parametrize(("minutes", "words"), [(0.0, "less than a minute"), (1.3, "1.3 minutes")])
def test_the_closing_lines_tell_the_time(metrics: dict, minutes: float, words: str) -> None:
    assert f"Checkpoint in out after {words}, started" in describe_results("out", metrics | {"minutes": minutes})


@pytest.mark.parametrize(("ours", "advised"), [(0.5, True), (1.0, False)])
def test_a_better_baseline_is_recommended(metrics: dict, ours: float, advised: bool) -> None:
    metrics["baseline"]["tiny"]["reported"]["accuracy"] = 0.9
    metrics["datasets"]["tiny"]["reported"]["accuracy"] = ours
    assert baseline_is_better(metrics) is advised
    assert (ADVICE in describe_results("out", metrics)) is advised


def test_without_a_baseline_none_is_printed(metrics: dict) -> None:
    del metrics["baseline"]
    assert "TF-IDF" not in describe_results("out", metrics)


def test_the_card_shows_the_baseline_the_calibration_and_the_faults_of_the_data(
    tiny_checkpoint: Path, metrics: dict
) -> None:
    card = (tiny_checkpoint / "README.md").read_text()
    rival = metrics["baseline"]["tiny"]["reported"]
    low, high = rival["accuracy_interval"]
    section = card.partition("TF-IDF with logistic regression, trained on the same texts:")[2].partition("## ")[0]
    assert f"| tiny (test) | {rival['accuracy']:.1%} ({low:.1%} to {high:.1%}) |" in section
    assert f"- tiny: dev has only {metrics['datasets']['tiny']['dev']['texts']} texts" in section
    assert metrics["calibration"]["cross_validated"] is True
    assert ("fitted on dev and checked by cross-validation" in card) is metrics["calibration"]["temperature"]
