"""Files that are read, and files that are refused in words a person can act on."""

import csv
import tracemalloc
import zipfile
from datetime import datetime
from pathlib import Path

import openpyxl
import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentiment_gru import FileError
from sentiment_gru.files.formats import SUFFIXES, read_table
from sentiment_gru.files.table import UNCOMPUTED, Limits, Table, looks_like_header, unique_names
from tests.tables import write_csv, write_table

HEADER_AND_ROWS = [["id", "text"], ["a", "a great film"], ["b", "dull, and long"]]


def cells(table: Table) -> list[list[object]]:
    return [row.cells for row in table.content.read()]


def problems(table: Table) -> list[str]:
    return [row.problem for row in table.content.read()]


def refusal(path: Path, data: bytes | None = None, limits: Limits | None = None) -> str:
    """Return why a file is refused."""
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(FileError) as caught:
        read_table(path, limits)
    return str(caught.value)


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".xlsx", ".jsonl", ".parquet"])
def test_every_format_gives_the_same_table(tmp_path: Path, suffix: str) -> None:
    table = read_table(write_table(tmp_path / f"in{suffix}", HEADER_AND_ROWS))
    assert table.columns == ["id", "text"]
    assert table.rows == 2
    assert cells(table) == table.preview == HEADER_AND_ROWS[1:]
    assert cells(table) == cells(table)
    assert table.notes == ()
    assert table.likely_text_column() == "text"
    assert table.likely_label_column() is None


def test_plain_lines_have_one_column_and_blank_lines_stay(tmp_path: Path) -> None:
    path = tmp_path / "in.txt"
    path.write_bytes(b"one\r\n\r\nthree, =4")
    table = read_table(path)
    assert table.columns == ["text"]
    assert cells(table) == [["one"], [""], ["three, =4"]]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("suffix", [".csv", ".txt", ".jsonl"])
def test_unicode_is_found_with_and_without_its_mark(tmp_path: Path, encoding: str, suffix: str) -> None:
    path = tmp_path / f"in{suffix}"
    lines = {".csv": 'text\n"café 😀"\n', ".txt": "café 😀\n", ".jsonl": '{"text": "café 😀"}\n'}
    path.write_text(lines[suffix], encoding=encoding)
    assert cells(read_table(path)) == [["café 😀"]]
    assert read_table(path).notes == ()


@pytest.mark.parametrize(
    ("data", "name"), [("“naïve”".encode("cp1252"), "Windows-1252"), (b"\x81 na\xefve", "Latin-1")]
)
def test_text_that_is_not_utf8_is_read_and_told(tmp_path: Path, data: bytes, name: str) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes(b"text\n" + data + b"\n")
    table = read_table(path)
    assert table.notes == (f"It is not UTF-8 text, and was read as {name}.",)
    assert "naïve" in str(cells(table)[0][0])


def test_text_that_is_not_utf8_only_at_its_very_end_is_read(tmp_path: Path) -> None:
    path = tmp_path / "in.txt"
    path.write_bytes(b"fine\n" * 50_000 + b"caf\xe9\n")
    assert cells(read_table(path))[-1] == ["café"]


def test_utf16_that_breaks_off_is_refused(tmp_path: Path) -> None:
    assert "UTF-16" in refusal(tmp_path / "in.csv", "text\na".encode("utf-16") + b"\x00")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("suffix", [".csv", ".tsv"])
def test_the_delimiter_is_found_whatever_the_name_says(tmp_path: Path, delimiter: str, suffix: str) -> None:
    rows = [["id", "text"], ["1", "a, b; c"], ["2", "d | e, f\tg"], ["3", 'said "h"\nand i']]
    assert cells(read_table(write_csv(tmp_path / f"in{suffix}", rows, delimiter=delimiter))) == rows[1:]


SKIPPED = "Its first line states the delimiter and was skipped."
SEMICOLONS = "Its columns are separated by semicolons."


