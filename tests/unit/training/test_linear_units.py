"""A network with linear units computes the sum of its own logits and those of a logistic regression on words."""

import logging
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.special import log_softmax
from transformers import PreTrainedTokenizerFast

from sentiment_gru import OptionsError, SentimentClassifier, SentimentGRUConfig, SentimentGRUForSequenceClassification
from sentiment_gru.checkpoint import load_model, load_tokenizer, save_checkpoint
from sentiment_gru.data.splits import JoinedSplit, TextSplit
from sentiment_gru.training.initial import choose_linear_units
from sentiment_gru.training.linear_units import add_linear_units, count_words, fit_shares, fit_words, widen
from sentiment_gru.training.options import SHIPPED, TrainingOptions
from sentiment_gru.training.run import start, train
from sentiment_gru.training.trainer import EncodedTexts
from tests.conftest import made_up_texts, write_dataset

ROWS = made_up_texts()
TEXTS = [row["text"] for row in ROWS]
LABELS = [row["label"] for row in ROWS]


def small_model(**changes: object) -> SentimentGRUForSequenceClassification:
    torch.manual_seed(0)
    settings = {"vocab_size": 40, "embedding_size": 6, "hidden_size": 5, "num_labels": 3} | changes
    return SentimentGRUForSequenceClassification(SentimentGRUConfig(**settings)).eval()


def test_long_texts_are_cut_without_a_warning(tiny_checkpoint: Path, caplog: pytest.LogCaptureFixture) -> None:
    tokenizer = load_tokenizer(tiny_checkpoint)
    logger = logging.getLogger("transformers")
    logger.addHandler(caplog.handler)
    joined = JoinedSplit.join({"long": TextSplit(["great film " * 2_000, "awful"], ["positive", "negative"])})
    assert EncodedTexts(joined, tokenizer, ["negative", "positive"], limit=400).lengths == [1, 400]
    assert count_words(joined.split.texts, tokenizer, 400).sum() == pytest.approx(2)
    logger.removeHandler(caplog.handler)
    assert not caplog.records


