"""Training writes a complete checkpoint, is repeatable, and its parts do what they say."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from huggingface_hub import ModelCard
from hypothesis import given
from hypothesis import strategies as st

from sentiment_gru import DatasetError, OptionsError, SentimentClassifier
from sentiment_gru.data.splits import JoinedSplit, TextSplit, read_corpora, remove_leaks
from sentiment_gru.tokenization import train_tokenizer
from sentiment_gru.training.options import TrainingOptions
from sentiment_gru.training.output_folder import OUTPUT_FILES
from sentiment_gru.training.run import build_trainer, train
from sentiment_gru.training.trainer import LengthBucketSampler, SentimentTrainer, balanced_weights
from tests.conftest import tiny_options, write_dataset


@pytest.fixture(scope="module")
def metrics(tiny_checkpoint: Path) -> dict:
    return json.loads((tiny_checkpoint / "metrics.json").read_text())


def test_the_folder_holds_the_checkpoint_and_nothing_else(tiny_checkpoint: Path) -> None:
    assert (
        {path.name for path in tiny_checkpoint.iterdir()}
        == OUTPUT_FILES
        == {
            "README.md",
            "config.json",
            "configuration.py",
            "model_config.py",
            "confusion.png",
            "history.csv",
            "loss.png",
            "metrics.json",
            "model.safetensors",
            "modeling.py",
            "network.py",
            "predictions.parquet",
            "reliability.png",
            "tokenizer.json",
            "tokenizer_config.json",
        }
    )
    assert not tiny_checkpoint.with_name("tiny.training").exists()


def test_metrics_hold_what_was_measured_on_dev_and_reported(metrics: dict) -> None:
    tiny = metrics["datasets"]["tiny"]
    assert tiny["reported"]["texts"] == 96
    assert tiny["train_texts"] + tiny["dev"]["texts"] == 288
    assert tiny["reported"]["accuracy"] > 0.9
    assert metrics["labels"] == ["negative", "neutral", "positive"]
    assert metrics["options"]["dataset"] == ["tiny"]
    assert len(metrics["history"]) >= 2
    assert metrics["history"][-1]["eval_score"] > metrics["history"][0]["eval_score"]


def test_calibration_is_stored_in_the_configuration(tiny_checkpoint: Path, metrics: dict) -> None:
    config = json.loads((tiny_checkpoint / "config.json").read_text())
    assert config["temperature"] == metrics["temperature"] != 1.0
    assert config["uncertain_below"] == metrics["uncertain_below"]


def test_the_card_states_the_measured_figures(tiny_checkpoint: Path, metrics: dict) -> None:
    card = ModelCard.load(tiny_checkpoint / "README.md")
    reported = metrics["datasets"]["tiny"]["reported"]
    assert f"{reported['accuracy']:.1%}" in card.text
    assert {r.metric_type: r.metric_value for r in card.data.eval_results}["accuracy"] == round(reported["accuracy"], 4)
    assert "last tenth of each of" in card.text
    assert f"{metrics['parameters']:,} parameters" in card.text


def test_reported_splits_are_read_only_when_asked(tiny_dataset: Path, tmp_path: Path) -> None:
    metrics = train(tiny_options(tiny_dataset, tmp_path / "out", epochs=1))
    assert "reported" not in metrics["datasets"]["tiny"]
    assert "tiny (test)" not in (tmp_path / "out" / "README.md").read_text()


def test_each_epoch_prints_a_readable_line(
    tiny_dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train(tiny_options(tiny_dataset, tmp_path / "out", epochs=2))
    printed = capsys.readouterr()
    lines = re.findall(r"Epoch (\d): training loss \d\.\d{3}, macro recall on dev \d+\.\d%\n", printed.err)
    assert lines == ["1", "2"]
    assert "{'" not in printed.out + printed.err


def test_the_same_seed_gives_the_same_weights(tiny_dataset: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        train(tiny_options(tiny_dataset, tmp_path / name, epochs=1))
    train(tiny_options(tiny_dataset, tmp_path / "c", epochs=1, seed=1))
    a, b, c = ((tmp_path / name / "model.safetensors").read_bytes() for name in "abc")
    assert a == b != c


def test_datasets_are_joined_and_each_has_its_own_figures(tiny_dataset: Path, tmp_path: Path) -> None:
    rows = [{"sentence": f"{word} thing {i}", "sentiment": word} for i in range(15) for word in ("good", "bad")]
    renamed = {"good": "pos", "bad": "neg"}
    rows = [{"sentence": r["sentence"], "sentiment": renamed[r["sentiment"]]} for r in rows]
    other = write_dataset(tmp_path / "other", train=rows, test=rows[:4])
    options = tiny_options(tiny_dataset, tmp_path / "out", epochs=2)
    metrics = train(replace(options, dataset=[str(tiny_dataset), str(other)], evaluate_test=True))
    assert list(metrics["datasets"]) == ["tiny", "other"]
    assert metrics["datasets"]["other"]["reported"]["labels"] == ["negative", "positive"]
    assert metrics["datasets"]["other"]["removed"]["train equal to reported"] == 4


@pytest.mark.parametrize("cell", ["lstm", "rnn"])
def test_other_cells_train_and_load(tiny_dataset: Path, tmp_path: Path, cell: str) -> None:
    train(tiny_options(tiny_dataset, tmp_path / cell, epochs=1, cell=cell, bidirectional=False, pooling="last"))
    loaded = SentimentClassifier.from_pretrained(tmp_path / cell)
    assert (loaded.config.cell, loaded.config.bidirectional) == (cell, False)
    assert loaded("a superb film")[0].tokens == 3


@pytest.fixture
def trainer(tiny_dataset: Path, tmp_path: Path) -> SentimentTrainer:
    """Return an untrained trainer on the tiny dataset, and on one that has no neutral texts."""
    (corpus,) = remove_leaks([read_corpora([str(tiny_dataset)])[0]])
    polar = corpus.train.take(i for i, label in enumerate(corpus.train.labels) if label != "neutral")
    texts = JoinedSplit.join({"tiny": corpus.train, "polar": polar})
    dev = JoinedSplit.join({"tiny": corpus.dev})
    tokenizer = train_tokenizer(corpus.train.texts, 500)
    options = tiny_options(tiny_dataset, tmp_path / "out")
    return build_trainer(options, tokenizer, ["negative", "neutral", "positive"], texts, dev)


def test_evaluation_uses_averaged_weights_and_gives_the_current_ones_back(trainer: SentimentTrainer) -> None:
    before = trainer.evaluate()
    with torch.no_grad():
        for parameter in trainer.average.module.parameters():
            parameter.zero_()
    after = trainer.evaluate()
    assert before["eval_loss"] != pytest.approx(after["eval_loss"])
    assert after["eval_loss"] == pytest.approx(torch.log(torch.tensor(3.0)).item())
    assert any(parameter.abs().sum() > 0 for parameter in trainer.model.parameters())


def test_texts_know_which_labels_their_dataset_has(trainer: SentimentTrainer) -> None:
    masks = {tuple(row["present"]) for row in trainer.train_dataset.rows}
    assert masks == {(True, True, True), (True, False, True)}
    assert all(row["present"][row["labels"].index(1.0)] for row in trainer.train_dataset.rows)


@pytest.mark.parametrize("absent_weight", [0.0, 0.25, 1.0])
def test_a_label_the_dataset_lacks_is_pushed_down_by_its_weight_only(
    trainer: SentimentTrainer, absent_weight: float
) -> None:
    trainer.absent_weight = absent_weight
    row = next(row for row in trainer.train_dataset.rows if not row["present"][1])
    batch = trainer.data_collator([row])
    loss, outputs = trainer.compute_loss(trainer.model.eval(), batch, return_outputs=True)
    logits = outputs.logits[0].detach()
    label = row["labels"].index(1.0)
    among_all = -logits.log_softmax(0)[label]
    among_present = -logits[[0, 2]].log_softmax(0)[label // 2]
    assert loss.item() == pytest.approx((absent_weight * among_all + (1 - absent_weight) * among_present).item())


def test_adversarial_training_pushes_each_text_uphill_by_a_share_of_a_mean_word(trainer: SentimentTrainer) -> None:
    trainer.adversarial = 0.5
    model = trainer.model.train()
    model.config.embedding_dropout = model.config.output_dropout = 0.0
    batch = trainer.data_collator(trainer.train_dataset.rows[:7])
    ids, mask = batch["input_ids"], batch["attention_mask"]

    embeddings = model.embedding(ids).detach().requires_grad_()
    clean = trainer.mean_loss(model(inputs_embeds=embeddings, attention_mask=mask).logits, batch)
    (gradient,) = torch.autograd.grad(clean, embeddings)
    size = 0.5 * embeddings[mask.bool()].norm(dim=1).mean()
    push = torch.stack([size * row / row.norm() for row in gradient]).detach()
    pushed = trainer.mean_loss(model(inputs_embeds=model.embedding(ids) + push, attention_mask=mask).logits, batch)
    clean = trainer.mean_loss(model(ids, mask).logits, batch)
    expected = torch.autograd.grad((clean + pushed) / 2, list(model.parameters()))

    model.zero_grad()
    loss = trainer.compute_loss(model, batch)
    loss.backward()
    assert pushed > clean
    assert loss.item() == pytest.approx(((clean + pushed) / 2).item())
    for parameter, gradient in zip(model.parameters(), expected, strict=True):
        torch.testing.assert_close(parameter.grad, gradient)


@given(st.lists(st.integers(0, 50), min_size=1, max_size=200), st.integers(1, 16), st.integers(0, 3))
def test_the_sampler_gives_every_text_once_and_depends_on_seed_and_epoch_alone(
    lengths: list[int], batch_size: int, epoch: int
) -> None:
    orders = []
    for _ in range(2):
        sampler = LengthBucketSampler(lengths, batch_size, seed=5)
        sampler.set_epoch(epoch)
        orders.append(list(sampler))
    assert orders[0] == orders[1]
    assert sorted(orders[0]) == list(range(len(lengths)))
    assert len(sampler) == len(lengths)


def test_batches_hold_texts_of_similar_length_in_mixed_order() -> None:
    lengths = torch.randint(0, 400, (6_400,), generator=torch.Generator().manual_seed(0)).tolist()
    order = list(LengthBucketSampler(lengths, 64, seed=0))
    batches = [[lengths[i] for i in order[start : start + 64]] for start in range(0, 6_400, 64)]
    spreads = sorted(max(batch) - min(batch) for batch in batches)
    assert spreads[len(spreads) // 2] < 40
    means = [sum(batch) / 64 for batch in batches[:25]]
    assert means != sorted(means, reverse=True)


@given(st.lists(st.tuples(st.text(max_size=8), st.sampled_from("abc"), st.booleans()), max_size=30))
def test_joined_texts_are_sorted_by_length_but_datasets_stay_apart(rows: list[tuple[str, str, bool]]) -> None:
    splits = {
        str(which): TextSplit([t for t, _, w in rows if w is which], [label for _, label, w in rows if w is which])
        for which in (True, False)
    }
    joined = JoinedSplit.join(splits)
    lengths = [len(text) for text in joined.split.texts]
    assert lengths == sorted(lengths)
    for name, split in splits.items():
        ours = sorted((joined.split.texts[i], joined.split.labels[i]) for i in joined.rows[name])
        assert ours == sorted(zip(split.texts, split.labels, strict=True))
        assert joined.labels_of(name) == set(split.labels)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dataset": []}, "--dataset"),
        ({"epochs": 0}, "--epochs"),
        ({"batch_size": -1}, "--batch-size"),
        ({"ema_decay": 1.0}, "--ema-decay"),
        ({"absent_weight": 1.1}, "--absent-weight"),
        ({"learning_rate": float("nan")}, "--learning-rate is nan; it must be a number above 0"),
        ({"learning_rate": float("inf")}, "--learning-rate is inf; it must be a number above 0"),
        ({"hidden_size": -5}, "--hidden-size is -5; it must be a number above 0"),
        ({"num_layers": 0}, "--num-layers is 0; it must be a number above 0"),
        ({"vocab_size": 2}, "--vocab-size is 2; it must be at least 3"),
        ({"output_dropout": 1.5}, r"--output-dropout is 1.5; it must be in \[0, 1\)"),
        ({"embedding_dropout": -0.5}, "--embedding-dropout is -0.5"),
        ({"seed": -1}, "--seed has -1; a seed is a number from 0 to 4,294,967,295"),
        ({"seeds": [1, 2**32]}, "--seeds has 4294967296"),
        ({"layer_dropout": 0.2}, "--layer-dropout"),
        ({"adversarial": -0.1}, "--adversarial"),
        ({"adversarial": 0.1, "word_dropout": 0.1}, "--word-dropout does not go with --adversarial"),
        ({"save_steps": 0}, "--save-steps"),
        ({"seeds": [1, 2, 1]}, "--seeds names a seed twice: 1 2 1"),
        ({"output_dir": ""}, "--output-dir"),
        ({"smoke": True, "evaluate_test": True}, "--smoke .* leave out --evaluate-test"),
        ({"max_train_samples": -1}, "--max-train-samples"),
        ({"label_map": "1,2"}, "--label-map"),
        ({"text_column": "a", "label_column": "a"}, "--text-column and --label-column must differ.*'a'"),
        ({"train_split": "a", "test_split": "a"}, "--train-split and .* must differ.*'a'"),
    ],
)
def test_options_that_make_no_sense_are_refused_by_name(changes: dict[str, object], message: str) -> None:
    with pytest.raises(OptionsError, match=message):
        TrainingOptions(**({"output_dir": "out", "dataset": ["d"]} | changes))


def test_a_dataset_with_one_label_is_refused(tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / "one", train=[{"text": f"t{i}", "label": "pos"} for i in range(30)])
    with pytest.raises(DatasetError, match="only the label positive"):
        train(tiny_options(folder, tmp_path / "out"))


def test_topics_train_and_classify(tmp_path: Path) -> None:
    words = {"World": "treaty", "Sports": "goal", "Business": "shares", "Science": "planet"}
    rows = [
        {"title": f"{start} {word} {i}", "topic": topic}
        for i in range(30)
        for start in ("a new", "the old")
        for topic, word in words.items()
    ]
    folder = write_dataset(tmp_path / "news", train=rows)
    metrics = train(tiny_options(folder, tmp_path / "out"))
    assert metrics["labels"] == ["Business", "Science", "Sports", "World"]
    assert metrics["datasets"]["news"]["dev"]["accuracy"] > 0.9
    (verdict,) = SentimentClassifier.from_pretrained(tmp_path / "out")(["another goal"])
    assert verdict.label == "Sports"
    assert sum(verdict.scores.values()) == pytest.approx(1)


def test_balanced_weights_make_labels_count_alike(trainer: SentimentTrainer) -> None:
    weights = balanced_weights(["a", "a", "a", "b"], ["a", "b"])
    assert weights.tolist() == pytest.approx([4 / 6, 2.0])
    assert (weights * torch.tensor([3, 1])).tolist() == pytest.approx([2.0, 2.0])
    rows = trainer.train_dataset.rows
    first, last = (next(row for row in rows if row["labels"][label] == 1.0) for label in (0, 2))

    def loss(*batch: dict[str, object]) -> float:
        return trainer.compute_loss(trainer.model.eval(), trainer.data_collator(list(batch))).item()

    alike = [loss(first), loss(last)]
    trainer.class_weights = torch.tensor([1.0, 1.0, 3.0])
    assert [loss(first), loss(last)] == pytest.approx([alike[0], 3 * alike[1]], rel=1e-5)
    assert loss(first, last) == pytest.approx((alike[0] + 3 * alike[1]) / 2, abs=1e-5)


def test_class_weights_reach_the_loss_only_when_asked(tmp_path: Path) -> None:
    rows = [{"text": f"text {i}", "label": "rare" if i % 4 == 0 else "common"} for i in range(40)]
    folder = write_dataset(tmp_path / "skewed", train=rows)
    corpus = read_corpora([str(folder)])[0]
    texts, dev = (JoinedSplit.join({"skewed": split}) for split in (corpus.train, corpus.dev))
    tokenizer = train_tokenizer(corpus.train.texts, 100)
    weights = [
        build_trainer(options, tokenizer, ["common", "rare"], texts, dev).class_weights
        for options in (
            tiny_options(folder, tmp_path / "none"),
            tiny_options(folder, tmp_path / "balanced", class_weights="balanced"),
        )
    ]
    assert weights[0] is None
    assert weights[1].tolist() == pytest.approx([36 / 54, 2.0])
