"""A folder is scored block by block: no row is lost or doubled, and a second run scores what is missing."""

import io
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentiment_gru import SentimentClassifier
from sentiment_gru.__main__ import main
from sentiment_gru.errors import FileError
from sentiment_gru.files import folders
from sentiment_gru.files.folders import (
    Block,
    BlockResult,
    BlockScorer,
    Folder,
    FolderJob,
    read_lines,
    read_rows,
    score_folder,
)
from sentiment_gru.results import Prediction


def classify(texts: Sequence[str]) -> list[Prediction]:
    """Call texts with "good" positive; takes no model."""
    return [
        Prediction("positive", {"negative": 0.1, "positive": 0.9}, False, 2, 0, 0, 0)
        if "good" in text
        else Prediction("negative", {"negative": 0.8, "positive": 0.2}, False, 2, 0, 0, 0)
        for text in texts
    ]


def engine(job: FolderJob, blocks: Sequence[Block]) -> Iterator[BlockResult]:
    """Score blocks in this process, without loading a model."""
    yield from map(BlockScorer(job, classify), blocks)


def write_input(folder: Path, rows: int = 25) -> None:
    """Write a Parquet file with row groups of 4, and JSON lines in a folder of their own."""
    (folder / "2026").mkdir(parents=True)
    texts = [f"good film {i}" if i % 3 else f"dull film {i}" for i in range(rows)]
    table = pa.table({"id": range(rows), "review": texts, "tags": [["a"]] * rows})
    pq.write_table(table, folder / "one.parquet", row_group_size=4)
    lines = [json.dumps({"review": text, "id": rows + i, "é": "ü"}, ensure_ascii=False) for i, text in enumerate(texts)]
    (folder / "2026" / "two.jsonl").write_text("\n".join(lines), encoding="utf-8")
    (folder / "_SUCCESS").touch()


def read_output(folder: Path) -> list[dict]:
    """Return all rows, those of Parquet files first."""
    rows = [row for path in sorted(folder.rglob("*.parquet")) for row in pq.read_table(path).to_pylist()]
    for path in sorted(folder.rglob("*.jsonl")):
        rows += [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return rows


def job_of(tmp_path: Path, **changes: object) -> FolderJob:
    settings = {"text_column": "review", "block_rows": 7, "block_bytes": 150}
    return FolderJob(str(tmp_path / "in"), str(tmp_path / "out"), None, **(settings | changes))


def test_every_row_is_scored_once_in_order_with_its_columns(tmp_path: Path) -> None:
    write_input(tmp_path / "in")
    steps = list(score_folder(job_of(tmp_path, text_column=""), engine))
    total = steps[0][0]
    assert [done for _, done, _ in steps] == list(range(total + 1))
    assert total > 10
    rows = read_output(tmp_path / "out")
    assert [row["id"] for row in rows] == list(range(50))
    assert all(row["model_label"] == ("positive" if "good" in row["review"] else "negative") for row in rows)
    assert (rows[0]["tags"], rows[0]["model_score_positive"], rows[-1]["é"]) == (["a"], 0.2, "ü")
    assert sum(result.rows for _, _, result in steps if result) == 50
    assert not list((tmp_path / "out" / folders.UNFINISHED).iterdir())


def test_a_second_run_scores_only_what_is_missing_or_new(tmp_path: Path) -> None:
    write_input(tmp_path / "in")
    list(score_folder(job_of(tmp_path), engine))
    lost = sorted((tmp_path / "out").glob("*.parquet"))[1]
    lost.unlink()
    (tmp_path / "in" / "three.jsonl").write_text('{"review": "good", "id": 50}\n')
    steps = list(score_folder(job_of(tmp_path), engine))
    assert [result.block.target for _, _, result in steps if result] == [lost.name, "three-000000000000.jsonl"]
    assert [row["id"] for row in read_output(tmp_path / "out")] == list(range(51))


def test_a_block_that_was_cut_off_leaves_no_file(tmp_path: Path) -> None:
    write_input(tmp_path / "in")

    def classify_until_killed(texts: Sequence[str]) -> list[Prediction]:
        if "good film 10" in texts:
            raise KeyboardInterrupt
        return classify(texts)

    job = job_of(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        list(score_folder(job, lambda job, blocks: map(BlockScorer(job, classify_until_killed), blocks)))
    cut = {path.name for path in (tmp_path / "out").iterdir()}
    assert "one-000000000007.parquet" not in cut
    list(score_folder(job, engine))
    assert [row["id"] for row in read_output(tmp_path / "out")] == list(range(50))


@pytest.mark.parametrize(("failures", "problem"), [(2, ""), (3, "two.jsonl: the disk is away")])
def test_storage_that_fails_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failures: int, problem: str
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "two.jsonl").write_text('{"review": "good"}\n')
    write, failed = Folder.write, []

    def fail(folder: Folder, name: str, content: object) -> None:
        if name.startswith("two") and len(failed) < failures:
            failed.append(name)
            raise OSError("the disk is away")
        write(folder, name, content)

    monkeypatch.setattr(Folder, "write", fail)
    monkeypatch.setattr(folders, "PAUSE_SECONDS", 0)
    *_, (_, done, result) = score_folder(job_of(tmp_path), engine)
    assert (result.problem, done) == (problem, 0 if problem else 1)


def test_rows_without_a_text_get_the_reason(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    lines = ['{"review": "good"}', "nonsense", '{"review": 5}', '{"review": " "}', '{"other": 1}', '{"review": [1]}']
    (tmp_path / "in" / "two.jsonl").write_text("\n".join(lines))
    *_, (_, _, result) = score_folder(job_of(tmp_path, block_bytes=1_000), engine)
    assert result.labels == {"positive": 1, "negative": 1}
    assert result.errors == {"not a JSON object": 1, "no text": 2, "not a text, but of type list": 1}
    rows = read_output(tmp_path / "out")
    assert [row["model_error"] is None for row in rows] == [True, False, True, False, False, False]


def test_a_file_that_cannot_be_read_is_reported_and_the_others_are_scored(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_input(tmp_path / "in", 3)
    pq.write_table(pa.table({"text": ["good"]}), tmp_path / "in" / "other.parquet")
    pq.write_table(pa.table({"review": ["good"], "model_label": ["x"]}), tmp_path / "in" / "scored.parquet")
    results = [result for _, _, result in score_folder(job_of(tmp_path), engine) if result]
    assert [result.problem for result in results if result.problem] == [
        "other.parquet has no column 'review', only text",
        "scored.parquet already has a column 'model_label'; rename it, or score the original file",
    ]
    assert len(read_output(tmp_path / "out")) == 6


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"text\n", r"holds a.csv; a folder to score holds .parquet"),
        ("a.parquet", b"nonsense", "a.parquet cannot be read"),
        ("a.jsonl", b"", "usual name for texts, as its first line is not a JSON object"),
        ("a.jsonl", b'{"x": 1}\n', "no column of a.jsonl has a usual name for texts, only x; use --text-column"),
        ("_a", b"", "there is no file in"),
    ],
)
def test_an_input_that_cannot_be_scored_is_refused(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / name).write_bytes(content)
    with pytest.raises(FileError, match=message):
        list(score_folder(job_of(tmp_path, text_column=""), engine))


