"""Training in two processes started by torchrun: one world, one writer, the result of one process but for noise."""

import json
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from sentiment_gru import SentimentClassifier
from sentiment_gru.training.run import train
from tests.conftest import REPOSITORY, tiny_options

pytestmark = pytest.mark.slow

# Each process trains a whole run, then one that Ctrl-C stops (it reaches the second process only), then resumes that.
SCRIPT = """
import hashlib, json, os, signal, sys
sys.path.insert(0, os.getcwd())
from dataclasses import replace
from pathlib import Path
from sentiment_gru.training.options import TrainingOptions
from sentiment_gru.training.trainer import SentimentTrainer
from sentiment_gru.training.run import train

rank, facts = os.environ["RANK"], []
options = TrainingOptions(**json.loads(sys.argv[1]))
load_best_average, training_step = SentimentTrainer.load_best_average, SentimentTrainer.training_step
interrupt_at = None

def record(self):
    average = {name: tensor.tolist() for name, tensor in self.average.state_dict().items()}
    average = hashlib.sha256(json.dumps(average).encode()).hexdigest()
    facts.append({"average": average, "world": self.args.world_size, "device": str(self.args.device)})
    load_best_average(self)

def step(self, *args, **kwargs):
    if rank == "1" and self.state.global_step == interrupt_at:
        signal.raise_signal(signal.SIGINT)
    return training_step(self, *args, **kwargs)

SentimentTrainer.load_best_average, SentimentTrainer.training_step = record, step
results = [train(options)]
interrupt_at = 30
options = replace(options, output_dir=options.output_dir + "-2")
results.append(train(options))
interrupt_at = None
results.append(train(replace(options, resume=True)))
assert [result is None for result in results] == [rank != "0"] * 3
Path(options.output_dir).with_name(f"rank-{rank}.json").write_text(json.dumps(facts))
"""


@pytest.fixture(scope="module")
def folder(tiny_dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the outputs of two processes, and of one with the same texts per step."""
    folder = tmp_path_factory.mktemp("processes")
    options = tiny_options(tiny_dataset, folder / "two", epochs=4, batch_size=8, report=True)
    (folder / "script.py").write_text(SCRIPT)
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    result = subprocess.run(
        [*launcher, str(folder / "script.py"), json.dumps(asdict(options))],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    train(replace(options, output_dir=str(folder / "one"), batch_size=16))
    return folder


def read(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "metrics.json").read_text())


def test_the_processes_form_one_world_with_the_same_averaged_weights(folder: Path) -> None:
    facts = [json.loads((folder / f"rank-{rank}.json").read_text()) for rank in range(2)]
    assert facts[0] == facts[1]
    assert {fact["world"] for fact in facts[0]} == {2}
    assert read(folder / "two")["processes"] == 2


def test_loss_and_metrics_are_those_of_one_process_but_for_noise(folder: Path) -> None:
    one, two = (read(folder / name) for name in ("one", "two"))
    assert two["steps"] == one["steps"] == 68
    for ours, theirs in zip(two["history"], one["history"], strict=True):
        assert ours["eval_loss"] == pytest.approx(theirs["eval_loss"], rel=0.2)
    losses = [pd.read_csv(folder / name / "history.csv")["loss"].dropna() for name in ("one", "two")]
    assert losses[1].tolist() == pytest.approx(losses[0].tolist(), rel=0.2)
    # Predictions gathered in another order than the labels would be right by chance only.
    assert two["history"][-1]["eval_score"] > 0.8
    assert two["datasets"]["tiny"]["dev"]["macro_recall"] > 0.8
    assert SentimentClassifier.from_pretrained(folder / "two")("a superb film")[0].label == "positive"


def test_two_processes_resume_to_the_same_weights(folder: Path) -> None:
    resumed, whole = (folder / name / "model.safetensors" for name in ("two-2", "two"))
    assert resumed.read_bytes() == whole.read_bytes()
    names = {path.name for path in folder.iterdir()}
    assert names == {"one", "two", "two-2", "script.py", "rank-0.json", "rank-1.json"}
