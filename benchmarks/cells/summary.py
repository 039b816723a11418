"""The README's text on the three cells, from the result files; incomplete results are stated as such."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .results import RESULTS, read_result, unpack
from .runs import SEEDS, Configuration, compared

RESAMPLES, SEED = 2_000, 0
HEADER = [
    "| cell | hidden | recurrent parameters | IMDB dev | less the GRU, points | CPU seconds an epoch"
    " | one review: PyTorch, ONNX | reviews a second: PyTorch, ONNX |",
    "|---|---|---|---|---|---|---|---|",
]


def cells_block(results: Path = RESULTS) -> str:
    """Return the README's block on the cells."""
    runs = read_runs(results)
    speed = read_result(results / "cell_speed.json")
    rows = [_row(configuration, runs, speed) for configuration in compared()]
    return "\n".join([*HEADER, *rows, "", " ".join([*_training_notes(runs), *_speed_notes(speed)])])


def read_runs(results: Path) -> dict[str, list[dict[str, Any]]]:
    """Return the trainings that are in, by configuration.

    Raises:
        ValueError: they did not use the same tokenizer.
    """
    runs = {
        c.name: [run for seed in SEEDS if (run := read_result(results / "cells" / f"{c.name}-{seed}.json"))]
        for c in compared()
    }
    if len({run["tokenizer"] for found in runs.values() for run in found}) > 1:
        raise ValueError("the trainings used different tokenizers: they do not compare")
    return runs


def _row(configuration: Configuration, runs: dict[str, list[dict[str, Any]]], speed: dict[str, Any] | None) -> str:
    found = runs[configuration.name]
    accuracies = [run["dev"]["accuracy"] for run in found]
    seconds = [s for run in found if (s := run["cpu_seconds_per_epoch"]) is not None]
    cells = [
        f"{configuration.cell.upper()}, equal {configuration.equal}" if configuration.name != "gru" else "GRU",
        str(configuration.hidden),
        f"{configuration.recurrent_parameters:,}",
        f"{np.mean(accuracies):.1%} ({min(accuracies):.1%} to {max(accuracies):.1%})" if found else "",
        _difference(found, runs["gru"]) if configuration.name != "gru" else "",
        f"{np.mean(seconds):.0f}" if seconds else "",
        *(_speeds(speed["configurations"][configuration.name]["milliseconds"], speed["batch"]) if speed else ("", "")),
    ]
    return f"| {' | '.join(cells)} |"


def _difference(found: Sequence[dict[str, Any]], grus: Sequence[dict[str, Any]]) -> str:
    if not found or not grus:
        return ""
    mean, low, high = difference(found, grus)
    return f"{100 * mean:+.1f} ({100 * low:+.1f} to {100 * high:+.1f})"


def difference(found: Sequence[dict[str, Any]], others: Sequence[dict[str, Any]]) -> tuple[float, float, float]:
    """Return by how much some runs are more accurate than others, with the 95% bootstrap interval over texts.

    The texts are the same, so each is compared with itself, by its mean over the seeds.
    """

    def by_text(runs: Sequence[dict[str, Any]]) -> np.ndarray:
        return np.mean([unpack(run["dev"]["right"], run["dev"]["texts"]) for run in runs], axis=0)

    gains = by_text(found) - by_text(others)
    draws = np.random.default_rng(SEED).integers(len(gains), size=(RESAMPLES, len(gains)))
    low, high = np.quantile(gains[draws].mean(axis=1), [0.025, 0.975])
    return float(gains.mean()), float(low), float(high)


def _speeds(milliseconds: dict[str, dict[str, float]], batch: int) -> tuple[str, str]:
    one = [milliseconds[f"{engine}_one"]["median"] for engine in ("torch", "onnx")]
    many = [1000 * batch / milliseconds[f"{engine}_many"]["median"] for engine in ("torch", "onnx")]
    return f"{one[0]:.1f}, {one[1]:.1f} ms", f"{many[0]:,.0f}, {many[1]:,.0f}"


def _training_notes(runs: dict[str, list[dict[str, Any]]]) -> list[str]:
    found = [run for group in runs.values() for run in group]
    planned = len(runs) * len(SEEDS)
    if not found:
        return [f"None of the {planned} trainings is in yet."]
    settings, count = found[0]["settings"], f"{len(found)} of {planned} trainings are in. " * (len(found) < planned)
    return [
        f"{count}Mean of the seeds' accuracies (least to most), {found[0]['dev']['texts']:,} reviews cut to"
        f" {settings['train_tokens']} tokens, {settings['epochs']} epochs, two directions; dev chose nothing."
        " The interval of a difference is 95%, over reviews."
    ]


def _speed_notes(speed: dict[str, Any] | None) -> list[str]:
    if speed is None:
        return ["Speed has not been measured yet."]
    low, high = speed["load"]
    return [
        f"Speed is the recurrent layer's alone, on {speed['tokens']} tokens, batches of 1 and {speed['batch']}: median"
        f" of {speed['repeats']} turns on {speed['machine']}, {speed['date']}, load {low} to {high}"
        " (`python -m benchmarks.cells`)."
    ]
