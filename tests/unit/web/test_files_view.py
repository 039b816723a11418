"""The Files tab as HTML: previews and results, with every name, cell and message of a file escaped."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import escape

from sentiment_gru.files.job import Progress
from sentiment_gru.files.summary import BINS, Bin, Doubtful, Grading, Histogram, Report
from sentiment_gru.files.table import Content, Table
from sentiment_gru.web.files_view import (
    format_duration,
    render_preview,
    render_progress,
    render_refusal,
    render_results,
)
from tests.unit.web.markup import MARKUP, Tags, read_words

TAGS = {"p", "strong", "small", "div", "span", "i", "ul", "li", "h2", "dl", "dt", "dd", "svg"}
TAGS |= {"table", "caption", "thead", "tbody", "tr", "th", "td", "text", "rect", "line", "circle", "polyline", "title"}
names = st.text(max_size=8) | st.just(MARKUP) | st.just("${alert(1)}") | st.just('"><script>alert(1)</script>')
POLES = ["negative", "neutral", "positive"]


def make_table(columns: list[str], rows: list[list[str]], note: str = "") -> Table:
    content = Content(columns, lambda: iter(()))
    return Table(Path("in.csv"), ".csv", columns, len(rows), rows, content, (note,))


def make_report(
    labels: list[str], text: str = "fine", grading: Grading | None = None, error: str = "no text"
) -> Report:
    counts = {label: [number] * BINS for number, label in enumerate(labels, 1)}
    return Report(
        rows=122,
        labels={label: sum(values) for label, values in counts.items()},
        uncertain=30,
        errors={error: 2},
        histogram=Histogram("negative" in labels, counts),
        least_certain=[Doubtful(3, text, labels[0], 0.41, True), Doubtful(4, text, labels[0], 0.98)],
        grading=grading,
    )


def make_grading(labels: list[str], without: str = "?") -> Grading:
    matrix = [[3 if row == column else 1 for column in range(len(labels))] for row in range(len(labels))]
    bins = (Bin(0.5, 0.4, 3), Bin(0.9, 1.0, 7))
    return Grading(9, {without: 1}, labels, labels, matrix, 0.5, 0.4, 0.6, 0.1, bins)


@given(names, names, names)
def test_nothing_of_a_file_reaches_the_page_as_markup(column: str, cell: str, name: str) -> None:
    ungraded = Grading(0, {name: 1}, [], [column], [])
    for html in (
        render_preview(make_table([column], [[cell]], name), name),
        render_refusal(name),
        render_results(make_report([column, name], cell, make_grading([column, name], cell), error=cell), 1.0),
        render_results(make_report([column], cell, ungraded), 1.0),
    ):
        tags = Tags(html)
        assert tags.names <= TAGS
        assert not {attribute for attribute in tags.attributes if attribute.startswith("on")}
        assert not tags.attributes & {"src", "href"}
    assert escape(cell) in render_preview(make_table([column], [[cell]], name), name)


def test_the_preview_names_the_file_and_its_size() -> None:
    table = make_table(["id", "text"], [["1", "x" * 500]], "Its columns are separated by tabs.")
    words = read_words(render_preview(table, "in.csv"))
    assert "in.csv : 1 row, 2 columns." in words
    assert "separated by tabs" in words
    assert re.search("x+…", words)[0] == "x" * 120 + "…"


def test_progress_is_shown_in_numbers_and_to_a_screen_reader() -> None:
    html = render_progress(Progress(25_000, 100_000, 20.0))
    assert "25,000 of 100,000 rows · 1,250 rows/s · 1 min left" in html
    assert 'aria-valuenow="25000"' in html
    assert "width: 25.0%" in html
    assert read_words(render_progress(Progress(0, 100, 0.0))) == "0 of 100 rows"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.2, "1 s"), (59.4, "59 s"), (60, "1 min"), (61, "2 min"), (3_700, "1 h 2 min")]
)
def test_a_duration_is_rounded_up_to_its_unit(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


def test_results_show_the_counts_the_errors_and_the_comparison() -> None:
    words = read_words(render_results(make_report(POLES, grading=make_grading(POLES)), 2.0))
    for part in (
        "120 of 122 rows scored.",
        "20 negative, 40 neutral, 60 positive; 30 (25%) of the verdicts are uncertain. Time: 2 s.",
        "2 rows not scored: no text.",
        "Accuracy 50.0%",
        "Macro-F1 0.400",
        "Calibration error 0.100",
        "60.0% would be right",
        "left out: ? (1).",
        "negative 3 60% 1 20% 1 20%",
        "3 fine negative 0.41, uncertain",
    ):
        assert part in words
    assert "0.98" not in words  # a clear verdict is not doubtful
    many = replace(make_report(POLES), rows=3_000)
    assert "1,500 rows/s" in read_words(render_results(many, 2.0))


def test_results_without_labels_of_the_model_have_no_comparison() -> None:
    assert "Against" not in read_words(render_results(make_report(POLES), 2.0))
    words = read_words(render_results(make_report(POLES, grading=Grading(0, {}, [], POLES, [])), 1))
    assert "None of them is a label of the model" in words
    assert "Accuracy" not in words


def test_the_bars_of_the_histogram_stack_to_the_height_of_their_counts() -> None:
    report = make_report(POLES)
    counts = {"negative": [2] + [0] * (BINS - 1), "neutral": [2] + [0] * (BINS - 1), "positive": [0] * (BINS - 1) + [1]}
    html = render_results(replace(report, histogram=Histogram(True, counts)), 1)
    bars = re.findall('<rect class="fill tone-([a-z]+)" x="([^"]*)" y="([^"]*)" width="[^"]*" height="([^"]*)"', html)
    assert bars == [
        ("negative", "45.0", "82.0", "70.0"),
        ("neutral", "45.0", "12.0", "70.0"),
        ("positive", "335.7", "117.0", "35.0"),
    ]


def test_the_calibration_plot_has_a_larger_dot_for_more_rows() -> None:
    html = render_results(make_report(POLES, grading=make_grading(POLES)), 1)
    dots = re.findall('<circle class="dot" cx="([^"]*)" cy="([^"]*)" r="([^"]*)"', html)
    assert dots == [("197.0", "96.0", "6.9"), ("319.4", "12.0", "9.0")]


def test_a_refusal_is_a_sentence() -> None:
    assert "The file is empty." in render_refusal("the file is empty")
