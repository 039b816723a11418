"""What the learner reads at the end of a run: score, levels, what to do next, and the mistakes again."""

from collections.abc import Sequence
from html import escape
from pathlib import Path

from .mastery import MASTERED, Standing
from .session import Session
from .wording import correct_answer, given_answer, paragraphs, question, sources

STORED = (
    "What is stored: each answer with its question, hints, confidence and time taken, and what you write above, under "
    "a random name for this run, in the database of this app. Nothing says who you are. Your levels stay in this "
    "browser."
)
THANKS = "Thank you. What you wrote is stored, and it will be read."
TOO_MUCH_FEEDBACK = (
    "Very much feedback came from your network just now. Yours is still in the box: please send it in some minutes."
)
_STEPS = {
    "not started": (0, "Start with it."),
    "attempted": (1, "Read the explanations, then try again."),
    "familiar": (2, "Answer three of its questions or more."),
    "proficient": (3, "Answer five or more, nearly all right."),
    MASTERED: (4, "Done. Come back to it in a week."),
}


def headline(session: Session) -> str:
    """Return the score; and the marks, if hints have cost some."""
    total = len(session.items)
    title = f"## You answered {session.score} of {total} right"
    if session.credit == session.score:
        return title
    return f"{title}\n\nThat is {session.credit:g} of {total} marks, as hints cost part of them."


def confidences(session: Session) -> list[tuple[int, bool]]:
    """Return how sure the learner was of each answer, where that was said, and whether it was right."""
    return [(grade.confidence, grade.correct) for grade in session.grades if grade.confidence is not None]


def levels_html(standings: Sequence[Standing], next_topic: Standing | None) -> str:
    """Return a table of topics, each with its level and the next step."""
    rows = "".join(_row(standing) for standing in standings)
    suggestion = (
        f"Next: <strong>{escape(next_topic.topic)}</strong>, of which you have the least so far."
        if next_topic
        else "You have mastered every topic."
    )
    return (
        f'<div class="quiz-levels"><h3>Your levels</h3><p>{suggestion}</p><table><caption>Levels, by topic</caption>'
        '<thead><tr><th scope="col">Topic</th><th scope="col">Level</th><th scope="col">Next step</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _row(standing: Standing) -> str:
    steps, advice = _STEPS[standing.level]
    dots = "●" * steps + "○" * (len(_STEPS) - 1 - steps)
    return (
        f'<tr><th scope="row">{escape(standing.topic)}</th>'
        f'<td><span class="quiz-dots" aria-hidden="true">{dots}</span> '
        f"{standing.level}</td><td>{advice}</td></tr>"
    )


def practise_label(next_topic: Standing | None) -> str:
    """Return what the button for the next topic says."""
    return f"Practise: {next_topic.topic}" if next_topic else "Ten more questions"


def retry_label(session: Session) -> str:
    """Return what the button for the mistakes says."""
    wrong = len(session.mistakes)
    return "Try the wrong one again" if wrong == 1 else f"Try the {wrong} wrong ones again"


def review(session: Session, folder: Path) -> str:
    """Return every wrong answer with its question, the right answer and the explanation."""
    if not session.mistakes:
        return "Nothing to review: every answer was right."
    places = {item.id: number for number, item in enumerate(session.items, 1)}
    parts = ["### Worth another look"]
    for grade in session.mistakes:
        item = grade.item
        parts += [
            f"#### Question {places[item.id]}",
            question(item, folder),
            given_answer(grade),
            correct_answer(item),
            item.explanation,
            sources(item),
        ]
    return paragraphs(*parts)
