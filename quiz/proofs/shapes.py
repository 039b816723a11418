"""Checks for the topic Shapes: what a layer returns, and where each summary is found."""

import warnings
from typing import Any

import torch
from torch import Tensor, nn

from .cells import Layer
from .expressions import Measurement

N, L, E, H = 2, 7, 3, 5
SIZES = {"N": N, "L": L, "E": E, "H": H}


def output_shape(cell: Any) -> Measurement:
    """Run a bidirectional layer and look at its output."""
    output, _ = _run(cell, bidirectional=True)
    return Measurement("a bidirectional layer run, batch_first=True", SIZES | {"answer": tuple(output.shape)})


def final_shape(cell: Any) -> Measurement:
    """Run two bidirectional layers and look at the final states."""
    _, final = _run(cell, num_layers=2, bidirectional=True)
    return Measurement("two bidirectional layers run, batch_first=True", SIZES | {"answer": tuple(final.shape)})


def backward_summary(cell: Any) -> Measurement:
    """Compare slices of the output with the final state of the backward direction."""
    output, final = _run(cell, bidirectional=True)
    quantities = {
        "first_forward": output[:, 0, :H],
        "first_backward": output[:, 0, H:],
        "last_forward": output[:, -1, :H],
        "last_backward": output[:, -1, H:],
        "answer": final[-1],
    }
    return Measurement("a bidirectional layer run; its final backward state compared with slices", quantities)


def padding(cell: Any, steps: int) -> Measurement:
    """Let a layer read zeros after the text."""
    layer = Layer(cell)
    read = layer.states(torch.zeros(steps, 1, 3, dtype=torch.double), layer.h)
    quantities = {"at_last_word": layer.h, "after_padding": read[-1]}
    return Measurement(f"{steps} steps of zero input from the state at the last word", quantities)


def start_shape(cell: Any, layers: int) -> Measurement:
    """Offer initial states of every order of sizes, and see which one is taken."""
    module = cell(E, H, num_layers=layers, batch_first=True)
    taken = []
    for shape in [(layers, N, H), (N, layers, H), (N, H), (layers, H, N), (N, H, layers)]:
        start = torch.zeros(shape)
        try:
            module(torch.zeros(N, L, E), (start, start) if isinstance(module, nn.LSTM) else start)
            taken.append(shape)
        except RuntimeError:  # what the library raises for a wrong shape
            continue
    quantities = SIZES | {"layers": layers, "answer": taken[0]}
    return Measurement("five shapes of h_0 offered to a layer with batch_first=True", quantities)


def dropout(cell: Any, share: float) -> Measurement:
    """Compare a single layer with dropout, in training mode, with the same layer without."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        output, _ = _run(cell, dropout=share)
    plain, _ = _run(cell)
    quantities = {
        "largest_change": (output - plain).abs().max(),
        "share_of_zeros": float((output == 0).double().mean()),
        "warnings": len(caught),
    }
    return Measurement("one layer in training mode, with and without dropout", quantities)


def _run(cell: Any, **options: Any) -> tuple[Tensor, Tensor]:
    """Return output and final hidden states of a layer for (N, L, E) inputs; weights and inputs are always the same."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = cell(E, H, batch_first=True, **options)
        output, final = module(torch.randn(N, L, E))
    return output.detach(), (final[0] if isinstance(final, tuple) else final).detach()
