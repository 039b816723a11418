"""What the Files tab says, that no name, cell or message reaches the page as markup, and what its handlers return."""

from html import escape
from pathlib import Path

import gradio as gr
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentiment_gru import SentimentClassifier
from sentiment_gru.files.job import Progress
from sentiment_gru.files.readers import MOST_PASTED
from sentiment_gru.files.summary import BINS, Bin, Doubtful, Grading, Histogram, Report
from sentiment_gru.files.table import Content, Table
from sentiment_gru.results import MAX_CHARACTERS
from sentiment_gru.web.api import classify_text
from sentiment_gru.web.charts import calibration, confusion, histogram
from sentiment_gru.web.files_tab import describe, describe_lines, steps
from sentiment_gru.web.files_view import duration, preview, progress, refusal, results
from tests.tables import write_csv
from tests.unit.web.test_sentiment_tab import MARKUP, Tags, words

TAGS = {"p", "strong", "small", "div", "span", "i", "ul", "li", "h2", "dl", "dt", "dd", "svg", "g"}
TAGS |= {"table", "caption", "thead", "tbody", "tr", "th", "td", "text", "rect", "line", "circle", "polyline", "title"}
names = st.text(max_size=8) | st.just(MARKUP) | st.just("${alert(1)}") | st.just('"><script>alert(1)</script>')
POLES = ["negative", "neutral", "positive"]


def table(columns: list[str], rows: list[list[str]], note: str = "") -> Table:
    content = Content(columns, lambda: iter(()))
    return Table(Path("in.csv"), ".csv", columns, len(rows), rows, content, (note,))


def report(labels: list[str], text: str = "fine", grading: Grading | None = None, error: str = "no text") -> Report:
    counts = {label: [place] * BINS for place, label in enumerate(labels, 1)}
    return Report(
        rows=9,
        labels={label: BINS * place for place, label in enumerate(labels, 1)},
        uncertain=1,
        errors={error: 2},
        histogram=Histogram("negative" in labels, counts),
        least_certain=[Doubtful(3, text, labels[0], 0.41)],
        grading=grading,
    )


def graded(labels: list[str], without: str = "?") -> Grading:
    matrix = [[1] * len(labels) for _ in labels]
    bins = (Bin(0.5, 0.4, 3), Bin(0.9, 1.0, 7))
    return Grading(9, {without: 1}, labels, labels, matrix, 0.5, 0.4, 0.6, 0.1, bins)


def assert_plain(html: str) -> None:
    """Check that a browser finds only our own tags, and nothing that runs."""
    tags = Tags(html)
    assert tags.found <= TAGS
    assert not {name for name in tags.attributes if name.startswith("on")} | tags.attributes & {"src", "href"}


@given(names, names, names)
def test_nothing_of_a_file_reaches_the_page_as_markup(column: str, cell: str, name: str) -> None:
    for html in (
        preview(table([column], [[cell]], name), name),
        refusal(name),
        results(report([column, name], cell, graded([column, name], cell), error=cell), 1.0),
        results(report([column], cell, Grading(0, {name: 1}, [], [column], [])), 1.0),
        histogram(report([column, name]).histogram),
        confusion(graded([column, name])),
        calibration(graded([column]).bins),
    ):
        assert_plain(html)
    assert escape(cell) in preview(table([column], [[cell]]), name)


def test_the_preview_names_the_file_and_its_size() -> None:
    html = words(preview(table(["id", "text"], [["1", "x" * 500]], "Its columns are separated by tabs."), "in.csv"))
    assert "in.csv : 1 row, 2 columns." in html
    assert "separated by tabs" in html
    assert "x" * 120 + "…" in html


def test_progress_is_told_in_numbers_and_to_a_screen_reader() -> None:
    html = progress(Progress(25_000, 100_000, 20.0))
    assert "25,000 of 100,000 rows · 1,250 rows/s · 1 min left" in html
    assert 'aria-valuenow="25000"' in html
    assert "left" not in progress(Progress(0, 100, 0.0)).split("</div>")[-1]


@pytest.mark.parametrize(
    ("seconds", "told"), [(0.2, "1 s"), (59.4, "59 s"), (60, "1 min"), (61, "2 min"), (3_700, "1 h 2 min")]
)
def test_a_time_is_told_as_a_person_would(seconds: float, told: str) -> None:
    assert duration(seconds) == told


def test_results_tell_what_was_not_scored_and_how_the_labels_compare() -> None:
    html = words(results(report(POLES, grading=graded(POLES)), 2.0))
    for told in (
        "120 of 9 rows scored",
        "2 rows not scored: no text.",
        "50.0%",
        "0.400",
        "0.100",
        "60.0% would be right",
    ):
        assert told in html
    assert "Against" not in words(results(report(POLES), 2.0))
    assert "None of them is one of the model" in words(results(report(POLES, grading=Grading(0, {}, [], POLES, [])), 1))


def test_a_refusal_is_a_sentence() -> None:
    assert "The file is empty." in refusal("the file is empty")


def test_a_file_is_described_with_its_likely_columns(tmp_path: Path) -> None:
    found, html, choices, text, label, header, suffix, *_ = describe(
        str(write_csv(tmp_path / "in.csv", [["id", "review", "stars"], ["1", "fine", "4"]]))
    )
    assert found.rows == 1
    assert "in.csv" in html
    assert (choices.visible, text.value, label.value) == (True, "review", "stars")
    assert (header.value, header.visible) == (True, True)
    assert suffix.value == ".csv"
    assert describe(str(tmp_path / "in.csv"), header=False)[0].rows == 2


def test_a_file_that_cannot_be_read_is_told_and_no_file_is_no_fault(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_bytes(b"")
    found, html, choices, *_ = describe(str(tmp_path / "in.csv"))
    assert (found, choices.visible) == (None, False)
    assert "The file is empty." in html
    assert describe(None)[1] == ""


def test_pasted_lines_are_described_and_limited() -> None:
    found, html, *_ = describe_lines("one\n\ntwo, <b>three</b>\n")
    assert [row.cells for row in found.content.read()] == [["one"], [""], ["two, <b>three</b>"]]
    assert "&lt;b&gt;" in html
    assert "no line to score" in describe_lines(" \n")[1]
    assert "200,001 characters" in describe_lines("x" * (MOST_PASTED + 1))[1]


def test_a_run_ends_with_results_and_a_file_that_is_gone_afterwards(classifier: SentimentClassifier) -> None:
    run = steps(classifier, describe_lines("a great film\nawful")[0], "text", None, ".csv")
    *_, (_, html, download, start, cancel) = run
    assert "2 of 2 rows scored." in html
    assert download.visible
    assert (start.visible, cancel.visible) == (True, False)


def test_a_column_that_is_not_there_is_a_refusal(classifier: SentimentClassifier) -> None:
    ((_, html, download, *_),) = steps(classifier, describe_lines("fine")[0], "no", None, ".csv")
    assert "There is no text column" in html
    assert not download.visible


def test_the_api_checks_its_texts(classifier: SentimentClassifier) -> None:
    answer = classify_text(classifier, "a great film")
    assert answer["label"] == classifier(["a great film"])[0].label
    assert set(answer) >= {"scores", "uncertain", "tokens", "cannot_tell", "warning"}
    for text, told in (("x" * (MAX_CHARACTERS + 1), "200,001 characters"), (" ", "at least one"), (None, "a string")):
        with pytest.raises(gr.Error, match=told):
            classify_text(classifier, text)
