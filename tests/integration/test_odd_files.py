"""Odd files are trained on, evaluated and scored, or refused with a line that says what to do."""

import io
import json
import re
from pathlib import Path

import pytest

from sentiment_gru import DatasetError
from sentiment_gru.__main__ import main
from sentiment_gru.evaluation import main as evaluate
from sentiment_gru.training.datasets import prepare_corpora
from sentiment_gru.training.options import TrainingOptions
from tests.odd_files import ODD_FILES, TEXTS, OddFile

odd_files = pytest.mark.parametrize("odd", ODD_FILES, ids=[odd.name for odd in ODD_FILES])


@pytest.fixture
def path(odd: OddFile, tmp_path: Path) -> Path:
    odd.write(tmp_path / odd.name)
    return tmp_path / odd.name


@odd_files
def test_training_reads_or_refuses_it(odd: OddFile, path: Path) -> None:
    options = TrainingOptions("out", [str(path)])
    if odd.refused:
        with pytest.raises(DatasetError, match=odd.refused):
            prepare_corpora(options)
        return
    (corpus,) = prepare_corpora(options)
    assert len(corpus.train) + len(corpus.dev) == len(TEXTS)
    assert corpus.train.names == {"negative", "neutral", "positive"}


@odd_files
def test_evaluation_reads_or_refuses_it(
    odd: OddFile, path: Path, tiny_checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = evaluate(["--model", str(tiny_checkpoint), "--dataset", str(path), "--json"])
    printed = capsys.readouterr()
    assert status == bool(odd.refused)
    if odd.refused:
        (line,) = [line for line in printed.err.splitlines() if line.startswith("error: ")]
        assert re.search(odd.refused, line)
    else:
        assert json.loads(printed.out)["texts"] == len(TEXTS)


@odd_files
def test_file_scores_or_refuses_it(
    odd: OddFile,
    path: Path,
    tiny_checkpoint: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO()))
    output = path.with_name("scored.csv")
    status = main(["--model", str(tiny_checkpoint), "--file", str(path), "--output", str(output)])
    printed = capsys.readouterr()
    assert status == bool(odd.file_refused)
    if odd.file_refused:
        assert printed.err.startswith("error: ")
        assert odd.file_refused in printed.err
        assert not output.exists()
    else:
        assert f"{odd.scored} of " in printed.out
