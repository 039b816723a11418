"""How explanations are shown: the right numbers and words, warnings past the bounds, and never any markup of others."""

import base64
import json
import re
import struct
import zlib
from dataclasses import replace
from html import unescape

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentiment_gru import Explanation, Prediction, SentimentClassifier
from sentiment_gru.explanation import Flip, WhatIf
from sentiment_gru.web.charts import GATES, heat_map_html, png
from sentiment_gru.web.links import text_link
from sentiment_gru.web.sentiment_views import (
    NO_FLIP,
    explanation_html,
    flip_html,
    jumps,
    lead,
    proof,
    ribbon,
    signed,
    target_to_show,
    what_if_html,
)
from sentiment_gru.web.theme import COLOURS, palette_css
from tests.unit.explanation.test_explanation import TEXT, make
from tests.unit.web.test_sentiment_tab import MARKUP, VERDICT_ATTRIBUTES, VERDICT_TAGS, Tags, prediction, words

TAGS = VERDICT_TAGS | {"section", "h2", "h3", "fieldset", "legend", "label", "input", "i", "br", "button", "dl", "b"}
TAGS |= {"ul", "li", "svg", "path", "polyline", "polygon", "blockquote", "del", "ins"}
ATTRIBUTES = VERDICT_ATTRIBUTES | {"tabindex", "type", "name", "value", "checked", "viewbox", "preserveaspectratio"}
ATTRIBUTES |= {"aria-hidden", "aria-pressed", "d", "points"}
ATTRIBUTES |= {f"data-{name}" for name in ("explanation", "poles", "sign", "index", "method", "action")}

POLES = [("positive", "negative"), ("negative", "positive")]
texts = st.text(max_size=30) | st.text(max_size=10).map(lambda text: f"film {text}{MARKUP}${{1}}{{{{value}}}} superb")


def assert_harmless(html: str) -> None:
    """Check that nothing but our own tags and attributes would reach the page."""
    tags = Tags(html)
    assert tags.found <= TAGS
    assert tags.attributes <= ATTRIBUTES


@pytest.fixture(scope="module")
def small() -> SentimentClassifier:
    return make(bidirectional=False)


@pytest.fixture(scope="module")
def found() -> Explanation:
    return make().explain(TEXT, target=("positive", "negative"))


@settings(max_examples=40)
@given(texts)
def test_no_text_reaches_an_explanation_as_markup(small: SentimentClassifier, text: str) -> None:
    found = small.explain(text, target=target_to_show(small([text])[0].scores))
    html = explanation_html(found)
    assert_harmless(html)
    assert_harmless(heat_map_html(found, "z"))
    if found.tokens:
        drawn = re.search('<div class="ribbon".*?>(.*?)</div>', ribbon(found), flags=re.DOTALL)
        assert unescape(re.sub("<[^>]*>", "", drawn[1])) == text


@settings(max_examples=25)
@given(st.lists(st.text(min_size=1) | st.just(MARKUP), min_size=2, max_size=2, unique=True))
def test_no_label_reaches_an_explanation_as_markup(found: Explanation, labels: list[str]) -> None:
    scores = dict(zip([*labels, "third"], found.running[-1].tolist(), strict=True))
    if len(scores) == 3:
        renamed = replace(found, prediction=prediction(scores), target=(labels[0], labels[1]))
        assert_harmless(explanation_html(renamed))
        assert_harmless(explanation_html(replace(renamed, target=(labels[1], None))))


@settings(max_examples=60)
@given(texts, texts, texts)
def test_no_change_reaches_the_page_as_markup(before: str, after: str, label: str) -> None:
    verdict = prediction({label: 0.6, f"{label} not": 0.4})
    assert_harmless(what_if_html(WhatIf(before, after, verdict, verdict)))
    tokens = make().read(f"{before} film").tokens
    assert_harmless(flip_html(verdict, tokens, Flip((0, len(tokens) - 1), label, verdict.scores)))


