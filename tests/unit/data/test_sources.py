"""Files, tables, folders and Hub ids are opened, or refused in a line that says what to do."""

import gzip
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from datasets import Dataset, DatasetDict

from sentiment_gru import DatasetError
from sentiment_gru.data.sources import distinct_names, load_splits
from tests.conftest import REPOSITORY, write_dataset
from tests.tables import write_csv, write_table

ROWS = [{"text": f"text number {i}", "label": "pos" if i % 2 else "neg"} for i in range(40)]


TABLE = [["text", "label"], ["a “fine” café", "pos"], ["dull, long", "neg"], ["so-so – really", "neg"]]
EXPECTED = [{"text": text, "label": label} for text, label in TABLE[1:]]


def texts_of(source: Path | str) -> list[object]:
    return list(load_splits(str(source))["train"]["text"])


@pytest.mark.parametrize("name", ["r.csv", "r.TSV", "r.json", "r.jsonl", "r.ndjson", "r.parquet"])
def test_one_file_of_any_kind_is_a_train_split(tmp_path: Path, name: str) -> None:
    table, path = Dataset.from_list(ROWS), tmp_path / name
    if path.suffix == ".parquet":
        table.to_parquet(path)
    elif path.suffix.endswith(("json", "jsonl")):
        table.to_json(path, lines=path.suffix != ".json")
    else:
        table.to_csv(path, sep="\t" if path.suffix == ".TSV" else ",", index=False)
    splits = load_splits(str(path))
    assert list(splits) == ["train"]
    assert splits["train"].to_list() == ROWS


def test_a_folder_of_csv_files_has_a_split_per_file(tmp_path: Path) -> None:
    for name in ("train", "dev", "test"):
        (tmp_path / f"{name}.csv").write_text(f"text,label\n{name} text,1\n")
    splits = load_splits(str(tmp_path))
    assert {name: split["text"][0] for name, split in splits.items()} == {
        "train": "train text",
        "validation": "dev text",
        "test": "test text",
    }


def test_a_folder_saved_to_disk_is_read(tmp_path: Path) -> None:
    DatasetDict({"train": Dataset.from_list(ROWS)}).save_to_disk(tmp_path / "saved")
    assert texts_of(tmp_path / "saved") == [row["text"] for row in ROWS]
    Dataset.from_list(ROWS).save_to_disk(tmp_path / "one_split")
    assert texts_of(tmp_path / "one_split") == [row["text"] for row in ROWS]


def test_a_folder_may_have_a_colon_in_its_name(tmp_path: Path) -> None:
    write_dataset(tmp_path / "2024:05", train=ROWS)
    assert texts_of(tmp_path / "2024:05") == [row["text"] for row in ROWS]


def test_a_folder_whose_files_have_different_columns_is_refused_in_words(tmp_path: Path) -> None:
    write_csv(tmp_path / "train.csv", [["text", "label"], ["a", "b"]])
    write_csv(tmp_path / "test.csv", [["sentence", "label"], ["a", "b"]])
    with pytest.raises(DatasetError, match="its files have different columns; give the columns the same names"):
        load_splits(str(tmp_path))


def test_json_lines_whose_labels_differ_in_type_are_read(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    path.write_text("".join(json.dumps({"text": "a", "label": label}) + "\n" for label in ("joy", 5, 2.5, True)))
    assert load_splits(str(path))["train"]["label"][:] == ["joy", "5", "2.5", "True"]
    path.write_text("".join(json.dumps({"text": "a", "label": label}) + "\n" for label in ("joy", ["joy", 5], None)))
    assert load_splits(str(path))["train"]["label"][:] == [["joy"], ["joy", "5"], None]


def test_columns_of_objects_that_differ_are_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "r.jsonl").write_text('{"text": "é", "more": {"a": 1}}\n{"text": "b", "more": {"a": "x"}}\n', "utf-16")
    with pytest.raises(DatasetError, match=r"r\.jsonl: the cells of the column 'more' have different types"):
        load_splits(str(tmp_path / "r.jsonl"))


def test_what_was_detected_in_a_table_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_csv(tmp_path / "r.csv", TABLE, "cp1252")
    load_splits(str(tmp_path / "r.csv"))
    assert "r.csv: It is not UTF-8 text, and was read as Windows-1252." in capsys.readouterr().err


def test_a_configuration_of_a_local_folder_is_chosen_after_a_colon(tmp_path: Path) -> None:
    configs = "".join(f"- {{config_name: {name}, data_files: {name}.jsonl}}\n" for name in ("one", "two"))
    write_dataset(tmp_path / "d", one=ROWS[:3], two=ROWS[3:])
    (tmp_path / "d" / "README.md").write_text(f"---\nconfigs:\n{configs}---\n")
    assert texts_of(f"{tmp_path / 'd'}:two") == [row["text"] for row in ROWS[3:]]
    with pytest.raises(DatasetError, match=r"'one', 'two'.*Write it as name:config"):
        load_splits(str(tmp_path / "d"))


@pytest.mark.parametrize(
    ("content", "texts"),
    [
        ("\ufefftext,label\na,1\n", ["a"]),
        ('text,label\n"two\nlines, one text",1\nb,2\n', ["two\nlines, one text", "b"]),
        ("text,label\nNA,1\nNone,2\nnull,1\n", ["NA", "None", "null"]),
        ("text,label\n,1\nb,\n", [None, "b"]),
        ("text,label\r\na,1\r\nb,2\r\n", ["a", "b"]),
    ],
)
def test_what_editors_and_spreadsheets_write_is_read_as_meant(
    tmp_path: Path, content: str, texts: list[str | None]
) -> None:
    (tmp_path / "r.csv").write_text(content, encoding="utf-8", newline="")
    assert texts_of(tmp_path / "r.csv") == texts


