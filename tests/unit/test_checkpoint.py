"""Checkpoints load everywhere, give equal scores, and broken ones are refused in one line."""

import json
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    DataCollatorWithPadding,
    Trainer,
    TrainingArguments,
    pipeline,
)

import sentiment_gru.modeling  # noqa: F401, registers the Auto classes
from sentiment_gru import CheckpointError, SentimentClassifier
from sentiment_gru.checkpoint import check_folder, load_model, load_tokenizer, resolve, save_checkpoint
from tests.conftest import REPOSITORY

TEXTS = ["a superb film !", "this story was awful", "it isn't a song that is recent , or is it ?"]


@pytest.fixture
def broken(tiny_checkpoint: Path, tmp_path: Path) -> Path:
    """Return a copy of a good checkpoint, for a test to break."""
    return Path(shutil.copytree(tiny_checkpoint, tmp_path / "broken"))


def edit_config(folder: Path, **changes: object) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def assert_refused(folder: Path, *fragments: str) -> None:
    with pytest.raises(CheckpointError) as caught:
        SentimentClassifier.from_pretrained(folder)
    message = str(caught.value)
    assert "\n" not in message
    assert all(fragment in message for fragment in fragments), message


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json"])
def test_a_missing_file_is_named(broken: Path, name: str) -> None:
    (broken / name).unlink()
    assert_refused(broken, name, "missing")


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json"])
def test_a_file_that_is_not_json_is_named(broken: Path, name: str) -> None:
    (broken / name).write_bytes(b"\xff\xfe{")
    assert_refused(broken, name, "JSON")
    (broken / name).write_text("[]")
    assert_refused(broken, name, "not a JSON object")


def test_a_tokenizer_of_another_format_is_refused(broken: Path) -> None:
    (broken / "tokenizer.json").write_text("{}")
    assert_refused(broken, "tokenizer.json")


@pytest.mark.parametrize("size", [0, 7, 100, -5])
def test_truncated_weights_are_refused(broken: Path, size: int) -> None:
    path = broken / "model.safetensors"
    path.write_bytes(path.read_bytes()[:size])
    assert_refused(broken, "model.safetensors", "not a whole safetensors file")


class Bomb:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.touch, (self.path,)


def test_a_pickle_is_never_opened(broken: Path, tmp_path: Path) -> None:
    (broken / "model.safetensors").unlink()
    (broken / "pytorch_model.bin").write_bytes(pickle.dumps(Bomb(tmp_path / "exploded")))
    assert_refused(broken, "model.safetensors", "pytorch_model.bin is a pickle and is never loaded")
    (broken / "model.safetensors").write_bytes(pickle.dumps(Bomb(tmp_path / "exploded")))
    assert_refused(broken, "model.safetensors")
    assert not (tmp_path / "exploded").exists()


def test_another_model_type_is_refused(broken: Path) -> None:
    edit_config(broken, model_type="bert")
    assert_refused(broken, "config.json", "'bert'")


def test_weights_of_another_shape_are_refused(broken: Path) -> None:
    edit_config(broken, hidden_size=9)
    assert_refused(broken, "model.safetensors", "layers.0.forward_cell.weight_ih_l0")


def test_missing_and_foreign_tensors_are_named(broken: Path) -> None:
    path = broken / "model.safetensors"
    tensors = load_file(path)
    save_file(tensors | {"extra": torch.zeros(1)}, path)
    assert_refused(broken, "tensor extra")
    del tensors["embedding.weight"]
    save_file(tensors, path)
    assert_refused(broken, "embedding.weight is missing")


def test_a_label_map_of_another_size_is_refused(broken: Path) -> None:
    edit_config(broken, id2label={"0": "a", "1": "b"}, label2id={"a": 0, "b": 1})
    assert_refused(broken, "config.json", "id2label has 2 labels", "3 rows")


def test_a_contradictory_configuration_is_refused(broken: Path) -> None:
    edit_config(broken, temperature=-1.0)
    assert_refused(broken, "config.json", "temperature")


def test_a_tokenizer_larger_than_the_embedding_is_refused(broken: Path) -> None:
    path = broken / "tokenizer.json"
    content = json.loads(path.read_text())
    content["model"]["vocab"] |= {f"extra{i}": 10_000 + i for i in range(5)}
    path.write_text(json.dumps(content))
    assert_refused(broken, "tokenizer.json", "vocab_size")


def test_a_name_neither_here_nor_on_the_hub_is_refused() -> None:
    with pytest.raises(CheckpointError, match="no/such-model: no such folder"):
        resolve("no/such-model")


