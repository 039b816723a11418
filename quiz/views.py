"""Views of a question, its answer and the feedback, as Markdown or as HTML from the Jinja templates in `templates/`.

This module does not import Gradio.
"""

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from .bank import DEFAULT_FEEDBACK, Bank, Item, Live, Media, Option, PublicItem
from .grading import Grade
from .selection import START
from .session import Session
from .validation import ARRANGED

LETTERS = "ABCDEFGHIJ"
NOT_STORED = (
    "Your answers are not being stored at the moment: the database cannot be reached. Go on; they are stored once it "
    "is back."
)
_INSTRUCTIONS = {
    "multi": "Choose all that apply, then submit.",
    "order": "Tap the options in their order, the first one first. Tap again to take one out. Then submit.",
    "match": "Choose an option for each line, then submit.",
}
_IMAGE_TYPES = {".png": "image/png", ".svg": "image/svg+xml", ".webp": "image/webp"}
_PACKAGE = Path(__file__).parent


@dataclass(frozen=True)
class LiveViews:
    """Views of the facts of items in the surrounding app.

    Attributes:
        link: Returns the address at which the app shows a fact, or None.
        card: Returns the HTML of a card that shows it inside the question, or None.
    """

    link: Callable[[Live], str | None] = lambda live: None
    card: Callable[[Live], str | None] = lambda live: None


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


def introduction(bank: Bank) -> Markup:
    """Return the bank's title and description for a Markdown component, as HTML without formulas."""
    html = render("introduction.html", title=bank.title, description=bank.description)
    return html.replace("$", Markup("&#36;"))


def progress_html(session: Session) -> Markup:
    """Return the number of the open question, the score so far, and a bar of questions answered."""
    total, answered = session.most_items, len(session.grades)
    return render(
        "progress.html",
        number=min(session.position + 1, total),
        total=total,
        at_most=session.scope == START and not session.finished,
        answered=answered,
        score=session.score,
        percent=100 * answered / max(total, 1),
    )


def notice_html(*lines: str) -> Markup:
    """Return messages about the run as a whole; empty if all of them are."""
    return render("notice.html", lines=[line for line in lines if line])


def live_html(item: Item, views: LiveViews) -> Markup:
    """Return a folded card that shows the fact of an item, or a link if no card can, or nothing."""
    address = views.link(item.live) if item.live else None
    card = views.card(item.live) if item.live else None
    return render("live.html", address=address, card=Markup(card) if card else None)


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


def option_ids(item: PublicItem, chosen: str) -> list[str]:
    """Return the ids of the options with the chosen letters, such as "BD"; empty for an unknown letter."""
    by_letter = dict(zip(LETTERS, (option.oid for option in item.options), strict=False))
    return [by_letter.get(letter, "") for letter in chosen[: len(LETTERS) + 1]]


def chosen_letters(grade: Grade) -> list[str]:
    """Return the letters of the chosen options."""
    return [_letter(grade.item, option) for option in grade.chosen]


def options(item: PublicItem, grade: Grade | None = None) -> str:
    """Return the options as a list of buttons; once answered, as a list that marks the right and the chosen ones.

    Options to be matched with prompts are not buttons: the page's script adds a menu of letters to each prompt.
    """
    if grade and item.type in ARRANGED:
        return _arranged(grade)
    if grade:
        return "\n".join(f"- **{letter}** {_marked(grade, option)}" for letter, option in _lettered(grade.item))
    as_button = '<button type="button">{}</button>' if item.type != "match" else "{}"
    lines = [f"- {as_button.format(f'**{letter}** {option.text}')}" for letter, option in _lettered(item)]
    prompts = [f"{number}. {prompt}" for number, prompt in enumerate(item.prompts, 1)]
    return join_paragraphs(_INSTRUCTIONS.get(item.type, ""), "\n".join(lines), "\n".join(prompts))


def slider_positions(item: PublicItem, chosen: str) -> list[str]:
    """Return the number of each slider as text, from those that the page's script has joined with semicolons."""
    return chosen.split(";")[: len(item.sliders) + 1]


