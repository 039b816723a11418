"""Write a table in any of the formats, one chunk of rows at a time."""

import csv
import json
import math
from collections.abc import Callable, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import IO, Any, Protocol

from ..errors import FileError
from .table import NUMBER, UNCOMPUTED

OUTPUT_SUFFIXES = (".csv", ".tsv", ".xlsx", ".jsonl", ".parquet")
XLSX_CELL = 32_767  # characters
XLSX_ROWS = 1_048_576
XLSX_COLUMNS = 16_384
_EXACT = 2**53  # beyond it, the numbers of XLSX and JSON readers lose digits
_DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


class Writer(Protocol):
    """Takes rows, and keeps no more of them in memory than the chunk at hand."""

    def write(self, rows: Sequence[Sequence[object]]) -> None:
        """Write rows, each with one value a column."""

    def close(self) -> None:
        """Finish the file; without it, what stands on disk is no whole file."""


def open_writer(path: Path, suffix: str, columns: Sequence[str], kinds: Sequence[Any], marked: bool) -> Writer:
    """Return a writer that creates the file.

    Args:
        path: where to write; nothing that stands there is kept.
        suffix: one of `OUTPUT_SUFFIXES`, which the path need not end in.
        columns: names, each there once.
        kinds: of each column, the Parquet type; a text where the source states none. Other formats do without.
        marked: whether CSV and TSV begin with a byte order mark, by which Excel knows UTF-8.

    Raises:
        FileError: the table does not fit the format.
    """
    if suffix == ".xlsx":
        return XlsxWriter(path, columns)
    if suffix == ".parquet":
        return ParquetWriter(path, columns, kinds)
    if suffix == ".jsonl":
        return JsonLinesWriter(path, columns)
    return DelimitedWriter(path, columns, "\t" if suffix == ".tsv" else ",", marked)


class DelimitedWriter:
    """CSV and TSV that a spreadsheet program can open without running anything in them."""

    def __init__(self, path: Path, columns: Sequence[str], delimiter: str, marked: bool) -> None:
        encoding = "utf-8-sig" if marked else "utf-8"
        self._file: IO[str] = path.open("w", encoding=encoding, errors="replace", newline="")
        self._writer = csv.writer(self._file, delimiter=delimiter)
        self._writer.writerow([harmless(name) for name in columns])

    def write(self, rows: Sequence[Sequence[object]]) -> None:
        """Write rows."""
        self._writer.writerows([harmless(cell_text(cell)) for cell in row] for row in rows)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class JsonLinesWriter:
    """One object a line; values keep their types."""

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        self._file: IO[str] = path.open("w", encoding="utf-8", errors="replace", newline="\n")
        self._columns = columns

    def write(self, rows: Sequence[Sequence[object]]) -> None:
        """Write rows."""
        for row in rows:
            record = {name: plain(cell) for name, cell in zip(self._columns, row, strict=True)}
            self._file.write(json.dumps(record, ensure_ascii=False, default=cell_text) + "\n")

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class XlsxWriter:
    """A workbook of one sheet; a text is always a text, whatever it begins with. Too long a text is cut."""

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        from xlsxwriter import Workbook

        if len(columns) > XLSX_COLUMNS:
            raise FileError(f"{len(columns):,} columns do not fit an XLSX sheet; write CSV")
        # Rows go to disk as they come; its temporary files stand beside the output and go away with it.
        settings = {"constant_memory": True, "tmpdir": str(path.parent), "default_date_format": "yyyy-mm-dd hh:mm:ss"}
        self._workbook = Workbook(str(path), settings)
        self._sheet = self._workbook.add_worksheet("Scored")
        self._row = 0
        self.write([columns])

    def write(self, rows: Sequence[Sequence[object]]) -> None:
        """Write rows.

        Raises:
            FileError: more rows than a sheet can have.
        """
        if self._row + len(rows) > XLSX_ROWS:
            raise FileError(f"more than {XLSX_ROWS - 1:,} rows do not fit an XLSX sheet; write CSV")
        for row in rows:
            for column, cell in enumerate(row):
                self._write_cell(column, plain(cell))
            self._row += 1

    def _write_cell(self, column: int, cell: object) -> None:
        if isinstance(cell, bool):
            self._sheet.write_boolean(self._row, column, cell)
        elif isinstance(cell, int | float) and abs(cell) <= _EXACT:
            self._sheet.write_number(self._row, column, cell)
        elif isinstance(cell, date) and cell.year >= 1900 and getattr(cell, "tzinfo", None) is None:
            self._sheet.write_datetime(self._row, column, cell)
        elif cell is not None:
            self._sheet.write_string(self._row, column, clean_text(cell)[:XLSX_CELL])

    def close(self) -> None:
        """Put the workbook together."""
        self._workbook.close()


class ParquetWriter:
    """Parquet whose columns keep the types of the source, and are texts where it states none."""

    def __init__(self, path: Path, columns: Sequence[str], kinds: Sequence[Any]) -> None:
        import pyarrow
        from pyarrow.parquet import ParquetWriter as ArrowWriter

        self._schema = pyarrow.schema(list(zip(columns, kinds, strict=True)))
        self._writer = ArrowWriter(path, self._schema)

    def write(self, rows: Sequence[Sequence[object]]) -> None:
        """Write rows as one row group."""
        import pyarrow

        columns = zip(*rows, strict=True) if rows else [[] for _ in self._schema]
        arrays = [
            pyarrow.array(map(_converter(field.type), column), field.type)
            for column, field in zip(columns, self._schema, strict=True)
        ]
        self._writer.write_table(pyarrow.Table.from_arrays(arrays, schema=self._schema))

    def close(self) -> None:
        """Write the footer."""
        self._writer.close()


def _converter(kind: Any) -> Callable[[object], object]:
    if str(kind) not in ("string", "large_string"):
        return lambda cell: cell
    return lambda cell: None if plain(cell) is None else clean_text(cell)


def plain(cell: object) -> object:
    """Return a cell as it is, but None for what is no value."""
    if cell is UNCOMPUTED or (isinstance(cell, float) and not math.isfinite(cell)):
        return None
    return cell


def cell_text(cell: object) -> str:
    """Return a cell as text: nothing for no value, JSON for lists and objects, ISO 8601 for dates.

    >>> cell_text(None), cell_text(True), cell_text(0.5), cell_text({"a": [1]})
    ('', 'true', '0.5', '{"a": [1]}')
    """
    if plain(cell) is None:
        return ""
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, dict | list | tuple):
        return json.dumps(cell, ensure_ascii=False, default=str)
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ")
    if isinstance(cell, bytes):
        return cell.decode("utf-8", "replace")
    return str(cell)


def clean_text(cell: object) -> str:
    """Return a cell as text that can be encoded: without halves of surrogate pairs."""
    return cell_text(cell).encode("utf-8", "replace").decode()


def harmless(text: str) -> str:
    """Return a text with an apostrophe before it where a spreadsheet program would take it for a formula.

    >>> harmless("=1+1"), harmless("-5"), harmless("- no"), harmless("5")
    ("'=1+1", '-5', "'- no", '5')
    """
    return "'" + text if text.startswith(_DANGEROUS) and not NUMBER.fullmatch(text) else text
