"""The commands for teachers: `python -m quiz stats` and `python -m quiz feedback`."""

import argparse
import json
import sys
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from .bank import SHIPPED_BANK, load_bank
from .faults import BankError
from .lines import read_folder
from .records import Attempt, Feedback, StoreError
from .statistics import report
from .store import Store
from .teacher_report import feedback_csv, table


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
        attempts, _ = _read(chosen.folder)
        found = report(attempts, load_bank(chosen.bank))
    except (StoreError, BankError, OSError) as error:
        print(error, file=sys.stderr)
        return True
    print(json.dumps(asdict(found), indent=2) if chosen.json else table(found))
    return False


def write_feedback(chosen: argparse.Namespace) -> bool:
    """Write the feedback as CSV; return whether it could not be had or written."""
    try:
        _, feedback = _read(chosen.folder)
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


def _read(folder: Path | None) -> tuple[Iterable[Attempt], Iterable[tuple[datetime, Feedback]]]:
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
