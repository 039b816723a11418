"""The result of a run: scores of topics and confidence, in words and numbers."""

import re
from html import unescape

import pytest

from quiz.results_view import FEWEST_ANSWERS, confidence_html, topics_html
from quiz.session import TopicScore
from quiz.views import read_static


def words(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split()).replace(" .", ".")


def test_every_topic_has_its_numbers_and_a_bar_of_the_same_share() -> None:
    scores = [("Anatomy", 2, 2, 2.0), ("Reset gate", 1, 3, 1.0), ("Use", 0, 2, 0.0)]
    html = topics_html([TopicScore(*score) for score in scores])
    assert "Anatomy 2 of 2 Reset gate 1 of 3 Use 0 of 2" in words(html)
    assert re.findall(r"width: ([\d.]+)%", html) == ["100", "33.33", "0"]


@pytest.mark.parametrize(
    ("rights", "summary"),
    [
        ((2, 1, 0), "All right: Anatomy. Worth another look: Use."),
        ((1, 0, 0), "Worth another look: Reset gate and Use."),
        ((2, 2, 2), "Everything right, in every topic."),
        ((1, 1, 1), "The same share right in every topic."),
    ],
)
def test_the_best_and_the_worst_are_named(rights: tuple[int, ...], summary: str) -> None:
    names = ("Anatomy", "Reset gate", "Use")
    html = topics_html([TopicScore(name, right, 2, float(right)) for name, right in zip(names, rights, strict=True)])
    assert summary in words(html)


def test_nothing_answered_shows_nothing() -> None:
    assert topics_html([]) == ""
    assert confidence_html([]) == ""


def test_a_topic_is_escaped() -> None:
    assert "<b>" not in topics_html([TopicScore("<b>", 0, 1, 0.0), TopicScore("Use", 1, 1, 1.0)])


@pytest.mark.parametrize(
    ("count", "words_shown"), [(1, "1 answer:"), (FEWEST_ANSWERS - 1, f"{FEWEST_ANSWERS - 1} answers:")]
)
def test_few_answers_are_too_few_to_judge(count: int, words_shown: str) -> None:
    html = confidence_html([(100, True)] * count)
    assert words_shown in words(html)
    assert "too few to tell" in html
    assert "<svg" not in html


def test_confidence_is_shown_in_sentences_a_chart_and_a_table() -> None:
    html = confidence_html([(100, True)] * 4 + [(100, False), (50, True), (50, False), (50, False)])
    text = words(html)
    assert "When you were sure (90% or more), you were right 4 of 5 times." in text
    assert "When you were less sure, you were right 1 of 3 times." in text
    assert "50% 1 of 3 33% 100% 4 of 5 80%" in text
    assert (
        'role="img" aria-label="Share of right answers against stated confidence: 50% stated, 33% right; 100%' in html
    )
    assert html.count("<circle") == 2
    assert '<circle cx="50" cy="66.67"' in html


@pytest.mark.parametrize(
    ("pairs", "summary"),
    [
        (
            [(80, True)] * 4 + [(80, False)],
            "said 80%, and 80% of your answers were right: you judge yourself well.",
        ),
        ([(100, True), *[(100, False)] * 4], "said 100%, and 20% of your answers were right: you knew less than"),
        ([(30, True)] * 5, "said 30%, and 100% of your answers were right: you knew more than you thought."),
    ],
)
def test_the_balance_of_all_answers_is_described(pairs: list[tuple[int, bool]], summary: str) -> None:
    assert summary in words(confidence_html(pairs))


def test_many_different_confidences_are_grouped_in_bands_that_lose_none() -> None:
    pairs = [(confidence, confidence % 2 == 0) for confidence in range(101)]
    counts = re.findall(r"<td>(\d+) of (\d+)</td>", confidence_html(pairs))
    assert len(counts) == 5
    assert sum(int(total) for _, total in counts) == 101
    assert sum(int(right) for right, _ in counts) == 51


def test_styles_apply_to_proofs_and_results_only() -> None:
    rules = [line for line in read_static("results.css").splitlines() if line and line[0] not in " }/"]
    assert len(rules) > 20
    assert not [rule for rule in rules if ".proof" not in rule and ".quiz-" not in rule]
