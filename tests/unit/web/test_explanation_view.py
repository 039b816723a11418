"""An explanation as HTML: its numbers, warnings past the bounds, and texts and labels escaped."""

import json
import re
from dataclasses import replace
from html import unescape

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentiment_gru import Explanation, SentimentClassifier
from sentiment_gru.web.charts import previous_states, render_heat_map
from sentiment_gru.web.explanation_view import (
    check_gates,
    check_method,
    choose_target,
    find_jumps,
    find_moving_units,
    find_strongest_tokens,
    give_reason,
    name_poles,
    orient_attributions,
    render_explanation,
    split_ribbon,
)
from tests.unit.explanation.test_explanation import TEXT, make
from tests.unit.web.markup import MARKUP, Tags, make_prediction, read_words, strip_tags

TAGS = {
    "section",
    "h2",
    "h3",
    "p",
    "strong",
    "span",
    "div",
    "fieldset",
    "legend",
    "label",
    "input",
    "i",
    "br",
    "button",
    "details",
    "summary",
}
TAGS |= {"ul", "li", "b", "svg", "path", "polyline", "polygon"}
ATTRIBUTES = {"class", "style", "role", "tabindex", "type", "name", "value", "checked", "viewbox", "d", "points"}
ATTRIBUTES |= {"preserveaspectratio", "aria-label", "aria-hidden", "aria-pressed"}
ATTRIBUTES |= {
    f"data-{name}" for name in ("explanation", "poles", "sign", "index", "method", "action", "units", "directions")
}

POLES = [("positive", "negative"), ("negative", "positive")]
texts = st.text(max_size=30) | st.text(max_size=10).map(lambda text: f"film {text}{MARKUP}${{1}}{{{{value}}}} superb")


def assert_harmless(html: str) -> None:
    """Check that the page has only our own tags and attributes."""
    tags = Tags(html)
    assert tags.names <= TAGS
    assert tags.attributes <= ATTRIBUTES


def find_ribbon(html: str) -> str:
    """Return the coloured text of an explanation, tags included."""
    return re.search('<div class="ribbon".*?>(.*?)</div>', html, flags=re.DOTALL)[1]


@pytest.fixture(scope="module")
def forward_classifier() -> SentimentClassifier:
    return make(bidirectional=False)


@pytest.fixture(scope="module")
def explanation() -> Explanation:
    return make().explain(TEXT, target=("positive", "negative"))


@settings(max_examples=40)
@given(texts)
def test_no_text_reaches_an_explanation_as_markup(forward_classifier: SentimentClassifier, text: str) -> None:
    target = choose_target(forward_classifier([text])[0].scores)
    explanation = forward_classifier.explain(text, target=target)
    html = render_explanation(explanation)
    assert_harmless(html)
    assert_harmless(render_heat_map(explanation, "z"))
    if explanation.tokens:
        assert strip_tags(find_ribbon(html)) == text


@settings(max_examples=25)
@given(st.lists(st.text(min_size=1) | st.just(MARKUP), min_size=2, max_size=2, unique=True))
def test_no_label_reaches_an_explanation_as_markup(explanation: Explanation, labels: list[str]) -> None:
    scores = dict(zip([*labels, "third"], explanation.running[-1].tolist(), strict=True))
    if len(scores) == 3:
        renamed = replace(explanation, prediction=make_prediction(scores), target=(labels[0], labels[1]))
        assert_harmless(render_explanation(renamed))
        assert_harmless(render_explanation(replace(renamed, target=(labels[1], None))))


def test_the_ribbon_shows_every_character_and_each_token_is_a_button(explanation: Explanation) -> None:
    ribbon = find_ribbon(render_explanation(explanation))
    assert ribbon.count('role="button"') == len(explanation.tokens)
    assert ribbon.count('tabindex="0"') == 1
    assert ribbon.count("token-unknown") == explanation.prediction.unknown_tokens
    assert strip_tags(ribbon) == TEXT


def test_the_ribbon_says_how_many_tokens_were_not_read() -> None:
    explanation = make(max_tokens=4).explain("film superb awful is so warm")
    assert [token.skipped for token in split_ribbon(explanation)] == [0, 0, 2, 0]
    assert read_words(find_ribbon(render_explanation(explanation))) == "film superb [2 tokens not read] so warm"


def test_attributions_support_positive_whichever_label_is_ahead() -> None:
    classifier = make()
    explanations = [classifier.explain(TEXT, target=target) for target in POLES]
    for method in ("leave_one_out", "as_read"):
        first, second = (orient_attributions(explanation, method) for explanation in explanations)
        assert np.abs(first).max() > 0
        assert np.allclose(first, second, atol=1e-5)


