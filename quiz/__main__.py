"""The quiz from the command line.

python -m quiz lint quiz/answer_bank.json
python -m quiz check
python -m quiz stats
python -m quiz feedback --csv feedback.csv
python -m quiz export --format moodle questions.xml
python -m quiz import --format gift questions.txt -o mine.json
"""

import argparse
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from .bank import SHIPPED_BANK, Item, load_bank
from .checks import NotInstalledError, prove
from .faults import BankError
from .interchange.commands import add_interchange_commands
from .lint import lint
from .teacher_commands import add_teacher_commands


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
