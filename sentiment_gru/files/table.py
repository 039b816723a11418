"""What the readers give and the writers take: a table of rows, as it is described before anything is scored."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import FileError
from ..labels import LABEL_COLUMNS, POLES, TEXT_COLUMNS, canonical_label, usual_name

if TYPE_CHECKING:
    import pyarrow


PREVIEW_ROWS = 5
PREVIEW_CHARACTERS = 300  # of each cell: a table is kept for each visitor
MOST_COLUMNS = 1_000
LONG_NAME = 64  # characters
NUMBER = re.compile(r"[+-]?(\d+([.,]\d+)*|[.,]\d+)([eE][+-]?\d+)?\s?%?")


@dataclass(frozen=True)
class Limits:
    """What a file may hold at most; None where there is no limit."""

    megabytes: int | None = None
    rows: int | None = None
    unpacked_megabytes: int = 2_000  # what an XLSX file says that it unpacks to


class Uncomputed:
    """The value of a formula that no spreadsheet program has computed yet."""


UNCOMPUTED = Uncomputed()


@dataclass(frozen=True)
class Row:
    """One row of a table.

    Attributes:
        number: counted from 1, the header left out.
        cells: one value a column, as the file types them; None where there is none.
        problem: why the row cannot be scored, as found while reading; mostly empty.
    """

    number: int
    cells: list[object]
    problem: str = ""


@dataclass(frozen=True)
class Content:
    """A file opened by one of the readers.

    Attributes:
        columns: the names as they stand in the file; neither unique nor free of blanks.
        read: returns an iterator over all rows, from the first.
        notes: what was found out about the file, in sentences.
        header: whether the first row holds the names; None where the format leaves no choice.
        schema: the types of the columns, where the file states them.
        marked: whether the file begins with a byte order mark.
    """

    columns: list[str]
    read: Callable[[], Iterator[Row]]
    notes: tuple[str, ...] = ()
    header: bool | None = None
    schema: "pyarrow.Schema | None" = None
    marked: bool = False


@dataclass(frozen=True)
class Table:
    """A file, or pasted lines (`path` is None), read through once; every name in `columns` is there once.

    `preview` holds the cells of the first rows as text, cut; the other attributes are as in `Content`.
    """

    path: Path | None
    suffix: str
    columns: list[str]
    rows: int
    preview: list[list[str]]
    content: Content
    notes: tuple[str, ...]

    def index(self, column: str, what: str = "column") -> int:
        """Return the position of a column.

        Raises:
            FileError: there is no such column; the message lists those there are.
        """
        if column not in self.columns:
            listed = ", ".join(map(repr, self.columns[:20])) + (" …" if len(self.columns) > 20 else "")
            raise FileError(f"there is no {what} {column!r} in this file, only {listed}")
        return self.columns.index(column)

    def likely_text_column(self) -> str:
        """Return a column with a usual name, else the one with the longest cells."""
        lengths = [sum(len(row[i]) for row in self.preview) for i in range(len(self.columns))]
        return usual_name(self.columns, TEXT_COLUMNS) or self.columns[lengths.index(max(lengths))]

    def likely_label_column(self) -> str | None:
        """Return a column with a usual name, None if there is none."""
        return usual_name(self.columns, LABEL_COLUMNS)


def survey(path: Path | None, suffix: str, content: Content, limits: Limits) -> Table:
    """Read a file through once: count its rows, keep the first ones, check the limits.

    Raises:
        FileError: no rows, or too many rows or columns.
    """
    columns, notes = unique_names(content.columns)
    if len(columns) > MOST_COLUMNS:
        raise FileError(f"the file has {len(columns):,} columns; up to {MOST_COLUMNS:,} can be read")
    rows, preview = 0, []
    for row in content.read():
        rows += 1
        if limits.rows is not None and rows > limits.rows:
            raise FileError(f"the file has more than {limits.rows:,} rows; split it, or use the command line")
        if rows <= PREVIEW_ROWS:
            preview.append([shown(cell) for cell in row.cells])
    if not rows:
        raise FileError("the file holds no rows" + (" below its column names" if content.header else ""))
    return Table(path, suffix, columns, rows, preview, content, (*content.notes, *notes))


def shown(cell: object) -> str:
    """Return a cell as text for the preview, cut where it is long."""
    text = "" if cell is None or cell is UNCOMPUTED else str(cell)
    return text if len(text) <= PREVIEW_CHARACTERS else text[:PREVIEW_CHARACTERS] + "…"


def unique_names(names: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the names with blank and repeated ones told apart, and sentences on what was changed.

    >>> unique_names(["text", "", "text"])[0]
    ['text', 'column 2', 'text (2)']
    """
    unique: list[str] = []
    taken = {name.strip() for name in names}
    repeated = []
    for place, name in enumerate(names, 1):
        plain = name.strip() or f"column {place}"
        if plain in unique:
            repeated.append(plain)
        unique.append(_free(plain, {*unique, *(taken - {plain})}))
    told = ", ".join(f"“{name:.40}”" for name in dict.fromkeys(repeated))
    return unique, [f"More than one column is called {told}; the later ones got a number."] if repeated else []


def _free(name: str, taken: set[str]) -> str:
    number, free = 2, name
    while free in taken:
        free = f"{name} ({number})"
        number += 1
    return free


def looks_like_header(cells: Sequence[object]) -> bool:
    """Tell whether a first row holds names rather than data: no number, no verdict, and no lone sentence."""
    texts = ["" if cell is None else str(cell).strip() for cell in cells]
    if any(NUMBER.fullmatch(text) or canonical_label(text) in POLES for text in texts) or not any(texts):
        return False
    return len(texts) > 1 or not (texts[0].endswith((".", "!", "?")) or len(texts[0]) > LONG_NAME)


def split_header(
    rows: Callable[[], Iterator[list[object]]], header: bool | None
) -> tuple[list[str], bool, Callable[[], Iterator[list[object]]]]:
    """Return the names of the columns, whether the first row held them, and a function that reads the other rows.

    Args:
        rows: reads all rows from the first.
        header: whether the first row holds the names; None to find out.

    Raises:
        FileError: there is no row at all.
    """
    first = next(iter(rows()), None)
    if first is None:
        raise FileError("the file is empty")
    if header is None:
        header = looks_like_header(first)
    names = [("" if cell is None else str(cell)) if header else "" for cell in first]

    def read() -> Iterator[list[object]]:
        remaining = iter(rows())
        if header:
            next(remaining, None)
        return remaining

    return names, header, read


def numbered(rows: Iterable[tuple[list[object], str]]) -> Iterator[Row]:
    """Turn cells and problems into rows."""
    for number, (cells, problem) in enumerate(rows, 1):
        yield Row(number, cells, problem)