@pytest.mark.parametrize(
    ("scores", "target"),
    [
        ({"negative": 0.1, "neutral": 0.8, "positive": 0.2}, ("positive", "negative")),
        ({"neg": 0.7, "pos": 0.3}, ("neg", "pos")),
        ({"spam": 0.1, "ham": 0.9}, ("ham", "spam")),
        ({"world": 0.1, "sports": 0.5, "science": 0.4}, None),
    ],
)
def test_the_logit_explained_is_that_of_the_poles_or_of_two_labels(
    scores: dict[str, float], target: tuple[str, str] | None
) -> None:
    assert choose_target(scores) == target


def test_the_poles_of_topics_are_for_and_against_the_label(explanation: Explanation) -> None:
    scores = dict(zip(["world", "sports & games", "science"], explanation.running[-1].tolist(), strict=True))
    topics = replace(explanation, prediction=make_prediction(scores), target=("sports & games", None))
    poles = ["for “sports & games”", "against “sports & games”"]
    assert list(name_poles(topics)) == poles
    html = render_explanation(topics)
    assert json.loads(unescape(re.search('data-poles="([^"]*)"', html)[1])) == poles  # the script shows it as text
    assert "for positive" not in html


@pytest.mark.parametrize(
    ("method", "proof", "good", "bad"),
    [
        ("integrated_gradients", "completeness_gap", 0.04, 0.06),
        ("leave_one_out", "deletion_gain_leave_one_out", 0.1, -0.1),
        ("as_read", "telescoping_error", 1e-9, 0.1),
    ],
)
def test_a_proof_that_fails_is_a_warning(
    explanation: Explanation, method: str, proof: str, good: float, bad: float
) -> None:
    held, failed = (replace(explanation, proofs=explanation.proofs | {proof: value}) for value in (good, bad))
    assert check_method(held, method).holds
    assert not check_method(failed, method).holds
    assert check_method(held, method).text != check_method(failed, method).text
    assert "badge-warning" in render_explanation(failed)


def test_gates_that_differ_from_torch_are_a_warning(explanation: Explanation) -> None:
    assert check_gates(explanation).holds
    assert "badge-warning" not in render_explanation(explanation)
    failed = replace(explanation, proofs=explanation.proofs | {"hidden_state_error": 2e-5})
    assert not check_gates(failed).holds
    assert "2e-05" in check_gates(failed).text
    assert "badge-warning" in render_explanation(failed)


@pytest.mark.parametrize("cell", ["lstm", "rnn"])
def test_cells_without_gates_have_no_movement(cell: str) -> None:
    explanation = make(cell=cell).explain(TEXT)
    html = render_explanation(explanation)
    assert "track-movement" not in html
    assert 'data-units="[]"' in html
    assert html.count("track-column") == len(explanation.tokens)
    assert 'class="heat-map' not in render_heat_map(explanation, "z")


def test_a_long_text_says_how_many_tokens_share_an_effect() -> None:
    explanation = make().explain("film superb awful is so warm " * 80)
    assert explanation.strides["running"] > 1
    assert f"running prediction {explanation.strides['running']} at a time" in render_explanation(explanation)


def test_the_strongest_tokens_come_first_and_faint_ones_are_left_out(explanation: Explanation) -> None:
    values = orient_attributions(explanation, "integrated_gradients")
    sides = dict(find_strongest_tokens(explanation))
    assert sides["for positive"][0][0] == explanation.tokens[int(np.argmax(values))].text
    assert sides["for negative"][0][0] == explanation.tokens[int(np.argmin(values))].text
    one = np.zeros_like(values)
    one[2] = 1.0
    stops = [index for index, token in enumerate(explanation.tokens) if token.text in "?…,"]
    one[stops] = 2.0  # a stop names no reason
    only = replace(explanation, attributions=explanation.attributions | {"integrated_gradients": one})
    assert find_strongest_tokens(only) == [("for positive", [(explanation.tokens[2].text, 1.0)])]


def with_attributions(explanation: Explanation, values: list[float]) -> Explanation:
    """Return an explanation with these integrated gradients for its first tokens, and 0 for the rest."""
    padded = np.zeros(len(explanation.tokens))
    padded[: len(values)] = values
    return replace(
        explanation,
        prediction=make_prediction({"negative": 0.1, "neutral": 0.1, "positive": 0.8}),
        attributions=explanation.attributions | {"integrated_gradients": padded},
    )


