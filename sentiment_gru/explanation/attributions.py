"""Attributions of the target logit to tokens, by three methods, and their test by deletion.

The target logit is `logits @ weights`; `weights` (C,) is 1 for the explained label and -1 for the one subtracted.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ..errors import InputError
from ..results import METHODS, Array, Deletion, Explanation, Prediction, Reading, Target, calibrated
from .gates import gates, input_ids, layer_states

# In all shortened texts together. Of texts with more than 400 tokens, two or more are left out at once, and some
# prefixes are skipped.
TOKENS_TO_LEAVE_OUT, TOKENS_TO_RUN = 160_000, 80_000
FIRST_STEPS, MAX_STEPS = 16, 64
TOKENS_ON_PATH = 16_000  # upper bound of tokens times steps
TOKENS_IN_MEMORY = 4_000  # tokens whose states are in memory at a time: some 70 MB for a gradient, 30 MB for scores
MAX_COMPLETENESS_GAP = 0.02
RANDOM_ORDERS = 10
POINTS = 12
TOKENS_TO_DELETE = 60_000  # in all texts of the deletion test together


def integrated_gradients(reading: Reading, weights: Array) -> tuple[Array, float, int]:
    """Return (T,) attributions, the completeness gap and the number of steps.

    The path leads from zero embeddings to those of the text. It has 16 steps, fewer for texts of more than 1,000
    tokens. Their number doubles, up to the bounds above, until the sum of the attributions is within 2% of the
    difference between the ends. The gap is relative to that difference.
    Source: Sundararajan et al. 2017, "Axiomatic Attribution for Deep Networks".
    """
    from captum.attr import IntegratedGradients  # imports matplotlib, which takes a second

    embeddings = reading.model.embedding(input_ids(reading)).detach()  # (1, T, E)
    direction = torch.as_tensor(weights, dtype=embeddings.dtype, device=embeddings.device)

    def target(inputs: Tensor) -> Tensor:
        return reading.model.score(inputs_embeds=inputs).logits @ direction

    with torch.inference_mode():
        difference = float(target(embeddings) - target(torch.zeros_like(embeddings)))
    steps = min(FIRST_STEPS, max(1, TOKENS_ON_PATH // len(reading.ids)))
    while True:
        # The midpoint rule, as the maximum in pooling makes the gradient discontinuous and Gauss-Legendre no better.
        shares = IntegratedGradients(target).attribute(
            embeddings,
            n_steps=steps,
            method="riemann_middle",
            internal_batch_size=max(1, TOKENS_IN_MEMORY // len(reading.ids)),
        )
        values = shares.sum(dim=-1)[0].detach().cpu().numpy().astype(np.float64)
        gap = abs(values.sum() - difference) / max(abs(difference), 1e-9)
        if gap <= MAX_COMPLETENESS_GAP or 2 * steps > MAX_STEPS or 2 * steps * len(values) > TOKENS_ON_PATH:
            return values, float(gap), steps
        steps *= 2


def leave_one_out(reading: Reading, weights: Array) -> tuple[Array, int]:
    """Return the (T,) decreases of the target logit without each token, and how many tokens are left out at once."""
    count = len(reading.ids)
    stride = max(1, math.ceil(count**2 / TOKENS_TO_LEAVE_OUT))
    starts = [*range(0, count, stride)]
    ends = [min(start + stride, count) for start in starts]
    whole, *without = _score_without(reading, [0, *starts], [0, *ends]) @ weights
    sizes = [end - start for start, end in zip(starts, ends, strict=True)]
    return np.repeat((whole - np.array(without, dtype=np.float64)) / sizes, sizes), stride


def _score_without(reading: Reading, starts: list[int], ends: list[int]) -> Array:
    """Return the (N, C) logits of the text without its tokens from each start up to the end, which is excluded."""
    if PartialReader.supports(reading):
        return PartialReader(reading).without(starts, ends)
    ids = reading.ids
    return _score(reading, [ids[:start] + ids[end:] for start, end in zip(starts, ends, strict=True)])


def _score(reading: Reading, rows: list[list[int]]) -> Array:
    """Return the (B, C) logits of rows of ids; they are scored in parts, which bounds memory."""
    parts: list[list[list[int]]] = [[]]
    tokens = 0
    for row in rows:
        tokens += len(row)
        if tokens > TOKENS_IN_MEMORY and parts[-1]:
            parts.append([])
            tokens = len(row)
        parts[-1].append(row)
    return np.concatenate([reading.score(part) for part in parts])


def deletion(reading: Reading, weights: Array, attributions: dict[str, Array]) -> Deletion:
    """Score the text while tokens are deleted in the order of each method, largest first, and in random orders."""
    count = len(reading.ids)
    orders = [np.argsort(-values, kind="stable") for values in attributions.values()]
    orders += [np.random.default_rng(seed).permutation(count) for seed in range(RANDOM_ORDERS)]
    affordable = TOKENS_TO_DELETE // (len(orders) * count // 2 + 1)
    sizes = np.unique(np.linspace(0, count, min(count, POINTS, max(affordable, 4)) + 1).round().astype(int))
    rows = [[reading.ids[i] for i in np.sort(order[size:])] for order in orders for size in sizes]
    logits = (_score(reading, rows) @ weights).reshape(len(orders), len(sizes)).astype(np.float64)
    curves: dict[str, Array] = dict(zip(attributions, logits, strict=False))
    return Deletion(sizes / count, curves, logits[len(attributions) :])


def running_logits(reading: Reading) -> tuple[Array, int]:
    """Return (T + 1, C) logits after 0, 1, ... T tokens, and the stride at which they are exact.

    Logits between multiples of the stride are interpolated linearly.
    """
    count = len(reading.ids)
    stride = max(1, math.ceil(count * (count + 1) / 2 / TOKENS_TO_RUN))
    lengths = [*range(0, count, stride), count]
    exact = _score_without(reading, lengths, [count] * len(lengths))
    columns = [np.interp(range(count + 1), lengths, column) for column in exact.T]
    return np.stack(columns, axis=1), stride


def explain(
    reading: Reading, prediction: Prediction, labels: Sequence[str], methods: Sequence[str], target: Target
) -> Explanation:
    """Explain one text; `SentimentClassifier.explain` documents the arguments and errors."""
    label, against = _check_target(prediction.label if target is None else target, labels)
    if unknown := set(methods) - set(METHODS):
        raise InputError(f"there is no attribution method {sorted(unknown)[0]!r}, only {', '.join(METHODS)}")
    weights = np.array([(name == label) - float(name == against) for name in labels])  # (C,)
    logits, stride = running_logits(reading)
    arrays, error = gates(reading)
    strides, steps, proofs = {"running": stride}, 0, {}
    if len(arrays.hidden):
        proofs["hidden_state_error"] = error
    attributions: dict[str, Array] = {}
    if reading.ids and "integrated_gradients" in methods:
        values, proofs["completeness_gap"], steps = integrated_gradients(reading, weights)
        attributions["integrated_gradients"] = values
    if reading.ids and "leave_one_out" in methods:
        attributions["leave_one_out"], strides["leave_one_out"] = leave_one_out(reading, weights)
    if reading.ids and "as_read" in methods:
        attributions["as_read"] = np.diff(logits @ weights)
        total = float((logits[-1] - logits[0]) @ weights)
        proofs["telescoping_error"] = abs(float(attributions["as_read"].sum()) - total)
    curves = deletion(reading, weights, attributions) if attributions else None
    proofs |= {f"deletion_gain_{method}": curves.gain(method) for method in attributions if curves}
    return Explanation(
        text=reading.text,
        prediction=prediction,
        target=(label, against),
        tokens=reading.tokens,
        logits=logits,
        running=calibrated(logits),
        **arrays._asdict(),
        directions=2 if reading.model.config.bidirectional else 1,
        attributions=attributions or {method: np.zeros(0) for method in methods},
        deletion=curves,
        strides=strides,
        gradient_steps=steps,
        proofs=proofs,
    )


def _check_target(target: str | tuple[str, str], labels: Sequence[str]) -> tuple[str, str | None]:
    names = (target,) if isinstance(target, str) else tuple(target)
    for name in names:
        if name not in labels:
            raise InputError(f"the model has no label {name!r}; it has {', '.join(labels)}")
    if not 1 <= len(set(names)) == len(names) <= 2:
        raise InputError(f"a target is one label or two different ones, not {target!r}")
    return names[0], names[1] if len(names) == 2 else None


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
    """Logits of a text without some of its tokens, from the states of the whole text as far as they are the same.

    Of a prefix, the forward states are those of the text; only the backward states must be computed. Of a text without
    a few tokens in a row, the forward states before them and the backward states after them are the same. All such
    readings take their next token together: at each token, one matrix product serves all of them. The network must
    have one GRU layer, see `supports`.
    """

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