@pytest.mark.parametrize(
    ("start", "delimiter", "notes"),
    [
        ("sep=;\n", ";", (SKIPPED, SEMICOLONS)),
        ("SEP=;\r\n", ";", (SKIPPED, SEMICOLONS)),
        ("\ufeffsep=;\r", ";", (SKIPPED, SEMICOLONS)),
        ("sep=\t\n", "\t", (SKIPPED, "Its columns are separated by tabs.")),
        ("sep=,\n", ",", (SKIPPED,)),
        ("sep=^\n", "^", (SKIPPED,)),
    ],
)
def test_a_line_for_excel_sets_the_delimiter(
    tmp_path: Path, start: str, delimiter: str, notes: tuple[str, ...]
) -> None:
    path = tmp_path / "in.csv"
    lines = (f"text{delimiter}label", f'"good{delimiter} film"{delimiter}a', f"b | c | d{delimiter}b", "")
    path.write_bytes((start + "\n".join(lines)).encode())
    table = read_table(path)
    assert table.columns == ["text", "label"]
    assert cells(table) == [[f"good{delimiter} film", "a"], ["b | c | d", "b"]]
    assert table.notes == notes


def test_a_file_of_the_line_for_excel_alone_is_empty(tmp_path: Path) -> None:
    assert refusal(tmp_path / "in.csv", b"sep=;\n") == "the file is empty"


def test_a_cell_that_is_too_long_is_named_by_its_line_of_the_file(tmp_path: Path) -> None:
    limit = csv.field_size_limit(100)
    try:
        assert "line 4 " in refusal(tmp_path / "in.csv", b"sep=;\ntext;label\nfine;a\n" + b"x" * 200)
    finally:
        csv.field_size_limit(limit)


@pytest.mark.parametrize(
    ("content", "columns", "count"),
    [
        ("# exported 2026-01-02 by X\ntext,label\ngood,a\nbad,b\n", ["text", "label"], 1),
        ("#X\r# on the 2nd of May\r\rid;Kommentar;Label\r1;good, fine;a\r", ["id", "Kommentar", "Label"], 2),
        ("# by X,,\nid,text,label\n1,good,a\n", ["id", "text", "label"], 1),
        ("# by X, version 2\nid,text,label\n1,good,a\n", ["id", "text", "label"], 1),
        ("sep=;\n# by X\ntext; label\ngood;a\n", ["text", "label"], 1),
        ("# by X\ntext\ngood, fine\n", ["text"], 1),
    ],
)
def test_comments_above_the_names_are_skipped(tmp_path: Path, content: str, columns: list[str], count: int) -> None:
    path = tmp_path / "in.csv"
    path.write_text(content, newline="")
    table = read_table(path)
    assert table.columns == columns
    assert "good" in str(table.preview[0])
    assert f"Lines that begin with # above its column names were skipped: {count}." in table.notes


@pytest.mark.parametrize(
    ("content", "columns", "rows"),
    [
        ("#,text,label\n1,good,a\n2,bad,b\n", ["#", "text", "label"], 2),
        ("#,text,label\n#1,good,a\n#2,bad,b\n", ["#", "text", "label"], 2),
        ("#id;kommentar\n1;good\n2;bad\n", ["#id", "kommentar"], 2),
        ("#sunset at the beach\n#love it\nfine\n", ["column 1"], 3),
        ("#sunset at the beach\n#love it, really\ngood, but long\nnice, and short\n", ["column 1"], 4),
        ("#sunset\n#love\n", ["column 1"], 2),
    ],
)
def test_names_and_texts_that_begin_with_a_number_sign_stay(
    tmp_path: Path, content: str, columns: list[str], rows: int
) -> None:
    path = tmp_path / "in.csv"
    path.write_text(content)
    table = read_table(path)
    assert (table.columns, table.rows) == (columns, rows)
    assert not any("skipped:" in note for note in table.notes)


