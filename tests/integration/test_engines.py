"""The exported graph gives the same verdicts in every runtime, whatever stands beside a text in its batch."""

from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from sentiment_gru.onnx_model import export_onnx

pytestmark = pytest.mark.slow

TEXTS, LONGEST, BATCH = 2_000, 2_000, 50
Logits = np.ndarray


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the shipped model as an ONNX file."""
    path = tmp_path_factory.mktemp("onnx") / "model.onnx"
    export_onnx(None, path)
    return path


@pytest.fixture(scope="module")
def rows() -> list[np.ndarray]:
    """Return token ids of texts of 0 to 2,000 tokens, most of them short."""
    generator = np.random.default_rng(0)
    lengths = np.exp(generator.uniform(0, np.log(LONGEST + 1), TEXTS)).astype(int)
    lengths[:3] = 0, 1, LONGEST
    return [generator.integers(2, 20_000, length) for length in lengths]


@pytest.fixture(scope="module")
def expected(graph: Path, rows: list[np.ndarray]) -> Logits:
    """Return the logits that ONNX Runtime computes for each text alone, without padding."""
    session = onnxruntime.InferenceSession(graph)
    return np.concatenate([run_onnxruntime(session, *pad([row])) for row in rows])


def pad(rows: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    lengths = np.array([len(row) for row in rows])
    mask = np.arange(max(1, lengths.max())) < lengths[:, None]
    ids = np.zeros(mask.shape, dtype=np.int64)
    ids[mask] = np.concatenate(rows)
    return ids, mask.astype(np.int64)


def batches(rows: list[np.ndarray]) -> list[tuple[np.ndarray, np.ndarray]]:
    return [pad(rows[start : start + BATCH]) for start in range(0, len(rows), BATCH)]


def run_onnxruntime(session: onnxruntime.InferenceSession, ids: np.ndarray, mask: np.ndarray) -> Logits:
    (logits,) = session.run(None, {"input_ids": ids, "attention_mask": mask})
    return logits


def assert_same_verdicts(logits: Logits, expected: Logits, tolerance: float) -> None:
    assert np.abs(logits - expected).max() <= tolerance
    assert (logits.argmax(axis=1) == expected.argmax(axis=1)).all()


def test_padding_changes_no_verdict_in_onnxruntime(graph: Path, rows: list[np.ndarray], expected: Logits) -> None:
    session = onnxruntime.InferenceSession(graph)
    found = np.concatenate([run_onnxruntime(session, *batch) for batch in batches(rows)])
    assert_same_verdicts(found, expected, 1e-4)


def test_padding_changes_no_verdict_in_openvino(graph: Path, rows: list[np.ndarray], expected: Logits) -> None:
    openvino = pytest.importorskip("openvino")
    compiled = openvino.compile_model(graph, "CPU", {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1})
    found = [compiled({"input_ids": ids, "attention_mask": mask})[0] for ids, mask in batches(rows)]
    assert_same_verdicts(np.concatenate(found), expected, 1e-4)
