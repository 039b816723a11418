"""Files that are read in a process of their own, and files whose cost stops that process instead of the app."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import psutil
import pyarrow
import pytest

from sentiment_gru import FileError
from sentiment_gru.files import readers
from sentiment_gru.files.formats import read_table
from sentiment_gru.files.readers import MESSAGE_ROWS, NO_MEMORY, NO_TIME, WORKERS, open_pasted, open_table
from sentiment_gru.files.table import UNCOMPUTED, Limits, unique_names
from sentiment_gru.web.files_tab import LIMITS
from tests import bombs
from tests.conftest import REPOSITORY
from tests.tables import write_csv, write_table


def workers() -> list[psutil.Process]:
    return [child for child in psutil.Process().children() if "files.readers" in " ".join(child.cmdline())]


def refusal(path: Path, limits: Limits = LIMITS) -> str:
    """Return why a file is refused, after checking that its process has ended and its place is free."""
    with pytest.raises(FileError) as caught:
        list(open_table(path, limits).content.read())
    assert workers() == []
    assert WORKERS.acquire(blocking=False)
    WORKERS.release()
    return str(caught.value)


@pytest.mark.parametrize("suffix", [".csv", ".xlsx", ".jsonl", ".parquet", ".txt"])
def test_a_process_reads_what_this_process_reads(tmp_path: Path, suffix: str) -> None:
    rows = [["text", "id"], *[[f"text {number} 😀", "a"] for number in range(MESSAGE_ROWS + 5)]]
    path = write_table(tmp_path / f"in{suffix}", rows)
    table, expected = open_table(path), read_table(path)
    assert list(table.content.read()) == list(table.content.read()) == list(expected.content.read())
    for field in ("path", "suffix", "columns", "rows", "preview", "notes"):
        assert getattr(table, field) == getattr(expected, field)
    assert replace(table.content, read=None) == replace(expected.content, read=None)


def test_types_survive_the_way_to_this_process(tmp_path: Path) -> None:
    workbook = tmp_path / "in.xlsx"
    bombs.write_workbook(workbook, bombs._sheet(b'<row><c t="str"><v>text</v></c></row><row><c><f>A1</f></c></row>'))
    ((cell,),) = [row.cells for row in open_table(workbook).content.read()]
    assert cell is UNCOMPUTED
    parquet = write_table(tmp_path / "in.parquet", [["text", "n"], ["a", 1]])
    schema = open_table(parquet).content.schema
    assert schema is not None
    assert schema.types == [pyarrow.string(), pyarrow.int64()]


def test_the_header_that_was_detected_holds_when_rows_are_read(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "in.csv", [["positive", "fine"], ["negative", "dull"]])
    assert len(list(open_table(path).content.read())) == 2
    assert len(list(open_table(path, header=True).content.read())) == 1


def test_the_process_imports_no_model_and_no_page_and_gets_no_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = "import sys, sentiment_gru.files.readers; print({'torch', 'gradio', 'numpy', 'pyarrow'} & set(sys.modules))"
    result = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert result.stdout == "set()\n"
    monkeypatch.setenv("QUIZ_SECRET", "0123456789abcdef")
    rows = open_table(write_csv(tmp_path / "in.csv", [["text"], *[["x" * 1000]] * 20_000])).content.read()
    with closing(rows):
        next(rows)
        (child,) = workers()
        assert "QUIZ_SECRET" not in child.environ()
        assert child.nice() > os.nice(0)
    assert workers() == []


@pytest.mark.parametrize("write", [bombs.write_repeated_binary, bombs.write_repeated_list])
def test_a_value_stored_once_for_many_rows_is_refused(tmp_path: Path, write: Callable[[Path], Path]) -> None:
    path = write(tmp_path / "in.parquet")
    assert path.stat().st_size < 200_000
    unlimited = Limits(memory_megabytes=300)
    assert refusal(path) in (NO_MEMORY, "the rows hold more than 200 MB; split the file")
    if write is bombs.write_repeated_list:  # a binary column is unpacked row by row, so it needs no memory
        assert refusal(path, unlimited) == NO_MEMORY


@pytest.mark.slow
def test_a_row_of_millions_of_empty_cells_is_refused(tmp_path: Path) -> None:
    path = bombs.write_empty_cells(tmp_path / "in.xlsx")
    assert path.stat().st_size < 100_000
    assert refusal(path, replace(LIMITS, memory_megabytes=200)) == NO_MEMORY


@pytest.mark.slow
def test_rows_that_reach_the_last_column_are_refused_at_the_limit_of_cells(tmp_path: Path) -> None:
    path = bombs.write_far_cells(tmp_path / "in.xlsx")
    assert "more than 1,000,000 cells" in refusal(path, replace(LIMITS, cells=1_000_000))


def test_many_shared_strings_are_refused_at_the_limit_of_processor_time(tmp_path: Path) -> None:
    path = bombs.write_shared_strings(tmp_path / "in.xlsx")
    assert path.stat().st_size < 100_000
    assert refusal(path, replace(LIMITS, cpu_seconds=1)) == NO_TIME


def test_waiting_is_limited(tmp_path: Path) -> None:
    path = bombs.write_shared_strings(tmp_path / "in.xlsx")
    assert refusal(path, replace(LIMITS, seconds=0.5)) == NO_TIME


def test_too_many_columns_are_refused_before_they_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "8,000 columns" in refusal(bombs.write_wide_header(tmp_path / "in.csv"))
    assert "columns; up to 1,000" in refusal(bombs.write_many_keys(tmp_path / "in.jsonl"))
    monkeypatch.setattr("sentiment_gru.files.table.unique_names", lambda names: pytest.fail("named too early"))
    with pytest.raises(FileError, match="8,000 columns"):
        read_table(tmp_path / "in.csv")


def test_naming_columns_is_linear() -> None:
    def seconds(count: int) -> float:
        start = time.process_time()
        unique_names(["x"] * count)
        return time.process_time() - start

    assert seconds(400_000) < 80 * max(seconds(20_000), 1e-3)  # quadratic would be 400 times


def test_a_process_that_dies_is_a_refusal(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "in.csv", [["text"], *[["x" * 1000]] * 20_000])
    rows = open_table(path).content.read()
    next(rows)
    workers()[0].kill()
    with pytest.raises(FileError, match=NO_MEMORY):
        list(rows)


def test_a_fault_of_the_reader_is_no_refusal(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "in.csv", [["text"], ["fine"]])
    with pytest.raises(RuntimeError, match="Traceback"):
        open_table(path, header=True, limits=replace(Limits(), rows="many"))


def test_two_files_are_read_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_csv(tmp_path / "in.csv", [["text"], *[["x" * 1000]] * 20_000])
    monkeypatch.setattr(readers, "SLOT_SECONDS", 0.01)
    first, second = open_table(path).content.read(), open_table(path).content.read()
    with closing(first), closing(second):
        next(first), next(second)
        with pytest.raises(FileError, match="try again"):
            open_table(path)
    assert open_table(path).rows == 20_000


def test_pasted_lines_are_limited() -> None:
    assert open_pasted("a\n\nb\n", LIMITS).rows == 3
    for text in (" \n", "x" * 200_001):
        with pytest.raises(FileError):
            open_pasted(text, LIMITS)
