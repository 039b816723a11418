"""Tables of rows, as readers return and writers take them, and the limits of reading a file."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import FileError
from ..labels import LABEL_COLUMNS, POLES, TEXT_COLUMNS, canonical_label, usual_name

if TYPE_CHECKING:
    import pyarrow

    from ..results import Prediction


PREVIEW_ROWS = 5
PREVIEW_CHARACTERS = 300  # of each cell: the server keeps a table for each visitor
MAX_COLUMNS = 1_000
MAX_HEADER_CHARACTERS = 64  # a longer single cell is a text rather than a column name
NUMBER = re.compile(r"[+-]?(\d+([.,]\d+)*|[.,]\d+)([eE][+-]?\d+)?\s?%?")


@dataclass(frozen=True)
class Limits:
    """Largest file that is read, and the resources for reading it; None is unlimited.

    Attributes:
        megabytes: size of the file.
        rows: number of rows.
        cells: number of cells, empty ones included.
        content_megabytes: size of all cells together, which compression can hide.
        unpacked_megabytes: declared size of an unpacked XLSX workbook.
        memory_megabytes: private memory of the process that reads the file.
        cpu_seconds: processor time of one pass over the file.
        seconds: time spent waiting for one pass over the file.
    """

    megabytes: int | None = None
    rows: int | None = None
    cells: int | None = None
    content_megabytes: int | None = None
    unpacked_megabytes: int = 2_000
    memory_megabytes: int = 700
    cpu_seconds: int | None = None
    seconds: float | None = None


class Uncomputed:
    """Type of `UNCOMPUTED`, the value of a formula that no spreadsheet program has computed yet."""

    def __reduce__(self) -> str:
        return "UNCOMPUTED"  # unpickling returns the module's single instance


UNCOMPUTED = Uncomputed()


@dataclass(frozen=True)
class Row:
    """One row of a table.

    Attributes:
        number: position of the row, counted from 1 without the header.
        cells: one value per column, with the type stored in the file; None for an empty cell.
        problem: reason why the row cannot be scored, found while reading; usually empty.
    """

    number: int
    cells: list[object]
    problem: str = ""


@dataclass(frozen=True)
class ScoredRow:
    """A row with its verdict.

    Attributes:
        row: the row.
        text: the text that was scored.
        prediction: the verdict; None if the row could not be scored.
        error: reason why it could not be scored, or an empty string.
    """

    row: Row
    text: str
    prediction: "Prediction | None"
    error: str


def read_no_rows() -> Iterator[Row]:
    """Return an empty iterator, the default of `Content.read`."""
    return iter(())


@dataclass(frozen=True)
class Content:
    """An opened file.

    Attributes:
        columns: names as written in the file; they may repeat or be blank.
        read: function that returns an iterator over all rows, from the first.
        notes: sentences about what was detected in the file.
        header: whether the first row holds the column names; None for formats that always name their columns.
        schema: types of the columns, if the format stores them.
        marked: whether the file begins with a byte order mark.
    """

    columns: list[str]
    read: Callable[[], Iterator[Row]] = read_no_rows
    notes: tuple[str, ...] = ()
    header: bool | None = None
    schema: "pyarrow.Schema | None" = None
    marked: bool = False


@dataclass(frozen=True)
class Table:
    """A file, or pasted lines, after one pass over its rows.

    Attributes:
        path: the file; None for pasted lines.
        suffix: suffix of the file name, in lower case.
        columns: unique, non-blank column names.
        rows: number of rows.
        preview: the first rows as text; long cells are cut.
        content: the opened file.
        notes: sentences about what was detected or changed.
    """

    path: Path | None
    suffix: str
    columns: list[str]
    rows: int
    preview: list[list[str]]
    content: Content
    notes: tuple[str, ...]

    def index(self, column: str, role: str = "column") -> int:
        """Return the position of a column.

        Raises:
            FileError: The table has no such column; the message lists its columns.
        """
        if column not in self.columns:
            listed = ", ".join(map(repr, self.columns[:20])) + (" …" if len(self.columns) > 20 else "")
            raise FileError(f"there is no {role} {column!r} in this file, only {listed}")
        return self.columns.index(column)

    def likely_text_column(self) -> str:
        """Return the column with a usual name, or else the one with the longest cells."""
        lengths = [sum(len(row[i]) for row in self.preview) for i in range(len(self.columns))]
        return usual_name(self.columns, TEXT_COLUMNS) or self.columns[lengths.index(max(lengths))]

    def likely_label_column(self) -> str | None:
        """Return the column with a usual name, or None."""
        return usual_name(self.columns, LABEL_COLUMNS)


def survey(path: Path | None, suffix: str, content: Content, limits: Limits) -> Table:
    """Pass over all rows once: count them, keep the first ones and check the limits.

    Raises:
        FileError: There are no rows, or a limit is exceeded.
    """
    check_columns(len(content.columns))
    columns, notes = unique_names(content.columns)
    rows, cells, size = 0, 0, 0
    preview: list[list[str]] = []
    for row in content.read():
        rows += 1
        cells += len(row.cells)
        size += sum(map(cell_size, row.cells))
        _check_totals(rows, cells, size, limits)
        if rows <= PREVIEW_ROWS:
            preview.append([preview_text(cell) for cell in row.cells])
    if not rows:
        raise FileError("the file holds no rows" + (" below its column names" if content.header else ""))
    return Table(path, suffix, columns, rows, preview, content, (*content.notes, *notes))


def check_columns(count: int) -> None:
    """Raise FileError if a table has too many columns."""
    if count > MAX_COLUMNS:
        raise FileError(f"the file has {count:,} columns; up to {MAX_COLUMNS:,} can be read")


def check_cells(cells: int, limits: Limits) -> None:
    """Raise FileError if a table has too many cells."""
    if limits.cells is not None and cells > limits.cells:
        raise FileError(f"the file has more than {limits.cells:,} cells; split it, or use the command line")


def _check_totals(rows: int, cells: int, size: int, limits: Limits) -> None:
    if limits.rows is not None and rows > limits.rows:
        raise FileError(f"the file has more than {limits.rows:,} rows; split it, or use the command line")
    check_cells(cells, limits)
    if limits.content_megabytes is not None and size > limits.content_megabytes * 1_000_000:
        raise FileError(f"the rows hold more than {limits.content_megabytes:,} MB; split the file")


def cell_size(cell: object) -> int:
    """Return the approximate size of a cell in bytes, counting one per character."""
    if isinstance(cell, str | bytes):
        return len(cell)
    if isinstance(cell, dict):
        return sum(cell_size(key) + cell_size(value) for key, value in cell.items())
    if isinstance(cell, list | tuple):
        return sum(map(cell_size, cell))
    return 1


def preview_text(cell: object) -> str:
    """Return a cell as text for the preview, cut if it is long."""
    text = "" if cell is None or cell is UNCOMPUTED else str(cell)
    return text if len(text) <= PREVIEW_CHARACTERS else text[:PREVIEW_CHARACTERS] + "…"


def unique_names(names: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return unique, non-blank column names, and sentences about the names that were changed.

    >>> unique_names(["text", "", "text"])[0]
    ['text', 'column 2', 'text (2)']
    """
    unique: list[str] = []
    used: set[str] = set()
    reserved = {name.strip() for name in names}  # a numbered name must not take a name that comes later
    next_numbers: dict[str, int] = {}
    repeated: dict[str, None] = {}
    for position, name in enumerate(names, 1):
        plain = candidate = name.strip() or f"column {position}"
        if plain in used:
            repeated[plain] = None
        number = next_numbers.get(plain, 2)
        while candidate in used or (candidate != plain and candidate in reserved):
            candidate = f"{plain} ({number})"
            number += 1
        next_numbers[plain] = number
        used.add(candidate)
        unique.append(candidate)
    listed = ", ".join(f"“{name:.40}”" for name in repeated)
    return unique, [f"More than one column is called {listed}; the later ones got a number."] if repeated else []


