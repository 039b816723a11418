"""Score the rows of a table in chunks; whoever stops asking for chunks stops the scoring."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from ..results import MAX_CHARACTERS, Prediction
from .table import UNCOMPUTED, Row

Classify = Callable[[Sequence[str]], list[Prediction]]

# A chunk is done in well under a second on one core, which is how long a cancelled run goes on.
CHUNK_ROWS = 256
CHUNK_CHARACTERS = 100_000


@dataclass(frozen=True)
class ScoredRow:
    """A row with its verdict, or with the reason why it has none; `text` is what was scored."""

    row: Row
    text: str
    prediction: Prediction | None
    error: str


def score_rows(classify: Classify, rows: Iterable[Row], column: int) -> Iterator[list[ScoredRow]]:
    """Yield chunks of scored rows, in order; nothing is scored ahead of the chunk that is asked for.

    Args:
        classify: texts to predictions, such as a `SentimentClassifier`.
        rows: of one table.
        column: where the text of each row stands.
    """
    for chunk in _chunks(rows, column):
        texts = [_text(row, column) for row in chunk]
        predictions = iter(classify([text for text, error in texts if not error]))
        yield [
            ScoredRow(row, text, None if error else next(predictions), error)
            for row, (text, error) in zip(chunk, texts, strict=True)
        ]


def _chunks(rows: Iterable[Row], column: int) -> Iterator[list[Row]]:
    chunk: list[Row] = []
    characters = 0
    for row in rows:
        chunk.append(row)
        cell = row.cells[column]
        characters += min(len(cell), MAX_CHARACTERS) if isinstance(cell, str) else 0
        if len(chunk) == CHUNK_ROWS or characters >= CHUNK_CHARACTERS:
            yield chunk
            chunk, characters = [], 0
    if chunk:
        yield chunk


def _text(row: Row, column: int) -> tuple[str, str]:
    """Return the text of a row, and why it cannot be scored."""
    cell = row.cells[column]
    if row.problem:
        return "", row.problem
    if cell is UNCOMPUTED:
        return "", "a formula that was never computed; open and save the file in a spreadsheet program"
    if cell is None:
        return "", "no text"
    if isinstance(cell, bool) or not isinstance(cell, str | int | float):
        return "", f"not a text, but of type {type(cell).__name__}"
    text = str(cell).encode("utf-8", "replace").decode()  # half of a surrogate pair cannot be read
    if not text.strip():
        return "", "no text"
    if len(text) > MAX_CHARACTERS:
        return "", f"too long: {len(text):,} characters; up to {MAX_CHARACTERS:,} are read"
    return text, ""
