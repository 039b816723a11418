"""The gates of every token, computed from all hidden states at once: no second recurrence is needed."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..results import Array, Reading


class Gates(NamedTuple):
    """Each (D, T, H): r_t, z_t, n_t, and h_t of torch."""

    reset: Array
    update: Array
    candidate: Array
    hidden: Array


def input_ids(reading: Reading) -> Tensor:
    """Return the (1, T) token ids on the model's device."""
    return torch.tensor([reading.ids], dtype=torch.long, device=reading.model.embedding.weight.device)


@torch.inference_mode()
def hidden_states(reading: Reading) -> list[Tensor]:
    """Return (T, E) embeddings, then the (T, directions * H) states of every layer."""
    states = reading.model.score(input_ids(reading)).hidden_states
    return [layer[0, : len(reading.ids)] for layer in states]


class LayerStates(NamedTuple):
    """One layer and direction: its cell, (T, *) inputs, and the (T, H) states before and after each token."""

    cell: nn.Module
    inputs: Tensor
    previous: Tensor
    hidden: Tensor


def layer_states(reading: Reading) -> list[LayerStates]:
    """Return the states of every layer and direction, the forward one first."""
    states, hidden_size = hidden_states(reading), reading.model.config.hidden_size
    result: list[LayerStates] = []
    for layer, inputs, outputs in zip(reading.model.layers, states, states[1:], strict=False):
        halves = outputs.split(hidden_size, dim=-1)
        for direction, (cell, h) in enumerate(zip(layer.children(), halves, strict=True)):
            start = torch.zeros_like(h[:1])
            previous = torch.cat([h[1:], start] if direction else [start, h[:-1]])  # (T, H)
            result.append(LayerStates(cell, inputs, previous, h))
    return result


@torch.inference_mode()
def gates(reading: Reading) -> tuple[Gates, float]:
    """Return the gates, and the largest difference between h recomputed from them and h of torch.

    D is 0 if the cells are not GRUs, and the difference means nothing then.
    """
    tokens, hidden_size = len(reading.ids), reading.model.config.hidden_size
    if reading.model.config.cell != "gru":
        return Gates(*np.zeros((4, 0, tokens, hidden_size), dtype=np.float32)), 0.0
    found: list[tuple[Tensor, ...]] = []
    error = 0.0
    for cell, inputs, previous, h in layer_states(reading):
        reset, update, candidate = gate_values(cell, inputs, previous)
        recomputed = (1 - update) * candidate + update * previous
        if tokens:
            error = max(error, float((recomputed - h).abs().max()))
        found.append((reset, update, candidate, h))
    return Gates(*(torch.stack(arrays).cpu().numpy() for arrays in zip(*found, strict=True))), error


def gate_values(cell: nn.Module, inputs: Tensor, previous: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return r, z and n of a `torch.nn.GRU`, each (T, H), of (T, *) inputs and the (T, H) states before them.

    The equations are those of `torch.nn.GRU`: z near 1 keeps the old state, r acts after the matrix product.
    """
    from_input, from_past = gate_terms(cell, inputs, previous)
    reset = torch.sigmoid(from_input[0] + from_past[0])
    update = torch.sigmoid(from_input[1] + from_past[1])
    candidate = torch.tanh(from_input[2] + reset * from_past[2])
    return reset, update, candidate


def gate_terms(cell: nn.Module, inputs: Tensor, previous: Tensor) -> tuple[Tensor, Tensor]:
    """Return the (3, T, H) terms of r, z and n that come from the inputs, and those from the previous states.

    Each includes its bias; the term of n from the previous states is not yet scaled by r.
    """
    weights = dict(cell.named_parameters())
    from_input = F.linear(inputs, weights["weight_ih_l0"], weights["bias_ih_l0"])
    from_past = F.linear(previous, weights["weight_hh_l0"], weights["bias_hh_l0"])
    return torch.stack(from_input.chunk(3, dim=-1)), torch.stack(from_past.chunk(3, dim=-1))
