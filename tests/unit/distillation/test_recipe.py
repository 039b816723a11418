"""The recipe of the shipped checkpoint: its parts, and all of it on tiny datasets."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from safetensors.torch import load_file, save_file

from sentiment_gru import OptionsError, SentimentClassifier
from sentiment_gru.data.soft_labels import SoftLabels, read_soft_labels
from sentiment_gru.distillation import __main__, recipe
from sentiment_gru.distillation.augmentation import cut_sentences, negated_phrases, plain_tweets, trusted_sentences
from sentiment_gru.distillation.recipe import Recipe, Sources
from sentiment_gru.distillation.teachers import NBSVM, average_checkpoints, blend, fit_weights, out_of_fold
from sentiment_gru.training.seeds import dev_score
from tests.conftest import write_dataset

GOOD, BAD = "a good and lovely film", "a bad and dreary film"


def test_the_linear_teacher_learns_words_and_their_order() -> None:
    texts = ["good not bad"] * 20 + ["bad not good"] * 20
    positive = np.repeat([1.0, 0.0], 20)
    logits = NBSVM().fit(texts, positive).logits(["good not bad", "bad not good", "unheard of"])
    assert logits[0] > 0 > logits[1]
    assert abs(logits[2]) < abs(logits[0])


def test_the_linear_teacher_learns_from_probabilities_what_it_learns_from_shares() -> None:
    texts = ["good"] * 8 + ["bad"] * 8
    shares = NBSVM().fit(texts, np.array([0.75] * 8 + [0.25] * 8)).logits(["good", "bad"])
    labels = NBSVM().fit(texts, np.array([1.0] * 6 + [0.0] * 2 + [0.0] * 6 + [1.0] * 2)).logits(["good", "bad"])
    np.testing.assert_allclose(shares, labels, atol=1e-2)


def test_out_of_fold_logits_come_from_models_without_the_text_or_its_neighbours() -> None:
    # Each block has a word of its own that gives its labels away; models without the block cannot know it.
    texts = [f"block{i // 4} word{i % 4}" for i in range(20)] * 2
    positive = np.repeat([1.0, 0.0], 20)
    np.testing.assert_allclose(out_of_fold(texts, positive), 0, atol=1e-6)


def test_weights_favour_the_better_teacher_and_a_single_one_gets_its_scale() -> None:
    draws = np.random.default_rng(0)
    truth = draws.normal(size=4_000)
    positive = (draws.random(4_000) < 1 / (1 + np.exp(-2 * truth))).astype(float)
    noise = draws.normal(size=4_000)
    weights = fit_weights(np.stack([truth, noise]), positive)
    assert weights[0] == pytest.approx(2, abs=0.2)
    assert weights[1] == pytest.approx(0, abs=0.1)
    assert fit_weights(truth[None], positive) == pytest.approx([2], abs=0.2)
    assert np.abs(blend(weights, np.stack([truth, noise])).mean() - positive.mean()) < 0.02


@given(st.lists(st.text(max_size=200), max_size=20), st.integers(0, 10))
def test_sentences_are_parts_of_the_texts_and_no_more_than_asked(texts: list[str], count: int) -> None:
    sentences = cut_sentences(texts, count, seed=0)
    assert len(sentences) == len(set(sentences)) <= count
    assert all(any(sentence in text for text in texts) for sentence in sentences)
    assert all(4 <= len(sentence.split()) <= 30 for sentence in sentences)


def test_sentences_end_at_marks_and_tags() -> None:
    text = 'One two three four. "Five six seven eight!" Too short. <br /><br />Nine ten eleven twelve 3.5 of it'
    assert cut_sentences([text], 9, seed=0) == [
        "One two three four.",
        '"Five six seven eight!',
        "Nine ten eleven twelve 3.5 of it",
    ]


def test_tweets_lose_their_marks_and_neutral_ones_are_cut() -> None:
    tweets = {
        "@user The game is at 8:30. Doors open an hour earlier #football https://t.co/x": "neutral",
        "I love this song! Hear it now: www.example.com": "positive",
        "nothing here is to be rewritten": "neutral",
        "#too short": "neutral",
    }
    soft = plain_tweets(list(tweets), list(tweets.values()))
    assert soft.texts == [
        "The game is at 8:30.",
        "Doors open an hour earlier football",
        "I love this song! Hear it now",
    ]
    np.testing.assert_allclose(soft.scores, [[0.05, 0.9, 0.05], [0.05, 0.9, 0.05], [0.05, 0.05, 0.9]])


def test_negated_phrases_are_spelled_as_people_do() -> None:
    phrases = {"is n't it fun , -lrb- or -rrb- n't ?": "positive", "it 's a bore": "negative", "No": "negative"}
    soft = negated_phrases(list(phrases), list(phrases.values()))
    assert (soft.texts, soft.labels) == (["Isn't it fun, (or)n't?"], ["negative", "positive"])
    np.testing.assert_allclose(soft.scores, [[0.05, 0.95]])


@given(arrays(float, (9, 3), elements=st.floats(0.01, 1)), st.floats(0.05, 0.95))
def test_sentences_are_moved_towards_neutral_and_negated_ones_left_out(raw: np.ndarray, neutral: float) -> None:
    scores = raw / raw.sum(axis=1, keepdims=True)
    texts = [*(f"sentence {i}" for i in range(8)), "It isn't bad."]
    soft = trusted_sentences(SoftLabels("sentences", texts, ["negative", "neutral", "positive"], scores), neutral)
    assert soft.texts == texts[:8]
    assert soft.scores[:, 1].mean() == pytest.approx(neutral)
    np.testing.assert_allclose(soft.scores.sum(axis=1), 1)
    np.testing.assert_allclose(soft.scores[:, 0] / soft.scores[:, 2], scores[:8, 0] / scores[:8, 2])


@pytest.fixture
def sources(tmp_path: Path) -> Sources:
    poles = [
        {"text": f"{text} number {i}", "label": label}
        for label, text in (("neg", BAD), ("pos", GOOD))
        for i in range(60)
    ]
    unlabelled = [
        {"text": f"{text} copy {i}. It was {text} to me.", "label": -1} for text in (BAD, GOOD) for i in range(30)
    ]
    held_out = [{"text": f"{GOOD} test", "label": "pos"}, {"text": f"{BAD} test", "label": "neg"}]
    moods = [*poles, *({"text": f"#News the bus leaves at {i}", "label": "neutral"} for i in range(60))]
    denied = [{"text": f"it is n't {text} .", "label": label} for label, text in (("pos", BAD), ("neg", GOOD))]
    imdb = write_dataset(
        tmp_path / "imdb",
        train=poles,
        test=held_out,
        unsupervised=[*unlabelled, {"text": held_out[0]["text"], "label": -1}],
    )
    splits = "".join(f"  - {{split: {name}, path: {name}.jsonl}}\n" for name in ("train", "test", "unsupervised"))
    (imdb / "README.md").write_text(f"---\nconfigs:\n- config_name: plain\n  data_files:\n{splits}---\n")
    checked = [{"text": f"{row['text']} dev", "label": row["label"]} for row in held_out]
    sst2 = write_dataset(tmp_path / "sst2", train=[*poles, *denied], validation=checked, test=held_out)
    tweets = write_dataset(
        tmp_path / "tweets", train=moods, validation=[*held_out, {"text": "the tram", "label": "neutral"}]
    )
    return Sources(str(imdb), str(sst2), str(tweets))


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        recipe, "COMMON", {"embedding_size": 8, "batch_size": 16, "learning_rate": 1e-2, "report": False}
    )
    monkeypatch.setattr(recipe, "FIRST", {"first-0": {"hidden_size": 6, "epochs": 2.0}})
    monkeypatch.setattr(recipe, "SHORT", {"short-2": {"hidden_size": 4, "epochs": 1.0}})
    monkeypatch.setattr(recipe, "STUDENT_OPTIONS", {"hidden_size": 6, "epochs": 2.0, "adversarial": 0.1})
    monkeypatch.setattr(recipe, "LAST", {"epochs": 1.0})
    monkeypatch.setattr(recipe, "AGAIN_OPTIONS", {"epochs": 1.0, "adversarial": 0.1})
    monkeypatch.setattr(recipe, "FINAL_OPTIONS", {"epochs": 1.0})


@pytest.mark.usefixtures("tiny")
def test_the_recipe_makes_a_checkpoint_and_goes_on_where_it_was_stopped(
    sources: Sources, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work, output = tmp_path / "work", tmp_path / "out"
    arguments = ["--imdb", sources.imdb, "--sst2", sources.sst2, "--tweets", sources.tweets, "--seeds", "0", "1"]
    arguments += ["--work", str(work), "--output-dir", str(output)]
    assert __main__.main([*arguments, "--stage", "first"]) == 0
    reviews = read_soft_labels(work / "first.parquet")
    assert not any("test" in text for text in reviews.texts)
    first = (work / "first.parquet").stat().st_mtime_ns
    assert __main__.main(arguments) == 0
    assert (work / "first.parquet").stat().st_mtime_ns == first
    assert read_soft_labels(work / "sentences.parquet").labels == ["negative", "neutral", "positive"]
    metrics = json.loads((output / "metrics.json").read_text())
    assert set(metrics["seeds"]) == {"0", "1"}
    assert metrics["average_of_seeds"] == pytest.approx(
        dev_score(json.loads((work / "third/metrics.json").read_text()))
    )
    assert metrics["datasets"]["imdb"]["reported"]["texts"] == 2
    assert "reported" not in json.loads((work / "third-0" / "metrics.json").read_text())["datasets"]["imdb"]
    assert metrics["options"]["init_from"] == "final"
    assert metrics["options"]["soft_labels"] == ["reviews-2", "sentences-3", "tweets", "phrases"]
    assert read_soft_labels(work / "sentences-3.parquet").scores[:, 1].mean() == pytest.approx(0.25, abs=1e-3)
    final = json.loads((work / "final-0" / "metrics.json").read_text())
    assert final["options"]["init_from"] == "again"
    again = json.loads((work / "again-1" / "metrics.json").read_text())
    assert again["options"]["init_from"] == "average"
    assert again["options"]["soft_labels"] == ["reviews-2", "sentences-2"]
    last = json.loads((work / "last-0" / "metrics.json").read_text())
    assert last["options"]["init_from"] == "student"
    student = json.loads((work / "student" / "metrics.json").read_text())
    assert student["options"]["init_from"] == "language"
    assert student["options"]["soft_labels"] == ["reviews", "sentences"]
    assert "test" in (output / "README.md").read_text()
    assert SentimentClassifier.from_pretrained(output).labels == ["negative", "neutral", "positive"]
    monkeypatch.setattr(recipe, "train", None)
    monkeypatch.setattr(recipe, "learn_language", None)
    assert __main__.main(arguments) == 0  # nothing is left to train


def test_the_average_of_checkpoints_has_the_mean_of_their_weights(tmp_path: Path, tiny_checkpoint: Path) -> None:
    for name in ("one", "other", "mean"):
        shutil.copytree(tiny_checkpoint, tmp_path / name)
    weights = load_file(tiny_checkpoint / "model.safetensors")
    save_file(
        {name: weight * 3 for name, weight in weights.items()}, tmp_path / "other/model.safetensors", {"format": "pt"}
    )
    average_checkpoints([tmp_path / "one", tmp_path / "other"], tmp_path / "mean")
    for name, weight in load_file(tmp_path / "mean/model.safetensors").items():
        torch.testing.assert_close(weight, weights[name] * 2)


@pytest.mark.usefixtures("tiny")
def test_an_unknown_stage_is_refused_with_those_there_are(sources: Sources, tmp_path: Path) -> None:
    with pytest.raises(
        OptionsError,
        match="there is no stage 'last', only first, first-0, short-2, reviews, sentences, language, student, last-0",
    ):
        Recipe(sources, tmp_path, tmp_path / "out", [0]).run("last")
