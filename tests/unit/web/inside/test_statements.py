"""Every figure of the statements is computed again here, by torch or from the result files."""

import json
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest
import torch
from torch import nn

from quiz.proofs import cells
from sentiment_gru.web.inside import statements
from sentiment_gru.web.inside.gru_cell import RESET_ONLY
from sentiment_gru.web.inside.measurements import RESULTS, Measured, format_left, read_measured
from sentiment_gru.web.inside.stage_view import format_number, format_share
from sentiment_gru.web.inside.statements import (
    CONVENTION,
    FAILS,
    GATES,
    HOLDS,
    LOOSE,
    count_parameters,
    count_recurrent_parameters,
)
from tests.conftest import REPOSITORY

from .conftest import extract_numbers
from .test_gru_cell import set_weights

CONFIG = json.loads((REPOSITORY / "sentiment_gru/pretrained/config.json").read_text())
MODULES = {"gru": nn.GRU, "lstm": nn.LSTM, "rnn": nn.RNN}


def read_runs(folder: Path, name: str) -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in (folder / "cells").glob(f"{name}-[0-9].json")]


@pytest.mark.parametrize("cell", MODULES)
@pytest.mark.parametrize(("inputs", "hidden"), [(128, 192), (3, 5)])
def test_parameters_are_counted_as_in_torch(cell: str, inputs: int, hidden: int) -> None:
    assert count_parameters(cell, inputs, hidden) == sum(p.numel() for p in MODULES[cell](inputs, hidden).parameters())


def test_parameters_of_stacked_layers_are_counted_as_in_torch() -> None:
    config = {"hidden_size": 6, "embedding_size": 4, "num_layers": 3, "bidirectional": True}
    module = nn.GRU(4, 6, num_layers=3, bidirectional=True)
    assert count_recurrent_parameters(config, "gru") == sum(p.numel() for p in module.parameters())


def test_the_sizes_are_those_of_the_loaded_model() -> None:
    sizes = [CONFIG[name] for name in ("embedding_size", "hidden_size")]
    gru, lstm = (sum(p.numel() for p in kind(*sizes, bidirectional=True).parameters()) for kind in (nn.GRU, nn.LSTM))
    embeddings = nn.Embedding(CONFIG["vocab_size"], CONFIG["embedding_size"]).weight.numel()
    statement = statements.judge_size(CONFIG)
    assert statement.verdict == HOLDS
    assert gru * 4 == lstm * 3
    figures = {f"{gru:,}", f"{lstm:,}", f"{embeddings:,}", f"{(lstm - gru) / (gru + embeddings):.0%}"}
    inputs, hidden = statements.KERAS_EXAMPLE
    gru, lstm = (blocks * hidden * (inputs + hidden + biases) for blocks, biases in ((3, 2), (4, 1)))  # in Keras
    figures |= {f"{gru / lstm:.3f}", str(inputs), str(hidden)}
    assert extract_numbers(statement.reason) == figures | {"3", "4"}


def test_the_number_of_gates_is_the_number_of_blocks_less_the_candidate() -> None:
    blocks = {name: module(1, 1).weight_hh_l0.shape[0] for name, module in MODULES.items()}
    assert {name: count - 1 for name, count in blocks.items()} == GATES
    assert extract_numbers(statements.judge_gate_count().reason) == {"2", "3", "4"}


def test_the_closed_reset_gate_is_run_on_torch() -> None:
    weights = RESET_ONLY.weights
    cell = set_weights(nn.GRUCell(1, 1), weights)
    x, h = (torch.tensor([[value]], dtype=torch.double) for value in (RESET_ONLY.x, RESET_ONLY.h))
    r, z = (torch.sigmoid(torch.tensor(bias)).item() for bias in (weights.b_r, weights.b_z))
    statement = statements.judge_reset_gate()
    assert statement.verdict == LOOSE
    figures = {format_number(value) for value in (r, z, RESET_ONLY.h, cell(x, h).item())}
    assert extract_numbers(statement.reason) == figures | {format_share(z)}


def test_the_meaning_of_z_is_run_on_the_cells_of_the_three_conventions() -> None:
    statement = statements.judge_update_gate()
    z, h, n = (statements.EXAMPLE[name] for name in "zhn")
    results = set()
    for kind in cells.CONVENTIONS.values():
        layer = cells.Layer(kind, hidden=1).fixed(n=torch.tensor(n).double().atanh().item()).gated(z=z)
        results.add(format_number(layer.step(h=torch.tensor([h], dtype=torch.double)).item()))
    assert statement.verdict == CONVENTION
    assert len(results) == 2
    assert extract_numbers(statement.reason) == results | {format_number(value) for value in (z, h, n)}


