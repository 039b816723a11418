"""ONNX Runtime computes the same as the model, here and from an exported file."""

import io
import json
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sentiment_gru import SentimentClassifier, SentimentGRUForSequenceClassification
from sentiment_gru.__main__ import main
from sentiment_gru.checkpoint import load_tokenizer
from sentiment_gru.network import CELLS
from sentiment_gru.onnx_model import Runtime, build_graph
from tests.unit.test_modeling import POOLINGS, make_batch, make_model

LENGTHS = [0, 1, 2, 3, 17, 64, 250, 299]


@pytest.fixture(autouse=True)
def _no_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO()))


def randomized(**changes: object) -> SentimentGRUForSequenceClassification:
    """Return a small model whose biases and head are not the zeros it would start with."""
    model = make_model(**changes)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return model


def arrays(model: SentimentGRUForSequenceClassification) -> dict[str, np.ndarray]:
    """Return the weights of a model by name."""
    return {name: tensor.numpy() for name, tensor in model.state_dict().items()}


@pytest.mark.parametrize("bidirectional", [True, False])
@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("pooling", POOLINGS)
def test_the_graph_computes_the_model_s_logits(cell: str, pooling: str, bidirectional: bool) -> None:
    changes = {"temperature": 1.7, "temperature_exponent": -0.2, "num_layers": 2}
    model = randomized(cell=cell, pooling=pooling, bidirectional=bidirectional, **changes)
    session = onnxruntime.InferenceSession(
        build_graph(model.config, arrays(model), calibrated=True).SerializeToString()
    )
    ids, mask = make_batch(LENGTHS)
    with torch.inference_mode():
        expected = model(input_ids=ids, attention_mask=mask).logits.numpy()
    (found,) = session.run(None, {"input_ids": ids.numpy(), "attention_mask": mask.numpy()})
    np.testing.assert_allclose(found, expected, atol=1e-5, rtol=0)


MODEL = randomized()
RUNTIME = Runtime(MODEL.config, arrays(MODEL))


@settings(max_examples=30)
@given(st.lists(st.lists(st.integers(2, 39), max_size=40), min_size=1, max_size=9))
def test_a_text_s_logits_do_not_depend_on_its_batch(rows: list[list[int]]) -> None:
    together = RUNTIME(rows)
    for row, logits in zip(rows, together, strict=True):
        np.testing.assert_allclose(RUNTIME([row])[0], logits, atol=1e-5, rtol=0)
        with torch.inference_mode():
            expected = MODEL(input_ids=torch.tensor([row], dtype=torch.long)).logits[0].numpy()
        np.testing.assert_allclose(logits, expected, atol=1e-5, rtol=0)


def test_an_exported_file_gives_the_classifier_s_logits(
    classifier: SentimentClassifier, tiny_checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "model.onnx"
    arguments = ["--model", str(tiny_checkpoint), "--export-onnx", str(output)]
    assert main(arguments) == 0
    assert str(tiny_checkpoint / "tokenizer.json") in capsys.readouterr().out
    assert [path.name for path in tmp_path.iterdir()] == ["model.onnx"]
    session = onnxruntime.InferenceSession(output)
    properties = session.get_modelmeta().custom_metadata_map
    assert json.loads(properties["labels"]) == classifier.labels
    assert int(properties["max_tokens"]) == classifier.config.max_tokens
    texts = [("this awful film isn't great . " * 50)[:length] for length in range(0, 1_500, 45)]
    padded = load_tokenizer(tiny_checkpoint)(texts, padding=True, return_tensors="np")
    feed = {name: padded[name].astype(np.int64) for name in ("input_ids", "attention_mask")}
    (logits,) = session.run(None, feed)
    assert feed["input_ids"].shape[1] > 250
    np.testing.assert_allclose(logits, classifier.logits(texts), atol=1e-5, rtol=0)
    before = output.read_bytes()
    assert main(arguments) == 1
    assert "--force replaces it" in capsys.readouterr().err
    assert main([*arguments, "--force"]) == 0
    assert output.read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["text"], "--export-onnx goes with neither texts"),
        (["--json"], "--export-onnx goes with neither texts"),
        (["--file", "in.csv", "--output", "out.csv"], "--export-onnx goes with neither texts"),
        ([], "no/folder/model.onnx cannot be written: there is no folder"),
    ],
)
def test_an_export_is_refused_before_the_model_is_loaded(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--model", "no/such-model", "--export-onnx", "no/folder/model.onnx", *arguments]) == 1
    assert message in capsys.readouterr().err
