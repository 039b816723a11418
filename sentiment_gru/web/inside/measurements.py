"""What was measured of RNN, LSTM and GRU: the result files of `python -m benchmarks.cells`, as far as they are there.

The only module that knows their format.
"""

import json
from dataclasses import dataclass
from html import escape
from pathlib import Path
from statistics import fmean
from typing import Any

RESULTS = Path(__file__).parent.parent.parent.parent / "benchmarks" / "results"
CELLS = ("gru", "lstm", "rnn")
CONFIGURATIONS = {
    "gru": "GRU",
    "lstm": "LSTM, equal hidden size",
    "lstm-matched": "LSTM, equal parameters",
    "rnn": "RNN, equal hidden size",
    "rnn-matched": "RNN, equal parameters",
}
WAYS = {
    "torch_one": "PyTorch, one text",
    "torch_many": "PyTorch, a batch",
    "onnx_one": "ONNX Runtime, one text",
    "onnx_many": "ONNX Runtime, a batch",
    "torch_training": "PyTorch, a step of training",
}
POINTS = {
    "pytorch": "as PyTorch starts it",
    "start": "before training",
    "trained": "after training",
}


@dataclass(frozen=True)
class Trainings:
    """The trainings of one configuration, one a seed; `by_length` holds (fewest tokens, most tokens): mean accuracy."""

    accuracies: tuple[float, ...]
    by_length: dict[tuple[int, int], float]
    hidden: int
    parameters: int
    seconds: float | None
    source: str
    texts: int

    @property
    def mean(self) -> float:
        """The mean accuracy on dev."""
        return fmean(self.accuracies)


@dataclass(frozen=True)
class Speed:
    """Median milliseconds, `times[configuration][way]`, of texts of `tokens` tokens."""

    times: dict[str, dict[str, float]]
    tokens: int
    batch: int
    source: str

    @property
    def ways(self) -> list[str]:
        """The ways that were measured, in the order of `WAYS`."""
        return [way for way in WAYS if all(way in self.times[cell] for cell in CELLS)]


@dataclass(frozen=True)
class Curve:
    """The norm of d logit / d state by distance from the end: median and quartiles over reviews."""

    low: tuple[float, ...]
    median: tuple[float, ...]
    high: tuple[float, ...]
    faint_from: int | None


@dataclass(frozen=True)
class Gradients:
    """Curves of models judged by their last state, `curves[point][cell]`; of an LSTM, by its cell state."""

    distances: tuple[int, ...]
    curves: dict[str, dict[str, Curve]]
    source: str


@dataclass(frozen=True)
class Recall:
    """Accuracies of delayed recall, `accuracies[variant][lag]`, one a seed."""

    lags: tuple[int, ...]
    accuracies: dict[str, dict[int, tuple[float, ...]]]
    chance: float
    source: str


@dataclass(frozen=True)
class Measured:
    """All that is there; a part is None, or `trainings` lacks configurations, where its files are missing."""

    trainings: dict[str, Trainings]
    speed: Speed | None
    gradients: Gradients | None
    recall: Recall | None


def read_measured(folder: Path | None = None) -> Measured:
    """Return what the result files in a folder say, by default those of this repository."""
    folder = folder or RESULTS
    speed, gradients, recall = (_read(folder / f"{name}.json") for name in ("cell_speed", "cell_gradients", "recall"))
    found = {name: _trainings(folder / "cells", name) for name in CONFIGURATIONS}
    return Measured(
        {name: trainings for name, trainings in found.items() if trainings},
        speed and _speed(speed),
        gradients and _gradients(gradients),
        recall and _recall(recall),
    )


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def _source(result: dict[str, Any]) -> str:
    """Return, as HTML, what every figure carries."""
    script, data, date, machine = (escape(str(result[key])) for key in ("script", "data", "date", "machine"))
    return f"Measured by <code>{script}</code> on {data}, {date} ({machine})."


def _trainings(folder: Path, name: str) -> Trainings | None:
    runs = [_read(path) for path in sorted(folder.glob(f"{name}-[0-9]*.json"))]
    if not runs:
        return None
    seconds = [run["cpu_seconds_per_epoch"] for run in runs if run["cpu_seconds_per_epoch"] is not None]
    return Trainings(
        tuple(run["dev"]["accuracy"] for run in runs),
        _by_length(runs),
        runs[0]["settings"]["hidden_size"],
        runs[0]["recurrent_parameters"],
        fmean(seconds) if seconds else None,
        _source(runs[-1]),
        runs[0]["dev"]["texts"],
    )


def _by_length(runs: list[dict[str, Any]]) -> dict[tuple[int, int], float]:
    """Return the mean accuracy by length; the texts are the same in every run, and so are their lengths."""
    quarters = zip(*(run["dev"]["by_length"] for run in runs), strict=True)
    return {tuple(found[0]["tokens"]): fmean(one["accuracy"] for one in found) for found in quarters}


def _speed(result: dict[str, Any]) -> Speed:
    times = {
        name: {way: spread["median"] for way, spread in found["milliseconds"].items()}
        for name, found in result["configurations"].items()
    }
    return Speed(times, result["tokens"], result["batch"], _source(result))


def _gradients(result: dict[str, Any]) -> Gradients | None:
    by_last_state = [model for model in result["models"].values() if model["pooling"] == "last"]
    curves = {
        point: {model["cell"]: _curve(model[point]["c" if model["cell"] == "lstm" else "h"]) for model in by_last_state}
        for point in POINTS
    }
    complete = all(set(CELLS) <= set(found) for found in curves.values())
    return Gradients(tuple(result["distances"]), curves, _source(result)) if complete else None


def _curve(found: dict[str, Any]) -> Curve:
    low, median, high = (tuple(found[name]) for name in ("quartile_25", "median", "quartile_75"))
    return Curve(low, median, high, found["faint_from"])


def _recall(result: dict[str, Any]) -> Recall | None:
    planned = result["settings"]["lags"]
    accuracies = {
        variant: {lag: tuple(by_lag[str(lag)]["accuracy"]) for lag in planned}
        for variant, by_lag in result["variants"].items()
    }
    lags = tuple(lag for lag in planned if all(by_lag[lag] for by_lag in accuracies.values()))
    return Recall(lags, accuracies, result["chance"], _source(result)) if lags else None
