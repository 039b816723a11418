"""Read CSV, TSV, JSON lines and plain lines, one row at a time."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path

from ..errors import FileError
from .decoding import ONE_COLUMN, detect_delimiter, detect_encoding
from .table import Content, Row, numbered, split_header

MOST_CELL = 32 * 1024 * 1024  # characters; a longer cell is one whose quote was never closed
csv.field_size_limit(MOST_CELL)  # for the whole process; its own default, 128 KB, is shorter than some texts
_TOLD = {"cp1252": "Windows-1252", "latin-1": "Latin-1"}
_DELIMITER_NAMES = {",": "commas", "\t": "tabs", ";": "semicolons", "|": "vertical bars"}


def open_delimited(path: Path, header: bool | None = None) -> Content:
    """Open CSV or TSV; the file itself says which of the two it is.

    Raises:
        FileError: no text, no rows, or a cell without end.
    """
    encoding = detect_encoding(path)
    delimiter = detect_delimiter(path, encoding)

    def rows() -> Iterator[list[object]]:
        with path.open(encoding=encoding, errors="replace", newline="") as file:
            reader = csv.reader(file, delimiter=delimiter)
            try:
                yield from (list[object](row) for row in reader if row)
            except csv.Error as error:
                raise FileError(f"line {reader.line_num:,} cannot be read ({error}); is a quote not closed?") from error

    columns, header, remaining = split_header(rows, header)
    joint = "" if delimiter == ONE_COLUMN else delimiter
    usual = "\t" if path.suffix.lower() == ".tsv" else ","
    told = f"Its columns are separated by {_DELIMITER_NAMES.get(delimiter)}."
    return Content(
        columns,
        lambda: numbered(fitted(cells, len(columns), joint) for cells in remaining()),
        (*_encoding_notes(encoding), *([] if delimiter in (usual, ONE_COLUMN) else [told])),
        header,
        marked=_is_marked(encoding),
    )


def fitted(cells: list[object], width: int, joint: str) -> tuple[list[object], str]:
    """Return a row with as many cells as there are columns, and what was wrong with it; no text is lost."""
    if len(cells) == width:
        return cells, ""
    problem = f"{len(cells)} cells where there are {width} columns"
    if len(cells) < width:
        return [*cells, *[None] * (width - len(cells))], problem
    surplus = joint.join("" if cell is None else str(cell) for cell in cells[width - 1 :])
    return [*cells[: width - 1], surplus], problem


def open_lines(path: Path) -> Content:
    """Open a file with one text a line; a blank line is a row without text."""
    encoding = detect_encoding(path)

    def read() -> Iterator[Row]:
        with path.open(encoding=encoding, errors="replace") as file:
            yield from numbered(([line.rstrip("\n")], "") for line in file)

    return Content(["text"], read, _encoding_notes(encoding), marked=_is_marked(encoding))


def pasted(text: str) -> Content:
    """Take lines that no file holds, one text each."""
    lines = text.strip("\n").split("\n")
    return Content(["text"], lambda: numbered(([line], "") for line in lines))


def open_json_lines(path: Path) -> Content:
    """Open a file with one JSON object a line; its columns are all keys, in the order in which they first come.

    Raises:
        FileError: no text, no object at all, or one array around everything.
    """
    encoding = detect_encoding(path)
    columns: dict[str, None] = {}
    with path.open(encoding=encoding, errors="replace") as file:
        for number, line in enumerate(file):
            if number == 0 and line.lstrip().startswith("["):
                raise FileError("the file is one JSON array; write one object a line instead")
            columns.update(dict.fromkeys(_parse(line)[0]))
    if not columns:
        raise FileError("no line of the file is a JSON object")

    def read() -> Iterator[Row]:
        with path.open(encoding=encoding, errors="replace") as file:
            lines = (_parse(line) for line in file if line.strip())
            yield from numbered(([record.get(name) for name in columns], problem) for record, problem in lines)

    return Content(list(columns), read, _encoding_notes(encoding), marked=_is_marked(encoding))


def _parse(line: str) -> tuple[dict[str, object], str]:
    try:
        record = json.loads(line, parse_constant=lambda _: None) if line.strip() else {}
    except (ValueError, RecursionError):
        return {}, "not a JSON object"
    if not isinstance(record, dict):
        return {}, "not a JSON object"
    if "\\ud" in line.lower():  # half of a surrogate pair cannot be written again
        record = json.loads(json.dumps(record, ensure_ascii=False).encode("utf-8", "replace"))
    return record, ""


def _encoding_notes(encoding: str) -> tuple[str, ...]:
    return (f"It is not UTF-8 text, and was read as {_TOLD[encoding]}.",) if encoding in _TOLD else ()


def _is_marked(encoding: str) -> bool:
    return encoding in ("utf-8-sig", "utf-16", "utf-32")
