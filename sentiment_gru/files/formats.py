"""Open a file of texts in the current process, in the format that its name states; of a workbook, the first sheet.

`readers.open_table` does the same in a process with limited memory and time, for files that nobody has checked.
"""

import warnings
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import FileError
from .table import MAX_COLUMNS, UNCOMPUTED, Content, Limits, Table, check_cells, number_rows, split_header, survey
from .text_files import fit_row, open_delimited, open_json_lines, open_lines

if TYPE_CHECKING:
    import pyarrow


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
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError) as error:  # NotImplementedError: ZIP version
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


SUFFIXES = (".csv", ".tsv", ".xlsx", ".jsonl", ".ndjson", ".json", ".parquet", ".txt")
PARQUET_BATCH_ROWS = 1_000
# First bytes of files that often carry the wrong suffix.
_SIGNATURES = {
    b"PK\x03\x04": "an XLSX workbook or another archive; let a workbook's name end in .xlsx, or unpack the archive",
    b"PAR1": "a Parquet file; let its name end in .parquet",
    b"\xd0\xcf\x11\xe0": "an old Excel file, or one with a password; save it as XLSX without a password",
    b"%PDF": "a PDF",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"\x1f\x8b": "a gzip archive; unpack it",
}


def read_table(path: Path, limits: Limits | None = None, header: bool | None = None) -> Table:
    """Pass over a file once and describe it; the arguments and errors are those of `readers.open_table`."""
    limits = limits or Limits()
    try:
        return survey(path, path.suffix.lower(), open_content(path, limits, header), limits)
    except OSError as error:
        raise FileError(f"the file cannot be read: {error.strerror or error}") from error


def open_content(path: Path, limits: Limits, header: bool | None = None) -> Content:
    """Open a file without passing over all of its rows.

    Raises:
        FileError: The format is unknown, or the content does not match it.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise FileError(f"the file's name ends in {suffix!r}; what can be read ends in {', '.join(SUFFIXES)}")
    _check_file(path, suffix, limits)
    openers: dict[str, Callable[[], Content]] = {
        ".csv": lambda: open_delimited(path, header),
        ".tsv": lambda: open_delimited(path, header),
        ".xlsx": lambda: open_workbook(path, limits, header),
        ".parquet": lambda: open_parquet(path, limits),
        ".txt": lambda: open_lines(path),
    }
    return openers.get(suffix, lambda: open_json_lines(path))()


def _check_file(path: Path, suffix: str, limits: Limits) -> None:
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(8)
    except OSError as error:
        raise FileError(f"the file cannot be read: {error.strerror or error}") from error
    if not size:
        raise FileError("the file is empty")
    if limits.megabytes is not None and size > limits.megabytes * 1_000_000:
        raise FileError(f"the file has {size / 1e6:,.0f} MB; up to {limits.megabytes} MB can be read")
    kind = next((name for signature, name in _SIGNATURES.items() if head.startswith(signature)), None)
    if head.startswith(b"\xd0\xcf\x11\xe0") and suffix == ".xlsx":
        raise FileError("the workbook has a password, or is an old .xls; save it as .xlsx without a password")
    expected = {".xlsx": b"PK\x03\x04", ".parquet": b"PAR1"}.get(suffix)
    if (expected and not head.startswith(expected)) or (kind and not expected):
        raise FileError(f"the file's name ends in {suffix}, but it is {kind or 'something else'}")


def open_parquet(path: Path, limits: Limits) -> Content:
    """Open a Parquet file; its columns keep their types.

    Raises:
        FileError: The file is not a complete Parquet file, or states more rows than may be read.
    """
    import pyarrow
    from pyarrow.parquet import ParquetFile

    try:
        with ParquetFile(path) as file:
            schema, rows = file.schema_arrow, file.metadata.num_rows
    except MemoryError:
        raise
    except (pyarrow.ArrowException, OSError, UnicodeError) as error:
        raise FileError("the file is not a complete Parquet file") from error
    if limits.rows is not None and rows > limits.rows:
        raise FileError(f"the file has {rows:,} rows; up to {limits.rows:,} can be read")
    return Content(list(schema.names), lambda: number_rows(_read_parquet(path)), schema=schema)


def _read_parquet(path: Path) -> Iterator[tuple[list[object], str]]:
    """Yield cells and problem of each row.

    A value that a dictionary stores once for many rows is unpacked for one row at a time.
    """
    import pyarrow
    from pyarrow.parquet import ParquetFile

    try:
        with ParquetFile(path) as plain:
            values = [field.name for field in plain.schema_arrow if _is_variable_length(field.type)]
        with ParquetFile(path, read_dictionary=values) as file:
            for batch in file.iter_batches(PARQUET_BATCH_ROWS, use_threads=False):
                yield from (_unpack_cells(values) for values in zip(*batch.columns, strict=True))
    except MemoryError:
        raise
    except (pyarrow.ArrowException, OSError, UnicodeError) as error:
        raise FileError("the Parquet file is cut short or damaged") from error


def _unpack_cells(values: Iterable[Any]) -> tuple[list[object], str]:
    """Return Python values, and the problem of a text that is not UTF-8 or a time outside Python's range."""
    cells: list[object] = []
    problem = ""
    for value in values:
        try:
            cells.append(value.as_py())
        except (ValueError, OverflowError):
            cells.append(None)
            problem = "a cell cannot be read"
    return cells, problem


def _is_variable_length(kind: "pyarrow.DataType") -> bool:
    return str(kind) in ("string", "large_string", "binary", "large_binary")
