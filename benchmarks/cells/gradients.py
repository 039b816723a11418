"""The share of the logit's gradient that reaches a state, by its distance from the end of a review.

Measured is the norm of d logit / d h_t, logit being the positive less the negative one: the total derivative, through
all later steps, of the forward direction. At three points: with every weight as PyTorch draws it, with weights as this
program draws them (orthogonal recurrent matrices, small embeddings), and after training.

Two kinds of models tell different things. Those judged by their *last* state alone show how a gradient vanishes: all
of it comes through the later steps. Where the head sees the *mean and maximum* of all states, as in the shipped model,
each state has a direct way to the logit besides, so that its gradient cannot vanish; there the part that comes through
later steps (`h_later`) is given beside the whole.

For an LSTM, h is not what is carried along: `c` is the derivative by c_t, from which h_t follows, and is what compares
with h of the other cells; `h` is the one by h_t with c_t held.
"""

import copy
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from transformers import PreTrainedTokenizerFast, set_seed

from sentiment_gru import SentimentGRUForSequenceClassification
from sentiment_gru.checkpoint import load_model, load_tokenizer
from sentiment_gru.data.splits import TextSplit

from .results import WORK, describe, read_result, write_result
from .runs import compared, read_by_last_state
from .training import dev_texts
from .unrolled import Unrolled

REVIEWS, TOKENS, CHUNK, SEED = 100, 200, 25, 0
FAINT = 0.01  # of the gradient at the last token


def measure_gradients(
    imdb: str, path: Path, work: Path = WORK, reviews: int = REVIEWS, tokens: int = TOKENS
) -> list[str]:
    """Measure the checkpoints that are there, and write the result file; figures of others stay in it.

    Returns:
        The runs whose checkpoint is not there.
    """
    split = dev_texts(imdb)
    data = f"{reviews} dev reviews of {tokens} tokens or more, their last {tokens}; seed {SEED}"
    result = describe("gradients", data) | {"distances": distances(tokens)}
    before = read_result(path) or {}
    models = before["models"] if before.get("data") == data else {}
    missing = []
    for configuration in (*read_by_last_state(), *compared()[:3]):
        run = f"{configuration.name}-{SEED}"
        if (work / run / "config.json").is_file():
            ids = last_tokens(load_tokenizer(work / run), split, reviews, tokens)
            models[configuration.name] = {"cell": configuration.cell, "pooling": configuration.pooling} | {
                point: curves(model, ids) for point, model in points(work / run)
            }
        else:
            missing.append(run)
    if models:
        write_result(path, result | {"models": models})
    return missing


def last_tokens(tokenizer: PreTrainedTokenizerFast, split: TextSplit, reviews: int, tokens: int) -> Tensor:
    """Return the (reviews, tokens) last token ids of long reviews, drawn with a seed.

    Raises:
        ValueError: too few are long enough.
    """
    rows = tokenizer(split.texts, return_attention_mask=False)["input_ids"]
    long = [ids[-tokens:] for ids in rows if len(ids) >= tokens]
    if len(long) < reviews:
        raise ValueError(f"{len(long)} dev texts have {tokens} tokens, not {reviews}")
    chosen = np.random.default_rng(SEED).choice(len(long), size=reviews, replace=False)
    return torch.tensor([long[i] for i in sorted(chosen)])


def points(folder: Path) -> Iterator[tuple[str, SentimentGRUForSequenceClassification]]:
    """Yield the model of a checkpoint as PyTorch would start it, as this program starts it, and as it is."""
    trained = load_model(folder)
    trained.config.temperature, trained.config.temperature_exponent = 1.0, 0.0  # the logits of the linear head
    for name in ("pytorch", "start"):
        set_seed(SEED)
        model = SentimentGRUForSequenceClassification(trained.config).eval()
        if name == "pytorch":
            for module in model.modules():
                if isinstance(module, nn.RNNBase | nn.Linear | nn.Embedding):
                    module.reset_parameters()
        yield name, model
    yield "trained", trained


def curves(model: SentimentGRUForSequenceClassification, ids: Tensor) -> dict[str, Any]:
    """Return quartiles over reviews of the gradient's norm at each of `distances`, for each kind of gradient."""
    norms = gradient_norms(model, ids)
    if model.config.pooling == "last":
        del norms["h_later"]  # the same as h, as no state but the last is read at once
    return {kind: quartiles(values) for kind, values in norms.items()}


def gradient_norms(model: SentimentGRUForSequenceClassification, ids: Tensor) -> dict[str, np.ndarray]:
    """Return (B, T) norms of the gradients of the logit by the forward states of (B, T) token ids.

    In double precision, as they become too small for single.
    """
    model = copy.deepcopy(model).double()
    layer: Any = model.layers[0]
    layer.forward_cell = Unrolled(layer.forward_cell)
    labels = model.config.label2id or {}
    found: list[dict[str, np.ndarray]] = []
    for chunk in ids.split(CHUNK):
        logits = model(input_ids=chunk).logits
        (logits[:, labels["positive"]] - logits[:, labels["negative"]]).sum().backward()
        found.append({kind: g.norm(dim=-1).numpy() for kind, g in layer.forward_cell.gradients().items()})
        model.zero_grad()
    return {kind: np.concatenate([part[kind] for part in found]) for kind in found[0]}


def distances(tokens: int) -> list[int]:
    """Return the distances from the last token that are reported: each up to 20, then every fifth."""
    return [d for d in range(tokens) if d <= 20 or d % 5 == 0 or d == tokens - 1]


def quartiles(norms: np.ndarray) -> dict[str, Any]:
    """Return median and quartiles of (B, T) norms by distance, and the first at which the median is faint, or None."""
    tokens = norms.shape[1]
    from_end = norms[:, ::-1]
    low, median, high = np.quantile(from_end, [0.25, 0.5, 0.75], axis=0)  # each (T,)
    faint = np.flatnonzero(median < FAINT * median[0])
    return {
        "median": _rounded(median[distances(tokens)]),
        "quartile_25": _rounded(low[distances(tokens)]),
        "quartile_75": _rounded(high[distances(tokens)]),
        "faint_from": int(faint[0]) if len(faint) else None,
    }


def _rounded(values: Sequence[float] | np.ndarray) -> list[float]:
    return [float(f"{value:.3e}") for value in values]
