"""Views of a learner's run in a class, as HTML from the Jinja templates in `templates/`. No Gradio here."""

from datetime import UTC, datetime

from markupsafe import Markup

from .class_records import QuizClass
from .class_report import describe_test
from .class_service import Sitting
from .classes import STORED, format_time
from .session import Session
from .views import render

NO_QUESTIONS = (
    "All questions are part of a test of a class at the moment, or would give it away. To take it, enter the code of "
    "your class."
)
TOO_MANY_RUNS = "Very many runs were begun from your network. Please try again in a few minutes."


def class_html(quiz_class: QuizClass, phase: str, description: str) -> Markup:
    """Return the page that a learner reads before a run begins: title, test, conditions, and what is stored."""
    return render(
        "class_info.html",
        title=quiz_class.title,
        test=describe_test(phase) if phase else "",
        description=description,
        is_exam=quiz_class.is_exam(datetime.now(UTC)),
        randomized=quiz_class.randomized,
        stored=STORED,
        deleted=format_time(quiz_class.expires_at),
    )


def refusal_html(message: str) -> Markup:
    """Return why a class cannot be opened."""
    return render("notice.html", lines=[message])


def sitting_html(sitting: Sitting | None, is_withheld: bool = False) -> Markup:
    """Return the class, the test and the nickname of a run; empty outside of classes.

    If results are withheld, the page's script does not submit an option that is tapped, as the next question follows.
    A learner who is shown the lesson as text only does not see the stage, which the page's style hides.
    """
    if sitting is None:
        return Markup("")
    quiz_class, run = sitting.quiz_class, sitting.run
    return render(
        "class_sitting.html",
        title=quiz_class.title,
        test=describe_test(run.phase) if run.phase else "",
        nickname=run.nickname,
        attempt=run.attempt_number,
        allowed=quiz_class.attempts_allowed,
        deadline=format_time(quiz_class.deadline) if quiz_class.deadline else "",
        is_withheld=is_withheld,
        is_text_only=sitting.is_text_only,
    )


def progress_html(session: Session) -> Markup:
    """Return the number of the open question and a bar of questions answered, without a score."""
    total, answered = len(session.items), len(session.grades)
    return render(
        "progress.html",
        number=min(answered + 1, total),
        total=total,
        at_most=False,
        answered=answered,
        score=None,
        percent=0,
    )


def waiting(session: Session, sitting: Sitting) -> str:
    """Return the end of a run whose results are withheld, as Markdown without anything that a person typed."""
    deadline = sitting.quiz_class.deadline
    time = f"after {format_time(deadline)}" if deadline else "after the test of another class on the same subject"
    answered = f"{len(session.grades)} of {len(session.items)} questions"
    return f"## Your answers are in\n\nYou answered {answered}. The results are shown here {time}."
