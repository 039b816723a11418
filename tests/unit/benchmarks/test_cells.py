"""The comparison of cells compares like with like, measures what it says, and does not do work twice."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from transformers import TrainerCallback

from benchmarks.cells import __main__ as command
from benchmarks.cells import recall, summary, training
from benchmarks.cells.gradients import curves, distances, gradient_norms, measure_gradients
from benchmarks.cells.recall import Task, build, draw, learn, measure_recall
from benchmarks.cells.results import claim, describe, is_done, pack, read_result, unpack, write_result
from benchmarks.cells.runs import all_runs, compared, count_parameters, matching_hidden_size, read_by_last_state
from benchmarks.cells.training import Watch, measure, train_run
from benchmarks.cells.unrolled import STEPS, Unrolled
from sentiment_gru import SentimentClassifier, SentimentGRUConfig, SentimentGRUForSequenceClassification
from sentiment_gru.data.splits import TextSplit
from sentiment_gru.network import CELLS
from sentiment_gru.training.run import train
from tests.conftest import REPOSITORY, made_up_texts, tiny_options, write_dataset

TINY = {"batch_size": 16, "embedding_size": 8, "hidden_size": 8, "learning_rate": 1e-2, "ema_decay": 0.9}
TINY_TASK = Task(classes=2, distractors=2, embedding=4, hidden=4, batch=8, steps=3)
FACTS = {"script", "data", "date", "machine", "versions"}
each_cell = pytest.mark.parametrize("cell", CELLS)


@each_cell
def test_parameters_are_those_of_the_module(cell: str) -> None:
    layer = CELLS[cell](24, 10)
    assert count_parameters(cell, 10, embedding=24) == sum(p.numel() for p in layer.parameters())


def test_the_parameters_of_a_configuration_are_those_of_the_models_layers() -> None:
    for c in (*compared(), *read_by_last_state()):
        settings = training.settings_of(c, seed=0)
        names = ("cell", "hidden_size", "bidirectional", "pooling", "embedding_size")
        with torch.device("meta"):
            model = SentimentGRUForSequenceClassification(
                SentimentGRUConfig(**{name: settings[name] for name in names})
            )
        assert c.recurrent_parameters == sum(p.numel() for p in model.layers.parameters())


@given(st.sampled_from(["gru", "lstm", "rnn"]), st.integers(20, 60_000))
def test_no_other_hidden_size_comes_nearer(cell: str, parameters: int) -> None:
    best = matching_hidden_size(cell, parameters, embedding=16)
    gap = abs(count_parameters(cell, best, embedding=16) - parameters)
    neighbours = (best + 1, max(1, best - 1))
    assert all(abs(count_parameters(cell, size, embedding=16) - parameters) >= gap for size in neighbours)


def test_matched_configurations_are_within_one_percent_of_the_gru() -> None:
    gru, *others = compared()
    for other in others:
        if other.equal == "parameters":
            assert abs(other.recurrent_parameters / gru.recurrent_parameters - 1) < 0.01
        else:
            assert other.hidden == gru.hidden
    assert len(all_runs()) == 18


@each_cell
def test_an_unrolled_layer_gives_the_states_of_the_module(cell: str) -> None:
    torch.manual_seed(0)
    layer = CELLS[cell](5, 7, batch_first=True)
    inputs = torch.randn(3, 20, 5)
    assert torch.allclose(Unrolled(layer)(inputs)[0], layer(inputs)[0], atol=1e-6)


@each_cell
def test_the_gradient_of_a_state_is_that_of_the_module_started_there(cell: str) -> None:
    """Compare with the module started at the state, which gives the total derivative through all later steps."""
    torch.manual_seed(0)
    layer = CELLS[cell](5, 7, batch_first=True).double()
    inputs, read = torch.randn(2, 12, 5).double(), torch.randn(7).double()
    unrolled = Unrolled(layer)
    (unrolled(inputs)[0][:, -1] @ read).sum().backward()
    for t in (0, 5, 10):
        start = tuple(
            part[t].detach()[None].requires_grad_() for part in (unrolled.states, unrolled.memories) if len(part)
        )
        states = layer(inputs[:, t + 1 :], start if cell == "lstm" else start[0])[0]
        expected = torch.autograd.grad((states[:, -1] @ read).sum(), start)
        assert torch.allclose(unrolled.gradients()["h"][:, t], expected[0][0], atol=1e-12)
        if cell == "lstm":  # c_t counts through h_t = o_t tanh(c_t) as well
            h, c = (part[0].detach() for part in start)
            through_h = expected[0][0] * (h / c.tanh()) * (1 - c.tanh() ** 2)
            assert torch.allclose(unrolled.gradients()["c"][:, t], expected[1][0] + through_h, atol=1e-12)


def test_later_steps_are_told_from_what_reads_a_state_at_once() -> None:
    unrolled = Unrolled(nn.RNN(3, 4, batch_first=True))
    unrolled(torch.randn(1, 6, 3))[0].mean(dim=1).sum().backward()
    gradients = unrolled.gradients()
    assert torch.allclose(gradients["h"] - gradients["h_later"], torch.full((1, 6, 4), 1 / 6))
    assert not gradients["h_later"][:, -1].any()


@pytest.mark.parametrize("pooling", ["last", "mean_max"])
@each_cell
def test_curves_go_back_from_the_last_token(cell: str, pooling: str) -> None:
    labels = {"id2label": {0: "negative", 1: "positive"}, "label2id": {"negative": 0, "positive": 1}}
    sizes = {"vocab_size": 30, "embedding_size": 4, "hidden_size": 4}
    config = SentimentGRUConfig(cell=cell, pooling=pooling, bidirectional=pooling != "last", **sizes, **labels)
    torch.manual_seed(0)
    model = SentimentGRUForSequenceClassification(config).eval()
    ids = torch.randint(2, 30, (3, 40))
    found = curves(model, ids)
    assert set(found) == {"h"} | ({"c"} if cell == "lstm" else set()) | ({"h_later"} if pooling != "last" else set())
    norms = gradient_norms(model, ids)
    assert found["h"]["median"][0] == pytest.approx(np.median(norms["h"][:, -1]), rel=1e-3)
    assert found["h"]["median"][-1] == pytest.approx(np.median(norms["h"][:, 0]), rel=1e-3)
    assert len(found["h"]["median"]) == len(distances(40))
    if pooling == "last":
        read = (model.classifier.weight[1] - model.classifier.weight[0]).norm().item()
        assert norms["h"][:, -1] == pytest.approx(read, rel=1e-5)


def test_the_steps_of_every_cell_are_known() -> None:
    assert set(STEPS) == set(CELLS.values())


@given(st.integers(1, 12), st.integers(1, 30))
def test_a_recall_sequence_is_its_class_and_then_distractors(lag: int, count: int) -> None:
    tokens, classes = draw(Task(), lag, count, torch.Generator().manual_seed(0))
    assert tokens.shape == (count, 1 + lag)
    assert torch.equal(tokens[:, 0], classes)
    assert (tokens[:, 1:] >= Task().classes).all()
    assert tokens.max() < Task().classes + Task().distractors


def test_all_classes_and_distractors_are_drawn() -> None:
    tokens, _ = draw(Task(), 10, 500, torch.Generator().manual_seed(0))
    assert set(tokens[:, 0].tolist()) == set(range(8))
    assert set(tokens[:, 1:].flatten().tolist()) == set(range(8, 16))


def test_only_the_forget_gate_is_opened() -> None:
    layer = build(Task(), "lstm", 1.0, seed=0).layers[0].forward_cell
    assert layer.bias_ih_l0.view(4, -1).mean(dim=1).tolist() == [0, 1, 0, 0]
    assert not layer.bias_hh_l0.any()


def test_a_gru_learns_to_recall_over_a_short_lag_and_stops_then() -> None:
    figures = learn(replace(Task(), classes=2, steps=400, rate=1e-2, hidden=16), "gru", lag=3, seed=0)
    assert figures["accuracy"] > 0.95
    assert figures["steps"] < 400


def test_recall_is_complete_and_not_learned_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "recall.json"
    measure_recall(path, tmp_path / "work", TINY_TASK, lags=(1, 2))
    result = read_result(path)
    assert result
    assert result.keys() >= FACTS | {"settings", "chance", "variants", "load"}
    assert result["done"] == result["planned"] == 24
    for by_lag in result["variants"].values():
        assert {lag: len(row["accuracy"]) for lag, row in by_lag.items()} == {"1": 3, "2": 3}
    monkeypatch.setattr(recall, "learn", lambda *_: pytest.fail("this was learned before"))
    measure_recall(path, tmp_path / "elsewhere", TINY_TASK, lags=(1, 2))
    path.unlink()
    measure_recall(path, tmp_path / "work", TINY_TASK, lags=(1, 2))
    assert read_result(path) == result


def test_a_result_of_other_settings_does_not_count(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    assert not is_done(path, {"epochs": 2})
    write_result(path, {"settings": {"epochs": 2, "edges": [1, 2]}})
    assert is_done(path, {"epochs": 2, "edges": (1, 2)})
    assert not is_done(path, {"epochs": 3, "edges": (1, 2)})
    assert '"edges": [1, 2]' in path.read_text()


def test_two_processes_do_not_claim_the_same_run(tmp_path: Path) -> None:
    code = "import sys; from pathlib import Path; from benchmarks.cells.results import claim\n"
    code += "with claim(Path(sys.argv[1])) as ours: print(ours)"

    program = [sys.executable, "-c", code, str(tmp_path / "run.lock")]
    with claim(tmp_path / "run.lock") as ours:
        assert ours
        result = subprocess.run(program, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "False"
    with claim(tmp_path / "run.lock") as again:
        assert again


@given(st.lists(st.booleans(), min_size=1, max_size=40))
def test_right_and_wrong_texts_survive_packing(right: list[bool]) -> None:
    assert unpack(pack(np.array(right)), len(right)).tolist() == right


def test_accuracy_is_of_texts_cut_at_their_ends_and_by_uncut_length(classifier: SentimentClassifier) -> None:
    split = TextSplit(
        ["great " + "dull " * n for n in (0, 1, 3, 40)] * 2, ["positive", "negative", "negative", "negative"] * 2
    )
    figures = measure(classifier, split, tokens=2)
    verdicts = [p.label for p in classifier(["great", "great dull"])]
    right = [verdicts[0] == "positive"] + [verdicts[1] == "negative"] * 3
    assert figures["accuracy"] == np.mean(right)
    assert [part["tokens"] for part in figures["by_length"]] == [[1, 1], [2, 2], [4, 4], [41, 41]]
    assert [part["accuracy"] for part in figures["by_length"]] == right
    low, high = figures["accuracy_interval"]
    assert low < figures["accuracy"] <= high


@pytest.fixture(scope="module")
def reviews(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return made-up texts with two labels, some of them long."""
    rows = [row for row in made_up_texts() if row["label"] != "neutral"]
    rows = [row | {"text": " ".join([row["text"]] * (1 + i % 3))} for i, row in enumerate(rows)]
    return write_dataset(tmp_path_factory.mktemp("cells") / "reviews", train=rows)


