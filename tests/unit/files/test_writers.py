"""Written files: they can be read again, and run nothing in a spreadsheet program."""

import csv
import json
import math
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import openpyxl
import pyarrow
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentiment_gru import FileError
from sentiment_gru.files.formats import read_table
from sentiment_gru.files.table import NUMBER, UNCOMPUTED
from sentiment_gru.files.writers import OUTPUT_SUFFIXES, XLSX_CELL, XlsxWriter, escape_formula, open_writer

COLUMNS = ["text", "n"]


def write(path: Path, rows: list[list[object]], columns: list[str] = COLUMNS, marked: bool = False) -> Path:
    writer = open_writer(path, path.suffix, columns, ["string"] * len(columns), marked)
    writer.write(rows[:1])
    writer.write(rows[1:])
    writer.close()
    return path


# Without lone surrogates, which no encoding has; without a mark, which does not belong to a text; and with few of the
# escapes of XLSX, which XlsxWriter does not see where two of them share an underscore.
characters = st.characters(codec="utf-8", exclude_characters="\ufeff", exclude_categories=["Cc"])
samples = [
    "=1+1",
    "-5",
    "\r",
    "\n",
    '"',
    ",",
    "a\r\nb",
    "\x00",
    "\x1f",
    "_x0041_",
    "#N/A",
    "😀",
    "1e5",
]
texts = st.text(characters).filter(lambda text: "_x" not in text) | st.sampled_from(samples)


@settings(max_examples=50)
@given(st.lists(texts, min_size=1, max_size=5), st.sampled_from(OUTPUT_SUFFIXES))
def test_texts_come_back_as_they_were(drawn: list[str], suffix: str) -> None:
    rows = [["row", text] for text in drawn]
    with TemporaryDirectory() as folder:
        path = write(Path(folder, f"out{suffix}"), rows, ["kind", "text"])
        table = read_table(path, header=True)
        back = [row.cells[1] for row in table.content.read()]
    if suffix in (".csv", ".tsv"):
        assert back == [escape_formula(text) for text in drawn]
    else:
        assert [cell or "" for cell in back] == drawn


@settings(max_examples=50)
@given(
    st.lists(
        st.dictionaries(
            st.sampled_from("abc"),
            st.none()
            | st.booleans()
            | st.integers(-(2**70), 2**70)
            | st.floats(allow_nan=False)
            | texts
            | st.lists(texts),
            min_size=3,
        ),
        min_size=1,
        max_size=5,
    )
)
def test_json_values_come_back_with_their_types(records: list[dict[str, object]]) -> None:
    with TemporaryDirectory() as folder:
        source = Path(folder, "in.jsonl")
        source.write_text("".join(json.dumps(record) + "\n" for record in records))
        table = read_table(source)
        rows = [row.cells for row in table.content.read()]
        path = write(Path(folder, "out.jsonl"), rows, table.columns)
        back = [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]
    finite = [
        {k: None if isinstance(v, float) and math.isinf(v) else v for k, v in record.items()} for record in records
    ]
    assert back == finite


@given(texts)
def test_no_cell_of_csv_is_a_formula(text: str) -> None:
    safe = escape_formula(text)
    assert NUMBER.fullmatch(safe) or not safe.startswith(("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠"))
    assert safe in (text, "'" + text)


@pytest.mark.parametrize("number", ["-5", "+3.5", "-1,234.5", "-.5", "5%", "-2e-7"])
def test_a_number_is_not_changed(number: str) -> None:
    assert escape_formula(number) == number


@pytest.mark.parametrize(
    "text", ["=1+1", "+cmd|' /C calc'!A0", "-1+1", "@SUM(A1)", "\tx", "\rx", "-", "--5", "＝1+1", "＋1", "－1", "＠A1"]
)
def test_what_could_run_is_escaped_in_names_and_cells(tmp_path: Path, text: str) -> None:
    for suffix in (".csv", ".tsv"):
        with write(tmp_path / f"out{suffix}", [[text, -5]], [text, "n"]).open(newline="", encoding="utf-8") as file:
            rows = list(csv.reader(file, delimiter="\t" if suffix == ".tsv" else ","))
        assert rows == [["'" + text, "n"], ["'" + text, "-5"]]


def test_no_cell_of_a_workbook_is_a_formula_or_a_link(tmp_path: Path) -> None:
    texts = ["=1+1", "https://example.org", "{=A1}", "#N/A"]
    sheet = openpyxl.load_workbook(write(tmp_path / "out.xlsx", [[text, "=2"] for text in texts]))["Scored"]
    for row, text in zip(sheet.iter_rows(min_row=2), texts, strict=True):
        assert row[0].value == text
        assert row[0].data_type in ("s", "inlineStr")
        assert row[0].hyperlink is None


def test_a_workbook_gets_numbers_truth_values_dates_and_nothing(tmp_path: Path) -> None:
    values = [1, 2.5, True, None, math.nan, UNCOMPUTED, datetime(2024, 2, 29, 8), datetime(1066, 10, 14), 2**60, [1]]
    rows = [[value, "x"] for value in values]
    sheet = openpyxl.load_workbook(write(tmp_path / "out.xlsx", rows))["Scored"]
    assert [row[0] for row in sheet.iter_rows(min_row=2, values_only=True)] == [
        *[1, 2.5, True, None, None, None, datetime(2024, 2, 29, 8), "1066-10-14 00:00:00", str(2**60), "[1]"]
    ]


def test_what_a_workbook_cannot_hold_is_cut_or_refused(tmp_path: Path) -> None:
    sheet = openpyxl.load_workbook(write(tmp_path / "out.xlsx", [["x" * 40_000, 1]]))["Scored"]
    assert len(sheet["A2"].value) == XLSX_CELL
    with pytest.raises(FileError, match="16,385 columns do not fit"):
        XlsxWriter(tmp_path / "wide.xlsx", ["x"] * 16_385)
    writer = XlsxWriter(tmp_path / "long.xlsx", ["text"])
    with pytest.raises(FileError, match="1,048,575 rows do not fit"):
        writer.write([["x"]] * 1_048_576)
    writer.close()


def test_a_mark_is_written_where_the_source_had_one(tmp_path: Path) -> None:
    assert write(tmp_path / "out.csv", [["ü", 1]], marked=True).read_bytes().startswith(b"\xef\xbb\xbftext,")
    assert write(tmp_path / "out.csv", [["ü", 1]]).read_bytes().startswith(b"text,")


def test_parquet_keeps_the_types_it_is_told(tmp_path: Path) -> None:
    kinds = [pyarrow.string(), pyarrow.list_(pyarrow.int32())]
    writer = open_writer(tmp_path / "out.parquet", ".parquet", COLUMNS, kinds, marked=False)
    writer.write([["a", [1, 2]], [None, None]])
    writer.close()
    table = read_table(tmp_path / "out.parquet")
    assert [str(kind) for kind in table.content.schema.types] == ["string", "list<element: int32>"]
    assert [row.cells for row in table.content.read()] == [["a", [1, 2]], [None, None]]
