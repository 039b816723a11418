"""Every figure that the tab states is computed anew here, from torch or from the result files."""

import json
import re
from dataclasses import replace
from pathlib import Path
from statistics import fmean

import pytest
import torch
from torch import nn

from quiz.proofs import cells
from sentiment_gru.web.inside import figures, lessons, statements
from sentiment_gru.web.inside import lessons as chapter
from sentiment_gru.web.inside.drawings import number, share, told
from sentiment_gru.web.inside.figure_cards import pictures_of
from sentiment_gru.web.inside.gru_cell import GATES, RESET_ONLY, Step, parameters, recurrent_parameters, step
from sentiment_gru.web.inside.measurements import CONFIGURATIONS, Measured, read_measured
from sentiment_gru.web.inside.statements import CONVENTION, FAILS, HOLDS, LOOSE
from tests.conftest import REPOSITORY
from tests.made_up_results import write_results

CONFIG = json.loads((REPOSITORY / "sentiment_gru/pretrained/config.json").read_text())
MODULES = {"gru": nn.GRU, "lstm": nn.LSTM, "rnn": nn.RNN}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_results(tmp_path_factory.mktemp("results"))


@pytest.fixture(scope="module")
def measured(folder: Path) -> Measured:
    return read_measured(folder)


def read(folder: Path, name: str) -> dict:
    return json.loads((folder / f"{name}.json").read_text())


def numbers(html: str) -> set[str]:
    """Return the numbers of a text, less those that belong to a name."""
    text = re.sub(r"<[^>]*>|et al\. \d{4}", " ", html)
    return set(re.findall(r"−?\d+(?:,\d{3})*(?:\.\d+)?(?:e[−-]?\d+)?%?", text))


def test_the_chapter_states_no_figure_but_the_bounds_of_a_gate() -> None:
    assert numbers(re.sub(r"\$[^$]*\$", "", chapter.CHAPTER)) == {"0", "1"}
    assert numbers(chapter.course_map()) == set()


@pytest.mark.parametrize("cell", MODULES)
@pytest.mark.parametrize(("inputs", "hidden"), [(128, 192), (3, 5)])
def test_parameters_are_those_of_torch(cell: str, inputs: int, hidden: int) -> None:
    assert parameters(cell, inputs, hidden) == sum(p.numel() for p in MODULES[cell](inputs, hidden).parameters())


def test_recurrent_parameters_are_those_of_stacked_layers_of_torch() -> None:
    config = {"hidden_size": 6, "embedding_size": 4, "num_layers": 3, "bidirectional": True}
    module = nn.GRU(4, 6, num_layers=3, bidirectional=True)
    assert recurrent_parameters(config, "gru") == sum(p.numel() for p in module.parameters())


def test_the_sizes_are_those_of_the_loaded_model() -> None:
    sizes = [CONFIG[name] for name in ("embedding_size", "hidden_size")]
    gru, lstm = (sum(p.numel() for p in kind(*sizes, bidirectional=True).parameters()) for kind in (nn.GRU, nn.LSTM))
    table = nn.Embedding(CONFIG["vocab_size"], CONFIG["embedding_size"]).weight.numel()
    found = statements.fewer_parameters(CONFIG)
    assert found.verdict == HOLDS
    assert gru * 4 == lstm * 3
    assert numbers(found.reason) == {
        f"{gru:,}",
        f"{lstm:,}",
        f"{table:,}",
        "3",
        "4",
        f"{(lstm - gru) / (gru + table):.0%}",
    }


def test_the_number_of_gates_is_that_of_sigmoid_blocks() -> None:
    blocks = {name: module(1, 1).weight_hh_l0.shape[0] for name, module in MODULES.items()}
    assert {"gru": blocks["gru"] - 1, "lstm": blocks["lstm"] - 1, "rnn": blocks["rnn"] - 1} == GATES
    assert numbers(statements.two_gates().reason) == {"2", "3", "4"}


def test_a_shut_reset_gate_is_run_on_torch() -> None:
    cell, weights = nn.GRUCell(1, 1).double(), RESET_ONLY.weights
    for name, values in {
        "weight_ih": (weights.w_r, weights.w_z, weights.w_n),
        "weight_hh": (weights.u_r, weights.u_z, weights.u_n),
        "bias_ih": (weights.b_r, weights.b_z, weights.b_n),
        "bias_hh": (0.0, 0.0, weights.c_n),
    }.items():
        parameter = getattr(cell, name)
        parameter.requires_grad_(False).copy_(torch.tensor(values, dtype=torch.double).view_as(parameter))
    x, h = (torch.tensor([[value]], dtype=torch.double) for value in (RESET_ONLY.x, RESET_ONLY.h))
    new = cell(x, h).item()
    r, z = (torch.sigmoid(torch.tensor(bias)).item() for bias in (weights.b_r, weights.b_z))
    found = statements.reset_forgets()
    assert found.verdict == LOOSE
    expected = {number(r), number(z), number(RESET_ONLY.h), number(new)}
    assert numbers(found.reason) == expected | {share(z)}
    _, answer = lessons.forgets(step(weights, RESET_ONLY.x, RESET_ONLY.h))
    assert numbers(answer) == expected


