"""Files of rows in every format, for the tests of what reads them."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path

import pyarrow
import pyarrow.parquet
import xlsxwriter

Rows = Sequence[Sequence[object]]


def write_csv(path: Path, rows: Rows, encoding: str = "utf-8", delimiter: str = ",") -> Path:
    """Write rows, the first of them being the header."""
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows(rows)
    return path


def write_table(path: Path, rows: Rows) -> Path:
    """Write rows in the format of the path, the first of them being the header."""
    names, *data = rows
    if path.suffix in (".csv", ".tsv"):
        return write_csv(path, rows, delimiter="\t" if path.suffix == ".tsv" else ",")
    if path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(dict(zip(names, row, strict=True))) + "\n" for row in data))
    elif path.suffix == ".parquet":
        columns = {name: [row[i] for row in data] for i, name in enumerate(names)}
        pyarrow.parquet.write_table(pyarrow.table(columns), path)
    elif path.suffix == ".xlsx":
        with xlsxwriter.Workbook(path) as workbook:
            sheet = workbook.add_worksheet()
            for number, row in enumerate(rows):
                for column, cell in enumerate(row):
                    if isinstance(cell, str):
                        sheet.write_string(number, column, cell)
                    else:
                        sheet.write(number, column, cell)
    else:
        path.write_text("".join(f"{row[0]}\n" for row in data))
    return path
