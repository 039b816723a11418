"""Hand-written lists and how a model does on them."""

import csv
import json
from pathlib import Path

import pytest

from sentiment_gru import DatasetError, Prediction
from sentiment_gru.evaluation import COLUMNS, NO_FEELING, Outcome, check_list, main, meets
from tests.conftest import REPOSITORY


class Words:
    """A classifier whose verdict on a text is the text; one that ends in a question mark is uncertain."""

    def __call__(self, texts: list[str]) -> list[Prediction]:  # noqa: D102
        return [Prediction(text.rstrip("?"), {}, text.endswith("?"), 1, 0, 0) for text in texts]


def write_list(path: Path, *rows: tuple[str, str, str]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([COLUMNS, *rows])
    return path


def test_no_feeling_is_met_by_neutral_and_by_doubt() -> None:
    verdicts = Words()(["neutral", "positive?", "positive"])
    assert [meets(verdict, NO_FEELING) for verdict in verdicts] == [True, True, False]
    assert [meets(verdict, "positive") for verdict in verdicts] == [False, True, True]


def test_outcomes_are_counted_by_kind(tmp_path: Path) -> None:
    path = write_list(
        tmp_path / "list.csv",
        ("a", "positive", "positive"),
        ("a", "negative?", "positive"),
        ("b", "neutral", NO_FEELING),
    )
    outcomes = check_list(Words(), path)
    assert outcomes == {"a": Outcome(2, 0.5, 0.5), "b": Outcome(1, 1.0, 0.0), "all": Outcome(3, 2 / 3, 1 / 3)}


@pytest.mark.parametrize("content", ["", "kind,text\na,b\n", "kind,text,expected\n", "\xff"])
def test_a_file_that_is_no_list_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "list.csv").write_bytes(content.encode("latin-1"))
    with pytest.raises(DatasetError, match="the list"):
        check_list(Words(), tmp_path / "list.csv")


def test_a_list_that_is_not_there_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list", str(tmp_path / "none.csv")]) == 1
    assert "error: the list" in capsys.readouterr().err


@pytest.mark.parametrize(("name", "texts"), [("facts", 100), ("short_sentences", 200)])
def test_the_frozen_lists_can_be_measured(name: str, texts: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list", str(REPOSITORY / "benchmarks" / "frozen" / f"{name}.csv"), "--json"]) == 0
    outcomes = json.loads(capsys.readouterr().out)
    assert outcomes["all"]["texts"] == texts
    assert all(0 <= outcome["met"] <= 1 for outcome in outcomes.values())