@pytest.fixture(scope="module")
def trained(reviews: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with results/cells/gru-0.json and work/gru-0."""
    folder = tmp_path_factory.mktemp("trained")
    path = folder / "results" / "cells" / "gru-0.json"
    assert train_run("gru-0", *all_runs()["gru-0"], str(reviews), path, folder / "work", **TINY)
    return folder


def test_a_run_says_everything_about_itself(trained: Path) -> None:
    run = read_result(trained / "results" / "cells" / "gru-0.json")
    assert run
    assert run.keys() >= FACTS | {
        "run",
        "settings",
        "recurrent_parameters",
        "parameters",
        "tokenizer",
        "commit",
        "load",
    }
    assert run["settings"]["train_tokens"] == 200
    assert run["seconds_per_epoch"] > 0 < run["cpu_seconds_per_epoch"]
    assert len(run["dev"]["by_length"]) <= 4
    assert unpack(run["dev"]["right"], run["dev"]["texts"]).mean() == run["dev"]["accuracy"]
    assert str(trained) not in json.dumps(run)


def test_a_run_that_is_there_is_skipped(reviews: Path, trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "train", lambda *_, **__: pytest.fail("this was trained before"))
    path = trained / "results" / "cells" / "gru-0.json"
    assert not train_run("gru-0", *all_runs()["gru-0"], str(reviews), path, trained / "work", **TINY)


def test_gradients_are_measured_on_the_checkpoints_that_are_there(reviews: Path, trained: Path, tmp_path: Path) -> None:
    path = tmp_path / "gradients.json"
    assert len(measure_gradients(str(reviews), path, tmp_path, reviews=2, tokens=5)) == 6
    assert not path.exists()
    assert "gru-0" not in measure_gradients(str(reviews), path, trained / "work", reviews=2, tokens=5)
    measure_gradients(str(reviews), path, tmp_path, reviews=2, tokens=5)  # what was measured stays
    result = read_result(path)
    assert result
    assert result.keys() >= FACTS | {"distances", "models"}
    assert result["models"].keys() == {"gru"}
    assert result["models"]["gru"].keys() == {"cell", "pooling", "pytorch", "start", "trained"}
    with pytest.raises(ValueError, match="dev texts have 900 tokens"):
        measure_gradients(str(reviews), path, trained / "work", reviews=2, tokens=900)


class Worsening(TrainerCallback):
    """Makes each score on dev worse than the one before, and notes which step is kept in the end."""

    def on_evaluate(self, args: Any, state: Any, control: Any, metrics: dict, **kwargs: Any) -> None:
        """Replace the score by one below all before it."""
        metrics["eval_score"] = -state.global_step

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Look at what the trainer holds to be the best step."""
        self.kept, self.last = state.best_global_step, state.global_step


def test_the_last_checkpoint_is_kept_and_not_the_best_on_dev(tiny_dataset: Path, tmp_path: Path) -> None:
    worsening, watch = Worsening(), Watch()
    train(tiny_options(tiny_dataset, tmp_path / "best", epochs=2), callbacks=[worsening])
    assert worsening.kept == worsening.last / 2
    train(tiny_options(tiny_dataset, tmp_path / "last", epochs=2), callbacks=[worsening, watch])
    assert worsening.kept == worsening.last == watch.steps
    assert watch.per_epoch(watch.steps)["seconds_per_epoch"] == round(watch.seconds, 1)


def test_an_epoch_that_was_not_seen_has_no_time() -> None:
    assert set(Watch().per_epoch(100).values()) == {None}


def test_the_readme_says_how_many_trainings_are_in(trained: Path, tmp_path: Path) -> None:
    block = summary.cells_block(tmp_path)
    assert "None of the 15 trainings is in yet" in block
    assert "Speed has not been measured yet" in block
    run = read_result(trained / "results" / "cells" / "gru-0.json")
    assert run
    block = summary.cells_block(trained / "results")
    assert "1 of 15 trainings are in" in block
    assert f"{run['dev']['accuracy']:.1%}" in block


def test_a_difference_is_taken_text_by_text() -> None:
    def run(right: list[bool]) -> dict:
        return {"dev": {"right": pack(np.array(right)), "texts": len(right)}}

    right = [True, False] * 100
    assert summary.difference([run(right)], [run(right)]) == (0, 0, 0)
    mean, low, high = summary.difference([run([True] * 200)], [run(right)])
    assert low < mean == 0.5 < high


def test_runs_with_different_tokenizers_are_refused(tmp_path: Path) -> None:
    for name in ("gru-0", "rnn-0"):
        write_result(tmp_path / "cells" / f"{name}.json", {"tokenizer": name})
    with pytest.raises(ValueError, match="different tokenizers"):
        summary.read_runs(tmp_path)


def test_result_files_name_no_machine() -> None:
    assert describe("speed", "nothing").keys() == FACTS


def test_an_unknown_part_is_refused_with_those_there_are(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["benchmarks.cells", "gru-7"])
    with pytest.raises(SystemExit) as ended:
        command.main()
    assert ended.value.code == 2
    assert "there is no gru-7; there are train, speed" in capsys.readouterr().err