def test_what_a_large_z_means_is_run_on_the_cells_of_the_three_conventions() -> None:
    found = statements.update_decides()
    z, h, n = (statements.EXAMPLE[name] for name in "zhn")
    expected = set()
    for kind in cells.CONVENTIONS.values():
        layer = cells.Layer(kind, hidden=1).fixed(n=torch.tensor(n).double().atanh().item()).gated(z=z)
        expected.add(number(layer.step(h=torch.tensor([h], dtype=torch.double)).item()))
    assert found.verdict == CONVENTION
    assert len(expected) == 2
    assert numbers(found.reason) == expected | {number(z), number(h), number(n)}


def test_the_speeds_are_those_of_the_result_file(folder: Path, measured: Measured) -> None:
    found = statements.faster(measured.speed)
    medians = {
        cell: {way: spread["median"] for way, spread in one["milliseconds"].items()}
        for cell, one in read(folder, "cell_speed")["configurations"].items()
    }
    for way, gru in medians["gru"].items():
        lstm = medians["lstm"][way]
        assert f"{gru:.1f} ms against {lstm:.1f} ms" in found.reason
        if max(gru, lstm) / min(gru, lstm) > statements.ALIKE:
            assert f"{max(gru, lstm) / min(gru, lstm):.1f} times {'faster' if gru < lstm else 'slower'}" in found.reason
    assert found.verdict == LOOSE
    assert "in 3 of 5 ways" in found.reason
    assert "<code>python -m benchmarks.cells speed</code>" in found.source
    assert "2026-01-31" in found.source


@pytest.mark.parametrize(
    ("torch_one", "words", "right"),
    [
        ((10.0, 3.0, 4.0), "“faster than an LSTM” fails: the GRU takes 3.3 times as long", ["LSTM"]),
        ((3.0, 10.0, 4.0), "“faster than an LSTM” holds", ["GRU"]),
        ((4.0, 4.05, 9.0), "equally fast", ["GRU", "LSTM"]),
    ],
)
def test_the_sentence_on_one_text_follows_the_figures(tmp_path: Path, torch_one: tuple, words: str, right: list[str]):
    found, told = lessons.fastest(read_measured(write_results(tmp_path, torch_one)).speed)
    assert words in told
    assert found == right
    assert {f"{time:.1f}" for time in torch_one} <= numbers(told)


def test_a_gru_that_is_never_faster_fails(measured: Measured) -> None:
    slow = {cell: dict.fromkeys(ways, 9.0) for cell, ways in measured.speed.times.items()}
    slow["gru"] = dict.fromkeys(slow["gru"], 20.0)
    changed = type(measured.speed)(slow, 250, 64, "")
    assert statements.faster(changed).verdict == FAILS


def test_the_accuracies_are_those_of_the_result_files(folder: Path, measured: Measured) -> None:
    found = statements.as_good(measured.trainings["gru"], measured.trainings["lstm"])
    for name in ("gru", "lstm"):
        runs = [json.loads(path.read_text()) for path in (folder / "cells").glob(f"{name}-[0-9].json")]
        assert f"{fmean(run['dev']['accuracy'] for run in runs):.1%}" in found.reason
    assert "better by more than the spread" in found.reason
    worse = statements.as_good(measured.trainings["lstm"], measured.trainings["gru"])
    assert worse.verdict == FAILS
    alike = statements.as_good(measured.trainings["gru"], measured.trainings["gru"])
    assert "within the spread" in alike.reason


def test_the_accuracies_by_length_are_those_of_the_result_files(folder: Path, measured: Measured) -> None:
    table = figures.length_table(measured.trainings)
    for name in measured.trainings:
        runs = [json.loads(path.read_text()) for path in (folder / "cells").glob(f"{name}-[0-9].json")]
        quarters = zip(*(run["dev"]["by_length"] for run in runs), strict=True)
        cells = "".join(f"<td>{fmean(one['accuracy'] for one in found):.1%}</td>" for found in quarters)
        assert f"{CONFIGURATIONS[name]}</th>{cells}" in table
    assert '<th scope="col">201 to 1,400</th>' in table


