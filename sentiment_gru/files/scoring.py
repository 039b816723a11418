"""Score the rows of a table in chunks; scoring stops when no more chunks are requested."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from ..results import MAX_CHARACTERS, Prediction
from .table import UNCOMPUTED, Row, cell_size

Classify = Callable[[Sequence[str]], list[Prediction]]

# A chunk takes well under a second on one core; a cancelled run continues for as long.
CHUNK_ROWS = 256
CHUNK_CHARACTERS = 100_000  # of the texts
CHUNK_BYTES = 8_000_000  # of all cells, which stay in memory


@dataclass(frozen=True)
class ScoredRow:
    """A row with its verdict.

    Attributes:
        row: the row.
        text: the text that was scored.
        prediction: the verdict; None if the row could not be scored.
        error: reason why it could not be scored, or an empty string.
    """

    row: Row
    text: str
    prediction: Prediction | None
    error: str


def score_rows(classify: Classify, rows: Iterable[Row], column: int) -> Iterator[list[ScoredRow]]:
    """Yield chunks of scored rows, in order; a chunk is scored when it is requested.

    Args:
        classify: Function from texts to predictions, such as a `SentimentClassifier`.
        rows: Rows of one table.
        column: Position of the text column.
    """
    for chunk in _chunks(rows, column):
        texts = [_extract_text(row, column) for row in chunk]
        predictions = iter(classify([text for text, error in texts if not error]))
        yield [
            ScoredRow(row, text, None if error else next(predictions), error)
            for row, (text, error) in zip(chunk, texts, strict=True)
        ]


def _chunks(rows: Iterable[Row], column: int) -> Iterator[list[Row]]:
    chunk: list[Row] = []
    characters = size = 0
    for row in rows:
        chunk.append(row)
        cell = row.cells[column]
        characters += min(len(cell), MAX_CHARACTERS) if isinstance(cell, str) else 0
        size += sum(map(cell_size, row.cells))
        if len(chunk) == CHUNK_ROWS or characters >= CHUNK_CHARACTERS or size >= CHUNK_BYTES:
            yield chunk
            chunk, characters, size = [], 0, 0
    if chunk:
        yield chunk


def _extract_text(row: Row, column: int) -> tuple[str, str]:
    """Return the text of a row, and the reason why it cannot be scored."""
    cell = row.cells[column]
    if row.problem:
        return "", row.problem
    if cell is UNCOMPUTED:
        return "", "a formula that was never computed; open and save the file in a spreadsheet program"
    if cell is None:
        return "", "no text"
    if isinstance(cell, bool) or not isinstance(cell, str | int | float):
        return "", f"not a text, but of type {type(cell).__name__}"
    text = str(cell).encode("utf-8", "replace").decode()  # a lone surrogate cannot be encoded
    if not text.strip():
        return "", "no text"
    if len(text) > MAX_CHARACTERS:
        return "", f"too long: {len(text):,} characters; up to {MAX_CHARACTERS:,} are read"
    return text, ""
