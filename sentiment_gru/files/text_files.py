"""Read CSV, TSV, JSON lines and plain lines, one row at a time."""

import codecs
import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, takewhile
from pathlib import Path

from ..errors import FileError
from ..labels import LABEL_COLUMNS, TEXT_COLUMNS, usual_name
from .table import Content, Row, check_columns, number_rows, split_header

SAMPLE = 64 * 1024  # bytes
DELIMITERS = (",", ";", "\t", "|")
ONE_COLUMN = "\x1f"  # a delimiter that does not occur in text: each line is one cell
STATED_DELIMITER = re.compile('sep=([^"])', re.IGNORECASE)  # a first line for Excel
# Control characters, NUL among them, that do not occur in text.
_CONTROL = bytes({*range(32)} - {*b"\t\n\v\f\r\x1a\x1b"})
_MAX_CONTROL_SHARE, _MAX_CONTROL_COUNT = 0.05, 16  # a text may hold either
_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",  # before UTF-16, whose mark is its first half
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


def detect_encoding(path: Path) -> str:
    """Return the encoding stated by a byte order mark, else UTF-16 if its zero bytes show it, else the first that fits.

    The last two candidates are Windows-1252 and Latin-1, in that order: where they differ, Windows-1252 has characters
    such as curly quotes, and Latin-1 has control characters. A statistical guess (charset-normalizer 3.5) reads short
    Western files as Cyrillic or Arabic code pages, and holds the whole file in memory.

    Raises:
        FileError: The file is not text, or not in the encoding that its mark states.
    """
    with path.open("rb") as file:
        head = file.read(SAMPLE)
    stated = next((name for mark, name in _MARKS.items() if head.startswith(mark)), None)
    if stated or (stated := _detect_utf16(head)):
        if not _decodes(path, stated):
            raise FileError(f"the file begins as {stated.removesuffix('-sig').upper()} text, but does not continue so")
        return stated
    if len(head) - len(head.translate(None, _CONTROL)) > max(_MAX_CONTROL_SHARE * len(head), _MAX_CONTROL_COUNT):
        raise FileError("the file does not hold text")
    return next((name for name in ("utf-8", "cp1252") if _decodes(path, name)), "latin-1")


def _detect_utf16(head: bytes) -> str | None:
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


@dataclass(frozen=True)
class Layout:
    """How a file is divided into rows and columns.

    Attributes:
        delimiter: what separates the columns.
        skipped: number of lines above the first row.
        notes: sentences about these lines.
    """

    delimiter: str
    skipped: int = 0
    notes: tuple[str, ...] = ()


def detect_layout(path: Path, encoding: str) -> Layout:
    """Return the delimiter, and the lines above the first row: one such as `sep=;`, which Excel reads, and comments.

    Comments are leading lines that begin with "#", if the row below them has a usual name for texts or labels and they
    fill fewer cells. A header such as `#,text,label` stays, and so does a list of texts that begin with hashtags.
    """
    with path.open(encoding=encoding, errors="replace", newline="") as file:
        sample = file.read(SAMPLE)
        whole = not file.read(1)
    lines = io.StringIO(sample, newline="").readlines()
    notes = []
    stated = STATED_DELIMITER.fullmatch(lines[0].rstrip("\r\n")) if lines else None
    if stated:
        notes.append("Its first line states the delimiter and was skipped.")
    skipped = 1 if stated else 0
    delimiter = stated[1] if stated else detect_delimiter(lines, whole)
    leading = list(takewhile(lambda line: line.startswith("#") or not line.strip(), lines[skipped:]))
    if count := sum(line.startswith("#") for line in leading):
        below = lines[skipped + len(leading) :]
        delimiter_below = stated[1] if stated else detect_delimiter(below, whole)
        columns = [cell.strip() for cell in next(csv.reader(below, delimiter=delimiter_below), [])]
        named = usual_name(columns, TEXT_COLUMNS if len(columns) == 1 else TEXT_COLUMNS + LABEL_COLUMNS)
        filled = max(sum(map(bool, line.strip().split(delimiter_below))) for line in leading)
        if named and (filled < len(columns) or len(columns) == 1):
            notes.append(f"Lines that begin with # above its column names were skipped: {count:,}.")
            skipped, delimiter = skipped + len(leading), delimiter_below
        elif named or (delimiter == ONE_COLUMN and delimiter_below != ONE_COLUMN):
            notes.append("Its first line begins with # and was not skipped; if it is a comment, remove it.")
    return Layout(delimiter, skipped, tuple(notes))


def detect_delimiter(lines: Sequence[str], whole: bool) -> str:
    """Return the delimiter that splits the first row, and the largest share of later rows into as many cells.

    Args:
        lines: The first lines of a file.
        whole: Whether they are all of its lines.
    """
    best, best_share = ONE_COLUMN, 0.0
    for delimiter in DELIMITERS:
        widths = [len(row) for row in csv.reader(lines, delimiter=delimiter) if row]
        widths = widths if whole or len(widths) < 2 else widths[:-1]  # the sample cuts the last row
        if not widths or widths[0] < 2:
            continue
        share = Counter(widths)[widths[0]] / len(widths)
        if share > best_share:
            best, best_share = delimiter, share
    return best


