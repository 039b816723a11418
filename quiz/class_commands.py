"""The commands `python -m quiz class`: make, list, show, export and delete classes in the database.

python -m quiz class new "GRU, week 3" --topic Shapes --questions 10 --deadline "2026-12-01 18:00" --exam
python -m quiz class list
python -m quiz class show K7M2-XQ4D
python -m quiz class export K7M2-XQ4D answers.csv
python -m quiz class delete K7M2-XQ4D
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated

import typer

from .bank import SHIPPED_BANK, load_bank
from .class_records import AFTER_DEADLINE, AT_ONCE, DRAWN, FIXED, LISTED, SHUFFLED
from .class_report import ClassReport, describe_gain, describe_mean, describe_test, report_json
from .class_store import ClassStore
from .classes import (
    RETENTION_DAYS,
    STORED,
    ClassOptions,
    describe_changes,
    describe_class,
    format_code,
    format_time,
    link_of,
    make_class,
)
from .command_line import (
    BankOption,
    NewFileArgument,
    SinceOption,
    UntilOption,
    errors_as_messages,
    to_period,
    write_output,
)
from .errors import counted
from .records import class_attempts_csv, class_attempts_json
from .report_table import format_table
from .store import Store

class_application = typer.Typer(
    help="Make classes, and read their results.", no_args_is_help=True, rich_markup_mode=None
)

CodeArgument = Annotated[str, typer.Argument(help="The code of the class, such as K7M2-XQ4D.")]


@class_application.command("new")
def make_new_class(
    title: Annotated[str, typer.Argument(help="Title that the learners see.")],
    topic: Annotated[list[str] | None, typer.Option(help="A topic; repeat it for several. All by default.")] = None,
    item: Annotated[list[str] | None, typer.Option(help="Id of a question, instead of topics; repeat it.")] = None,
    questions: Annotated[int | None, typer.Option(help="Number of questions in a run; all by default.")] = None,
    drawn: Annotated[bool, typer.Option("--drawn", help="Draw other questions for each run.")] = False,
    shuffled: Annotated[bool, typer.Option("--shuffled", help="Shuffle the questions of each run.")] = False,
    pre_post: Annotated[bool, typer.Option("--pre-post", help="Two tests: the same questions, other numbers.")] = False,
    attempts: Annotated[int, typer.Option(help="Number of runs of a learner in each test.")] = 1,
    deadline: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M"], help="Last minute for answers, in UTC."),
    ] = None,
    exam: Annotated[bool, typer.Option("--exam", help="Reveal nothing before the deadline.")] = False,
    randomized: Annotated[
        bool, typer.Option("--randomized", help="Show each learner the lesson with or without its stage, by chance.")
    ] = False,
    keep_days: Annotated[
        int, typer.Option(help="Days after the deadline, or from now, when the class is deleted.")
    ] = RETENTION_DAYS,
    bank: BankOption = SHIPPED_BANK,
) -> None:
    """Make a class, and print its code and its link."""
    options = ClassOptions(
        title=title,
        topics=tuple(topic or ()),
        item_ids=tuple(item or ()),
        item_count=questions,
        draw=DRAWN if drawn else FIXED,
        order=SHUFFLED if shuffled else LISTED,
        pre_post=pre_post,
        attempts_allowed=attempts,
        deadline=deadline.replace(tzinfo=UTC) if deadline else None,
        feedback=AFTER_DEADLINE if exam else AT_ONCE,
        retention_days=keep_days,
        randomized=randomized,
    )
    with errors_as_messages():
        quiz_class, token = make_class(load_bank(bank), options)
        ClassStore(Store()).add(quiz_class)
    print(f"Code: {format_code(quiz_class.code)}")
    for phase in quiz_class.phases:
        print(f"Link{f' of the {phase}-test' if phase else ''}: {link_of(quiz_class, phase)} after the app's address")
    print(f"Token for the results of this class, shown only now: {token}")
    print(STORED)
    print(f"The class and its answers are deleted on {format_time(quiz_class.expires_at)}.")


@class_application.command("list")
def list_classes() -> None:
    """List all classes; those whose time is over are deleted."""
    with errors_as_messages():
        classes = ClassStore(Store())
        classes.delete_expired()
        lines = [
            f"{format_code(entry.code)}  {describe_class(entry)}, {counted(len(classes.runs(entry.code)), 'run')}: "
            f"{entry.title}"
            for entry in classes.classes()
        ]
    print("\n".join(lines) or "There is no class yet.")


@class_application.command("show")
def show_class(
    code: CodeArgument,
    bank: BankOption = SHIPPED_BANK,
    as_json: Annotated[bool, typer.Option("--json", help="Print all figures as JSON.")] = False,
    since: SinceOption = None,
    until: UntilOption = None,
) -> None:
    """Print the results of a class, or of the runs that began in a period."""
    with errors_as_messages():
        classes, answer_bank = ClassStore(Store()), load_bank(bank)
        quiz_class = classes.find_named(code)
        report = classes.report(quiz_class, answer_bank, to_period(since, until))
    if as_json:
        print(report_json(report), end="")
        return
    print(f"{quiz_class.title} ({format_code(quiz_class.code)}): {describe_class(quiz_class)}")
    if changes := describe_changes(answer_bank, quiz_class):
        print(changes)
    print("\n".join(_format_report(report)))
    for test in report.tests:
        print(f"\n{describe_test(test.phase)}:\n{format_table(test.items, answer_bank)}")


@class_application.command("export")
def export_class(
    code: CodeArgument,
    file: NewFileArgument = None,
    csv: Annotated[bool, typer.Option("--csv/--json", help="Format of the file.")] = True,
    since: SinceOption = None,
    until: UntilOption = None,
) -> None:
    """Write the answers of a class, or of the runs that began in a period, as CSV or JSON."""
    with errors_as_messages():
        classes = ClassStore(Store())
        rows = classes.attempts(classes.find_named(code).code, to_period(since, until))
        write_output((class_attempts_csv if csv else class_attempts_json)(rows), file)


@class_application.command("delete")
def delete_class(
    code: CodeArgument,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete a class with all its answers."""
    with errors_as_messages():
        classes = ClassStore(Store())
        quiz_class = classes.find_named(code)
        runs = counted(len(classes.runs(quiz_class.code)), "run")
        if not yes:
            typer.confirm(f"Delete {quiz_class.title} with all answers of {runs}?", abort=True)
        classes.delete(quiz_class.code)
    print(f"{format_code(quiz_class.code)} is deleted with all answers of {runs}.")


def _format_report(report: ClassReport) -> Iterator[str]:
    counts = (report.learners, "learner"), (len(report.scores), "run"), (report.attempts, "answer")
    yield ", ".join(counted(number, noun) for number, noun in counts)
    for test in report.tests:
        yield f"{describe_test(test.phase)}: {describe_mean(test)}"
    if report.gain:
        yield f"Normalised gain: {describe_gain(report.gain)}"
    if report.scores:
        yield ""
    for score in report.scores:
        phase = f"{score.run.phase}-test, " if score.run.phase else ""
        yield (
            f"{score.run.nickname}: {phase}attempt {score.run.attempt_number}, {score.score:.0%}, "
            f"{score.right} right of {score.answered} answered"
        )