def sliders_html(item: PublicItem, grade: Grade | None = None) -> Markup:
    """Return the sliders of an item, at their start or at the learner's answer; empty for other items."""
    if not item.sliders:
        return Markup("")
    starts = {slider.name: slider.start for slider in item.sliders}
    values = starts | (grade.positions if grade else {})
    rows = [(slider, f"{values[slider.name]:.10g}") for slider in item.sliders]
    return render("sliders.html", sliders=rows, tolerance=item.tolerance, answered=grade is not None)


def _arranged(grade: Grade) -> str:
    """Return the right order or the right pairs as a numbered list, each with the learner's answer."""
    item, by_id = grade.item, {option.oid: (letter, option) for letter, option in _lettered(grade.item)}
    assert item.arrangement
    lines = []
    for place, (oid, is_right) in enumerate(zip(item.arrangement.correct, grade.places_right, strict=True)):
        letter, option = by_id[oid]
        text = (
            f"{item.prompts[place].text}: **{letter}** {option.text}" if item.prompts else f"**{letter}** {option.text}"
        )
        yours = f"Your answer: {by_id[grade.given[place]][0]}" if grade.known else "Correct answer"
        kind, sign = ("right", "✓") if is_right or not grade.known else ("wrong", "✗")
        lines.append(f'{place + 1}. {text} <span class="quiz-{kind}">{sign} {yours}</span>')
    return "\n".join(lines)


def _lettered(item: PublicItem | Item) -> list[tuple[str, Any]]:
    return list(zip(LETTERS, item.options, strict=False))


def _marked(grade: Grade, option: Option) -> str:
    chosen = option in grade.chosen
    if not (chosen or option.correct):
        return option.text
    words = "Your answer, correct" if chosen and option.correct else "Your answer" if chosen else "Correct answer"
    kind, sign = ("right", "✓") if option.correct else ("wrong", "✗")
    return f'{option.text} <span class="quiz-{kind}">{sign} {words}</span>'


def answer_label(item: PublicItem) -> str:
    """Return the label of the field for a number."""
    return f"Your answer, in {item.unit}" if item.unit else "Your answer"


def hint_label(session: Session) -> str:
    """Return the label of the hint button, which states the cost of the next hint."""
    return "Show another hint (¼ mark)" if session.hints else "Show a hint (¼ mark)"


def hints(session: Session) -> str:
    """Return the hints taken."""
    taken = session.hints_taken
    return "\n\n".join(
        f"**Hint{f' {number}' if len(taken) > 1 else ''}.** {hint}" for number, hint in enumerate(taken, 1)
    )


def verdict(grade: Grade) -> str:
    """Return whether the answer is right, and why the right answer is right."""
    item = grade.item
    words = "✓ Right." if grade.correct else "◐ Partly right." if grade.credit else "✗ Not right."
    if not grade.known:
        lines = ["**✗ You did not know.** It counts as wrong."]
    elif item.arrangement:
        places = f"{sum(grade.places_right)} of {len(grade.places_right)} are in the right place"
        lines = [f"**{words}**" + ("" if grade.correct else f" {places}.") + _mark(grade)]
    elif grade.number is not None:
        answered = f"You answered {_format_number(grade.number)}"
        if item.goal:
            answered = f"You reached {item.goal.name} = {_format_result(grade.number)}"
        lines = [f"**{words}** {answered}.{_mark(grade)}"]
    else:
        boxes = f": {grade.boxes_right} of {len(item.options)} boxes are right" if item.type == "multi" else ""
        lines = [f"**{words}** You chose {', '.join(chosen_letters(grade))}{boxes}.{_mark(grade)}"]
    if not grade.correct:
        lines.append(correct_answer(item))
    return join_paragraphs(*lines, item.correct_option.feedback if item.type == "single" else item.explanation)


def verdict_class(grade: Grade) -> str:
    """Return the CSS class of the verdict."""
    return "quiz-right" if grade.correct else "quiz-wrong"


