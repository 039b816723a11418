"""A verdict as HTML: its sentence, scores and balance, with labels escaped."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markupsafe import escape

from sentiment_gru import Prediction
from sentiment_gru.explanation import Flip, Token, WhatIf
from sentiment_gru.web.rendering import percent
from sentiment_gru.web.verdict_view import (
    LOADING,
    NO_FLIP,
    UNCHANGED,
    render_flip,
    render_sentence,
    render_verdict,
    render_what_if,
    split_change,
)
from tests.unit.web.markup import (
    MARKUP,
    VERDICT_ATTRIBUTES,
    VERDICT_TAGS,
    Tags,
    make_prediction,
    read_words,
    strip_tags,
)

TAGS = VERDICT_TAGS | {"blockquote", "del", "ins", "br"}
texts = st.text(max_size=30) | st.text(max_size=10).map(lambda text: f"{text}{MARKUP}")


@pytest.mark.parametrize(
    ("prediction", "sentence"),
    [
        (make_prediction({"negative": 0.02, "neutral": 0.03, "positive": 0.95}), "This sounds clearly positive."),
        (make_prediction({"negative": 0.7, "positive": 0.3}), "This sounds negative."),
        (make_prediction({"negative": 0.1, "neutral": 0.8, "positive": 0.1}), "This sounds neutral."),
        (make_prediction({"sports": 0.97, "world": 0.03}), "This sounds clearly “sports”."),
        (
            make_prediction({"negative": 0.4, "neutral": 0.1, "positive": 0.5}, uncertain=True),
            "Uncertain: this leans positive, but it could be negative.",
        ),
        (make_prediction({"only": 1.0}, uncertain=True), "Uncertain: this leans “only”."),
        (make_prediction({"negative": 0.6, "positive": 0.4}, uncertain=True, unknown_tokens=4), "I cannot tell."),
        (make_prediction({"negative": 0.6, "positive": 0.4}, uncertain=True, tokens=0), "I cannot tell."),
    ],
)
def test_the_verdict_is_a_sentence(prediction: Prediction, sentence: str) -> None:
    assert strip_tags(render_sentence(prediction)) == sentence


def test_every_label_has_its_score_and_the_diagnostics_are_one_line() -> None:
    html = render_verdict(make_prediction({"negative": 0.0203, "neutral": 0.0297, "positive": 0.95}, tokens=1042), 3.6)
    assert [read_words(row).split() for row in re.findall("<tr.*?</tr>", html)] == [
        ["negative", "2.0%"],
        ["neutral", "3.0%"],
        ["positive", "95.0%"],
    ]
    assert "1,042 tokens · 0 unknown · 0 cut · 4 ms" in html
    assert "about 95 in 100 texts with a score like this one are positive" in read_words(html)


def test_labels_without_poles_are_sorted_and_have_no_balance() -> None:
    html = render_verdict(make_prediction({"world": 0.2, "sports": 0.7, "neutral": 0.1}), 1)
    assert "balance" not in html
    assert html.index(">sports<") < html.index(">world<") < html.index(">neutral<")


@pytest.mark.parametrize(("negative", "side", "value"), [(0.75, "negative", "−0.50"), (0.25, "positive", "+0.50")])
def test_the_balance_grows_to_the_side_with_the_higher_score(negative: float, side: str, value: str) -> None:
    html = render_verdict(make_prediction({"NEG": negative, "POS": 1 - negative}), 1)
    assert f"balance-{side}" in html
    assert f">{value}<" in html
    assert "width: 25.00%" in html


def test_a_verdict_without_known_words_gives_the_reason_and_no_probability() -> None:
    html = render_verdict(make_prediction({"negative": 0.4, "positive": 0.6}, uncertain=True, unknown_tokens=4), 1)
    assert "The model knows none of these words." in html
    assert "in 100" not in html
    assert "%" not in html
    assert "balance" not in html


@pytest.mark.parametrize("counts", [{"tokens": 3200, "truncated_tokens": 1200}, {"unknown_tokens": 3}])
def test_a_warning_is_shown(counts: dict[str, int]) -> None:
    prediction = make_prediction({"negative": 0.1, "positive": 0.9}, **counts)
    assert prediction.warning
    assert prediction.warning in strip_tags(render_verdict(prediction, 1))


@given(st.floats(0, 1))
def test_a_percentage_is_0_or_100_only_if_the_score_is_0_or_1(score: float) -> None:
    text = percent(score)
    assert (text == "0.0%") == (score == 0)
    assert (text == "100.0%") == (score == 1)


scores = st.dictionaries(st.text() | st.just(MARKUP), st.floats(0.01, 1), min_size=1, max_size=8).map(
    lambda drawn: {label: value / sum(drawn.values()) for label, value in drawn.items()}
)


@given(scores, st.booleans(), st.integers(0, 10), st.integers(0, 10))
def test_label_names_are_escaped(scores: dict[str, float], uncertain: bool, tokens: int, unknown: int) -> None:
    prediction = make_prediction(scores, uncertain=uncertain, tokens=tokens, unknown_tokens=min(tokens, unknown))
    html = render_verdict(prediction, 1)
    tags = Tags(html)
    assert tags.names <= VERDICT_TAGS
    assert tags.attributes <= VERDICT_ATTRIBUTES
    assert prediction.cannot_tell or all(escape(label) in html for label in scores)


def test_the_page_says_that_the_model_is_loading() -> None:
    assert "Loading the model" in LOADING


@settings(max_examples=60)
@given(texts, texts, texts)
def test_no_change_reaches_the_page_as_markup(before: str, after: str, label: str) -> None:
    verdict = make_prediction({label: 0.6, f"{label} not": 0.4})
    token = Token(before, 0, len(before), False)
    for html in (
        render_what_if(WhatIf(before, after, verdict, verdict)),
        render_flip(verdict, (token, token), Flip((0, 1), label, verdict.scores)),
    ):
        tags = Tags(html)
        assert tags.names <= TAGS
        assert tags.attributes <= VERDICT_ATTRIBUTES


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        ("So warm, fine", "So cold, fine", ("warm", "cold", "So ", ", fine")),
        ("a warm film", "a warmer film", ("warm", "warmer", "a ", " film")),
        ("a film", "a not film", ("film", "not film", "a ", "")),
    ],
)
def test_a_change_is_split_at_whole_words(before: str, after: str, change: tuple[str, str, str, str]) -> None:
    assert split_change(before, after) == change


@given(st.text(alphabet="ab ,", max_size=12), st.text(alphabet="ab ,", max_size=12))
def test_the_parts_of_a_change_make_up_both_texts(before: str, after: str) -> None:
    removed, inserted, head, tail = split_change(before, after)
    assert head + inserted + tail == after
    assert head + removed + tail == before


def test_what_if_marks_the_change_and_shows_both_verdicts() -> None:
    before, after = (
        Prediction(label, {label: 0.9, other: 0.1}, False, 2, 0, 0)
        for label, other in (("positive", "negative"), ("negative", "positive"))
    )
    html = render_what_if(WhatIf("So warm & fine", "So cold & fine", before, after))
    assert "So <del>warm</del><ins>cold</ins> &amp; fine" in html
    words = read_words(html)
    assert "Before: This sounds clearly positive . After: This sounds clearly negative ." in words
    assert "positive 90.0% 10.0%" in words


def test_a_long_text_is_cut_around_its_change() -> None:
    verdict = make_prediction({"negative": 0.5, "positive": 0.5})
    html = render_what_if(WhatIf("x" * 300 + " a " + "y" * 300, "x" * 300 + " b " + "y" * 300, verdict, verdict))
    assert "… xxx" in html
    assert "yyy …" in html
    assert html.count("x") < 100


def test_a_flip_names_its_tokens_and_how_it_was_found() -> None:
    verdict = make_prediction({"negative": 0.4, "positive": 0.6})
    token = Token("film", 0, 4, False)
    html = render_flip(verdict, (token,), Flip((0,), "negative", verdict.scores))
    assert "Without 1 token, <del>film</del>, the verdict turns from “positive” to “negative”." in html
    assert "greedily" in html
    assert render_flip(verdict, (token,), None) == NO_FLIP


def test_a_replacement_by_the_same_word_is_no_change() -> None:
    verdict = make_prediction({"negative": 0.4, "positive": 0.6})
    assert render_what_if(WhatIf("a film", "a film", verdict, verdict)) == UNCHANGED
