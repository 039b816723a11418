"""The end of a run in pictures and in words: the score of each topic, and how well confidence matched the answers.

Numbers stand beside every bar and dot, and the same is told in a sentence and a table: nothing is told by colour alone.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Protocol

# For launch(css=...): how this and the proofs of `quiz.proof_html` look.
RESULTS_CSS = (Path(__file__).parent / "results.css").read_text(encoding="utf-8")

FEWEST_ANSWERS = 5
SURE = 90  # percent
CLOSE = 10  # points between stated confidence and share right
MOST_LEVELS = 6
_BANDS = ((0, 39), (40, 59), (60, 79), (80, 89), (90, 100))


class Score(Protocol):
    """How many items of a topic were answered right, of how many."""

    @property
    def topic(self) -> str:
        """Name of the topic."""

    @property
    def right(self) -> int:
        """Number of right answers."""

    @property
    def total(self) -> int:
        """Number of items, 1 or more."""


def topics_html(scores: Sequence[Score]) -> str:
    """Return a table of topics, each with its right answers as a bar and in numbers; empty without scores."""
    if not scores:
        return ""
    rows = "".join(
        f'<tr><th scope="row">{escape(score.topic)}</th><td class="quiz-topic-bar" aria-hidden="true">'
        f'<div><i style="width: {100 * score.right / score.total:.4g}%"></i></div></td>'
        f"<td>{score.right} of {score.total}</td></tr>"
        for score in scores
    )
    return (
        f'<div class="quiz-topics"><p>{_best_and_worst(scores)}</p><table><caption>Right answers, by topic</caption>'
        '<thead><tr><th scope="col">Topic</th><th scope="col" aria-hidden="true"></th><th scope="col">Right</th></tr>'
        f"</thead><tbody>{rows}</tbody></table></div>"
    )


def _best_and_worst(scores: Sequence[Score]) -> str:
    full = [score for score in scores if score.right == score.total]
    if len(full) == len(scores):
        return "Everything right, in every topic."
    lowest = min(score.right / score.total for score in scores)
    weak = [score for score in scores if score.right / score.total == lowest]
    if len(weak) == len(scores):
        return "The same share right in every topic."
    said = [f"Worth another look: {_names(weak)}."]
    return " ".join([f"All right: {_names(full)}.", *said] if full else said)


def _names(scores: Iterable[Score]) -> str:
    names = [f"<strong>{escape(score.topic)}</strong>" for score in scores]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


@dataclass(frozen=True)
class _Level:
    """Answers given with about the same confidence: what was stated, in percent, and how many were right."""

    name: str
    stated: float
    right: int
    total: int

    @property
    def share(self) -> float:
        return 100 * self.right / self.total


def confidence_html(pairs: Sequence[tuple[int, bool]]) -> str:
    """Return how well a learner's confidence matched the answers, in words, as a chart and as a table.

    Args:
        pairs: For each answer the stated confidence in percent, and whether it was right.
    """
    if not pairs:
        return ""
    if len(pairs) < FEWEST_ANSWERS:
        answers = "1 answer" if len(pairs) == 1 else f"{len(pairs)} answers"
        return (
            f'<div class="quiz-confidence"><p>You said how sure you were of {answers}: too few to tell how well you '
            f"know what you know. It takes {FEWEST_ANSWERS} or more.</p></div>"
        )
    levels = _levels(pairs)
    return (
        f'<div class="quiz-confidence"><p>{_sure(pairs)} {_balance(pairs)}</p>'
        f'<div class="quiz-confidence-both">{_chart(levels)}{_table(levels)}</div></div>'
    )


def _levels(pairs: Sequence[tuple[int, bool]]) -> list[_Level]:
    """Return one level for each confidence stated, or bands of them if there are many."""
    stated = sorted({confidence for confidence, _ in pairs})
    bands = [(low, low) for low in stated] if len(stated) <= MOST_LEVELS else _BANDS
    levels = []
    for low, high in bands:
        inside = [(confidence, right) for confidence, right in pairs if low <= confidence <= high]
        if inside:
            name = f"{low}%" if low == high else f"{low}% to {high}%"
            mean = sum(confidence for confidence, _ in inside) / len(inside)
            levels.append(_Level(name, mean, sum(right for _, right in inside), len(inside)))
    return levels


def _sure(pairs: Sequence[tuple[int, bool]]) -> str:
    sure = [right for confidence, right in pairs if confidence >= SURE]
    unsure = [right for confidence, right in pairs if confidence < SURE]
    groups = ((f"sure ({SURE}% or more)", sure), ("less sure", unsure))
    return " ".join(
        f"When you were {word}, you were right {sum(answers)} of {len(answers)} time{'s' * (len(answers) > 1)}."
        for word, answers in groups
        if answers
    )


def _balance(pairs: Sequence[tuple[int, bool]]) -> str:
    stated = sum(confidence for confidence, _ in pairs) / len(pairs)
    share = 100 * sum(right for _, right in pairs) / len(pairs)
    numbers = f"On average you said {stated:.0f}%, and {share:.0f}% of your answers were right"
    if abs(stated - share) <= CLOSE:
        return f"{numbers}: you judge yourself well."
    return f"{numbers}: you knew {'less' if stated > share else 'more'} than you thought."


def _chart(levels: Sequence[_Level]) -> str:
    most = max(level.total for level in levels)
    dots = "".join(
        f'<circle cx="{level.stated:.4g}" cy="{100 - level.share:.4g}" r="{2 + 3 * (level.total / most) ** 0.5:.3g}"/>'
        for level in levels
    )
    about = "Share of right answers against stated confidence: " + "; ".join(
        f"{level.name} stated, {level.share:.0f}% right" for level in levels
    )
    return (
        f'<figure><div class="quiz-plot" role="img" aria-label="{escape(about)}">'
        '<svg viewBox="-6 -6 112 112" aria-hidden="true"><path class="quiz-grid" d="M0 0V100H100M0 50H100M50 0V100"/>'
        f'<path class="quiz-diagonal" d="M0 100L100 0"/>{dots}</svg></div>'
        "<figcaption>Across: how sure you were, from 0% to 100%. Up: how many were right. On the dashed line both are "
        "equal; below it, you knew less than you thought.</figcaption></figure>"
    )


def _table(levels: Sequence[_Level]) -> str:
    rows = "".join(
        f'<tr><th scope="row">{level.name}</th><td>{level.right} of {level.total}</td><td>{level.share:.0f}%</td></tr>'
        for level in levels
    )
    return (
        "<table><caption>Confidence and right answers</caption><thead><tr>"
        '<th scope="col">You said</th><th scope="col">Right</th><th scope="col">Share</th></tr></thead>'
        f"<tbody>{rows}</tbody></table>"
    )
