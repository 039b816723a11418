"""Commands of the quiz: `python -m quiz`, or `gru-quiz` once the package is installed.

python -m quiz lint quiz/answer_bank.json
python -m quiz check
python -m quiz stats --since 2026-01-01
python -m quiz attempts --csv attempts.csv
python -m quiz feedback --csv feedback.csv
python -m quiz export --format moodle questions.xml
python -m quiz import --format gift questions.txt -o mine.json
python -m quiz class new "GRU, week 3"
"""

import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from .bank import SHIPPED_BANK, Item, draw_instance, load_bank
from .bank.parameters import fill, find_equal_answers, find_ugly_numbers
from .class_commands import class_application
from .command_line import (
    BankOption,
    NewFileArgument,
    SinceOption,
    UntilOption,
    errors_as_messages,
    to_period,
    write_output,
)
from .errors import BankError, counted
from .formats import InterchangeError, Note, Question
from .formats.convert import count_not_exported, to_bank, to_question
from .item_analysis import analyze_items
from .lint import lint_bank
from .proofs import NotInstalledError, prove
from .records import Attempt, Feedback, StoreError, attempts_csv, attempts_json, feedback_csv, read_folder
from .report_table import format_table
from .store import Store

MAX_IMPORT_BYTES = 20_000_000
_TRIES_PER_INSTANCE = 20

