"""What the Sentiment tab says about a text, and that nothing from outside reaches the page as markup."""

import asyncio
import re
import shutil
from collections.abc import Callable, Sequence
from html import escape
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentiment_gru import CheckpointError, Prediction, SentimentClassifier
from sentiment_gru.results import MAX_CHARACTERS
from sentiment_gru.web.error_report import TITLE
from sentiment_gru.web.model_loader import ClassifierLoader
from sentiment_gru.web.sentiment_tab import EXAMPLES, change, draw_units, explain, flip, judge
from sentiment_gru.web.verdict_view import LOADING, PROMPT, balance, percent, sentence, verdict

MARKUP = '<img src=x onerror="alert(1)">'


def prediction(scores: dict[str, float], **changes: object) -> Prediction:
    """Return a sure verdict on four known tokens."""
    values = {"uncertain": False, "tokens": 4, "unknown_tokens": 0, "truncated_tokens": 0}
    return Prediction(max(scores, key=scores.__getitem__), scores, **(values | changes))


def answering(result: Prediction) -> Callable[[Sequence[str]], list[Prediction]]:
    return lambda texts: [result for _ in texts]


def words(html: str) -> str:
    """Return what a reader sees of HTML."""
    return re.sub(r"\s+", " ", re.sub("<[^>]*>", " ", html))


class Tags(HTMLParser):
    """Collects the tags and attributes a browser would find."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.attributes: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note one tag."""
        self.found.add(tag)
        self.attributes |= {name for name, _ in attrs}


VERDICT_TAGS = {"p", "strong", "div", "span", "table", "caption", "tr", "th", "td"}
VERDICT_ATTRIBUTES = {"class", "style", "role", "scope", "aria-label"}

SURE = prediction({"negative": 0.02, "neutral": 0.03, "positive": 0.95})


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (SURE, "This sounds clearly positive."),
        (prediction({"negative": 0.7, "positive": 0.3}), "This sounds negative."),
        (prediction({"negative": 0.1, "neutral": 0.8, "positive": 0.1}), "This sounds neutral."),
        (prediction({"sports": 0.97, "world": 0.03}), "This sounds clearly “sports”."),
        (
            prediction({"negative": 0.4, "neutral": 0.1, "positive": 0.5}, uncertain=True),
            "Uncertain: this leans positive, but it could be negative.",
        ),
        (prediction({"only": 1.0}, uncertain=True), "Uncertain: this leans “only”."),
        (prediction({"negative": 0.6, "positive": 0.4}, uncertain=True, unknown_tokens=4), "I cannot tell."),
        (prediction({"negative": 0.6, "positive": 0.4}, uncertain=True, tokens=0), "I cannot tell."),
    ],
)
def test_the_verdict_is_a_sentence(result: Prediction, expected: str) -> None:
    assert re.sub("<[^>]*>", "", sentence(result)) == expected


def test_every_label_has_its_score_and_the_diagnostics_are_one_line() -> None:
    html = verdict(prediction({"negative": 0.0203, "neutral": 0.0297, "positive": 0.95}, tokens=1042), 3.6)
    assert [words(row).split() for row in re.findall("<tr.*?</tr>", html)] == [
        ["negative", "2.0%"],
        ["neutral", "3.0%"],
        ["positive", "95.0%"],
    ]
    assert "1,042 tokens · 0 unknown · 0 cut · 4 ms" in html
    assert "about 95 in 100 texts that score like this are positive" in words(html)


def test_labels_without_poles_are_sorted_and_have_no_balance() -> None:
    html = verdict(prediction({"world": 0.2, "sports": 0.7, "neutral": 0.1}), 1)
    assert "balance" not in html
    assert html.index(">sports<") < html.index(">world<") < html.index(">neutral<")


def test_the_balance_grows_to_the_side_that_weighs_more() -> None:
    left, right = (verdict(prediction({"NEG": n, "POS": 1 - n}), 1) for n in (0.75, 0.25))
    assert "balance-negative" in left
    assert "−0.50" in left
    assert "width: 25.00%" in left
    assert "balance-positive" in right
    assert "+0.50" in right


