"""Read CSV, TSV, JSON lines and plain lines, one row at a time."""

import codecs
import csv
import io
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from ..errors import FileError
from .table import Content, Row, numbered, split_header

SAMPLE = 64 * 1024  # bytes
DELIMITERS = (",", ";", "\t", "|")
ONE_COLUMN = "\x1f"  # a delimiter that no text holds: all of a line is one cell
# Control characters that text does not hold, NUL among them.
_CONTROL = bytes({*range(32)} - {*b"\t\n\v\f\r\x1a\x1b"})
_MOST_CONTROL, _FEW_CONTROL = 0.05, 16  # share, and characters that prove nothing
_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",  # before UTF-16, whose mark is the first half of it
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


def detect_encoding(path: Path) -> str:
    """Return the encoding by its mark, else UTF-16 by its zero bytes, else the first that fits the whole file.

    Windows-1252 is tried before Latin-1: the two differ in characters that texts have, such as curly quotes, and in
    control characters that they have not.

    Raises:
        FileError: the file is no text, or not in the encoding its mark says.
    """
    with path.open("rb") as file:
        head = file.read(SAMPLE)
    marked = next((name for mark, name in _MARKS.items() if head.startswith(mark)), None)
    if marked or (marked := _wide(head)):
        if not _decodes(path, marked):
            raise FileError(
                f"the file begins as {marked.removesuffix('-sig').upper()} text, but goes on as something else"
            )
        return marked
    if len(head) - len(head.translate(None, _CONTROL)) > max(_MOST_CONTROL * len(head), _FEW_CONTROL):
        raise FileError("the file holds no text, whatever its name says")
    return next((name for name in ("utf-8", "cp1252") if _decodes(path, name)), "latin-1")


def _wide(head: bytes) -> str | None:
    half = len(head) // 2
    if half and head[1::2].count(0) > 0.4 * half > head[0::2].count(0):
        return "utf-16-le"
    if half and head[0::2].count(0) > 0.4 * half > head[1::2].count(0):
        return "utf-16-be"
    return None


def _decodes(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        with path.open("rb") as file:
            while data := file.read(1 << 20):
                decoder.decode(data)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def detect_delimiter(path: Path, encoding: str) -> str:
    """Return the delimiter that cuts the first row, and most rows after it into as many cells."""
    with path.open(encoding=encoding, errors="replace", newline="") as file:
        sample = file.read(SAMPLE)
        whole = not file.read(1)
    best, best_share = ONE_COLUMN, 0.0
    for delimiter in DELIMITERS:
        widths = [len(row) for row in csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter) if row]
        widths = widths if whole or len(widths) < 2 else widths[:-1]  # the last one is cut
        if not widths or widths[0] < 2:
            continue
        share = Counter(widths)[widths[0]] / len(widths)
        if share > best_share:
            best, best_share = delimiter, share
    return best


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
