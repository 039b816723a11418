"""Open a file of texts in the current process, in the format that its name states.

`readers.open_table` does the same in a process with limited memory and time, for files that nobody has checked.
"""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import FileError
from .table import Content, Limits, Table, number_rows, survey
from .text_files import open_delimited, open_json_lines, open_lines
from .xlsx import open_workbook

if TYPE_CHECKING:
    import pyarrow


SUFFIXES = (".csv", ".tsv", ".xlsx", ".jsonl", ".ndjson", ".json", ".parquet", ".txt")
PARQUET_BATCH_ROWS = 1_000
# First bytes of files that often carry the wrong suffix.
_SIGNATURES = {
    b"PK\x03\x04": "an XLSX workbook or another archive",
    b"PAR1": "a Parquet file",
    b"\xd0\xcf\x11\xe0": "an old Excel file, or one with a password",
    b"%PDF": "a PDF",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"\x1f\x8b": "a gzip archive",
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
