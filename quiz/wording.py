"""What the learner reads: pure functions from a session to Markdown, with no Gradio in them."""

from .bank import Item, Option, PublicItem
from .session import Grade, Session

LETTERS = "ABCDEFGHIJ"
CHOOSE_FIRST = "Choose one of the answers first, then submit."


def introduction(session: Session) -> str:
    """Return the heading of the tab and what the learner is in for."""
    return (
        "## How well do you know the GRU?\n\n"
        f"{len(session.items)} questions on its gates and states. Your first answer counts, and every answer "
        "is explained at once."
    )


def progress_bar(session: Session) -> str:
    """Return HTML with the number of the open question, the score so far, and a bar of questions answered."""
    total, answered = len(session.items), len(session.grades)
    number = min(session.position + 1, total)
    score = f"{session.score} of {answered} right" if answered else ""
    return (
        f'<p class="quiz-count"><span>Question {number} of {total}</span><span>{score}</span></p>'
        '<div class="quiz-bar" role="progressbar" aria-label="Questions answered" aria-valuemin="0" '
        f'aria-valuemax="{total}" aria-valuenow="{answered}" aria-valuetext="{answered} of {total}">'
        f'<div style="width: {100 * answered / max(total, 1):.1f}%"></div></div>'
    )


def stem(session: Session) -> str:
    """Return the open question, with its code below."""
    return _question(session.current) if session.current else ""


def _question(item: PublicItem | Item) -> str:
    return f"{item.stem}\n\n```python\n{item.code}\n```" if item.code else item.stem


def letters(session: Session) -> list[tuple[str, str]]:
    """Return the letters to choose from, each with the id of the option that stands behind it."""
    options = session.current.options if session.current else ()
    return [(letter, option.oid) for letter, option in zip(LETTERS, options, strict=False)]


def lettered_options(session: Session) -> str:
    """Return the open question's options as a list; once answered, with the right and the chosen one named."""
    options = session.current.options if session.current else ()
    notes = _notes(session.current_grade) if session.current_grade else {}
    return "\n".join(
        f"- **{letter}.** {option.text}{notes.get(option.oid, '')}"
        for letter, option in zip(LETTERS, options, strict=False)
    )


def _notes(grade: Grade) -> dict[str, str]:
    if grade.correct:
        return {grade.chosen.oid: " — *your answer, correct*"}
    return {grade.chosen.oid: " — *your answer*", grade.item.correct_option.oid: " — *correct answer*"}


def feedback(grade: Grade) -> str:
    """Return what the chosen option means, the right one if it was another, the explanation and sources."""
    item, chosen = grade.item, grade.chosen
    word = "Right." if grade.correct else "Not right."
    parts = [f"**{word}** You chose {_letter(item, chosen)}. {chosen.feedback}"]
    if not grade.correct:
        parts.append(_correct_answer(item))
    return "\n\n".join([*parts, item.explanation, _sources(item)])


def verdict(grade: Grade) -> str:
    """Return the CSS class of the feedback."""
    return "quiz-right" if grade.correct else "quiz-wrong"


def next_label(session: Session) -> str:
    """Return what the button after the feedback leads to."""
    return "See your result" if len(session.grades) == len(session.items) else "Next question"


def results(session: Session) -> str:
    """Return the score, the score per topic, and every wrong answer with its explanation."""
    rows = [f"| {score.topic} | {score.right} of {score.total} |" for score in session.topic_scores]
    parts = [
        f"## You answered {session.score} of {len(session.items)} right",
        "\n".join(["| Topic | Right |", "| --- | --- |", *rows]),
    ]
    if session.mistakes:
        parts.append("### Worth another look")
        parts.extend(_review(session, grade) for grade in session.mistakes)
    else:
        parts.append("Nothing to review: every answer was right.")
    return "\n\n".join(parts)


def _review(session: Session, grade: Grade) -> str:
    item = grade.item
    return "\n\n".join(
        [
            f"#### Question {session.items.index(item) + 1}",
            _question(item),
            f"**You chose:** {grade.chosen.text}. {grade.chosen.feedback}",
            _correct_answer(item),
            item.explanation,
            _sources(item),
        ]
    )


def _letter(item: Item, option: Option) -> str:
    return LETTERS[item.options.index(option)]


def _correct_answer(item: Item) -> str:
    option = item.correct_option
    return f"**Correct answer: {_letter(item, option)}.** {option.text}"


def _sources(item: Item) -> str:
    if not item.sources:
        return ""
    links = "; ".join(f"[{source.cite}]({source.url}), {source.loc}" for source in item.sources)
    return f"{'Source' if len(item.sources) == 1 else 'Sources'}: {links}"
