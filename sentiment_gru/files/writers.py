"""Write a table as CSV, TSV, XLSX, JSON lines or Parquet, one chunk of rows at a time."""

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
_MAX_EXACT = 2**53  # readers of XLSX lose digits of larger numbers
# OWASP, "CSV Injection"; spreadsheet programs read the full-width forms as their ASCII counterparts.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


class Writer(Protocol):
    """Writer of rows that keeps no more than one chunk in memory."""

    def write(self, rows: Sequence[Sequence[object]]) -> None:
        """Write rows, each with one value per column."""

    def close(self) -> None:
        """Complete the file."""


def open_writer(path: Path, suffix: str, columns: Sequence[str], kinds: Sequence[Any], marked: bool) -> Writer:
    """Create a file and return its writer.

    Args:
        path: File to create or overwrite.
        suffix: One of `OUTPUT_SUFFIXES`; the path may end in another.
        columns: Unique column names.
        kinds: Parquet type of each column; other formats ignore it.
        marked: Begin CSV and TSV with a byte order mark, by which Excel recognises UTF-8.

    Raises:
        FileError: The table does not fit the format.
    """
    if suffix == ".xlsx":
        return XlsxWriter(path, columns)
    if suffix == ".parquet":
        return ParquetWriter(path, columns, kinds)
    if suffix == ".jsonl":
        return JsonLinesWriter(path, columns)
    return DelimitedWriter(path, columns, "\t" if suffix == ".tsv" else ",", marked)


class DelimitedWriter:
    """CSV and TSV in which no text is a formula to a spreadsheet program."""

    def __init__(self, path: Path, columns: Sequence[str], delimiter: str, marked: bool) -> None:
        encoding = "utf-8-sig" if marked else "utf-8"
        self._file: IO[str] = path.open("w", encoding=encoding, errors="replace", newline="")
        self._writer = csv.writer(self._file, delimiter=delimiter)
        self._writer.writerow([escape_formula(name) for name in columns])

    def write(self, rows: Sequence[Sequence[object]]) -> None:
        """Write rows."""
        self._writer.writerows([escape_formula(cell_text(cell)) for cell in row] for row in rows)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class JsonLinesWriter:
    """JSON lines, one object per line; values keep their types."""

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        self._file: IO[str] = path.open("w", encoding="utf-8", errors="replace", newline="\n")
        self._columns = columns

    def write(self, rows: Sequence[Sequence[object]]) -> None:
        """Write rows."""
        for row in rows:
            record = {name: to_value(cell) for name, cell in zip(self._columns, row, strict=True)}
            self._file.write(json.dumps(record, ensure_ascii=False, default=cell_text) + "\n")

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class XlsxWriter:
    """A workbook of one sheet, in which texts are never formulas and are cut to `XLSX_CELL` characters."""

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        from xlsxwriter import Workbook

        if len(columns) > XLSX_COLUMNS:
            raise FileError(f"{len(columns):,} columns do not fit an XLSX sheet; write CSV")
        # Rows go to disk as they are written, to temporary files in the folder of the output.
        settings = {"constant_memory": True, "tmpdir": str(path.parent), "default_date_format": "yyyy-mm-dd hh:mm:ss"}
        self._workbook = Workbook(str(path), settings)
        self._sheet = self._workbook.add_worksheet("Scored")
        self._row = 0
        self.write([columns])

    def write(self, rows: Sequence[Sequence[object]]) -> None:
        """Write rows.

        Raises:
            FileError: There are more rows than a sheet can hold.
        """
        if self._row + len(rows) > XLSX_ROWS:
            raise FileError(f"more than {XLSX_ROWS - 1:,} rows do not fit an XLSX sheet; write CSV")
        for row in rows:
            for column, cell in enumerate(row):
                self._write_cell(column, to_value(cell))
            self._row += 1

    def _write_cell(self, column: int, cell: object) -> None:
        if isinstance(cell, bool):
            self._sheet.write_boolean(self._row, column, cell)
        elif isinstance(cell, int | float) and abs(cell) <= _MAX_EXACT:
            self._sheet.write_number(self._row, column, cell)
        elif isinstance(cell, date) and cell.year >= 1900 and getattr(cell, "tzinfo", None) is None:
            self._sheet.write_datetime(self._row, column, cell)
        elif cell is not None:
            self._sheet.write_string(self._row, column, clean_text(cell)[:XLSX_CELL])

    def close(self) -> None:
        """Assemble the workbook."""
        self._workbook.close()


class ParquetWriter:
    """Parquet with the given column types."""

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
            pyarrow.array(map(_get_converter(field.type), column), field.type)
            for column, field in zip(columns, self._schema, strict=True)
        ]
        self._writer.write_table(pyarrow.Table.from_arrays(arrays, schema=self._schema))

    def close(self) -> None:
        """Write the footer."""
        self._writer.close()


def _get_converter(kind: Any) -> Callable[[object], object]:
    if str(kind) not in ("string", "large_string"):
        return lambda cell: cell
    return lambda cell: None if to_value(cell) is None else clean_text(cell)


def to_value(cell: object) -> object:
    """Return a cell, or None if it is an uncomputed formula, infinite or not a number."""
    if cell is UNCOMPUTED or (isinstance(cell, float) and not math.isfinite(cell)):
        return None
    return cell


def cell_text(cell: object) -> str:
    """Return a cell as text: JSON for lists and objects, ISO 8601 for dates, an empty text for a missing value.

    >>> cell_text(None), cell_text(True), cell_text(0.5), cell_text({"a": [1]})
    ('', 'true', '0.5', '{"a": [1]}')
    """
    if isinstance(cell, str):
        return cell
    if to_value(cell) is None:
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
    """Return a cell as text in which lone surrogates, which cannot be encoded, are replaced."""
    return cell_text(cell).encode("utf-8", "replace").decode()


def escape_formula(text: str) -> str:
    """Put an apostrophe before a text that a spreadsheet program would read as a formula; numbers are unchanged.

    >>> escape_formula("=1+1"), escape_formula("-5"), escape_formula("- no"), escape_formula("5")
    ("'=1+1", '-5', "'- no", '5')
    """
    return "'" + text if text.startswith(_FORMULA_STARTS) and not NUMBER.fullmatch(text) else text
