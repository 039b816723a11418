"""Open a file of texts, whatever its format."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import FileError
from .table import Content, Limits, Table, numbered, survey
from .text_files import open_delimited, open_json_lines, open_lines, pasted
from .xlsx import open_workbook

if TYPE_CHECKING:
    import pyarrow


SUFFIXES = (".csv", ".tsv", ".xlsx", ".jsonl", ".ndjson", ".json", ".parquet", ".txt")
PARQUET_ROWS = 1_000  # read at a time
MOST_PASTED = 200_000  # characters: they stay in memory, for each visitor
# How files begin that are often met under a wrong name.
_SIGNATURES = {
    b"PK\x03\x04": "an XLSX workbook or another archive",
    b"PAR1": "a Parquet file",
    b"\xd0\xcf\x11\xe0": "an old Excel file, or one with a password",
    b"%PDF": "a PDF",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"\x1f\x8b": "a gzip archive",
}


def open_table(path: Path, limits: Limits | None = None, header: bool | None = None) -> Table:
    """Read a file through once and describe it; its rows are read again when they are scored.

    Args:
        path: CSV, TSV, XLSX, JSON lines, Parquet or plain lines, by the end of its name.
        limits: what the file may hold at most; by default only what protects the machine.
        header: whether the first row of CSV, TSV and XLSX holds the names of the columns; None to find out.

    Raises:
        FileError: what is wrong with the file, and where it can, what to do about it.
    """
    limits = limits or Limits()
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise FileError(f"the file's name ends in {suffix!r}; what can be read ends in {', '.join(SUFFIXES)}")
    _check_file(path, suffix, limits)
    openers: dict[str, Callable[[], Content]] = {
        ".csv": lambda: open_delimited(path, header),
        ".tsv": lambda: open_delimited(path, header),
        ".xlsx": lambda: open_workbook(path, limits, header),
        ".parquet": lambda: open_parquet(path),
        ".txt": lambda: open_lines(path),
    }
    try:
        return survey(path, suffix, openers.get(suffix, lambda: open_json_lines(path))(), limits)
    except OSError as error:
        raise FileError(f"the file cannot be read: {error.strerror or error}") from error


def open_pasted(text: str, limits: Limits) -> Table:
    """Describe lines that were pasted, one text each.

    Raises:
        FileError: no line, too many lines, or too many characters.
    """
    if not text.strip():
        raise FileError("there is no line to score")
    if len(text) > MOST_PASTED:
        raise FileError(f"these are {len(text):,} characters; up to {MOST_PASTED:,} can be pasted, more in a file")
    return survey(None, ".txt", pasted(text), limits)


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
    found = next((what for signature, what in _SIGNATURES.items() if head.startswith(signature)), None)
    if head.startswith(b"\xd0\xcf\x11\xe0") and suffix == ".xlsx":
        raise FileError("the workbook has a password, or is an old .xls; save it as .xlsx without a password")
    expected = {".xlsx": b"PK\x03\x04", ".parquet": b"PAR1"}.get(suffix)
    if (expected and not head.startswith(expected)) or (found and not expected):
        raise FileError(f"the file's name ends in {suffix}, but it is {found or 'something else'}")


def open_parquet(path: Path) -> Content:
    """Open a Parquet file; its columns keep their types.

    Raises:
        FileError: no whole Parquet file.
    """
    import pyarrow
    from pyarrow.parquet import ParquetFile

    try:
        with ParquetFile(path) as file:
            schema = file.schema_arrow
    except (pyarrow.ArrowException, OSError, UnicodeError) as error:
        raise FileError("the file is no whole Parquet file") from error
    return Content(list(schema.names), lambda: numbered(_parquet_cells(path)), schema=schema)


def _parquet_cells(path: Path) -> Iterator[tuple[list[object], str]]:
    """Yield rows with their problems one by one: a text stored once for many rows may be too long to unpack for all."""
    import pyarrow
    from pyarrow.parquet import ParquetFile

    try:
        with ParquetFile(path) as plain:
            texts = [field.name for field in plain.schema_arrow if _is_text(field.type)]
        with ParquetFile(path, read_dictionary=texts) as file:
            for batch in file.iter_batches(PARQUET_ROWS):
                yield from (_parquet_row(values) for values in zip(*batch.columns, strict=True))
    except (pyarrow.ArrowException, OSError, UnicodeError) as error:
        raise FileError("the Parquet file breaks off or is damaged") from error


def _parquet_row(values: Iterable[Any]) -> tuple[list[object], str]:
    """Return cells, and what is wrong with one of them: a text that is not UTF-8, or a time that Python cannot hold."""
    cells: list[object] = []
    problem = ""
    for value in values:
        try:
            cells.append(value.as_py())
        except (ValueError, OverflowError):
            cells.append(None)
            problem = "a cell cannot be read"
    return cells, problem


def _is_text(kind: "pyarrow.DataType") -> bool:
    return str(kind) in ("string", "large_string")
