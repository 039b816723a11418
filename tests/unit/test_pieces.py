"""A model that reads unknown words in pieces: its verdicts, explanations and pages."""

from pathlib import Path

import numpy as np
import pytest

from sentiment_gru import SentimentClassifier
from sentiment_gru.distillation.vocabulary_stages import extend
from sentiment_gru.explanation.story_units import find_story_units
from sentiment_gru.results import find_words
from sentiment_gru.web.explanation_view import find_jumps, find_strongest_tokens, render_explanation, split_ribbon
from sentiment_gru.web.verdict_view import render_verdict
from tests.unit.web.markup import read_words

TEXT = "a film is superbish , isn't it ?"
SPLIT = ["a", "film", "is", "superb", "ish", ",", "is", "n't", "it", "?"]


@pytest.fixture(scope="module")
def reader(tiny_checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> SentimentClassifier:
    """Return the tiny classifier with a vocabulary that also has pieces of words."""
    folder = tmp_path_factory.mktemp("pieces")
    extend(tiny_checkpoint, ["greatish superbish dullish filmish"] * 3, 0, folder, pieces=200)
    return SentimentClassifier.from_pretrained(folder / "checkpoint")


def test_known_words_get_the_verdict_that_they_had(
    reader: SentimentClassifier, classifier: SentimentClassifier
) -> None:
    text = "a film is superb , isn't it ?"
    assert reader.encode([text]) == classifier.encode([text])
    np.testing.assert_allclose(reader.logits([text]), classifier.logits([text]), atol=1e-5)


def test_the_pieces_of_a_word_are_counted_as_one_word(reader: SentimentClassifier) -> None:
    (prediction,) = reader(TEXT)
    assert (prediction.tokens, prediction.unknown_tokens) == (len(SPLIT), 0)
    assert (prediction.piece_tokens, prediction.split_words) == (1, 1)
    assert prediction.warning is None
    assert "10 tokens · 0 unknown · 1 in pieces · 0 cut" in read_words(render_verdict(prediction, 1))


def test_a_text_of_which_few_words_are_known_whole_has_a_warning(reader: SentimentClassifier) -> None:
    (prediction,) = reader("ce phylm etait vraiment great")
    assert prediction.unknown_tokens == 0
    assert prediction.split_words == 4
    assert not prediction.cannot_tell
    assert "misspelled or in another language" in (prediction.warning or "")
    assert reader("日本語")[0].cannot_tell


def test_one_or_two_misspelled_words_have_a_verdict_and_a_text_of_another_language_has_none(
    reader: SentimentClassifier,
) -> None:
    misspelled, foreign = reader(["phylm etait", "phylm etait vraiment!"])
    assert (misspelled.split_words, foreign.split_words) == (2, 3)
    assert not misspelled.cannot_tell
    assert foreign.cannot_tell
    assert "how it reads their pieces" in read_words(render_explanation(reader.explain("phylm etait vraiment!")))


def test_pieces_stand_beside_each_other_in_the_text(reader: SentimentClassifier) -> None:
    explanation = reader.explain(TEXT)
    assert [token.text for token in explanation.tokens] == SPLIT
    assert [len(word) for word in find_words(explanation.tokens)] == [1, 1, 1, 2, 1, 1, 1, 1, 1]
    ribbon = split_ribbon(explanation)
    assert (ribbon[3].shown, ribbon[4].gap, ribbon[4].shown) == ("superb", "", "ish")
    html = render_explanation(explanation)
    assert html.count("track-column piece") == 1
    assert "##" not in html


def test_the_page_names_whole_words(reader: SentimentClassifier) -> None:
    explanation = reader.explain(TEXT)
    words = {explanation.text[explanation.tokens[word[0]].start : explanation.tokens[word[-1]].end]
             for word in find_words(explanation.tokens)}  # fmt: skip
    named = [word for _, tokens in find_strongest_tokens(explanation) for word, _ in tokens]
    assert named
    assert {*named, *(text for text, _, _ in find_jumps(explanation))} <= words


@pytest.mark.parametrize("index", [1, 2])
@pytest.mark.parametrize(
    ("action", "changed"),
    [("remove", "a  film"), ("replace", "a dull film"), ("negate", "a not superbish film")],
)
def test_a_change_of_a_piece_changes_its_whole_word(
    reader: SentimentClassifier, index: int, action: str, changed: str
) -> None:
    assert reader.what_if("a superbish film", index, action, "dull").changed == changed


def test_a_piece_is_no_negation(reader: SentimentClassifier, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sentiment_gru.explanation.story_units.NEGATIONS", {"superb", "ish"})
    monkeypatch.setattr("sentiment_gru.explanation.story_units.LEAST_STATE", 0.0)
    found = {story.kind for story in find_story_units(reader.read("a superbish film"))}
    assert "flip" not in found


def test_a_piece_whose_word_is_cut_begins_a_word(reader: SentimentClassifier) -> None:
    middle = reader.config.max_tokens // 2
    reading = reader.read("film " * (middle - 1) + "superbish " + "film " * (2 * middle))
    assert len(reading.tokens) == reader.config.max_tokens
    assert not any(token.continues for token in reading.tokens)
    cut = reader.read("film " * middle + "superbish " + "film " * (middle - 1))
    assert len(find_words(cut.tokens)) == len(cut.tokens)
