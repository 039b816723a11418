"""The figures are plotly's JSON, and each has a table of the same numbers."""

import json
from pathlib import Path
from statistics import fmean

from sentiment_gru.web.inside import figures
from sentiment_gru.web.inside.cards import list_cards
from sentiment_gru.web.inside.figure_cards import list_figures
from sentiment_gru.web.inside.measurements import CONFIGURATIONS, Measured, read_measured
from tests.made_up_results import write_results

from .test_statements import CONFIG, read_runs


def test_every_figure_is_json_of_plotly(measured: Measured) -> None:
    for dark in (False, True):
        for drawn in (
            figures.draw_speed(measured.speed, dark),
            figures.draw_recall(measured.recall, dark),
            figures.draw_gradients(measured.gradients, "trained", dark),
        ):
            figure = json.loads(drawn)
            assert {"data", "layout"} <= figure.keys()
            assert len({trace["name"] for trace in figure["data"] if "name" in trace}) >= 3
    assert json.loads(figures.draw_gradients(measured.gradients, "start", False))["layout"]["yaxis"]["type"] == "log"


def test_every_table_states_the_origin_of_its_figures(measured: Measured) -> None:
    for table in (
        figures.render_speed_table(measured.speed),
        figures.render_gradient_table(measured.gradients),
        figures.render_recall_table(measured.recall),
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


def test_a_gradient_of_0_is_left_out_of_the_logarithmic_axis(tmp_path: Path) -> None:
    folder = write_results(tmp_path)
    result = json.loads((folder / "cell_gradients.json").read_text())
    result["models"]["rnn-last"]["trained"]["h"]["quartile_25"][-1] = 0.0
    (folder / "cell_gradients.json").write_text(json.dumps(result))
    traces = json.loads(figures.draw_gradients(read_measured(folder).gradients, "trained", False))["data"]
    assert all(value > 0 for trace in traces for value in trace["y"])


def test_without_trainings_the_parameters_alone_are_compared(tmp_path: Path) -> None:
    table = figures.render_comparison_table(read_measured(tmp_path))
    assert all(f"<td>{blocks * 128 * 258:,}</td>" in table for blocks in (3, 4, 1))


def test_every_figure_of_the_committed_results_can_be_made() -> None:
    measured = read_measured()
    for card in list_cards(measured, is_gru=True):
        for figure in list_figures(card.name, measured, CONFIG):
            light, dark = figure.make(False), figure.make(True)
            assert (light != dark) == figure.is_plot