@pytest.mark.parametrize(
    "content", ["# by X\nkommentar;klasse\ngood;a\nbad;b\n", "# by X, version 2\ntext,label\ngood,a\nbad,b\n"]
)
def test_a_line_that_may_be_a_comment_is_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / "in.csv"
    path.write_text(content)
    told = "Its first line begins with # and was not skipped; if it is a comment, remove it."
    assert told in read_table(path).notes


def test_one_column_needs_no_delimiter(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_text('text\nGood, but long\n"Quoted, twice"\n')
    assert cells(read_table(path)) == [["Good, but long"], ["Quoted, twice"]]


def test_ragged_rows_get_a_problem_and_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_text("id,text,stars\n1,fine,5\n2,good, but long,4\n3\n\n4,fine,5\n")
    table = read_table(path)
    assert cells(table)[1:3] == [["2", "good", " but long,4"], ["3", None, None]]
    assert problems(table) == ["", "4 cells where there are 3 columns", "1 cells where there are 3 columns", ""]


@pytest.mark.parametrize(
    ("first", "header"),
    [
        (["id", "text"], True),
        (["How was it?", "Would you come again? Please tell us why, in as many words as you like."], True),
        (["", "text"], True),
        (["review"], True),
        (["1", "I loved it"], False),
        ([4.5, "I loved it"], False),
        (["positive", "I loved it"], False),
        (["I loved it."], False),
        (["#sunset at the beach"], False),
        (["#", "text"], True),
        ([None, " "], False),
    ],
)
def test_names_are_told_from_data(first: list[object], header: bool) -> None:
    assert looks_like_header(first) is header


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_a_file_without_header_gets_names_and_the_choice_can_be_turned(tmp_path: Path, suffix: str) -> None:
    path = write_table(tmp_path / f"in{suffix}", [["positive", "a great film"], ["negative", "dull"]])
    assert read_table(path).columns == ["column 1", "column 2"]
    assert read_table(path).rows == 2
    turned = read_table(path, header=True)
    assert turned.columns == ["positive", "a great film"]
    assert turned.rows == 1


def test_names_that_come_twice_get_a_number_and_it_is_told(tmp_path: Path) -> None:
    table = read_table(write_csv(tmp_path / "in.csv", [["text", "", "text", "text"], ["a", "b", "c", "d"]]))
    assert table.columns == ["text", "column 2", "text (2)", "text (3)"]
    assert "called “text”" in table.notes[0]


@given(st.lists(st.sampled_from(["a", "b", "a (2)", " a", "", "column 2"]) | st.text(max_size=3), max_size=8))
def test_names_are_always_unique(names: list[str]) -> None:
    unique, _ = unique_names(names)
    assert len(unique) == len(set(unique)) == len(names)
    assert all(unique)


def test_a_column_that_is_not_there_is_named_with_those_that_are(tmp_path: Path) -> None:
    table = read_table(write_csv(tmp_path / "in.csv", HEADER_AND_ROWS))
    with pytest.raises(FileError, match="no text column 'review' in this file, only 'id', 'text'"):
        table.index("review", "text column")


def test_ten_megabytes_in_one_cell_are_read(tmp_path: Path) -> None:
    table = read_table(write_csv(tmp_path / "in.csv", [["id", "text"], ["a", "x" * 10_000_000], ["b", "fine"]]))
    assert len(str(cells(table)[0][1])) == 10_000_000
    assert len(table.preview[0][1]) < 1_000


def test_a_cell_without_end_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_text('id,text\n1,"never closed\n' + "x" * 34_000_000)
    assert "is a quote not closed?" in refusal(path)


def test_zero_bytes_are_kept_and_stop_nothing(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes(b"id,text\n1,a great \x00film that goes on for a while\n2,fine\n")
    assert cells(read_table(path))[0][1] == "a great \x00film that goes on for a while"


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_empty_file_is_refused(tmp_path: Path, suffix: str) -> None:
    assert refusal(tmp_path / f"in{suffix}", b"") == "the file is empty"


def test_a_file_with_nothing_but_names_is_refused(tmp_path: Path) -> None:
    for suffix in (".csv", ".xlsx"):
        assert "no rows below its column names" in refusal(write_table(tmp_path / f"in{suffix}", [["id", "text"]]))
    assert "no line" in refusal(tmp_path / "in.jsonl", b"\n\n")
    assert "the file is empty" in refusal(tmp_path / "in.csv", b"\n\n")


def test_too_large_a_file_and_too_many_rows_and_columns_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "in.txt"
    assert "2 MB; up to 1 MB" in refusal(path, b"fine\n" * 400_000, Limits(megabytes=1))
    assert "more than 99 rows" in refusal(path, b"fine\n" * 100, Limits(rows=99))
    assert read_table(path, Limits(rows=100)).rows == 100
    assert "1,001 columns" in refusal(write_csv(tmp_path / "in.csv", [["x"] * 1_001, ["y"] * 1_001]))


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("in.csv", b"\x89PNG\r\n\x1a\n" + bytes(99), "ends in .csv, but it is a picture"),
        ("in.csv", b"PK\x03\x04" + bytes(99), "an XLSX workbook"),
        ("in.jsonl", b"PAR1" + bytes(99), "a Parquet file"),
        ("in.xlsx", b"id,text\n1,fine\n", "something else"),
        ("in.xlsx", b"\xd0\xcf\x11\xe0" + bytes(99), "password"),
        ("in.parquet", b"PK\x03\x04" + bytes(99), "an XLSX workbook"),
        ("in.parquet", b"PAR1" + bytes(99), "not a complete Parquet file"),
        ("in.xlsx", b"PK\x03\x04" + bytes(99), "not a complete XLSX workbook"),
        ("in.csv", bytes(range(32)) * 99, "does not hold text"),
        ("in.docx", b"PK\x03\x04", "ends in '.docx'"),
        ("in.json", b'[{"text": "a"}]', "one JSON array"),
        ("in.jsonl", b"text\nfine\n", "no line of the file is a JSON object"),
    ],
)
def test_a_file_that_is_not_what_its_name_says_is_refused(tmp_path: Path, name: str, data: bytes, told: str) -> None:
    assert told in refusal(tmp_path / name, data)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert "cannot be read" in refusal(tmp_path / "no.csv")
    (tmp_path / "folder.csv").mkdir()
    assert "cannot be read" in refusal(tmp_path / "folder.csv")