def test_cannot_tell_says_why_and_claims_nothing() -> None:
    html = verdict(prediction({"negative": 0.4, "positive": 0.6}, uncertain=True, unknown_tokens=4), 1)
    assert "The model knows none of these words." in html
    assert "in 100" not in html
    assert "verdict-void" in html


def test_a_warning_is_shown() -> None:
    assert "1,200 tokens in its middle were not read" in verdict(
        prediction({"negative": 0.1, "positive": 0.9}, tokens=3200, truncated_tokens=1200), 1
    )
    assert "another language?" in verdict(prediction({"negative": 0.1, "positive": 0.9}, unknown_tokens=3), 1)


@given(st.floats(0, 1))
def test_a_percentage_says_neither_0_nor_100_unless_it_is(score: float) -> None:
    text = percent(score)
    assert (text == "0.0%") == (score == 0)
    assert (text == "100.0%") == (score == 1)


scores = st.dictionaries(st.text() | st.just(MARKUP), st.floats(0.01, 1), min_size=1, max_size=8).map(
    lambda drawn: {label: value / sum(drawn.values()) for label, value in drawn.items()}
)


@given(scores, st.booleans(), st.integers(0, 10), st.integers(0, 10))
def test_label_names_come_out_escaped(scores: dict[str, float], uncertain: bool, tokens: int, unknown: int) -> None:
    html = verdict(prediction(scores, uncertain=uncertain, tokens=tokens, unknown_tokens=min(tokens, unknown)), 1)
    tags = Tags(html)
    assert tags.found <= VERDICT_TAGS
    assert tags.attributes <= VERDICT_ATTRIBUTES
    assert all(escape(label) in html for label in scores)
    value = balance(scores)
    assert value is None or -1 <= value <= 1


@given(st.text() | st.text().map(lambda text: text + MARKUP))
def test_no_text_reaches_the_page_as_markup(text: str) -> None:
    def broken(texts: Sequence[str]) -> list[Prediction]:
        raise RuntimeError(f"cannot read {texts[0]} in /srv/app/model.bin")

    assert Tags(judge(text, answering(SURE))).found <= VERDICT_TAGS
    failure = Tags(judge(text, broken))
    assert failure.found <= VERDICT_TAGS | {"textarea", "button", "a"}
    assert "onerror" not in failure.attributes


@pytest.mark.parametrize("text", ["", " \n\t", "\u3000"])
def test_an_empty_text_gets_a_prompt(text: str) -> None:
    assert judge(text, answering(SURE)) == PROMPT


def test_a_text_beyond_the_limit_is_refused_kindly_and_not_read() -> None:
    assert "too long" in judge("x" * (MAX_CHARACTERS + 1), None)
    assert "clearly" in judge("x" * MAX_CHARACTERS, answering(SURE))


