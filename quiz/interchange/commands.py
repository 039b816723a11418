"""The commands export and import of `python -m quiz`."""

import argparse
import json
import os
from pathlib import Path
from typing import Any

from ..bank import SHIPPED_BANK, load_bank
from ..faults import BankError
from .incoming import to_bank
from .outgoing import not_carried, to_question
from .question import InterchangeError

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
            from .moodle import write_moodle  # lxml takes a moment

            data = write_moodle(questions)
        else:
            from .gift import write_gift

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
            from .moodle import read_moodle

            questions, notes = read_moodle(data)
        else:
            from .gift import read_gift

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
