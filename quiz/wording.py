"""What the learner reads of a question and its answer: pure functions to Markdown or HTML, with no Gradio in them."""

import base64
from collections.abc import Sequence
from html import escape
from pathlib import Path

from .bank import UNSAID_FEEDBACK, Item, Media, Option, PublicItem
from .grading import CONFIDENCE, Grade
from .session import Session

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
        if option not in told and option.feedback not in UNSAID_FEEDBACK.values()
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
