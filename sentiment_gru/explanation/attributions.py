"""Three ways to say what each token adds to the target logit, and how deleting tokens puts them to the test.

The target logit is `logits @ weights`: `weights` (C,) is 1 for the label explained, -1 for the one set against it.
"""

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from ..errors import InputError
from ..results import METHODS, Array, Deletion, Explanation, Prediction, Target
from .gates import Reading, gates, hidden_states

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


TOKENS_TO_RUN = 40_000  # all prefixes of a text of 282 tokens together; of longer ones, every second or later prefix


def running_logits(reading: Reading) -> tuple[Array, int]:
    """Return (T + 1, C) logits after 0, 1, ... T tokens, and the stride at which they are exact.

    Between multiples of the stride, and T, they lie on a straight line. In one direction the stride is always 1.
    """
    if not reading.model.config.bidirectional:
        return _one_pass(reading), 1
    count = len(reading.ids)
    stride = max(1, math.ceil(count * (count + 1) / 2 / TOKENS_TO_RUN))
    lengths = [*range(0, count, stride), count]
    exact = reading.score([reading.ids[:length] for length in lengths])
    every = [np.interp(range(count + 1), lengths, column) for column in exact.T]
    return np.stack(every, axis=1), stride


@torch.inference_mode()
def _one_pass(reading: Reading) -> Array:
    """Return the logits of all prefixes from one run: in one direction, a state knows only the tokens before it."""
    states = hidden_states(reading)[-1].double()  # (T, H)
    sizes = torch.arange(1, len(states) + 1, device=states.device)[:, None]
    mean, maximum = states.cumsum(dim=0) / sizes, states.cummax(dim=0).values if len(states) else states
    pooled = {"last": [states], "mean": [mean], "max": [maximum], "mean_max": [mean, maximum]}
    joined = torch.cat(pooled[reading.model.config.pooling], dim=-1).float()
    logits = reading.model.classifier(joined) / reading.model.divisor(sizes[:, 0])  # (T, C)
    return np.concatenate([reading.score([[]]), logits.cpu().numpy()]).astype(np.float64)


def calibrated(logits: Array) -> Array:
    """Return the softmax over the last axis."""
    return torch.from_numpy(np.asarray(logits, dtype=np.float64)).softmax(dim=-1).numpy()


def explain(
    reading: Reading, prediction: Prediction, labels: Sequence[str], methods: Sequence[str], target: Target
) -> Explanation:
    """Explain one text; `SentimentClassifier.explain` documents the arguments and errors."""
    label, against = _check_target(prediction.label if target is None else target, labels)
    if unknown := set(methods) - set(METHODS):
        raise InputError(f"no method of explanation is called {sorted(unknown)[0]!r}; there are {', '.join(METHODS)}")
    weights = np.array([(name == label) - float(name == against) for name in labels])  # (C,)
    logits, stride = running_logits(reading)
    arrays, error = gates(reading)
    strides, steps, proofs = {"running": stride}, 0, {}
    if len(arrays.hidden):
        proofs["hidden_state_error"] = error
    attributions: dict[str, Array] = {}
    if reading.ids and "integrated_gradients" in methods:
        found, proofs["completeness_gap"], steps = integrated_gradients(reading, weights)
        attributions["integrated_gradients"] = found
    if reading.ids and "leave_one_out" in methods:
        attributions["leave_one_out"], strides["leave_one_out"] = leave_one_out(reading, weights)
    if reading.ids and "as_read" in methods:
        attributions["as_read"] = np.diff(logits @ weights)
        whole = float((logits[-1] - logits[0]) @ weights)
        proofs["telescoping_error"] = abs(float(attributions["as_read"].sum()) - whole)
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
