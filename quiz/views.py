"""What the learner reads of a question and its answer: pure functions to Markdown or HTML, with no Gradio in them."""

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Protocol

from .bank import DEFAULT_FEEDBACK, Item, Media, Option, PublicItem
from .grading import CONFIDENCE, Grade
from .progress import MASTERED, Standing
from .session import Session

# For launch(css=...): how this and the proofs of `quiz.proof_view` look.
RESULTS_CSS = (Path(__file__).parent / "static" / "results.css").read_text(encoding="utf-8")

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


LETTERS = "ABCDEFGHIJ"
INTRODUCTION = (
    "## How well do you know the GRU?\n\n"
    "Questions on its gates and states. Your first answer counts, and every answer is explained at once."
)
CONFIDENCES = [(f"{words} ({percent}%)", percent) for percent, words in CONFIDENCE.items()]
NOT_KEPT = (
    "Your answers are not being kept at the moment: the database is away. Go on; they are stored with your next "
    "step once it is back."
)
_IMAGE_TYPES = {".png": "image/png", ".svg": "image/svg+xml", ".webp": "image/webp"}


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


def notice(*lines: str) -> str:
    """Return HTML of what has to be said of the run as a whole; empty if there is nothing."""
    return "".join(f"<p>{escape(line)}</p>" for line in lines if line)


def question(item: PublicItem | Item, folder: Path) -> str:
    """Return a question with its code and pictures, which come in the text itself as the server serves no files."""
    code = [f"```python\n{item.code}\n```"] if item.code else []
    return "\n\n".join([item.stem, *code, *(_picture(media, folder) for media in item.media)])


def _picture(media: Media, folder: Path) -> str:
    words = media.alt.replace("[", "(").replace("]", ")").replace("\n", " ")
    path = folder / media.src
    if not path.is_file():
        return f"*{words}*"
    data = base64.b64encode(path.read_bytes()).decode()
    return f"![{words}](data:{_IMAGE_TYPES[path.suffix]};base64,{data})"


def letters(item: PublicItem) -> str:
    """Return the letters to choose from."""
    return LETTERS[: len(item.options)]


def option_ids(item: PublicItem, chosen: Sequence[str]) -> list[str]:
    """Return the ids of the options behind the chosen letters, empty for a letter that has none."""
    by_letter = dict(zip(LETTERS, (option.oid for option in item.options), strict=False))
    return [by_letter.get(letter, "") for letter in chosen]


def chosen_letters(grade: Grade) -> list[str]:
    """Return the letters of the options chosen."""
    return [_letter(grade.item, option) for option in grade.chosen]


def lettered_options(item: PublicItem, grade: Grade | None = None) -> str:
    """Return the options as a list; once answered, with the right and the chosen ones named."""
    notes = _notes(grade) if grade else {}
    return "\n".join(
        f"- **{letter}.** {option.text}{notes.get(option.oid, '')}"
        for letter, option in zip(LETTERS, item.options, strict=False)
    )


def _notes(grade: Grade) -> dict[str, str]:
    words = {(True, True): "your answer, correct", (True, False): "your answer", (False, True): "correct answer"}
    marks = {option.oid: words.get((option in grade.chosen, option.correct)) for option in grade.item.options}
    return {oid: f" — *{mark}*" for oid, mark in marks.items() if mark}


def answer_label(item: PublicItem) -> str:
    """Return what stands over the place for the answer."""
    if item.type == "multi":
        return "Your answers: all that are right"
    return f"Your answer, in {item.unit}" if item.unit else "Your answer"


def hint_label(session: Session) -> str:
    """Return what the button for a hint says: what the next one costs."""
    return "Show another hint: another quarter of the mark" if session.hints else "Show a hint: a quarter of the mark"


def hints(session: Session) -> str:
    """Return the hints that the learner has paid for."""
    taken = session.hints_taken
    return "\n\n".join(
        f"**Hint{f' {number}' if len(taken) > 1 else ''}.** {hint}" for number, hint in enumerate(taken, 1)
    )


