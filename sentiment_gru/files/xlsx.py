"""Read the first sheet of an XLSX workbook, one row at a time, after checking its declared size."""

import warnings
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from ..errors import FileError
from .table import MAX_COLUMNS, UNCOMPUTED, Content, Limits, check_cells, number_rows, split_header
from .text_files import fit_row

MAX_ENTRIES = 10_000
MAX_SHEET_ROWS = 1_048_576  # of the format; openpyxl would fill in any number that a file claims
_FORMULA_TAGS = (b"<f>", b"<f ", b"<f/>")


def open_workbook(path: Path, limits: Limits, header: bool | None = None) -> Content:
    """Open the first sheet of a workbook.

    Raises:
        FileError: The file is not a workbook, declares too large a size, or has no sheet or no row.
    """
    check_archive(path, limits)
    with ExitStack() as stack:
        sheet, sheets = _first_sheet(path, stack, computed=True)
        title = sheet.title
        formulas = _holds_formulas(path, sheet)
    columns, header, remaining = split_header(lambda: _read_rows(path, formulas, limits), header)
    while len(columns) > 1 and not columns[-1] and header:
        columns.pop()
    return Content(
        columns,
        lambda: number_rows(_fit_cells(cells, len(columns)) for cells in remaining()),
        (f"Of its {sheets} sheets, the first was read: “{title:.40}”.",) if sheets > 1 else (),
        header,
    )


def check_archive(path: Path, limits: Limits) -> None:
    """Check an archive before anything is unpacked.

    `zipfile` reads no more of an entry than its declared size, so a false declaration does not exceed the limit.

    Raises:
        FileError: The archive is not a workbook, or declares that it unpacks to too much.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise FileError("the file is not a complete XLSX workbook") from error
    size = sum(entry.file_size for entry in entries)
    if size > limits.unpacked_megabytes * 1_000_000 or len(entries) > MAX_ENTRIES:
        raise FileError(
            f"the workbook unpacks to {size / 1e6:,.0f} MB; up to {limits.unpacked_megabytes:,} MB can be read"
        )
    if not any(entry.filename == "[Content_Types].xml" for entry in entries):
        raise FileError("the file is an archive, but not an XLSX workbook")


def _first_sheet(path: Path, stack: ExitStack, computed: bool) -> tuple[Any, int]:
    from openpyxl import load_workbook

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about styles and rules, which are not read
            workbook = load_workbook(path, read_only=True, data_only=computed, keep_links=False)
    except MemoryError:
        raise
    except Exception as error:  # openpyxl lets errors of the XML through: KeyError, TypeError, ParseError ...
        raise FileError("the file is not a complete XLSX workbook") from error
    stack.callback(workbook.close)
    if not workbook.worksheets:
        raise FileError("the workbook has no sheet with cells")
    sheet = workbook.worksheets[0]
    sheet.reset_dimensions()  # wrong dimensions hide rows, huge ones add empty rows
    return sheet, len(workbook.worksheets)


def _holds_formulas(path: Path, sheet: Any) -> bool:
    with zipfile.ZipFile(path) as archive, archive.open(sheet._worksheet_path.lstrip("/")) as part:
        tail = b""
        while data := part.read(1 << 20):
            if any(mark in tail + data for mark in _FORMULA_TAGS):
                return True
            tail = data[-8:]
    return False


def _read_rows(path: Path, formulas: bool, limits: Limits) -> Iterator[list[object]]:
    """Yield the rows up to the last that is not empty; empty rows between them are kept."""
    empty = count = 0
    for number, cells in enumerate(_read_values(path, formulas), 1):
        if number > MAX_SHEET_ROWS:
            raise FileError(f"the sheet claims more than the {MAX_SHEET_ROWS:,} rows that the format allows")
        count += len(cells)
        check_cells(count, limits)
        while len(cells) > MAX_COLUMNS and cells[-1] is None:
            cells.pop()
        if all(cell is None for cell in cells):
            empty += 1
            continue
        yield from ([] for _ in range(empty))
        empty = 0
        yield cells


def _read_values(path: Path, formulas: bool) -> Iterator[list[object]]:
    with ExitStack() as stack:
        sheet, _ = _first_sheet(path, stack, computed=True)
        try:
            if not formulas:
                yield from ([_unescape(cell) for cell in cells] for cells in sheet.iter_rows(values_only=True))
                return
            raw, _ = _first_sheet(path, stack, computed=False)
            for cells, sources in zip(sheet.iter_rows(values_only=True), raw.iter_rows(), strict=True):
                yield [
                    UNCOMPUTED if value is None and source.data_type == "f" else _unescape(value)
                    for value, source in zip(cells, sources, strict=True)
                ]
        except (GeneratorExit, FileError, MemoryError):
            raise
        except Exception as error:
            raise FileError("the sheet is cut short or damaged") from error


def _unescape(cell: object) -> object:
    """Decode control characters, which XLSX writes as _x001F_ and openpyxl does not decode."""
    from openpyxl.utils.escape import unescape

    return unescape(cell) if isinstance(cell, str) and "_x" in cell else cell


def _fit_cells(cells: list[object], width: int) -> tuple[list[object], str]:
    while len(cells) > width and cells[-1] is None:
        cells = cells[:-1]
    padded = [*cells, *[None] * (width - len(cells))]  # a sheet does not store empty cells at the end of a row
    return fit_row(padded, width, " ")
