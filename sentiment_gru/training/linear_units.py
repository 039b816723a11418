"""Build a linear classifier of words into a trained network, as additional units that average word weights.

With few texts, logistic regression on words is as good as a GRU and makes other mistakes. A GRU computes the same
thing with units whose update gate is closed to their past (z = 0): unit k has the state tanh(w_k) at each token, where
w_k is the token's weight for label k, mean pooling averages these states, and the linear head adds them to the logits
of label k. The weights are kept small, where tanh(w) is w. The sum of the logits of two models is the logarithm of the
product of their probabilities (Hinton 2002, "Training Products of Experts by Minimizing Contrastive Divergence").
"""

from collections.abc import Sequence

import numpy as np
import torch
from scipy.optimize import minimize
from scipy.sparse import csr_matrix
from scipy.special import log_softmax
from sklearn.linear_model import LogisticRegression
from transformers import PreTrainedTokenizerFast

from ..classifier import SentimentClassifier
from ..configuration import SentimentGRUConfig
from ..data.splits import TextSplit
from ..errors import OptionsError
from ..modeling import SentimentGRUForSequenceClassification
from ..tokenization import encode_ends
from .options import TrainingOptions

LARGEST = 0.05  # state of a unit; tanh(0.05) differs from 0.05 by less than 0.1%
LEAST_SCALE = 1 / 60_000  # its inverse is a weight of the head, which float16 must hold
CLOSED = -30.0  # bias of the update gate: sigmoid(-30) is 1e-13


def check_fits(options: TrainingOptions) -> None:
    """Raise OptionsError if a network cannot hold such units."""
    if options.cell != "gru" or options.num_layers != 1 or options.pooling not in ("mean", "mean_max"):
        raise OptionsError("--linear-units needs a GRU of one layer with --pooling mean or mean_max; leave it out")


def add_linear_units(
    model: SentimentGRUForSequenceClassification, tokenizer: PreTrainedTokenizerFast, train: TextSplit, dev: TextSplit
) -> SentimentGRUForSequenceClassification:
    """Return a network whose logits are those of a model and of a linear classifier, in the proportion best on dev.

    Args:
        model: Trained model, which passed `check_fits`.
        tokenizer: Its tokenizer.
        train: Texts for the linear classifier, and their labels.
        dev: Texts for the proportion.
    """
    labels, limit = model.config.labels, model.config.max_tokens
    weights, bias = fit_words(count_words(train.texts, tokenizer, limit), train.labels, labels)
    classifier = SentimentClassifier.from_model(model, tokenizer)
    theirs = classifier.logits(dev.texts)
    ours = count_words(dev.texts, tokenizer, limit) @ weights + bias
    targets = np.array([labels.index(label) for label in dev.labels])
    share, linear_share = fit_shares(theirs, ours, targets)
    return widen(model, share, weights * linear_share, bias * linear_share)


def count_words(texts: Sequence[str], tokenizer: PreTrainedTokenizerFast, limit: int) -> csr_matrix:
    """Return (B, V) shares of each vocabulary entry among the tokens of B texts that are read."""
    rows = encode_ends(tokenizer, texts, limit)
    ends = np.cumsum([0, *map(len, rows)])
    shares = np.concatenate([np.full(len(row), 1 / len(row)) for row in rows if row] or [np.zeros(0)])
    columns = np.array([token for row in rows for token in row], dtype=np.int64)
    counts = csr_matrix((shares, columns, ends), shape=(len(rows), len(tokenizer)))
    counts.sum_duplicates()
    return counts


