"""Logits of a text without some of its tokens, from the states of the whole text as far as they are the same.

Of a prefix, the forward states are those of the text; only the backward states must be computed. Of a text without a
few tokens in a row, the forward states before them and the backward states after them are the same. All such readings
take their next token together: at each token, one matrix product serves all of them.
"""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from ..results import Array, Reading
from .gates import layer_states


class Pooled(NamedTuple):
    """The last state of N readings in one direction, and the sum and maximum of their states; each (N, H)."""

    last: Tensor
    total: Tensor
    maximum: Tensor


class DirectionStates:
    """One direction of a GRU layer over a text, in its own order of reading.

    Args:
        cell: the `torch.nn.GRU`.
        inputs: (T, E), in the order of reading.
        hidden: (T, H) states, likewise.
    """

    def __init__(self, cell: torch.nn.Module, inputs: Tensor, hidden: Tensor) -> None:
        weights = dict(cell.named_parameters())
        self.from_input = F.linear(inputs, weights["weight_ih_l0"], weights["bias_ih_l0"])  # (T, 3H)
        self.recurrent, self.bias = weights["weight_hh_l0"].T.contiguous(), weights["bias_hh_l0"]
        none = torch.zeros_like(hidden[:1])
        self.known = Pooled(  # each (T + 1, H), after 0, 1, ... T tokens
            torch.cat([none, hidden]),
            torch.cat([none, hidden.cumsum(dim=0)]),
            torch.cat([torch.full_like(none, float("-inf")), hidden.cummax(dim=0).values]),
        )

    def read(self, known: Tensor, first: Tensor) -> Pooled:
        """Return the parts for pooling of N readings, each of which knows the first tokens of the text and skips some.

        Args:
            known: (N,) tokens that are read already.
            first: (N,) index of the next token; all from there to the end of the text are read.
        """
        order = first.argsort()
        starts = first[order]
        state, total, maximum = (values[known[order]] for values in self.known)
        size = state.shape[1]
        tokens = len(self.from_input)
        readings = torch.searchsorted(starts, torch.arange(tokens, device=starts.device), right=True).tolist()
        for token in range(int(starts[0]), tokens):
            count = readings[token]  # readings that have begun
            before, given = state[:count], self.from_input[token]
            past = torch.addmm(self.bias, before, self.recurrent)  # (count, 3H)
            gates = torch.sigmoid(past[:, : 2 * size] + given[: 2 * size])
            candidate = torch.tanh(given[2 * size :] + gates[:, :size] * past[:, 2 * size :])
            before.copy_(torch.lerp(candidate, before, gates[:, size:]))
            total[:count] += before
            torch.maximum(maximum[:count], before, out=maximum[:count])
        back = order.argsort()
        return Pooled(state[back], total[back], maximum[back])


class PartialReader:
    """Logits of parts of one text, by a network of one GRU layer; `supports` says whether a text's network is one."""

    @torch.inference_mode()
    def __init__(self, reading: Reading) -> None:
        self.model, self.tokens = reading.model, len(reading.ids)
        forward, *backward = layer_states(reading)
        self.forward = DirectionStates(forward.cell, forward.inputs, forward.hidden)
        self.backward = [DirectionStates(one.cell, one.inputs.flip(0), one.hidden.flip(0)) for one in backward]

    @staticmethod
    def supports(reading: Reading) -> bool:
        """Return whether the network has a single layer of GRU cells and the text has tokens."""
        config = reading.model.config
        return bool(reading.ids) and config.cell == "gru" and config.num_layers == 1

    @torch.inference_mode()
    def without(self, start: list[int], end: list[int]) -> Array:
        """Return the (N, C) logits of the text without its tokens from each `start` up to `end`, which is excluded."""
        device = self.forward.from_input.device
        begin, after = torch.tensor(start, device=device), torch.tensor(end, device=device)
        directions = [self.forward.read(begin, after)]
        directions += [one.read(self.tokens - after, self.tokens - begin) for one in self.backward]
        lengths = self.tokens - (after - begin)
        last, total, maximum = (torch.cat(parts, dim=1) for parts in zip(*directions, strict=True))  # (N, D * H)
        mean = total / lengths.clamp(min=1)[:, None]
        maximum = maximum.masked_fill(lengths[:, None] == 0, 0.0)
        pooled = {"last": [last], "mean": [mean], "max": [maximum], "mean_max": [mean, maximum]}
        joined = torch.cat(pooled[self.model.config.pooling], dim=1)
        logits: Array = (self.model.classifier(joined) / self.model.divisor(lengths)).cpu().numpy()
        return logits
