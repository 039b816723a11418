"""Odd files of labelled texts, as people have them, and what becomes of each."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow
import pyarrow.parquet
import xlsxwriter

from tests.tables import Rows, write_csv, write_table

TEXTS = [f"{word} {thing}" for thing in ("film", "café – “bar”", "book, really") for word in ("great", "dull", "so-so")]
LABELS = ["pos", "neg", "neutral"] * 3
ROWS: Rows = [["text", "label"], *([text, label] for text, label in zip(TEXTS, LABELS, strict=True))]


@dataclass(frozen=True)
class OddFile:
    """A file with nine labelled texts, or fewer, and what becomes of it.

    Attributes:
        name: name of the file.
        write: function that writes it to a path.
        refused: part of the message with which training and evaluation refuse it; empty if they read it.
        file_refused: the same of `--file`.
        scored: number of rows that `--file` gives a verdict.
    """

    name: str
    write: Callable[[Path], object]
    refused: str = ""
    file_refused: str = ""
    scored: int = len(TEXTS)


def write_bytes(content: str, encoding: str = "utf-8") -> Callable[[Path], object]:
    """Return a function that writes a text as it is."""
    return lambda path: path.write_bytes(content.encode(encoding))


def join_lines(rows: Rows, between: str = ",") -> str:
    """Return rows without quotes."""
    return "".join(between.join(map(str, row)) + "\n" for row in rows)


def write_formula(path: Path) -> None:
    """Write a workbook with a formula whose value was never computed."""
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate(ROWS):
            sheet.write_row(number, 0, row)
        sheet.write_formula(3, 0, '=CONCATENATE("a", "b")', value="")


def write_two_sheets(path: Path) -> None:
    """Write a workbook with notes on its second sheet."""
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("Data")
        for number, row in enumerate(ROWS):
            sheet.write_row(number, 0, row)
        book.add_worksheet("Notes").write(0, 0, "not data")


def write_large_strings(path: Path) -> None:
    """Write Parquet with the types that pandas and polars choose."""
    texts, labels = pyarrow.array(TEXTS, pyarrow.large_string()), pyarrow.array(LABELS).dictionary_encode()
    pyarrow.parquet.write_table(pyarrow.table({"text": texts, "label": labels}), path)


def rename_workbook(path: Path) -> None:
    """Write a workbook under another name."""
    write_table(path.with_suffix(".xlsx"), ROWS).rename(path)


def json_lines(records: Sequence[Mapping[str, object]]) -> str:
    """Return records as JSON lines."""
    return "".join(json.dumps(record) + "\n" for record in records)


RECORDS = [{"text": text, "label": label} for text, label in zip(TEXTS, LABELS, strict=True)]
PLAIN = [["text", "label"], *([str(text).replace(",", ""), label] for text, label in ROWS[1:])]
BROKEN = [ROWS[0], *([f"{text}\nand more", label] for text, label in ROWS[1:])]
EMPTY = "the file is empty"
WORKBOOK = "it is an XLSX workbook or another archive; let a workbook's name end in .xlsx"

ODD_FILES = [
    OddFile("semicolons.csv", lambda path: write_csv(path, ROWS, delimiter=";")),
    OddFile("bars.csv", lambda path: write_csv(path, ROWS, delimiter="|")),
    OddFile("windows_1252.csv", lambda path: write_csv(path, ROWS, "cp1252")),
    OddFile("utf_16_with_tabs.csv", lambda path: write_csv(path, ROWS, "utf-16", "\t")),
    OddFile("byte_order_mark.tsv", lambda path: write_csv(path, ROWS, "utf-8-sig", "\t")),
    OddFile("carriage_returns.csv", write_bytes(join_lines(PLAIN).replace("\n", "\r"))),
    OddFile("line_for_excel.csv", write_bytes("sep=^\n" + join_lines(ROWS, "^"))),
    OddFile("comment.csv", write_bytes("# exported 2026-01-02 by X\n" + join_lines(PLAIN))),
    OddFile("capitals.CSV", lambda path: write_csv(path, ROWS)),
    OddFile("no_header.csv", write_bytes(join_lines(PLAIN[1:]))),
    OddFile("line_breaks_in_quotes.csv", lambda path: write_csv(path, BROKEN)),
    OddFile("empty_cells.csv", write_bytes(join_lines([*PLAIN, ["", "pos"], ["no label", ""]])), scored=10),
    OddFile("blank_lines.csv", write_bytes(join_lines(PLAIN).replace("\n", "\n\n"))),
    OddFile("two_sheets.xlsx", write_two_sheets),
    OddFile("large_strings.parquet", write_large_strings),
    OddFile("lists_of_one.jsonl", write_bytes(json_lines([row | {"label": [row["label"]]} for row in RECORDS]))),
    OddFile("utf_16.jsonl", write_bytes(json_lines(RECORDS), "utf-16")),
    OddFile("one_label_in_a_list.jsonl", write_bytes(json_lines([RECORDS[0] | {"label": ["pos"]}, *RECORDS[1:]]))),
    OddFile(
        "broken_line.jsonl",
        write_bytes(json_lines(RECORDS[:-1]) + '{"text": "so-so'),
        "row 9: not a JSON object; correct or remove this line",
        scored=8,
    ),
    OddFile("array.json", write_bytes(json.dumps(RECORDS)), file_refused="write one object per line instead"),
    OddFile("unquoted_commas.csv", write_bytes(join_lines(ROWS)), "row 7: 3 cells .*; put texts in quotes", scored=6),
    OddFile("formula.xlsx", write_formula, "row 3: a formula .* and save it", scored=8),
    OddFile("renamed_workbook.csv", rename_workbook, WORKBOOK, WORKBOOK),
    OddFile("empty.csv", write_bytes(""), EMPTY, EMPTY),
]
