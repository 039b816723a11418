"""The two command lines, run as a user runs them."""

import json
import os
import subprocess
import sys
from pathlib import Path

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


def test_json_lines_hold_every_field_and_keep_the_order(tiny_checkpoint: Path) -> None:
    lines = "this film was great\nawful 😀\n\nthe end"
    result = run("-m", "sentiment_gru", "--json", "--model", str(tiny_checkpoint), stdin=lines)
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert [row["text"] for row in rows] == ["this film was great", "awful 😀", "", "the end"]
    assert set(rows[0]) == {
        "text",
        "label",
        "scores",
        "uncertain",
        "tokens",
        "unknown_tokens",
        "truncated_tokens",
        "punctuation_tokens",
        "cannot_tell",
        "warning",
    }


def test_input_that_is_not_utf8_is_still_scored(tiny_checkpoint: Path) -> None:
    result = run("-m", "sentiment_gru", "--json", "--model", str(tiny_checkpoint), stdin=b"great caf\xe9\n")
    assert result.returncode == 0
    assert json.loads(result.stdout)["text"] == "great caf\ufffd"


def test_a_missing_model_is_one_line() -> None:
    result = run("-m", "sentiment_gru", "--model", "no/such-model", "text")
    assert result.returncode == 1
    assert result.stderr.startswith("error: no/such-model: no such folder")
    assert result.stderr.count("\n") == 1


def test_train_writes_a_checkpoint_the_command_line_reads(tiny_dataset: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    options = ["--epochs", "1", "--hidden-size", "4", "--no-bidirectional", "--pooling", "last"]
    result = run("train.py", "--dataset", str(tiny_dataset), "--output-dir", str(output), *options)
    assert result.returncode == 0, result.stderr
    assert f"Checkpoint in {output}" in result.stdout
    assert "accuracy" in result.stdout
    assert run("-m", "sentiment_gru", "--model", str(output), "great").returncode == 0


def test_train_refuses_in_one_line(tmp_path: Path) -> None:
    for arguments, message in (
        (["--output-dir", str(tmp_path)], "error: name at least one --dataset"),
        (["--dataset", "d"], "error: name an --output-dir"),
        (["--dataset", "no.csv", "--output-dir", str(tmp_path)], "error: there is no file or folder 'no.csv' here"),
        (["--dataset", "no/such", "--output-dir", str(tmp_path)], "error: no folder 'no/such' here"),
    ):
        result = run("train.py", *arguments)
        assert result.returncode == 1
        assert message in result.stderr
        assert "Traceback" not in result.stderr


def test_a_dry_run_prints_the_plan_and_needs_no_output_folder(tiny_dataset: Path) -> None:
    result = run("train.py", "--dataset", str(tiny_dataset), "--dry-run")
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("dataset tiny, columns text and label\n")
    assert result.stdout.endswith("Nothing was written.\n")


def test_every_training_option_has_help() -> None:
    result = run("train.py", "--help")
    assert result.returncode == 0
    assert "--dataset" in result.stdout
    assert os.linesep + "  --seed SEED" in result.stdout
