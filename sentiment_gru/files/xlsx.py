"""Read the first sheet of an XLSX workbook, one row at a time, once it has proved harmless."""

import warnings
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from ..errors import FileError
from .table import UNCOMPUTED, Content, Limits, numbered, split_header
from .text_files import fitted

MOST_ENTRIES = 10_000
MOST_SHEET_ROWS = 1_048_576  # of the format; a file may claim more, and openpyxl would make them all up
_FORMULA = (b"<f>", b"<f ", b"<f/>")


def open_workbook(path: Path, limits: Limits, header: bool | None = None) -> Content:
    """Open the first sheet of a workbook.

    Raises:
        FileError: no workbook, one that unpacks to too much, or one without a sheet or a row.
    """
    check_archive(path, limits)
    with ExitStack() as stack:
        sheet, sheets = _first_sheet(path, stack, computed=True)
        title = sheet.title
        formulas = _holds_formulas(path, sheet)
    columns, header, remaining = split_header(lambda: _rows(path, formulas), header)
    while len(columns) > 1 and not columns[-1] and header:
        columns.pop()
    return Content(
        columns,
        lambda: numbered(_fit(cells, len(columns)) for cells in remaining()),
        (f"Of its {sheets} sheets, the first was read: “{title:.40}”.",) if sheets > 1 else (),
        header,
    )


def check_archive(path: Path, limits: Limits) -> None:
    """Refuse, before anything is unpacked, an archive that is no workbook or says that it unpacks to too much.

    `zipfile` reads no more of an entry than its declared size, so that a lie there does not help.

    Raises:
        FileError: as said.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise FileError("the file is no whole XLSX workbook") from error
    size = sum(entry.file_size for entry in entries)
    if size > limits.unpacked_megabytes * 1_000_000 or len(entries) > MOST_ENTRIES:
        raise FileError(
            f"the workbook unpacks to {size / 1e6:,.0f} MB; up to {limits.unpacked_megabytes:,} MB can be read"
        )
    if not any(entry.filename == "[Content_Types].xml" for entry in entries):
        raise FileError("the file is an archive, but no XLSX workbook")


def _first_sheet(path: Path, stack: ExitStack, computed: bool) -> tuple[Any, int]:
    from openpyxl import load_workbook

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about styles and rules that nobody asked for
            workbook = load_workbook(path, read_only=True, data_only=computed, keep_links=False)
    except Exception as error:  # openpyxl raises what the XML leads it to: KeyError, TypeError, ParseError ...
        raise FileError("the file is no whole XLSX workbook") from error
    stack.callback(workbook.close)
    if not workbook.worksheets:
        raise FileError("the workbook has no sheet with cells")
    sheet = workbook.worksheets[0]
    sheet.reset_dimensions()  # a wrong one would hide rows, a huge one would make rows up
    return sheet, len(workbook.worksheets)


def _holds_formulas(path: Path, sheet: Any) -> bool:
    with zipfile.ZipFile(path) as archive, archive.open(sheet._worksheet_path.lstrip("/")) as part:
        tail = b""
        while data := part.read(1 << 20):
            if any(mark in tail + data for mark in _FORMULA):
                return True
            tail = data[-8:]
    return False


def _rows(path: Path, formulas: bool) -> Iterator[list[object]]:
    """Yield the rows up to the last that holds anything; empty ones among them stay."""
    empty = 0
    for number, cells in enumerate(_values(path, formulas), 1):
        if number > MOST_SHEET_ROWS:
            raise FileError(f"the sheet claims more than the {MOST_SHEET_ROWS:,} rows that the format allows")
        if all(cell is None for cell in cells):
            empty += 1
            continue
        yield from ([] for _ in range(empty))
        empty = 0
        yield cells


def _values(path: Path, formulas: bool) -> Iterator[list[object]]:
    with ExitStack() as stack:
        sheet, _ = _first_sheet(path, stack, computed=True)
        try:
            if not formulas:
                yield from ([_unescaped(cell) for cell in cells] for cells in sheet.iter_rows(values_only=True))
                return
            raw, _ = _first_sheet(path, stack, computed=False)
            for cells, sources in zip(sheet.iter_rows(values_only=True), raw.iter_rows(), strict=True):
                yield [
                    UNCOMPUTED if value is None and source.data_type == "f" else _unescaped(value)
                    for value, source in zip(cells, sources, strict=True)
                ]
        except (GeneratorExit, FileError):
            raise
        except Exception as error:
            raise FileError("the sheet breaks off or holds something that is no cell") from error


def _unescaped(cell: object) -> object:
    """Return a text with its control characters, which XLSX writes as _x001F_ and openpyxl leaves so."""
    from openpyxl.utils.escape import unescape

    return unescape(cell) if isinstance(cell, str) and "_x" in cell else cell


def _fit(cells: list[object], width: int) -> tuple[list[object], str]:
    while len(cells) > width and cells[-1] is None:
        cells = cells[:-1]
    padded = [*cells, *[None] * (width - len(cells))]  # a sheet stores no empty cells at the end of a row
    return fitted(padded, width, " ")
