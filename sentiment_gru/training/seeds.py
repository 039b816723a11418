"""Train once per seed, report the spread, and keep the best on dev."""

import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ..data.splits import Corpus
from ..errors import OptionsError
from .card import write_card
from .options import TrainingOptions
from .output_folder import RunFolder, process_count
from .run import train


def train_seeds(options: TrainingOptions) -> dict[str, Any]:
    """Train with each of `--seeds`; the best becomes the output folder, which holds all as `seed-N`.

    Returns:
        The metrics of the best, with the mean macro recall on dev by seed as `seeds`.

    Raises:
        OptionsError: `torchrun` started this process, or as in `run.train`.
        DatasetError, StorageError: As in `run.train`.
    """
    if process_count() > 1:
        raise OptionsError("--seeds runs in one process; start torchrun once per --seed instead")
    run = RunFolder(options)
    run.check()
    run.start([], processes=1)
    results: dict[int, dict[str, Any]] = {}
    for seed in options.seeds:
        part = replace(options, seed=seed, seeds=[], output_dir=str(run.path / f"seed-{seed}"))
        results[seed] = train_part(part)
        if results[seed]["interrupted"]:
            break
    scores = {seed: dev_score(metrics) for seed, metrics in results.items()}
    best = max(scores, key=lambda seed: scores[seed])
    stopped = results[seed]["interrupted"]
    metrics = results[best] | {"seeds": scores, "interrupted": stopped}
    metrics["options"] |= {"output_dir": options.output_dir, "seeds": options.seeds}
    with run.staging() as folder:
        for seed in results:
            shutil.copytree(run.path / f"seed-{seed}", folder / f"seed-{seed}")
        shutil.copytree(run.path / f"seed-{best}", folder, dirs_exist_ok=True)
        (folder / "metrics.json").write_text(json.dumps(metrics, indent=1) + "\n", encoding="utf-8")
        write_card(folder, metrics)
    if not stopped:
        for logs in run.path.glob("seed-*.tensorboard"):
            shutil.copytree(logs, Path(f"{run.output}.tensorboard") / logs.stem, dirs_exist_ok=True)
        run.remove()
    return metrics


def train_part(options: TrainingOptions, corpora: Sequence[Corpus] | None = None) -> dict[str, Any]:
    """Start or resume one of several trainings, or read its metrics if it is finished.

    Args:
        options: Options of this training, whose output folder is its own.
        corpora: As in `run.train`.
    """
    unfinished = RunFolder(options).record.is_file()
    result = Path(options.output_dir) / "metrics.json"
    if not unfinished and result.is_file():
        finished: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
        return finished
    metrics = train(replace(options, resume=unfinished), corpora=corpora)
    assert metrics is not None  # this is the only process
    return metrics


def dev_score(metrics: dict[str, Any]) -> float:
    """Return the mean macro recall on dev over the datasets, by which seeds are compared."""
    return float(np.mean([dataset["dev"]["macro_recall"] for dataset in metrics["datasets"].values()]))


def describe_spread(scores: dict[int, float]) -> str:
    """Return a phrase with the mean and standard deviation of the scores."""
    values = list(scores.values())
    spread = np.std(values, ddof=1) if len(values) > 1 else 0.0
    return f"{np.mean(values):.1%} on average over {len(values)} seeds, standard deviation {spread:.1%}"
