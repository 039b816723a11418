"""What the events of the tab answer, without a browser."""

import json
from pathlib import Path

import numpy as np
import pytest

from sentiment_gru import SentimentClassifier
from sentiment_gru.errors import InputError
from sentiment_gru.web.inside import figures, lessons
from sentiment_gru.web.inside.cell_card import NAMES, draw, rewrite, start, take_step
from sentiment_gru.web.inside.drawings import drawing, equations, parse_sequence, trace_html
from sentiment_gru.web.inside.gru_cell import CHO, CHUNG, CONVENTIONS, PRESETS, PYTORCH, Weights, convert, run, step
from sentiment_gru.web.inside.measurements import read_measured
from sentiment_gru.web.inside.tab import Visit, hand_over, read_arrival, show_card
from sentiment_gru.web.inside.unit_card import EMPTY, UnitViews
from sentiment_gru.web.links import inside_link
from sentiment_gru.web.model_loader import ClassifierLoader
from tests.made_up_results import write_results

WEIGHTS = PRESETS[0].weights
NUMBERS = [getattr(WEIGHTS, name) for name in NAMES]
SEQUENCE = "0, 1.5, -1"
TEXT = "this film was great"


def step_by_step(convention: str, position: int, numbers: list[float]) -> tuple:
    return take_step(convention, SEQUENCE, position, *numbers)


def test_the_picture_and_the_equations_say_the_same() -> None:
    for convention in CONVENTIONS.values():
        shown = step(convert(WEIGHTS, PYTORCH, convention), 1, -0.5, convention)
        assert f"{shown.new:.2f}" in drawing(shown)
        assert f"{shown.new:.3f}" in equations(shown)


def test_the_equations_and_the_drawing_follow_the_convention() -> None:
    def written(convention: object) -> tuple[str, str]:
        shown = step(WEIGHTS, 1, -0.5, convention)
        return equations(shown).replace('<var class="sym-', "").replace("</var>", ""), drawing(shown)

    pytorch, cho, chung = (written(one) for one in (PYTORCH, CHO, CHUNG))
    assert "(U<sub>n</sub>" in pytorch[0]
    assert "U<sub>n</sub>(" in cho[0]
    assert pytorch[1].index(">U h + c<") > 0
    assert "U(rh) + c" in cho[1]
    assert "copies" in chung[1]
    keep = [drawn[1].split('sym-z"><rect')[1].split("</tspan>")[0].rsplit(">", 1)[1] for drawn in (pytorch, cho, chung)]
    assert keep == ["z", "z", "1 − z"]


def test_switching_the_convention_keeps_what_the_cell_computes() -> None:
    *numbers, name, note, _, formulas, _, _ = rewrite("chung2014", "pytorch", SEQUENCE, 0, 1.0, -0.5, *NUMBERS)
    assert name == "chung2014"
    assert step(Weights(*numbers), 1, -0.5, CHUNG).new == pytest.approx(step(WEIGHTS, 1, -0.5).new)
    assert "computes the same" in note
    assert f"{step(WEIGHTS, 1, -0.5).new:.3f}" in formulas


def test_a_bias_that_cannot_be_converted_is_told_with_the_difference() -> None:
    weights = [*NUMBERS[:-1], 1.0]
    note = rewrite("cho2014", "pytorch", SEQUENCE, 0, 1.0, -0.5, *weights)[len(NAMES) + 1]
    difference = step(Weights(*weights), 1, -0.5, CHO).new - step(Weights(*weights), 1, -0.5).new
    assert "no weights" in note
    assert f"{abs(difference):.3f}" in note


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_a_preset_sets_the_same_cell_in_every_convention(convention: str) -> None:
    for preset in PRESETS:
        x, h, *rest = start(preset, convention, SEQUENCE)
        found = step(Weights(*rest[: len(NAMES)]), x, h, CONVENTIONS[convention])
        assert found.new == pytest.approx(step(preset.weights, preset.x, preset.h).new)


def test_stepping_walks_through_the_sequence_and_begins_again() -> None:
    expected = run(WEIGHTS, parse_sequence(SEQUENCE))
    position, seen = 0, []
    for _ in range(4):
        x, h, position, _, _, told, trace, more = step_by_step("pytorch", position, NUMBERS)
        seen.append((x, h, position, more))
        assert f"The new state is {expected[position - 1].new:.2f}".replace("-", "−") in told
        assert f"▸ {position}" in trace
    assert seen == [
        (0.0, expected[0].h, 1, True),
        (1.5, expected[1].h, 2, True),
        (-1.0, expected[2].h, 3, False),
        (0.0, 0.0, 1, True),
    ]


@pytest.mark.parametrize("text", ["", "a, b", "1 2 nan", "4", "1 " * 21])
def test_a_sequence_that_is_none_is_refused_in_words(text: str) -> None:
    with pytest.raises(InputError, match="number"):
        parse_sequence(text)
    assert 'role="alert"' in draw("pytorch", text, 0, 0, 0, *NUMBERS)[-1]
    assert take_step("pytorch", text, 0, *NUMBERS)[-1] is False


def test_a_sequence_may_be_written_with_a_true_minus_sign() -> None:
    assert parse_sequence(" 0, 1.5 −1 ") == (0, 1.5, -1)


def test_a_long_text_shows_the_steps_around_the_token_only() -> None:
    values = {letter: np.linspace(-1, 1, 500) for letter in "rznh"}
    words = [f"<w{index}>" for index in range(500)]
    html = trace_html(values, words, 250)
    assert html.count("<tr>") == 12
    assert "&lt;w250&gt;" in html
    assert "<w" not in html