def test_a_file_in_place_of_a_folder_is_refused_with_what_to_do(tmp_path: Path) -> None:
    write_input(tmp_path / "in", 3)
    file = next((tmp_path / "in").rglob("*.parquet"))
    with pytest.raises(FileError, match=r"\.parquet is a file; score it with --file and --output, or name the folder"):
        list(score_folder(FolderJob(str(file), str(tmp_path / "out"), None, "review"), engine))
    with pytest.raises(FileError, match=r"\.parquet is a file; name a new folder for the results"):
        list(score_folder(FolderJob(str(tmp_path / "in"), str(file), None, "review"), engine))


def test_an_address_without_a_file_system_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="nowhere://x cannot be opened"):
        list(score_folder(FolderJob("nowhere://x", str(tmp_path), None, "text"), engine))


def test_results_of_another_run_are_not_mixed(tmp_path: Path) -> None:
    write_input(tmp_path / "in", 3)
    list(score_folder(job_of(tmp_path), engine))
    with pytest.raises(FileError, match="an earlier run with another text column, block rows"):
        list(score_folder(job_of(tmp_path, text_column="é", block_rows=5), engine))
    with (tmp_path / "in" / "2026" / "two.jsonl").open("a") as file:
        file.write("\n")
    with pytest.raises(FileError, match=r"an earlier run with another 2026/two\.jsonl; name"):
        list(score_folder(job_of(tmp_path), engine))
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").touch()
    with pytest.raises(FileError, match="holds other files"):
        list(score_folder(FolderJob(str(tmp_path / "in"), str(tmp_path / "mine"), None, "review"), engine))


@settings(deadline=None, max_examples=60)
@given(st.lists(st.text(alphabet='{"a":1}é \n', max_size=9), max_size=12), st.integers(1, 20))
def test_every_line_is_in_one_block_whatever_its_size(lines: list[str], step: int) -> None:
    data = "\n".join(lines).encode()
    read = [
        line
        for start in range(0, len(data), step)
        for line in read_lines(io.BytesIO(data), start, min(start + step, len(data)))
    ]
    assert read == [line for line in data.decode().split("\n") if line.strip()]


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 30), st.integers(1, 9), st.integers(1, 12))
def test_every_row_is_in_one_block_whatever_the_row_groups(rows: int, group: int, step: int) -> None:
    stream = io.BytesIO()
    pq.write_table(pa.table({"id": range(rows)}), stream, row_group_size=group)
    read = [
        number
        for start in range(0, rows, step)
        for number in read_rows(io.BytesIO(stream.getvalue()), start, min(start + step, rows))["id"].to_pylist()
    ]
    assert read == list(range(rows))


def test_the_command_scores_a_folder_with_the_shipped_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_input(tmp_path / "in", 2)
    arguments = ["score", "--engine", "local", str(tmp_path / "in"), str(tmp_path / "out")]
    assert main(arguments) == 0
    assert "4 rows scored: " in capsys.readouterr().out
    expected = [one.label for one in SentimentClassifier.from_pretrained()(["dull film 0", "good film 1"])]
    assert [row["model_label"] for row in read_output(tmp_path / "out")] == expected * 2
    assert main(arguments) == 0
    assert capsys.readouterr().out == "0 rows scored; 2 of 2 blocks were done.\n"
    assert main([*arguments, "--workers", "2"]) == 1
    assert "--workers goes with --engine ray" in capsys.readouterr().err


def test_the_word_score_is_a_text_without_the_option(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO()))
    assert main(["score", "dull"]) == 0
    assert "'score'" in capsys.readouterr().out