def test_a_label_that_is_a_word_only_far_down_does_not_break_the_column(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("text,label\n" + "some text,1\n" * 30_000 + "last,pos\n")
    assert set(load_splits(str(tmp_path / "r.csv"))["train"]["label"]) == {"1", "pos"}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("latin.json", '[{"text": "é"}]'.encode("latin-1"), r"latin.json is not UTF-8 text.*iconv"),
        ("empty.csv", b"", "empty.csv: the file is empty"),
        ("empty.jsonl", b"", "empty.jsonl is empty"),
        ("header.csv", b"text,label\n", "header.csv: the file holds no rows below its column names"),
        (
            "ragged.csv",
            b"text,label\na, b,1\nc, d,2\n",
            "row 1: 3 cells where there are 2 columns; put texts in quotes",
        ),
        ("uneven.csv", b"text,label\na,1\nb,c,d,2\n", "row 2: 4 cells where there are 2 columns; put texts in quotes"),
        ("open.csv", b'text,label\n"a,1\nb,2\n', "row 1: 1 cells where there are 2 columns; put texts in quotes"),
        ("broken.jsonl", b'{"text": "a"}\n{"text": \n', "row 2: not a JSON object; correct or remove this line"),
        ("broken.json", b'[{"text": "a"}, {"text": ]', "broken.json' cannot be read: Expected object or value"),
        ("broken.parquet", b"not parquet", "cannot be read: Parquet"),
        ("table.xlsx", b"PK", r"table.xlsx: the file's name ends in .xlsx, but it is something else"),
        ("table.xls", b"PK", r"table.xls is not a file of \.csv, \.tsv, \.xlsx, \.json, \.jsonl"),
        ("packed.csv.gz", gzip.compress(b"text,label\na,1\n", mtime=0), r"packed.csv.gz is not a file of \.csv"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_by_name(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DatasetError, match=message):
        load_splits(str(tmp_path / name))


@pytest.mark.parametrize("source", ["no/such.csv", "./nowhere", "/nowhere/at/all"])
def test_a_path_to_nothing_is_refused_without_asking_the_hub(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sentiment_gru.data.sources.HfApi", None)
    with pytest.raises(DatasetError, match=f"there is no file or folder '{source}' here"):
        load_splits(source)


def test_a_name_the_hub_does_not_know_is_refused() -> None:
    with pytest.raises(DatasetError, match=r"no folder 'a/b/c'.*no dataset of this name.*local folder such as"):
        load_splits("a/b/c")


@pytest.mark.slow
def test_a_hub_that_never_answers_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=16) as silent:
        port = silent.getsockname()[1]
        command = [sys.executable, "train.py", "--dataset", "stanfordnlp/imdb", "--output-dir", "unused"]
        result = subprocess.run(
            command,
            cwd=REPOSITORY,
            env=os.environ | {"HF_ENDPOINT": f"http://127.0.0.1:{port}", "HF_HUB_OFFLINE": "0"},
            capture_output=True,
            text=True,
            check=False,
        )
    assert result.returncode == 1
    assert "the Hugging Face Hub is out of reach" in result.stderr
    assert "./my_dataset" in result.stderr


def test_datasets_of_one_name_get_names_that_differ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a/imdb", "b/imdb", "b/sst2"):
        Path(name).mkdir(parents=True)
    assert distinct_names(["a/imdb", "b/sst2"]) == ["imdb", "sst2"]
    assert distinct_names(["a/imdb", "b/imdb", "b/sst2"]) == ["a-imdb", "b-imdb", "sst2"]
    assert distinct_names(["org/tweets:emotion", "org/tweets:irony"]) == ["tweets-emotion", "tweets-irony"]
    assert distinct_names(["org/tweets:emotion"]) == ["tweets"]


def test_the_same_dataset_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="more than once"):
        distinct_names([str(tmp_path), f"{tmp_path}/."])


def rows_of(path: Path) -> list[dict[str, object]]:
    (rows,) = load_splits(str(path)).values()
    return rows.to_list()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le", "utf-32"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters_and_encodings_are_detected(tmp_path: Path, encoding: str, delimiter: str) -> None:
    assert rows_of(write_csv(tmp_path / "r.csv", TABLE, encoding, delimiter)) == EXPECTED


@pytest.mark.parametrize("name", ["r.xlsx", "r.tsv", "r.jsonl", "r.parquet"])
def test_every_format_gives_the_same_rows(tmp_path: Path, name: str) -> None:
    assert rows_of(write_table(tmp_path / name, TABLE)) == EXPECTED


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
    write_csv(tmp_path / "train.csv", TABLE, "cp1252", ";")
    write_table(tmp_path / "test.xlsx", TABLE[:2])
    write_table(tmp_path / "dev.jsonl", TABLE[:3])
    splits = load_splits(str(tmp_path))
    assert {name: split.to_list() for name, split in splits.items()} == {
        "train": EXPECTED,
        "test": EXPECTED[:1],
        "validation": EXPECTED[:2],
    }


def test_a_broken_file_of_a_folder_is_named(tmp_path: Path) -> None:
    write_csv(tmp_path / "train.csv", TABLE)
    (tmp_path / "test.jsonl").write_text('{"text": \n')
    with pytest.raises(DatasetError, match=f"{tmp_path}/test.jsonl: no line of the file is a JSON object"):
        load_splits(str(tmp_path))


def test_a_row_whose_cells_do_not_fit_is_named(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("text;label\nfine;pos\ndull; long;neg\n")
    with pytest.raises(DatasetError, match=r"r.csv, row 2: 3 cells where there are 2 columns; put texts in quotes"):
        load_splits(str(tmp_path / "r.csv"))
