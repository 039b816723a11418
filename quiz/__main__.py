"""The quiz from the command line.

python -m quiz lint quiz/answer_bank.json
python -m quiz check
python -m quiz stats
python -m quiz feedback --csv feedback.csv
python -m quiz export --format moodle questions.xml
python -m quiz import --format gift questions.txt -o mine.json
"""

import argparse
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from .bank import SHIPPED_BANK, Item, load_bank
from .formats.convert import not_carried, to_bank, to_question
from .formats.question import InterchangeError
from .item_analysis import feedback_csv, report, table
from .lint import lint
from .proofs import NotInstalledError, prove
from .records import Attempt, Feedback, StoreError, read_folder
from .store import Store
from .validation import BankError

FORMATS = ("moodle", "gift")
MOST_BYTES = 20_000_000


def add_interchange_commands(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the two commands to those of a parser; each runs by its `run`, given the parsed arguments."""
    writing = commands.add_parser("export", help="write an answer bank as Moodle XML or GIFT")
    writing.add_argument("file", type=Path, help="the file to write")
    writing.add_argument("--bank", type=Path, default=SHIPPED_BANK, help="by default the shipped one")
    writing.set_defaults(run=export_bank)
    reading = commands.add_parser("import", help="make an answer bank of a file in Moodle XML or GIFT")
    reading.add_argument("file", type=Path, help="the file to read")
    reading.add_argument("-o", "--output", type=Path, required=True, metavar="BANK", help="the answer bank to write")
    reading.set_defaults(run=import_bank)
    for command in (writing, reading):
        command.add_argument("--format", choices=FORMATS, required=True, help="of the file")
        command.add_argument("--force", action="store_true", help="overwrite a file that is there")


def export_bank(chosen: argparse.Namespace) -> bool:
    """Write a bank's questions, and print what the format has no place for; return whether that failed."""
    try:
        items = load_bank(chosen.bank).items
        questions = [to_question(item) for item in items]
        if chosen.format == "moodle":
            from .formats.moodle import write_moodle  # lxml takes a moment

            data = write_moodle(questions)
        else:
            from .formats.gift import write_gift

            data = write_gift(questions).encode()
        _write(chosen.file, data, chosen.force)
    except (BankError, InterchangeError, OSError) as error:
        print(error)
        return True
    lost = not_carried(items)
    if chosen.format == "gift" and (hinted := sum(bool(item.hints) for item in items)):
        lost["hints"] = hinted
    for what, count in lost.items():
        print(f"not carried: {what} ({count} {'item' if count == 1 else 'items'})")
    print(f"{len(items)} items written to {chosen.file}")
    return False


def import_bank(chosen: argparse.Namespace) -> bool:
    """Write a bank of a file's questions, and print what is not in it; return whether a question is missing."""
    try:
        data = _read(chosen.file)
        if chosen.format == "moodle":
            from .formats.moodle import read_moodle

            questions, notes = read_moodle(data)
        else:
            from .formats.gift import read_gift

            questions, notes = read_gift(data)
        bank, more = to_bank(questions)
        notes = sorted([*notes, *more], key=lambda note: note.line)
        for note in notes:
            print(note)
        refused = sum(note.refused for note in notes)
        if not bank["items"]:
            raise InterchangeError("there is no question in it that this quiz can ask; nothing is written")
        _write(chosen.output, (json.dumps(bank, ensure_ascii=False, indent=2) + "\n").encode(), chosen.force)
    except (InterchangeError, OSError) as error:
        print(f"{chosen.file}: {error}")
        return True
    count = len(bank["items"])
    print(f"{count} of {count + refused} questions written to {chosen.output}")
    print(f"Next: python -m quiz lint {chosen.output}")
    return bool(refused)


def _read(path: Path) -> bytes:
    if path.stat().st_size > MOST_BYTES:
        raise InterchangeError(f"the file has more than {MOST_BYTES // 1_000_000} MB")
    return path.read_bytes()


def _write(path: Path, data: bytes, force: bool) -> None:
    """Write a file whole or not at all."""
    if path.exists() and not force:
        raise InterchangeError(f"{path} is there already; --force overwrites it")
    part = path.with_name(f"{path.name}.part")
    part.write_bytes(data)
    os.replace(part, path)


def add_teacher_commands(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the commands; each sets `run`, which takes the parsed arguments and returns whether it failed."""
    stats = commands.add_parser("stats", help="what the recorded answers show of each item")
    stats.add_argument("--bank", type=Path, default=SHIPPED_BANK, help="the answer bank, by default the shipped one")
    stats.add_argument("--json", action="store_true", help="print everything, as JSON")
    stats.set_defaults(run=print_statistics)
    feedback = commands.add_parser("feedback", help="what learners said of the quiz")
    feedback.add_argument("--csv", nargs="?", type=Path, metavar="FILE", help="as CSV, into a new file if named")
    feedback.set_defaults(run=write_feedback)
    for command in (stats, feedback):
        command.add_argument("--from", type=Path, dest="folder", help="read a folder of JSON lines, not the database")


def print_statistics(chosen: argparse.Namespace) -> bool:
    """Print the statistics of each item; return whether they could not be had."""
    try:
        attempts, _ = _read_store(chosen.folder)
        found = report(attempts, load_bank(chosen.bank))
    except (StoreError, BankError, OSError) as error:
        print(error, file=sys.stderr)
        return True
    print(json.dumps(asdict(found), indent=2) if chosen.json else table(found))
    return False


def write_feedback(chosen: argparse.Namespace) -> bool:
    """Write the feedback as CSV; return whether it could not be had or written."""
    try:
        _, feedback = _read_store(chosen.folder)
        content = feedback_csv(feedback).encode("utf-8", "replace")
        if chosen.csv is None:
            sys.stdout.buffer.write(content)
            return False
        with chosen.csv.open("xb") as file:
            file.write(content)
    except FileExistsError:
        print(f"{chosen.csv} is already there; name another file", file=sys.stderr)
        return True
    except (StoreError, OSError) as error:
        print(error, file=sys.stderr)
        return True
    return False


def _read_store(folder: Path | None) -> tuple[Iterable[Attempt], Iterable[tuple[datetime, Feedback]]]:
    if folder is None:
        store = Store()
        if store.file and not store.file.exists():
            raise StoreError(f"There is no database yet: {store.file} is made with the first answer.")
        return store.attempts(), store.feedback()
    records = read_folder(folder)
    return (
        [record for _, record in records if isinstance(record, Attempt)],
        [(time, record) for time, record in records if isinstance(record, Feedback)],
    )


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return 0, or 1 if something has to be put right."""
    parser = argparse.ArgumentParser(prog="python -m quiz", description="Look after an answer bank; read the answers.")
    commands = parser.add_subparsers(required=True)
    for command, purpose in [
        (print_problems, "list what is wrong with an answer bank"),
        (print_proofs, "prove the keys of an answer bank by running code"),
    ]:
        subparser = commands.add_parser("lint" if command is print_problems else "check", help=purpose)
        subparser.add_argument("bank", nargs="?", type=Path, default=SHIPPED_BANK, help="by default the shipped one")
        subparser.set_defaults(run=lambda chosen, command=command: command(chosen.bank))
    add_teacher_commands(commands)
    add_interchange_commands(commands)
    chosen = parser.parse_args(arguments)
    return int(chosen.run(chosen))


def print_problems(path: Path) -> bool:
    """Print each problem of a bank and how many there are; return whether there is any."""
    items, problems = lint(path)
    for problem in problems:
        print(problem)
    print(f"{items} items, {len(problems)} problems")
    return bool(problems)


def print_proofs(path: Path) -> bool:
    """Print how many keys are proved, by topic, and which are not; return whether a proof failed."""
    try:
        items = load_bank(path).items
    except BankError as error:
        print(error)
        return True
    start, classifier = time.perf_counter(), _shipped_model()
    outcomes = {item.id: _outcome(item, classifier) for item in items}
    proved, failed = Counter[str](), False
    for item in items:
        proved[item.topic] += outcomes[item.id] == "proved"
        failed |= outcomes[item.id] == "FAILED"
    for topic, total in Counter(item.topic for item in items).items():
        print(f"{topic:20}{proved[topic]:3} of {total:2} proved")
    for item_id, outcome in outcomes.items():
        if outcome != "proved":
            print(f"{item_id}: {outcome}")
    print(f"{proved.total()} of {len(items)} keys proved in {time.perf_counter() - start:.0f} seconds")
    return failed


def _shipped_model() -> Any:
    from sentiment_gru import SentimentClassifier  # the library of the quiz does without the classifier

    return SentimentClassifier.from_pretrained()


def _outcome(item: Item, classifier: Any) -> str:
    if item.check is None or item.check.fn is None:
        return f"not proved: {item.check.reason if item.check else 'no check'}"
    try:
        return "proved" if prove(item, classifier=classifier).proved else "FAILED"
    except NotInstalledError as error:
        return f"skipped: {error}"


if __name__ == "__main__":
    sys.exit(main())
