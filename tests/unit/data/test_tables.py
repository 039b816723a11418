"""Whatever `--file` scores can be trained on: odd tables are read as meant, or refused with what to do."""

import json
from pathlib import Path

import pytest

from sentiment_gru import DatasetError
from sentiment_gru.data.sources import load_splits
from tests.tables import write_csv, write_table

ROWS = [["text", "label"], ["a “fine” café", "pos"], ["dull, long", "neg"], ["so-so – really", "neg"]]
EXPECTED = [{"text": text, "label": label} for text, label in ROWS[1:]]


def rows_of(path: Path) -> list[dict[str, object]]:
    (rows,) = load_splits(str(path)).values()
    return rows.to_list()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le", "utf-32"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters_and_encodings_are_detected(tmp_path: Path, encoding: str, delimiter: str) -> None:
    assert rows_of(write_csv(tmp_path / "r.csv", ROWS, encoding, delimiter)) == EXPECTED


@pytest.mark.parametrize("name", ["r.xlsx", "r.tsv", "r.jsonl", "r.parquet"])
def test_every_format_gives_the_same_rows(tmp_path: Path, name: str) -> None:
    assert rows_of(write_table(tmp_path / name, ROWS)) == EXPECTED


@pytest.mark.parametrize("encoding", ["utf-16", "cp1252"])
def test_json_lines_in_other_encodings_are_read(tmp_path: Path, encoding: str) -> None:
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in EXPECTED)
    (tmp_path / "r.jsonl").write_text(lines, encoding=encoding)
    assert rows_of(tmp_path / "r.jsonl") == EXPECTED


@pytest.mark.parametrize(
    ("rows", "columns"),
    [
        ([["text", "stars"], ["a", 1], ["b", None], ["c", 5]], {"text": ["a", "b", "c"], "stars": [1, None, 5]}),
        ([["text", "stars"], ["a", 1.5], ["b", 2]], {"text": ["a", "b"], "stars": [1.5, 2.0]}),
        ([["text", "code"], ["a", "007"], ["b", "1"]], {"text": ["a", "b"], "code": ["007", "1"]}),
        ([["text", "label"], ["1984", "1"], ["b", "pos"]], {"text": ["1984", "b"], "label": ["1", "pos"]}),
    ],
)
@pytest.mark.parametrize("name", ["r.csv", "r.xlsx"])
def test_a_column_of_numbers_holds_numbers(
    tmp_path: Path, name: str, rows: list[list[object]], columns: dict[str, list[object]]
) -> None:
    (found,) = load_splits(str(write_table(tmp_path / name, rows))).values()
    assert found.to_dict() == columns


def test_a_file_without_a_header_gets_numbered_columns(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("good film,1\nbad film,0\n")
    assert rows_of(tmp_path / "r.csv")[0] == {"column 1": "good film", "column 2": 1}


def test_a_plain_folder_of_odd_files_has_a_split_for_each(tmp_path: Path) -> None:
    write_csv(tmp_path / "train.csv", ROWS, "cp1252", ";")
    write_table(tmp_path / "test.xlsx", ROWS[:2])
    write_table(tmp_path / "dev.jsonl", ROWS[:3])
    splits = load_splits(str(tmp_path))
    assert {name: split.to_list() for name, split in splits.items()} == {
        "train": EXPECTED,
        "test": EXPECTED[:1],
        "validation": EXPECTED[:2],
    }


def test_a_broken_file_of_a_folder_is_named(tmp_path: Path) -> None:
    write_csv(tmp_path / "train.csv", ROWS)
    (tmp_path / "test.jsonl").write_text('{"text": \n')
    with pytest.raises(DatasetError, match=f"{tmp_path}/test.jsonl: no line of the file is a JSON object"):
        load_splits(str(tmp_path))


def test_a_row_whose_cells_do_not_fit_is_named(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("text;label\nfine;pos\ndull; long;neg\n")
    with pytest.raises(DatasetError, match=r"r.csv, row 2: 3 cells where there are 2 columns; put texts in quotes"):
        load_splits(str(tmp_path / "r.csv"))