def test_every_character_of_the_text_stands_in_the_ribbon_and_each_token_is_a_button(found: Explanation) -> None:
    html = ribbon(found)
    assert html.count('role="button"') == len(found.tokens)
    assert html.count('tabindex="0"') == 1
    assert html.count("token-unknown") == found.prediction.unknown_tokens
    assert unescape(re.sub("<[^>]*>", "", html)) == TEXT


def test_the_tokens_that_were_not_read_are_named_in_the_ribbon() -> None:
    found = make(max_tokens=4).explain("film superb awful is so warm")
    assert re.sub(" +", " ", words(ribbon(found))).strip() == "film superb [2 tokens not read] so warm"


def test_colours_speak_for_positive_whichever_side_is_ahead() -> None:
    classifier = make()
    ahead, behind = (classifier.explain(TEXT, target=target) for target in POLES)
    for method in ("leave_one_out", "as_read"):
        assert np.allclose(signed(ahead, method), signed(behind, method), atol=1e-5)


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ({"negative": 0.1, "neutral": 0.8, "positive": 0.2}, ("positive", "negative")),
        ({"neg": 0.7, "pos": 0.3}, ("neg", "pos")),
        ({"spam": 0.1, "ham": 0.9}, ("ham", "spam")),
        ({"world": 0.1, "sports": 0.5, "science": 0.4}, None),
    ],
)
def test_the_logit_shown_is_that_of_the_poles_or_of_two_labels(
    scores: dict[str, float], expected: tuple[str, str] | None
) -> None:
    assert target_to_show(scores) == expected


def test_topics_are_shown_for_and_against(found: Explanation) -> None:
    scores = dict(zip(["world", "sports", "science"], found.running[-1].tolist(), strict=True))
    html = explanation_html(replace(found, prediction=prediction(scores), target=("sports", None)))
    assert "for “sports”" in html
    assert "against “sports”" in html
    assert "for positive" not in html


@pytest.mark.parametrize(
    ("method", "name", "good", "bad", "words"),
    [
        ("integrated_gradients", "completeness_gap", 0.04, 0.06, "misses the logit’s change by 6%"),
        ("leave_one_out", "deletion_gain_leave_one_out", 0.1, -0.1, "does not beat random order"),
        ("as_read", "telescoping_error", 1e-9, 0.1, "does not sum"),
    ],
)
def test_a_proof_that_fails_is_a_warning(
    found: Explanation, method: str, name: str, good: float, bad: float, words: str
) -> None:
    assert "badge-warning" not in proof(replace(found, proofs=found.proofs | {name: good}), method)
    warning = proof(replace(found, proofs=found.proofs | {name: bad}), method)
    assert "badge-warning" in warning
    assert words in warning


def test_gates_that_differ_from_torch_are_a_warning(found: Explanation) -> None:
    assert "badge-warning" not in explanation_html(found)
    assert "badge-warning" in explanation_html(replace(found, proofs=found.proofs | {"hidden_state_error": 2e-5}))


@pytest.mark.parametrize("cell", ["lstm", "rnn"])
def test_cells_without_gates_have_no_gate_strip(cell: str) -> None:
    found = make(cell=cell).explain(TEXT)
    html = explanation_html(found)
    assert "The gates" not in html
    assert "The prediction as the text is read" in html
    assert "nothing to draw" in heat_map_html(found, "z")


def test_a_long_text_says_what_is_taken_together() -> None:
    found = make().explain("film superb awful is so warm " * 60)
    assert found.strides["running"] > 1
    assert f"running prediction {found.strides['running']} at a time" in explanation_html(found)


def test_the_lead_names_the_strongest_tokens_and_a_verdict_between_the_poles(found: Explanation) -> None:
    strongest = found.tokens[int(np.argmax(signed(found, "integrated_gradients")))].text
    assert f"Strongest for positive: <strong>{strongest}</strong>" in lead(found)
    neutral = prediction({"negative": 0.2, "neutral": 0.6, "positive": 0.2})
    assert "The verdict is neutral" in lead(replace(found, prediction=neutral))
    unknown = replace(found.prediction, unknown_tokens=found.prediction.tokens, punctuation_tokens=0)
    assert "one and the same" in lead(replace(found, prediction=unknown))