def test_the_gradients_are_those_of_the_result_file(folder: Path, measured: Measured) -> None:
    result = read(folder, "cell_gradients")
    place = result["distances"].index(lessons.FAR)
    right, words = lessons.reaches(measured.gradients)
    before = {}
    for cell in MODULES:
        curves = result["models"][f"{cell}-last"]
        kind = "c" if cell == "lstm" else "h"
        medians = {point: curves[point][kind]["median"] for point in ("start", "trained")}
        before[cell] = medians["start"][place]
        for values in medians.values():
            assert f"{values[place] / values[0]:.0e}".replace("e-", "e−") in words
    assert right == [max(before, key=before.__getitem__).upper()]


def test_the_recall_is_that_of_the_result_file(folder: Path, measured: Measured) -> None:
    result = read(folder, "recall")
    right, words = lessons.recalls(measured.recall)
    for variant, by_lag in result["variants"].items():
        assert f"{lessons.recall_name(variant)} {fmean(by_lag['200']['accuracy']):.0%}" in words
    assert right == ["GRU", "LSTM, forget bias 1"]
    assert "none gets" not in words


def test_the_question_on_recall_asks_for_a_delay_at_which_the_cells_differ(folder: Path, measured: Measured) -> None:
    far = {variant: by_lag | {200: (0.1, 0.15)} for variant, by_lag in measured.recall.accuracies.items()}
    near = far | {"rnn": far["rnn"] | {50: (0.1, 0.1)}}
    changed = replace(measured, recall=replace(measured.recall, accuracies=near))
    assert lessons.question("recall", changed).text == "Which one recalls best over 50 tokens?"
    right, words = lessons.recalls(changed.recall)
    assert "RNN" not in right
    assert "RNN 10%" in words
    assert "After 200 none gets beyond 12%" in words


def test_the_answer_on_the_cell_is_that_of_its_step() -> None:
    asked = step(lessons.ASKED.weights, lessons.ASKED.x, lessons.ASKED.h)
    right, words = lessons.lands(asked)
    assert right == ["Nearer to the candidate"]
    assert number(asked.z * asked.h + (1 - asked.z) * asked.n) in numbers(words)
    assert {number(asked.h), number(asked.n), number(asked.z)} <= numbers(lessons.QUESTIONS["cell"].text)


@pytest.mark.parametrize(("moved", "option"), [(3, "Few"), (50, "About half"), (99, "Nearly all")])
def test_the_answer_on_the_units_follows_their_number(moved: int, option: str) -> None:
    right, words = lessons.changes(moved, 100, "<b>")
    assert right == [option]
    assert f"{moved} of 100" in words
    assert "<b>" not in words


def test_a_guess_is_told_to_be_right_or_wrong() -> None:
    assert "As you said." in lessons.answer_html("GRU", ["GRU"], "So.")
    assert "Not so." in lessons.answer_html("RNN", ["GRU"], "So.")
    assert lessons.answer_html(None, ["GRU"], "So.") == "<p>So.</p>"


def test_without_result_files_nothing_is_said_of_what_they_hold(tmp_path: Path) -> None:
    nothing = read_measured(tmp_path)
    assert nothing == Measured({}, None, None, None)
    assert [card.name for card in lessons.cards(nothing, gated=True)] == ["chapter", "cell", "unit", "compare"]
    assert [card.name for card in lessons.cards(nothing, gated=False)] == ["chapter", "cell", "compare"]
    assert lessons.question("compare", nothing) is None
    assert [one.source for one in statements.statements(CONFIG, nothing)] == [""] * 4


def test_all_figures_of_the_committed_result_files_can_be_drawn() -> None:
    found = read_measured()
    assert {one.verdict for one in statements.statements(CONFIG, found)} <= {HOLDS, LOOSE, CONVENTION, FAILS}
    for card in lessons.cards(found, gated=True):
        for picture in pictures_of(card.name, found, CONFIG):
            assert picture.make(False) != picture.make(True) or not picture.plot


def test_a_share_that_is_nearly_all_is_not_rounded_to_all() -> None:
    assert [share(value) for value in (0, 0.001, 0.5, 0.998, 1)] == ["0%", "0.1%", "50%", "99.8%", "100%"]
    assert [number(value) for value in (-0.001, -1, 0.5)] == ["0.00", "−1.00", "0.50"]
    assert "99.8% of the old state" in told(Step(0.5, (0, 6, 0), (0, 0, 0)))
