"""Write the cases of the behaviour suite from its grammars.

    python benchmarks/behaviour_cases.py

For each half it reads `benchmarks/behaviour/HALF/grammar.toml` and writes `cases.csv` beside it. The draw is seeded, so
that the same grammar always gives the same cases. A frame's slot names a column of a table; a digit after it
(`{name2}`) draws a second row, and `!u` writes the word in capitals.
"""

import csv
import random
import string
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parent.parent
SUITE = REPOSITORY / "benchmarks" / "behaviour"
TERMS = {half: SUITE / half / "terms" for half in ("development", "frozen")}
TERM_SLOTS = {"identity": "identities", "name": "first_names", "place": "places"}
FIELDS = ("capability", "kind", "text", "changed", "expected")
TAKE = 5
TRIES = 100

Row = dict[str, str]


class CapitalsFormatter(string.Formatter):
    """The formatter of frames: adds the conversion `!u`, which writes a value in capitals."""

    def convert_field(self, value: Any, conversion: str | None) -> Any:
        """Return the value in capitals for `u`, otherwise what `str.format` does."""
        return str(value).upper() if conversion == "u" else super().convert_field(value, conversion)


FORMATTER = CapitalsFormatter()


class Deck:
    """The rows of a table in random order, dealt one by one and shuffled again when all have been dealt."""

    def __init__(self, rows: list[Row], rng: random.Random) -> None:
        self.rows, self.rng = rows, rng
        self.waiting: list[Row] = []

    def deal(self) -> Row:
        """Return the next row."""
        if not self.waiting:
            self.waiting = self.rng.sample(self.rows, len(self.rows))
        return self.waiting.pop()


def read_terms(half: str) -> dict[str, list[str]]:
    """Return the terms that a half may use, by the slot they fill: identity, name and place."""
    return {
        slot: (TERMS[half] / f"{file}.txt").read_text(encoding="utf-8").splitlines()
        for slot, file in TERM_SLOTS.items()
    }


def read_unseen_identities(half: str) -> list[str]:
    """Return further identity terms, which training lacks; the frozen half needs none, as training lacks all it has."""
    path = TERMS[half] / "unseen_identities.txt"
    return path.read_text(encoding="utf-8").splitlines() if path.is_file() else []


def read_table(table: str) -> list[Row]:
    """Return the rows of a table, each by column name.

    Raises:
        ValueError: If a row has more or fewer cells than the heading.
    """
    heading, *rows = [[cell.strip() for cell in line.split("|")] for line in table.strip().splitlines()]
    return [dict(zip(heading, row, strict=True)) for row in rows]


def fill(frame: str, decks: Mapping[str, Deck]) -> str:
    """Return the frame with a row dealt for each table and digit it names; rows of one table differ.

    Raises:
        ValueError: If no table has a column of a slot's name.
    """
    rows: dict[tuple[int, str], Row] = {}
    values = {}
    for _, slot, _, _ in FORMATTER.parse(frame):
        if slot is None:
            continue
        column = slot.rstrip("0123456789")
        if column not in decks:
            raise ValueError(f"no table has a column {column!r}: {frame}")
        deck, digit = decks[column], slot[len(column) :]
        if (id(deck), digit) not in rows:
            used = [row for (owner, _), row in rows.items() if owner == id(deck)]
            row = deck.deal()
            while row in used:
                row = deck.deal()
            rows[id(deck), digit] = row
        values[slot] = rows[id(deck), digit][column]
    return FORMATTER.vformat(frame, (), values)


def expand(grammar: Mapping[str, Any], terms: Mapping[str, list[str]], seed: str) -> list[Row]:
    """Return the cases of a grammar in its order, each with the fields of `FIELDS`.

    Args:
        grammar: `tables` by name, and `tests`, each with a capability, kind, expectation and frames.
        terms: The words of the slots that stand in files of their own.
        seed: What the draw starts from.

    Raises:
        ValueError: If a frame cannot be filled in as many ways as are asked for.
    """
    rng = random.Random(seed)
    tables = [read_table(table) for table in grammar["tables"].values()]
    tables += [[{slot: word} for word in words] for slot, words in terms.items()]
    decks = {}
    for rows in tables:
        deck = Deck(rows, rng)
        decks.update(dict.fromkeys(rows[0], deck))
    cases: list[Row] = []
    seen: set[str] = set()
    for test in grammar["tests"]:
        for frame in test["frames"].strip().splitlines():
            wanted = test.get("take", TAKE) if "{" in frame else 1
            for _ in range(TRIES * wanted):
                filled = fill(frame, decks)
                if filled not in seen:
                    seen.add(filled)
                    text, _, changed = filled.partition(" => ")
                    values = (test["capability"], test["kind"], text, changed, test["expected"])
                    cases.append(dict(zip(FIELDS, values, strict=True)))
                    wanted -= 1
                if not wanted:
                    break
            else:
                raise ValueError(f"too few different cases: {frame}")
    return cases


def expand_half(half: str) -> list[Row]:
    """Return the cases of the half's grammar."""
    grammar = tomllib.loads((SUITE / half / "grammar.toml").read_text(encoding="utf-8"))
    return expand(grammar, read_terms(half), half)


def main() -> int:
    """Write the cases of both halves."""
    for half in TERMS:
        with (SUITE / half / "cases.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, FIELDS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(expand_half(half))
    return 0


if __name__ == "__main__":
    sys.exit(main())