def test_jumps_name_the_largest_changes(found: Explanation) -> None:
    changes = np.abs(np.diff(found.running[:, list(found.prediction.scores).index(found.prediction.label)]))
    assert f"<strong>{found.tokens[int(changes.argmax())].text}</strong>" in jumps(found)
    still = replace(found, running=np.ones_like(found.running) / 3)
    assert "No token moves it" in jumps(still)


def test_all_numbers_travel_with_the_explanation(found: Explanation) -> None:
    data = re.search('data-explanation="([^"]*)"', explanation_html(found))[1]
    assert json.loads(unescape(data)) == json.loads(json.dumps(found.to_dict()))


@pytest.mark.parametrize("text", ["", "superb"])
def test_texts_of_no_and_of_one_token(small: SentimentClassifier, text: str) -> None:
    html = explanation_html(small.explain(text))
    assert bool(html) == bool(text)
    assert "nan" not in html
    assert "badge-warning" not in html


@pytest.mark.parametrize("letter", GATES)
def test_a_heat_map_has_a_row_for_each_unit_and_a_column_for_each_token(found: Explanation, letter: str) -> None:
    html = heat_map_html(found, letter)
    images = [base64.b64decode(data) for data in re.findall(r"base64,([^)]*)\)", html)]
    assert len(images) == (2 if letter in "rz" else 4)
    for image in images:
        assert struct.unpack(">II", image[16:24]) == (len(found.tokens), 5)


def test_a_png_holds_its_opacities() -> None:
    image = base64.b64decode(png(np.array([[0, 0.5, 1], [1, 2, -1]])))
    (length,) = struct.unpack(">I", image[33:37])
    lines = zlib.decompress(image[41 : 41 + length])
    assert lines == bytes([0, 0, 0, 0, 128, 0, 255]) + bytes([0, 0, 255, 0, 255, 0, 0])


def test_what_if_marks_the_change_and_shows_both_verdicts() -> None:
    before, after = (Prediction(label, {label: 0.9, other: 0.1}, False, 2, 0, 0) for label, other in POLES)
    html = what_if_html(WhatIf("So warm & fine", "So cold & fine", before, after))
    assert "So <del>warm</del><ins>cold</ins> &amp; fine" in html
    shown = re.sub("<br>", " ", html)
    assert "Before: This sounds clearly positive. After: This sounds clearly negative." in re.sub("<[^>]*>", "", shown)


def test_a_long_text_is_cut_around_its_change() -> None:
    verdict = prediction({"negative": 0.5, "positive": 0.5})
    html = what_if_html(WhatIf("x" * 300 + " a " + "y" * 300, "x" * 300 + " b " + "y" * 300, verdict, verdict))
    assert "… xxx" in html
    assert "yyy …" in html
    assert len(html) < 1_500


def test_a_flip_says_that_it_was_found_greedily(found: Explanation) -> None:
    html = flip_html(found.prediction, found.tokens, Flip((1,), "negative", found.prediction.scores))
    assert "Without 1 token, <del>film</del>, the verdict turns" in html
    assert "greedily" in html
    assert flip_html(found.prediction, found.tokens, None) == NO_FLIP


@given(st.text(), st.none() | st.integers(0, 2_000))
def test_a_link_holds_the_text_in_its_fragment(text: str, token: int | None) -> None:
    link = text_link(text, token)
    assert link.startswith("#text=")
    assert re.fullmatch(r"#[\w.~%=&-]*", link, flags=re.ASCII)


def test_colours_have_contrast_on_both_pages() -> None:
    pages = ("#fbfaf8", "#17181b")
    for name, shades in COLOURS.items():
        if not name.endswith("fill"):
            for shade, page in zip(shades, pages, strict=True):
                assert contrast(shade, page) >= 4.5, name
    assert "--positive: #2166ac;" in palette_css()


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours (WCAG 2.2)."""
    low, high = sorted(luminance(colour) for colour in (one, other))
    return (high + 0.05) / (low + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))
