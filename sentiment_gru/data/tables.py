"""Read a table with the readers of `--file`, so that whatever can be scored can be trained on.

They detect encodings, delimiters and a missing header, and read the first sheet of a workbook.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from datasets import Dataset

from ..errors import DatasetError, FileError
from ..files.formats import read_table
from ..files.table import UNCOMPUTED

INTEGER = re.compile(r"-?(0|[1-9]\d{0,14})")
DECIMAL = re.compile(r"-?\d+\.\d+")


def read_dataset(path: Path) -> Dataset:
    """Return the rows of a CSV, TSV, XLSX or JSON lines file; columns of numbers hold numbers, empty cells None.

    Raises:
        DatasetError: The file cannot be read, or the cells of a row do not fit its columns; the message names the row.
    """
    try:
        table = read_table(path)
        rows = list(table.content.read())
    except FileError as error:
        raise DatasetError(f"{path}: {error}") from error
    for row in rows:
        if row.problem:
            raise DatasetError(f"{path}, row {row.number:,}: {row.problem}; put texts in quotes")
        if UNCOMPUTED in row.cells:
            raise DatasetError(
                f"{path}, row {row.number:,}: a formula was never computed; open the workbook in a spreadsheet program"
                " and save it"
            )
    columns = zip(*(row.cells for row in rows), strict=True)
    return Dataset.from_dict({name: to_column(cells) for name, cells in zip(table.columns, columns, strict=True)})


def to_column(cells: Sequence[object]) -> list[object]:
    """Return cells of one type: integers or decimals if all that are not empty are, else strings; empty ones are None.

    >>> to_column(["1", "", "20"]), to_column(["1.5", "2"]), to_column(["007", "1"]), to_column([1, "two", None])
    ([1, None, 20], [1.5, 2.0], ['007', '1'], ['1', 'two', None])
    """
    plain = [None if cell is None or cell == "" else cell for cell in cells]
    present = [cell for cell in plain if cell is not None]
    if any(isinstance(cell, list | dict) for cell in present):
        return plain  # of JSON lines
    texts = [str(cell) for cell in present]
    if present and all(INTEGER.fullmatch(text) for text in texts):
        return [None if cell is None else int(str(cell)) for cell in plain]
    if present and all(INTEGER.fullmatch(text) or DECIMAL.fullmatch(text) for text in texts):
        return [None if cell is None else float(str(cell)) for cell in plain]
    return [None if cell is None else str(cell) for cell in plain]
