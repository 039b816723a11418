"""The two command lines, run as a user runs them."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

import train
from sentiment_gru.__main__ import main
from tests.bombs import write_repeated_list
from tests.conftest import REPOSITORY


def run(*arguments: str, stdin: str | bytes = "") -> subprocess.CompletedProcess[str]:
    data = stdin.encode() if isinstance(stdin, str) else stdin
    result = subprocess.run([sys.executable, *arguments], input=data, cwd=REPOSITORY, capture_output=True, check=False)
    return subprocess.CompletedProcess(
        result.args, result.returncode, result.stdout.decode(), result.stderr.decode(errors="replace")
    )


def test_texts_print_a_table(tiny_checkpoint: Path) -> None:
    result = run("-m", "sentiment_gru", "--model", str(tiny_checkpoint), "this film was great", "")
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    first, second, third = result.stdout.splitlines()
    assert first.startswith("positive")
    assert "'this film was great'" in first
    assert "cannot tell" in second
    assert "no word in this text" in third


def test_json_lines_hold_every_field_and_keep_the_order_and_input_that_is_not_utf8_is_scored(
    tiny_checkpoint: Path,
) -> None:
    lines = "this film was great\nawful 😀\n\nthe end\n".encode() + b"great caf\xe9\n"
    result = run("-m", "sentiment_gru", "--json", "--model", str(tiny_checkpoint), stdin=lines)
    assert result.returncode == 0
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert [row["text"] for row in rows] == ["this film was great", "awful 😀", "", "the end", "great caf\ufffd"]
    assert set(rows[0]) == {
        "text",
        "label",
        "scores",
        "uncertain",
        "tokens",
        "unknown_tokens",
        "truncated_tokens",
        "punctuation_tokens",
        "piece_tokens",
        "split_words",
        "cannot_tell",
        "warning",
    }


def test_score_before_a_folder_is_the_command_without_an_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", None)
    (tmp_path / "in").mkdir()
    assert main(["score", str(tmp_path / "in"), str(tmp_path / "out")]) == 1
    assert "there is no file in" in capsys.readouterr().err


def test_results_in_the_folder_that_is_scored_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for output in (tmp_path, tmp_path / "results"):
        assert main(["score", "--engine", "local", str(tmp_path), str(output)]) == 1
        assert "whose files are scored; name a folder elsewhere" in capsys.readouterr().err


def test_standard_input_may_be_closed(
    tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", None)
    assert main(["--model", str(tiny_checkpoint), "this film was great"]) == 0
    assert capsys.readouterr().out.startswith("positive")
    assert main(["--model", str(tiny_checkpoint)]) == 1
    assert "there is no text, and standard input is closed" in capsys.readouterr().err


def test_a_missing_model_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO()))
    assert main(["--model", "no/such-model", "text"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: no/such-model: no such folder")
    assert error.count("\n") == 1


def test_train_writes_a_checkpoint_the_command_line_reads(
    tiny_dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "out"
    options = ["--epochs", "1", "--hidden-size", "4", "--no-bidirectional", "--pooling", "last"]
    result = run("train.py", "--dataset", str(tiny_dataset), "--output-dir", str(output), *options)
    assert result.returncode == 0, result.stderr
    assert f"Checkpoint in {output}" in result.stdout
    assert "accuracy" in result.stdout
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO()))
    assert main(["--model", str(output), "great"]) == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--dataset", "d"], "error: name an --output-dir"),
        (["--output-dir", "out"], "error: name at least one --dataset"),
        (["--dataset", "no.csv", "--output-dir", "out"], "error: there is no file or folder 'no.csv' here"),
        (["--dataset", "no/such", "--output-dir", "out"], "error: no folder 'no/such' here"),
    ],
)
def test_train_refuses_options_that_it_cannot_follow(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["train.py", *arguments])
    assert train.main() == 1
    error = capsys.readouterr().err
    assert error.startswith(message)
    assert error.count("\n") == 1


def test_a_dry_run_prints_the_plan_and_needs_no_output_folder(
    tiny_dataset: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--dataset", str(tiny_dataset), "--dry-run", "--hidden-size", "4"]
    monkeypatch.setattr(sys, "argv", ["train.py", *options])
    assert train.main() == 0
    printed = capsys.readouterr().out
    assert printed.startswith("dataset tiny, columns text and label\n")
    assert printed.endswith("Nothing was written.\n")


def test_every_training_option_has_help(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["train.py", "--help"])
    with pytest.raises(SystemExit) as ended:
        train.main()
    assert ended.value.code == 0
    printed = capsys.readouterr().out
    assert "--dataset" in printed
    assert os.linesep + "  --seed SEED" in printed


def test_a_file_is_scored_into_another_format(
    tiny_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    source, output = tmp_path / "in.csv", tmp_path / "out.jsonl"
    source.write_text("id;review;label\n1;this film was great;pos\n2;;neg\n3;awful;neg\n", encoding="utf-8-sig")
    arguments = ["--model", str(tiny_checkpoint), "--file", str(source), "--output", str(output)]
    result = run("-m", "sentiment_gru", *arguments, "--label-column", "label")
    assert result.returncode == 0, result.stderr
    assert "2 of 3 rows scored" in result.stdout
    assert "1 not scored: no text." in result.stdout
    assert "Against 2 labels: accuracy" in result.stdout
    assert "(texts: column 'review')" in result.stdout
    assert "separated by semicolons" in result.stderr
    assert "rows/s" in result.stderr
    rows = [json.loads(line) for line in output.read_text().splitlines()]
    assert [row["id"] for row in rows] == ["1", "2", "3"]
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO()))
    assert main(arguments) == 1
    assert "--force" in capsys.readouterr().err
    assert main([*arguments, "--force", "--text-column", "review"]) == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--output", "out.csv"], "--output goes with --file"),
        (["--file", "in.csv"], "--file needs an --output"),
        (["--file", "in.csv", "--output", "o.csv", "text"], "neither texts nor --json"),
        (["--file", "in.csv", "--output", "o.csv", "--label-map", "1=pos"], "goes with --label-column"),
        (["--file", "in.csv", "--output", "o.csv", "--text-column", "no"], "only 'id', 'text'"),
        (["--file", "no.csv", "--output", "o.csv"], "cannot be read"),
    ],
)
def test_a_file_is_refused_before_the_model_is_loaded(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "in.csv").write_text("id,text\n1,fine\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO()))
    assert main(["--model", "no/such-model", *arguments]) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert message in error
    assert error.count("\n") == 1


def test_a_file_is_refused_at_the_limit_of_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_repeated_list(tmp_path / "in.parquet")
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO()))
    assert main(["--file", str(path), "--output", str(tmp_path / "out.csv"), "--max-memory", "200"]) == 1
    assert capsys.readouterr().err == "error: this file needs too much memory to read\n"


def test_an_interrupted_run_leaves_no_output(tiny_checkpoint: Path, tmp_path: Path) -> None:
    source = tmp_path / "in.txt"
    source.write_text("this film was great, and so long that it takes a while to read " * 20 + "\n")
    source.write_text(source.read_text() * 20_000)
    arguments = ["--model", str(tiny_checkpoint), "--file", str(source), "--output", str(tmp_path / "out.csv")]
    process = subprocess.Popen(
        [sys.executable, "-m", "sentiment_gru", *arguments],
        cwd=REPOSITORY,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),  # a background job is started to ignore it
    )
    assert process.stderr is not None
    while not any(".scoring-" in name for name in os.listdir(tmp_path)):
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=300)
    assert process.returncode == 130
    assert "no output was written" in stderr
    assert os.listdir(tmp_path) == ["in.txt"]
