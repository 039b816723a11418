"""The events of the Sentiment tab: verdicts, explanations, what-if questions, and failures."""

import re
import shutil
from collections.abc import Callable, Sequence
from html import unescape
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentiment_gru import Prediction, SentimentClassifier
from sentiment_gru.results import MAX_CHARACTERS
from sentiment_gru.web.examples import EXAMPLES
from sentiment_gru.web.explanation_view import WORKING
from sentiment_gru.web.model_loader import ClassifierLoader
from sentiment_gru.web.sentiment_tab import LONG, change_token, draw_units, explain, explain_at_once, find_flip, judge
from sentiment_gru.web.verdict_view import CHOOSE_FIRST, NO_TEXT, PROMPT
from tests.unit.web.markup import MARKUP, VERDICT_TAGS, Tags, make_prediction

CERTAIN = make_prediction({"negative": 0.02, "neutral": 0.03, "positive": 0.95})
FAILURE = "failure-report"  # the class of the report in the page


def answer_with(prediction: Prediction) -> Callable[[Sequence[str]], list[Prediction]]:
    """Return a classifier with one answer to everything."""
    return lambda texts: [prediction for _ in texts]


@given(st.text() | st.text().map(lambda text: text + MARKUP))
def test_no_text_reaches_the_page_as_markup(text: str) -> None:
    def broken(texts: Sequence[str]) -> list[Prediction]:
        raise RuntimeError(f"cannot read {texts[0]} in /srv/app/model.bin")

    assert Tags(judge(text, answer_with(CERTAIN))).names <= VERDICT_TAGS
    failure = Tags(judge(text, broken))
    assert failure.names <= VERDICT_TAGS | {"textarea", "button", "a"}
    assert "onerror" not in failure.attributes


@pytest.mark.parametrize("text", ["", " \n\t", "\u3000"])
def test_an_empty_text_gets_a_prompt(text: str) -> None:
    assert judge(text, answer_with(CERTAIN)) == PROMPT


def test_a_text_beyond_the_limit_is_refused_and_not_read() -> None:
    assert f"{MAX_CHARACTERS + 1:,} characters" in judge("x" * (MAX_CHARACTERS + 1), None)
    assert "verdict-diagnostics" in judge("x" * MAX_CHARACTERS, answer_with(CERTAIN))


def test_a_failure_shows_the_id_in_the_log_and_nothing_private(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = "secret in /srv/app/model.bin"  # outside of the failing line, as the trace holds lines of code

    def broken(_: Sequence[str]) -> list[Prediction]:
        raise RuntimeError(message)

    monkeypatch.setenv("REPORT_URL", 'https://example.org/?a=1&b="2"')
    html = judge("my private words", broken)
    assert FAILURE in html
    assert "Kind: RuntimeError" in html
    assert "Version: " in html
    for secret in ("secret", "/srv", "Traceback", "my private words"):
        assert secret not in html
    assert 'href="https://example.org/?a=1&b="2""' in unescape(html)
    assert '&b="2"' not in html
    (error_id,) = re.findall("Error id: ([0-9a-f-]{36})", html)
    assert error_id in caplog.text
    assert "in broken" in caplog.text  # where it failed, but not its message
    assert "secret in /srv/app/model.bin" not in caplog.text
    assert "my private words" not in caplog.text


def test_there_are_six_examples_and_one_has_only_unknown_words(classifier: SentimentClassifier) -> None:
    assert len(EXAMPLES) == 6
    assert classifier([EXAMPLES["Unknown words"]])[0].cannot_tell


class Loaded(ClassifierLoader):
    """A loader with a classifier that is already loaded."""

    def __init__(self, classifier: SentimentClassifier) -> None:
        self.folder = Path("missing")
        self._loaded = classifier

    def classifier(self) -> SentimentClassifier:
        """Return the classifier."""
        return self._loaded

    def explaining(self, compute: Callable[[], Any]) -> Any:
        """Return what a function returns."""
        return compute()


def test_every_question_about_a_text_is_answered(classifier: SentimentClassifier) -> None:
    loader = Loaded(classifier)
    text = "this film was superb"
    assert 'class="why"' in explain(text, loader, {})
    assert change_token(text, None, "remove", "", loader) == CHOOSE_FIRST
    assert change_token(text, -1, "remove", None, loader) == CHOOSE_FIRST
    assert "<del>superb</del>" in change_token(text, 3, "remove", None, loader)
    assert "<ins>dull</ins>" in change_token(text, 3, "replace", "dull", loader)
    assert "there is no token 4" in change_token(text, 4, "remove", "", loader)
    assert "&lt;b&gt;" in change_token(text, 0, "<b>", "", loader)
    assert "<del>superb</del>" in find_flip("superb superb awful", loader)
    assert "heat-map" in draw_units(text, "z", loader)


def test_examples_are_explained_once_and_nothing_else_is_cached(classifier: SentimentClassifier) -> None:
    cache: dict[str, str] = {}
    example, typed = EXAMPLES["It drags, but …"], "a film of my own"
    first = explain(example, Loaded(classifier), cache)
    explain(typed, Loaded(classifier), cache)
    assert cache == {example: first}
    assert explain(example, Loaded(object()), cache) == first
    assert FAILURE in explain(EXAMPLES["A long review"], Loaded(object()), cache)  # a failure is not cached
    assert cache == {example: first}


@pytest.mark.parametrize("text", ["", " \n", "x" * (MAX_CHARACTERS + 1)])
def test_nothing_is_explained_where_nothing_was_judged(text: str) -> None:
    assert explain(text, None, {}) == ""
    assert draw_units(text, "z", None) == ""
    assert find_flip(text, None) == NO_TEXT


def test_an_explanation_that_fails_shows_a_report(caplog: pytest.LogCaptureFixture) -> None:
    assert FAILURE in explain("a film", Loaded(object()), {})
    assert "Error id" in caplog.text


def test_a_model_that_cannot_be_loaded_is_reported_once(tmp_path: Path, tiny_checkpoint: Path) -> None:
    loader = ClassifierLoader(shutil.copytree(tiny_checkpoint, tmp_path / "gone"))
    shutil.rmtree(loader.folder)
    assert FAILURE in judge("a film", loader)
    assert explain("a film", loader, {}) == ""


def test_a_part_of_a_long_explanation_is_shown_at_once(classifier: SentimentClassifier) -> None:
    loader = Loaded(classifier)
    assert explain_at_once("a superb film", loader) == WORKING
    assert explain_at_once(" ", loader) == ""
    assert "track-column" in explain_at_once("a superb film " * LONG, loader)
    assert "why-methods" not in explain_at_once("a superb film " * LONG, loader)
    with patch.object(loader, "classifier", side_effect=OSError):
        assert explain_at_once("a superb film " * LONG, loader) == ""  # the verdict reports it
