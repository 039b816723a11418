"""NumPy computes the logits of ONNX Runtime for many texts, with matrix products of one thread each."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_info, threadpool_limits

from sentiment_gru import SentimentClassifier
from sentiment_gru.classifier import FEW_TEXTS
from sentiment_gru.numpy_runtime import NumpyRuntime, one_thread_each
from sentiment_gru.onnx_model import Runtime
from tests.unit.test_modeling import POOLINGS
from tests.unit.test_onnx_model import LENGTHS, arrays, randomized


def random_rows(lengths: list[int]) -> list[list[int]]:
    """Return random token ids of the small models of the tests."""
    generator = np.random.default_rng(0)
    return [generator.integers(2, 40, length).tolist() for length in lengths]


@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize("bidirectional", [True, False])
@pytest.mark.parametrize("pooling", POOLINGS)
def test_logits_are_those_of_onnx_runtime(pooling: str, bidirectional: bool, half: bool) -> None:
    model = randomized(pooling=pooling, bidirectional=bidirectional)
    weights = arrays(model)
    if half:
        weights["embedding.weight"] = weights["embedding.weight"].astype(np.float16)
    rows = random_rows(LENGTHS)
    expected = Runtime(model.config, weights)(rows)
    found = NumpyRuntime(model.config, weights)(rows)
    assert found.dtype == np.float32
    assert np.ptp(expected) > 0.1
    np.testing.assert_allclose(found, expected, atol=1e-5, rtol=0)


MODEL = randomized()
EXPECTED, RUNTIME = Runtime(MODEL.config, arrays(MODEL)), NumpyRuntime(MODEL.config, arrays(MODEL))


@settings(max_examples=30)
@given(st.lists(st.lists(st.integers(0, 39), max_size=40), min_size=1, max_size=9))
def test_texts_of_any_length_and_order_have_the_logits_of_onnx_runtime(rows: list[list[int]]) -> None:
    np.testing.assert_allclose(RUNTIME(rows), EXPECTED(rows), atol=1e-5, rtol=0)


def test_other_networks_are_left_to_onnx_runtime() -> None:
    assert NumpyRuntime.is_supported(MODEL.config)
    assert not NumpyRuntime.is_supported(randomized(cell="lstm").config)
    assert not NumpyRuntime.is_supported(randomized(num_layers=2).config)


@pytest.mark.parametrize("threads", [1, 3])
def test_a_text_has_the_same_scores_alone_and_among_many(tiny_checkpoint: Path, threads: int) -> None:
    classifier = SentimentClassifier.from_pretrained(tiny_checkpoint, threads)
    texts = ["great film " * length for length in range(FEW_TEXTS)] * 5
    alone = np.concatenate([classifier.logits([text]) for text in texts[:FEW_TEXTS]])
    together = classifier.logits(texts)
    assert np.ptp(alone) > 1
    for start in range(0, len(texts), FEW_TEXTS):
        np.testing.assert_allclose(together[start : start + FEW_TEXTS], alone, atol=1e-4, rtol=0)


def test_many_texts_are_classified_by_numpy_and_few_by_onnx_runtime(
    tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    classifier = SentimentClassifier.from_pretrained(tiny_checkpoint, threads=1)
    seen: list[int] = []

    def count(runtime: object, rows: list[list[int]]) -> np.ndarray:
        seen.append(len(rows))
        return np.zeros((len(rows), len(classifier.labels)), dtype=np.float32)

    monkeypatch.setattr(NumpyRuntime, "__call__", count)
    classifier.logits(["great"] * (FEW_TEXTS - 1))
    assert not seen
    classifier.logits(["great"] * (NumpyRuntime.BATCH_TEXTS + 2))
    assert seen == [NumpyRuntime.BATCH_TEXTS, 2]


def blas_threads() -> int:
    """Return the number of threads of a matrix product of NumPy."""
    (library,) = [one for one in threadpool_info() if one["user_api"] == "blas" and "numpy.libs" in one["filepath"]]
    threads: int = library["num_threads"]
    return threads


def test_matrix_products_have_one_thread_while_any_batch_is_computed() -> None:
    with threadpool_limits(3, user_api="blas"):
        with one_thread_each:
            with one_thread_each:
                assert blas_threads() == 1
            assert blas_threads() == 1
        assert blas_threads() == 3
        with pytest.raises(ValueError), one_thread_each:
            raise ValueError
        assert blas_threads() == 3
        with ThreadPoolExecutor(4) as workers:
            list(workers.map(RUNTIME, [random_rows([5, 3])] * 50))
        assert blas_threads() == 3
