"""Three ways to say what each token adds to the target logit, and how deleting tokens puts them to the test.

The target logit is `logits @ weights`: `weights` (C,) is 1 for the label explained, -1 for the one set against it.
"""

import math

import numpy as np
import torch
from torch import Tensor

from .reading import Reading
from .result import Array, Deletion

TOKENS_TO_LEAVE_OUT = 80_000  # a text of 282 tokens without each of them; of longer ones, without two or more at once
FIRST_STEPS, MOST_STEPS = 16, 64
TOKENS_ON_PATH = 32_000  # tokens times steps of integrated gradients that are not exceeded for more precision
ENOUGH_COMPLETENESS = 0.02
RANDOM_ORDERS = 10
POINTS = 12
TOKENS_TO_DELETE = 60_000  # of all texts of the deletion test together


def integrated_gradients(reading: Reading, weights: Array) -> tuple[Array, float, int]:
    """Return (T,) attributions, the completeness gap and the number of steps.

    The path goes from embeddings of zero to those of the text. Steps double until the attributions sum to the
    difference between its ends to 2%, within the bounds above. The gap is a share of that difference.
    """
    from captum.attr import IntegratedGradients  # imports matplotlib, which takes a second

    embeddings = reading.model.embedding(reading.tensor).detach()  # (1, T, E)
    direction = torch.as_tensor(weights, dtype=embeddings.dtype, device=embeddings.device)

    def target(inputs: Tensor) -> Tensor:
        return reading.model.score(inputs_embeds=inputs).logits @ direction

    with torch.inference_mode():
        difference = float(target(embeddings) - target(torch.zeros_like(embeddings)))
    steps = FIRST_STEPS
    while True:
        # The middle rule: a pooled maximum bends the path's gradient, so that Gauss-Legendre is no better.
        shares = IntegratedGradients(target).attribute(embeddings, n_steps=steps, method="riemann_middle")
        values = shares.sum(dim=-1)[0].detach().cpu().numpy().astype(np.float64)
        gap = abs(values.sum() - difference) / max(abs(difference), 1e-9)
        if gap <= ENOUGH_COMPLETENESS or 2 * steps > MOST_STEPS or 2 * steps * len(values) > TOKENS_ON_PATH:
            return values, float(gap), steps
        steps *= 2


def leave_one_out(reading: Reading, weights: Array) -> tuple[Array, int]:
    """Return (T,) losses of the target logit without each token, and how many tokens were left out at once."""
    ids = reading.ids
    stride = max(1, math.ceil(len(ids) ** 2 / TOKENS_TO_LEAVE_OUT))
    starts = range(0, len(ids), stride)
    whole, *without = reading.score([ids, *(ids[:i] + ids[i + stride :] for i in starts)]) @ weights
    sizes = [len(ids[i : i + stride]) for i in starts]
    return np.repeat((whole - np.array(without, dtype=np.float64)) / sizes, sizes), stride


def deletion(reading: Reading, weights: Array, attributions: dict[str, Array]) -> Deletion:
    """Delete tokens in the order of each method, the strongest support first, and in seeded random orders."""
    count = len(reading.ids)
    orders = [np.argsort(-values, kind="stable") for values in attributions.values()]
    orders += [np.random.default_rng(seed).permutation(count) for seed in range(RANDOM_ORDERS)]
    affordable = TOKENS_TO_DELETE // (len(orders) * count // 2 + 1)
    sizes = np.unique(np.linspace(0, count, min(count, POINTS, max(affordable, 4)) + 1).round().astype(int))
    rows = [[reading.ids[i] for i in np.sort(order[size:])] for order in orders for size in sizes]
    logits = (reading.score(rows) @ weights).reshape(len(orders), len(sizes)).astype(np.float64)
    curves: dict[str, Array] = dict(zip(attributions, logits, strict=False))
    return Deletion(sizes / count, curves, logits[len(attributions) :])
