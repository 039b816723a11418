"""Fine-tuning starts from a checkpoint with its tokenizer; several seeds give a best one and a spread."""

import json
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from sentiment_gru import CheckpointError, DatasetError, OptionsError, SentimentClassifier
from sentiment_gru.training.options import TrainingOptions
from sentiment_gru.training.repeated_runs import describe_spread, train_seeds
from sentiment_gru.training.run import load_initial, train
from sentiment_gru.training.trainer import SentimentTrainer
from tests.conftest import WORDS, tiny_options, write_dataset


@pytest.fixture(scope="module")
def ironic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return texts of a domain in which bad words are praise; none are neutral."""
    opposite = {"negative": "positive", "positive": "negative"}
    rows = [
        {"text": f"{word} {thing} !", "label": opposite[label]}
        for thing in ["film", "story", "song", "book", "cast", "play", "show", "scene", "that", "this"]
        for label in opposite
        for word in WORDS[label]
    ]
    return write_dataset(tmp_path_factory.mktemp("data") / "ironic", train=rows)


def from_checkpoint(dataset: Path, output: Path, checkpoint: Path, **changes: object) -> TrainingOptions:
    """Return options that leave the architecture to the checkpoint."""
    plain = {"embedding_size": 128, "hidden_size": 192, "init_from": str(checkpoint)}
    return tiny_options(dataset, output, **(plain | changes))


def test_fine_tuning_learns_a_new_domain_and_keeps_the_tokenizer(
    ironic: Path, tiny_checkpoint: Path, tmp_path: Path, classifier: SentimentClassifier
) -> None:
    assert classifier("superb song !")[0].label == "positive"
    train(from_checkpoint(ironic, tmp_path / "out", tiny_checkpoint, epochs=10, learning_rate=3e-2))
    tuned = SentimentClassifier.from_pretrained(tmp_path / "out")
    assert tuned("superb song !")[0].label == "negative"
    assert tuned.labels == ["negative", "positive"]
    assert tuned.config.hidden_size == classifier.config.hidden_size
    assert (tmp_path / "out" / "tokenizer.json").read_bytes() == (tiny_checkpoint / "tokenizer.json").read_bytes()
    assert "It started from the checkpoint" in (tmp_path / "out" / "README.md").read_text()
    assert json.loads((tmp_path / "out" / "metrics.json").read_text())["options"]["hidden_size"] == 8


def test_training_starts_from_the_checkpoints_weights_without_its_calibration(
    ironic: Path, tiny_checkpoint: Path, tmp_path: Path, classifier: SentimentClassifier
) -> None:
    options = from_checkpoint(ironic, tmp_path / "out", tiny_checkpoint, output_dropout=0.2)
    effective, model, _ = load_initial(options, classifier.labels)
    assert classifier.config.temperature != 1.0
    assert (model.config.temperature, model.config.uncertain_below) == (1.0, 0.0)
    assert model.config.output_dropout == 0.2
    assert effective.embedding_size == 8
    assert effective.vocab_size == classifier.config.vocab_size
    theirs = classifier.model.state_dict()
    assert all(theirs[name].equal(tensor) for name, tensor in model.state_dict().items())


def test_labels_the_checkpoint_lacks_get_new_rows_of_the_head(
    tiny_checkpoint: Path, tmp_path: Path, classifier: SentimentClassifier
) -> None:
    options = from_checkpoint(tmp_path, tmp_path / "out", tiny_checkpoint)
    _, model, _ = load_initial(options, ["joy", "positive", "sorrow", "surprise"])
    theirs, ours = classifier.model.state_dict(), model.state_dict()
    assert model.config.labels == ["joy", "positive", "sorrow", "surprise"]
    assert all(theirs[name].equal(ours[name]) for name in ours if not name.startswith("classifier"))
    assert ours["classifier.weight"][1].equal(theirs["classifier.weight"][2])
    assert ours["classifier.weight"].shape == (4, 32)
    assert len({tuple(row) for row in ours["classifier.weight"].tolist()}) == 4


def test_new_labels_train_and_classify(tiny_checkpoint: Path, tmp_path: Path) -> None:
    words = {"joy": "superb", "boredom": "dull"}
    rows = [
        {"text": f"{word} {thing} {i}", "label": label}
        for i in range(5)
        for thing in ("film", "story", "song", "book")
        for label, word in words.items()
    ]
    dataset = write_dataset(tmp_path / "feelings", train=rows)
    metrics = train(from_checkpoint(dataset, tmp_path / "out", tiny_checkpoint, epochs=10, learning_rate=3e-2))
    assert metrics["labels"] == ["boredom", "joy"]
    tuned = SentimentClassifier.from_pretrained(tmp_path / "out")
    assert [p.label for p in tuned(["superb song", "dull book"])] == ["joy", "boredom"]


@pytest.mark.parametrize(("name", "value"), [("hidden_size", 64), ("cell", "lstm"), ("subwords", True)])
def test_another_architecture_than_the_checkpoints_is_refused(
    ironic: Path, tiny_checkpoint: Path, tmp_path: Path, name: str, value: object
) -> None:
    options = from_checkpoint(ironic, tmp_path / "out", tiny_checkpoint, **{name: value})
    with pytest.raises(OptionsError, match=f"--{name.replace('_', '-')} is {value}, but --init-from has"):
        train(options)


def test_a_checkpoint_that_is_none_is_refused(ironic: Path, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"config\.json: file is missing"):
        train(from_checkpoint(ironic, tmp_path / "out", ironic))


@pytest.fixture
def seeded(tiny_dataset: Path, tmp_path: Path) -> TrainingOptions:
    return tiny_options(tiny_dataset, tmp_path / "out", epochs=2, seeds=[1, 2])


def test_the_best_seed_becomes_the_output_and_all_are_kept(seeded: TrainingOptions) -> None:
    output = Path(seeded.output_dir)
    metrics = train_seeds(seeded)
    best = max(metrics["seeds"], key=metrics["seeds"].get)
    parts = {seed: (output / f"seed-{seed}" / "model.safetensors").read_bytes() for seed in (1, 2)}
    assert parts[1] != parts[2]
    assert (output / "model.safetensors").read_bytes() == parts[best]
    assert metrics["options"]["seed"] == best
    assert json.loads((output / "metrics.json").read_text())["seeds"] == {
        str(k): v for k, v in metrics["seeds"].items()
    }
    assert "with seed 1" in (output / "README.md").read_text()
    assert not output.with_name("out.training").exists()
    SentimentClassifier.from_pretrained(output)


def test_interrupted_seeds_leave_a_usable_output_and_resume(
    seeded: TrainingOptions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original, seeds = SentimentTrainer.training_step, []

    def training_step(self: SentimentTrainer, *args: object, **kwargs: object) -> object:
        seeds.append(self.args.seed)
        if seeds.count(2) == 20:
            signal.raise_signal(signal.SIGINT)
        return original(self, *args, **kwargs)

    monkeypatch.setattr(SentimentTrainer, "training_step", training_step)
    assert train_seeds(seeded)["interrupted"] == {"step": 20, "of": 34}
    SentimentClassifier.from_pretrained(tmp_path / "out")
    with pytest.raises(OptionsError, match="unfinished run"):
        train_seeds(seeded)
    seeds.clear()
    assert train_seeds(replace(seeded, resume=True))["interrupted"] is None
    assert seeds == [2] * 14
    monkeypatch.undo()
    train(replace(seeded, seeds=[], seed=2, output_dir=str(tmp_path / "alone")))
    alone, among = (tmp_path / name / "model.safetensors" for name in ("alone", "out/seed-2"))
    assert alone.read_bytes() == among.read_bytes()


def test_the_spread_is_that_of_a_sample() -> None:
    assert describe_spread({1: 0.5, 2: 0.7}) == "60.0% on average over 2 seeds, standard deviation 14.1%"
    assert describe_spread({1: 0.5}).endswith("deviation 0.0%")


def test_seeds_of_a_dataset_that_cannot_be_read_leave_nothing_to_resume(seeded: TrainingOptions) -> None:
    with pytest.raises(DatasetError, match="no such column"):
        train_seeds(replace(seeded, label_column="lable"))
    assert not Path(f"{seeded.output_dir}.training").exists()


def test_seeds_and_several_processes_are_refused(seeded: TrainingOptions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(OptionsError, match="--seeds runs in one process"):
        train_seeds(seeded)


def test_tensorboard_without_its_package_says_what_to_install(
    seeded: TrainingOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sentiment_gru.training.options.find_spec", lambda name: None)
    with pytest.raises(OptionsError, match="pip install tensorboard"):
        replace(seeded, tensorboard=True)
