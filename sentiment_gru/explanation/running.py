"""The prediction after every token: the logits of each prefix of the text."""

import math

import numpy as np
import torch

from .gates import hidden_states
from .reading import Reading
from .result import Array

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
