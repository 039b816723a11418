"""Measurements of RNN, LSTM and GRU, read from the result files that `python -m benchmarks.cells` writes.

No other module depends on the format of these files.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

RESULTS = Path(__file__).parent / "results"
CELLS = ("gru", "lstm", "rnn")
CONFIGURATIONS = {
    "gru": "GRU",
    "lstm": "LSTM, equal hidden size",
    "lstm-matched": "LSTM, equal parameters",
    "rnn": "RNN, equal hidden size",
    "rnn-matched": "RNN, equal parameters",
}
SPEED_MODES = {
    "torch_one": "PyTorch, one text",
    "torch_many": "PyTorch, a batch",
    "onnx_one": "ONNX Runtime, one text",
    "onnx_many": "ONNX Runtime, a batch",
    "torch_training": "PyTorch, a step of training",
}
COMPARED_DISTANCE = 50  # tokens from the end at which gradients are compared
TRAINING_STAGES = ("pytorch", "start", "trained")  # PyTorch's initialization, that of this app, and after training


@dataclass(frozen=True)
class Source:
    """The origin of a measurement: the command that made it, its data, date and machine."""

    script: str
    data: str
    date: str
    machine: str


@dataclass(frozen=True)
class Trainings:
    """The trainings of one configuration, one per seed.

    Attributes:
        accuracies: Accuracy on the dev split, for each seed.
        by_length: Mean accuracy over the seeds by (fewest, most) tokens of a review.
        hidden: Units per direction.
        parameters: Parameters of the recurrent layer.
        seconds: Mean CPU seconds per epoch, or None if they were not measured.
        source: Origin of the figures.
        texts: Number of reviews in the dev split.
    """

    accuracies: tuple[float, ...]
    by_length: dict[tuple[int, int], float]
    hidden: int
    parameters: int
    seconds: float | None
    source: Source
    texts: int

    @property
    def mean(self) -> float:
        """The mean accuracy on the dev split."""
        return fmean(self.accuracies)


@dataclass(frozen=True)
class Speed:
    """Median milliseconds for texts of `tokens` tokens, as `times[configuration][mode]`."""

    times: dict[str, dict[str, float]]
    tokens: int
    batch: int
    source: Source

    @property
    def modes(self) -> list[str]:
        """The modes that were measured, in the order of `SPEED_MODES`."""
        return [mode for mode in SPEED_MODES if all(mode in self.times[cell] for cell in CELLS)]


@dataclass(frozen=True)
class Gradients:
    """Medians over reviews of the norm of d logit / d state, in models that classify by their last state.

    `medians[stage][cell]` has one value for each of `distances` from the end; for an LSTM, of its cell state.
    """

    distances: tuple[int, ...]
    medians: dict[str, dict[str, tuple[float, ...]]]
    source: Source

    def left(self, stage: str, cell: str, distance: int) -> float:
        """Return the median at a distance as a share of that at the end."""
        median = self.medians[stage][cell]
        return median[self.distances.index(distance)] / median[0] if median[0] else 0.0


@dataclass(frozen=True)
class Recall:
    """Accuracies of delayed recall, as `accuracies[variant][lag]`, one per seed."""

    lags: tuple[int, ...]
    accuracies: dict[str, dict[int, tuple[float, ...]]]
    chance: float
    source: Source

    def means(self, lag: int) -> dict[str, float]:
        """Return the mean accuracy of each variant over a delay of `lag` tokens."""
        return {variant: fmean(by_lag[lag]) for variant, by_lag in self.accuracies.items()}


@dataclass(frozen=True)
class Measured:
    """All measurements; a part is None, or a configuration of `trainings` absent, if its files are missing."""

    trainings: dict[str, Trainings]
    speed: Speed | None
    gradients: Gradients | None
    recall: Recall | None


def format_left(share: float) -> str:
    """Return the share of a gradient that is left, in plain decimals.

    >>> format_left(0.713), format_left(0.0064), format_left(1e-9)
    ('71%', '0.64%', '< 0.01%')
    """
    if share < 0.0001:
        return "< 0.01%"
    return f"{share:.0%}" if share >= 0.1 else f"{share:.1%}" if share >= 0.01 else f"{share:.2%}"


def read_measured(folder: Path | None = None) -> Measured:
    """Return the measurements in a folder of result files, by default those of the package."""
    folder = folder or RESULTS
    speed, gradients, recall = (_read(folder / f"{name}.json") for name in ("cell_speed", "cell_gradients", "recall"))
    trainings = {name: _trainings(folder / "cells", name) for name in CONFIGURATIONS}
    return Measured(
        {name: runs for name, runs in trainings.items() if runs},
        speed and _speed(speed),
        gradients and _gradients(gradients),
        recall and _recall(recall),
    )


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def _source(result: dict[str, Any]) -> Source:
    return Source(*(str(result[key]) for key in ("script", "data", "date", "machine")))


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
    """Return the mean accuracy by length; every run has the same texts, and therefore the same lengths."""
    groups = zip(*(run["dev"]["by_length"] for run in runs), strict=True)
    return {tuple(group[0]["tokens"]): fmean(part["accuracy"] for part in group) for group in groups}


def _speed(result: dict[str, Any]) -> Speed:
    times = {
        name: {mode: spread["median"] for mode, spread in configuration["milliseconds"].items()}
        for name, configuration in result["configurations"].items()
    }
    return Speed(times, result["tokens"], result["batch"], _source(result))


def _gradients(result: dict[str, Any]) -> Gradients | None:
    models = [model for model in result["models"].values() if model["pooling"] == "last"]
    medians = {
        stage: {
            model["cell"]: tuple(model[stage]["c" if model["cell"] == "lstm" else "h"]["median"]) for model in models
        }
        for stage in TRAINING_STAGES
    }
    complete = all(set(CELLS) <= set(by_cell) for by_cell in medians.values())
    return Gradients(tuple(result["distances"]), medians, _source(result)) if complete else None


def _recall(result: dict[str, Any]) -> Recall | None:
    planned = result["settings"]["lags"]
    accuracies = {
        variant: {lag: tuple(by_lag[str(lag)]["accuracy"]) for lag in planned}
        for variant, by_lag in result["variants"].items()
    }
    lags = tuple(lag for lag in planned if all(by_lag[lag] for by_lag in accuracies.values()))
    return Recall(lags, accuracies, result["chance"], _source(result)) if lags else None
