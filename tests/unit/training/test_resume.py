"""A training that is killed, interrupted or runs out of disk loses nothing, and resumes to the same bits."""

import json
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path

import pytest

import train as command_line
from sentiment_gru import OptionsError, SentimentClassifier, StorageError
from sentiment_gru.training.options import TrainingOptions
from sentiment_gru.training.output_folder import RunFolder
from sentiment_gru.training.run import train
from sentiment_gru.training.trainer import SentimentTrainer, shortest_decay
from tests.conftest import REPOSITORY, tiny_options, write_dataset

# A process that trains, and kills itself at the given call of a function, after that function's half-done work.
VICTIM = """
import importlib, json, os, signal, sys
from sentiment_gru.training.options import TrainingOptions
from sentiment_gru.training.run import train

options, module, name, fatal_call = json.loads(sys.argv[1])
owner = importlib.import_module(module)
for part in name.split(".")[:-1]:
    owner = getattr(owner, part)
attribute = name.split(".")[-1]
original, calls = getattr(owner, attribute), 0

def deadly(*args, **kwargs):
    global calls
    calls += 1
    if calls == fatal_call:
        for path in (arg for arg in args if hasattr(arg, "suffix") and arg.suffix):
            path.write_bytes(b"half")
        os.kill(os.getpid(), signal.SIGKILL)
    return original(*args, **kwargs)

setattr(owner, attribute, deadly)
train(TrainingOptions(**options))
"""


def kill_at(options: TrainingOptions, module: str, name: str, call: int) -> None:
    settings = json.dumps([asdict(options), module, name, call])
    result = subprocess.run([sys.executable, "-c", VICTIM, settings], cwd=REPOSITORY, capture_output=True, check=False)
    assert result.returncode == -signal.SIGKILL, result.stderr.decode()


def weights(folder: Path) -> bytes:
    return (folder / "model.safetensors").read_bytes()


def history(folder: Path) -> list[dict[str, float]]:
    """Return the results of each evaluation in full precision, without its speed."""
    entries = json.loads((folder / "metrics.json").read_text())["history"]
    speeds = ("runtime", "per_second", "preparation_time")
    return [{key: value for key, value in entry.items() if not key.endswith(speeds)} for entry in entries]


