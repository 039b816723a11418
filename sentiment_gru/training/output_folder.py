"""The folder OUT.training beside an output folder OUT, which holds the state of a run until OUT is complete.

OUT.training/run.json          the options the run was started with, its data and number of processes
OUT.training/checkpoint-STEP/  states of the trainer; `trainer_state.json` is written last and marks a complete one
OUT.training/output/           the next OUT while it is written
OUT.training/replaced/         the former OUT while the two are swapped
"""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from ..data.splits import TextSplit
from ..errors import OptionsError, StorageError
from .options import TrainingOptions, default_options

OUTPUT_FILES = {
    "README.md",
    "config.json",
    "configuration.py",
    "model_config.py",
    "confusion.png",
    "history.csv",
    "loss.png",
    "metrics.json",
    "model.safetensors",
    "modeling.py",
    "network.py",
    "predictions.parquet",
    "reliability.png",
    "tokenizer.json",
    "tokenizer_config.json",
}
STATE = "trainer_state.json"
# A resumed run may differ in these, which change neither the data nor the steps.
FREE_OPTIONS = {
    "config",
    "dry_run",
    "output_dir",
    "resume",
    "save_steps",
    "evaluate_test",
    "tensorboard",
    "push_to_hub",
    "report",
    "baseline",
}


def is_first_process() -> bool:
    """Return whether this is the process of `torchrun` that checks, prints and writes."""
    return os.environ.get("RANK", "0") == "0"


def process_count() -> int:
    """Return the number of processes that `torchrun` started."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def fingerprint(splits: Sequence[TextSplit]) -> str:
    """Return a hash that changes when a text, a label or their order changes."""
    digest = hashlib.sha256()
    for split in splits:
        digest.update(json.dumps([split.texts, split.labels]).encode())
    return digest.hexdigest()


class RunFolder:
    """Files of one run; only the first process calls the methods that write."""

    def __init__(self, options: TrainingOptions) -> None:
        self.options = options
        self.output = Path(options.output_dir)
        self.path = Path(f"{options.output_dir.rstrip('/')}.training")
        self.staged = self.path / "output"
        self.record = self.path / "run.json"

    def check(self) -> None:
        """Check that a run neither loses files nor continues a different run.

        Raises:
            OptionsError: The output folder is a file, holds other files or cannot be written; there is an unfinished
                run, but no `--resume`; or `--resume` is given without an unfinished run of the same options.
        """
        if self.output.is_file():
            raise OptionsError(f"--output-dir {self.output} is a file, which training would replace; name a new folder")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=self.path.parent):
                pass
        except OSError as error:
            raise OptionsError(f"--output-dir {self.output} cannot be written: {error}; name another folder") from error
        ours = OUTPUT_FILES | {f"seed-{seed}" for seed in self.options.seeds}
        foreign = sorted(path.name for path in self.output.glob("*") if path.name not in ours)
        if self.options.folds and not self.options.refit and (self.output / "config.json").is_file():
            raise OptionsError(
                f"--output-dir {self.output} holds a checkpoint, which --folds would replace by its figures; name a new"
                " folder, or add --refit"
            )
        if foreign:
            raise OptionsError(
                f"--output-dir {self.output} holds files that training did not write and would remove:"
                f" {', '.join(foreign[:3])}; name a new folder"
            )
        if self.options.resume:
            if not self.record.is_file():
                raise OptionsError(f"nothing to resume: there is no {self.record}; start without --resume")
            self._compare({"options": self._fixed_options()})
        elif self.newest_checkpoint() or ((self.options.seeds or self.options.folds) and self.record.is_file()):
            raise OptionsError(
                f"{self.path} holds an unfinished run: continue it with --resume, or remove that folder to start anew"
            )

    def start(self, splits: Sequence[TextSplit], processes: int) -> None:
        """Record a new run, or compare a resumed one with its record.

        Raises:
            OptionsError: The texts or the number of processes differ from those of the run.
        """
        record = {"options": self._fixed_options(), "data": fingerprint(splits), "processes": processes}
        if self.options.resume:
            self._compare(record)
            for checkpoint in self._checkpoints():
                if not is_complete(checkpoint):
                    shutil.rmtree(checkpoint)  # so that its files do not mix with a later checkpoint of that step
            return
        shutil.rmtree(self.path, ignore_errors=True)
        self.path.mkdir(parents=True)
        half = self.record.with_suffix(".half")
        half.write_text(json.dumps(record, indent=1), encoding="utf-8")
        half.replace(self.record)

    def _fixed_options(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self.options).items() if name not in FREE_OPTIONS}

    def _compare(self, record: dict[str, Any]) -> None:
        before = json.loads(self.record.read_text(encoding="utf-8"))
        before["options"] = default_options() | before["options"]  # an older run lacks newer options
        changed = [
            f"--{name.replace('_', '-')} was {before['options'].get(name)!r} and is {value!r}"
            for name, value in record["options"].items()
            if before["options"].get(name) != value
        ]
        if before["data"] != record.get("data", before["data"]):
            changed.append("the texts or labels of the datasets have changed")
        if before["processes"] != record.get("processes", before["processes"]):
            changed.append(f"the number of processes was {before['processes']} and is {record['processes']}")
        if changed:
            raise OptionsError(
                f"cannot resume {self.path}: {'; '.join(changed)}; resume with the original ones,"
                " or remove that folder to start anew"
            )

    def _checkpoints(self) -> list[Path]:
        folders = self.path.glob("checkpoint-*")
        return sorted(folders, key=lambda folder: int(folder.name.removeprefix("checkpoint-")))

    def newest_checkpoint(self) -> Path | None:
        """Return the newest complete checkpoint."""
        return next((folder for folder in reversed(self._checkpoints()) if is_complete(folder)), None)

    @contextmanager
    def staging(self) -> Iterator[Path]:
        """Yield an empty folder, which replaces the output folder on success.

        Raises:
            StorageError: The disk is full or not writable; the output folder is unchanged.
        """
        shutil.rmtree(self.staged, ignore_errors=True)
        try:
            self.staged.mkdir(parents=True)
            yield self.staged
            self._publish()
        except (OSError, SafetensorError) as error:
            shutil.rmtree(self.staged, ignore_errors=True)
            raise StorageError(
                f"{self.output} was not written: {error}. What was there is unchanged, and the training is kept in"
                f" {self.path}: make room, then run the same command with --resume"
            ) from error

    def _publish(self) -> None:
        # Two renames, as no portable call swaps folders: one complete folder exists at any time.
        replaced = self.path / "replaced"
        shutil.rmtree(replaced, ignore_errors=True)
        if self.output.exists():
            self.output.resolve().rename(replaced)
        self.staged.rename(self.output.resolve())

    def remove(self) -> None:
        """Remove the folder of a run whose output is complete."""
        shutil.rmtree(self.path)


def is_complete(checkpoint: Path) -> bool:
    """Return whether a checkpoint is complete."""
    try:
        json.loads((checkpoint / STATE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return True