MAX_CELL = 32 * 1024 * 1024  # characters; a longer cell has a quote that is not closed
csv.field_size_limit(MAX_CELL)  # of the whole process; the default, 128 KB, is too short for some texts
_ENCODING_NAMES = {"cp1252": "Windows-1252", "latin-1": "Latin-1"}
_DELIMITER_NAMES = {",": "commas", "\t": "tabs", ";": "semicolons", "|": "vertical bars"}


def open_delimited(path: Path, header: bool | None = None) -> Content:
    """Open CSV or TSV; the delimiter is detected from the content.

    Raises:
        FileError: The file is not text, has no rows, or has a quote that is not closed.
    """
    encoding = detect_encoding(path)
    layout = detect_layout(path, encoding)
    delimiter = layout.delimiter

    def rows() -> Iterator[list[object]]:
        with path.open(encoding=encoding, errors="replace", newline="") as file:
            reader = csv.reader(islice(file, layout.skipped, None), delimiter=delimiter)
            try:
                yield from (list[object](row) for row in reader if row)
            except csv.Error as error:
                line = layout.skipped + reader.line_num
                raise FileError(f"line {line:,} cannot be read ({error}); is a quote not closed?") from error

    columns, header, remaining = split_header(rows, header)
    joint = "" if delimiter == ONE_COLUMN else delimiter
    usual = "\t" if path.suffix.lower() == ".tsv" else ","
    names = _DELIMITER_NAMES if delimiter not in (usual, ONE_COLUMN) else {}
    separated = [f"Its columns are separated by {names[delimiter]}."] if delimiter in names else []
    return Content(
        columns,
        lambda: number_rows(fit_row(cells, len(columns), joint) for cells in remaining()),
        (*_encoding_notes(encoding), *layout.notes, *separated),
        header,
        marked=_has_mark(encoding),
    )


def fit_row(cells: list[object], width: int, joint: str) -> tuple[list[object], str]:
    """Return a row with one cell per column, and its problem; surplus cells are joined into the last column."""
    if len(cells) == width:
        return cells, ""
    problem = f"{len(cells)} cells where there are {width} columns"
    if len(cells) < width:
        return [*cells, *[None] * (width - len(cells))], problem
    surplus = joint.join("" if cell is None else str(cell) for cell in cells[width - 1 :])
    return [*cells[: width - 1], surplus], problem


def open_lines(path: Path) -> Content:
    """Open a file with one text a line; a blank line is an empty row."""
    encoding = detect_encoding(path)

    def read() -> Iterator[Row]:
        with path.open(encoding=encoding, errors="replace") as file:
            yield from number_rows(([line.rstrip("\n")], "") for line in file)

    return Content(["text"], read, _encoding_notes(encoding), marked=_has_mark(encoding))


def open_pasted_lines(text: str) -> Content:
    """Open pasted lines, one text each."""
    lines = text.strip("\n").split("\n")
    return Content(["text"], lambda: number_rows(([line], "") for line in lines))


def open_json_lines(path: Path) -> Content:
    """Open a file with one JSON object per line; its columns are all keys, in order of first appearance.

    Raises:
        FileError: The file is not text, holds no object or too many keys, or is one JSON array.
    """
    encoding = detect_encoding(path)
    columns: dict[str, None] = {}
    with path.open(encoding=encoding, errors="replace") as file:
        for number, line in enumerate(file):
            if number == 0 and line.lstrip().startswith("["):
                raise FileError("the file is one JSON array; write one object per line instead")
            columns.update(dict.fromkeys(parse_object(line)[0]))
            check_columns(len(columns))
    if not columns:
        raise FileError("no line of the file is a JSON object")

    def read() -> Iterator[Row]:
        with path.open(encoding=encoding, errors="replace") as file:
            lines = (parse_object(line) for line in file if line.strip())
            yield from number_rows(([record.get(name) for name in columns], problem) for record, problem in lines)

    return Content(list(columns), read, _encoding_notes(encoding), marked=_has_mark(encoding))


def parse_object(line: str) -> tuple[dict[str, object], str]:
    """Return the object of a line of JSON lines, and why it is empty, if it is."""
    try:
        record = json.loads(line, parse_constant=lambda _: None) if line.strip() else {}
    except (ValueError, RecursionError):
        return {}, "not a JSON object"
    if not isinstance(record, dict):
        return {}, "not a JSON object"
    if "\\ud" in line.lower():  # a lone surrogate cannot be encoded
        record = json.loads(json.dumps(record, ensure_ascii=False).encode("utf-8", "replace"))
    return record, ""


def _encoding_notes(encoding: str) -> tuple[str, ...]:
    return (
        (f"It is not UTF-8 text, and was read as {_ENCODING_NAMES[encoding]}.",) if encoding in _ENCODING_NAMES else ()
    )


def _has_mark(encoding: str) -> bool:
    return encoding in ("utf-8-sig", "utf-16", "utf-32")