def test_checks_need_no_torch(tiny_checkpoint: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from sentiment_gru.checkpoint import check_folder;"
        f"check_folder(Path({str(tiny_checkpoint)!r})); assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=REPOSITORY)
    assert check_folder(tiny_checkpoint)["model_type"] == "sentiment_gru"


def test_classifier_auto_classes_and_pipeline_give_equal_scores(tiny_checkpoint: Path) -> None:
    ours = [list(p.scores.values()) for p in SentimentClassifier.from_pretrained(tiny_checkpoint)(TEXTS)]

    model = AutoModelForSequenceClassification.from_pretrained(tiny_checkpoint)
    tokenizer = AutoTokenizer.from_pretrained(tiny_checkpoint)
    assert model.dtype == torch.float32
    with torch.inference_mode():
        auto = model(**tokenizer(TEXTS, padding=True, return_tensors="pt")).logits.softmax(-1).numpy()
    np.testing.assert_allclose(auto, ours, atol=1e-6)

    assert tokenizer.model_max_length == model.config.max_tokens == 2_000

    pipe = pipeline("text-classification", model=str(tiny_checkpoint), top_k=None)
    for scores, results in zip(ours, pipe(TEXTS), strict=True):
        by_label = {result["label"]: result["score"] for result in results}
        assert [by_label[label] for label in ("negative", "neutral", "positive")] == pytest.approx(scores, abs=1e-6)


@pytest.mark.parametrize("text", ["", " ", "\n\t"])
def test_the_pipeline_scores_a_text_without_tokens_as_the_classifier_does(
    tiny_checkpoint: Path, classifier: SentimentClassifier, text: str
) -> None:
    pipe = pipeline("text-classification", model=str(tiny_checkpoint), top_k=None)
    scores = {result["label"]: result["score"] for result in pipe([text])[0]}
    assert scores == pytest.approx(classifier(text)[0].scores, abs=1e-6)


def test_transformers_trainer_tunes_the_folder_for_another_number_of_labels(
    tiny_checkpoint: Path, tmp_path: Path
) -> None:
    names = ["dull", "great", "long", "warm", "weak"]
    model = AutoModelForSequenceClassification.from_pretrained(
        tiny_checkpoint,
        id2label=dict(enumerate(names)),
        label2id={name: i for i, name in enumerate(names)},
        ignore_mismatched_sizes=True,
    )
    tokenizer = AutoTokenizer.from_pretrained(tiny_checkpoint)
    rows = [tokenizer(f"the film is {name} .") | {"labels": i} for i, name in enumerate(names)] * 4
    trainer = Trainer(
        model=model,
        args=TrainingArguments(
            str(tmp_path / "work"),
            num_train_epochs=30,
            per_device_train_batch_size=5,
            learning_rate=3e-2,
            save_strategy="no",
            report_to="none",
            dataloader_pin_memory=False,
        ),
        train_dataset=rows,
        data_collator=DataCollatorWithPadding(tokenizer),
    )
    trainer.train()
    save_checkpoint(trainer.model, tokenizer, tmp_path / "tuned")
    tuned = SentimentClassifier.from_pretrained(tmp_path / "tuned")
    assert [p.label for p in tuned([f"the film is {name} ." for name in names])] == names


def test_saving_again_changes_no_weight(tiny_checkpoint: Path, tmp_path: Path) -> None:
    save_checkpoint(load_model(tiny_checkpoint), load_tokenizer(tiny_checkpoint), tmp_path)
    for name in ("model.safetensors", "config.json", "tokenizer.json"):
        assert (tmp_path / name).read_bytes() == (tiny_checkpoint / name).read_bytes()


def test_the_folder_holds_safe_files_and_the_modelling_code_itself(tiny_checkpoint: Path) -> None:
    safe = {".csv", ".json", ".md", ".parquet", ".png", ".py", ".safetensors"}  # in particular, no pickle
    assert {path.suffix for path in tiny_checkpoint.iterdir()} == safe
    for name in ("configuration.py", "model_config.py", "modeling.py", "network.py"):
        assert (tiny_checkpoint / name).read_bytes() == (REPOSITORY / "sentiment_gru" / name).read_bytes()


def test_the_folder_loads_where_our_package_is_not_importable(tiny_checkpoint: Path, tmp_path: Path) -> None:
    code = f"""
import importlib.util, json
assert importlib.util.find_spec("sentiment_gru") is None
from transformers import pipeline
pipe = pipeline("text-classification", model={str(tiny_checkpoint)!r}, trust_remote_code=True, top_k=None)
print(json.dumps(pipe([{TEXTS[0]!r}])[0]))
"""
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "HF_HOME": str(tmp_path), "HF_HUB_OFFLINE": "1"}
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    scores = {entry["label"]: entry["score"] for entry in json.loads(result.stdout.splitlines()[-1])}
    ours = SentimentClassifier.from_pretrained(tiny_checkpoint)(TEXTS[0])[0].scores
    assert scores == pytest.approx(ours, abs=1e-6)