def fit_words(shares: csr_matrix, names: Sequence[str], labels: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return (V, C) weights and (C,) bias of a logistic regression on (B, V) shares of words.

    Shares are multiplied by inverse document frequency and scaled to a mean length of 1, as TF-IDF would have it, so
    that its usual regularisation fits texts of any length.
    """
    frequency = np.asarray((shares > 0).sum(axis=0)).ravel()
    used = np.flatnonzero(frequency)  # a tenth of the vocabulary of the shipped checkpoint, and as much time
    scale = np.log((1 + shares.shape[0]) / (1 + frequency[used])) + 1
    scaled = shares[:, used].multiply(scale).tocsr()
    scale /= float(np.sqrt(scaled.multiply(scaled).sum(axis=1)).mean()) or 1.0
    regression = LogisticRegression(C=10.0, max_iter=1_000).fit(shares[:, used].multiply(scale).tocsr(), list(names))
    weights, bias = np.zeros((shares.shape[1], len(labels))), np.full(len(labels), regression.intercept_.min() - 1)
    columns = [list(labels).index(name) for name in regression.classes_]
    if len(columns) == 2:  # one row of coefficients, for the second label against the first
        weights[used, columns[1]] = regression.coef_[0] * scale
        bias[columns] = 0.0, regression.intercept_[0]
    else:
        weights[np.ix_(used, np.array(columns))] = regression.coef_.T * scale[:, None]
        bias[columns] = regression.intercept_
    return weights, bias


def fit_shares(theirs: np.ndarray, ours: np.ndarray, targets: np.ndarray) -> tuple[float, float]:
    """Return the factors, 0 or more, of two (B, C) arrays of logits whose sum has the lowest log loss."""

    def loss(factors: np.ndarray) -> float:
        scores = log_softmax(factors[0] * theirs + factors[1] * ours, axis=1)
        return float(-scores[np.arange(len(targets)), targets].mean())

    first, second = minimize(loss, np.array([0.5, 1.0]), bounds=[(0.0, 2.0), (0.0, 4.0)]).x
    return float(first), float(second)


def widen(
    model: SentimentGRUForSequenceClassification, factor: float, weights: np.ndarray, bias: np.ndarray
) -> SentimentGRUForSequenceClassification:
    """Return a model with `factor` times the logits of a model, plus the mean of its tokens' weights and a bias.

    Args:
        model: Model with E embedding dimensions and H units in each of D directions, which passed `check_fits`.
        factor: Factor of its logits.
        weights: (V, C) weights of the vocabulary entries for each label.
        bias: (C,) bias.
    """
    old, count = model.config, weights.shape[1]
    directions = 2 if old.bidirectional else 1
    embedding, hidden = old.embedding_size, old.hidden_size
    added = -(-count // directions)  # units in each direction
    config = SentimentGRUConfig.from_dict(
        old.to_dict() | {"embedding_size": embedding + count, "hidden_size": hidden + added}
    )
    wide = SentimentGRUForSequenceClassification(config)
    scale = max(LARGEST / max(float(np.abs(weights).max()), 1e-9), LEAST_SCALE)
    before, after = model.state_dict(), {name: torch.zeros_like(t) for name, t in wide.state_dict().items()}
    after["embedding.weight"][:, :embedding] = before["embedding.weight"]
    after["embedding.weight"][: len(weights), embedding:] = torch.from_numpy(weights * scale)
    after["classifier.bias"] = factor * before["classifier.bias"] + torch.from_numpy(bias).float()
    for cell in ("forward_cell", "backward_cell")[:directions]:
        for name in ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"):
            key = f"layers.0.{cell}.{name}"
            for gate, part in enumerate(before[key].split(hidden)):  # r, z, n
                rows = after[key][gate * (hidden + added) : gate * (hidden + added) + hidden]
                rows[(slice(None), *(slice(size) for size in part.shape[1:]))] = part
        after[f"layers.0.{cell}.bias_ih_l0"][2 * hidden + added : 2 * (hidden + added)] = CLOSED
    for pool in range(before["classifier.weight"].shape[1] // (directions * hidden)):
        for direction in range(directions):
            start, source = ((pool * directions + direction) * size for size in (hidden + added, hidden))
            after["classifier.weight"][:, start : start + hidden] = (
                factor * before["classifier.weight"][:, source : source + hidden]
            )
    for label in range(count):
        direction, unit = divmod(label, added)
        cell = ("forward_cell", "backward_cell")[direction]
        candidate = 2 * (hidden + added) + hidden + unit
        after[f"layers.0.{cell}.weight_ih_l0"][candidate, embedding + label] = 1.0
        after["classifier.weight"][label, direction * (hidden + added) + hidden + unit] = 1 / scale
    wide.load_state_dict(after)
    return wide
