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
from sentiment_gru.web.inside.cell_view import format_number, format_share
from sentiment_gru.web.inside.gru_cell import RESET_ONLY
from sentiment_gru.web.inside.measurements import RESULTS, Measured, read_measured
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
    verdicts = [statement.verdict for statement in statements.list_statements(CONFIG, read_measured())]
    assert verdicts == [HOLDS, LOOSE, CONVENTION, HOLDS, speed, accuracy]


def test_without_measurements_only_computed_statements_are_listed(tmp_path: Path) -> None:
    listed = statements.list_statements(CONFIG, read_measured(tmp_path))
    assert [statement.source for statement in listed] == [None] * 4


def test_the_list_shows_claim_verdict_reason_and_source(measured: Measured) -> None:
    speed = replace(statements.judge_speed(measured.speed), claim="a <b>")
    html = statements.render_statements([speed, statements.judge_gate_count()])
    assert "a &lt;b&gt;" in html
    assert html.count("<li>") == 2
    assert f'<span class="badge verdict-loose">{LOOSE}</span>' in html
    assert html.count("Measured by <code>python -m benchmarks.cells speed</code>") == 1