def verdict(grade: Grade) -> str:
    """Return whether the answer is right, and what it means."""
    words = "**Right.**" if grade.correct else "**Not right.**"
    if grade.number is not None:
        return f"{words} You answered {_number(grade.number)}. {_number_feedback(grade)}{_mark(grade)}"
    chosen = ", ".join(chosen_letters(grade))
    if grade.item.type == "multi":
        boxes = f"{grade.boxes_right} of {len(grade.item.options)} boxes are right."
        return f"{words} You chose {chosen}: {boxes}{_mark(grade)}"
    return f"{words} You chose {chosen}. {grade.chosen[0].feedback}{_mark(grade)}"


def verdict_class(grade: Grade) -> str:
    """Return the CSS class of the verdict."""
    return "quiz-right" if grade.correct else "quiz-wrong"


def explanation(grade: Grade) -> str:
    """Return the right answer if it was another, the explanation, what each other option means, and the sources."""
    item = grade.item
    parts = [] if grade.correct else [correct_answer(item)]
    told = () if item.type == "multi" else grade.chosen
    others = [
        f"- **{_letter(item, option)}.** {option.feedback}"
        for option in item.options
        if option not in told and option.feedback not in DEFAULT_FEEDBACK.values()
    ]
    heading = "**Option by option**" if item.type == "multi" else "**The other options**"
    return paragraphs(*parts, item.explanation, heading if others else "", "\n".join(others), sources(item))


def paragraphs(*texts: str) -> str:
    """Return texts one below the other, without the empty ones."""
    return "\n\n".join(text for text in texts if text)


def correct_answer(item: Item) -> str:
    """Return the right answer in words."""
    if item.numeric:
        return f"**Correct answer:** {' '.join([_number(item.numeric.value), item.numeric.unit]).strip()}"
    if item.type == "multi":
        listed = "\n".join(f"- **{_letter(item, option)}.** {option.text}" for option in item.correct_options)
        return f"**Correct answers:**\n\n{listed}"
    return f"**Correct answer: {_letter(item, item.correct_option)}.** {item.correct_option.text}"


def given_answer(grade: Grade) -> str:
    """Return the learner's answer in words, with what it means."""
    if grade.number is not None:
        return f"**You answered:** {_number(grade.number)}. {_number_feedback(grade)}"
    if grade.item.type == "single":
        return f"**You chose:** {grade.chosen[0].text}. {grade.chosen[0].feedback}"
    listed = "\n".join(f"- {option.text}. {option.feedback}" for option in grade.chosen)
    return f"**You chose:**\n\n{listed}"


def sources(item: Item) -> str:
    """Return where the fact behind an item can be read; empty if it names nothing."""
    if not item.sources:
        return ""
    links = "; ".join(f"[{source.cite}]({source.url}), {source.loc}" for source in item.sources)
    return f"{'Source' if len(item.sources) == 1 else 'Sources'}: {links}"


def live_link(address: str | None) -> str:
    """Return HTML with a link to where the app shows the fact; empty without an address."""
    return f'<a class="quiz-live" href="{escape(address)}">See it live</a>' if address else ""


def next_label(session: Session) -> str:
    """Return what the button after the feedback leads to."""
    return "See your result" if len(session.grades) == len(session.items) else "Next question"


def _number_feedback(grade: Grade) -> str:
    key = grade.item.numeric
    assert key is not None  # as the grade has a number
    if grade.correct:
        return key.right
    return grade.anticipated.feedback if grade.anticipated else key.wrong


def _mark(grade: Grade) -> str:
    if not grade.correct or not grade.hints:
        return ""
    return f" With {'a hint' if grade.hints == 1 else f'{grade.hints} hints'}, that is {grade.credit:g} of a mark."


def _letter(item: Item, option: Option) -> str:
    return LETTERS[item.options.index(option)]


def _number(value: float) -> str:
    return f"{value:.10g}".replace("-", "−")


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