def looks_like_header(cells: Sequence[object]) -> bool:
    """Return whether a first row holds column names: no number, no sentiment label, not a lone sentence or hashtag."""
    texts = ["" if cell is None else str(cell).strip() for cell in cells]
    if any(NUMBER.fullmatch(text) or canonical_label(text) in POLES for text in texts) or not any(texts):
        return False
    if len(texts) > 1:
        return True
    return not (texts[0].startswith("#") or texts[0].endswith((".", "!", "?")) or len(texts[0]) > MAX_HEADER_CHARACTERS)


def split_header(
    rows: Callable[[], Iterator[list[object]]], header: bool | None
) -> tuple[list[str], bool, Callable[[], Iterator[list[object]]]]:
    """Separate the column names from the rows below them.

    Args:
        rows: Function that reads all rows from the first.
        header: Whether the first row holds the column names; None to detect it.

    Returns:
        The column names (blank without a header), whether the first row held them, and a function that reads the
        remaining rows.

    Raises:
        FileError: The file has no rows, or too many columns.
    """
    first = next(iter(rows()), None)
    if first is None:
        raise FileError("the file is empty")
    check_columns(len(first))
    if header is None:
        header = looks_like_header(first)
    names = [("" if cell is None else str(cell)) if header else "" for cell in first]

    def read() -> Iterator[list[object]]:
        remaining = iter(rows())
        if header:
            next(remaining, None)
        return remaining

    return names, header, read


def number_rows(rows: Iterable[tuple[list[object], str]]) -> Iterator[Row]:
    """Yield a `Row` for each pair of cells and problem."""
    for number, (cells, problem) in enumerate(rows, 1):
        yield Row(number, cells, problem)
