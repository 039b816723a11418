"""Result files in the format of `python -m benchmarks.cells`, with made-up figures."""

import json
from pathlib import Path
from typing import Any

ORIGIN = {"date": "2026-01-31", "machine": "a test", "versions": {}}
CELLS = ("gru", "lstm", "rnn")


def write_results(folder: Path, torch_one: tuple[float, float, float] = (10.0, 3.0, 4.0)) -> Path:
    """Write all result files into a folder, and return the folder.

    Args:
        folder: Where to write.
        torch_one: Milliseconds of GRU, LSTM and RNN for one text in PyTorch.
    """
    trainings = {"gru": (128, 3), "lstm": (128, 4), "rnn": (128, 1), "lstm-matched": (104, 4), "rnn-matched": (256, 1)}
    for index, (name, (hidden, blocks)) in enumerate(trainings.items()):
        for seed in range(3):
            write(folder / "cells" / f"{name}-{seed}.json", training(name, hidden, blocks, 0.88 - 0.01 * index, seed))
    write(folder / "cell_speed.json", speed(torch_one))
    write(folder / "cell_gradients.json", gradients())
    write(folder / "recall.json", recall())
    return folder


def training(name: str, hidden: int, blocks: int, accuracy: float, seed: int) -> dict[str, Any]:
    return {
        "script": "python -m benchmarks.cells train",
        "data": "made-up texts",
        "settings": {"hidden_size": hidden},
        "configuration": name,
        "recurrent_parameters": 2 * blocks * hidden * (128 + hidden + 2),
        "cpu_seconds_per_epoch": 100.0 * blocks,
        "dev": {
            "texts": 2500,
            "accuracy": accuracy + 0.001 * seed,
            "by_length": [
                {"tokens": [5, 200], "texts": 1250, "accuracy": accuracy + 0.03 + 0.001 * seed},
                {"tokens": [201, 1400], "texts": 1250, "accuracy": accuracy - 0.03 + 0.001 * seed},
            ],
        },
    } | ORIGIN


def speed(torch_one: tuple[float, float, float]) -> dict[str, Any]:
    modes = {
        "torch_one": torch_one,
        "torch_many": (200.0, 240.0, 90.0),
        "onnx_one": (1.7, 2.3, 0.8),
        "onnx_many": (90.0, 125.0, 40.0),
        "torch_training": (300.0, 302.0, 150.0),
    }
    return {
        "script": "python -m benchmarks.cells speed",
        "data": "random inputs, 250 tokens a text",
        "tokens": 250,
        "batch": 64,
        "configurations": {
            cell: {"milliseconds": {mode: {"median": values[index]} for mode, values in modes.items()}}
            for index, cell in enumerate(CELLS)
        },
    } | ORIGIN


def gradients() -> dict[str, Any]:
    distances = [d for d in range(200) if d <= 20 or d % 5 == 0 or d == 199]
    factors = {"pytorch": (0.55, 0.6, 0.4), "start": (0.8, 0.75, 0.7), "trained": (0.98, 0.97, 0.85)}

    def curve(factor: float) -> dict[str, Any]:
        median = [factor**d for d in distances]
        faint = next((d for d, value in zip(distances, median, strict=True) if value < 0.01), None)
        return {
            "median": median,
            "quartile_25": [value / 3 for value in median],
            "quartile_75": [value * 3 for value in median],
            "faint_from": faint,
        }

    models: dict[str, Any] = {
        f"{cell}-last": {"cell": cell, "pooling": "last"}
        | {stage: {"h": curve(by_cell[index]), "c": curve(by_cell[index])} for stage, by_cell in factors.items()}
        for index, cell in enumerate(CELLS)
    }
    models["gru"] = {"cell": "gru", "pooling": "mean_max"}
    origin = {"script": "python -m benchmarks.cells gradients", "data": "100 made-up reviews"} | ORIGIN
    return origin | {"distances": distances, "models": models}


def recall() -> dict[str, Any]:
    accuracies = {"gru": 0.99, "lstm": 0.7, "lstm, forget bias 1": 1.0, "rnn": 0.2}
    lags = [10, 50, 200]
    return {
        "script": "python -m benchmarks.cells recall",
        "data": "random tokens",
        "settings": {"lags": lags},
        "chance": 0.125,
        "variants": {
            variant: {str(lag): {"accuracy": [1.0, last if lag == 200 else 1.0]} for lag in lags}
            for variant, last in accuracies.items()
        },
    } | ORIGIN


def write(path: Path, content: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")