@pytest.fixture(scope="module")
def views(tiny_checkpoint: Path) -> UnitViews:
    return UnitViews(ClassifierLoader(tiny_checkpoint))


def test_a_text_shows_the_unit_that_its_token_changes_most(views: UnitViews, classifier: SentimentClassifier) -> None:
    slider, unit, reading, picture, told, formulas = views.show_text(TEXT, 4, 0, "pytorch")
    hidden = classifier.explain(TEXT, methods=()).hidden[0]  # (T, H)
    assert unit == np.abs(hidden[3] - hidden[2]).argmax()
    assert (slider.value, slider.maximum) == (4, 4)
    assert "<mark>great</mark>" in reading
    assert f"The new state is {hidden[3, unit]:.2f}".replace("-", "−") in told
    assert "differ by" in formulas
    assert picture.startswith("<svg")


def test_a_token_or_unit_that_does_not_exist_is_the_nearest_that_does(views: UnitViews) -> None:
    assert views.show_unit(TEXT, 99, 0, "pytorch", 1e6) == views.show_unit(TEXT, 4, 0, "pytorch", 7)


def test_the_place_of_r_stays_that_of_the_model_and_is_told(views: UnitViews) -> None:
    *_, formulas = views.show_unit(TEXT, 2, 0, "cho2014", 3)
    assert "with r before it, the same weights would give the candidate" in formulas
    assert "U h + c" in views.show_unit(TEXT, 2, 0, "cho2014", 3)[1]
    assert "1 − z" in views.show_unit(TEXT, 2, 0, "chung2014", 3)[1]


def test_no_text_and_too_much_text_are_refused_in_words(views: UnitViews) -> None:
    assert EMPTY in views.show_text("  ", 1, 0, "pytorch")[2]
    assert "can be read" in views.show_unit("x" * 200_001, 1, 0, "pytorch", 0)[0]
    assert EMPTY in views.answer(None, "", 1)


def test_markup_in_a_text_is_text(views: UnitViews) -> None:
    shown = "".join(views.show_unit("<img src=x onerror=alert(1)>", 2, 1, "chung2014", 0))
    assert "<img" not in shown


def test_the_figures_are_json_of_plotly_and_every_one_has_a_table(tmp_path: Path) -> None:
    measured = read_measured(write_results(tmp_path))
    for dark in (False, True):
        for drawn in (
            figures.speed_figure(measured.speed, dark),
            figures.recall_figure(measured.recall, dark),
            figures.gradient_figure(measured.gradients, "trained", dark),
        ):
            figure = json.loads(drawn)
            assert {"data", "layout"} <= figure.keys()
            assert len({trace["name"] for trace in figure["data"] if "name" in trace}) >= 3
    assert json.loads(figures.gradient_figure(measured.gradients, "start", False))["layout"]["yaxis"]["type"] == "log"
    for table in (
        figures.speed_table(measured.speed),
        figures.gradient_table(measured.gradients),
        figures.recall_table(measured.recall),
        figures.compared_table(measured),
    ):
        assert "<caption>" in table
        assert "Measured by <code>python -m benchmarks.cells" in table


def test_a_gradient_of_0_leaves_the_logarithmic_axis_alone(tmp_path: Path) -> None:
    folder = write_results(tmp_path)
    result = json.loads((folder / "cell_gradients.json").read_text())
    curve = result["models"]["rnn-last"]["trained"]["h"]
    curve["quartile_25"][-1] = 0.0
    (folder / "cell_gradients.json").write_text(json.dumps(result))
    traces = json.loads(figures.gradient_figure(read_measured(folder).gradients, "trained", False))["data"]
    assert all(value > 0 for trace in traces for value in trace["y"])


def test_a_link_holds_panel_text_and_token() -> None:
    assert inside_link("cell") == "#inside=cell"
    assert inside_link("unit", "a & b=#1", 0) == "#inside=unit&text=a%20%26%20b%3D%231&token=0"


@pytest.mark.parametrize("arrival", [None, "", "no json", "[1]", '{"token": "3", "panel": 4, "text": null}'])
def test_a_link_that_makes_no_sense_is_ignored(arrival: str | None) -> None:
    assert read_arrival(arrival) == {}


def test_the_text_of_the_sentiment_tab_is_handed_over_once() -> None:
    visit = Visit()
    text, token = hand_over(visit, {"chosen": 2}, "a text")
    assert (text, token.value) == ("a text", 3)
    assert visit.handed == ("a text", 3)
    visit.handed = None
    hand_over(visit, {"chosen": 2}, "a text")
    assert visit.handed is None  # what the visitor typed here since is left alone


def test_the_text_of_a_link_comes_before_that_of_the_sentiment_tab() -> None:
    visit = Visit()
    text, token = hand_over(visit, {"panel": "unit", "text": "linked", "token": 0, "chosen": 5}, "a text")
    assert (text, token.value) == ("linked", 1)
    visit.handed = None
    hand_over(visit, {"chosen": 5}, "a text")
    hand_over(visit, {"chosen": -1}, "a text")
    assert visit.handed is None
    assert hand_over(visit, {"chosen": 5}, "another")[0] == "another"


def test_one_card_is_seen_and_the_ends_have_no_way_on() -> None:
    name, *columns, back, onward = show_card(list(lessons.CARDS), "chapter")
    assert name == "chapter"
    assert [column.visible for column in columns] == [True, *[False] * 5]
    assert (back.interactive, onward.interactive) == (False, True)
    assert show_card(list(lessons.CARDS), "recall")[-1].interactive is False
