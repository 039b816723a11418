"""Changes of a text as HTML: the change is marked, both verdicts are shown, and texts are escaped."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentiment_gru import Prediction
from sentiment_gru.explanation import Flip, Token, WhatIf
from sentiment_gru.web.explanation_view import NO_FLIP, UNCHANGED, render_flip, render_what_if, split_change
from tests.unit.web.markup import MARKUP, VERDICT_ATTRIBUTES, VERDICT_TAGS, Tags, make_prediction, read_words

TAGS = VERDICT_TAGS | {"blockquote", "del", "ins", "br"}
texts = st.text(max_size=30) | st.text(max_size=10).map(lambda text: f"{text}{MARKUP}")


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
