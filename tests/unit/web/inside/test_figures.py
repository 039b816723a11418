"""The figures are plotly's JSON, and each has a table of the same numbers."""

import json
import re
from html import unescape
from pathlib import Path
from statistics import fmean

import pytest

from sentiment_gru.web.inside import figures
from sentiment_gru.web.inside.cards import list_cards
from sentiment_gru.web.inside.figure_cards import list_figures
from sentiment_gru.web.inside.measurements import CONFIGURATIONS, Measured, format_left, read_measured

from .test_statements import read_runs


def test_the_speed_is_drawn_by_plotly(measured: Measured) -> None:
    for dark in (False, True):
        figure = json.loads(figures.draw_speed(measured.speed, dark))
        assert {"data", "layout"} <= figure.keys()
        assert [trace["name"] for trace in figure["data"]] == ["GRU", "LSTM", "RNN"]


def test_every_table_states_the_origin_of_its_figures(measured: Measured) -> None:
    for table in (
        figures.render_speed_table(measured.speed),
        figures.render_gradient_table(measured.gradients),
        figures.render_recall(measured.recall),
        figures.render_comparison_table(measured),
    ):
        assert "<caption>" in table
        assert "<code>python -m benchmarks.cells" in table


def test_the_accuracies_by_length_are_those_of_the_result_files(folder: Path, measured: Measured) -> None:
    table = figures.render_length_table(measured.trainings)
    for name in measured.trainings:
        groups = zip(*(run["dev"]["by_length"] for run in read_runs(folder, name)), strict=True)
        cells = "".join(f"<td>{fmean(part['accuracy'] for part in group):.1%}</td>" for group in groups)
        assert f"{CONFIGURATIONS[name]}</th>{cells}" in table
    assert '<th scope="col">201 to 1,400</th>' in table


def test_the_gradients_of_both_starts_and_after_training_are_shown_in_plain_decimals(
    folder: Path, measured: Measured
) -> None:
    table, charts = figures.render_gradient_table(measured.gradients), figures.render_gradients(measured.gradients)
    result = json.loads((folder / "cell_gradients.json").read_text())
    for cell in ("gru", "lstm", "rnn"):
        for stage, title in figures.STAGES.items():
            median = result["models"][f"{cell}-last"][stage]["c" if cell == "lstm" else "h"]["median"]
            left = [median[result["distances"].index(distance)] / median[0] for distance in figures.TABLE_DISTANCES]
            cells = "".join(f"<td>{format_left(share)}</td>" for share in left)
            assert f"{cell.upper()}, {title[0].lower()}{title[1:]}</th>{cells}" in unescape(table)
            assert f"<h3>{title}</h3>" in charts
    assert not re.search(r"\de[-−]?\d", table + charts)
    assert "orthogonal" in charts


@pytest.mark.parametrize(
    ("share", "expected"), [(1.25, "125%"), (0.1, "10%"), (0.0826, "8.3%"), (0.0064, "0.64%"), (0.0, "< 0.01%")]
)
def test_a_share_of_the_gradient_is_a_plain_decimal(share: float, expected: str) -> None:
    assert format_left(share) == expected


def test_a_bar_of_recall_is_as_long_as_its_share(folder: Path, measured: Measured) -> None:
    html = figures.render_recall(measured.recall)
    by_lag = json.loads((folder / "recall.json").read_text())["variants"]["lstm"]["200"]["accuracy"]
    assert f'--share: {fmean(by_lag):.3f}; --chance: 0.125"></i>{fmean(by_lag):.0%} ({min(by_lag):.0%})</td>' in html


def test_without_trainings_the_parameters_alone_are_compared(tmp_path: Path) -> None:
    table = figures.render_comparison_table(read_measured(tmp_path))
    assert all(f"<td>{blocks * 128 * 258:,}</td>" in table for blocks in (3, 4, 1))


def test_every_figure_of_the_committed_results_can_be_made() -> None:
    measured = read_measured()
    for card in list_cards(measured, is_gru=True):
        for figure in list_figures(card.name, measured):
            light, dark = figure.make(False), figure.make(True)
            assert (light != dark) == figure.is_plot