application = typer.Typer(
    help="Check an answer bank, convert it, and read the recorded answers.",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
application.add_typer(class_application, name="class")


class Format(StrEnum):
    """File formats of other programs. An import reads both versions of QTI with either name."""

    MOODLE = "moodle"
    GIFT = "gift"
    QTI12 = "qti1.2"
    QTI21 = "qti2.1"
    CSV = "csv"
    ANKI = "anki"


_NOT_HELD: dict[Format, tuple[str, ...]] = {  # parts of an item that only some formats have a field for
    Format.GIFT: ("hints", "pictures"),
    Format.QTI12: ("hints",),
    Format.QTI21: ("hints",),
    Format.CSV: ("pictures",),
    Format.ANKI: ("hints", "feedback for wrong numbers"),
}


BankArgument = Annotated[Path, typer.Argument(help="The answer bank; the shipped one by default.", show_default=False)]
FolderOption = Annotated[
    Path | None, typer.Option("--from", help="Read a folder of JSON lines instead of the database.")
]
FormatOption = Annotated[Format, typer.Option("--format", help="Format of the file.")]
ForceOption = Annotated[bool, typer.Option("--force", help="Overwrite an existing file.")]


@application.command()
def lint(bank: BankArgument = SHIPPED_BANK) -> None:
    """List the problems of an answer bank."""
    items, problems = lint_bank(bank)
    for problem in problems:
        print(problem)
    print(f"{items} items, {len(problems)} problems")
    if problems:
        raise typer.Exit(1)


@application.command()
def check(
    bank: BankArgument = SHIPPED_BANK,
    draws: Annotated[int, typer.Option(min=0, help="Prove so many draws of each item with parameters.")] = 0,
) -> None:
    """Prove the keys of an answer bank by running code; items with parameters by their example, or many draws."""
    try:
        items = load_bank(bank).items
    except BankError as error:
        print(error)
        raise typer.Exit(1) from None
    start, classifier = time.perf_counter(), _load_shipped_model()
    outcomes = {item.id: _prove_item(item, classifier) for item in items}
    proved = Counter(item.topic for item in items if outcomes[item.id] == "proved")
    for topic, total in Counter(item.topic for item in items).items():
        print(f"{topic:20}{proved[topic]:3} of {total:2} proved")
    for item_id, outcome in outcomes.items():
        if outcome != "proved":
            print(f"{item_id}: {outcome}")
    print(f"{proved.total()} of {len(items)} keys proved in {time.perf_counter() - start:.0f} seconds")
    flaws = _check_draws([item for item in items if item.template], draws, classifier) if draws else 0
    if "FAILED" in outcomes.values() or flaws:
        raise typer.Exit(1)


def _check_draws(items: Sequence[Item], draws: int, classifier: Any) -> int:
    """Prove draws of items with parameters, print a line for each item, and return the number of flaws."""
    totals = Counter[str]()
    for item in items:
        instances = {repr(drawn.drawn): drawn for seed in range(draws) for drawn in [draw_instance(item, str(seed))]}
        flaws = [flaw for instance in instances.values() for flaw in _find_flaws(instance, classifier)]
        print(f"{item.id}: {len(instances)} different of {draws} draws, {len(flaws)} flaws")
        for kind, text in flaws[:3]:
            print(f"    {kind}: {text}")
        totals.update(kind for kind, _ in flaws)
    found = ", ".join(f"{totals[kind]} {kind}" for kind in ("wrong keys", "equal answers", "ugly numbers"))
    print(f"{len(items)} items with parameters: {found}")
    return totals.total()


def _find_flaws(instance: Item, classifier: Any) -> Iterator[tuple[str, str]]:
    if _prove_item(instance, classifier) == "FAILED":
        yield "wrong keys", repr(instance.drawn)
    raw = fill(instance.template, instance.drawn)
    for pair in find_equal_answers(raw):
        yield "equal answers", f"{pair[0]} and {pair[1]}"
    shown = [raw["stem"], raw.get("code", ""), raw.get("explanation", ""), str(raw["key"].get("value", ""))]
    shown += [part["text"] for part in [*raw.get("options", []), *raw.get("prompts", [])]]
    for number in find_ugly_numbers(" ".join(shown)):
        yield "ugly numbers", f"{number} with {instance.drawn}"


def _load_shipped_model() -> Any:
    from sentiment_gru import SentimentClassifier  # the rest of the quiz does not need the library

    return SentimentClassifier.from_pretrained()


def _prove_item(item: Item, classifier: Any) -> str:
    if item.check is None or item.check.fn is None:
        stated = set(item.check.answer) if item.check else set()
        if stated and stated != {option.oid for option in item.correct_options}:
            return "FAILED"
        return f"not proved: {item.check.reason if item.check else 'no check'}"
    try:
        return "proved" if prove(item, classifier=classifier).proved else "FAILED"
    except NotInstalledError as error:
        return f"skipped: {error}"


@application.command()
def stats(
    bank: BankOption = SHIPPED_BANK,
    as_json: Annotated[bool, typer.Option("--json", help="Print all statistics as JSON.")] = False,
    folder: FolderOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
) -> None:
    """Print statistics of each item from the recorded answers."""
    with errors_as_messages():
        attempts, _ = _read_records(folder, since, until)
        answer_bank = load_bank(bank)
        report = analyze_items((attempt for _, attempt in attempts), answer_bank)
    print(json.dumps(asdict(report), indent=2) if as_json else format_table(report, answer_bank))


@application.command("attempts")
def write_attempts(
    file: NewFileArgument = None,
    csv: Annotated[bool, typer.Option("--csv/--json", help="Format of the file.")] = True,
    folder: FolderOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
) -> None:
    """Write the recorded answers as CSV or JSON."""
    with errors_as_messages():
        attempts, _ = _read_records(folder, since, until)
        write_output((attempts_csv if csv else attempts_json)(attempts), file)


@application.command()
def feedback(
    file: NewFileArgument = None,
    csv: Annotated[bool, typer.Option("--csv", help="Write CSV, the only format.", show_default=False)] = True,
    folder: FolderOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
) -> None:
    """Write the learners' feedback as CSV."""
    with errors_as_messages():
        write_output(feedback_csv(_read_records(folder, since, until)[1]), file)


def _read_records(
    folder: Path | None, since: datetime | None, until: datetime | None
) -> tuple[Iterable[tuple[datetime, Attempt]], Iterable[tuple[datetime, Feedback]]]:
    """Return the attempts and the feedback of a period, each with its time."""
    period = to_period(since, until)
    if folder is None:
        store = Store()
        if store.file and not store.file.exists():
            raise StoreError(f"There is no database yet: {store.file} is created with the first answer.")
        return (
            (dated for dated in store.dated_attempts() if dated[0] in period),
            (dated for dated in store.feedback() if dated[0] in period),
        )
    records = [(moment, record) for moment, record in read_folder(folder) if moment in period]
    return (
        [(moment, record) for moment, record in records if isinstance(record, Attempt)],
        [(moment, record) for moment, record in records if isinstance(record, Feedback)],
    )


@application.command("export")
def export_bank(
    file: Annotated[Path, typer.Argument(help="The file to write.")],
    file_format: FormatOption,
    bank: BankOption = SHIPPED_BANK,
    force: ForceOption = False,
    draws: Annotated[int, typer.Option(min=1, help="Write so many instances of each item with parameters.")] = 1,
) -> None:
    """Write an answer bank as Moodle XML, GIFT, QTI, CSV or an Anki deck, and list the parts that are lost."""
    try:
        answer_bank = load_bank(bank)
        all_items = answer_bank.items
        kept = [item for item in all_items if not (item.local or item.arrangement or item.sliders)]
        items = [instance for item in kept for instance in _list_instances(item, draws)]
        questions = [to_question(item, answer_bank.folder) for item in items]
        _write_files({file: _format_questions(questions, file_format)}, force)
    except (BankError, InterchangeError, OSError) as error:
        print(error)
        raise typer.Exit(1) from None
    omissions = count_not_exported(items)
    further = {
        "hints": sum(bool(item.hints) for item in items),
        "pictures": sum(bool(item.media) for item in items),
        "feedback for wrong numbers": sum(item.numeric is not None for item in items),
    }
    omissions |= {part: further[part] for part in _NOT_HELD.get(file_format, ()) if further[part]}
    for item in all_items:
        if item.local:
            print(f"not exported: {item.id}, which asks about this app")
        elif item.arrangement:
            print(f"not exported: {item.id}, whose options are to be put in order or matched")
        elif item.sliders:
            print(f"not exported: {item.id}, whose sliders are to be set")
    for part, count in omissions.items():
        print(f"not exported: {part} ({counted(count, 'item')})")
    print(f"{len(items)} items written to {file}")


@application.command("import")
def import_bank(
    file: Annotated[Path, typer.Argument(help="The file to read.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The answer bank to write.")],
    file_format: FormatOption,
    force: ForceOption = False,
) -> None:
    """Convert questions of another program to an answer bank, and say of each what became of it."""
    try:
        questions, unread = _parse_questions(_read_file(file), file_format)
        bank, unconverted, pictures = to_bank(questions)
        notes = [*unread, *unconverted]
        noted = {(note.file, note.line, note.name) for note in notes}
        read = [question for question in questions if (question.file, question.line, question.name) not in noted]
        lines = [((note.file, note.line), str(note)) for note in notes]
        lines += [((entry.file, entry.line), f"{entry.place}, {entry.name}: read") for entry in read]
        for _, line in sorted(lines, key=lambda placed: placed[0]):
            print(line)
        if not bank["items"]:
            raise InterchangeError("the file contains no question that this quiz supports; nothing is written")
        content = (json.dumps(bank, ensure_ascii=False, indent=2) + "\n").encode()
        _write_files({output.with_name(name): data for name, data in pictures.items()} | {output: content}, force)
    except (InterchangeError, OSError) as error:
        print(f"{file}: {error}")
        raise typer.Exit(1) from None
    count, refused = len(bank["items"]), sum(note.refused for note in notes)
    print(f"{count} of {count + refused} questions written to {output}: {len(read)} read, {count - len(read)} changed")
    if pictures:
        print(f"{counted(len(pictures), 'picture')} written beside it")
    print(f"Next: python -m quiz lint {output}")
    if refused:
        raise typer.Exit(1)


def _list_instances(item: Item, count: int) -> list[Item]:
    """Return an item, or different instances of an item with parameters: its example first, the others numbered."""
    instances = {repr(item.drawn): item}
    if item.template:
        for seed in range(count * _TRIES_PER_INSTANCE):
            if len(instances) == count:
                break
            drawn = draw_instance(item, str(seed))
            instances.setdefault(repr(drawn.drawn), drawn)
    others = list(instances.values())[1:]
    return [item, *(replace(other, id=f"{item.id}-{number}") for number, other in enumerate(others, 2))]


def _format_questions(questions: Sequence[Question], file_format: Format) -> bytes:
    match file_format:  # lxml and genanki are slow to import
        case Format.MOODLE:
            from .formats.moodle import write_moodle

            return write_moodle(questions)
        case Format.GIFT:
            from .formats.gift import write_gift

            return write_gift(questions).encode()
        case Format.QTI12:
            from .formats.qti12 import write_qti12

            return write_qti12(questions)
        case Format.QTI21:
            from .formats.qti21 import write_qti21

            return write_qti21(questions)
        case Format.CSV:
            from .formats.csv_table import write_table

            return write_table(questions).encode()
        case Format.ANKI:
            from .formats.anki import write_anki

            return write_anki(questions)


def _parse_questions(data: bytes, file_format: Format) -> tuple[list[Question], list[Note]]:
    match file_format:
        case Format.MOODLE:
            from .formats.moodle import read_moodle

            return read_moodle(data)
        case Format.GIFT:
            from .formats.gift import read_gift

            return read_gift(data)
        case Format.QTI12 | Format.QTI21:
            from .formats.qti import read_qti

            return read_qti(data)
        case Format.CSV:
            from .formats.csv_table import read_table

            return read_table(data)
        case Format.ANKI:
            raise InterchangeError("Anki decks are written, not read")


def _read_file(path: Path) -> bytes:
    if path.stat().st_size > MAX_IMPORT_BYTES:
        raise InterchangeError(f"the file is larger than {MAX_IMPORT_BYTES // 1_000_000} MB")
    return path.read_bytes()


def _write_files(contents: Mapping[Path, bytes], force: bool) -> None:
    """Write files, each completely or not at all, and none if one of them exists."""
    for path in contents:
        if path.exists() and not force:
            raise InterchangeError(f"{path} already exists; --force overwrites it")
    for path, data in contents.items():
        part = path.with_name(f"{path.name}.part")
        part.write_bytes(data)
        os.replace(part, path)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return 0 for success, 1 for a problem and 2 for wrong usage.

    Args:
        arguments: The words of the command line, by default those of this process.
    """
    try:
        application(arguments)
    except SystemExit as ending:
        return int(ending.code or 0)
    return 0


if __name__ == "__main__":
    sys.exit(main())
