"""Commands of the quiz: `python -m quiz`, or `gru-quiz` once the package is installed.

python -m quiz lint quiz/answer_bank.json
python -m quiz check
python -m quiz stats
python -m quiz feedback --csv feedback.csv
python -m quiz export --format moodle questions.xml
python -m quiz import --format gift questions.txt -o mine.json
"""

import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from .bank import SHIPPED_BANK, Item, draw_instance, load_bank
from .bank.parameters import fill, find_equal_answers, find_ugly_numbers
from .errors import BankError
from .formats import InterchangeError, Note, Question
from .formats.convert import count_not_exported, to_bank, to_question
from .item_analysis import analyze_items, feedback_csv, format_table
from .lint import lint_bank
from .proofs import NotInstalledError, prove
from .records import Attempt, Feedback, StoreError, read_folder
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


class Format(StrEnum):
    """File formats of other learning platforms."""

    MOODLE = "moodle"
    GIFT = "gift"


BankArgument = Annotated[Path, typer.Argument(help="The answer bank; the shipped one by default.", show_default=False)]
BankOption = Annotated[Path, typer.Option(help="The answer bank; the shipped one by default.", show_default=False)]
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
) -> None:
    """Print statistics of each item from the recorded answers."""
    try:
        attempts, _ = _read_records(folder)
        report = analyze_items(attempts, load_bank(bank))
    except (StoreError, BankError, OSError) as error:
        print(error, file=sys.stderr)
        raise typer.Exit(1) from None
    print(json.dumps(asdict(report), indent=2) if as_json else format_table(report))


@application.command()
def feedback(
    file: Annotated[Path | None, typer.Argument(help="A new file; standard output by default.")] = None,
    csv: Annotated[bool, typer.Option("--csv", help="Write CSV, the only format.", show_default=False)] = True,
    folder: FolderOption = None,
) -> None:
    """Write the learners' feedback as CSV."""
    try:
        _, records = _read_records(folder)
        content = feedback_csv(records).encode("utf-8", "replace")
        if file is None:
            sys.stdout.buffer.write(content)
        else:
            with file.open("xb") as output:
                output.write(content)
    except FileExistsError:
        print(f"{file} already exists; name another file", file=sys.stderr)
        raise typer.Exit(1) from None
    except (StoreError, OSError) as error:
        print(error, file=sys.stderr)
        raise typer.Exit(1) from None


def _read_records(folder: Path | None) -> tuple[Iterable[Attempt], Iterable[tuple[datetime, Feedback]]]:
    if folder is None:
        store = Store()
        if store.file and not store.file.exists():
            raise StoreError(f"There is no database yet: {store.file} is created with the first answer.")
        return store.attempts(), store.feedback()
    records = read_folder(folder)
    return (
        [record for _, record in records if isinstance(record, Attempt)],
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
    """Write an answer bank as Moodle XML or GIFT, and list the parts that these formats cannot hold."""
    try:
        all_items = load_bank(bank).items
        kept = [item for item in all_items if not (item.local or item.arrangement)]
        items = [instance for item in kept for instance in _list_instances(item, draws)]
        _write_file(file, _format_questions([to_question(item) for item in items], file_format), force)
    except (BankError, InterchangeError, OSError) as error:
        print(error)
        raise typer.Exit(1) from None
    omissions = count_not_exported(items)
    if file_format is Format.GIFT and (hinted := sum(bool(item.hints) for item in items)):
        omissions["hints"] = hinted
    for item in all_items:
        if item.local:
            print(f"not exported: {item.id}, which asks about this app")
        elif item.arrangement:
            print(f"not exported: {item.id}, whose options are to be put in order or matched")
    for part, count in omissions.items():
        print(f"not exported: {part} ({count} {'item' if count == 1 else 'items'})")
    print(f"{len(items)} items written to {file}")


@application.command("import")
def import_bank(
    file: Annotated[Path, typer.Argument(help="The file to read.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The answer bank to write.")],
    file_format: FormatOption,
    force: ForceOption = False,
) -> None:
    """Convert Moodle XML or GIFT to an answer bank, and list the parts that are not imported."""
    try:
        questions, unread = _parse_questions(_read_file(file), file_format)
        bank, unconverted = to_bank(questions)
        notes = sorted([*unread, *unconverted], key=lambda note: note.line)
        for note in notes:
            print(note)
        if not bank["items"]:
            raise InterchangeError("the file contains no question that this quiz supports; nothing is written")
        _write_file(output, (json.dumps(bank, ensure_ascii=False, indent=2) + "\n").encode(), force)
    except (InterchangeError, OSError) as error:
        print(f"{file}: {error}")
        raise typer.Exit(1) from None
    count, refused = len(bank["items"]), sum(note.refused for note in notes)
    print(f"{count} of {count + refused} questions written to {output}")
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
    if file_format is Format.MOODLE:
        from .formats.moodle import write_moodle  # lxml is slow to import

        return write_moodle(questions)
    from .formats.gift import write_gift

    return write_gift(questions).encode()


def _parse_questions(data: bytes, file_format: Format) -> tuple[list[Question], list[Note]]:
    if file_format is Format.MOODLE:
        from .formats.moodle import read_moodle

        return read_moodle(data)
    from .formats.gift import read_gift

    return read_gift(data)


def _read_file(path: Path) -> bytes:
    if path.stat().st_size > MAX_IMPORT_BYTES:
        raise InterchangeError(f"the file is larger than {MAX_IMPORT_BYTES // 1_000_000} MB")
    return path.read_bytes()


def _write_file(path: Path, data: bytes, force: bool) -> None:
    """Write a file completely or not at all."""
    if path.exists() and not force:
        raise InterchangeError(f"{path} already exists; --force overwrites it")
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
