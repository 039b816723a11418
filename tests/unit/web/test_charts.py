"""Charts and heat maps show the numbers of an explanation."""

import base64
import re
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from sentiment_gru import Explanation
from sentiment_gru.web.charts import (
    GATES,
    Line,
    encode_png,
    render_deletion_chart,
    render_gate_strip,
    render_heat_map,
    render_line_chart,
    render_running_chart,
)
from tests.unit.explanation.test_explanation import TEXT, make
from tests.unit.web.markup import read_words


@pytest.fixture(scope="module")
def explanation() -> Explanation:
    return make().explain(TEXT, target=("positive", "negative"))


def polylines(html: str) -> list[list[tuple[float, float]]]:
    """Return the points of every line of a chart."""
    drawn = re.findall('<polyline[^>]* points="([^"]*)"', html)
    return [[tuple(map(float, point.split(","))) for point in points.split()] for points in drawn]


def test_a_chart_draws_its_lines_bands_and_words() -> None:
    values = np.array([0.0, 0.5, 1.0])
    lines = [Line("A & B", "line a", values, (values - 1, values + 1), "note"), Line("C", "line c", 1 - values)]
    html = render_line_chart(lines, np.array([0, 0.25, 1]), (-1, 1), ("low", "high"), "about", ("first", "last"))
    assert polylines(html) == [[(0, 50), (25, 25), (100, 0)], [(0, 0), (25, 25), (100, 50)]]
    assert re.findall('<polygon[^>]* points="([^"]*)"', html) == [
        "0.00,0.00 25.00,-25.00 100.00,-50.00 100.00,50.00 25.00,75.00 0.00,100.00"
    ]
    assert read_words(html) == "A & B note C high low first last"
    assert len(set(re.findall('stroke-dasharray: ([^"]*)', html))) == 2


def test_the_running_chart_ends_at_the_scores_of_the_verdict(explanation: Explanation) -> None:
    scores = explanation.prediction.scores
    ends = [points[-1] for points in polylines(render_running_chart(explanation))]
    assert [x for x, _ in ends] == [100] * len(scores)
    assert [y for _, y in ends] == pytest.approx(sorted(100 * (1 - score) for score in scores.values()), abs=0.01)


def test_the_gate_strip_has_both_gates_of_every_direction(explanation: Explanation) -> None:
    html = render_gate_strip(explanation)
    means = [explanation.gate_summary(gate)["mean"][index] for index in (0, 1) for gate in ("reset", "update")]
    drawn = [[1 - y / 100 for _, y in points[1:-1]] for points in polylines(html)]
    assert np.allclose(drawn, means, atol=1e-3)
    assert html.count("chart-axis") == 1


def test_the_deletion_chart_has_a_line_for_each_method_and_for_random_order(explanation: Explanation) -> None:
    html = render_deletion_chart(explanation.deletion)
    assert len(polylines(html)) == len(explanation.deletion.curves) + 1
    assert "on-tokens" not in html


@pytest.mark.parametrize("letter", GATES)
def test_a_heat_map_has_a_row_for_each_unit_and_a_column_for_each_token(explanation: Explanation, letter: str) -> None:
    html = render_heat_map(explanation, letter)
    images = [Image.open(BytesIO(base64.b64decode(data))) for data in re.findall(r"base64,([^)]*)\)", html)]
    assert len(images) == (2 if letter in "rz" else 4)
    assert {image.size for image in images} == {(len(explanation.tokens), 5)}


def test_a_png_holds_its_opacities() -> None:
    image = Image.open(BytesIO(base64.b64decode(encode_png(np.array([[0, 0.5, 1], [1, 2, -1]])))))
    assert image.mode == "LA"
    assert np.asarray(image)[..., 1].tolist() == [[0, 128, 255], [255, 255, 0]]
    assert not np.asarray(image)[..., 0].any()