def test_the_speeds_are_those_of_the_result_file(folder: Path, measured: Measured) -> None:
    statement = statements.judge_speed(measured.speed)
    result = json.loads((folder / "cell_speed.json").read_text())
    gru, lstm = (result["configurations"][cell]["milliseconds"] for cell in ("gru", "lstm"))
    numbers = extract_numbers(statement.reason)
    for mode in gru:
        times = gru[mode]["median"], lstm[mode]["median"]
        assert {f"{time:.1f}" for time in times} <= numbers
        if max(times) / min(times) > statements.EQUAL_RATIO:
            assert f"{max(times) / min(times):.1f}" in numbers
    assert statement.verdict == LOOSE
    assert {"3", "5"} <= numbers  # faster in 3 of 5 modes
    assert (statement.source.script, statement.source.date) == ("python -m benchmarks.cells speed", "2026-01-31")


@pytest.mark.parametrize(("gru", "lstm", "verdict"), [(20.0, 9.0, FAILS), (9.0, 9.2, FAILS), (9.0, 20.0, HOLDS)])
def test_the_verdict_on_speed_follows_the_times(measured: Measured, gru: float, lstm: float, verdict: str) -> None:
    modes = measured.speed.modes
    times = {"gru": dict.fromkeys(modes, gru), "lstm": dict.fromkeys(modes, lstm), "rnn": dict.fromkeys(modes, 1.0)}
    assert statements.judge_speed(replace(measured.speed, times=times)).verdict == verdict


def test_the_accuracies_are_those_of_the_result_files(folder: Path, measured: Measured) -> None:
    statement = statements.judge_accuracy(measured.trainings["gru"], measured.trainings["lstm"])
    for name in ("gru", "lstm"):
        mean = fmean(run["dev"]["accuracy"] for run in read_runs(folder, name))
        assert f"{mean:.1%}" in extract_numbers(statement.reason)


def test_the_verdict_on_accuracy_compares_the_difference_with_the_spread_of_the_seeds(measured: Measured) -> None:
    base = measured.trainings["gru"]
    good, bad, single = (replace(base, accuracies=a) for a in ((0.88, 0.89), (0.80, 0.81), (0.88,)))
    near = replace(base, accuracies=(0.875, 0.885))
    judged = [statements.judge_accuracy(*pair).verdict for pair in ((good, bad), (bad, good), (near, good))]
    assert judged == [HOLDS, FAILS, HOLDS]
    assert statements.judge_accuracy(single, bad).verdict == LOOSE
    assert "0.5 points" not in statements.judge_accuracy(near, good).reason  # the spread is 1 point
    assert "1.0" in extract_numbers(statements.judge_accuracy(near, good).reason)


def test_the_verdicts_on_the_committed_results_are_computed_from_the_files() -> None:
    configurations = json.loads((RESULTS / "cell_speed.json").read_text())["configurations"]
    gru, lstm = (configurations[cell]["milliseconds"] for cell in ("gru", "lstm"))
    wins = [lstm[mode]["median"] > 1.05 * gru[mode]["median"] for mode in gru]
    speed = HOLDS if all(wins) else LOOSE if any(wins) else FAILS
    accuracies = [[run["dev"]["accuracy"] for run in read_runs(RESULTS, cell)] for cell in ("gru", "lstm")]
    spread = max(max(seeds) - min(seeds) for seeds in accuracies)
    accuracy = HOLDS if fmean(accuracies[0]) >= fmean(accuracies[1]) - spread else FAILS
    listed = statements.list_statements(CONFIG, read_measured())
    found = {name: statement.verdict for name, statement in listed.items()}
    gradients = read_measured().gradients
    start, trained, rnn = (
        gradients.left(stage, cell, 50) for stage, cell in (("pytorch", "gru"), ("trained", "gru"), ("trained", "rnn"))
    )
    gradient = FAILS if trained <= rnn else HOLDS if start > 0.1 else LOOSE
    expected = {"gates": HOLDS, "reset": LOOSE, "update": CONVENTION, "size": HOLDS, "speed": speed}
    assert found | expected | {"accuracy": accuracy, "gradient": gradient} == found


def test_the_gradients_of_the_statement_are_those_of_the_result_file(measured: Measured) -> None:
    statement = statements.judge_gradient(measured.gradients)
    assert statement.verdict == LOOSE
    shares = {format_left(0.55**50), format_left(0.98**50), format_left(0.85**50)}
    assert shares - {"< 0.01%"} <= extract_numbers(statement.reason)
    worse = {**measured.gradients.medians, "trained": {**measured.gradients.medians["trained"]}}
    worse["trained"]["gru"] = worse["pytorch"]["gru"]
    assert statements.judge_gradient(replace(measured.gradients, medians=worse)).verdict == FAILS


def test_the_time_of_a_word_is_that_of_the_measured_text(measured: Measured) -> None:
    speed = measured.speed
    assert f"{speed.times['gru']['torch_one'] / speed.tokens:.2f} ms a word" in statements.judge_real_time(speed).reason


def test_without_measurements_only_statements_that_need_none_are_listed(tmp_path: Path) -> None:
    listed = statements.list_statements(CONFIG, read_measured(tmp_path))
    assert not listed.keys() & {"gradient", "speed", "real_time", "accuracy"}
    assert all(statement.source is None for statement in listed.values())
