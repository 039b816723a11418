"""OpenVINO gives the same verdicts, and is used only where it is installed, agrees and is faster."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from sentiment_gru import SentimentClassifier, openvino_runtime
from sentiment_gru.errors import MissingExtraError, OptionsError
from sentiment_gru.openvino_runtime import MANY_TEXTS, RuntimeChoice, agree
from sentiment_gru.results import calibrated
from tests.conftest import made_up_texts

BATCHES = [[[2, 3], [4]]] * (MANY_TEXTS // 2)
Answer = Callable[[Sequence[Sequence[int]]], np.ndarray]


clock = 0.0


def answering(logits: tuple[float, ...], seconds: float) -> Answer:
    """Return a runtime that gives every text the same logits and takes so long by the tests' clock."""

    def answer(rows: Sequence[Sequence[int]]) -> np.ndarray:
        global clock
        clock += seconds
        return np.array([logits] * len(rows))

    return answer


SLOW, FAST, WRONG = answering((0.0, 1.0), 2), answering((0.0, 1.01), 1), answering((1.0, 0.0), 1)


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openvino_runtime, "find_spec", lambda name: name)
    monkeypatch.setattr(openvino_runtime.time, "perf_counter", lambda: clock)


@pytest.mark.parametrize("threads", [1, 2])
def test_openvino_gives_the_verdicts_of_onnx_runtime(tiny_checkpoint: Path, threads: int) -> None:
    pytest.importorskip("openvino")
    texts = ["", *(row["text"] for row in made_up_texts()), "the play is great . " * 50]
    expected, found = (
        SentimentClassifier.from_pretrained(tiny_checkpoint, threads, engine).logits(texts)
        for engine in ("onnxruntime", "openvino")
    )
    assert agree(calibrated(found), calibrated(expected))
    assert np.ptp(expected) > 1


def test_explanations_and_single_texts_are_scored_by_onnx_runtime(
    tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sentiment_gru.errors.find_spec", lambda name: name)
    monkeypatch.setattr("sentiment_gru.classifier.OpenVinoRuntime", lambda *_: answering((9.0, 0.0, 0.0), 1))
    text = "the play is great . " * 20
    exact, fast = (
        SentimentClassifier.from_pretrained(tiny_checkpoint, 1, engine) for engine in ("onnxruntime", "openvino")
    )
    reading = fast.read(text)
    prefixes = [reading.ids[:count] for count in range(1, len(reading.ids))]
    np.testing.assert_array_equal(reading.score(prefixes), exact.read(text).score(prefixes))
    np.testing.assert_array_equal(fast.logits([text]), exact.logits([text]))
    assert (fast.logits([text] * 40).argmax(axis=1) == 0).all()
    assert (exact.logits([text] * 40).argmax(axis=1) == 2).all()


def test_the_faster_of_two_runtimes_that_agree_is_chosen() -> None:
    assert RuntimeChoice("auto", SLOW, lambda: FAST, calibrated)(BATCHES) is FAST
    assert RuntimeChoice("auto", FAST, lambda: SLOW, calibrated)(BATCHES) is FAST


def test_a_runtime_that_disagrees_or_fails_is_not_chosen() -> None:
    def fail() -> Answer:
        raise RuntimeError("no such instruction")

    assert RuntimeChoice("auto", SLOW, lambda: WRONG, calibrated)(BATCHES) is SLOW
    assert RuntimeChoice("auto", SLOW, fail, calibrated)(BATCHES) is SLOW


def test_few_texts_are_left_to_onnx_runtime() -> None:
    choice = RuntimeChoice("auto", SLOW, lambda: FAST, calibrated)
    assert choice(BATCHES[1:]) is SLOW
    assert choice(BATCHES[:1]) is FAST
    assert choice(BATCHES[:1]) is FAST


def test_a_named_engine_is_used_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    assert RuntimeChoice("openvino", FAST, lambda: SLOW, calibrated)(BATCHES[:1]) is SLOW
    assert RuntimeChoice("onnxruntime", SLOW, lambda: FAST, calibrated)(BATCHES) is SLOW
    monkeypatch.setattr(openvino_runtime, "find_spec", lambda name: None)
    assert RuntimeChoice("auto", SLOW, lambda: FAST, calibrated)(BATCHES) is SLOW


def test_other_verdicts_than_near_ties_are_a_disagreement() -> None:
    scores = np.array([[0.2, 0.6, 0.2], [0.46, 0.47, 0.07]])
    assert agree(scores, scores)
    assert agree(scores[1:, [1, 0, 2]], scores[1:])
    assert not agree(scores[:, [1, 0, 2]], scores)
    assert not agree(scores + np.array([0, 0.03, -0.03]), scores)


def test_an_unknown_engine_and_one_that_is_missing_are_refused(
    tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(OptionsError, match="'tpu'"):
        SentimentClassifier.from_pretrained(tiny_checkpoint, engine="tpu")
    monkeypatch.setattr("sentiment_gru.errors.find_spec", lambda name: None)
    monkeypatch.setenv("ENGINE", "openvino")
    with pytest.raises(MissingExtraError, match="openvino"):
        SentimentClassifier.from_pretrained(tiny_checkpoint)
