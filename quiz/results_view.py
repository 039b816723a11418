"""The result of a run as Markdown or HTML: score, topics, confidence, levels and review. No Gradio here."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from markupsafe import Markup

from .bank import Bank, Level, Live
from .session import MASTERED, Session, Standing
from .views import correct_answer, given_answer, join_paragraphs, question, render, sources

FEWEST_ANSWERS = 5
SURE = 90
"""Stated confidence, in percent, from which a learner counts as sure."""
CLOSE = 10
"""Percentage points between stated confidence and share of right answers that count as good judgement."""
MOST_BANDS = 6
_BANDS = ((0, 39), (40, 59), (60, 79), (80, 89), (90, 100))
STORED = (
    "What is stored: each answer with its question and the numbers in it, hints, confidence and time taken, and what "
    "you write above, under a random name for this run, in the database of this app; in a class, your nickname, too. "
    "Nothing else says who you are. Your levels, and when each question is due again, stay in this browser."
)
THANKS = "Thank you. Your feedback is stored and will be read."
TOO_MUCH_FEEDBACK = (
    "A lot of feedback has just come from your network. Yours is still in the box: please send it in a few minutes."
)
_STEPS = {
    "not started": (0, "Start with it."),
    "attempted": (1, "Read the explanations, and try again tomorrow."),
    "familiar": (2, "Answer three of its questions or more."),
    "proficient": (3, "Answer five or more, nearly all right."),
    MASTERED: (4, "Done. Come back to it in a week."),
}


class Score(Protocol):
    """The score of a topic."""

    @property
    def topic(self) -> str:
        """Name of the topic."""

    @property
    def right(self) -> int:
        """Number of right answers."""

    @property
    def total(self) -> int:
        """Number of items, 1 or more."""


def topics_html(scores: Sequence[Score]) -> Markup:
    """Return a table of topics, each with its right answers as a bar and in numbers; empty without scores."""
    if not scores:
        return Markup("")
    lowest = min(score.right / score.total for score in scores)
    best = [score for score in scores if score.right == score.total]
    weakest = [score for score in scores if score.right / score.total == lowest]
    return render("topics.html", scores=scores, best=best, weakest=weakest)


@dataclass(frozen=True)
class _Band:
    """Answers given with similar confidence: the mean stated, in percent, and how many were right."""

    name: str
    stated: float
    right: int
    total: int

    @property
    def share(self) -> float:
        """Percentage of right answers."""
        return 100 * self.right / self.total


def confidence_html(pairs: Sequence[tuple[int, bool]]) -> Markup:
    """Compare a learner's confidence with the answers, in words, as a chart and as a table.

    Args:
        pairs: For each answer the stated confidence in percent, and whether it was right.
    """
    if not pairs:
        return Markup("")
    bands = _to_bands(pairs) if len(pairs) >= FEWEST_ANSWERS else []
    return render(
        "confidence.html",
        bands=bands,
        count=len(pairs),
        fewest=FEWEST_ANSWERS,
        largest=max((band.total for band in bands), default=0),
        summary=f"{_describe_accuracy(pairs)} {_describe_balance(pairs)}",
    )


def _to_bands(pairs: Sequence[tuple[int, bool]]) -> list[_Band]:
    """Return a band for each stated confidence, or wider bands if there are many."""
    stated = sorted({confidence for confidence, _ in pairs})
    limits = [(low, low) for low in stated] if len(stated) <= MOST_BANDS else _BANDS
    bands = []
    for low, high in limits:
        inside = [(confidence, right) for confidence, right in pairs if low <= confidence <= high]
        if inside:
            name = f"{low}%" if low == high else f"{low}% to {high}%"
            mean = sum(confidence for confidence, _ in inside) / len(inside)
            bands.append(_Band(name, mean, sum(right for _, right in inside), len(inside)))
    return bands


def _describe_accuracy(pairs: Sequence[tuple[int, bool]]) -> str:
    sure = [right for confidence, right in pairs if confidence >= SURE]
    unsure = [right for confidence, right in pairs if confidence < SURE]
    groups = ((f"sure ({SURE}% or more)", sure), ("less sure", unsure))
    return " ".join(
        f"When you were {word}, you were right {sum(answers)} of {len(answers)} time{'s' * (len(answers) > 1)}."
        for word, answers in groups
        if answers
    )


def _describe_balance(pairs: Sequence[tuple[int, bool]]) -> str:
    stated = sum(confidence for confidence, _ in pairs) / len(pairs)
    share = 100 * sum(right for _, right in pairs) / len(pairs)
    numbers = f"On average you said {stated:.0f}%, and {share:.0f}% of your answers were right"
    if abs(stated - share) <= CLOSE:
        return f"{numbers}: you judge yourself well."
    return f"{numbers}: you knew {'less' if stated > share else 'more'} than you thought."


def headline(session: Session, level: Level | None = None) -> str:
    """Return the score, and the marks if they differ from it.

    Args:
        session: A finished run.
        level: The level that the run has found, or None.
    """
    total = len(session.items)
    title = f"## You answered {session.score} of {total} right"
    if level:
        return (
            f"## Your level: {level.name}\n\nIt has questions on {_join_words(level.topics)}. You answered "
            f"{session.score} of {total} right; questions are chosen so that about half of the answers are."
        )
    if session.credit == session.score:
        return title
    return (
        f"{title}\n\nThat is {session.credit:.3g} of {total} marks: "
        "hints cost a part, and partly right answers earn one."
    )


def stated_confidences(session: Session) -> list[tuple[int, bool]]:
    """Return each stated confidence, in percent, and whether the answer was right."""
    return [(grade.confidence, grade.correct) for grade in session.grades if grade.confidence is not None]


def levels_html(standings: Sequence[Standing], next_topic: Standing | None, due: int = 0) -> Markup:
    """Return a table of topics, each with its level and the next step, and the number of questions due again."""
    rows = [(standing, *_STEPS[standing.level]) for standing in standings]
    return render("levels.html", rows=rows, next_topic=next_topic, highest=len(_STEPS) - 1, due=due)


def practise_label(next_topic: Standing | None, level: Level | None = None) -> str:
    """Return the label of the button that starts the level found, or else the next topic."""
    if level:
        return f"Go on with: {level.name}"
    return f"Practise: {next_topic.topic}" if next_topic else "Ten more questions"


def _join_words(words: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def retry_label(session: Session) -> str:
    """Return the label of the button that repeats the mistakes."""
    wrong = len(session.mistakes)
    return "Try the wrong one again" if wrong == 1 else f"Try the {wrong} wrong ones again"


def review(session: Session, bank: Bank, live_link: Callable[[Live], str | None]) -> str:
    """Return the misconceptions behind the wrong answers, and each wrong answer with its question and explanation.

    Args:
        session: A finished run.
        bank: The bank, which has the pictures and puts misconceptions right.
        live_link: Returns the address at which the app shows the fact of an item, or None.
    """
    if not session.mistakes:
        return "Nothing to review: every answer was right."
    numbers = {item.id: number for number, item in enumerate(session.items, 1)}
    parts = [*_misconceptions(session, bank, live_link, numbers), "### Worth another look"]
    for grade in session.mistakes:
        item = grade.item
        parts += [
            f"#### Question {numbers[item.id]}",
            question(item, bank.folder),
            "<details><summary>Your answer, and the right one</summary>",
            given_answer(grade),
            correct_answer(item),
            item.explanation,
            sources(item),
            "</details>",
        ]
    return join_paragraphs(*parts)


def _misconceptions(
    session: Session, bank: Bank, live_link: Callable[[Live], str | None], numbers: Mapping[str, int]
) -> list[str]:
    """Return a heading, and each misconception put right with its questions and a link, the most frequent first."""
    found: dict[str, list[str]] = {}
    for grade in session.mistakes:
        for name in grade.misconceptions:
            if name in bank.misconceptions:
                found.setdefault(name, []).append(grade.item.id)
    lines = []
    for name, ids in sorted(found.items(), key=lambda entry: -len(entry[1])):
        asked = f"Question{'s' if len(ids) > 1 else ''} {', '.join(str(numbers[item_id]) for item_id in ids)}"
        lines.append(" ".join([f"- {bank.misconceptions[name]} ({asked}.)", *_advice(name, ids, bank, live_link)]))
    return ["### What stood behind your errors", "\n".join(lines)] if lines else []


def _advice(name: str, ids: Sequence[str], bank: Bank, live_link: Callable[[Live], str | None]) -> list[str]:
    """Return a source to read and a link into the app, from the items answered wrong or others on the same."""
    items = sorted(
        (item for item in bank.items if name in item.misconceptions), key=lambda item: item.id not in ids
    )  # a stable sort: those answered wrong first
    source = next((item.sources[0] for item in items if item.sources), None)
    link = next((link for item in items if item.live and (link := live_link(item.live))), None)
    read = [f"Read [{source.cite}]({source.url}), {source.loc}."] if source else []
    return [*read, *([f"[See it live]({link})."] if link else [])]