def explanation(grade: Grade) -> str:
    """Return the feedback on a wrong answer, then on each other option, and the sources."""
    item = grade.item
    first = []
    if grade.number is not None:
        first = [_number_feedback(grade)]
    elif item.arrangement:
        first = [_arrangement_feedback(grade)] if grade.known else []
    elif item.type == "single":
        if grade.known and not grade.correct:
            first = [f"**Your answer, {_letter(item, grade.chosen[0])}.** {grade.chosen[0].feedback}"]
        first.append(item.explanation)
    told = {*grade.chosen, *item.correct_options} if item.type == "single" else set()
    others = [
        f"- **{letter}.** {option.feedback}"
        for letter, option in _lettered(item)
        if option not in told and option.feedback not in DEFAULT_FEEDBACK.values()
    ]
    heading = "**Option by option**" if item.type == "multi" else "**The other options**"
    return join_paragraphs(*first, heading if others else "", "\n".join(others), sources(item))


def join_paragraphs(*texts: str) -> str:
    """Return the texts as paragraphs, without the empty ones."""
    return "\n\n".join(text for text in texts if text)


def correct_answer(item: Item) -> str:
    """Return the right answer in words."""
    if item.goal:
        return f"**Correct answer:** {_describe_positions(item, item.goal.solution)}"
    if item.numeric:
        return f"**Correct answer:** {' '.join([_format_number(item.numeric.value), item.numeric.unit]).strip()}"
    if item.arrangement:
        by_id = {option.oid: letter for letter, option in _lettered(item)}
        letters = [by_id[oid] for oid in item.arrangement.correct]
        if item.type == "order":
            return f"**Correct answer:** {', '.join(letters)}"
        return f"**Correct answer:** {', '.join(f'{n} {letter}' for n, letter in enumerate(letters, 1))}"
    if item.type == "multi":
        listed = "\n".join(f"- **{_letter(item, option)}.** {option.text}" for option in item.correct_options)
        return f"**Correct answers:**\n\n{listed}"
    return f"**Correct answer: {_letter(item, item.correct_option)}.** {item.correct_option.text}"


def given_answer(grade: Grade) -> str:
    """Return the learner's answer with the feedback on it."""
    if not grade.known:
        return "**You did not know.**"
    if grade.item.goal:
        return f"**You set:** {_describe_positions(grade.item, grade.positions)}. {_number_feedback(grade)}"
    if grade.number is not None:
        return f"**You answered:** {_format_number(grade.number)}. {_number_feedback(grade)}"
    if grade.item.arrangement:
        return join_paragraphs(_arranged(grade), _arrangement_feedback(grade))
    if grade.item.type == "single":
        return f"**You chose:** {grade.chosen[0].text}. {grade.chosen[0].feedback}"
    listed = "\n".join(f"- {option.text}. {option.feedback}" for option in grade.chosen)
    return f"**You chose:**\n\n{listed}"


def _describe_positions(item: Item, positions: Mapping[str, float]) -> str:
    assert item.goal
    set_to = ", ".join(f"{slider.label} = {_format_number(positions[slider.name])}" for slider in item.sliders)
    return f"{set_to}, which leads to {item.goal.name} = {_format_result(item.goal.result(positions))}"


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


def _arrangement_feedback(grade: Grade) -> str:
    key = grade.item.arrangement
    assert key is not None
    feedback = key.right if grade.correct else key.wrong
    return "" if feedback in DEFAULT_FEEDBACK.values() else feedback


def _mark(grade: Grade) -> str:
    if not grade.credit or grade.credit == 1:
        return ""
    hints = f" with {'a hint' if grade.hints == 1 else f'{grade.hints} hints'}" if grade.hints else ""
    return f" That is {grade.credit:.2g} of a mark{hints}."


def _letter(item: Item, option: Option) -> str:
    return LETTERS[item.options.index(option)]


def _format_number(value: float) -> str:
    return f"{value:.10g}".replace("-", "−")


def _format_result(value: float) -> str:
    return f"{round(value, 10):.3g}".replace("-", "−")  # rounded first, as 0 may come out as 1e-17