def test_a_failure_tells_an_id_that_the_log_knows_and_no_secret(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = "secret in /srv/app/model.bin"  # the trace holds lines of code, so it stands outside of what fails

    def broken(_: Sequence[str]) -> list[Prediction]:
        raise RuntimeError(message)

    monkeypatch.setenv("REPORT_URL", 'https://example.org/?a=1&b="2"')
    html = judge("my private words", broken)
    assert TITLE in html
    assert "Kind: RuntimeError" in html
    assert "Version: " in html
    for secret in ("secret", "/srv", "Traceback", "my private words"):
        assert secret not in html
    assert 'href="https://example.org/?a=1&amp;b=&quot;2&quot;"' in html
    (error_id,) = re.findall("Error id: ([0-9a-f-]{36})", html)
    assert error_id in caplog.text
    assert "in broken" in caplog.text  # where it failed, and not what was said of it
    assert "secret in /srv/app/model.bin" not in caplog.text
    assert "my private words" not in caplog.text


def test_there_are_six_examples_and_one_has_only_unknown_words(classifier: SentimentClassifier) -> None:
    assert len(EXAMPLES) == 6
    assert classifier([EXAMPLES["Unknown words"]])[0].cannot_tell


def test_the_loader_answers_like_the_classifier(tiny_checkpoint: Path, classifier: SentimentClassifier) -> None:
    loader = ClassifierLoader(tiny_checkpoint)
    asyncio.run(loader.ready())
    assert loader(["a lovely film"]) == classifier(["a lovely film"])
    assert "verdict-sentence" in judge("this film was superb", loader)


def test_the_loader_reports_what_only_loading_finds(tiny_checkpoint: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(tiny_checkpoint, tmp_path / "late")
    config = folder / "config.json"
    config.write_text(config.read_text().replace('"hidden_size": 8', '"hidden_size": 9'))
    loader = ClassifierLoader(folder)
    asyncio.run(loader.ready())
    for _ in range(2):
        with pytest.raises(CheckpointError, match="has shape"):
            loader(["a film"])
        assert "Kind: CheckpointError" in judge("a film", loader)


def test_the_card_comes_without_its_front_matter(tiny_checkpoint: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(tiny_checkpoint, tmp_path / "card")
    loader = ClassifierLoader(folder)
    card = folder / "README.md"
    card.write_text("---\nlicense: mit\n---\n\n# Card\n\n---\n\nEnd\n")
    assert loader.card() == "# Card\n\n---\n\nEnd"
    card.write_text("# Card\n![A plot](https://example.org/plot.png)\n")
    assert loader.card() == "# Card\n*A plot*"
    (folder / "plot.png").write_bytes(b"png")
    (tmp_path / "outside.png").write_bytes(b"secret")
    card.write_text("![A plot](plot.png)\n![Other](../outside.png)\n![None](none.png)\n![Weights](config.json)")
    assert loader.card() == "![A plot](data:image/png;base64,cG5n)\n*Other*\n*None*\n*Weights*"
    card.unlink()
    assert loader.card() == ""


def test_loading_is_told_in_words() -> None:
    assert "Loading the model" in LOADING


class Loaded(ClassifierLoader):
    """A loader whose classifier is there."""

    def __init__(self, classifier: SentimentClassifier) -> None:
        self._there = classifier

    def classifier(self) -> SentimentClassifier:
        """Return the classifier."""
        return self._there


def test_what_can_be_asked_about_a_text_is_answered(classifier: SentimentClassifier) -> None:
    loader = Loaded(classifier)
    text = "this film was superb"
    assert 'class="why"' in explain(text, loader, {})
    assert "Choose a token" in change(text, None, "remove", "", loader)
    assert "Choose a token" in change(text, -1, "remove", None, loader)
    assert "<del>superb</del>" in change(text, 3, "remove", None, loader)
    assert "<ins>dull</ins>" in change(text, 3, "replace", "dull", loader)
    assert "there is no token 4" in change(text, 4, "remove", "", loader)
    assert "not &#x27;&lt;b&gt;&#x27;" in change(text, 0, "<b>", "", loader)
    assert "verdict turns" in flip("superb superb awful", loader)
    assert "heat-map" in draw_units(text, "z", loader)


def test_examples_are_explained_once_and_nothing_else_is_kept(classifier: SentimentClassifier) -> None:
    kept: dict[str, str] = {}
    example, typed = EXAMPLES["A turn"], "a film of my own"
    first = explain(example, Loaded(classifier), kept)
    explain(typed, Loaded(classifier), kept)
    assert kept == {example: first}
    assert explain(example, Loaded(None), kept) == first
    assert TITLE in explain(EXAMPLES["Long"], Loaded(None), kept)  # a failure is not kept
    assert kept == {example: first}


@pytest.mark.parametrize("text", ["", " \n", "x" * (MAX_CHARACTERS + 1)])
def test_nothing_is_explained_where_nothing_was_judged(text: str) -> None:
    assert explain(text, None, {}) == ""
    assert draw_units(text, "z", None) == ""
    assert "no text to change" in flip(text, None)


def test_an_explanation_that_fails_is_an_apology(caplog: pytest.LogCaptureFixture) -> None:
    assert TITLE in explain("a film", Loaded(None), {})
    assert "Error id" in caplog.text


def test_a_model_that_cannot_be_loaded_is_told_once(tmp_path: Path, tiny_checkpoint: Path) -> None:
    loader = ClassifierLoader(shutil.copytree(tiny_checkpoint, tmp_path / "gone"))
    shutil.rmtree(loader.folder)
    assert TITLE in judge("a film", loader)
    assert explain("a film", loader, {}) == ""
