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
    render_heat_map,
    render_line_chart,
    render_track,
)
from sentiment_gru.web.rendering import tone
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
    x, values = np.array([0, 0.25, 1]), np.array([0.0, 0.5, 1.0])
    lines = [Line("A & B", "line a", x, values, (values - 1, values + 1), "note"), Line("C", "line c", x, 1 - values)]
    html = render_line_chart(lines, (-1, 1), ("low", "high"), "about", ("first", "last"))
    assert polylines(html) == [[(0, 50), (25, 25), (100, 0)], [(0, 0), (25, 25), (100, 50)]]
    assert re.findall('<polygon[^>]* points="([^"]*)"', html) == [
        "0.00,0.00 25.00,-25.00 100.00,-50.00 100.00,50.00 25.00,75.00 0.00,100.00"
    ]
    assert read_words(html) == "A & B note C high low first last"
    assert len(set(re.findall('stroke-dasharray: ([^"]*)', html))) == 2


def test_each_column_of_the_track_shows_the_scores_after_its_token(explanation: Explanation) -> None:
    columns = render_track(explanation).split('class="track-column"')[1:]
    assert len(columns) == len(explanation.tokens)
    names = list(explanation.prediction.scores)
    for column, scores in zip(columns, explanation.running[1:], strict=True):
        shares = dict(re.findall(r'tone-(\w+)" style="flex-grow: ([\d.]+)"', column))
        assert next(iter(shares)) == "positive"
        assert [*shares][-1] == "negative"
        assert [float(shares[tone(name)]) for name in names] == pytest.approx(scores.tolist(), abs=1e-4)


def test_each_column_of_the_track_shows_how_far_its_token_moves_the_state(explanation: Explanation) -> None:
    hidden = explanation.hidden
    forward = np.abs(np.diff(hidden[0], axis=0, prepend=0)).mean(axis=1)
    backward = np.abs(np.diff(hidden[1][::-1], axis=0, prepend=0)).mean(axis=1)[::-1]
    movement = np.stack([forward, backward])
    heights = re.findall(r"height: ([\d.]+)%", render_track(explanation))
    drawn = np.array(heights, dtype=float).reshape(-1, 2).T
    assert np.allclose(drawn, 100 * movement / movement.max(), atol=0.06)


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
