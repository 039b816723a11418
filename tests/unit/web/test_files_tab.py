"""The events of the Files tab, without a browser."""

from pathlib import Path

from sentiment_gru import SentimentClassifier
from sentiment_gru.files.readers import MOST_PASTED
from sentiment_gru.web.files_tab import describe_file, describe_lines, score_steps
from tests.tables import write_csv


def test_a_file_is_described_with_its_likely_columns(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "in.csv", [["id", "review", "stars"], ["1", "fine", "4"]])
    table, html, choices, text, label, header, suffix, *_ = describe_file(str(path))
    assert table.rows == 1
    assert "in.csv" in html
    assert (choices.visible, text.value, label.value) == (True, "review", "stars")
    assert (header.value, header.visible) == (True, True)
    assert suffix.value == ".csv"
    assert describe_file(str(path), header=False)[0].rows == 2


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_bytes(b"")
    table, html, choices, *_ = describe_file(str(tmp_path / "in.csv"))
    assert (table, choices.visible) == (None, False)
    assert "files-refusal" in html


def test_no_file_is_no_failure() -> None:
    table, html, choices, *_ = describe_file(None)
    assert (table, html, choices.visible) == (None, "", False)


def test_pasted_lines_are_described_and_limited() -> None:
    table, html, *_ = describe_lines("one\n\ntwo, <b>three</b>\n")
    assert [row.cells for row in table.content.read()] == [["one"], [""], ["two, <b>three</b>"]]
    assert "&lt;b&gt;" in html
    for text in (" \n", "x" * (MOST_PASTED + 1)):
        table, html, *_ = describe_lines(text)
        assert table is None
        assert "files-refusal" in html


def test_scoring_ends_with_results_and_a_file(classifier: SentimentClassifier) -> None:
    steps = score_steps(classifier, describe_lines("a great film\nawful")[0], "text", None, ".csv")
    *_, (_, html, download, start, stop) = steps
    assert "2 of 2 rows scored." in html
    assert download.visible
    assert (start.visible, stop.visible) == (True, False)


def test_a_column_that_does_not_exist_is_refused(classifier: SentimentClassifier) -> None:
    ((_, html, download, *_),) = score_steps(classifier, describe_lines("fine")[0], "no", None, ".csv")
    assert "files-refusal" in html
    assert not download.visible
