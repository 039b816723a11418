"""Texts with any number of labels: training, files, the command line, ONNX and plain transformers."""

import io
import itertools
import json
import shutil
from pathlib import Path

import numpy as np
import onnxruntime
import pandas as pd
import pytest
import torch
from scipy.special import expit
from transformers import pipeline

from sentiment_gru import CheckpointError, DatasetError, InputError, OptionsError, SentimentClassifier
from sentiment_gru.__main__ import format_row, main, run_command, score_command
from sentiment_gru.data.columns import Reading
from sentiment_gru.data.splits import JoinedSplit, TextSplit, carve_dev, read_corpora, subsample
from sentiment_gru.evaluation import main as evaluate
from sentiment_gru.onnx_model import export_onnx
from sentiment_gru.tokenization import train_tokenizer
from sentiment_gru.training.closing_report import describe_results
from sentiment_gru.training.dry_run import make_plan
from sentiment_gru.training.run import build_trainer, train
from sentiment_gru.training.trainer import SentimentTrainer
from sentiment_gru.web.model_loader import ClassifierLoader
from tests.conftest import FRAMES, THINGS, tiny_options, write_dataset

WORDS = {"anger": ["awful", "nasty"], "fear": ["dark", "eerie"], "joy": ["great", "warm"]}


def made_up_sets() -> list[dict[str, object]]:
    """Return 256 different texts with none, one, two or three labels."""
    sets = [names for count in range(4) for names in itertools.combinations(WORDS, count)]
    return [
        {"text": frame.format(thing, " and ".join(WORDS[name][side] for name in names) or "new"), "labels": names}
        for side in (0, 1)
        for frame, thing in itertools.product(FRAMES[:2], THINGS)
        for names in sets
    ]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows = made_up_sets()
    return write_dataset(tmp_path_factory.mktemp("data") / "moods", train=rows[16:], test=rows[:16])