@pytest.fixture(scope="module")
def options(tiny_dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainingOptions:
    """Return options of a run of 4 epochs with 17 steps each."""
    return tiny_options(tiny_dataset, tmp_path_factory.mktemp("runs") / "whole", epochs=4, save_steps=5)


@pytest.fixture(scope="module")
def whole(options: TrainingOptions) -> Path:
    """Return the output folder of the run without interruption."""
    train(options)
    return Path(options.output_dir)


@pytest.mark.parametrize(
    ("module", "name", "call", "checkpoint"),
    [
        pytest.param("training.trainer", "SentimentTrainer.training_step", 30, 25, id="within the second epoch"),
        pytest.param(
            "training.trainer", "save_file", 6, 20, id="while a checkpoint is written", marks=pytest.mark.slow
        ),
    ],
)
def test_a_killed_run_resumes_to_the_same_weights(
    options: TrainingOptions, whole: Path, tmp_path: Path, module: str, name: str, call: int, checkpoint: int
) -> None:
    options = replace(options, output_dir=str(tmp_path / "out"))
    kill_at(options, f"sentiment_gru.{module}", name, call)
    newest = RunFolder(options).newest_checkpoint()
    assert newest is not None
    assert newest.name == f"checkpoint-{checkpoint}"
    train(replace(options, resume=True))
    assert weights(tmp_path / "out") == weights(whole)
    assert history(tmp_path / "out") == history(whole)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_run_killed_while_its_output_is_written_keeps_the_former_output(
    options: TrainingOptions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "out"
    train(replace(options, output_dir=str(output), epochs=1))
    former = weights(output)
    # Learning stands still, so the run stops early: resumed, it must not go on.
    options = replace(options, output_dir=str(output), learning_rate=1e-12, epochs=50, patience=1)
    kill_at(options, "sentiment_gru.training.report", "write_card", 1)
    assert weights(output) == former
    monkeypatch.setattr(SentimentTrainer, "training_step", None)
    metrics = train(replace(options, resume=True))
    assert metrics is not None
    assert len(metrics["history"]) == 2
    assert weights(output) != former


@contextmanager
def before_step(monkeypatch: pytest.MonkeyPatch, step: int, action: Callable[[], object]) -> Iterator[None]:
    original = SentimentTrainer.training_step

    def training_step(self: SentimentTrainer, *args: object, **kwargs: object) -> object:
        if self.state.global_step == step - 1:
            action()
        return original(self, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(SentimentTrainer, "training_step", training_step)
        yield


@pytest.mark.parametrize("step", [3, 17, 68])
def test_ctrl_c_leaves_a_usable_checkpoint_and_resumes_to_the_same_weights(
    options: TrainingOptions, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    output = tmp_path / "out"
    options = replace(options, output_dir=str(output))
    with before_step(monkeypatch, step, lambda: signal.raise_signal(signal.SIGINT)):
        metrics = train(options)
    assert metrics is not None
    classifier = SentimentClassifier.from_pretrained(output)
    assert classifier.config.temperature == metrics["temperature"] != 1.0
    if step == 68:  # the last step of all: nothing was cut short
        assert metrics["interrupted"] is None
    else:
        assert metrics["interrupted"] == {"step": step, "of": 68}
        assert f"stopped by hand at step {step} of 68" in (output / "README.md").read_text()
        train(replace(options, resume=True))
    assert weights(output) == weights(whole)
    assert history(output) == history(whole)


def test_ctrl_c_says_what_was_saved_and_how_to_go_on(
    options: TrainingOptions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    output = str(tmp_path / "out")
    monkeypatch.setattr(sys, "argv", ["train.py", "--dataset", options.dataset[0], "--output-dir", output])
    with before_step(monkeypatch, 5, lambda: signal.raise_signal(signal.SIGINT)):
        assert command_line.main() == 130
    printed = capsys.readouterr()
    assert "Stopping after this step" in printed.err
    assert f"Checkpoint in {output}" in printed.out
    assert "--resume continues" in printed.out


def test_a_second_ctrl_c_stops_at_once_and_one_without_delay_is_a_launchers_echo(
    options: TrainingOptions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def press_twice() -> None:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    options = replace(options, output_dir=str(tmp_path / "out"))
    with before_step(monkeypatch, 5, press_twice):
        metrics = train(options)
    assert metrics is not None
    assert metrics["interrupted"]["step"] == 5
    monkeypatch.setattr("sentiment_gru.training.callbacks.ECHO", -1.0)
    with before_step(monkeypatch, 7, press_twice), pytest.raises(KeyboardInterrupt):
        train(replace(options, resume=True))


@contextmanager
def files_limited_to(size: int) -> Iterator[None]:
    """Let every write beyond a file size fail, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_is_named_and_the_last_good_checkpoint_kept(
    options: TrainingOptions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = replace(options, output_dir=str(tmp_path / "out"), epochs=1, hidden_size=128)
    with before_step(monkeypatch, 12, lambda: signal.raise_signal(signal.SIGINT)):
        train(options)
    kept = weights(tmp_path / "out")
    with files_limited_to(200_000), pytest.raises(StorageError, match=r"checkpoint-15 was not written: .*--resume"):
        train(replace(options, resume=True))
    newest = RunFolder(options).newest_checkpoint()
    assert newest is not None
    assert newest.name == "checkpoint-12"
    assert not newest.with_name("checkpoint-15").exists()
    assert weights(tmp_path / "out") == kept
    train(replace(options, resume=True))
    assert weights(tmp_path / "out") != kept


def test_an_output_that_cannot_be_written_leaves_the_former_one(
    options: TrainingOptions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    options = replace(options, output_dir=str(tmp_path / "out"), epochs=1)
    train(options)
    former = weights(tmp_path / "out")
    with monkeypatch.context() as patch:
        patch.setattr("sentiment_gru.training.report.write_card", fail)
        with pytest.raises(StorageError, match=r"No space left .* unchanged"):
            train(replace(options, seed=1))
    assert weights(tmp_path / "out") == former
    assert not (tmp_path / "out.training" / "output").exists()
    train(replace(options, seed=1, resume=True))
    assert weights(tmp_path / "out") != former


@pytest.fixture(scope="module")
def stopped(options: TrainingOptions, tmp_path_factory: pytest.TempPathFactory) -> tuple[TrainingOptions, Path]:
    """Return the options of a run that was stopped in its first epoch, and a copy of the folder of its output."""
    folder = tmp_path_factory.mktemp("stopped")
    options = replace(options, output_dir=str(folder / "out"))
    with (
        pytest.MonkeyPatch.context() as monkeypatch,
        before_step(monkeypatch, 5, lambda: signal.raise_signal(signal.SIGINT)),
    ):
        train(options)
    return options, shutil.copytree(folder, tmp_path_factory.mktemp("copy") / "stopped")


@pytest.fixture
def unfinished(stopped: tuple[TrainingOptions, Path]) -> TrainingOptions:
    """Return the options of that run, which a test may continue."""
    options, copy = stopped
    folder = Path(options.output_dir).parent
    shutil.rmtree(folder)
    shutil.copytree(copy, folder)
    return options


def test_an_unfinished_run_is_not_overwritten(unfinished: TrainingOptions) -> None:
    with pytest.raises(OptionsError, match=r"out\.training holds an unfinished run: .* --resume"):
        train(unfinished)


def test_other_options_are_refused_by_name_when_resuming(unfinished: TrainingOptions) -> None:
    with pytest.raises(OptionsError, match="--batch-size was 16 and is 8; --seed was 0 and is 3"):
        train(replace(unfinished, resume=True, batch_size=8, seed=3))


def test_a_run_that_is_older_than_an_option_had_its_default(unfinished: TrainingOptions) -> None:
    run = RunFolder(replace(unfinished, resume=True))
    record = json.loads(run.record.read_text())
    del record["options"]["seeds"], record["options"]["label_map"]
    run.record.write_text(json.dumps(record))
    run.check()
    with pytest.raises(OptionsError, match="--label-map was '' and is '1=a;2=b'"):
        RunFolder(replace(unfinished, resume=True, label_map="1=a;2=b")).check()


def test_options_that_change_no_step_may_differ_when_resuming(unfinished: TrainingOptions) -> None:
    metrics = train(replace(unfinished, resume=True, evaluate_test=True, save_steps=100))
    assert metrics is not None
    assert "reported" in metrics["datasets"]["tiny"]


def test_other_texts_are_refused_when_resuming(unfinished: TrainingOptions, tmp_path: Path) -> None:
    rows = [json.loads(line) for line in (Path(unfinished.dataset[0]) / "train.jsonl").read_text().splitlines()]
    data = write_dataset(tmp_path / "tiny", train=[rows[0] | {"text": "another text"}, *rows[1:]])
    run = RunFolder(unfinished)
    record = json.loads(run.record.read_text())
    record["options"]["dataset"] = [str(data)]
    run.record.write_text(json.dumps(record))
    with pytest.raises(OptionsError, match="the texts or labels"):
        train(replace(unfinished, resume=True, dataset=[str(data)]))


def test_another_number_of_processes_is_refused_when_resuming(unfinished: TrainingOptions) -> None:
    run = RunFolder(unfinished)
    run.record.write_text(json.dumps(json.loads(run.record.read_text()) | {"processes": 2}))
    with pytest.raises(OptionsError, match="the number of processes was 2 and is 1"):
        train(replace(unfinished, resume=True))


def test_resuming_without_a_run_is_refused(options: TrainingOptions, tmp_path: Path) -> None:
    with pytest.raises(OptionsError, match="nothing to resume"):
        train(replace(options, output_dir=str(tmp_path / "out"), resume=True))


@pytest.mark.parametrize("resume", [True, False])
def test_a_run_killed_before_its_first_checkpoint_can_be_resumed_or_started_anew(
    unfinished: TrainingOptions, resume: bool
) -> None:
    folder = RunFolder(unfinished)
    newest = folder.newest_checkpoint()
    assert newest is not None
    (newest / "trainer_state.json").write_text('{"half')
    metrics = train(replace(unfinished, resume=resume))
    assert metrics is not None
    assert metrics["interrupted"] is None
    assert not folder.path.exists()


@pytest.mark.parametrize("changes", [{}, {"seeds": [1, 2]}, {"folds": 2}])
def test_a_file_is_not_replaced(options: TrainingOptions, tmp_path: Path, changes: dict[str, object]) -> None:
    file = tmp_path / "reviews.csv"
    file.write_text("text,label\n")
    with pytest.raises(OptionsError, match=r"--output-dir .*reviews\.csv is a file, which training would replace"):
        RunFolder(replace(options, output_dir=str(file), **changes)).check()
    assert file.read_text() == "text,label\n"


def test_an_output_folder_that_cannot_be_written_is_refused(options: TrainingOptions, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OptionsError, match=r"--output-dir .* cannot be written: .*; name another folder"):
        train(replace(options, output_dir=str(tmp_path / "file" / "out")))


def test_a_folder_with_other_files_is_not_replaced(options: TrainingOptions, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(OptionsError, match=r"holds files that training did not write .*: thesis\.tex"):
        train(replace(options, output_dir=str(tmp_path)))


@pytest.mark.parametrize(("steps", "decay"), [(11_000, 0.999), (64, 1 - 10 / 64), (5, 0.0)])
def test_a_short_run_averages_over_its_last_tenth(steps: int, decay: float) -> None:
    assert shortest_decay(0.999, steps) == decay
