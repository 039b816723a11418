"""The speed of the recurrent layer alone, forward and in training, in PyTorch and in ONNX Runtime.

Random weights and inputs: the time does not depend on them. All ways take turns in one process, so that other work on
the machine slows them alike.
"""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from sentiment_gru.model_config import Cell, ModelConfig
from sentiment_gru.network import RecurrentLayer

from .onnx_layer import open_session, run_session
from .results import describe, load_average, write_result
from .runs import EMBEDDING, Configuration, compared
from .training import TOKENS as TRAINING_TOKENS

TOKENS, BATCH, TRAINING_BATCH = 250, 64, 32
REPEATS, WARM_UP, PARITY, SEED = 30, 2, 1e-5, 0
Call = Callable[[], object]


def measure_speed(path: Path, repeats: int = REPEATS, tokens: int = TOKENS) -> dict[str, Any]:
    """Time every configuration in every way, and write the result file."""
    calls: dict[tuple[str, str], Call] = {}
    differences, load = {}, load_average()
    for configuration in compared():
        ways, differences[configuration.name] = ways_to_run(configuration, tokens)
        calls |= {(configuration.name, way): call for way, call in ways.items()}
    times = take_turns(calls, repeats)
    result = describe("speed", f"random inputs, {tokens} tokens a text, embeddings of {EMBEDDING} numbers")
    result |= {"repeats": repeats, "tokens": tokens, "batch": BATCH, "load": [load, load_average()]}
    result["training"] = {"batch": TRAINING_BATCH, "tokens": min(tokens, TRAINING_TOKENS)}
    result["configurations"] = {
        configuration.name: {
            "cell": configuration.cell,
            "hidden": configuration.hidden,
            "parity": differences[configuration.name],
            "milliseconds": {way: spread(found) for (name, way), found in times.items() if name == configuration.name},
        }
        for configuration in compared()
    }
    write_result(path, result)
    return result


def ways_to_run(configuration: Configuration, tokens: int) -> tuple[dict[str, Call], float]:
    """Return calls that run a layer, and the largest difference between PyTorch's and ONNX Runtime's states.

    Raises:
        ValueError: the two do not compute the same.
    """
    torch.manual_seed(SEED)
    config = ModelConfig(
        cell=cast(Cell, configuration.cell), hidden_size=configuration.hidden, bidirectional=configuration.bidirectional
    )
    layer = RecurrentLayer(config, EMBEDDING)
    session = open_session(layer)
    one, many, training = (
        torch.randn(count, length, EMBEDDING)
        for count, length in ((1, tokens), (BATCH, tokens), (TRAINING_BATCH, min(tokens, TRAINING_TOKENS)))
    )
    difference = parity(layer, session, many[:2])
    if difference > PARITY:
        raise ValueError(f"{configuration.name}: states of PyTorch and ONNX Runtime differ by {difference}")
    return {
        "torch_one": partial(forward, layer, one),
        "onnx_one": partial(run_session, session, time_first(one)),
        "torch_many": partial(forward, layer, many),
        "onnx_many": partial(run_session, session, time_first(many)),
        "torch_training": partial(forward_and_back, layer, training),
    }, difference


def parity(layer: RecurrentLayer, session: Any, inputs: Tensor) -> float:
    """Return the largest difference between the states of a layer and of a session."""
    expected = forward(layer, inputs).numpy()  # (B, T, D * H)
    found = run_session(session, time_first(inputs)).transpose(2, 0, 1, 3).reshape(expected.shape)
    return float(np.abs(expected - found).max())


def time_first(inputs: Tensor) -> np.ndarray:
    """Return (T, B, E) inputs of (B, T, E)."""
    return np.ascontiguousarray(inputs.transpose(0, 1).numpy())


@torch.inference_mode()
def forward(layer: RecurrentLayer, inputs: Tensor) -> Tensor:
    """Return (B, T, D * H) states of (B, T, E) inputs that are all T tokens long."""
    states: Tensor = layer(inputs, torch.full((len(inputs),), inputs.shape[1]))
    return states


def forward_and_back(layer: RecurrentLayer, inputs: Tensor) -> None:
    """Run the layer and the gradients of its weights and inputs, as a step of training does."""
    inputs = inputs.detach().requires_grad_()
    layer(inputs, torch.full((len(inputs),), inputs.shape[1])).sum().backward()
    layer.zero_grad()


def take_turns(calls: dict[Any, Call], repeats: int) -> dict[Any, list[float]]:
    """Return the milliseconds of each call, made in turn."""
    for call in calls.values():
        for _ in range(WARM_UP):
            call()
    times: dict[Any, list[float]] = {name: [] for name in calls}
    for _ in range(repeats):
        for name, call in calls.items():
            started = time.perf_counter()
            call()
            times[name].append(1000 * (time.perf_counter() - started))
    return times


def spread(times: list[float]) -> dict[str, float]:
    """Return the median, the quartiles and the least of some times."""
    names = ("least", "quartile_25", "median", "quartile_75")
    return {name: round(float(v), 3) for name, v in zip(names, np.quantile(times, [0, 0.25, 0.5, 0.75]), strict=True)}