@pytest.fixture(scope="module")
def checkpoint(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checkpoints") / "moods"
    train(tiny_options(dataset, folder, multi_label=True, evaluate_test=True, epochs=15, report=True))
    return folder


@pytest.fixture(scope="module")
def model(checkpoint: Path) -> SentimentClassifier:
    return SentimentClassifier.from_pretrained(checkpoint)


@pytest.fixture
def metrics(checkpoint: Path) -> dict:
    return json.loads((checkpoint / "metrics.json").read_text())


def test_sets_of_labels_are_learned_and_measured(metrics: dict) -> None:
    moods = metrics["datasets"]["moods"]
    assert metrics["labels"] == ["anger", "fear", "joy"]
    assert moods["reported"]["micro_f1"] > 0.9
    assert moods["reported"]["labels_per_text"] == 1.5
    assert set(moods["dev"]["by_label"]) == set(WORDS)
    assert metrics["baseline"]["moods"]["reported"]["micro_f1"] > 0.9
    assert metrics["history"][-1]["eval_score"] > metrics["history"][0]["eval_score"]


def test_the_threshold_is_in_the_configuration_and_there_is_no_band(checkpoint: Path, metrics: dict) -> None:
    config = json.loads((checkpoint / "config.json").read_text())
    assert config["problem_type"] == "multi_label_classification"
    assert config["label_threshold"] == metrics["label_threshold"] == metrics["datasets"]["moods"]["dev"]["threshold"]
    assert (config["temperature"], config["uncertain_below"]) == (1.0, 0.0)


def test_the_card_and_the_closing_lines_show_the_figures_of_sets(checkpoint: Path, metrics: dict) -> None:
    card = (checkpoint / "README.md").read_text()
    reported = metrics["datasets"]["moods"]["reported"]
    assert f"| {reported['micro_f1']:.1%} (" in card
    assert f"A text has the labels whose score is at least {metrics['label_threshold']:.2f}." in card
    assert "| moods (test) | joy | 8 |" in card
    assert "top_k=None" in card
    assert "calibration error" not in card
    assert "confusion.png" not in card
    lines = describe_results("out", metrics)
    assert f"this model       micro F1 {reported['micro_f1']:.1%} (" in lines
    assert "TF-IDF baseline  micro F1" in lines


def test_predictions_hold_sets_and_scores(checkpoint: Path, dataset: Path, model: SentimentClassifier) -> None:
    table = pd.read_parquet(checkpoint / "predictions.parquet")
    rows = table[table["split"] == "reported"]
    (corpus,) = read_corpora([str(dataset)], Reading(multi_label=True))
    assert rows["label"].tolist() == corpus.reported.labels
    expected = model(corpus.reported.texts)
    assert [set(filter(None, joined.split("; "))) for joined in rows["predicted"]] == [set(p.labels) for p in expected]
    scores = [list(prediction.scores.values()) for prediction in expected]
    np.testing.assert_allclose(rows[[f"score_{name}" for name in model.labels]], scores, atol=6e-4)


def test_each_label_has_a_score_of_its_own(model: SentimentClassifier) -> None:
    text = "a play so eerie and warm"
    (prediction,) = model([text])
    np.testing.assert_allclose(list(prediction.scores.values()), expit(model.logits([text])[0].astype(float)))
    assert set(prediction.labels) == {"fear", "joy"}
    assert prediction.labels[0] == prediction.label
    assert model(["the play is new ."])[0].labels == ()


def test_what_compares_labels_is_refused(checkpoint: Path, model: SentimentClassifier) -> None:
    for question in (model.explain, model.smallest_flip):
        with pytest.raises(InputError, match="this model gives a text any number"):
            question("a warm play")
    with pytest.raises(CheckpointError, match="the app shows one label a text"):
        ClassifierLoader(checkpoint)


def test_transformers_gives_the_same_scores(checkpoint: Path, model: SentimentClassifier) -> None:
    pipe = pipeline("text-classification", model=str(checkpoint), trust_remote_code=True, top_k=None)
    for text in ("a play so eerie and warm", "the play is new ."):
        found = {row["label"]: row["score"] for row in pipe([text])[0]}
        assert found == pytest.approx(model([text])[0].scores, abs=1e-5)


def test_the_exported_graph_says_how_scores_are_made(
    checkpoint: Path, model: SentimentClassifier, tmp_path: Path
) -> None:
    assert "whose sigmoid gives the scores" in export_onnx(checkpoint, tmp_path / "model.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    properties = session.get_modelmeta().custom_metadata_map
    assert properties["activation"] == "sigmoid"
    assert float(properties["label_threshold"]) == model.config.label_threshold
    ids = np.array(model.encode(["a play so eerie and warm"]))
    (logits,) = session.run(None, {"input_ids": ids, "attention_mask": np.ones_like(ids)})
    np.testing.assert_allclose(
        expit(logits[0]), list(model(["a play so eerie and warm"])[0].scores.values()), atol=1e-5
    )


def test_a_file_gets_all_labels_of_each_row(
    checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO()))
    source, output = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text('text\na play so eerie and warm\nthe play is new .\n""\nthe play is warm .\nthe book is new .\n')
    arguments = ["--model", str(checkpoint), "--file", str(source), "--output", str(output)]
    assert main(arguments) == 0
    table = pd.read_csv(output, keep_default_na=False)
    assert [set(cell.split("; ")) for cell in table["label"]] == [{"fear", "joy"}, {""}, {""}, {"joy"}, {""}]
    assert "4 of 5 rows scored: anger 0, fear 1, joy 2; 0 uncertain" in capsys.readouterr().out
    assert main([*arguments, "--force", "--label-column", "text"]) == 1
    assert "python -m sentiment_gru.evaluation --model" in capsys.readouterr().err


def test_a_folder_counts_rows_once(checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = tmp_path / "in"
    source.mkdir()
    (source / "a.jsonl").write_text(
        '{"text": "a play so eerie and warm"}\n{"text": "the play is new ."}\n{"text": ""}\n'
    )
    arguments = [str(source), str(tmp_path / "out"), "--model", str(checkpoint)]
    assert run_command(score_command, "score", arguments) == 0
    assert "2 rows scored: fear 1, joy 1;" in capsys.readouterr().out.replace("joy 1, fear 1", "fear 1, joy 1")


def test_the_command_line_prints_the_labels(model: SentimentClassifier) -> None:
    both, none = model(["a play so eerie and warm", "the play is new ."])
    first, second = both.labels
    assert format_row("x", both).startswith(f"{first} {both.scores[first]:.0%}, {second} {both.scores[second]:.0%}")
    assert format_row("x", none).startswith("no label")


def test_evaluation_reads_sets(
    checkpoint: Path, dataset: Path, metrics: dict, capsys: pytest.CaptureFixture[str]
) -> None:
    assert evaluate(["--model", str(checkpoint), "--dataset", str(dataset), "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["micro_f1"] == metrics["datasets"]["moods"]["reported"]["micro_f1"]
    assert evaluate(["--model", str(checkpoint), "--dataset", str(dataset)]) == 0
    assert "\njoy                            texts 8, given" in capsys.readouterr().out
    assert evaluate(["--model", str(checkpoint), "--list", "none.csv"]) == 1
    assert "--list expects one verdict a text" in capsys.readouterr().err


def test_a_further_training_starts_from_the_weights_and_may_have_one_label(
    checkpoint: Path, dataset: Path, tmp_path: Path
) -> None:
    train(tiny_options(dataset, tmp_path / "out", init_from=str(checkpoint), epochs=1))
    single = SentimentClassifier.from_pretrained(tmp_path / "out")
    assert single.config.problem_type is None
    assert sum(single(["a warm play"])[0].scores.values()) == pytest.approx(1.0)


def test_a_plan_counts_every_label_and_without_the_option_says_what_is_left_out(dataset: Path) -> None:
    plan = make_plan(tiny_options(dataset, Path(), dry_run=True, multi_label=True))
    assert [line.split() for line in plan.splitlines() if line.startswith("  joy")] == [["joy", "105", "15", "8"]]
    assert "several labels" not in plan
    assert "careful: moods: 128 rows have several labels and were left out; --multi-label keeps them" in make_plan(
        tiny_options(dataset, Path(), dry_run=True)
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"soft_labels": ["a.parquet"]},
        {"class_weights": "balanced"},
        {"linear_units": True},
        {"seeds": [1, 2]},
        {"folds": 3},
        {"search": 3},
    ],
)
def test_options_for_one_label_are_refused(changes: dict[str, object], tmp_path: Path) -> None:
    (name,) = changes
    with pytest.raises(OptionsError, match=f"--multi-label does not go with --{name.replace('_', '-')}"):
        tiny_options(tmp_path, tmp_path / "out", multi_label=True, **changes)


@pytest.mark.parametrize(("sets", "found"), [([[]], "no label"), ([["joy"], []], "only the label joy")])
def test_fewer_than_two_labels_are_refused(sets: list[list[str]], found: str, tmp_path: Path) -> None:
    rows = [{"text": f"text {i}", "labels": sets[i % len(sets)]} for i in range(40)]
    write_dataset(tmp_path / "few", train=rows)
    with pytest.raises(DatasetError, match=f"the training texts have {found}; a classifier needs two"):
        make_plan(tiny_options(tmp_path / "few", Path(), dry_run=True, multi_label=True))


def rows_of(*labels: str) -> TextSplit:
    return TextSplit([f"text {i}" for i in range(len(labels))], list(labels), multi_label=True)


def test_rows_are_divided_by_their_rarest_label() -> None:
    split = rows_of(*["a"] * 60, *["a; b"] * 20, *["a; c; b"] * 10, *[""] * 10)
    assert split.strata == ["a"] * 60 + ["b"] * 20 + ["c"] * 10 + [""] * 10
    train_part, dev, _ = carve_dev(split)
    assert dev.names == train_part.names == {"a", "b", "c"}
    assert dev.multi_label
    assert dev.strata.count("c") == 1
    assert subsample(split, 4, seed=0).names == {"a", "b", "c"}


@pytest.fixture
def trainer(tmp_path: Path) -> SentimentTrainer:
    """Return an untrained trainer on two datasets, the second of which has no fear."""
    texts = JoinedSplit.join({"a": rows_of("fear", "joy; fear", "anger"), "b": rows_of("anger; joy", "joy")})
    options = tiny_options(tmp_path, tmp_path / "out", multi_label=True)
    return build_trainer(options, train_tokenizer(texts.split.texts, 50), list(WORDS), texts, texts)


@pytest.mark.parametrize("absent_weight", [0.0, 0.3])
def test_labels_that_a_dataset_lacks_have_a_share_of_the_loss(trainer: SentimentTrainer, absent_weight: float) -> None:
    trainer.absent_weight = absent_weight
    batch = trainer.data_collator([row for row in trainer.train_dataset.rows if not all(row["present"])])
    assert batch["labels"].tolist() == [[1.0, 0.0, 1.0], [0.0, 0.0, 1.0]]
    loss, outputs = trainer.compute_loss(trainer.model.eval(), batch, return_outputs=True)
    chances = torch.sigmoid(outputs.logits.detach())
    errors = -(batch["labels"] * chances.log() + (1 - batch["labels"]) * (1 - chances).log())
    expected = (errors[:, 0] + absent_weight * errors[:, 1] + errors[:, 2]).sum() / 6
    assert loss.item() == pytest.approx(expected.item())


@pytest.mark.parametrize(("name", "value"), [("label_threshold", 0.0), ("problem_type", "regression")])
def test_a_configuration_that_makes_no_sense_is_refused(
    checkpoint: Path, tmp_path: Path, name: str, value: object
) -> None:
    folder = shutil.copytree(checkpoint, tmp_path / "broken")
    config = json.loads((folder / "config.json").read_text()) | {name: value}
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(CheckpointError, match=name):
        SentimentClassifier.from_pretrained(folder)
