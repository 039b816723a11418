"""Score a table into a file that is complete or absent."""

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ..errors import FileError
from ..labels import join_labels
from ..results import MAX_CHARACTERS, Prediction
from .summary import Report, Tally
from .table import UNCOMPUTED, Row, ScoredRow, Table, cell_size
from .writers import OUTPUT_SUFFIXES, open_writer

DECIMALS = 6  # of the scores written; later digits depend on which texts share a batch

Classify = Callable[[Sequence[str]], list[Prediction]]

# A chunk takes well under a second on one core; a cancelled run continues for as long.
CHUNK_ROWS = 1_024
CHUNK_CHARACTERS = 250_000  # of the texts
CHUNK_BYTES = 8_000_000  # of all cells, which stay in memory


@dataclass(frozen=True)
class Progress:
    """Progress of a scoring run; the last one follows the completed output and has the report."""

    rows: int
    total: int
    seconds: float
    report: Report | None = None

    @property
    def rows_per_second(self) -> float:
        """Mean speed so far."""
        return self.rows / self.seconds if self.seconds else 0.0

    @property
    def seconds_left(self) -> float | None:
        """Estimated time left at the mean speed; None before the first row."""
        return (self.total - self.rows) / self.rows_per_second if self.rows_per_second else None


def score_table(
    classify: Classify,
    table: Table,
    text_column: str,
    output: Path,
    *,
    label_column: str | None = None,
    label_map: Mapping[str, str | None] | None = None,
    force: bool = False,
) -> Iterator[Progress]:
    """Score every row, write all columns followed by the verdicts, and yield progress after each chunk.

    Closing the iterator stops the run. `output` is unchanged until the last progress.

    Args:
        classify: Function from texts to predictions, such as a `SentimentClassifier`.
        table: Table to score.
        text_column: Column of the texts.
        output: CSV, TSV, XLSX, JSON lines or Parquet, according to its suffix.
        label_column: Column of labels to compare the verdicts with.
        label_map: Mapping from labels of the file to labels of the model, as `parse_label_map` returns it.
        force: Replace an existing file at `output`.

    Yields:
        Progress, with the report in the last one.

    Raises:
        FileError: A column is missing, the output cannot or must not be written, or the file is cut short.
    """
    text_index = table.index(text_column, "text column")
    label_index = None if label_column is None else table.index(label_column, "label column")
    check_output(output, table.path, force)
    labels = list(classify([""])[0].scores)
    tally = Tally(labels, label_index, label_map or {})
    start = time.perf_counter()
    yield Progress(0, table.rows, 0.0)
    with _replace_file(output) as part:
        columns, kinds = _output_columns(table, labels)
        writer = open_writer(part, output.suffix.lower(), columns, kinds, table.content.marked)
        rows = 0
        with closing(writer):
            for chunk in score_rows(classify, table.content.read(), text_index):
                writer.write([[*scored.row.cells, *result_cells(scored, labels)] for scored in chunk])
                tally.add(chunk)
                rows += len(chunk)
                yield Progress(rows, table.rows, time.perf_counter() - start)
    yield Progress(rows, table.rows, time.perf_counter() - start, tally.report())


def check_output(output: Path, source: Path | None, force: bool) -> None:
    """Raise FileError if an output cannot or must not be written."""
    if output.suffix.lower() not in OUTPUT_SUFFIXES:
        endings = ", ".join(OUTPUT_SUFFIXES)
        raise FileError(f"the output's name ends in {output.suffix!r}; it must end in one of {endings}")
    if not output.parent.is_dir():
        raise FileError(f"there is no folder {str(output.parent)!r} for the output")
    if output.exists() and (not output.is_file() or (source is not None and output.samefile(source))):
        raise FileError(f"{output} is the input itself or not a plain file; give the output another name")
    if output.exists() and not force:
        raise FileError(f"{output} already exists; --force replaces it")


@contextmanager
def _replace_file(output: Path) -> Iterator[Path]:
    """Yield a path in a temporary folder beside the output, and move the file there to `output` on success.

    Raises:
        FileError: The disk is full, or the folder is not writable.
    """
    try:
        with TemporaryDirectory(prefix=".scoring-", dir=output.parent, ignore_cleanup_errors=True) as folder:
            part = Path(folder, "part")
            yield part
            os.replace(part, output)
    except OSError as error:
        raise FileError(f"the output cannot be written: {error.strerror or error}") from error


def _output_columns(table: Table, labels: Sequence[str]) -> tuple[list[str], list[Any]]:
    """Return the names and Parquet types of all output columns."""
    results = result_types(labels)
    schema = table.content.schema
    kinds = list(schema.types) if schema else ["string"] * len(table.columns)
    return [*table.columns, *result_names(table.columns, list(results))], [*kinds, *results.values()]


def result_types(labels: Sequence[str]) -> dict[str, str]:
    """Return the Parquet types of the added columns by name, in the order of `result_cells`."""
    scores = {f"score_{label}": "float64" for label in labels}
    counts = {"uncertain": "bool", "tokens": "int64", "unknown": "int64", "truncated": "int64"}
    return {"label": "string"} | scores | counts | {"error": "string"}


def result_names(columns: Sequence[str], results: Sequence[str]) -> list[str]:
    """Return names of the added columns that differ from the file's own names, ignoring case.

    >>> result_names(["text", "Label"], ["label", "error"])
    ['model_label', 'error']
    """
    taken = {name.casefold() for name in columns}
    names = []
    for result in results:
        name, number = result, 2
        if name.casefold() in taken:
            name = f"model_{result}"
        while name.casefold() in taken:
            name = f"model_{result}_{number}"
            number += 1
        taken.add(name.casefold())
        names.append(name)
    return names


def result_cells(scored: ScoredRow, labels: Sequence[str]) -> list[object]:
    """Return the cells that are added to a row: its verdict, or why there is none."""
    prediction = scored.prediction
    if prediction is None:
        return [*[None] * (len(labels) + 5), scored.error]
    return [
        join_labels(prediction.labels),
        *(round(prediction.scores[label], DECIMALS) for label in labels),
        prediction.uncertain,
        prediction.tokens,
        prediction.unknown_tokens,
        prediction.truncated_tokens,
        None,
    ]


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