def test_texts_are_encoded_without_offsets(tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def encode(*arguments: object, **settings: object) -> None:
        raise AssertionError("offsets are computed, which takes most of the time of long texts")

    monkeypatch.setattr(PreTrainedTokenizerFast, "__call__", encode)
    tokenizer = load_tokenizer(tiny_checkpoint)
    joined = JoinedSplit.join({"some": TextSplit(["great film", "awful"], ["positive", "negative"])})
    assert EncodedTexts(joined, tokenizer, ["negative", "positive"], limit=400).lengths == [1, 2]
    assert count_words(joined.split.texts, tokenizer, 400).shape == (2, len(tokenizer))


@pytest.mark.parametrize("bidirectional", [True, False])
@pytest.mark.parametrize("pooling", ["mean", "mean_max"])
@pytest.mark.parametrize("labels", [2, 3, 7])
def test_logits_are_the_sum_of_both_models(bidirectional: bool, pooling: str, labels: int) -> None:
    model = small_model(bidirectional=bidirectional, pooling=pooling, num_labels=labels)
    draws = np.random.default_rng(0)
    weights, bias = draws.normal(size=(40, labels)) * 30, draws.normal(size=labels)
    lengths = torch.tensor([9, 4, 1, 0])
    mask = (torch.arange(9) < lengths[:, None]).long()
    ids = torch.randint(2, 40, (4, 9), generator=torch.Generator().manual_seed(0)) * mask
    means = np.stack(
        [
            weights[row[:n]].mean(axis=0) if n else np.zeros(labels)
            for row, n in zip(ids.numpy(), lengths.tolist(), strict=True)
        ]
    )
    with torch.inference_mode():
        expected = 0.5 * model(ids, mask).logits.numpy() + means + bias
        wide = widen(model, 0.5, weights, bias).eval()
        found = wide(ids, mask).logits.numpy()
    np.testing.assert_allclose(found, expected, atol=0.03)  # tanh(0.05) is 0.04998
    assert wide.config.hidden_size == 5 + -(-labels // (1 + bidirectional))


def test_word_weights_are_those_of_a_logistic_regression(tiny_checkpoint: Path) -> None:
    shares = count_words(TEXTS, load_tokenizer(tiny_checkpoint), limit=2_000)
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    labels = ["negative", "neutral", "positive"]
    weights, bias = fit_words(shares, LABELS, labels)
    assert [labels[i] for i in (shares @ weights + bias).argmax(axis=1)] == LABELS


def test_two_labels_get_the_scores_of_a_logistic_regression(tiny_checkpoint: Path) -> None:
    shares = count_words(TEXTS, load_tokenizer(tiny_checkpoint), limit=2_000)
    polar = [label == "positive" for label in LABELS]
    weights, bias = fit_words(shares, ["yes" if is_positive else "no" for is_positive in polar], ["no", "other", "yes"])
    logits = shares @ weights + bias
    assert ((logits[:, 2] > logits[:, 0]) == polar).all()
    assert (logits[:, 1] < logits.max(axis=1)).all()


def test_texts_without_tokens_count_nothing(tiny_checkpoint: Path) -> None:
    assert count_words(["", " "], load_tokenizer(tiny_checkpoint), limit=5).nnz == 0


def test_the_better_model_gets_the_larger_share() -> None:
    draws = np.random.default_rng(0)
    targets = draws.integers(3, size=500)
    good = np.eye(3)[targets] * 2 + draws.normal(size=(500, 3))
    noise = draws.normal(size=(500, 3))
    first, second = fit_shares(good, noise, targets)
    assert first > 1 > 0.2 > second >= 0
    assert fit_shares(noise, good, targets)[1] > 1


def test_the_units_survive_saving_in_half_precision(tiny_checkpoint: Path, tmp_path: Path) -> None:
    model, tokenizer = load_model(tiny_checkpoint), load_tokenizer(tiny_checkpoint)
    model.config.temperature, model.config.temperature_exponent = 1.0, 0.0
    split = TextSplit(TEXTS, LABELS)
    wide = add_linear_units(model, tokenizer, split, split.take(range(0, len(split), 3)))
    in_memory = SentimentClassifier.from_model(wide, tokenizer).logits(TEXTS)
    save_checkpoint(wide, tokenizer, tmp_path / "out")
    loaded = SentimentClassifier.from_pretrained(tmp_path / "out")
    np.testing.assert_allclose(loaded.logits(TEXTS), in_memory, atol=0.02)
    before = SentimentClassifier.from_model(model, tokenizer).logits(TEXTS)
    targets = np.array([loaded.labels.index(label) for label in LABELS])
    losses = [-log_softmax(z, axis=1)[np.arange(len(targets)), targets].mean() for z in (before, in_memory)]
    assert losses[1] < losses[0]
    assert loaded.explain(TEXTS[0]).tokens


@pytest.mark.parametrize(
    ("changes", "texts", "built_in"),
    [
        ({}, 2_000, True),
        ({"init_from": SHIPPED}, 2_000, True),
        ({}, 20_000, False),
        ({"linear_units": True}, 20_000, True),
        ({"linear_units": False}, 2_000, False),
        ({"hidden_size": 8}, 2_000, False),
        ({"init_from": "mine"}, 2_000, False),
    ],
)
def test_they_are_built_in_for_few_texts_unless_an_option_says_otherwise(
    changes: dict[str, object], texts: int, built_in: bool
) -> None:
    assert choose_linear_units(TrainingOptions("out", ["d"], **changes), texts).linear_units is built_in


@pytest.mark.parametrize(("linear_units", "known"), [(True, True), (False, False)])
def test_a_vocabulary_of_few_texts_has_their_rare_words(linear_units: bool, known: bool) -> None:
    texts = JoinedSplit.join({"d": TextSplit(["a good play", "a bad play", "a rare play"], ["p", "n", "n"])})
    options = TrainingOptions("out", ["d"], from_scratch=True, linear_units=linear_units)
    *_, tokenizer, _ = start(options, texts, [], ["n", "p"])
    assert "play" in tokenizer.get_vocab()
    assert ("rare" in tokenizer.get_vocab()) is known


def test_a_cell_that_cannot_hold_them_is_refused(tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / "d", train=[dict(row) for row in ROWS[::4]])
    options = TrainingOptions(str(tmp_path / "out"), [str(folder)], cell="lstm", hidden_size=4, linear_units=True)
    with pytest.raises(OptionsError, match="--linear-units needs a GRU of one layer"):
        train(options)