@pytest.mark.parametrize(
    ("values", "winners", "wins"),
    [([3, -1], 1, True), ([2, -3, 2], 2, True), ([1, -3, 1], 2, False), ([0, -3], None, False)],
)
def test_the_reason_names_the_side_that_weighs_more_last(
    explanation: Explanation, values: list[float], winners: int | None, wins: bool
) -> None:
    sides = give_reason(with_attributions(explanation, values))
    if winners is None:
        assert [side.pole for side in sides] == ["for negative"]
    else:
        assert [side.pole for side in sides] == ["for negative", "for positive"]
        assert len(sides[0].words) == 1
        assert len(sides[1].words) == winners
    assert sides[-1].wins == wins


def test_a_side_against_the_verdict_never_wins(explanation: Explanation) -> None:
    against = with_attributions(explanation, [1, -3])
    assert not any(side.wins for side in give_reason(against))
    neutral = make_prediction({"negative": 0.2, "neutral": 0.6, "positive": 0.2})
    assert not any(side.wins for side in give_reason(replace(with_attributions(explanation, [3]), prediction=neutral)))


def test_the_units_that_move_most_are_listed_for_each_token(explanation: Explanation) -> None:
    lists = find_moving_units(explanation)
    assert len(lists) == len(explanation.tokens)
    for token, units in enumerate(lists):
        moved = np.abs(explanation.hidden - previous_states(explanation))[:, token]
        changes = [moved[int(direction), int(unit)] for direction, unit, *_ in units]
        assert changes == sorted(moved.ravel(), reverse=True)[: len(units)]
        for direction, unit, r, z, n, before, after in units:
            place = (int(direction), token, int(unit))
            assert [r, z, n, after] == pytest.approx(
                [
                    explanation.reset[place],
                    explanation.update[place],
                    explanation.candidate[place],
                    explanation.hidden[place],
                ],
                abs=0.006,
            )
            assert after == pytest.approx((1 - z) * n + z * before, abs=0.03)  # PyTorch's update


def test_the_first_paragraph_suits_the_verdict(explanation: Explanation) -> None:
    neutral = make_prediction({"negative": 0.2, "neutral": 0.6, "positive": 0.2})
    assert "The verdict is neutral" in read_words(render_explanation(replace(explanation, prediction=neutral)))
    unknown = replace(explanation.prediction, unknown_tokens=explanation.prediction.tokens, punctuation_tokens=0)
    words = read_words(render_explanation(replace(explanation, prediction=unknown)))
    assert "one and the same" in words
    assert "Strongest for" not in words
    zeros = {method: np.zeros_like(values) for method, values in explanation.attributions.items()}
    certain = make_prediction({"negative": 0.1, "neutral": 0.1, "positive": 0.8})
    silent = replace(explanation, prediction=certain, attributions=zeros)
    assert "No word supports either side." in read_words(render_explanation(silent))


def test_jumps_are_the_largest_changes_in_reading_order(explanation: Explanation) -> None:
    scores = explanation.running[:, list(explanation.prediction.scores).index(explanation.prediction.label)]
    largest = int(np.abs(np.diff(scores)).argmax())
    jumps = find_jumps(explanation)
    assert (explanation.tokens[largest].text, scores[largest], scores[largest + 1]) in jumps
    assert 0 < len(jumps) <= 3
    flat = replace(explanation, running=np.ones_like(explanation.running) / 3)
    assert find_jumps(flat) == []
    assert "No token changes it" in render_explanation(flat)


def test_all_numbers_are_in_the_page(explanation: Explanation) -> None:
    data = re.search('data-explanation="([^"]*)"', render_explanation(explanation))[1]
    assert json.loads(unescape(data)) == json.loads(json.dumps(explanation.to_dict()))


@pytest.mark.parametrize("text", ["", "superb"])
def test_texts_without_tokens_and_with_one(forward_classifier: SentimentClassifier, text: str) -> None:
    html = render_explanation(forward_classifier.explain(text))
    assert bool(html) == bool(text)
    assert "nan" not in html
    assert "badge-warning" not in html


def test_a_partial_explanation_shows_the_columns_and_says_that_more_comes() -> None:
    html = render_explanation(make().explain(TEXT, methods=()))
    assert html.count("track-column") == html.count('class="token')
    assert "why-working" in html
    assert "why-methods" not in html
    assert "ribbon-legend" not in html
