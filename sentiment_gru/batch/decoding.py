"""Which encoding a text file is in, and what stands between its cells."""

import codecs
import csv
import io
from collections import Counter
from pathlib import Path

from ..errors import FileError

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
