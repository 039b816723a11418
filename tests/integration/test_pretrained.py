"""The shipped checkpoint: small, safe, made by this code, and as good as its metrics say."""

import json
from pathlib import Path

import pytest

from sentiment_gru import SentimentClassifier
from sentiment_gru.evaluation import main as evaluate
from sentiment_gru.tokenization import NOISE_PATTERN, WORD_PATTERN
from tests.conftest import REPOSITORY

SHIPPED = REPOSITORY / "sentiment_gru" / "pretrained"


@pytest.fixture(scope="module")
def shipped() -> SentimentClassifier:
    return SentimentClassifier.from_pretrained()


@pytest.fixture(scope="module")
def metrics() -> dict:
    return json.loads((SHIPPED / "metrics.json").read_text())


def test_it_is_at_most_10000_kib_and_holds_no_pickle() -> None:
    blocks = sum(-(-path.stat().st_size // 4096) * 4 for path in SHIPPED.rglob("*")) + 4  # as du counts them
    assert blocks <= 10_000
    assert {path.suffix for path in SHIPPED.iterdir()} == {".safetensors", ".json", ".md", ".py"}


@pytest.mark.parametrize("name", ["configuration.py", "model_config.py", "modeling.py", "network.py"])
def test_it_carries_today_s_modelling_code(name: str) -> None:
    assert (SHIPPED / name).read_bytes() == (REPOSITORY / "sentiment_gru" / name).read_bytes()


def test_it_reads_by_today_s_patterns() -> None:
    tokenizer = json.loads((SHIPPED / "tokenizer.json").read_text(encoding="utf-8"))
    patterns = [part["pattern"]["Regex"] for part in tokenizer["pre_tokenizer"]["pretokenizers"]]
    assert patterns == [NOISE_PATTERN, WORD_PATTERN]


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Not bad at all.", "positive"),
        ("The flight leaves at noon.", "neutral"),
        ("What a waste of two hours.", "negative"),
        ("I loved it.", "positive"),
        ("I don't like this.", "negative"),
        ("It is never boring.", "positive"),
        ("😡", "negative"),
        ("👍", "positive"),
        ("My neighbour is gay.", "neutral"),
    ],
)
def test_plain_sentences_get_the_verdict_a_person_would_give(
    shipped: SentimentClassifier, text: str, label: str
) -> None:
    assert shipped(text)[0].label == label


def test_its_metrics_reach_the_floors_set_for_it(metrics: dict) -> None:
    reported = {name: dataset["reported"] for name, dataset in metrics["datasets"].items()}
    assert reported["imdb"]["accuracy"] >= 0.914
    assert reported["sst2"]["accuracy"] >= 0.87
    assert reported["tweets"]["macro_recall"] >= 0.62
    assert reported["imdb"]["calibration_error"] <= 0.0154


@pytest.mark.data
def test_its_metrics_can_be_measured_again(metrics: dict, real_data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert evaluate(["--dataset", str(real_data / "sst2"), "--split", "test", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    expected = metrics["datasets"]["sst2"]["reported"]
    assert figures["accuracy"] == pytest.approx(expected["accuracy"], abs=2 / expected["texts"])
    assert figures["calibration_error"] == pytest.approx(expected["calibration_error"], abs=2e-3)
