"""Views of a question, its answer and the feedback, as Markdown or as HTML from the Jinja templates in `templates/`.

This module does not import Gradio.
"""

import base64
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from .bank import DEFAULT_FEEDBACK, Item, Media, Option, PublicItem
from .grading import CONFIDENCE, Grade
from .session import Session

LETTERS = "ABCDEFGHIJ"
INTRODUCTION = (
    "## How well do you know the GRU?\n\n"
    "Questions on its gates and states. Your first answer counts, and every answer is explained at once."
)
CONFIDENCES = [(f"{words} ({percent}%)", percent) for percent, words in CONFIDENCE.items()]
NOT_STORED = (
    "Your answers are not being stored at the moment: the database cannot be reached. Go on; they are stored with your "
    "next step once it is back."
)
_IMAGE_TYPES = {".png": "image/png", ".svg": "image/svg+xml", ".webp": "image/webp"}
_PACKAGE = Path(__file__).parent


@cache
def environment() -> Environment:
    """Return the Jinja environment of the quiz: values are escaped, and undefined names are errors."""
    return Environment(
        loader=FileSystemLoader(_PACKAGE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def render(template: str, **context: Any) -> Markup:
    """Return the HTML of a template.

    Args:
        template: A file name under `templates/`, such as "topics.html".
        context: The values of the template. Strings are escaped, `Markup` is not.

    Raises:
        jinja2.UndefinedError: The template uses a name that the context lacks.
    """
    return Markup(environment().get_template(template).render(context))


def read_static(name: str) -> str:
    """Return the text of a file under `static/`."""
    return (_PACKAGE / "static" / name).read_text(encoding="utf-8")


def progress_html(session: Session) -> Markup:
    """Return the number of the open question, the score so far, and a bar of questions answered."""
    total, answered = len(session.items), len(session.grades)
    return render(
        "progress.html",
        number=min(session.position + 1, total),
        total=total,
        answered=answered,
        score=session.score,
        percent=100 * answered / max(total, 1),
    )


def notice_html(*lines: str) -> Markup:
    """Return messages about the run as a whole; empty if all of them are."""
    return render("notice.html", lines=[line for line in lines if line])


def live_link_html(address: str | None) -> Markup:
    """Return a link to the part of the app that shows the fact; empty without an address."""
    return render("live_link.html", address=address)


def question(item: PublicItem | Item, folder: Path) -> str:
    """Return a question with its code and pictures, which are embedded because the server serves no files."""
    code = [f"```python\n{item.code}\n```"] if item.code else []
    return "\n\n".join([item.stem, *code, *(_picture(media, folder) for media in item.media)])


def _picture(media: Media, folder: Path) -> str:
    description = media.alt.replace("[", "(").replace("]", ")").replace("\n", " ")
    path = folder / media.src
    if not path.is_file():
        return f"*{description}*"
    data = base64.b64encode(path.read_bytes()).decode()
    return f"![{description}](data:{_IMAGE_TYPES[path.suffix]};base64,{data})"


def letters(item: PublicItem) -> str:
    """Return the letters to choose from."""
    return LETTERS[: len(item.options)]


def option_ids(item: PublicItem, chosen: Sequence[str]) -> list[str]:
    """Return the ids of the options with the chosen letters; empty for an unknown letter."""
    by_letter = dict(zip(LETTERS, (option.oid for option in item.options), strict=False))
    return [by_letter.get(letter, "") for letter in chosen]


def chosen_letters(grade: Grade) -> list[str]:
    """Return the letters of the chosen options."""
    return [_letter(grade.item, option) for option in grade.chosen]


def lettered_options(item: PublicItem, grade: Grade | None = None) -> str:
    """Return the options as a list; once answered, the right and the chosen ones are marked."""
    marks = _marks(grade) if grade else {}
    return "\n".join(
        f"- **{letter}.** {option.text}{marks.get(option.oid, '')}"
        for letter, option in zip(LETTERS, item.options, strict=False)
    )


def _marks(grade: Grade) -> dict[str, str]:
    words = {(True, True): "your answer, correct", (True, False): "your answer", (False, True): "correct answer"}
    marks = {option.oid: words.get((option in grade.chosen, option.correct)) for option in grade.item.options}
    return {oid: f" — *{mark}*" for oid, mark in marks.items() if mark}


def answer_label(item: PublicItem) -> str:
    """Return the label of the field for the answer."""
    if item.type == "multi":
        return "Your answers (choose all that apply)"
    return f"Your answer, in {item.unit}" if item.unit else "Your answer"


def hint_label(session: Session) -> str:
    """Return the label of the hint button, which states the cost of the next hint."""
    return "Show another hint: another quarter of the mark" if session.hints else "Show a hint: a quarter of the mark"


def hints(session: Session) -> str:
    """Return the hints taken."""
    taken = session.hints_taken
    return "\n\n".join(
        f"**Hint{f' {number}' if len(taken) > 1 else ''}.** {hint}" for number, hint in enumerate(taken, 1)
    )


def verdict(grade: Grade) -> str:
    """Return whether the answer is right, with the feedback on it."""
    words = "**Right.**" if grade.correct else "**Partly right.**" if grade.credit else "**Not right.**"
    if grade.number is not None:
        return f"{words} You answered {_format_number(grade.number)}. {_number_feedback(grade)}{_mark(grade)}"
    chosen = ", ".join(chosen_letters(grade))
    if grade.item.type == "multi":
        boxes = f"{grade.boxes_right} of {len(grade.item.options)} boxes are right."
        return f"{words} You chose {chosen}: {boxes}{_mark(grade)}"
    return f"{words} You chose {chosen}. {grade.chosen[0].feedback}{_mark(grade)}"


def verdict_class(grade: Grade) -> str:
    """Return the CSS class of the verdict."""
    return "quiz-right" if grade.correct else "quiz-wrong"


def explanation(grade: Grade) -> str:
    """Return the right answer if another was given, the explanation, feedback on each other option, and sources."""
    item = grade.item
    parts = [] if grade.correct else [correct_answer(item)]
    in_verdict = () if item.type == "multi" else grade.chosen
    others = [
        f"- **{_letter(item, option)}.** {option.feedback}"
        for option in item.options
        if option not in in_verdict and option.feedback not in DEFAULT_FEEDBACK.values()
    ]
    heading = "**Option by option**" if item.type == "multi" else "**The other options**"
    return join_paragraphs(*parts, item.explanation, heading if others else "", "\n".join(others), sources(item))


def join_paragraphs(*texts: str) -> str:
    """Return the texts as paragraphs, without the empty ones."""
    return "\n\n".join(text for text in texts if text)


def correct_answer(item: Item) -> str:
    """Return the right answer in words."""
    if item.numeric:
        return f"**Correct answer:** {' '.join([_format_number(item.numeric.value), item.numeric.unit]).strip()}"
    if item.type == "multi":
        listed = "\n".join(f"- **{_letter(item, option)}.** {option.text}" for option in item.correct_options)
        return f"**Correct answers:**\n\n{listed}"
    return f"**Correct answer: {_letter(item, item.correct_option)}.** {item.correct_option.text}"


def given_answer(grade: Grade) -> str:
    """Return the learner's answer with the feedback on it."""
    if grade.number is not None:
        return f"**You answered:** {_format_number(grade.number)}. {_number_feedback(grade)}"
    if grade.item.type == "single":
        return f"**You chose:** {grade.chosen[0].text}. {grade.chosen[0].feedback}"
    listed = "\n".join(f"- {option.text}. {option.feedback}" for option in grade.chosen)
    return f"**You chose:**\n\n{listed}"


def sources(item: Item) -> str:
    """Return the sources of an item as links; empty if it names none."""
    if not item.sources:
        return ""
    links = "; ".join(f"[{source.cite}]({source.url}), {source.loc}" for source in item.sources)
    return f"{'Source' if len(item.sources) == 1 else 'Sources'}: {links}"


def next_label(session: Session) -> str:
    """Return the label of the button after the feedback."""
    return "See your result" if len(session.grades) == len(session.items) else "Next question"


def _number_feedback(grade: Grade) -> str:
    key = grade.item.numeric
    assert key is not None  # since the grade has a number
    if grade.correct:
        return key.right
    return grade.anticipated.feedback if grade.anticipated else key.wrong


def _mark(grade: Grade) -> str:
    if not grade.credit or grade.credit == 1:
        return ""
    hints = f" with {'a hint' if grade.hints == 1 else f'{grade.hints} hints'}" if grade.hints else ""
    return f" That is {grade.credit:.2g} of a mark{hints}."


def _letter(item: Item, option: Option) -> str:
    return LETTERS[item.options.index(option)]


def _format_number(value: float) -> str:
    return f"{value:.10g}".replace("-", "−")