def test_json_lines_have_the_keys_of_all_lines_and_bad_lines_get_a_problem(tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    path.write_text('{"text": "a", "n": 1}\n{"text": \n[1]\n\n{"more": [1, null], "text": "\\ud800"}\n{"n": NaN}\n')
    table = read_table(path)
    assert table.columns == ["text", "n", "more"]
    assert cells(table) == [["a", 1, None], [None] * 3, [None] * 3, ["?", None, [1, None]], [None] * 3]
    assert problems(table) == ["", "not a JSON object", "not a JSON object", "", ""]


def test_a_deeply_nested_line_is_a_bad_line(tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    path.write_text('{"text": "a"}\n{"text": ' + "[" * 200_000 + "\n")
    assert problems(read_table(path)) == ["", "not a JSON object"]


def test_an_archive_that_says_it_unpacks_to_too_much_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "x")
        for number in range(3):
            archive.writestr(f"xl/worksheets/sheet{number}.xml", bytes(40_000_000))
    assert path.stat().st_size < 1_000_000
    tracemalloc.start()
    message = refusal(path, limits=Limits(unpacked_megabytes=100))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "unpacks to 120 MB; up to 100 MB" in message
    assert peak < 5_000_000


def test_an_archive_that_is_no_workbook_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "in.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "hello")
    assert "not an XLSX workbook" in refusal(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("[Content_Types].xml", "hello")
    assert "not a complete XLSX workbook" in refusal(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("[Content_Types].xml", "hello")
        archive.filelist[0].extract_version = 126  # a version of ZIP that does not exist
    assert "not a complete XLSX workbook" in refusal(path)


def test_formulas_that_were_never_computed_are_told_from_empty_cells(tmp_path: Path) -> None:
    workbook = openpyxl.Workbook()
    workbook.active.append(["id", "text"])
    workbook.active.append([1, '="a " & "film"'])
    workbook.active.append([2, None])
    workbook.save(tmp_path / "in.xlsx")
    assert cells(read_table(tmp_path / "in.xlsx")) == [[1, UNCOMPUTED], [2, None]]


def test_a_workbook_keeps_its_types_and_its_empty_rows(tmp_path: Path) -> None:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    rows = [["id", "text", "when"], [1, "=not computed", datetime(2024, 2, 29, 8)], [], [2.5, "fine", None]]
    for row in rows:
        sheet.append(row)
    sheet["B2"].data_type = "s"
    sheet["A40"] = None
    sheet.row_dimensions[40].height = 30
    workbook.create_sheet("Notes")
    workbook.save(tmp_path / "in.xlsx")
    table = read_table(tmp_path / "in.xlsx")
    assert cells(table) == [rows[1], [None] * 3, rows[3]]
    assert table.notes == ("Of its 2 sheets, the first was read: “Sheet”.",)


def test_rows_that_a_workbook_only_claims_to_have_cost_nothing(tmp_path: Path) -> None:
    path, claiming = tmp_path / "in.xlsx", tmp_path / "claiming.xlsx"
    write_table(path, HEADER_AND_ROWS)
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(claiming, "w") as target:
        for entry in source.infolist():
            target.writestr(entry, source.read(entry).replace(b'r="3"', b'r="900000000"'))
    assert "1,048,576 rows" in refusal(claiming)


def test_parquet_keeps_its_types(tmp_path: Path) -> None:
    columns = {"text": ["a", None], "n": [1, 2], "list": [[1.5], []]}
    pyarrow.parquet.write_table(pyarrow.table(columns), tmp_path / "in.parquet")
    table = read_table(tmp_path / "in.parquet")
    assert cells(table) == [["a", 1, [1.5]], [None, 2, []]]
    assert [str(kind) for kind in table.content.schema.types] == ["string", "int64", "list<element: double>"]


def test_a_parquet_cell_that_cannot_be_read_spoils_its_row_alone(tmp_path: Path) -> None:
    garbled = pyarrow.array([b"a", b"\xf1\x00", b"c"], pyarrow.binary()).cast(pyarrow.string(), safe=False)
    beyond = pyarrow.array([0, 0, 10**15], pyarrow.int64()).cast(pyarrow.timestamp("ms"))
    pyarrow.parquet.write_table(pyarrow.table({"text": garbled, "when": beyond}), tmp_path / "in.parquet")
    table = read_table(tmp_path / "in.parquet")
    assert problems(table) == ["", "a cell cannot be read", "a cell cannot be read"]
    assert [row[0] for row in cells(table)] == ["a", None, "c"]


def test_a_parquet_file_whose_names_are_garbled_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "in.parquet"
    pyarrow.parquet.write_table(pyarrow.table({"comment": ["fine"]}), path, store_schema=False)
    assert "not a complete Parquet file" in refusal(path, path.read_bytes().replace(b"comment", b"c\xebmment"))


def test_a_long_text_stored_once_for_many_rows_is_not_unpacked_for_all(tmp_path: Path) -> None:
    text = pyarrow.DictionaryArray.from_arrays(pyarrow.array([0] * 300, pyarrow.int32()), ["x" * 1_000_000])
    pyarrow.parquet.write_table(pyarrow.table({"text": text.cast(pyarrow.string())}), tmp_path / "in.parquet")
    tracemalloc.start()
    assert sum(1 for _ in read_table(tmp_path / "in.parquet").content.read()) == 300
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 50_000_000
