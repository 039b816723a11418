"""Options come from the command line, and behind it from a file."""

import json
from pathlib import Path

import pytest

from sentiment_gru import OptionsError
from sentiment_gru.training.options import SMOKE_TEXTS, TrainingOptions, parse_options

BASE = ["--dataset", "d", "--output-dir", "out"]


def config(folder: Path, content: object) -> str:
    (folder / "c.json").write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return str(folder / "c.json")


def test_without_a_file_the_options_are_those_of_the_command_line() -> None:
    assert parse_options("", BASE) == TrainingOptions("out", ["d"])
    assert parse_options("", [*BASE, "--dataset", "e", "--no-bidirectional"]) == TrainingOptions(
        "out", ["d", "e"], bidirectional=False
    )


def test_the_command_line_goes_before_the_file(tmp_path: Path) -> None:
    path = config(
        tmp_path,
        {
            "dataset": ["a", "b"],
            "output-dir": "other",
            "epochs": 2,
            "bidirectional": False,
            "label_map": "-1=neg;1=pos",
            "text_column": None,
        },
    )
    expected = TrainingOptions("other", ["a", "b"], epochs=2.0, bidirectional=False, label_map="-1=neg;1=pos")
    assert parse_options("", ["--config", path]) == expected
    told = parse_options("", [*BASE, "--config", path, "--epochs", "3", "--bidirectional"])
    assert told == TrainingOptions("out", ["d"], epochs=3.0, label_map="-1=neg;1=pos")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"hiden-size": 3}, "there is no option 'hiden-size'; the nearest is 'hidden_size'"),
        ({"label_map": {"1": "negative"}}, "'label_map' holds .*; write it as on the command line"),
        ([1], "not a JSON object such as"),
        ("{", "c.json: not readable as JSON: .* line 1"),
    ],
)
def test_a_file_that_cannot_be_followed_is_refused(tmp_path: Path, content: object, message: str) -> None:
    with pytest.raises(OptionsError, match=message):
        parse_options("", [*BASE, "--config", config(tmp_path, content)])


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OptionsError, match=r"no.json: there is no such file"):
        parse_options("", [*BASE, "--config", str(tmp_path / "no.json")])


def test_a_value_of_the_wrong_kind_is_refused_by_its_option(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse_options("", [*BASE, "--config", config(tmp_path, {"cell": "transformer"})])
    assert "argument --cell: invalid choice: 'transformer'" in capsys.readouterr().err


def test_a_smoke_run_is_small_whatever_else_is_told() -> None:
    options = parse_options("", [*BASE, "--smoke", "--epochs", "9"])
    assert (options.epochs, options.max_train_samples) == (1, SMOKE_TEXTS)
    assert parse_options("", [*BASE, "--smoke", "--max-train-samples", "50"]).max_train_samples == 50
