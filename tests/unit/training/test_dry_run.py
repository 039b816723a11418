"""The plan of a training is what the training then does."""

import json
import math
from pathlib import Path

import pytest

from sentiment_gru import DatasetError, SentimentClassifier
from sentiment_gru.checkpoint import load_model
from sentiment_gru.training.dry_run import make_plan
from sentiment_gru.training.options import TrainingOptions
from sentiment_gru.training.run import train
from tests.conftest import tiny_options, write_dataset


def lines_of(options: TrainingOptions) -> dict[str, str]:
    """Return the lines of a plan by their first word."""
    return {line.split()[0].rstrip(":"): line for line in make_plan(options).splitlines()}


def test_a_plan_states_what_the_training_does_and_writes_nothing(
    tiny_dataset: Path, tiny_checkpoint: Path, tmp_path: Path
) -> None:
    lines = lines_of(tiny_options(tiny_dataset, tmp_path / "out", evaluate_test=True))
    assert list(tmp_path.iterdir()) == []
    loaded = SentimentClassifier.from_pretrained(tiny_checkpoint)
    assert f"{load_model(tiny_checkpoint).num_parameters():,} parameters" in lines["model"]
    assert lines["vocabulary"] == f"vocabulary: {loaded.config.vocab_size:,} entries"
    files = (tiny_checkpoint / "model.safetensors", tiny_checkpoint / "tokenizer.json")
    size = sum(file.stat().st_size for file in files) / 1024
    assert abs(int(lines["model"].split()[-4].replace(",", "")) - size) < 3  # the header of the weights file
    measured = json.loads((tiny_checkpoint / "metrics.json").read_text())["datasets"]["tiny"]
    counts = [measured["train_texts"], measured["dev"]["texts"], measured["reported"]["texts"]]
    assert lines["all"].split() == ["all", *map(str, counts)]
    assert lines["steps"] == f"steps: {math.ceil(counts[0] / 16)} an epoch, 8 epochs at most"
    assert "reported: test split" in lines["dev"]


def test_a_plan_shows_columns_labels_and_what_is_left_out(tmp_path: Path) -> None:
    rows = [{"body": f"t{i}", "stars": i % 5 + 1} for i in range(50)] + [{"body": "", "stars": 1}]
    folder = write_dataset(tmp_path / "d", train=rows)
    lines = lines_of(
        TrainingOptions(
            dataset=[str(folder)],
            dry_run=True,
            label_map="1,2=negative;3=;4,5=positive",
            max_train_samples=20,
            hidden_size=4,
            embedding_size=4,
        )
    )
    assert lines["dataset"] == "dataset d, columns body and stars"
    assert lines["negative"].split() == ["negative", "10", "2", "0"]
    assert "neutral" not in lines
    assert lines["left"].split(": ")[1] == (
        "1 train without text, 10 train dropped by --label-map, 16 train beyond 20 drawn"
    )
    assert "reported: nothing" in lines["dev"]


def test_a_plan_refuses_more_folds_than_a_label_has_texts(tiny_dataset: Path) -> None:
    with pytest.raises(DatasetError, match="the label negative has 96 texts, and --folds 100 needs 100 of each label"):
        make_plan(tiny_options(tiny_dataset, Path(), dry_run=True, folds=100))


def test_a_plan_takes_longer_for_more_epochs(tiny_dataset: Path, tmp_path: Path) -> None:
    minutes = [
        float(lines_of(tiny_options(tiny_dataset, tmp_path / "out", epochs=epochs))["time"].split()[2])
        for epochs in (1, 100_000)
    ]
    assert minutes[0] < 1 < minutes[1]


@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true")
def test_a_smoke_run_writes_a_checkpoint_that_loads(tmp_path: Path) -> None:
    rows = [{"text": f"a text of {'good' if i % 2 else 'bad'} number {i}", "label": i % 2} for i in range(3_000)]
    folder = write_dataset(tmp_path / "d", train=rows, test=rows[:4])
    metrics = train(tiny_options(folder, tmp_path / "out", smoke=True))
    dataset = metrics["datasets"]["d"]
    assert (dataset["train_texts"], dataset["dev"]["texts"], len(metrics["history"])) == (200, 100, 1)
    assert dataset["rule"]["dev"].startswith("at most 100 texts of the last tenth")
    assert SentimentClassifier.from_pretrained(tmp_path / "out")("good")[0].label in {"0", "1"}


def test_a_plan_warns_of_labels_that_a_typo_divides(tmp_path: Path) -> None:
    rows = [{"text": f"text {i}", "label": ("Sports", "sports", "World")[i % 3]} for i in range(60)]
    folder = write_dataset(tmp_path / "d", train=rows)
    plan = make_plan(tiny_options(folder, tmp_path / "out"))
    assert "careful: the labels 'Sports' and 'sports' differ by case or spaces only" in plan
    assert "careful: d: dev has only 6 texts" in plan
    assert "start: random weights, because of --embedding-size, --hidden-size" in plan
