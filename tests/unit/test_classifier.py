"""The classifier answers any text, in order, and never cuts or fails silently."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sentiment_gru import InputError, SentimentClassifier
from sentiment_gru.checkpoint import load_tokenizer
from sentiment_gru.classifier import batches_by_length
from tests.conftest import made_up_texts


def test_it_learnt_its_tiny_task(classifier: SentimentClassifier) -> None:
    rows = made_up_texts()[288:]
    predictions = classifier([row["text"] for row in rows])
    right = sum(p.label == row["label"] for p, row in zip(predictions, rows, strict=True))
    assert right / len(rows) > 0.9


def test_predictions_come_in_order_and_equal_those_of_single_texts(classifier: SentimentClassifier) -> None:
    texts = [row["text"] for row in made_up_texts()[::7]] + ["great " * 500, "", "awful"]
    together = classifier(texts)
    for text, prediction in zip(texts, together, strict=True):
        (alone,) = classifier(text)
        assert prediction.scores == pytest.approx(alone.scores, abs=1e-5)
        assert prediction.tokens == alone.tokens


@settings(max_examples=50)
@given(st.lists(st.text(max_size=60), max_size=6))
def test_any_text_gets_scores_that_sum_to_one(classifier: SentimentClassifier, texts: list[str]) -> None:
    predictions = classifier(texts)
    assert len(predictions) == len(texts)
    for prediction in predictions:
        assert sum(prediction.scores.values()) == pytest.approx(1)
        assert prediction.scores[prediction.label] == max(prediction.scores.values())
        assert 0 <= prediction.unknown_tokens <= prediction.tokens


@given(st.lists(st.one_of(st.text(max_size=60), st.sampled_from(["[PAD]", "a [UNK] film", "[PAD][UNK]"])), max_size=4))
def test_ids_are_those_of_the_tokenizer(
    classifier: SentimentClassifier, tiny_checkpoint: Path, texts: list[str]
) -> None:
    tokenizer = load_tokenizer(tiny_checkpoint)
    assert classifier.encode(texts) == (tokenizer(texts)["input_ids"] if texts else [])


@pytest.mark.parametrize("text", ["", " \n\t", "\x00\x00", "\u200b"])
def test_a_text_without_words_says_so(classifier: SentimentClassifier, text: str) -> None:
    (prediction,) = classifier(text)
    assert prediction.tokens == 0
    assert prediction.cannot_tell
    assert prediction.uncertain
    assert prediction.warning == "There is no word in this text."


def test_a_model_first_used_in_inference_mode_can_be_explained(tiny_checkpoint: Path) -> None:
    classifier = SentimentClassifier.from_pretrained(tiny_checkpoint)
    with torch.inference_mode():
        assert not classifier.model.training
    assert classifier.explain("great film").attributions


def test_unknown_words_only_cannot_be_told(classifier: SentimentClassifier) -> None:
    (prediction,) = classifier("日本語 zzyzx")
    assert (prediction.tokens, prediction.unknown_tokens) == (2, 2)
    assert prediction.cannot_tell
    assert prediction.uncertain
    assert "none of these words" in prediction.warning


def test_mostly_unknown_words_get_a_warning(classifier: SentimentClassifier) -> None:
    (prediction,) = classifier("ce film était vraiment great")
    assert not prediction.cannot_tell
    assert "another language" in prediction.warning
    assert classifier("a superb film !")[0].warning is None


def test_a_very_long_text_says_what_was_not_read(classifier: SentimentClassifier) -> None:
    (prediction,) = classifier("great film " * 50_000)
    assert prediction.tokens == 100_000
    assert prediction.truncated_tokens == 100_000 - classifier.config.max_tokens
    assert "98,000 tokens in its middle were not read" in prediction.warning


def test_of_a_very_long_text_both_ends_count(classifier: SentimentClassifier) -> None:
    half = classifier.config.max_tokens // 2
    filler = "film " * 10_000
    ends = classifier.logits([f"{'awful ' * half}{filler}{'awful ' * half}", "awful " * 2 * half])
    np.testing.assert_allclose(ends[0], ends[1], atol=1e-5)


@pytest.mark.parametrize("value", [None, 3, 2.5, float("nan"), b"bytes", ["nested"]])
def test_a_value_that_is_no_text_is_named_with_its_index(classifier: SentimentClassifier, value: object) -> None:
    with pytest.raises(InputError, match=f"text 1 is {type(value).__name__}, not a string"):
        classifier(["fine", value])  # type: ignore[list-item]


def test_no_texts_give_no_predictions(classifier: SentimentClassifier) -> None:
    assert classifier([]) == []


def test_emoji_and_null_bytes_do_no_harm(classifier: SentimentClassifier) -> None:
    plain, odd = classifier(["superb film", "superb\x00 film\x00"])
    assert odd.scores == pytest.approx(plain.scores)
    assert classifier("😀")[0].tokens == 1


def test_the_uncertain_band_is_the_configured_one(classifier: SentimentClassifier) -> None:
    config = classifier.config
    before = config.uncertain_below
    highest = max(classifier("the long great film is awful")[0].scores.values())
    try:
        config.uncertain_below = highest + 1e-6
        assert classifier("the long great film is awful")[0].uncertain
        config.uncertain_below = highest - 1e-6
        assert not classifier("the long great film is awful")[0].uncertain
    finally:
        config.uncertain_below = before


@given(st.lists(st.integers(0, 3_000), max_size=200), st.integers(1, 64))
def test_batches_hold_every_text_once_within_their_limits(lengths: list[int], texts: int) -> None:
    batches = batches_by_length(lengths, texts, 16_384)
    assert sorted(index for batch in batches for index in batch) == list(range(len(lengths)))
    for batch in batches:
        longest = max(lengths[index] for index in batch)
        assert len(batch) <= texts
        assert len(batch) == 1 or len(batch) * longest <= 16_384
